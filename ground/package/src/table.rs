//! Tables: CSV, UTF-8 with byte order mark, CRLF, a heading row; nothing is guessed.

use std::io::Read;

use csv::{ReaderBuilder, Terminator, WriterBuilder};
use zeroize::Zeroizing;

use crate::archive::damaged;
use crate::error::PackageError;
use crate::manifest::{Column, FileEntry};

const MARK: &[u8] = b"\xef\xbb\xbf";

/// The file of a table.
///
/// # Errors
/// [`PackageError::Columns`] for a row with another number of values.
pub fn write_rows<R: AsRef<[String]>>(
    columns: &[Column],
    rows: &[R],
) -> Result<Zeroizing<Vec<u8>>, PackageError> {
    let wrong = |_: csv::Error| PackageError::Columns;
    let mut out = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(MARK.to_vec());
    out.write_record(columns.iter().map(|c| c.name.as_str()))
        .map_err(wrong)?;
    for row in rows {
        out.write_record(row.as_ref()).map_err(wrong)?;
    }
    let bytes = out.into_inner().map_err(|_| PackageError::Columns)?;
    Ok(Zeroizing::new(bytes))
}

/// The rows of a file that [`write_rows`] made or a kit filled in.
///
/// # Errors
/// [`PackageError::Columns`] for other headings, [`PackageError::Rows`] for what is no such table.
pub fn read_rows(columns: &[Column], bytes: &[u8]) -> Result<Vec<Vec<String>>, PackageError> {
    let mut rows = Vec::new();
    each(columns, bytes, |record| {
        let mut row = Vec::with_capacity(record.len());
        for value in record {
            let text = std::str::from_utf8(value).map_err(|_| PackageError::Rows)?;
            row.push(text.to_owned());
        }
        rows.push(row);
        Ok(())
    })?;
    Ok(rows)
}

/// Counts the rows of a table and compares the headings.
pub(crate) fn check_table(file: &FileEntry, input: impl Read) -> Result<(), PackageError> {
    let mut rows = 0i64;
    each(&file.columns, input, |_| {
        rows += 1;
        Ok(())
    })?;
    match rows == file.rows {
        true => Ok(()),
        false => Err(PackageError::Rows),
    }
}

fn each(
    columns: &[Column],
    mut input: impl Read,
    mut row: impl FnMut(&csv::ByteRecord) -> Result<(), PackageError>,
) -> Result<(), PackageError> {
    let mut mark = [0u8; 3];
    let got = crate::open::fill(&mut input, &mut mark).map_err(damaged)?;
    if mark[..got] != *MARK {
        return Err(PackageError::Columns);
    }
    let mut reader = ReaderBuilder::new().has_headers(false).from_reader(input);
    let mut record = csv::ByteRecord::new();
    let mut first = true;
    let failed = |error: csv::Error| match error.into_kind() {
        csv::ErrorKind::Io(error) => damaged(error),
        _ => PackageError::Rows,
    };
    while reader.read_byte_record(&mut record).map_err(failed)? {
        if first {
            let names = columns.iter().map(|c| c.name.as_bytes());
            if !record.iter().eq(names) {
                return Err(PackageError::Columns);
            }
            first = false;
            continue;
        }
        row(&record)?;
    }
    match first {
        true => Err(PackageError::Columns),
        false => Ok(()),
    }
}
