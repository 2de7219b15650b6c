use mimamori_gate::{Record, Statement, Value};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::UserId;

use super::model::{CaseId, Kind, State, Version};

/// Table of versions.
pub(crate) const TABLE: &str = "oversight_version";

/// Columns of a version.
pub(crate) const COLUMNS: [&str; 10] = [
    "case_id",
    "sheet",
    "number",
    "state",
    "content",
    "reason",
    "drafted_by",
    "drafted_at",
    "decided_by",
    "decided_at",
];

pub(crate) fn bytes(record: &Record, column: &str) -> Option<[u8; 16]> {
    record.bytes(column)?.try_into().ok()
}

impl Version {
    /// Reads a row; none when this program does not know its sheet or cannot read what it says.
    pub(crate) fn read(record: &Record) -> Option<Self> {
        Some(Self {
            case: CaseId::from_bytes(bytes(record, "case_id")?),
            kind: Kind::from_code(record.text("sheet")?)?,
            number: record.int("number")?,
            state: State::from_code(record.text("state")?)?,
            content: serde_json::from_str(record.text("content")?).ok()?,
            reason: record.text("reason")?.to_owned(),
            drafted_by: UserId::from_bytes(bytes(record, "drafted_by")?),
            drafted_at: record.int("drafted_at")?,
            decided_by: bytes(record, "decided_by").map(UserId::from_bytes),
            decided_at: record.int("decided_at")?,
        })
    }

    /// The write of a new version; another draft of the sheet in the meantime is a conflict.
    pub(crate) fn write(&self) -> Statement {
        let content = serde_json::json!(self.content).to_string();
        Statement::expecting(
            "INSERT INTO oversight_version (case_id, sheet, number, state, content, reason, drafted_by, drafted_at, decided_by, decided_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            vec![
                self.case.bytes().into(),
                self.kind.code().into(),
                self.number.into(),
                self.state.code().into(),
                content.into(),
                self.reason.as_str().into(),
                self.drafted_by.bytes().into(),
                self.drafted_at.into(),
                self.decided_by
                    .map_or(Value::NullBytes, |u: UserId| u.bytes().into()),
                self.decided_at.into(),
            ],
            1,
            "sheet-draft",
        )
    }

    /// The write that moves it on; somebody else's earlier decision is a conflict.
    pub(crate) fn moves(&self, to: State, by: UserId, now: Instant) -> Statement {
        Statement::expecting(
            "UPDATE oversight_version SET state = ?, decided_by = ?, decided_at = ? \
             WHERE case_id = ? AND sheet = ? AND number = ? AND state = ?",
            vec![
                to.code().into(),
                by.bytes().into(),
                now.0.into(),
                self.case.bytes().into(),
                self.kind.code().into(),
                self.number.into(),
                self.state.code().into(),
            ],
            1,
            "sheet-decided",
        )
    }

    /// The write that puts the version in force aside; who approved it stays written.
    pub(crate) fn supersede(&self) -> Statement {
        Statement::expecting(
            "UPDATE oversight_version SET state = 'superseded' WHERE case_id = ? AND sheet = ? AND number = ? AND state = 'approved'",
            vec![
                self.case.bytes().into(),
                self.kind.code().into(),
                self.number.into(),
            ],
            1,
            "sheet-decided",
        )
    }
}

/// All rows as versions; a row that cannot be read stops everything.
pub(crate) fn versions(rows: &[Record]) -> Option<Vec<Version>> {
    rows.iter().map(Version::read).collect()
}
