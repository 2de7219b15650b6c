//! Registering, correcting, deleting: the record, its history, the sum and the outcome in one transaction.

use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{NumberRef, TicketId};
use mimamori_storage::{Row, Value, Writer};

use super::order::{closed, counted};
use super::{Ring, Vault, state};
use crate::keys::{Marked, minus, plus};
use crate::link::{ActKind, put_known};
use crate::{Number, NumbersError};

/// How a number was obtained (P-43, assumed): day, way, how the person was identified (番号法16条).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Known {
    pub acquired: String,
    pub method: String,
    pub proof: String,
}

impl Known {
    pub fn from_row(row: &Row, at: usize) -> Result<Self, NumbersError> {
        let text = |n| row.text(at + n).map(str::to_owned);
        Ok(Self {
            acquired: text(0)?,
            method: text(1)?,
            proof: text(2)?,
        })
    }

    fn texts(&self) -> [&str; 3] {
        [&self.acquired, &self.method, &self.proof]
    }

    fn values(&self) -> [Value; 3] {
        self.texts().map(Value::from)
    }
}

/// What came of an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Done,
    /// Another person has this number.
    Taken,
    /// The person has a number already.
    Exists,
    /// The person has no number.
    Missing,
    /// The number is the one that is held.
    Same,
    Found,
    None,
    /// A load that did not go to its end.
    Stopped,
    /// A ticket that nothing came of: never used, revoked, or cut off before anything was written or shown.
    Void,
}

impl Told {
    /// Code in outcomes and lines.
    pub fn code(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Taken => "taken",
            Self::Exists => "exists",
            Self::Missing => "missing",
            Self::Same => "same",
            Self::Found => "found",
            Self::None => "none",
            Self::Stopped => "stopped",
            Self::Void => "void",
        }
    }
}

/// What the register is told of one ticket.
#[derive(Debug, Clone)]
pub(crate) struct Report<'a> {
    pub ticket: TicketId,
    pub kind: &'a str,
    pub line: i64,
}

/// One record to be written.
pub(crate) struct Entry<'a> {
    pub reference: NumberRef,
    pub number: &'a Number,
    pub known: &'a Known,
    /// 宛名番号 under which 統合宛名 is told, empty for the one it was told before; none when it is not told.
    pub address: Option<&'a str>,
}

/// Ends a transaction by what came of its work.
pub(super) async fn ended<T>(
    writer: &mut Writer,
    done: Result<T, NumbersError>,
) -> Result<T, NumbersError> {
    match done {
        Ok(value) => {
            writer.commit().await?;
            Ok(value)
        }
        Err(error) => {
            writer.rollback().await?;
            Err(error)
        }
    }
}

/// Empties the log of the database, so that what was deleted does not wait in it. A reader may keep a part of it; the
/// next time takes that.
pub(super) async fn emptied(writer: &mut Writer) -> Result<(), NumbersError> {
    Ok(writer.run("PRAGMA wal_checkpoint(TRUNCATE)").await?)
}

const ROW: &str = "SELECT reference, version, revision, sealed, ix, acquired, method, proof, registered, changed \
                   FROM numbers_record WHERE reference = ?";

impl Vault {
    /// A first number for a person.
    pub async fn register(
        &self,
        report: &Report<'_>,
        entry: &Entry<'_>,
    ) -> Result<Told, NumbersError> {
        self.one(report, entry, false).await
    }

    /// Another number for a person who has one.
    pub async fn correct(
        &self,
        report: &Report<'_>,
        entry: &Entry<'_>,
    ) -> Result<Told, NumbersError> {
        self.one(report, entry, true).await
    }

    async fn one(
        &self,
        report: &Report<'_>,
        entry: &Entry<'_>,
        again: bool,
    ) -> Result<Told, NumbersError> {
        let mut writer = self.0.writer.lock().await;
        let ring = self.0.ring.read().await;
        writer.begin().await?;
        let done = async {
            let told = self
                .put(&mut writer, &ring, report.line, entry, again)
                .await?;
            let reference = Some(&entry.reference);
            self.outcome(&mut writer, report, told, reference, (0, 0))
                .await?;
            Ok(told)
        }
        .await;
        ended(&mut writer, done).await
    }

