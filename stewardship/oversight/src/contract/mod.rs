//! The contract register (契約台帳): which case a contract carries out, who is named for it, what it obliges to.

pub(crate) mod clause;
pub(crate) mod closing;
pub(crate) mod due;
pub(crate) mod enter;
pub(crate) mod obligation;
pub(crate) mod page;
pub(crate) mod queue;
pub(crate) mod register;
pub(crate) mod renewal;
pub(crate) mod store;

pub use due::Spans;
pub use obligation::{Certification, opening};
pub use store::{Duty, Entry, Person, Variant};
