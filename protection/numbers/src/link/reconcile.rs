//! The daily comparison of both sides (突合).

use std::collections::BTreeMap;
use std::time::Duration;

use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::NumberRef;
use mimamori_storage::{Value, Writer};

use super::differences::{self, DifferenceKind, Found};
use super::port::{Held, Port};
use super::sender::Connector;
use super::{LinkError, calls};

/// Clocks of two machines may differ by so much: an act that was done this shortly before a list was made is left out.
const SKEW: Duration = Duration::from_secs(600);

/// What a comparison found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Compared {
    /// Persons in the other side's list.
    pub total: usize,
    /// Differences, new or known.
    pub found: usize,
}

impl Connector {
    /// Fetches the other side's list and compares it with ours; none when there is no list yet. Persons with an act under
    /// way are left out: they differ until it is told.
    ///
    /// # Errors
    /// The list cannot be had or breaks its form: nothing is compared, and the interface log says so.
    pub async fn reconcile(&self) -> Result<Option<Compared>, LinkError> {
        let _one = self.busy.lock().await;
        match &self.port {
            Port::Https(https) => {
                let begun = self.clock.now();
                let list = https.list().await;
                self.flush().await?;
                match list {
                    Ok(list) => self
                        .compare(list, begun, async |_: &mut Writer| Ok(()))
                        .await
                        .map(Some),
                    Err(failure) => {
                        let error = LinkError::from(failure);
                        let code = match &error {
                            LinkError::Away(code) | LinkError::Refused(code) => code.clone(),
                            _ => "failed".to_owned(),
                        };
                        let now = self.clock.now();
                        self.write(async |writer: &mut Writer| {
                            noted(writer, now, 0, 0, &code).await
                        })
                        .await?;
                        Err(error)
                    }
                }
            }
            Port::Files(files) => {
                let Some((list, taken)) = self.next_list(files).await? else {
                    return Ok(None);
                };
                let begun = Instant(
                    taken
                        .as_of
                        .0
                        .saturating_sub(i64::try_from(SKEW.as_micros()).unwrap_or(0)),
                );
                let done = self
                    .compare(list, begun, async |writer: &mut Writer| {
                        taken.note(writer).await
                    })
                    .await?;
                files.remove(&taken.name)?;
                Ok(Some(done))
            }
        }
    }

    /// Compares; acts that were done after `begun` may not be in the list yet.
    async fn compare(
        &self,
        list: Vec<Held>,
        begun: Instant,
        also: impl AsyncFnOnce(&mut Writer) -> Result<(), LinkError>,
    ) -> Result<Compared, LinkError> {
        let total = list.len();
        let mut theirs: BTreeMap<String, Held> =
            list.into_iter().map(|h| (h.address.clone(), h)).collect();
        let sql = "SELECT reference, address, joint, state FROM numbers_link WHERE state IN ('linked', 'differs', 'refused')";
        let mut found = Vec::new();
        for row in self.db.fetch(sql, vec![]).await? {
            let reference = NumberRef::from_bytes(row.array(0)?);
            let (address, ours) = (
                row.text(1)?.to_owned(),
                row.opt_text(2)?.map(ToOwned::to_owned),
            );
            let held = theirs.remove(&address);
            let mut add = |kind, theirs: Option<String>| {
                let (address, ours) = (address.clone(), ours.clone());
                found.push(Found {
                    reference: Some(reference),
                    address,
                    kind,
                    by_answer: false,
                    ours,
                    theirs,
                });
            };
            let Some(held) = held else {
                // What was refused never came there.
                if row.text(3)? != "refused" {
                    add(DifferenceKind::OnlyHere, None);
                }
                continue;
            };
            if ours.as_ref() != Some(&held.joint) {
                add(DifferenceKind::OtherJoint, Some(held.joint.clone()));
            }
            match self.opener.open(reference).await? {
                Some(number) if number.same(&held.number) => {}
                Some(_) => add(DifferenceKind::OtherNumber, Some(held.joint)),
                None => add(DifferenceKind::OnlyThere, Some(held.joint)),
            }
        }
        for (address, held) in theirs {
            let (kind, theirs) = (DifferenceKind::OnlyThere, Some(held.joint));
            found.push(Found {
                reference: None,
                address,
                kind,
                by_answer: false,
                ours: None,
                theirs,
            });
        }
        let now = self.clock.now();
        let found = self.write(async move |writer: &mut Writer| {
            also(writer).await?;
            let count = write_down(writer, now, begun, found).await?;
            noted(writer, now, total, count, "ok").await?;
            Ok(count)
        });
        Ok(Compared {
            total,
            found: found.await?,
        })
    }

