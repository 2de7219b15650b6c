//! One running instance: lock, keys, database, trace, gate, identity.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fs4::fs_std::FileExt as _;
use mimamori_audit::monitor::Rules;
use mimamori_backup::UNFINISHED;
use mimamori_encryption::{Keys, NoteSigner};
use mimamori_gate::{Gate, Room};
use mimamori_identity::{Identity, Kdf, Limits, Proofs};
use mimamori_kernel::clock::{Clock, SystemClock};
use mimamori_kernel::random::{Random, SystemRandom};
use mimamori_storage::{Db, Location, Migration, migrate, pending};
use mimamori_trace::Trace;

use crate::config::{Config, Environment, WaysOut};
use crate::error::StartError;

/// The rooms of this build, in the order of the floors.
pub const ROOMS: &[Room] = &[
    mimamori_residents::ROOM,
    mimamori_audit::ROOM,
    mimamori_operations::ROOM,
    mimamori_oversight::ROOM,
    mimamori_handover::ROOM,
    mimamori_care_insurance::ROOM,
    mimamori_kidney_prevention::ROOM,
];

/// Catalogues of the floors below the rooms: what the program keeps of its users and of their acts.
/// No permit reads by them.
pub const FLOORS: [&str; 3] = [
    mimamori_identity::ITEMS,
    mimamori_trace::ITEMS,
    mimamori_gate::ITEMS,
];

/// All steps of the schema.
pub fn migrations() -> Vec<Migration> {
    [
        mimamori_identity::MIGRATIONS,
        mimamori_trace::MIGRATIONS,
        mimamori_gate::MIGRATIONS,
        mimamori_residents::MIGRATIONS,
        mimamori_operations::MIGRATIONS,
        mimamori_oversight::MIGRATIONS,
        mimamori_audit::MIGRATIONS,
        mimamori_handover::MIGRATIONS,
        mimamori_care_insurance::MIGRATIONS,
        mimamori_kidney_prevention::MIGRATIONS,
    ]
    .concat()
}

/// What is open while the program runs.
pub struct Instance {
    /// Data directory.
    pub dir: PathBuf,
    /// Its configuration.
    pub config: Config,
    /// Keys.
    pub keys: Keys,
    /// Database.
    pub db: Db,
    /// Trace.
    pub trace: Trace,
    /// Gate.
    pub gate: Gate,
    /// Identity.
    pub identity: Identity,
    /// Monitoring rules.
    pub rules: Arc<Rules>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Key of the simulated face terminal, made anew at each start of a demo.
    pub(crate) demo_face: Option<Arc<ed25519_dalek::SigningKey>>,
    _lock: File,
}

/// Nobody but the owner may look into the data directory.
pub fn private(dir: &Path) -> Result<(), StartError> {
    use std::os::unix::fs::PermissionsExt as _;
    let meta = std::fs::metadata(dir).map_err(StartError::file(dir))?;
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(StartError::State(format!(
        "データフォルダは所有者だけが開けるようにしてください（いまは {mode:o}、chmod 700 {}）。",
        dir.display()
    )))
}

/// Takes the directory for this program alone.
pub fn lock(dir: &Path) -> Result<File, StartError> {
    let path = dir.join("run.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(StartError::file(&path))?;
    match file.try_lock_exclusive() {
        Ok(true) => Ok(file),
        Ok(false) => Err(StartError::Locked),
        Err(source) => Err(StartError::File { path, source }),
    }
}

/// Opens the database; on PostgreSQL the schema is made when it is missing.
pub async fn database(dir: &Path, config: &Config) -> Result<Db, StartError> {
    let location = config.location(dir)?;
    let db = Db::open(location.clone(), 8).await?;
    if let Location::Server { schema, .. } = location {
        let mut writer = db.writer().await?;
        let make = format!("CREATE SCHEMA IF NOT EXISTS {schema}");
        writer.run(&make).await?;
        writer.close().await?;
    }
    Ok(db)
}

/// What verifies people here: passkeys for the configured origin, the town's face product. A demo has both on its own.
fn proofs(
    dir: &Path,
    config: &Config,
    demo: Option<&ed25519_dalek::SigningKey>,
) -> Result<Proofs, StartError> {
    let mut proofs = Proofs::default();
    if let Some(origin) = config.passkey_origin() {
        proofs = proofs.with_passkeys(&origin).map_err(|_| {
            StartError::Config("passkeys: origin は https://名前 の形です。".into())
        })?;
    }
    if let Some(product) = &config.face_product {
        proofs = proofs.with_face(product.key(dir)?);
    }
    if let Some(key) = demo {
        proofs = proofs.with_face(key.verifying_key());
    }
    Ok(proofs)
}

impl Instance {
    /// Opens a directory that `init` made and `migrate` brought up to date.
    pub async fn open(dir: &Path) -> Result<Self, StartError> {
        let config = Config::load(dir)?;
        private(dir)?;
        let lock = lock(dir)?;
        if dir.join(UNFINISHED).exists() {
            return Err(StartError::State(
                "控えを戻す途中で止まったフォルダです。空のフォルダに戻し直してください。".into(),
            ));
        }
        crate::backup::sweep(dir)?;
        let keys = Keys::load(&dir.join("keys"))?;
        let db = database(dir, &config).await?;
        let open = pending(&db, &migrations()).await?;
        if !open.is_empty() {
            return Err(StartError::Pending(open.join(", ")));
        }
        let (clock, random): (Arc<dyn Clock>, Arc<dyn Random>) =
            (Arc::new(SystemClock::new()), Arc::new(SystemRandom));
        let signer = NoteSigner::new(format!("{}/trace", config.town), &keys.checkpoint);
        let trace = Trace::start(
            db.clone(),
            dir.join("trace"),
            clock.clone(),
            random.clone(),
            signer,
            keys.token.clone(),
            keys.wrapping.clone(),
        )
        .await?;
        let daily = config.ways_out.map(WaysOut::cap).unwrap_or_default();
        let gate = Gate::new(db.clone(), trace.clone(), ROOMS)?
            .with_daily_cap(daily)
            .with_step_up(config.step_up());
        let kdf = match config.environment {
            Environment::Production => Kdf::default(),
            // Invented people behind a role chooser; real cost would only slow the first second.
            Environment::Demo => Kdf {
                memory: 1024,
                passes: 1,
            },
        };
        let limits = Limits {
            idle: Duration::from_secs(u64::from(config.idle_minutes) * 60),
            ..Limits::default()
        };
        let demo_face = (config.environment == Environment::Demo).then(|| {
            let mut seed = [0u8; 32];
            random.fill(&mut seed);
            Arc::new(ed25519_dalek::SigningKey::from_bytes(&seed))
        });
        let proofs = proofs(dir, &config, demo_face.as_deref())?;
        let identity = Identity::new(db.clone(), clock.clone(), random.clone(), kdf, limits)?
            .with_proofs(proofs);
        let instance = Self {
            dir: dir.to_owned(),
            config,
            keys,
            db,
            trace,
            gate,
            identity,
            rules: Arc::new(Rules::built_in()?),
            clock,
            random,
            demo_face,
            _lock: lock,
        };
        // Before anybody is served: what was revoked after the backup stays revoked.
        crate::backup::again(&instance).await?;
        Ok(instance)
    }

    /// Applies missing steps of the schema.
    pub async fn migrate(dir: &Path) -> Result<usize, StartError> {
        let config = Config::load(dir)?;
        let _lock = lock(dir)?;
        let db = database(dir, &config).await?;
        let done = migrate(&db, &migrations()).await?;
        db.close().await;
        Ok(done)
    }
}
