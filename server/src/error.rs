//! Why the program does not start or a command fails.

use std::path::PathBuf;

use mimamori_encryption::KeyError;
use mimamori_gate::GateError;
use mimamori_identity::IdentityError;
use mimamori_kernel::error::Coded;
use mimamori_storage::StorageError;
use mimamori_trace::TraceError;

/// A failure of a command, told in one sentence with what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A file or folder.
    #[error("{path} を読み書きできません: {source}")]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The configuration.
    #[error("設定が正しくありません: {0}")]
    Config(String),
    /// Another program has the directory.
    #[error("このデータフォルダはほかのプログラムが使っています")]
    Locked,
    /// Not initialised, or already.
    #[error("{0}")]
    State(String),
    /// Steps of the schema are missing.
    #[error("データベースの移行が済んでいません: {0}")]
    Pending(String),
    /// Keys.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Database.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Trace.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// Gate.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// Identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Import.
    #[error(transparent)]
    Import(#[from] mimamori_residents::import::ImportError),
    /// Monitoring rules of this build.
    #[error(transparent)]
    Rules(#[from] mimamori_audit::monitor::RulesError),
    /// Derivation of qualifications.
    #[error(transparent)]
    Derive(#[from] mimamori_care_insurance::eligibility::DeriveError),
    /// Health checks of the sample town.
    #[error(transparent)]
    Kidney(#[from] mimamori_kidney_prevention::KidneyError),
    /// Backup.
    #[error(transparent)]
    Backup(#[from] mimamori_backup::BackupError),
    /// Copy of the database.
    #[error(transparent)]
    Copy(#[from] mimamori_storage::CopyError),
    /// Tables of PostgreSQL.
    #[error(transparent)]
    Tables(#[from] mimamori_storage::TableError),
    /// The numbers room.
    #[error(transparent)]
    Numbers(#[from] mimamori_numbers::NumbersError),
    /// Sample town.
    #[error(transparent)]
    Town(#[from] mimamori_testkit::TownError),
}

impl StartError {
    /// Wraps an error of a path.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}

impl Coded for StartError {
    fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "START-FILE",
            Self::Config(_) => "START-CONFIG",
            Self::Locked => "START-LOCKED",
            Self::State(_) => "START-STATE",
            Self::Pending(_) => "START-PENDING",
            Self::Key(e) => e.code(),
            Self::Storage(e) => e.code(),
            Self::Trace(e) => e.code(),
            Self::Gate(e) => e.code(),
            Self::Identity(e) => e.code(),
            Self::Import(e) => e.code(),
            Self::Rules(e) => e.code(),
            Self::Derive(e) => e.code(),
            Self::Kidney(e) => e.code(),
            Self::Backup(e) => e.code(),
            Self::Copy(_) | Self::Tables(_) => "START-COPY",
            Self::Numbers(e) => e.code(),
            Self::Town(e) => e.code(),
        }
    }
    fn advice(&self) -> &'static str {
        match self {
            Self::File { .. } => "場所と権限を確かめてください。",
            Self::Config(_) => "mimamori.toml を直し、mimamori config check で確かめてください。",
            Self::Locked => "動いている mimamori を止めてから、もう一度実行してください。",
            Self::State(_) => "mimamori help init を見てください。",
            Self::Pending(_) => "控えを取ってから mimamori migrate を実行してください。",
            Self::Key(e) => e.advice(),
            Self::Storage(e) => e.advice(),
            Self::Trace(e) => e.advice(),
            Self::Gate(e) => e.advice(),
            Self::Identity(e) => e.advice(),
            Self::Import(e) => e.advice(),
            Self::Rules(e) => e.advice(),
            Self::Derive(e) => e.advice(),
            Self::Kidney(e) => e.advice(),
            Self::Backup(e) => e.advice(),
            Self::Copy(_) | Self::Tables(_) => {
                "空き容量とデータフォルダの所有者を確かめてください。"
            }
            Self::Numbers(e) => e.advice(),
            Self::Town(e) => e.advice(),
        }
    }
}
