//! Counted ways out on site: paper and files that leave a screen (S1-53).

use mimamori_identity::Visitor;
use mimamori_kernel::clock::Instant;

use crate::decide::Action;
use crate::error::GateError;

/// Who took out what and when; stands on every page of a print and in the last row of a file, so
/// that a sheet found later leads to its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Line of the trace; the running number of the output.
    pub line: u64,
    /// Persons in it.
    pub persons: u32,
    /// Organisation and user.
    pub taken_by: String,
    /// Time in the office zone, to the minute.
    pub taken_at: String,
}

impl Stamp {
    pub(crate) fn new(visitor: &Visitor, line: u64, persons: u32, at: Instant) -> Self {
        Self {
            line,
            persons,
            taken_by: format!("{} {}", visitor.org_name, visitor.name),
            taken_at: at.office().strftime("%Y-%m-%d %H:%M").to_string(),
        }
    }
}

impl std::fmt::Display for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            line,
            persons,
            taken_by,
            taken_at,
        } = self;
        write!(f, "出力番号 {line}　{persons}人　{taken_by}　{taken_at}")
    }
}

pub(crate) fn on_screen(action: Action) -> Result<(), GateError> {
    match action.cap() {
        None => Ok(()),
        Some(_) => Err(GateError::Rules(format!("{} is a way out", action.code()))),
    }
}

pub(crate) fn within_cap(action: Action, persons: u32) -> Result<(), GateError> {
    match action.cap() {
        Some(cap) if persons <= cap => Ok(()),
        Some(cap) => Err(GateError::TooMany { cap }),
        None => Err(GateError::Rules(format!("{} is no way out", action.code()))),
    }
}
