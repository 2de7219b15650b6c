//! 見本の町 (testkit): the invented town 見守市 as a town export, for trials and tests.
//!
//! Promises: the bytes are a function of the arguments alone; nobody in it exists.
//! Never: real data, the clock; a dirty row that [`write_dirty_town`] did not list. See `README.md` for the columns.

pub mod accesses;
mod areas;
pub mod checkups;
mod counts;
mod dirt;
mod draw;
mod family;
mod files;
mod history;
mod names;
mod town;

pub use areas::{Area, areas};
pub use counts::TownCounts;
pub use dirt::{Dirty, HUGE, Planted, write_dirty_town};
pub use files::{HOUSEHOLD_COLUMNS, RESIDENT_COLUMNS, SAMPLE};

use jiff::civil::Date;
use mimamori_kernel::error::Coded;
use std::path::Path;

const RESIDENTS: &str = "residents.csv";
const HOUSEHOLDS: &str = "households.csv";

/// What the town is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TownArgs {
    /// Number of persons, 1–2,000,000.
    pub people: u32,
    /// Any number; another seed is another town.
    pub seed: u64,
    /// The day of the export, 2019-05-01 – 2099-12-31; ages are counted to it.
    pub as_of: Date,
}

impl Default for TownArgs {
    /// 93,000 persons, seed 1, 2026-11-21.
    fn default() -> Self {
        Self {
            people: 93_000,
            seed: 1,
            as_of: jiff::civil::date(2026, 11, 21),
        }
    }
}

/// Why the town could not be written.
#[derive(Debug, thiserror::Error)]
pub enum TownError {
    /// The number of persons is outside 1–2,000,000.
    #[error("人数は1から2,000,000までです。")]
    People,
    /// The day of the export is outside 2019-05-01 – 2099-12-31.
    #[error("基準日は2019年5月1日から2099年12月31日までです。")]
    AsOf,
    /// A character that Windows-31J does not have.
    #[error("文字コードCP932で書けない文字があります。")]
    NotEncodable,
    /// The folder or a file cannot be written.
    #[error("見本のファイルを書き込めません。")]
    Io(#[from] std::io::Error),
    /// The counts cannot be written as JSON.
    #[error("件数のファイルを書き込めません。")]
    Counts(#[from] serde_json::Error),
}

impl Coded for TownError {
    fn code(&self) -> &'static str {
        match self {
            Self::People => "TOWN-PEOPLE",
            Self::AsOf => "TOWN-AS-OF",
            Self::NotEncodable => "TOWN-ENCODING",
            Self::Io(_) => "TOWN-IO",
            Self::Counts(_) => "TOWN-COUNTS",
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::People => "人数を直して、もう一度実行してください。",
            Self::AsOf => "基準日を直して、もう一度実行してください。",
            Self::NotEncodable => "製品の担当に知らせてください。",
            Self::Io(_) | Self::Counts(_) => "書き込み先の空き容量と権限を確かめてください。",
        }
    }
}

/// Writes `residents.csv`, `households.csv` and `counts.json` into the folder `out`.
///
/// The folder is made when it is missing; files of the same names are replaced. CSV is
/// CP932 (Windows-31J) with CRLF, all fields quoted, a Japanese header row.
///
/// # Errors
/// [`TownError`]; files may be incomplete then.
pub fn write_town(args: &TownArgs, out: &Path) -> Result<TownCounts, TownError> {
    check(args)?;
    std::fs::create_dir_all(out)?;
    let mut residents = files::Sheet::create(&out.join(RESIDENTS), &RESIDENT_COLUMNS)?;
    let mut households = files::Sheet::create(&out.join(HOUSEHOLDS), &HOUSEHOLD_COLUMNS)?;
    let mut town = town::Town::new(args.people, args.seed, args.as_of);
    let mut tally = counts::Tally::default();
    while let Some(house) = town.next_house() {
        files::house_row(&house, |fields| households.write(fields))?;
        tally.house();
        for person in &house.people {
            let rows = files::person_rows(&house, person, |fields| residents.write(fields))?;
            tally.person(person, rows);
        }
    }
    residents.finish()?;
    households.finish()?;
    write_counts(&tally.finish(), out)
}

fn check(args: &TownArgs) -> Result<(), TownError> {
    if !(1..=2_000_000).contains(&args.people) {
        return Err(TownError::People);
    }
    if !(jiff::civil::date(2019, 5, 1)..=jiff::civil::date(2099, 12, 31)).contains(&args.as_of) {
        return Err(TownError::AsOf);
    }
    Ok(())
}

fn write_counts(counts: &TownCounts, out: &Path) -> Result<TownCounts, TownError> {
    let mut text = serde_json::to_string_pretty(counts)?;
    text.push('\n');
    std::fs::write(out.join("counts.json"), text)?;
    Ok(*counts)
}
