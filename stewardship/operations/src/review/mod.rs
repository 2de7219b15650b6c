//! 権限の棚卸し: every quarter a named reviewer looks at every user (S4-75).

pub(crate) mod page;
mod rule;

pub use rule::Quarter;
