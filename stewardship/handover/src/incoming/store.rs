//! A file that came in, in the table.

use mimamori_gate::{Hidden, OfficePermit, Record, Statement, Value};
use mimamori_kernel::id::{ContractId, IncomingId, UserId};

use super::State;
use crate::HandoverError;

pub(super) const COLUMNS: [&str; 15] = [
    "id",
    "contract",
    "file",
    "sha256",
    "bytes",
    "taken_at",
    "taken_by",
    "scan",
    "state",
    "package",
    "rows_held",
    "findings",
    "release_1",
    "accept_1",
    "accept_2",
];

/// One file.
#[derive(Debug, Clone)]
pub(super) struct Incoming {
    pub id: IncomingId,
    pub contract: ContractId,
    pub file: String,
    pub sha256: String,
    pub bytes: i64,
    pub taken_at: i64,
    pub taken_by: UserId,
    pub scan: String,
    pub state: State,
    pub package: String,
    pub rows: i64,
    pub findings: String,
    pub release: Option<UserId>,
    pub accept: Option<UserId>,
    pub accepted_with: Option<UserId>,
}

fn array(record: &Record, column: &str) -> Option<[u8; 16]> {
    record.bytes(column)?.try_into().ok()
}

impl Incoming {
    pub(super) fn read(record: &Record) -> Option<Self> {
        let text = |column| record.text(column).map(str::to_owned);
        let user = |column| array(record, column).map(UserId::from_bytes);
        let state = record.text("state")?;
        Some(Self {
            id: IncomingId::from_bytes(array(record, "id")?),
            contract: ContractId::from_bytes(array(record, "contract")?),
            file: text("file")?,
            sha256: text("sha256")?,
            bytes: record.int("bytes")?,
            taken_at: record.int("taken_at")?,
            taken_by: user("taken_by")?,
            scan: text("scan")?,
            state: State::ALL.into_iter().find(|s| s.code() == state)?,
            package: text("package")?,
            rows: record.int("rows_held")?,
            findings: text("findings")?,
            release: user("release_1"),
            accept: user("accept_1"),
            accepted_with: user("accept_2"),
        })
    }

    /// The write of a new one.
    pub(super) fn enter(&self) -> Statement {
        Statement::new(
            "INSERT INTO handover_incoming (id, contract, file, sha256, bytes, taken_at, taken_by, scan, state, package, \
             rows_held, findings, release_1, release_2, accept_1, accept_2) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', 0, '', NULL, NULL, NULL, NULL)",
            vec![
                self.id.bytes().into(),
                self.contract.bytes().into(),
                self.file.as_str().into(),
                self.sha256.as_str().into(),
                self.bytes.into(),
                self.taken_at.into(),
                self.taken_by.bytes().into(),
                self.scan.as_str().into(),
                self.state.code().into(),
            ],
        )
    }

    /// The write of one column set, only from this state; another's earlier hand is a conflict.
    pub(super) fn set(&self, column: &'static str, value: Value, to: State) -> Statement {
        // What the column held before is part of the condition where two people write it one after the other.
        let condition = match column {
            "release_1" | "accept_1" => format!("AND {column} IS NULL"),
            _ => String::new(),
        };
        Statement::expecting(
            format!(
                "UPDATE handover_incoming SET {column} = ?, state = ? WHERE id = ? AND state = ? {condition}"
            ),
            vec![
                value,
                to.code().into(),
                self.id.bytes().into(),
                self.state.code().into(),
            ],
            1,
            "incoming-moved",
        )
    }
}

/// One file.
pub(super) async fn one(
    permit: &OfficePermit,
    id: IncomingId,
) -> Result<Hidden<Option<Incoming>>, HandoverError> {
    let args = vec![id.bytes().into()];
    let rows = permit
        .fetch("handover_incoming", &COLUMNS, "id = ?", args)
        .await?;
    Ok(rows.map(|rows| rows.first().and_then(Incoming::read)))
}

/// All of them, the newest first; 500 at most.
pub(super) async fn all(permit: &OfficePermit) -> Result<Hidden<Vec<Incoming>>, HandoverError> {
    let filter = "1 = 1 ORDER BY taken_at DESC, id LIMIT 500";
    let rows = permit
        .fetch("handover_incoming", &COLUMNS, filter, vec![])
        .await?;
    Ok(rows.map(|rows| rows.iter().filter_map(Incoming::read).collect()))
}
