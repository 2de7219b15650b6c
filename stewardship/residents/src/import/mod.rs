//! Import of a town export (住民データの取込み): read, check, stage, reconcile, flip.
//!
//! Promises: nobody with a wrong row is changed, and nobody at all unless the good rows alone were
//! asked for; a new generation is seen all at once or not at all; a person keeps his id from
//! import to import; an import that was killed goes on after its last chunk.
//! Never: a value of a row in an error, a log or a progress text.

mod agree;
mod beside;
mod carry;
mod encoding;
mod fault;
mod keep;
mod layout;
mod lines;
mod look;
mod progress;
mod read;
mod resume;
mod rule;
mod store;
mod stranger;
mod sweep;
mod town;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use mimamori_gate::{GateError, JobPermit};
use mimamori_kernel::error::Coded;
use mimamori_kernel::random::Random;

pub use encoding::Encoding;
pub use fault::{Fault, Finding, Sheet};
pub use layout::{Layout, PRESETS, Preset, SAMPLE_MARK, is_required};
pub(crate) use look::{Seen, first_rows, guess_of, header_of};
pub use progress::{Phase, Progress, State};
pub use read::{HOUSEHOLDS, RESIDENTS};
pub(crate) use town::FACILITY;

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
    /// Persons in force who stay as they were, because a row was wrong (据置き); counted above.
    pub kept: u64,
    /// Persons in the household or at the address of a protected person.
    pub beside_protected: u64,
    /// Persons left out because a row was wrong, who were not in force.
    pub left_out: u64,
    /// What is wrong with the files, in order of file and row.
    pub findings: Vec<Finding>,
    /// The line of the trace that put it in force.
    pub line: u64,
}

/// Which rows come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Accept {
    /// All rows, or nothing when one is wrong (全件そろわなければ取り込まない).
    #[default]
    All,
    /// Persons and households without a wrong row; the others stay as they are in force
    /// (正しい行だけ取り込む).
    Good,
}

/// How much an import reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one file.
    pub bytes: u64,
    /// Rows of one file.
    pub rows: u64,
}

impl Default for Limits {
    /// 2 GiB and 5,000,000 rows.
    fn default() -> Self {
        Self {
            bytes: 2 << 30,
            rows: 5_000_000,
        }
    }
}

/// What is to be imported, and how.
#[derive(Debug, Clone)]
pub struct Order {
    /// The file of persons and their history.
    pub residents: PathBuf,
    /// The file of households; without it they are made from the persons that are 世帯主.
    pub households: Option<PathBuf>,
    /// Guessed for a file that is not named here.
    pub encodings: HashMap<Sheet, Encoding>,
    /// Which column is what.
    pub layout: Layout,
    /// Which rows come in.
    pub accept: Accept,
    /// Take only the sample town (S0-68).
    pub sample_only: bool,
    /// Rows that the office which made the files counted, where it told.
    pub expected: HashMap<Sheet, u64>,
    /// Take over although the register shrinks by more than a tenth.
    pub allow_fewer: bool,
    /// How much is read.
    pub limits: Limits,
}

impl Order {
    /// `residents.csv` and `households.csv` of a folder in the product's own form, all or nothing.
    pub fn folder(dir: &Path) -> Self {
        Self {
            residents: dir.join(RESIDENTS),
            households: Some(dir.join(HOUSEHOLDS)),
            encodings: HashMap::new(),
            layout: Layout::of("own"),
            accept: Accept::All,
            sample_only: false,
            expected: HashMap::new(),
            allow_fewer: false,
            limits: Limits::default(),
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
    /// A file is larger or has more rows than [`Limits`].
    #[error("{file} が大きすぎます（2GiB、500万行まで）。")]
    TooLarge {
        /// Name of the file.
        file: &'static str,
    },
    /// Rows with errors, 1,000,000 at most; warnings among them.
    #[error("取込みファイルに誤りが{}件あります。取り込んだデータはありません。", errors(.0))]
    Refused(Vec<Finding>),
    /// A file without the sample's mark, where only the sample may come in.
    #[error("見本の町のファイルではありません。取り込んだデータはありません。")]
    NotSample,
    /// The counts do not agree: told and read, or read and written.
    #[error(
        "{what}の件数が一致しません（あるべき件数 {expected}件、実際 {found}件）。取り込んだデータはありません。"
    )]
    Totals {
        /// What was counted.
        what: &'static str,
        /// As it should be.
        expected: u64,
        /// As it is.
        found: u64,
    },
    /// Much fewer persons than are in force: more likely a wrong export than an empty town.
    #[error("住民が{before}人から{after}人に減るため、取り込みませんでした。")]
    Fewer {
        /// Persons in force.
        before: u64,
        /// Persons after it.
        after: u64,
    },
    /// So many numbers stand for another human than in force: more likely a wrong file, or numbers
    /// given anew, than so many changes of name and birth date.
    #[error(
        "宛名番号が別人に付いている疑いのある人が{found}人いるため（{persons}人のうち）、取り込みませんでした。"
    )]
    Strangers {
        /// Persons whose birth date and name both differ.
        found: u64,
        /// Persons in the file.
        persons: u64,
    },
    /// Reading stopped unexpectedly.
    #[error("ファイルの読取りが途中で止まりました。")]
    Stopped,
    /// The gate, the trace or the database.
    #[error(transparent)]
    Gate(#[from] GateError),
}

