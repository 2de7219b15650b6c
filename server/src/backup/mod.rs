//! Backups of one instance (控え, S0-28, S0-47): what belongs to the state, and how it is proved that it comes back.
//!
//! A generation holds the register, the trace up to the register's tree, and the configuration. The keys folder is not
//! in it: whoever finds the backups and their key still cannot open what the instance sealed itself.

mod again;
pub mod command;
mod copies;
mod copy;
mod drill;
mod journal;
mod server;
mod state;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mimamori_backup::{
    BackupError, Generation, Identities, Manifest, Order, Recipients, Repository,
};
use mimamori_encryption::{Keys, NoteSigner};
use mimamori_kernel::clock::{Clock, Instant};
use mimamori_trace::Trace;

use crate::config::{self, Config};
use crate::error::StartError;
use crate::init::system_line;
use crate::instance::Instance;

use copy::{Copied, copied};

pub use again::{Without, again, checked};
pub use copies::{Copies, doctor};
pub use drill::{Report, drill, last_report};
pub use journal::{FILE as JOURNAL, Journal};
pub use state::{State, Weight};

/// Name under which the instance signs its generations; the key is the one of the checkpoints.
const SIGNER: &str = "mimamori/backup";
/// The numbers room's own database; its keys beside it are in no backup.
const NUMBERS: &str = "numbers/numbers.db";
/// Folder of the tables of PostgreSQL inside a generation.
const TABLES: &str = "tables";
/// Schema of a drill on PostgreSQL, beside the live one.
const DRILL_SCHEMA: &str = "mimamori_drill";
/// Files of a backup that is being made or tried; emptied before each use.
const SCRATCH: &str = "staging/backup";
/// The same of a drill, which may run beside the service.
const DRILL: &str = "staging/backup-drill";

fn settings(config: &Config) -> Result<&config::Backup, StartError> {
    config.backup.as_ref().ok_or_else(|| {
        StartError::Config("控えの設定がありません。mimamori.toml の [backup] に folder と recipients_file を書いてください".into())
    })
}

/// The folder of the generations of an instance.
///
/// # Errors
/// [`StartError::Config`] without settings, [`StartError::Backup`].
pub fn repository(dir: &Path, config: &Config) -> Result<Repository, StartError> {
    Ok(Repository::at(&dir.join(&settings(config)?.folder)))
}

fn signer(keys: &Keys) -> NoteSigner {
    NoteSigner::new(SIGNER, &keys.checkpoint)
}

/// A folder of our own with nothing in it.
fn emptied(dir: &Path, name: &str) -> Result<PathBuf, StartError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let path = dir.join(name);
    if path.exists() {
        std::fs::remove_dir_all(&path).map_err(StartError::file(&path))?;
    }
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&path);
    made.map_err(StartError::file(&path))?;
    Ok(path)
}

/// Removes what a killed backup or drill left: copies of the register in clear.
pub(crate) fn sweep(dir: &Path) -> Result<(), StartError> {
    for name in [SCRATCH, DRILL] {
        let path = dir.join(name);
        if path.exists() {
            std::fs::remove_dir_all(&path).map_err(StartError::file(&path))?;
        }
    }
    Ok(())
}

/// Makes the backups of a running instance.
pub struct Maker {
    dir: PathBuf,
    config: Config,
    keys: Keys,
    clock: Arc<dyn Clock>,
    trace: Trace,
    copies: tokio::sync::Mutex<Option<Copies>>,
}

impl Maker {
    /// Of this instance.
    pub fn new(instance: &Instance) -> Self {
        Self {
            dir: instance.dir.clone(),
            config: instance.config.clone(),
            keys: instance.keys.clone(),
            clock: instance.clock.clone(),
            trace: instance.trace.clone(),
            copies: tokio::sync::Mutex::new(Copies::new(instance)),
        }
    }

    /// The instance's clock.
    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Makes a generation when the night's one is due; none when it is not, or nothing is set. To be asked every
    /// minute or so.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub async fn nightly(&self, now: Instant) -> Result<Option<Generation>, StartError> {
        let Some(setting) = &self.config.backup else {
            return Ok(None);
        };
        let all = repository(&self.dir, &self.config)?.generations()?;
        let last = all.last().map(|g| Instant(g.at).office_day());
        match now.is_due(setting.hour, last) {
            true => self.create(false).await.map(Some),
            false => Ok(None),
        }
    }

    /// Makes the next generation while the service runs, and leaves a line of the trace.
    ///
    /// # Errors
    /// [`StartError::Config`] without settings; [`StartError::Backup`]; earlier generations stay whole.
    pub async fn create(&self, full: bool) -> Result<Generation, StartError> {
        let setting = settings(&self.config)?.clone();
        let repository = repository(&self.dir, &self.config)?;
        let recipients = Recipients::load(&self.dir.join(&setting.recipients_file))?;
        let scratch = emptied(&self.dir, SCRATCH)?;
        let Copied {
            sources,
            facts,
            line: own,
        } = copied(&self.dir, &self.config, &scratch).await?;
        let all = repository.generations()?;
        let newest = all
            .last()
            .and_then(|g| g.facts.get("trace/line")?.parse::<u64>().ok());
        if newest.is_some_and(|line| line > own) {
            return Err(StartError::State(
                "この場所には、ここよりあとの証跡をもつ控えがあります（控えから戻した台帳ではありませんか）。[backup] の folder を別の場所にしてください。".into(),
            ));
        }
        let since_full = all.iter().rev().take_while(|g| g.base.is_some()).count();
        let full = full || since_full + 1 >= setting.full_every as usize;
        let (signer, at) = (signer(&self.keys), self.clock.now().0);
        let known = self.dir.join("staging/backup-blocks");
        let made = blocking(move || {
            let order = Order {
                sources: &sources,
                facts,
                recipients: &recipients,
                sign: &|text| signer.sign(text),
                known: &known,
                at,
                full,
            };
            Ok(repository.create(&order)?)
        })
        .await?;
        std::fs::remove_dir_all(&scratch).map_err(StartError::file(&scratch))?;
        let told = format!("generation {} sha256 {}", made.number, made.sha256);
        let line = system_line(&self.trace, "backup.create", told);
        let line = self.trace.record(line).await?.line();
        // A generation without a newer journal could not be restored.
        if let Some(copies) = &mut *self.copies.lock().await {
            self.trace.checkpointed(line).await;
            copies.now().await?;
        }
        Ok(made)
    }
}

