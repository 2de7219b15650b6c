//! The room's database: register, find, reveal, match, rotate, delete. There is no other way to a number.

mod order;
mod rotate;
mod state;
#[cfg(test)]
mod tests;
mod trial;
mod write;

use std::path::Path;
use std::sync::Arc;

use mimamori_kernel::clock::Clock;
use mimamori_kernel::id::{NumberRef, TicketId};
use mimamori_kernel::random::Random;
use mimamori_storage::{Db, Location, Synchronous, Value, Writer, migrate};
use tokio::sync::{Mutex, RwLock};

use crate::keys::{Kek, Version};
use crate::link::LINK_MIGRATIONS;
use crate::port::{Management, Outcome, Past};
use crate::{MIGRATIONS, Number, NumbersError};

pub use state::asks_for;
pub use trial::Tried;
pub(crate) use write::{Entry, Known, Report, Told};

/// Keys in use: the active version is the last.
pub(crate) struct Ring {
    versions: Vec<Version>,
    state: mimamori_encryption::Secret,
}

impl Ring {
    fn active(&self) -> Result<&Version, NumbersError> {
        self.versions.last().ok_or(NumbersError::Moved("鍵の版"))
    }

    fn version(&self, number: i64) -> Result<&Version, NumbersError> {
        let found = self.versions.iter().find(|v| v.number == number);
        found.ok_or(NumbersError::Moved("鍵の版"))
    }
}

/// The numbers of one town. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Vault(Arc<Inner>);

