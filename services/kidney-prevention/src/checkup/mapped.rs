//! A CSV file with mapped columns (列を対応させたCSV): one row, one health check.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read as _};

use encoding_rs::SHIFT_JIS;
use jiff::civil::Date;

use super::codes::Codes;
use super::defect::{Defect, Reason, refuses};
use super::layout::{Encoding, Layout};
use super::person::Head;
use super::split::split;
use super::value::{Raw, Values};
use super::{Checkup, Read};

/// Bytes of one row at most.
const ROW_LIMIT: usize = 64 << 10;
/// Bytes of one heading that is unknown and shown on the screen, at most.
const NAME_LIMIT: usize = 60;

/// What a file had beside its rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapped {
    /// Rows that were read, refused ones too; the heading is not one.
    pub rows: u64,
    /// Columns that the layout does not know; they are not read.
    pub unknown: Vec<String>,
}

/// Why a file is not read at all.
#[derive(Debug, thiserror::Error)]
pub enum MappedError {
    /// It cannot be read.
    #[error("ファイルを読めません。")]
    Io(#[from] std::io::Error),
    /// The first row is no heading in this encoding.
    #[error("見出しの行を読めません。文字コードと引用符を確かめてください。")]
    Heading,
    /// A column of the layout is missing or stands twice.
    #[error("見出しに列「{0}」がないか、二つあります。")]
    Column(String),
}

/// Reads all rows and hands each to `take`. Rows are told by their line, the heading being line 1.
///
/// # Errors
/// [`MappedError`]; with `Io`, `take` may have been called.
pub fn read_mapped(
    source: impl std::io::Read,
    layout: &Layout,
    codes: &Codes,
    today: Date,
    mut take: impl FnMut(Read),
) -> Result<Mapped, MappedError> {
    let mut lines = Lines {
        source: BufReader::with_capacity(1 << 18, source),
        number: 0,
    };
    let columns = heading(&mut lines, layout)?;
    let mut mapped = Mapped {
        rows: 0,
        unknown: columns.unknown.clone(),
    };
    while let Some(line) = lines.next()? {
        mapped.rows += 1;
        let place = format!("{}行目", lines.number);
        let mut defects = vec![];
        let checkup = match fields(line, layout.encoding, columns.width) {
            Ok(fields) => columns.read(&fields, layout, codes, today, &mut defects),
            Err(reason) => {
                defects.push(Defect::new("行", reason));
                None
            }
        };
        let checkup = checkup.filter(|_| !refuses(&defects));
        take(Read {
            place,
            checkup,
            defects,
        });
    }
    Ok(mapped)
}

struct Columns {
    places: HashMap<String, usize>,
    width: usize,
    unknown: Vec<String>,
}

fn heading(lines: &mut Lines<impl BufRead>, layout: &Layout) -> Result<Columns, MappedError> {
    let line = lines.next()?.ok_or(MappedError::Heading)?;
    let line = match line {
        Line::Whole(bytes) => Line::Whole(
            bytes
                .strip_prefix(&[0xef, 0xbb, 0xbf])
                .map_or(bytes.clone(), <[u8]>::to_vec),
        ),
        Line::TooLong => return Err(MappedError::Heading),
    };
    let names = fields(line, layout.encoding, usize::MAX).map_err(|_| MappedError::Heading)?;
    let mut places = HashMap::new();
    for (place, name) in names.iter().enumerate() {
        if places.insert(name.clone(), place).is_some() && layout.knows(name) {
            return Err(MappedError::Column(name.clone()));
        }
    }
    if let Some(missing) = layout.needed().find(|c| !places.contains_key(*c)) {
        return Err(MappedError::Column(missing.clone()));
    }
    let cut = |n: &String| n.chars().take(NAME_LIMIT).collect::<String>();
    let unknown = names.iter().filter(|n| !layout.knows(n)).map(cut).collect();
    Ok(Columns {
        places,
        width: names.len(),
        unknown,
    })
}

impl Columns {
    fn read(
        &self,
        fields: &[String],
        layout: &Layout,
        codes: &Codes,
        today: Date,
        defects: &mut Vec<Defect>,
    ) -> Option<Checkup> {
        let cell = |column: &str| {
            self.places
                .get(column)
                .and_then(|p| fields.get(*p))
                .map_or("", |t| t.trim())
        };
        let person = &layout.person;
        let beside = |column: &Option<String>| column.as_deref().map(|c| cell(c).to_owned());
        let head = Head {
            resident: beside(&person.resident),
            kana: cell(&person.kana).to_owned(),
            birth: cell(&person.birth).to_owned(),
            sex: cell(&person.sex).to_owned(),
            day: cell(&person.day).to_owned(),
            ticket: beside(&person.ticket),
            facility: beside(&person.facility),
        };
        let head = head.check(codes, today, defects)?;
        let mut values = Values::new(codes, head.year);
        for (column, code) in &layout.columns {
            let text = cell(column);
            // An empty cell of an item that the year does not have is no result at all.
            if text.is_empty()
                && !matches!(
                    codes.find(code, head.year),
                    Some(super::codes::Known::Here(..))
                )
            {
                continue;
            }
            if let Err(defect) = values.take(code, raw(text, layout, codes, code)) {
                // The heading is what the office that made the file knows the item by.
                defects.push(Defect::new(column.clone(), defect.reason));
            }
        }
        Some(Checkup {
            subject: head.subject,
            day: head.day,
            facility: head.facility,
            results: values.finish(),
        })
    }
}

fn raw<'a>(text: &'a str, layout: &Layout, codes: &Codes, code: &str) -> Raw<'a> {
    let any = |list: &[String]| list.iter().any(|t| t == text);
    if any(&layout.not_done) {
        return Raw::NotDone;
    }
    if any(&layout.unmeasurable) {
        return Raw::Unmeasurable;
    }
    let entry = codes.test(code).map(|t| codes.entry(t));
    if entry.is_some_and(|e| !e.is_amount()) {
        return Raw::Choice(text);
    }
    // 「20.0H」「10L」: the mark of a value beyond the range stands behind it.
    let (digits, limit) = match text.char_indices().next_back() {
        Some((at, 'L')) => (&text[..at], Some(super::Limit::OrLess)),
        Some((at, 'H')) => (&text[..at], Some(super::Limit::OrMore)),
        _ => (text, None),
    };
    Raw::Amount {
        text: digits,
        unit: None,
        limit,
    }
}