/// What a restore needs beside the generations.
#[derive(Debug, Clone, Copy)]
pub struct Keep<'a> {
    /// File with the `age` identity.
    pub identity: &'a Path,
    /// The keys folder, which is in no backup.
    pub keys: &'a Path,
    /// The keys folder of the numbers room, which is in no backup either.
    pub numbers_keys: Option<&'a Path>,
    /// The journal of revocations and erasures, or why there is none.
    pub journal: Result<&'a Path, Without>,
    /// File with the connection text of the empty PostgreSQL database to fill; for generations from PostgreSQL.
    pub postgres_url_file: Option<&'a Path>,
}

/// Puts a generation into the new data directory `to`, with its keys and with what has to be done again at the first
/// start.
///
/// # Errors
/// As [`Repository::restore`]; [`StartError::Key`] when the keys cannot be used; [`StartError::State`] for a journal that
/// is older than the generation or not of this town, or a database that is not empty: nothing is left in `to` then.
pub async fn restore(
    from: &Path,
    number: Option<u64>,
    keep: &Keep<'_>,
    to: &Path,
) -> Result<Manifest, StartError> {
    let keys = Keys::load(keep.keys)?;
    let journal = match keep.journal {
        Ok(path) => Ok(Journal::load(path, &keys)?),
        Err(why) => Err(why),
    };
    let manifest = blocking({
        let (from, identity, keys) = (
            from.to_owned(),
            keep.identity.to_owned(),
            keep.keys.to_owned(),
        );
        let to = to.to_owned();
        move || opened(&from, number, &identity, &keys, &to)
    })
    .await?;
    let completed = async {
        if let Ok(journal) = &journal {
            journal.covers(&manifest)?;
        }
        server::filled(to, &manifest, keep.postgres_url_file, None).await
    };
    if let Err(error) = completed.await {
        // The register in clear; the folder was empty before.
        std::fs::remove_dir_all(to).map_err(StartError::file(to))?;
        return Err(error);
    }
    let left = journal.as_ref().map(|j| (j, &keys)).map_err(|why| *why);
    again::leave(to, left, manifest.number)?;
    copy_keys(keep.keys, &to.join("keys"))?;
    if let Some(keys) = keep.numbers_keys {
        private_folder(&to.join("numbers"))?;
        copy_keys(keys, &to.join("numbers/keys"))?;
    }
    mimamori_backup::finish(to)?;
    Ok(manifest)
}

/// The state of a generation in the new folder `to`, still marked as unfinished and without keys.
fn opened(
    from: &Path,
    number: Option<u64>,
    identity: &Path,
    keys: &Path,
    to: &Path,
) -> Result<Manifest, StartError> {
    let signer = signer(&Keys::load(keys)?);
    let identities = Identities::load(identity)?;
    let repository = Repository::at(from);
    let newest = repository.generations()?.last().map(|g| g.number);
    let number = number
        .or(newest)
        .ok_or_else(|| StartError::State(format!("{} に控えがありません。", from.display())))?;
    if std::fs::read_dir(to).is_ok_and(|mut inside| inside.next().is_some()) {
        return Err(BackupError::NotEmpty(to.to_owned()).into());
    }
    private_folder(to)?;
    Ok(repository.restore(number, &identities, &|text| signer.sign(text), to)?)
}

pub(crate) fn private_folder(path: &Path) -> Result<(), StartError> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .and_then(|()| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)));
    made.map_err(StartError::file(path))
}

/// Copies keep their mode bits.
fn copy_keys(from: &Path, to: &Path) -> Result<(), StartError> {
    private_folder(to)?;
    for entry in std::fs::read_dir(from)
        .map_err(StartError::file(from))?
        .flatten()
    {
        let path = to.join(entry.file_name());
        std::fs::copy(entry.path(), &path)
            .and_then(|_| std::fs::File::open(&path)?.sync_all())
            .map_err(StartError::file(&path))?;
    }
    Ok(())
}

/// Runs what reads and writes whole files away from the pages.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StartError> + Send + 'static,
) -> Result<T, StartError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| StartError::State(e.to_string()))?
}
