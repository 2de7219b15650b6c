//! Case links (受付とのつながり): why an officer works on a person today.
//!
//! Rooms write a link in the same transaction as their reception note or queue item; the gate
//! alone reads it, and marks every look that hangs on one. No mark means no link, so that a room
//! that forgets to link is seen by the monitoring rules (S0-45).

use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{PersonId, UserId};
use mimamori_storage::Statement;

/// What a look hangs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// A reception note (受付票).
    Note,
    /// An item of a work queue (処理待ち).
    Queue,
}

impl Case {
    /// Code in the table.
    pub fn code(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Queue => "queue",
        }
    }

    pub(crate) fn from_code(code: &str) -> Option<Self> {
        [Self::Note, Self::Queue]
            .into_iter()
            .find(|c| c.code() == code)
    }

    /// The mark among the policy ids of a line.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Note => "case:note",
            Self::Queue => "case:queue",
        }
    }
}

/// The office's day of an instant (Asia/Tokyo), as days since 1970-01-01.
pub fn office_day_number(at: Instant) -> i64 {
    at.0.saturating_add(9 * 3_600_000_000)
        .div_euclid(86_400_000_000)
}

/// The write that links `officer` to `person` for the office day of `at`.
pub fn case_statement(person: &PersonId, officer: &UserId, at: Instant, case: Case) -> Statement {
    Statement::new(
        "INSERT INTO gate_case (officer, day, person, kind) VALUES (?, ?, ?, ?) \
         ON CONFLICT (officer, day, person) DO UPDATE SET kind = excluded.kind",
        vec![
            officer.bytes().into(),
            office_day_number(at).into(),
            person.bytes().into(),
            case.code().into(),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_the_office_begins_at_fifteen_hours_utc() {
        // 2026-11-20 15:00 UTC is 2026-11-21 00:00 in Japan.
        let midnight = Instant(1_795_186_800_000_000);
        assert_eq!(midnight.office_text(), "2026-11-21 00:00:00");
        let day = office_day_number(midnight);
        assert_eq!(office_day_number(Instant(midnight.0 - 1)), day - 1);
        assert_eq!(office_day_number(Instant(midnight.0 + 86_399_999_999)), day);
        assert_eq!(office_day_number(Instant(0)), 0);
    }
}
