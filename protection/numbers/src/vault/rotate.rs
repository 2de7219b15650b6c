//! New keys: data and index keys in the background, the wrapping key at once.

use mimamori_kernel::id::NumberRef;
use mimamori_storage::Value;

use super::write::{emptied, ended};
use super::{KekSource, Vault, state};
use crate::NumbersError;
use crate::keys::{Marked, Version, minus, plus};
use crate::port::Progress;

/// Records sealed anew in one transaction: short enough that a look-up hardly waits.
const PORTION: i64 = 64;

/// How long a count of what is left is good for, microseconds.
const COUNTED: i64 = 1_000_000;

impl Vault {
    /// Begins a rotation: a new version takes every new record at once, the old one stays readable. Nothing happens
    /// while one is under way. The number of the active version.
    pub async fn begin_rotation(&self) -> Result<i64, NumbersError> {
        let mut writer = self.0.writer.lock().await;
        let mut ring = self.0.ring.write().await;
        let active = ring.active()?.number;
        if ring.versions.len() > 1 {
            return Ok(active);
        }
        let next = Version::random(active + 1, &*self.0.random);
        writer.begin().await?;
        let (clock, random) = (&*self.0.clock, &*self.0.random);
        let done = state::add_version(&mut writer, &self.0.kek, &next, clock, random).await;
        ended(&mut writer, done).await?;
        ring.versions.push(next);
        *self.0.old.lock().await = None;
        Ok(active + 1)
    }

    /// Seals the next portion anew; false when every record has the active version and the old keys are gone.
    pub async fn rotate_portion(&self) -> Result<bool, NumbersError> {
        let mut writer = self.0.writer.lock().await;
        {
            let ring = self.0.ring.read().await;
            if ring.versions.len() < 2 {
                return Ok(false);
            }
            let active = ring.active()?;
            writer.begin().await?;
            let done = async {
                let sql = format!("SELECT {} FROM numbers_record WHERE version < ? LIMIT ?", state::COLUMNS);
                let args: Vec<Value> = vec![active.number.into(), PORTION.into()];
                let rows = writer.fetch(&sql, args).await?;
                let mut whole = state::read(&mut writer, &ring.state).await?;
                for row in &rows {
                    let reference = NumberRef::from_bytes(row.array(0)?);
                    let number = ring.version(row.int(1)?)?.open(&reference, row.int(2)?, row.bytes(3)?)?;
                    let revision = row.int(2)? + 1;
                    let sealed = active.seal(&reference, revision, &number, &*self.0.random)?;
                    let ix = active.index(&number);
                    let old = state::mark(&ring.state, row)?;
                    let new = Marked {
                        reference: &reference,
                        version: active.number,
                        revision,
                        sealed: &sealed,
                        index: &ix,
                        known: [row.text(5)?, row.text(6)?, row.text(7)?],
                        times: [row.int(8)?, row.int(9)?],
                    };
                    let new = new.mark(&ring.state);
                    whole.sum = plus(&minus(&whole.sum, &old), &new);
                    let sql = "UPDATE numbers_record SET version = ?, revision = ?, sealed = ?, ix = ? WHERE reference = ?";
                    let args = vec![
                        active.number.into(),
                        revision.into(),
                        sealed.into(),
                        (&ix).into(),
                        reference.bytes().into(),
                    ];
                    writer.execute(sql, args).await?;
                }
                match rows.is_empty() {
                    true => {
                        let sql = "DELETE FROM numbers_key WHERE version <> ?";
                        writer.execute(sql, vec![active.number.into()]).await?;
                    }
                    false => state::write(&mut writer, &ring.state, whole).await?,
                }
                Ok(rows.is_empty())
            }
            .await;
            if !ended(&mut writer, done).await? {
                return Ok(true);
            }
        }
        emptied(&mut writer).await?;
        // No record needs them: what is left of the old keys is wiped with them.
        let mut ring = self.0.ring.write().await;
        if let Some(active) = ring.versions.pop() {
            ring.versions = vec![active];
        }
        Ok(false)
    }

    /// Whether old keys are still kept.
    #[cfg(test)]
    pub async fn rotating(&self) -> bool {
        self.0.ring.read().await.versions.len() > 1
    }

    /// How far a rotation is. Asked before every look-up: it reads one row, and counts at most once a second.
    pub async fn progress(&self) -> Result<Progress, NumbersError> {
        let ring = self.0.ring.read().await;
        let (active, running) = (ring.active()?.number, ring.versions.len() > 1);
        let sql = "SELECT count FROM numbers_state";
        let row = self.0.db.fetch_one(sql, vec![]).await?;
        let old = match running {
            true => self.old(active).await?,
            false => 0,
        };
        Ok(Progress {
            version: active,
            count: row.map_or(Ok(0), |row| row.int(0))?,
            old,
            running,
        })
    }

    async fn old(&self, active: i64) -> Result<i64, NumbersError> {
        let mut kept = self.0.old.lock().await;
        let now = self.0.clock.steady();
        if let Some((old, at)) = *kept
            && now - at < COUNTED
        {
            return Ok(old);
        }
        let sql = "SELECT COUNT(*) FROM numbers_record WHERE version < ?";
        let row = self.0.db.fetch_one(sql, vec![active.into()]).await?;
        let old = row.map_or(Ok(0), |row| row.int(0))?;
        *kept = Some((old, now));
        Ok(old)
    }

    /// Wraps every key under another wrapping key, in one transaction; the caller puts the new key in the old one's
    /// place afterwards. For a room that is stopped.
    pub async fn rewrap(&self, next: &KekSource) -> Result<(), NumbersError> {
        let mut writer = self.0.writer.lock().await;
        let ring = self.0.ring.read().await;
        let mut salt = [0; 16];
        self.0.random.fill(&mut salt);
        let kek = next.load(&salt)?;
        writer.begin().await?;
        let done = async {
            let args = vec![
                kek.id().into(),
                (&salt).into(),
                kek.wrap(state::PLACE, &ring.state, &*self.0.random)?.into(),
            ];
            writer
                .execute(
                    "UPDATE numbers_state SET kek = ?, salt = ?, wrapped = ?",
                    args,
                )
                .await?;
            for version in &ring.versions {
                let (data, ix) = version.wrapped(&kek, &*self.0.random)?;
                let sql = "UPDATE numbers_key SET data = ?, ix = ? WHERE version = ?";
                writer
                    .execute(sql, vec![data.into(), ix.into(), version.number.into()])
                    .await?;
            }
            Ok(())
        }
        .await;
        ended(&mut writer, done).await
    }
}