fn errors(findings: &[Finding]) -> usize {
    findings.iter().filter(|f| !f.fault.is_warning()).count()
}

impl Coded for ImportError {
    fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "IMPORT-FILE",
            Self::TooLarge { .. } => "IMPORT-TOO-LARGE",
            Self::Refused(_) => "IMPORT-ROWS",
            Self::NotSample => "IMPORT-NOT-SAMPLE",
            Self::Totals { .. } => "IMPORT-TOTALS",
            Self::Fewer { .. } => "IMPORT-FEWER",
            Self::Strangers { .. } => "IMPORT-STRANGERS",
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
            Self::NotSample => {
                "デモのフォルダには見本の町だけを取り込めます。実際のデータは mimamori init で作ったフォルダへ取り込んでください。"
            }
            Self::Fewer { .. } => {
                "出力の範囲を確かめてください。正しいときは、運用管理者がサーバーで mimamori import --allow-fewer を使います。"
            }
            Self::Strangers { .. } => {
                "宛名番号の列と、出力元の自治体・番号の付け替えの有無を確かめてください。1%以下（想定）なら、その人だけ今の記録を残して取り込めます。"
            }
            Self::Totals { .. } | Self::Stopped => {
                "件数を確かめ、もう一度取り込んでください。続く場合は製品の担当にお知らせください。"
            }
            Self::Gate(e) => e.advice(),
        }
    }
}

/// Takes over the files of an order; waits while another import runs.
///
/// # Errors
/// [`ImportError`]; what was in force before stays in force then, unchanged. The one exception
/// is an error while the generation before is being removed: the new one is in force already,
/// and the next import removes the rest.
pub async fn run(
    permit: &JobPermit,
    random: &dyn Random,
    order: &Order,
    progress: &Progress,
) -> Result<Outcome, ImportError> {
    let _one = ONE.lock().await;
    progress.set_state(State::Running);
    let result = work(permit, random, order, progress).await;
    match &result {
        Ok(_) => {
            progress.begin(Phase::Finished, 0);
            progress.set_state(State::Done);
        }
        Err(error) => progress.set_state(State::Failed(error.to_string())),
    }
    result
}

/// Only reads and checks the files of an order (下調べ); blocks, changes nothing.
///
/// # Errors
/// [`ImportError`] when a file cannot be read or is beyond the limits.
pub fn examine(order: &Order, progress: &Progress) -> Result<Vec<Finding>, ImportError> {
    read::read(order, progress).map(|(_, findings)| findings.into_vec())
}

async fn work(
    permit: &JobPermit,
    random: &dyn Random,
    order: &Order,
    progress: &Progress,
) -> Result<Outcome, ImportError> {
    let (what, seen) = (order.clone(), progress.clone());
    let reading = move || Ok((resume::mark(&what)?, read::read(&what, &seen)?));
    let (mark, (mut town, mut findings)) = tokio::task::spawn_blocking(reading)
        .await
        .map_err(|_| ImportError::Stopped)?
        .map_err(|error: ImportError| error)?;
    // A header that does not fit says nothing about any person.
    if findings.errors() > 0 && (order.accept == Accept::All || town.people.is_empty()) {
        return Err(ImportError::Refused(findings.into_vec()));
    }
    let mut store = store::Store::open(permit).await?;
    store.strangers(&mut town, &mut findings).await?;
    let partly = findings.errors() > 0;
    let findings = findings.into_vec();
    if partly && order.accept == Accept::All {
        return Err(ImportError::Refused(findings));
    }
    progress.begin(Phase::Cleaning, 0);
    if !store.resume(&mark).await? {
        store.clean().await?;
        store.begin(&mark).await?;
    }
    let known = store.known().await?;
    let mut kept = town::Kept::default();
    if partly {
        let houses = store.houses(store.in_force).await?;
        kept = town.settle(&known, &houses);
        if town.people.is_empty() {
            return Err(ImportError::Refused(findings));
        }
    }
    let mut outcome = town.outcome();
    let after = town.people.len() + kept.persons.len();
    if !order.allow_fewer && after * 10 < known.len() * 9 {
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        return Err(ImportError::Fewer {
            before: count(known.len()),
            after: count(after),
        });
    }
    outcome.beside_protected = town.spread_protection();
    let numbers = store.numbers().await?;
    let absent = store.stage(town, known, numbers, random, progress).await?;
    if !kept.persons.is_empty() || !kept.houses.is_empty() {
        store.close().await?;
    }
    store.carry(&kept, &mut outcome).await?;
    progress.begin(Phase::Reconciling, 0);
    if let Err(error) = store.reconcile(&outcome).await {
        store.clean().await?;
        return Err(error);
    }
    progress.begin(Phase::Flipping, 0);
    store.close().await?;
    let changes = store.keep_changes(&kept.persons).await?;
    outcome.beside_protected += store.mark_beside_protected().await?;
    outcome.line = store.flip(&outcome, absent, changes).await?;
    progress.begin(Phase::Retiring, 0);
    store.clean().await?;
    outcome.findings = findings;
    Ok(outcome)
}