    /// First numbers for many, a portion of a load; what came of each, in order. The load's order keeps the count, with
    /// the `refused` rows that did not come so far.
    pub async fn load(
        &self,
        ticket: &TicketId,
        line: i64,
        entries: &[Entry<'_>],
        refused: usize,
    ) -> Result<Vec<Told>, NumbersError> {
        let mut writer = self.0.writer.lock().await;
        let ring = self.0.ring.read().await;
        writer.begin().await?;
        let done = async {
            let mut out = Vec::with_capacity(entries.len());
            for entry in entries {
                out.push(self.put(&mut writer, &ring, line, entry, false).await?);
            }
            let done = out.iter().filter(|told| **told == Told::Done).count();
            counted(&mut writer, ticket, done, refused + out.len() - done).await?;
            Ok(out)
        }
        .await;
        ended(&mut writer, done).await
    }

    /// Writes one record inside a transaction.
    async fn put(
        &self,
        writer: &mut Writer,
        ring: &Ring,
        line: i64,
        entry: &Entry<'_>,
        again: bool,
    ) -> Result<Told, NumbersError> {
        let reference = || vec![Value::from(entry.reference.bytes())];
        let held = writer.fetch(ROW, reference()).await?;
        match (held.first(), again) {
            (Some(row), false) => {
                let old = ring.version(row.int(1)?)?.open(
                    &entry.reference,
                    row.int(2)?,
                    row.bytes(3)?,
                )?;
                return Ok(if old.same(entry.number) {
                    Told::Same
                } else {
                    Told::Exists
                });
            }
            (None, true) => return Ok(Told::Missing),
            _ => {}
        }
        let ended = "SELECT 1 FROM numbers_history WHERE reference = ? AND act = 'delete'";
        if !writer.fetch(ended, reference()).await?.is_empty() {
            return Ok(Told::Missing);
        }
        let now = self.0.clock.now().0;
        let (mut revision, mut registered) = (1, now);
        let mut whole = state::read(writer, &ring.state).await?;
        if let Some(row) = held.first() {
            let old =
                ring.version(row.int(1)?)?
                    .open(&entry.reference, row.int(2)?, row.bytes(3)?)?;
            if old.same(entry.number) {
                return Ok(Told::Same);
            }
            (revision, registered) = (row.int(2)? + 1, row.int(8)?);
            whole.sum = minus(&whole.sum, &state::mark(&ring.state, row)?);
        } else {
            whole.count += 1;
        }
        for version in &ring.versions {
            let sql = "SELECT 1 FROM numbers_record WHERE version = ? AND ix = ?";
            let args = vec![version.number.into(), (&version.index(entry.number)).into()];
            if !writer.fetch(sql, args).await?.is_empty() {
                return Ok(Told::Taken);
            }
        }
        let version = ring.active()?;
        let sealed = version.seal(&entry.reference, revision, entry.number, &*self.0.random)?;
        let ix = version.index(entry.number);
        let row = Marked {
            reference: &entry.reference,
            version: version.number,
            revision,
            sealed: &sealed,
            index: &ix,
            known: entry.known.texts(),
            times: [registered, now],
        };
        whole.sum = plus(&whole.sum, &row.mark(&ring.state));
        let mut args: Vec<Value> = vec![
            version.number.into(),
            revision.into(),
            sealed.into(),
            (&ix).into(),
        ];
        args.extend(entry.known.values());
        args.push(now.into());
        let sql = match again {
            true => {
                "UPDATE numbers_record SET version = ?, revision = ?, sealed = ?, ix = ?, acquired = ?, method = ?, proof = ?, changed = ? WHERE reference = ?"
            }
            false => {
                args.push(now.into());
                "INSERT INTO numbers_record (version, revision, sealed, ix, acquired, method, proof, registered, changed, reference) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            }
        };
        args.extend(reference());
        writer.execute(sql, args).await?;
        let act = if again { "correct" } else { "register" };
        self.history(writer, &entry.reference, act, line, entry.known)
            .await?;
        state::write(writer, &ring.state, whole).await?;
        if let Some(address) = entry.address {
            let kind = if again {
                ActKind::Correct
            } else {
                ActKind::Link
            };
            let random = &*self.0.random;
            put_known(
                writer,
                random,
                Instant(now),
                &entry.reference,
                address,
                kind,
            )
            .await?;
        }
        Ok(Told::Done)
    }

    /// Removes a person's number; what was done with it stays as history.
    pub async fn delete(
        &self,
        report: &Report<'_>,
        reference: &NumberRef,
    ) -> Result<Told, NumbersError> {
        let mut writer = self.0.writer.lock().await;
        let ring = self.0.ring.read().await;
        writer.begin().await?;
        let done = async {
            let held = writer.fetch(ROW, vec![reference.bytes().into()]).await?;
            let told = match held.first() {
                None => {
                    // Remembered all the same: a ticket that is still open must not write under this reference.
                    self.history(
                        &mut writer,
                        reference,
                        "delete",
                        report.line,
                        &Known::default(),
                    )
                    .await?;
                    Told::Missing
                }
                Some(row) => {
                    let mut whole = state::read(&mut writer, &ring.state).await?;
                    whole.sum = minus(&whole.sum, &state::mark(&ring.state, row)?);
                    whole.count -= 1;
                    let sql = "DELETE FROM numbers_record WHERE reference = ?";
                    writer.execute(sql, vec![reference.bytes().into()]).await?;
                    self.history(
                        &mut writer,
                        reference,
                        "delete",
                        report.line,
                        &Known::default(),
                    )
                    .await?;
                    state::write(&mut writer, &ring.state, whole).await?;
                    let (now, random) = (self.0.clock.now(), &*self.0.random);
                    let kind = ActKind::Delete;
                    put_known(&mut writer, random, now, reference, "", kind).await?;
                    Told::Done
                }
            };
            self.outcome(&mut writer, report, told, Some(reference), (0, 0))
                .await?;
            Ok(told)
        }
        .await;
        let told = ended(&mut writer, done).await?;
        emptied(&mut writer).await?;
        Ok(told)
    }

    /// Writes an outcome alone: of a search, a load, a refusal.
    pub async fn report(
        &self,
        report: &Report<'_>,
        told: Told,
        reference: Option<&NumberRef>,
        rows: (i64, i64),
    ) -> Result<(), NumbersError> {
        let mut writer = self.0.writer.lock().await;
        writer.begin().await?;
        let done = self
            .outcome(&mut writer, report, told, reference, rows)
            .await;
        ended(&mut writer, done).await
    }

    pub(super) async fn outcome(
        &self,
        writer: &mut Writer,
        report: &Report<'_>,
        told: Told,
        reference: Option<&NumberRef>,
        (rows, refused): (i64, i64),
    ) -> Result<(), NumbersError> {
        let sql = "INSERT INTO numbers_outcome (ticket, kind, outcome, line, reference, rows, refused, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        let args = vec![
            report.ticket.bytes().into(),
            report.kind.into(),
            told.code().into(),
            report.line.into(),
            reference
                .map_or_else(Vec::new, |r| r.bytes().to_vec())
                .into(),
            rows.into(),
            refused.into(),
            self.0.clock.now().0.into(),
        ];
        writer.execute(sql, args).await?;
        closed(writer, &report.ticket).await
    }

    /// The register wrote these outcomes down.
    pub async fn acknowledge(&self, tickets: &[TicketId]) -> Result<(), NumbersError> {
        let mut writer = self.0.writer.lock().await;
        writer.begin().await?;
        let done = async {
            for ticket in tickets {
                let sql = "DELETE FROM numbers_outcome WHERE ticket = ?";
                writer.execute(sql, vec![ticket.bytes().into()]).await?;
            }
            Ok(())
        }
        .await;
        ended(&mut writer, done).await
    }

    async fn history(
        &self,
        writer: &mut Writer,
        reference: &NumberRef,
        act: &str,
        line: i64,
        known: &Known,
    ) -> Result<(), NumbersError> {
        let sql = "INSERT INTO numbers_history (reference, number, act, at, line, acquired, method, proof) \
                   SELECT ?, COALESCE(MAX(number), 0) + 1, ?, ?, ?, ?, ?, ? FROM numbers_history WHERE reference = ?";
        let mut args: Vec<Value> = vec![
            reference.bytes().into(),
            act.into(),
            self.0.clock.now().0.into(),
            line.into(),
        ];
        args.extend(known.values());
        args.push(reference.bytes().into());
        writer.execute(sql, args).await?;
        Ok(())
    }

    /// The state as it stands, proved against every row.
    pub async fn whole(&self) -> Result<state::Whole, NumbersError> {
        let mut writer = self.0.writer.lock().await;
        let ring = self.0.ring.read().await;
        state::check(&mut writer, &ring).await
    }
}
