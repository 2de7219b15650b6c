//! 資格管理 (eligibility): qualification, its history, the insured-person number.

mod derive;
mod extract;
mod fact;
mod job;
mod nightly;
mod number;
pub(crate) mod pages;
mod reason;
mod record;
mod row;
mod rule;
mod span;
mod store;

pub(crate) use derive::{Insured, days_left};
pub use fact::{Fact, Kind};
pub use job::{Derivation, DeriveError, run};
pub(crate) use nightly::Nightly;
pub use number::{Method, NumberError, Numbering};
pub use reason::{Codes, CodesError, LossDay, Reason, Side};
pub use record::{Entry, Ledger, RecordError, State};
pub(crate) use row::{FACT, QUALIFICATION, day, entry, event, fact, write};
pub use rule::{
    Category, Derived, Item, Leave, Person, Qualification, Stay, Term, Unknown, derive,
};
pub use span::Span;
