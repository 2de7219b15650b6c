//! Copying the journal off the host.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mimamori_backup::replace;
use mimamori_encryption::Keys;
use mimamori_kernel::clock::Clock;
use mimamori_storage::{Db, StorageError};
use mimamori_trace::{Ground, Trace};

use super::journal::{FILE, Journal};
use crate::config::Config;
use crate::error::StartError;
use crate::instance::Instance;

/// A journal is written at least this often.
const LONGEST: Duration = Duration::from_secs(60);

/// Puts the journal into the folder, durably; the folder must be there already, so that a place that is not mounted is
/// noticed. Blocks the thread.
///
/// # Errors
/// [`StartError::Backup`]; [`StartError::State`] when the journal there goes further: this register was restored.
pub fn put(journal: &Journal, keys: &Keys, folder: &Path) -> Result<PathBuf, StartError> {
    let path = folder.join(FILE);
    let there = path.exists().then(|| Journal::load(&path, keys));
    if let Some(Ok(there)) = there
        && there.size() > journal.size()
    {
        return Err(StartError::State(
            "この場所には、ここよりあとの証跡をもつ失効の記録があります（控えから戻した台帳ではありませんか）。[backup] の journal を別の場所にしてください。".into(),
        ));
    }
    replace(&path, journal.note(keys)?.as_bytes())?;
    Ok(path)
}

/// What `doctor` says of the folder of the journal; nothing where no backup is set.
pub fn doctor(dir: &Path, config: &Config) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let setting = config.backup.as_ref()?;
    let Some(folder) = &setting.journal else {
        return Some(
            "失効の記録  写し先（[backup] の journal）がありません。控えから戻せません".into(),
        );
    };
    let device = |path: &Path| std::fs::metadata(path).map(|m| m.dev()).ok();
    let told = match (device(&dir.join(folder)), device(dir)) {
        (None, _) => "写し先のフォルダがありません（つながっていますか）",
        (there, here) if there == here => {
            "写し先がデータと同じディスクです。別の機械につながる場所にしてください"
        }
        _ => "写し先は別のディスクか別の機械です",
    };
    Some(format!("失効の記録  {told}"))
}

/// Writes the journal of one instance, each minute and soon after something was revoked or erased.
pub struct Copies {
    dir: PathBuf,
    folder: PathBuf,
    keys: Keys,
    clock: std::sync::Arc<dyn Clock>,
    trace: Trace,
    db: Db,
    seen: Option<(Ground, i64)>,
    last: Option<(Journal, Instant)>,
}

impl Copies {
    /// Of this instance; none where no folder is set.
    pub fn new(instance: &Instance) -> Option<Self> {
        let setting = instance.config.backup.as_ref()?.journal.as_ref()?;
        Some(Self {
            folder: instance.dir.join(setting),
            dir: instance.dir.clone(),
            keys: instance.keys.clone(),
            clock: instance.clock.clone(),
            trace: instance.trace.clone(),
            db: instance.db.clone(),
            seen: None,
            last: None,
        })
    }

    /// Writes the journal when it is a minute old or something was revoked or erased; whether it wrote. To be asked
    /// every few seconds.
    ///
    /// # Errors
    /// [`StartError`]; the journal of before stays.
    pub async fn look(&mut self) -> Result<bool, StartError> {
        let due = self
            .last
            .as_ref()
            .is_none_or(|(_, at)| at.elapsed() >= LONGEST);
        let seen = (self.trace.ground(), erasures(&self.db).await?);
        if !due && self.seen == Some(seen) {
            return Ok(false);
        }
        let journal = self.read().await?;
        self.seen = Some(seen);
        if !due
            && self
                .last
                .as_ref()
                .is_some_and(|(last, _)| last.same_rows(&journal))
        {
            return Ok(false);
        }
        self.write(journal).await?;
        Ok(true)
    }

    /// Writes it now.
    ///
    /// # Errors
    /// As [`Self::look`].
    pub async fn now(&mut self) -> Result<(), StartError> {
        let journal = self.read().await?;
        self.write(journal).await
    }

    /// Time and checkpoint first: all that came before them is in the rows.
    async fn read(&self) -> Result<Journal, StartError> {
        let at = self.clock.now().0;
        let path = self.dir.join("trace/checkpoint");
        let checkpoint = std::fs::read_to_string(&path).map_err(StartError::file(path))?;
        Journal::now(&self.db, checkpoint, at).await
    }

    async fn write(&mut self, journal: Journal) -> Result<(), StartError> {
        let (keys, folder, copy) = (self.keys.clone(), self.folder.clone(), journal.clone());
        super::blocking(move || put(&copy, &keys, &folder)).await?;
        self.last = Some((journal, Instant::now()));
        Ok(())
    }
}

async fn erasures(db: &Db) -> Result<i64, StorageError> {
    let count = "SELECT COUNT(*) FROM backup_erasure";
    let row = db.fetch_one(count, vec![]).await?;
    row.map_or(Ok(0), |r| r.int(0))
}