enum Line {
    Whole(Vec<u8>),
    TooLong,
}

struct Lines<R> {
    source: R,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    /// The next line that is not blank, without its line break, in bounded memory.
    fn next(&mut self) -> std::io::Result<Option<Line>> {
        loop {
            let mut bytes = vec![];
            let limit = ROW_LIMIT as u64 + 2;
            let read = self
                .source
                .by_ref()
                .take(limit)
                .read_until(b'\n', &mut bytes)?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            if bytes.len() > ROW_LIMIT && bytes.last() != Some(&b'\n') {
                self.skip()?;
                return Ok(Some(Line::TooLong));
            }
            let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            // 0x1A is the end mark of old systems.
            if !matches!(line, [] | [0x1a]) {
                return Ok(Some(Line::Whole(line.to_vec())));
            }
        }
    }

    /// Passes over the rest of a line that is too long.
    fn skip(&mut self) -> std::io::Result<()> {
        loop {
            let buffer = self.source.fill_buf()?;
            let (used, done) = match buffer.iter().position(|b| *b == b'\n') {
                Some(at) => (at + 1, true),
                None => (buffer.len(), buffer.is_empty()),
            };
            self.source.consume(used);
            if done {
                return Ok(());
            }
        }
    }
}

fn fields(line: Line, encoding: Encoding, width: usize) -> Result<Vec<String>, Reason> {
    let Line::Whole(bytes) = line else {
        return Err(Reason::LongRow);
    };
    let fields = split(&bytes).ok_or(Reason::Quote)?;
    if width != usize::MAX && fields.len() != width {
        return Err(Reason::Columns);
    }
    let decoded = fields.iter().map(|f| decode(f, encoding));
    decoded.collect::<Option<_>>().ok_or(Reason::Encoding)
}

fn decode(field: &[u8], encoding: Encoding) -> Option<String> {
    match encoding {
        Encoding::Utf8 => std::str::from_utf8(field).ok().map(str::to_owned),
        Encoding::Cp932 => {
            let text = SHIFT_JIS.decode_without_bom_handling_and_without_replacement(field);
            text.map(std::borrow::Cow::into_owned)
        }
    }
}

#[cfg(test)]
mod tests;
