//! 関門 (gate): the only door to personal data.
//!
//! Promises: rooms reach the database through a permit alone; a permit is made by Cedar
//! policies, deny by default, `forbid` wins; a withheld column is never fetched; plaintext
//! comes out only after its line in the trace is durable.
//! Never: a business rule of a service, a page, a second way in.

mod audit;
mod case;
mod class;
mod decide;
mod error;
mod facts;
mod hidden;
mod items;
mod job;
mod list;
mod office;
mod out;
mod permit;
mod reach;
mod same;
mod table;

pub use audit::{AuditPermit, Staff};
pub use case::{Case, case_statement, office_day_number};
pub use class::{Class, Classes};
pub use decide::{Action, Gate, Purpose, Room, Rules, Standing, StepUp, Withheld};
pub use error::{GateError, Refused};
pub use facts::{Facts, ITEMS, MIGRATIONS, relation_statement, subject_statement};
pub use hidden::{Field, Hidden, Record, Revealed};
pub use items::{Catalogue, Item};
pub use job::JobPermit;
pub use list::{Alike, Condition, Found, ListPermit, Listed};
pub use office::{Change, OfficePermit};
pub use out::{DailyCap, Stamp, Taken};
pub use permit::{PersonPermit, Reason};
pub use table::permission_table;

// What a room's store writes down; the room itself has no handle to run it.
pub use mimamori_storage::{Migration, Row, Statement, StorageError, Value};
pub use mimamori_trace::{ERASED_NUMBER, erasure};
