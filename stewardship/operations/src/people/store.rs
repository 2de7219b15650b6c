//! What happened to a user (手続の記録).

use mimamori_gate::{Record, Statement};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{RequestId, UserId};
use mimamori_kernel::random::Random;

/// Columns of a user's history.
pub(crate) const EVENT: [&str; 5] = ["happened_at", "kind", "by_user", "reason", "checked"];

/// One step of the history.
pub(crate) struct Event<'a> {
    pub(crate) user: UserId,
    pub(crate) kind: &'static str,
    pub(crate) by: UserId,
    pub(crate) reason: &'a str,
    pub(crate) checked: &'a str,
}

impl Event<'_> {
    /// The write of it.
    pub(crate) fn write(&self, at: Instant, random: &dyn Random) -> Statement {
        Statement::new(
            "INSERT INTO operations_event (id, user_id, happened_at, kind, by_user, reason, checked) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
            vec![
                RequestId::random(random).bytes().into(),
                self.user.bytes().into(),
                at.0.into(),
                self.kind.into(),
                self.by.bytes().into(),
                self.reason.into(),
                self.checked.into(),
            ],
        )
    }
}

/// An id in a column.
pub(crate) fn user(record: &Record, column: &str) -> Option<UserId> {
    let bytes = record.bytes(column)?.try_into().ok()?;
    Some(UserId::from_bytes(bytes))
}
