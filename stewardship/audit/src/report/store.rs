//! Reports in their table.

use mimamori_gate::{AuditPermit, GateError, Hidden, Row, Statement};
use mimamori_identity::Visitor;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::random::Random;

use super::rule::Month;

/// A report without its text.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub id: [u8; 16],
    pub month: String,
    pub at: Instant,
    pub by: [u8; 16],
}

fn head(row: &Row) -> Option<Head> {
    Some(Head {
        id: row.array(0).ok()?,
        month: row.text(1).ok()?.to_owned(),
        at: Instant(row.int(2).ok()?),
        by: row.array(3).ok()?,
    })
}

/// The newest reports.
pub(crate) async fn heads(
    permit: &AuditPermit,
    limit: u32,
) -> Result<Hidden<Vec<Head>>, GateError> {
    let sql = "SELECT id, month, made_at, made_by FROM audit_report ORDER BY made_at DESC LIMIT ?";
    let rows = permit.rows(sql, vec![limit.into()]).await?;
    Ok(rows.map(|rows| rows.iter().filter_map(head).collect()))
}

/// The reports of a month, newest first.
pub(crate) async fn of_month(
    permit: &AuditPermit,
    month: Month,
) -> Result<Hidden<Vec<Head>>, GateError> {
    let sql = "SELECT id, month, made_at, made_by FROM audit_report WHERE month = ? ORDER BY made_at DESC";
    let rows = permit.rows(sql, vec![month.to_string().into()]).await?;
    Ok(rows.map(|rows| rows.iter().filter_map(head).collect()))
}

/// Month and signed text of one report.
pub(crate) async fn one(
    permit: &AuditPermit,
    id: &[u8; 16],
) -> Result<Hidden<Option<(String, String)>>, GateError> {
    let sql = "SELECT month, note FROM audit_report WHERE id = ?";
    let rows = permit.rows(sql, vec![id.into()]).await?;
    Ok(rows.map(|rows| {
        let row = rows.first()?;
        Some((row.text(0).ok()?.to_owned(), row.text(1).ok()?.to_owned()))
    }))
}

/// Kind and state of the alerts of a month.
pub(crate) async fn alerts(
    permit: &AuditPermit,
    month: Month,
) -> Result<Hidden<Vec<(String, String)>>, GateError> {
    let (from, until) = month.bounds();
    let rows = permit
        .rows(
            "SELECT kind, state FROM audit_alert WHERE day >= ? AND day < ?",
            vec![from.to_string().into(), until.to_string().into()],
        )
        .await?;
    Ok(rows.map(|rows| {
        rows.iter()
            .filter_map(|r| Some((r.text(0).ok()?.to_owned(), r.text(1).ok()?.to_owned())))
            .collect()
    }))
}

/// The write of a new report; its id.
pub(crate) fn entered(
    month: Month,
    note: &str,
    by: &Visitor,
    at: Instant,
    random: &dyn Random,
) -> ([u8; 16], Statement) {
    let mut id = [0u8; 16];
    random.fill(&mut id);
    let statement = Statement::new(
        "INSERT INTO audit_report (id, month, made_at, made_by, note) VALUES (?, ?, ?, ?, ?)",
        vec![
            (&id).into(),
            month.to_string().into(),
            at.0.into(),
            by.user.bytes().into(),
            note.into(),
        ],
    );
    (id, statement)
}
