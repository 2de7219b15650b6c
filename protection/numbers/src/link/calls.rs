//! The interface log (S0-25): each call or file, without a person.

use mimamori_kernel::clock::Instant;
use mimamori_storage::{Db, StorageError, Value, Writer};

use super::port::Call;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CallLine {
    /// Number of the line.
    pub id: i64,
    /// When the call began, microseconds UTC.
    pub at: i64,
    /// `link`, `correct`, `delete`, `inquire`, `list`, `file-out`, `file-answer`, `file-list`.
    pub what: String,
    /// `ok`, or why not.
    pub code: String,
    /// Bytes sent.
    pub sent: i64,
    /// Bytes received.
    pub received: i64,
    /// Persons in it.
    pub records: i64,
    /// Duration in microseconds.
    pub micros: i64,
}

/// The newest lines before `before`, newest first; 1,000 at most.
///
/// # Errors
/// The database.
pub async fn calls(
    db: &Db,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<CallLine>, StorageError> {
    let sql = "SELECT id, at, what, code, sent, received, records, micros FROM numbers_call WHERE id < ? ORDER BY id DESC LIMIT ?";
    let args: Vec<Value> = vec![before.unwrap_or(i64::MAX).into(), limit.min(1_000).into()];
    let rows = db.fetch(sql, args).await?;
    let line = |row: &mimamori_storage::Row| {
        Ok(CallLine {
            id: row.int(0)?,
            at: row.int(1)?,
            what: row.text(2)?.to_owned(),
            code: row.text(3)?.to_owned(),
            sent: row.int(4)?,
            received: row.int(5)?,
            records: row.int(6)?,
            micros: row.int(7)?,
        })
    };
    rows.iter().map(line).collect()
}

/// Adds lines inside a transaction.
pub(super) async fn add(writer: &mut Writer, calls: Vec<Call>) -> Result<(), StorageError> {
    if calls.is_empty() {
        return Ok(());
    }
    let rows = writer
        .fetch("SELECT COALESCE(MAX(id), 0) FROM numbers_call", vec![])
        .await?;
    let mut id = rows.first().map_or(Ok(0), |row| row.int(0))?;
    let int = |n: usize| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
    for call in calls {
        id += 1;
        let Instant(at) = call.at;
        let args = vec![
            id.into(),
            at.into(),
            call.what.into(),
            call.code.into(),
            int(call.sent),
            int(call.received),
            int(call.records),
            call.micros.into(),
        ];
        let sql = "INSERT INTO numbers_call (id, at, what, code, sent, received, records, micros) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        writer.execute(sql, args).await?;
    }
    Ok(())
}
