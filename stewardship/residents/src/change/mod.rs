//! 異動・訂正 (change): residency events, corrections, and two records of one person.
//!
//! Promises: every change is checked against the version that the officer saw, leaves one line
//! with the change in the same transaction, and a row in the journal with before and after.
//! Never: a change of something that the officer may not see.

mod beside;
mod enter;
mod item;
mod journal;
mod merge;
mod page;
mod rule;
mod settle;
mod store;

pub(crate) use enter::{enter, enter_form};
pub(crate) use item::{ITEMS, Part};
pub(crate) use journal::{ALL_COLUMNS, Change, changes};
pub(crate) use merge::{merge, merge_form, split, split_form};
pub(crate) use page::{Seen, show, submit};
pub(crate) use settle::{difference, differences, settle};
