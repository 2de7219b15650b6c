//! Orders (整理券の控え): every ticket that was given, until its hour is over. So a restart forgets no limit, and whatever
//! ended without an outcome gets one.

use std::collections::HashSet;

use mimamori_kernel::id::{NumberRef, TicketId, UserId};
use mimamori_storage::{Row, Writer};

use super::write::ended;
use super::{Report, Told, Vault};
use crate::NumbersError;
use crate::port::{Kind, Order};

/// Microseconds for which an order counts.
const HOUR: i64 = 3_600_000_000;
/// After so long nobody can use a ticket any more, microseconds: a minute to open it, five to fill in the form.
const LONGEST: i64 = 15 * 60_000_000;

/// An outcome was written: the order waits for none.
pub(super) async fn closed(writer: &mut Writer, ticket: &TicketId) -> Result<(), NumbersError> {
    let sql = "UPDATE numbers_order SET open = 0 WHERE ticket = ?";
    writer.execute(sql, vec![ticket.bytes().into()]).await?;
    Ok(())
}

/// Adds to what a load did so far.
pub(super) async fn counted(
    writer: &mut Writer,
    ticket: &TicketId,
    rows: usize,
    refused: usize,
) -> Result<(), NumbersError> {
    let many = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let sql = "UPDATE numbers_order SET rows = rows + ?, refused = refused + ? WHERE ticket = ?";
    let args = vec![
        many(rows).into(),
        many(refused).into(),
        ticket.bytes().into(),
    ];
    writer.execute(sql, args).await?;
    Ok(())
}

impl Vault {
    /// Keeps an order before its ticket is given.
    pub async fn ordered(&self, ticket: &TicketId, order: &Order) -> Result<(), NumbersError> {
        let mut writer = self.0.writer.lock().await;
        let sql = "INSERT INTO numbers_order (ticket, kind, who, reference, line, ordered, rows, refused, open) \
                   VALUES (?, ?, ?, ?, ?, ?, 0, 0, 1)";
        let args = vec![
            ticket.bytes().into(),
            order.kind.code().into(),
            order.user.bytes().into(),
            order
                .reference
                .map_or_else(Vec::new, |r| r.bytes().to_vec())
                .into(),
            order.line.into(),
            self.0.clock.now().0.into(),
        ];
        writer.execute(sql, args).await?;
        Ok(())
    }

    /// Who ordered what in the last hour, and how long ago (microseconds); oldest first. An order from the future, after
    /// the clock was set back, counts as one of this moment.
    pub async fn orders(&self) -> Result<Vec<(UserId, Kind, i64)>, NumbersError> {
        let now = self.0.clock.now().0;
        let sql = "SELECT who, kind, ordered FROM numbers_order WHERE ordered > ? ORDER BY ordered";
        let rows = self.0.db.fetch(sql, vec![(now - HOUR).into()]).await?;
        let mut out = Vec::with_capacity(rows.len());
        for row in rows {
            if let Some(kind) = Kind::named(row.text(1)?) {
                let age = (now - row.int(2)?).max(0);
                out.push((UserId::from_bytes(row.array(0)?), kind, age));
            }
        }
        Ok(out)
    }

    /// After a start: no ticket of before is good any more, so each order without an outcome gets one. How many.
    pub async fn settled(&self) -> Result<usize, NumbersError> {
        self.swept(i64::MAX, &HashSet::new()).await
    }

    /// Gives an outcome to each order whose ticket is worth nothing any more, except those in `held`, and forgets orders
    /// that count no longer. How many got one.
    pub async fn sweep(&self, held: &HashSet<TicketId>) -> Result<usize, NumbersError> {
        self.swept(self.0.clock.now().0 - LONGEST, held).await
    }

    async fn swept(&self, before: i64, held: &HashSet<TicketId>) -> Result<usize, NumbersError> {
        let mut writer = self.0.writer.lock().await;
        writer.begin().await?;
        let done = async {
            let sql = "SELECT ticket, kind, reference, line, rows, refused FROM numbers_order WHERE open = 1 AND ordered < ?";
            let mut told = 0;
            for row in writer.fetch(sql, vec![before.into()]).await? {
                if !held.contains(&TicketId::from_bytes(row.array(0)?)) {
                    self.made_up(&mut writer, &row).await?;
                    told += 1;
                }
            }
            let sql = "DELETE FROM numbers_order WHERE open = 0 AND ordered < ?";
            let old = self.0.clock.now().0 - HOUR;
            writer.execute(sql, vec![old.into()]).await?;
            Ok(told)
        }
        .await;
        ended(&mut writer, done).await
    }

    async fn made_up(&self, writer: &mut Writer, row: &Row) -> Result<(), NumbersError> {
        let kind = row.text(1)?;
        let told = match kind == Kind::Load.code() && (row.int(4)?, row.int(5)?) != (0, 0) {
            true => Told::Stopped,
            false => Told::Void,
        };
        let report = Report {
            ticket: TicketId::from_bytes(row.array(0)?),
            kind,
            line: row.int(3)?,
        };
        let reference = row.bytes(2)?.try_into().ok().map(NumberRef::from_bytes);
        let counts = (row.int(4)?, row.int(5)?);
        self.outcome(writer, &report, told, reference.as_ref(), counts)
            .await
    }
}
