//! Reads the two files of a town export row by row, within limits of size, rows and fields.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::encoding::{BOM, Encoding};
use super::fault::{Fault, Finding, Findings, Sheet};
use super::layout::{Layout, SAMPLE_MARK, is_required};
use super::lines::{FIELDS_LIMIT, Line, Lines};
use super::progress::{Phase, Progress};
use super::rule::{Builder, Cells};
use super::town::Town;
use super::{ImportError, Order};

/// The file of persons and their history.
pub const RESIDENTS: &str = "residents.csv";
/// The file of households.
pub const HOUSEHOLDS: &str = "households.csv";

/// Reads and checks the files of an order; blocks. What is wrong is in the findings.
pub(super) fn read(order: &Order, progress: &Progress) -> Result<(Town, Findings), ImportError> {
    let mut findings = Findings::default();
    let mut builder = Builder::new(order.layout.check_digit);
    let residents = open(&order.residents, Sheet::Residents, order.limits.bytes)?;
    progress.begin(Phase::Reading, 0);
    if let Some(path) = &order.households {
        let file = open(path, Sheet::Households, order.limits.bytes)?;
        each(
            file,
            order,
            Sheet::Households,
            &mut findings,
            |cells, findings| builder.household(cells, findings),
        )?;
    }
    each(
        residents,
        order,
        Sheet::Residents,
        &mut findings,
        |cells, findings| {
            if cells.row % 1000 == 0 {
                progress.reached(cells.row);
            }
            builder.resident(cells, findings);
        },
    )?;
    let town = builder.finish(order.households.is_none(), &mut findings);
    Ok((town, findings))
}

/// Opens a file of `limit` bytes at most.
pub(super) fn open(path: &Path, sheet: Sheet, limit: u64) -> Result<File, ImportError> {
    let file = sheet.name();
    let failed = |source| ImportError::File { file, source };
    let opened = File::open(path).map_err(failed)?;
    let about = opened.metadata().map_err(failed)?;
    if !about.is_file() {
        return Err(failed(io::Error::other("not a file")));
    }
    if about.len() > limit {
        return Err(ImportError::TooLarge { file });
    }
    Ok(opened)
}

/// Where the items stand in the file at hand.
pub(super) struct Plan {
    encoding: Encoding,
    pub width: usize,
    places: Vec<Vec<usize>>,
    codes: Vec<Option<&'static HashMap<String, String>>>,
    mark: Option<usize>,
}

impl Plan {
    /// From the header; what is missing or twice becomes a finding of row 1.
    pub fn new(
        header: &[String],
        layout: &Layout,
        sheet: Sheet,
        encoding: Encoding,
        findings: &mut Findings,
    ) -> Option<Self> {
        let before = findings.errors();
        let mut places = vec![];
        for (at, (item, names)) in sheet.items().iter().zip(layout.columns(sheet)).enumerate() {
            let mut found = vec![];
            for name in names {
                let mut hits = (0..header.len()).filter(|i| header[*i] == *name);
                match (hits.next(), hits.next()) {
                    (Some(one), None) => found.push(one),
                    // A column that may be left out of the file.
                    (None, None) if !is_required(item) => {}
                    _ => findings.add(Finding::new(sheet, 1, Some(at), Fault::Header)),
                }
            }
            if names.is_empty() && is_required(item) {
                findings.add(Finding::new(sheet, 1, Some(at), Fault::Header));
            }
            places.push(found);
        }
        (findings.errors() == before).then(|| Self {
            encoding,
            width: header.len(),
            places,
            codes: layout.codes(sheet),
            mark: header.iter().position(|h| h == SAMPLE_MARK.0),
        })
    }

