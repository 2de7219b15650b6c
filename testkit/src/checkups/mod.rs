//! 健診結果の見本 (health checks): invented results of the sample town's people, as CSV and as an archive of CDA
//! documents, with planted dirt and the list of it.
//!
//! Shares of diseases, answers and slips are 想定 and stand below as numbers; nobody's results were looked at.

mod body;
mod dirt;
mod document;
mod row;

use std::collections::BTreeMap;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use jiff::civil::Date;
use mimamori_kernel::date::{PartialDate, age_on, fiscal_year};
use serde::{Deserialize, Serialize};

use crate::draw::Draw;
use crate::town::{Fate, House, Resident, Town};
use crate::{TownArgs, TownError};

pub use row::CHECKUP_COLUMNS;

/// File of three quarters of the checks: CP932, CRLF.
const ROWS: &str = "checkups.csv";
/// File of the others: a ZIP of CDA documents with index and summary.
const ARCHIVE: &str = "checkups.zip";
/// Keeps these lots apart from those of the town, which stays the same.
const OTHER_LOTS: u64 = 0x6b65_6e73;
/// Fiscal years, this one and the two before.
const YEARS: i16 = 3;

/// What the checks are made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckupArgs {
    /// The town; the same arguments as for its file.
    pub town: TownArgs,
    /// Number of checks, duplicates not counted; fewer when the town has too few people of 40 to 74 years.
    pub checks: u32,
}

/// One thing that is wrong in the files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlantedCheckup {
    /// Name of the file.
    pub file: &'static str,
    /// `12行目`, or the name of the document.
    pub place: String,
    /// Name of the item, `行` or `文書`.
    pub item: String,
    /// The code that an import must report.
    pub code: &'static str,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CheckupCounts {
    /// Checks without duplicates.
    pub checks: u32,
    /// Rows of `checkups.csv` without the heading.
    pub rows: u32,
    /// Documents of `checkups.zip`.
    pub documents: u32,
    /// Checks by fiscal year.
    pub years: BTreeMap<i16, u32>,
    /// Checks without creatinine and eGFR.
    pub without_kidney: u32,
    /// Planted dirt by code.
    pub planted: BTreeMap<String, u32>,
}

/// One check on its way to a file.
#[derive(Debug, Clone)]
struct Check {
    number: u64,
    kana: String,
    kanji: String,
    birth: Date,
    woman: bool,
    postal: String,
    address: String,
    day: Date,
    facility: u32,
    /// In the order of [`row::ITEMS`].
    cells: Vec<Cell>,
}

/// A cell of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cell {
    Text(String),
    NotDone,
    Unmeasurable,
}

impl Check {
    fn ticket(&self) -> String {
        format!(
            "{:02}{:09}",
            fiscal_year(self.day).rem_euclid(100),
            self.number
        )
    }

    fn facility(&self) -> String {
        format!("99{:08}", 11_000_000 + self.facility)
    }
}

/// Writes `checkups.csv`, `checkups.zip`, `checkups-planted.csv` and `checkups.json` into the folder `out`.
///
/// The bytes are a function of the arguments alone.
///
/// # Errors
/// [`TownError`]; files may be incomplete then.
pub fn write_checkups(
    args: &CheckupArgs,
    out: &Path,
) -> Result<(CheckupCounts, Vec<PlantedCheckup>), TownError> {
    crate::check(&args.town)?;
    std::fs::create_dir_all(out)?;
    let mut total = 0;
    visit(&args.town, |_, _, _| {
        total += 1;
        Ok(())
    })?;
    let draw = Draw::new(args.town.seed ^ OTHER_LOTS);
    let (mut wanted, mut left) = (args.checks.min(total), total);
    let mut files = dirt::Files {
        rows: row::Rows::create(&out.join(ROWS))?,
        archive: document::Archive::create(&out.join(ARCHIVE), args.town.as_of)?,
        planted: vec![],
    };
    let mut counts = CheckupCounts::default();
    visit(&args.town, |house, person, year| {
        // Every choice of `wanted` among those who could come is equally likely.
        let comes = draw.below(left) < wanted;
        left -= 1;
        if !comes {
            return Ok(());
        }
        wanted -= 1;
        let check = body::check(args.town.seed, args.town.as_of, house, person, year);
        counts.checks += 1;
        *counts.years.entry(year).or_default() += 1;
        counts.without_kidney += u32::from(check.lacks_kidney());
        if draw.percent(25) {
            files.document(&draw, check)
        } else {
            files.row(&draw, check)
        }
    })?;
    counts.documents = files.archive.finish()?;
    counts.rows = files.rows.finish()?;
    files.planted.sort();
    for planted in &files.planted {
        *counts.planted.entry(planted.code.to_owned()).or_default() += 1;
    }
    write_planted(&files.planted, &out.join("checkups-planted.csv"))?;
    let mut text = serde_json::to_string_pretty(&counts)?;
    text.push('\n');
    std::fs::write(out.join("checkups.json"), text)?;
    Ok((counts, files.planted))
}

fn write_planted(planted: &[PlantedCheckup], path: &Path) -> Result<(), TownError> {
    let mut out = BufWriter::new(std::fs::File::create(path)?);
    writeln!(out, "file,place,item,code\r")?;
    for p in planted {
        writeln!(out, "{},{},{},{}\r", p.file, p.place, p.item, p.code)?;
    }
    out.flush()?;
    Ok(())
}

/// Everyone of 40 to 74 years at the end of a fiscal year, with that year.
fn visit(
    args: &TownArgs,
    mut take: impl FnMut(&House, &Resident, i16) -> Result<(), TownError>,
) -> Result<(), TownError> {
    let mut town = Town::new(args.people, args.seed, args.as_of);
    let last = fiscal_year(args.as_of);
    while let Some(house) = town.next_house() {
        for person in &house.people {
            // A special resident's home lies elsewhere; the dead and the moved leave no new results.
            if person.fate != Fate::Here
                || person.special
                || person.birth.full().is_none()
                || person.foreign
            {
                continue;
            }
            for year in last - YEARS + 1..=last {
                let end = jiff::civil::date(year + 1, 3, 31);
                let age = age_on(person.birth, end).least().unwrap_or(0);
                if (40..=74).contains(&age) && moved_in_before(&house, year) {
                    take(&house, person, year)?;
                }
            }
        }
    }
    Ok(())
}

fn moved_in_before(house: &House, year: i16) -> bool {
    PartialDate::from(house.moves.formed()) <= PartialDate::from(jiff::civil::date(year, 4, 1))
}