    /// Writes lines of the interface log that belong to no act.
    pub(super) async fn flush(&self) -> Result<(), LinkError> {
        let Port::Https(https) = &self.port else {
            return Ok(());
        };
        let lines = https.log.take();
        self.write(async |writer: &mut Writer| Ok(calls::add(writer, lines).await?))
            .await
    }
}

/// Stores differences of persons without an act under way, and closes those that are gone. How many there are.
async fn write_down(
    writer: &mut Writer,
    now: Instant,
    begun: Instant,
    found: Vec<Found>,
) -> Result<usize, LinkError> {
    let sql = "SELECT DISTINCT address FROM numbers_outbox WHERE done IS NULL OR done >= ?";
    let rows = writer.fetch(sql, vec![begun.0.into()]).await?;
    let busy: Result<std::collections::BTreeSet<String>, _> = rows
        .iter()
        .map(|row| row.text(0).map(ToOwned::to_owned))
        .collect();
    let busy = busy?;
    let found: Vec<Found> = found
        .into_iter()
        .filter(|f| !busy.contains(&f.address))
        .collect();
    let still: std::collections::BTreeSet<(&str, &str)> = found
        .iter()
        .map(|f| (f.address.as_str(), f.kind.code()))
        .collect();
    let open = "SELECT id, address, kind FROM numbers_difference WHERE settled IS NULL AND origin = 'list'";
    for row in writer.fetch(open, vec![]).await? {
        let (address, kind) = (row.text(1)?, row.text(2)?);
        if busy.contains(address) || still.contains(&(address, kind)) {
            continue;
        }
        let sql = "UPDATE numbers_difference SET settled = ?, decision = 'vanished' WHERE id = ?";
        writer
            .execute(sql, vec![now.0.into(), row.int(0)?.into()])
            .await?;
    }
    let count = found.len();
    for one in found {
        differences::add(writer, now, one).await?;
    }
    // What differs is said on the person's page, and no longer when it is over.
    let differs = "EXISTS (SELECT 1 FROM numbers_difference d WHERE d.address = numbers_link.address AND d.settled IS NULL)";
    let args = || -> Vec<Value> { vec![now.0.into()] };
    let sql = format!(
        "UPDATE numbers_link SET state = 'differs', since = ?, code = 'list' WHERE state = 'linked' AND {differs}"
    );
    writer.execute(&sql, args()).await?;
    let sql = format!(
        "UPDATE numbers_link SET state = 'linked', since = ?, code = NULL WHERE state = 'differs' AND joint IS NOT NULL AND NOT {differs}"
    );
    writer.execute(&sql, args()).await?;
    Ok(count)
}

async fn noted(
    writer: &mut Writer,
    now: Instant,
    total: usize,
    found: usize,
    code: &str,
) -> Result<(), LinkError> {
    let int = |n: usize| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
    let sql = "INSERT INTO numbers_reconciliation (at, total, found, code) VALUES (?, ?, ?, ?) ON CONFLICT (at) DO UPDATE SET total = excluded.total, found = excluded.found, code = excluded.code";
    writer
        .execute(sql, vec![now.0.into(), int(total), int(found), code.into()])
        .await?;
    Ok(())
}
