//! Import of a town export (住民データの取込み): read, check, stage, reconcile, flip.
//!
//! Promises: nothing of a file with an error is taken over; a new generation is seen all at
//! once or not at all; a person keeps his id from import to import.
//! Never: a value of a row in an error, a log or a progress text.

mod progress;
mod read;
mod rule;
mod store;
mod sweep;
mod town;

use std::path::Path;

use mimamori_gate::{GateError, JobPermit};
use mimamori_kernel::error::Coded;
use mimamori_kernel::random::Random;

pub use progress::{Phase, Progress, State};
pub use read::{HOUSEHOLDS, RESIDENTS};

/// One import at a time: the second would take the staged rows of the first for leftovers.
static ONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// What an import took over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Persons (宛名番号).
    pub persons: u64,
    /// History rows.
    pub rows: u64,
    /// Households.
    pub households: u64,
    /// Insured persons (資格 1).
    pub insured: u64,
    /// Other persons (資格 0).
    pub members: u64,
    /// Persons whose latest event is 死亡.
    pub deceased: u64,
    /// Persons whose latest event is 転出.
    pub moved_out: u64,
    /// Persons under 支援措置.
    pub protected: u64,
    /// Rows left out; empty, because only clean files are taken over.
    pub refused: Vec<RowError>,
    /// The line of the trace that put it in force.
    pub line: u64,
}

/// What is wrong with one row; never the value itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// Name of the file.
    pub file: &'static str,
    /// Number of the row; the header is row 1.
    pub row: u64,
    /// Name of the column, or `行` for the row as a whole.
    pub item: String,
    /// Stable code.
    pub code: &'static str,
    /// One sentence in Japanese.
    pub reason: String,
}

impl RowError {
    pub(crate) fn new(
        file: &'static str,
        row: u64,
        item: &str,
        code: &'static str,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            file,
            row,
            item: item.to_owned(),
            code,
            reason: reason.into(),
        }
    }
}

/// Why an import changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file is not there or cannot be read.
    #[error("{file} を読み取れません。")]
    File {
        /// Name of the file.
        file: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is larger than 2 GiB or has more than 5,000,000 rows.
    #[error("{file} が大きすぎます（2GiB、500万行まで）。")]
    TooLarge {
        /// Name of the file.
        file: &'static str,
    },
    /// Rows with errors, 1,000 at most.
    #[error("取込みファイルに誤りが{}件あります。取り込んだデータはありません。", .0.len())]
    Refused(Vec<RowError>),
    /// What was written is not what was read.
    #[error(
        "{what}の件数が一致しません（ファイル {expected}件、書込み {found}件）。取り込んだデータはありません。"
    )]
    Totals {
        /// What was counted.
        what: &'static str,
        /// As read.
        expected: u64,
        /// As written.
        found: u64,
    },
    /// Reading stopped unexpectedly.
    #[error("ファイルの読取りが途中で止まりました。")]
    Stopped,
    /// The gate, the trace or the database.
    #[error(transparent)]
    Gate(#[from] GateError),
}

impl Coded for ImportError {
    fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "IMPORT-FILE",
            Self::TooLarge { .. } => "IMPORT-TOO-LARGE",
            Self::Refused(_) => "IMPORT-ROWS",
            Self::Totals { .. } => "IMPORT-TOTALS",
            Self::Stopped => "IMPORT-STOPPED",
            Self::Gate(e) => e.code(),
        }
    }
    fn advice(&self) -> &'static str {
        match self {
            Self::File { .. } => "ファイルの場所と権限を確かめてから、もう一度取り込んでください。",
            Self::TooLarge { .. } => {
                "出力の範囲を確かめてください。正しい場合は製品の担当にご相談ください。"
            }
            Self::Refused(_) => {
                "示された行を住民記録システムで直して出力し直し、もう一度取り込んでください。"
            }
            Self::Totals { .. } | Self::Stopped => {
                "もう一度取り込んでください。続く場合は製品の担当にお知らせください。"
            }
            Self::Gate(e) => e.advice(),
        }
    }
}

/// Takes over `residents.csv` and `households.csv` of `dir`; waits while another import runs.
///
/// # Errors
/// [`ImportError`]; what was in force before stays in force then, unchanged. The one exception
/// is an error while the generation before is being removed: the new one is in force already,
/// and the next import removes the rest.
pub async fn run(
    permit: &JobPermit,
    random: &dyn Random,
    dir: &Path,
    progress: &Progress,
) -> Result<Outcome, ImportError> {
    let _one = ONE.lock().await;
    progress.set_state(State::Running);
    let result = work(permit, random, dir, progress).await;
    match &result {
        Ok(_) => {
            progress.begin(Phase::Finished, 0);
            progress.set_state(State::Done);
        }
        Err(error) => progress.set_state(State::Failed(error.to_string())),
    }
    result
}

async fn work(
    permit: &JobPermit,
    random: &dyn Random,
    dir: &Path,
    progress: &Progress,
) -> Result<Outcome, ImportError> {
    let (from, seen) = (dir.to_owned(), progress.clone());
    let town = tokio::task::spawn_blocking(move || read::read(&from, &seen))
        .await
        .map_err(|_| ImportError::Stopped)??;
    let mut outcome = town.outcome();
    let mut store = store::Store::open(permit).await?;
    progress.begin(Phase::Cleaning, 0);
    store.clean().await?;
    let known = store.known().await?;
    let absent = store.stage(town, known, random, progress).await?;
    progress.begin(Phase::Reconciling, 0);
    if let Err(error) = store.reconcile(&outcome).await {
        store.clean().await?;
        return Err(error);
    }
    progress.begin(Phase::Flipping, 0);
    outcome.line = store.flip(&outcome, absent).await?;
    progress.begin(Phase::Retiring, 0);
    store.clean().await?;
    Ok(outcome)
}
