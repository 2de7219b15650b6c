//! 誤りのある見本の町: the same town with planted dirt, and the list of all that was planted.

mod cell;
mod rows;

use std::collections::VecDeque;
use std::path::Path;

use crate::counts::Tally;
use crate::draw::Draw;
use crate::files::{self, Sheet};
use crate::{
    HOUSEHOLD_COLUMNS, HOUSEHOLDS, RESIDENT_COLUMNS, RESIDENTS, TownArgs, TownCounts, TownError,
    town,
};

/// Bytes of the one field that is far too long (50 MB).
pub const HUGE: usize = 50_000_000;
/// The name of the column in the list for dirt of a whole row.
const WHOLE: &str = "行";
/// Keeps the lots of the dirt apart from those of the town, which stays the same.
const OTHER_LOTS: u64 = 0x6469_7274;

/// One thing that is wrong in the files, as `planted.csv` lists it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Planted {
    /// Name of the file.
    pub file: &'static str,
    /// Line of the file; the header is line 1.
    pub row: u64,
    /// Name of the column, or `行` for the row as a whole.
    pub item: &'static str,
    /// The code that an import must report.
    pub code: &'static str,
}

/// A written dirty town.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dirty {
    /// Counts of the town before the dirt.
    pub clean: TownCounts,
    /// Everything that was planted, by file and row.
    pub planted: Vec<Planted>,
}

/// One row on its way to the file.
#[derive(Debug, Clone)]
struct Row {
    fields: Vec<String>,
    /// A field whose bytes are not CP932 text, or too many to keep as text.
    raw: Option<(usize, Vec<u8>)>,
    /// A field whose closing quotation mark is missing.
    unclosed: Option<usize>,
    /// Line within the row, column, code.
    faults: Vec<(u64, &'static str, &'static str)>,
}

impl Row {
    fn of(fields: &[&str]) -> Self {
        let fields = fields.iter().map(ToString::to_string).collect();
        Self {
            fields,
            raw: None,
            unclosed: None,
            faults: vec![],
        }
    }

    fn fault(&mut self, item: &'static str, code: &'static str) {
        self.faults.push((0, item, code));
    }

    fn bytes(&self) -> Result<Vec<u8>, TownError> {
        let mut out = vec![];
        for (at, field) in self.fields.iter().enumerate() {
            out.extend_from_slice(if at == 0 { b"\"" } else { b",\"" });
            match &self.raw {
                Some((raw, bytes)) if *raw == at => out.extend_from_slice(bytes),
                _ => out.extend(files::cp932(&field.replace('"', "\"\""))?),
            }
            if self.unclosed != Some(at) {
                out.push(b'"');
            }
        }
        out.extend_from_slice(b"\r\n");
        Ok(out)
    }
}

/// The rows of one household in both files.
struct Group {
    house: Vec<Row>,
    people: Vec<Vec<Row>>,
    /// A person of another household.
    stranger: String,
}

/// One kind of dirt; false when this household does not suit it, which stays as it is then.
type Plant = fn(&mut Group, &Draw) -> bool;

/// Writes `residents.csv`, `households.csv` with dirt, `counts.json` of the clean town, and
/// `planted.csv` (file, row, item, code; UTF-8 with BOM) into the folder `out`.
///
/// The town is the one [`crate::write_town`] writes; at most one household in two is touched, and
/// the last row of the residents is cut off. `huge` is the length of the longest field in bytes.
///
/// # Errors
/// [`TownError`]; files may be incomplete then.
pub fn write_dirty_town(args: &TownArgs, huge: usize, out: &Path) -> Result<Dirty, TownError> {
    crate::check(args)?;
    std::fs::create_dir_all(out)?;
    let mut sheets = [
        Sheet::create(&out.join(RESIDENTS), &RESIDENT_COLUMNS)?,
        Sheet::create(&out.join(HOUSEHOLDS), &HOUSEHOLD_COLUMNS)?,
    ];
    let mut town = town::Town::new(args.people, args.seed, args.as_of);
    let (mut tally, mut planted) = (Tally::default(), vec![]);
    let draw = Draw::new(args.seed ^ OTHER_LOTS);
    let mut waiting = kinds(args.people, &draw);
    // About 1.9 persons live together: the dirt is spread over the whole file.
    let gap = (args.people / 4 / u32::try_from(waiting.len()).unwrap_or(1).max(1)).max(1);
    let (mut pause, mut stranger, mut long) = (1, String::new(), Some(huge));
    while let Some(house) = town.next_house() {
        tally.house();
        let mut group = Group {
            house: vec![files::house_row(&house, Row::of)],
            people: vec![],
            stranger: stranger.clone(),
        };
        for person in &house.people {
            let mut rows = vec![];
            let count = files::person_rows(&house, person, |fields| {
                rows.push(Row::of(fields));
                Ok(())
            })?;
            tally.person(person, count);
            group.people.push(rows);
        }
        let last = town.is_done();
        if last {
            rows::cut_off(&mut group);
        } else if pause > 0 {
            pause -= 1;
            stranger.clone_from(&group.house[0].fields[1]);
        } else if let Some(bytes) = long.take() {
            cell::huge(&mut group, bytes);
        } else if let Some(at) = waiting.iter().position(|plant| plant(&mut group, &draw)) {
            waiting.remove(at);
            pause = 1 + draw.below(gap);
        }
        let [residents, households] = &mut sheets;
        for (sheet, file, rows) in [(households, HOUSEHOLDS, group.house)].into_iter().chain([(
            residents,
            RESIDENTS,
            group.people.concat(),
        )]) {
            write(sheet, file, rows, last, &mut planted)?;
        }
    }
    for sheet in sheets {
        sheet.finish()?;
    }
    planted.sort();
    let mut list = "\u{feff}file,row,item,code\r\n".to_owned();
    for p in &planted {
        list.push_str(&format!("{},{},{},{}\r\n", p.file, p.row, p.item, p.code));
    }
    std::fs::write(out.join("planted.csv"), list)?;
    let clean = crate::write_counts(&tally.finish(), out)?;
    Ok(Dirty { clean, planted })
}

/// Every kind once, and again for each 10,000 persons, in drawn order.
fn kinds(people: u32, draw: &Draw) -> VecDeque<Plant> {
    let mut left: Vec<Plant> = vec![];
    for _ in 0..=people / 10_000 {
        left.extend(cell::KINDS);
        left.extend(rows::KINDS);
    }
    let mut out = VecDeque::with_capacity(left.len());
    while !left.is_empty() {
        let at = draw.below(u32::try_from(left.len()).unwrap_or(1)) as usize;
        out.push_back(left.swap_remove(at));
    }
    out
}

fn write(
    sheet: &mut Sheet,
    file: &'static str,
    rows: Vec<Row>,
    last: bool,
    planted: &mut Vec<Planted>,
) -> Result<(), TownError> {
    let end = rows.len();
    for (at, row) in rows.into_iter().enumerate() {
        let row_number = sheet.lines + 1;
        planted.extend(row.faults.iter().map(|(line, item, code)| Planted {
            file,
            row: row_number + line,
            item,
            code,
        }));
        let mut bytes = row.bytes()?;
        if last && file == RESIDENTS && at + 1 == end {
            bytes.truncate(rows::CUT_AT);
        }
        let lines = bytes.iter().filter(|b| **b == b'\n').count();
        sheet.write_raw(&bytes, u64::try_from(lines).unwrap_or(1))?;
    }
    Ok(())
}
