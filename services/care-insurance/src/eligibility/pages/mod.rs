//! Screens of 資格管理: queues, one person's qualifications, decisions by hand.

mod decide;
mod derivation;
mod fact;
mod file;
mod number;
mod person;
mod queue;
mod reason;
mod settle;

pub(crate) use decide::decide;
pub(crate) use derivation::{order, show};
pub(crate) use fact::{enter, facts, typed_day};
pub(crate) use file::file;
pub(crate) use number::number;
pub(crate) use person::{open, read};
pub(crate) use queue::{COLUMNS, Line, QUEUES, Queue, WAITING, lines, queue, wareki_text};
pub(crate) use reason::{ask, state_reason, unreasoned};
pub(crate) use settle::settle;
