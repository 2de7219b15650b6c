//! 申請: what waits for a second person.

pub(crate) mod page;
mod rule;
mod store;

pub(crate) use rule::{Asked, Request, State};
pub(crate) use store::{COLUMNS, close_all_of};