pub(crate) struct Inner {
    pub db: Db,
    writer: Mutex<Writer>,
    ring: RwLock<Ring>,
    /// Records under older keys, and when they were counted (steady microseconds).
    old: Mutex<Option<(i64, i64)>>,
    kek: Kek,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// Where the key that wraps comes from.
#[derive(Debug, Clone)]
pub enum KekSource {
    /// A key file.
    File(std::path::PathBuf),
    /// A file with the passphrase, for example a credential that systemd hands over.
    Passphrase(std::path::PathBuf),
}

impl KekSource {
    fn load(&self, salt: &[u8]) -> Result<Kek, NumbersError> {
        match self {
            Self::File(path) => Kek::from_file(path),
            Self::Passphrase(path) => Kek::from_passphrase(path, salt, crate::keys::ROUNDS),
        }
    }
}

impl Vault {
    /// Opens `numbers.db`, makes it when it does not exist, and proves that every row is where it was written.
    ///
    /// # Errors
    /// [`NumbersError::OtherKey`], [`NumbersError::Moved`] for rows that were changed, moved or put back.
    pub async fn open(
        file: &Path,
        kek: &KekSource,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, NumbersError> {
        let location = Location::File {
            path: file.to_owned(),
            synchronous: Synchronous::Full,
        };
        let db = Db::open(location, 4).await?;
        migrate(&db, &[MIGRATIONS, LINK_MIGRATIONS].concat()).await?;
        let mut writer = db.writer().await?;
        // What is deleted or sealed anew is overwritten in the file, not only unlinked.
        writer.run("PRAGMA secure_delete = ON").await?;
        let (kek, ring) = state::opened(&mut writer, kek, &*clock, &*random).await?;
        state::upgraded(&mut writer, &ring).await?;
        state::check(&mut writer, &ring).await?;
        // A deletion that was cut off before it emptied the log.
        write::emptied(&mut writer).await?;
        Ok(Self(Arc::new(Inner {
            db,
            writer: Mutex::new(writer),
            ring: RwLock::new(ring),
            old: Mutex::new(None),
            kek,
            clock,
            random,
        })))
    }

    /// The number behind a reference; none when there is none.
    ///
    /// # Errors
    /// [`NumbersError::Moved`] for a text that was not written for this row.
    pub async fn reveal(&self, reference: &NumberRef) -> Result<Option<Number>, NumbersError> {
        let sql = "SELECT version, revision, sealed FROM numbers_record WHERE reference = ?";
        // A rotation may seal the row anew and drop its old key between the two reads.
        let ring = self.0.ring.read().await;
        let row = self
            .0
            .db
            .fetch_one(sql, vec![reference.bytes().into()])
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let version = ring.version(row.int(0)?)?;
        version
            .open(reference, row.int(1)?, row.bytes(2)?)
            .map(Some)
    }

    /// Who has this number.
    pub async fn find(&self, number: &Number) -> Result<Option<NumberRef>, NumbersError> {
        let ring = self.0.ring.read().await;
        let mut parts = Vec::new();
        let mut args: Vec<Value> = Vec::new();
        for version in &ring.versions {
            parts.push("(version = ? AND ix = ?)");
            args.extend([version.number.into(), (&version.index(number)).into()]);
        }
        let sql = format!(
            "SELECT reference FROM numbers_record WHERE {}",
            parts.join(" OR ")
        );
        let row = self.0.db.fetch_one(&sql, args).await?;
        row.map(|row| Ok(NumberRef::from_bytes(row.array(0)?)))
            .transpose()
    }

    /// Item ㊸ without the number (P-43): how and when it was obtained, and what was done with it.
    pub async fn management(&self, reference: &NumberRef) -> Result<Management, NumbersError> {
        let args = || vec![reference.bytes().into()];
        let sql = "SELECT acquired, method, proof, registered, changed FROM numbers_record WHERE reference = ?";
        let held = self.0.db.fetch_one(sql, args()).await?;
        let past = "SELECT act, at, line, acquired, method, proof FROM numbers_history WHERE reference = ? ORDER BY number DESC";
        let mut history = Vec::new();
        for row in self.0.db.fetch(past, args()).await? {
            history.push(Past {
                act: row.text(0)?.to_owned(),
                at: row.int(1)?,
                line: row.int(2)?,
                known: Known::from_row(&row, 3)?.into(),
            });
        }
        Ok(Management {
            held: match held {
                Some(row) => Some((Known::from_row(&row, 0)?.into(), row.int(3)?, row.int(4)?)),
                None => None,
            },
            history,
        })
    }

    /// References with a number, in order, after `after`; 10,000 at most.
    pub async fn held(&self, after: Option<NumberRef>) -> Result<Vec<NumberRef>, NumbersError> {
        let sql = "SELECT reference FROM numbers_record WHERE reference > ? ORDER BY reference LIMIT 10000";
        let first = after.map_or_else(Vec::new, |a| a.bytes().to_vec());
        let rows = self.0.db.fetch(sql, vec![first.into()]).await?;
        rows.iter()
            .map(|row| Ok(NumberRef::from_bytes(row.array(0)?)))
            .collect()
    }

    /// Outcomes that the register has not written down yet, oldest first.
    pub async fn outcomes(&self) -> Result<Vec<Outcome>, NumbersError> {
        let sql = "SELECT ticket, kind, outcome, line, reference, rows, refused, at FROM numbers_outcome ORDER BY at, ticket LIMIT 1000";
        let mut out = Vec::new();
        for row in self.0.db.fetch(sql, vec![]).await? {
            out.push(Outcome {
                ticket: TicketId::from_bytes(row.array(0)?),
                kind: row.text(1)?.to_owned(),
                outcome: row.text(2)?.to_owned(),
                line: row.int(3)?,
                reference: row.bytes(4)?.try_into().ok().map(NumberRef::from_bytes),
                rows: row.int(5)?,
                refused: row.int(6)?,
                at: row.int(7)?,
            });
        }
        Ok(out)
    }

    /// Raised by each change; the register knows the newest it was told of.
    pub async fn epoch(&self) -> Result<i64, NumbersError> {
        let row = self
            .0
            .db
            .fetch_one("SELECT epoch FROM numbers_state", vec![])
            .await?;
        row.map_or(Ok(0), |row| Ok(row.int(0)?))
    }

    /// The database, for what stands beside the numbers in it.
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// Ends the pool in order.
    pub async fn close(&self) {
        self.0.db.close().await;
    }
}
