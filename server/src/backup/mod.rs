//! Backups of one instance (控え, S0-28, S0-47): what belongs to the state, and how it is proved that it comes back.
//!
//! A generation holds the register, the trace up to the register's tree, and the configuration. The keys folder is not
//! in it: whoever finds the backups and their key still cannot open what the instance sealed itself.

pub mod command;
mod drill;
mod state;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mimamori_backup::{
    BackupError, Facts, Generation, Identities, Manifest, Order, Recipients, Repository, Source,
};
use mimamori_encryption::{Keys, NoteSigner};
use mimamori_kernel::clock::{Clock, Instant};
use mimamori_storage::{Db, Location, Synchronous, copy_file};
use mimamori_trace::Trace;

use crate::config::{self, Config};
use crate::error::StartError;
use crate::init::system_line;
use crate::instance::Instance;

pub use drill::{Report, drill, last_report};
pub use state::{State, Weight};

/// Name under which the instance signs its generations; the key is the one of the checkpoints.
const SIGNER: &str = "mimamori/backup";
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

async fn open_copy(path: PathBuf) -> Result<Db, StartError> {
    let synchronous = Synchronous::default();
    Ok(Db::open(Location::File { path, synchronous }, 1).await?)
}

/// Rows of every table, and the head of the trace's tree.
async fn facts(register: &Db) -> Result<Facts, StartError> {
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let mut facts = Facts::new();
    for row in register.fetch(tables, vec![]).await? {
        let table = row.text(0)?;
        let count = format!("SELECT COUNT(*) FROM \"{table}\"");
        let count = register.fetch_one(&count, vec![]).await?;
        let count = count.map_or(Ok(0), |r| r.int(0))?;
        facts.insert(format!("rows/{table}"), count.to_string());
    }
    Ok(facts)
}

/// Makes the backups of a running instance.
#[derive(Clone)]
pub struct Maker {
    dir: PathBuf,
    config: Config,
    keys: Keys,
    clock: Arc<dyn Clock>,
    trace: Trace,
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
    /// [`StartError::Config`] without settings or on PostgreSQL; [`StartError::Backup`]; earlier generations stay whole.
    pub async fn create(&self, full: bool) -> Result<Generation, StartError> {
        let setting = settings(&self.config)?.clone();
        let Location::File { path: register, .. } = self.config.location(&self.dir)? else {
            return Err(StartError::Config(
            "PostgreSQL の控えは、pg_basebackup と WAL の保管で取ってください（deploy/README.md）"
                .into(),
        ));
        };
        let repository = repository(&self.dir, &self.config)?;
        let recipients = Recipients::load(&self.dir.join(&setting.recipients_file))?;
        let scratch = emptied(&self.dir, SCRATCH)?;
        let copy = scratch.join("register.db");
        let to = copy.clone();
        blocking(move || Ok(copy_file(&register, &to)?)).await?;
        let bytes = std::fs::metadata(&copy)
            .map_err(StartError::file(&copy))?
            .len();
        let db = open_copy(copy.clone()).await?;
        let mut facts = facts(&db).await?;
        let trace = mimamori_trace::extent(&db, &self.dir.join("trace"), &scratch).await?;
        db.close().await;
        facts.insert("trace/size".into(), trace.size.to_string());
        facts.insert("trace/root".into(), trace.root);
        facts.insert("trace/line".into(), trace.line.to_string());
        let config = self.dir.join("mimamori.toml");
        let length = std::fs::metadata(&config)
            .map_err(StartError::file(&config))?
            .len();
        let source = |name: &str, path: &Path, bytes| Source {
            name: name.into(),
            path: path.into(),
            bytes,
        };
        let mut sources = vec![
            source("register.db", &copy, bytes),
            source("mimamori.toml", &config, length),
        ];
        for part in &trace.parts {
            sources.push(source(
                &format!("trace/{}", part.name),
                &part.path,
                part.bytes,
            ));
        }
        let all = repository.generations()?;
        let newest = all
            .last()
            .and_then(|g| g.facts.get("trace/line")?.parse::<u64>().ok());
        if newest.is_some_and(|line| line > trace.line) {
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
        self.trace.record(line).await?;
        Ok(made)
    }
}

/// Puts a generation into the new data directory `to`, with the keys of `keys`, and makes sure that it opens.
/// Blocks the thread.
///
/// # Errors
/// As [`Repository::restore`]; [`StartError::Key`] when the keys cannot be used.
pub fn restore(
    from: &Path,
    number: Option<u64>,
    identity: &Path,
    keys: &Path,
    to: &Path,
) -> Result<Manifest, StartError> {
    let manifest = opened(from, number, identity, keys, to)?;
    copy_keys(keys, &to.join("keys"))?;
    Ok(manifest)
}

/// The same without keys in the new folder.
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