    /// The cells of a row; what cannot be read becomes a finding.
    pub fn cells<'a, R: Read>(
        &self,
        lines: &'a Lines<R>,
        line: Line,
        sheet: Sheet,
        findings: &mut Findings,
    ) -> Cells<'a> {
        let mut cells = Cells {
            row: line.number,
            texts: Vec::with_capacity(self.places.len()),
            mapped: self.places.iter().map(|p| !p.is_empty()).collect(),
            bad: false,
            broken: false,
        };
        for (at, places) in self.places.iter().enumerate() {
            let mut text = match places.as_slice() {
                [] => Ok(Cow::Borrowed("")),
                [one] => self.encoding.decode(lines.field(*one)),
                several => several
                    .iter()
                    .map(|p| self.encoding.decode(lines.field(*p)))
                    .collect::<Result<Vec<_>, _>>()
                    .map(|parts| Cow::Owned(parts.concat())),
            };
            if let (Ok(from), Some(codes)) = (&text, self.codes[at])
                && let Some(ours) = codes.get(from.as_ref())
            {
                text = Ok(Cow::Borrowed(ours.as_str()));
            }
            match text {
                Ok(text) => cells.texts.push(Some(text)),
                Err(fault) => {
                    findings.add(Finding::new(sheet, line.number, Some(at), fault));
                    cells.bad = true;
                    cells.texts.push(None);
                }
            }
        }
        cells
    }

    /// Only the first cell of a row that is no row, to know whose it is.
    fn broken<'a, R: Read>(&self, lines: &'a Lines<R>, line: Line) -> Cells<'a> {
        let key = match self.places[0].as_slice() {
            // Columns that shifted could show another's number here.
            [0] => self.encoding.decode(lines.field(0)).ok(),
            _ => None,
        };
        let mut texts = vec![None; self.places.len()];
        texts[0] = key;
        Cells {
            row: line.number,
            texts,
            mapped: vec![true; self.places.len()],
            bad: true,
            broken: true,
        }
    }
}

/// Hands the cells of every row to `take`; the header is taken off.
fn each<R: Read>(
    mut source: R,
    order: &Order,
    sheet: Sheet,
    findings: &mut Findings,
    mut take: impl FnMut(Cells<'_>, &mut Findings),
) -> Result<(), ImportError> {
    let file = sheet.name();
    let failed = |source| ImportError::File { file, source };
    let (encoding, start) =
        beginning(&mut source, order.encodings.get(&sheet).copied()).map_err(failed)?;
    let mut lines = Lines::new(io::Cursor::new(start).chain(source));
    let header = header(&mut lines, encoding).map_err(failed)?;
    let Some(plan) = Plan::new(&header, &order.layout, sheet, encoding, findings) else {
        return Ok(());
    };
    if order.sample_only && plan.mark.is_none() {
        return Err(ImportError::NotSample);
    }
    let mut rows = 0u64;
    while let Some(line) = lines.next().map_err(failed)? {
        rows += 1;
        if rows > order.limits.rows {
            return Err(ImportError::TooLarge { file });
        }
        let whole = line.fields == plan.width;
        let fault = match () {
            () if line.malformed => Some(Fault::Quote),
            () if line.unended && !whole => Some(Fault::Cut),
            () if !whole => Some(Fault::Columns),
            () => None,
        };
        if let Some(fault) = fault {
            findings.add(Finding::new(sheet, line.number, None, fault));
            take(plan.broken(&lines, line), findings);
        } else {
            let mark = plan.mark.map(|at| plan.encoding.decode(lines.field(at)));
            if order.sample_only && mark != Some(Ok(SAMPLE_MARK.1.into())) {
                return Err(ImportError::NotSample);
            }
            let cells = plan.cells(&lines, line, sheet, findings);
            take(cells, findings);
        }
        if findings.is_full() {
            return Ok(());
        }
    }
    match order.expected.get(&sheet) {
        Some(expected) if *expected != rows => Err(ImportError::Totals {
            what: file,
            expected: *expected,
            found: rows,
        }),
        _ => Ok(()),
    }
}

/// The encoding (guessed when not given) and the bytes read for it, without a mark.
pub(super) fn beginning<R: Read>(
    source: &mut R,
    given: Option<Encoding>,
) -> io::Result<(Encoding, Vec<u8>)> {
    let mut start = Vec::with_capacity(1 << 16);
    source.take(1 << 16).read_to_end(&mut start)?;
    let encoding = given.unwrap_or_else(|| Encoding::guess(&start));
    if encoding == Encoding::Utf8 && start.starts_with(BOM) {
        start.drain(..BOM.len());
    }
    Ok((encoding, start))
}

/// The names of the header row; a name that cannot be read is empty.
pub(super) fn header<R: Read>(lines: &mut Lines<R>, encoding: Encoding) -> io::Result<Vec<String>> {
    let Some(line) = lines.next()? else {
        return Ok(vec![]);
    };
    let name = |at| {
        let text = encoding.decode(lines.field(at)).unwrap_or_default();
        text.trim().to_owned()
    };
    Ok((0..line.fields.min(FIELDS_LIMIT)).map(name).collect())
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
