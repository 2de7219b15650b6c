//! 資格管理 (eligibility): qualification, its history, the insured-person number.

mod number;
mod reason;
mod record;
mod rule;
mod span;

pub use number::{Method, NumberError, Numbering};
pub use reason::{Codes, CodesError, LossDay, Reason, Side};
pub use record::{Entry, Ledger, RecordError, State};
pub use rule::{
    Category, Derived, Item, Leave, Person, Qualification, Stay, Term, Unknown, derive,
};
pub use span::Span;
