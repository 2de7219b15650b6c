//! The contract register (契約台帳): which case a contract carries out, who is named for it, what it obliges to.

pub(crate) mod page;
pub(crate) mod register;
pub(crate) mod store;

pub use store::{Duty, Entry, Person, Variant};
