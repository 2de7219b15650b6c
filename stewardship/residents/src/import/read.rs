//! Reads the two files of a town export: CP932, a known header, and limits.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use encoding_rs::SHIFT_JIS;

use super::progress::{Phase, Progress};
use super::rule::{Builder, Findings};
use super::town::Town;
use super::{ImportError, RowError};

/// The file of persons and their history.
pub const RESIDENTS: &str = "residents.csv";
/// The file of households.
pub const HOUSEHOLDS: &str = "households.csv";

/// Columns of `residents.csv`.
pub(super) const RESIDENT_COLUMNS: [&str; 25] = [
    "宛名番号",
    "履歴番号",
    "最新フラグ",
    "世帯番号",
    "氏名漢字",
    "氏名カナ",
    "通称",
    "通称カナ",
    "性別",
    "生年月日",
    "続柄",
    "郵便番号",
    "住所コード",
    "住所",
    "方書",
    "電話番号",
    "住民区分",
    "異動事由",
    "異動日",
    "届出日",
    "資格",
    "被保険者番号",
    "住所地特例",
    "支援措置",
    "転出先住所",
];
/// Columns of `households.csv`.
pub(super) const HOUSEHOLD_COLUMNS: [&str; 5] =
    ["世帯番号", "世帯主宛名番号", "住所", "成立日", "消除日"];

const FILE_LIMIT: u64 = 2 << 30;
const FIELD_LIMIT: usize = 4 << 10;
const ROW_LIMIT: u64 = 5_000_000;
/// Bytes that one record may pull in: 25 fields at their limit and a buffer, with room to spare.
const RECORD_LIMIT: u64 = 1 << 20;

/// Stops a quotation that never closes before it fills the memory.
struct Bounded<R> {
    inner: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(out)?;
        let left = self.left.get();
        let size = u64::try_from(got).unwrap_or(u64::MAX);
        self.left.set(
            left.checked_sub(size)
                .ok_or_else(|| io::Error::other("record too long"))?,
        );
        Ok(got)
    }
}

/// Reads and checks both files of `dir`; blocks.
pub(super) fn read(dir: &Path, progress: &Progress) -> Result<Town, ImportError> {
    let mut findings = Findings::default();
    let mut builder = Builder::default();
    let houses = open(dir, HOUSEHOLDS)?;
    let residents = open(dir, RESIDENTS)?;
    progress.begin(Phase::Reading, 0);
    each(
        houses,
        HOUSEHOLDS,
        &HOUSEHOLD_COLUMNS,
        &mut findings,
        |row, fields, findings| {
            builder.household(row, fields, findings);
        },
    )?;
    each(
        residents,
        RESIDENTS,
        &RESIDENT_COLUMNS,
        &mut findings,
        |row, fields, findings| {
            if row % 1000 == 0 {
                progress.reached(row);
            }
            builder.resident(row, fields, findings);
        },
    )?;
    if findings.is_empty() {
        let town = builder.finish(&mut findings);
        if findings.is_empty() {
            return Ok(town);
        }
    }
    Err(ImportError::Refused(findings.into_rows()))
}

fn open(dir: &Path, file: &'static str) -> Result<File, ImportError> {
    let failed = |source| ImportError::File { file, source };
    let opened = File::open(dir.join(file)).map_err(failed)?;
    let about = opened.metadata().map_err(failed)?;
    if !about.is_file() {
        return Err(failed(io::Error::other("not a file")));
    }
    if about.len() > FILE_LIMIT {
        return Err(ImportError::TooLarge { file });
    }
    Ok(opened)
}

/// Hands every row with its decoded fields to `take`; row 1 is the header.
fn each<R: Read>(
    source: R,
    file: &'static str,
    columns: &[&str],
    findings: &mut Findings,
    mut take: impl FnMut(u64, &[&str], &mut Findings),
) -> Result<(), ImportError> {
    let left = Rc::new(Cell::new(RECORD_LIMIT));
    let bounded = Bounded {
        inner: source,
        left: left.clone(),
    };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(1 << 16)
        .from_reader(bounded);
    let mut record = csv::ByteRecord::new();
    let mut row = 0u64;
    loop {
        left.set(RECORD_LIMIT);
        match reader.read_byte_record(&mut record) {
            Ok(true) => row += 1,
            Ok(false) => break,
            Err(_) => {
                let reason = "行が長すぎるか、引用符が閉じていません。";
                findings.add(RowError::new(file, row + 1, "行", "IMPORT-RECORD", reason));
                return Ok(());
            }
        }
        if row > ROW_LIMIT + 1 {
            return Err(ImportError::TooLarge { file });
        }
        if record.len() != columns.len() {
            let reason = format!("項目の数が{}ではありません。", columns.len());
            findings.add(RowError::new(file, row, "行", "IMPORT-COLUMNS", reason));
            if row == 1 {
                return Ok(());
            }
            continue;
        }
        let mut texts = Vec::with_capacity(columns.len());
        for (bytes, column) in record.iter().zip(columns) {
            match decode(bytes) {
                Ok(text) => texts.push(text),
                Err((code, reason)) => findings.add(RowError::new(file, row, column, code, reason)),
            }
        }
        if texts.len() != columns.len() {
            continue;
        }
        let fields: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
        if row == 1 {
            if let Some((_, column)) = fields.iter().zip(columns).find(|(a, b)| a != b) {
                findings.add(RowError::new(
                    file,
                    1,
                    column,
                    "IMPORT-HEADER",
                    "見出しが決められた項目名ではありません。",
                ));
                return Ok(());
            }
            continue;
        }
        take(row, &fields, findings);
        if findings.is_full() {
            return Ok(());
        }
    }
    if row == 0 {
        findings.add(RowError::new(
            file,
            1,
            "行",
            "IMPORT-HEADER",
            "見出しの行がありません。",
        ));
    }
    Ok(())
}

fn decode(bytes: &[u8]) -> Result<std::borrow::Cow<'_, str>, (&'static str, &'static str)> {
    if bytes.len() > FIELD_LIMIT {
        return Err(("IMPORT-LENGTH", "項目が長すぎます（4,096バイトまで）。"));
    }
    let text = SHIFT_JIS
        .decode_without_bom_handling_and_without_replacement(bytes)
        .ok_or((
            "IMPORT-ENCODING",
            "文字コードCP932として読めない文字があります。",
        ))?;
    if text.chars().any(char::is_control) {
        return Err(("IMPORT-CONTROL", "改行などの制御文字が含まれています。"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings_of(bytes: &[u8]) -> (Vec<Vec<String>>, Vec<RowError>) {
        let (mut findings, mut rows) = (Findings::default(), vec![]);
        let take = |_: u64, f: &[&str], _: &mut Findings| {
            rows.push(f.iter().map(ToString::to_string).collect())
        };
        each(bytes, "x.csv", &["a", "b"], &mut findings, take).unwrap();
        (rows, findings.into_rows())
    }

    #[test]
    fn rows_are_decoded_and_counted_from_the_header() {
        let (bytes, ..) = SHIFT_JIS.encode("\"a\",\"b\"\r\n\"髙橋\",\"ｶﾅ表\"\r\n");
        assert_eq!(
            findings_of(&bytes),
            (vec![vec!["髙橋".to_owned(), "ｶﾅ表".into()]], vec![])
        );
        let (rows, errors) = findings_of(b"a,b\r\n\x81,1\r\n1,2,3\r\n\"x\ny\",2\r\n");
        assert!(rows.is_empty());
        let seen: Vec<_> = errors
            .iter()
            .map(|e| (e.row, e.item.as_str(), e.code))
            .collect();
        assert_eq!(
            seen,
            [
                (2, "a", "IMPORT-ENCODING"),
                (3, "行", "IMPORT-COLUMNS"),
                (4, "a", "IMPORT-CONTROL")
            ]
        );
    }

    #[test]
    fn another_header_and_endless_fields_are_refused() {
        assert_eq!(findings_of(b"a,c\r\n1,2\r\n").1[0].code, "IMPORT-HEADER");
        assert_eq!(findings_of(b"").1[0].code, "IMPORT-HEADER");
        let long = [b"a,b\r\n".as_slice(), &[b'x'; FIELD_LIMIT + 1], b",1\r\n"].concat();
        assert_eq!(findings_of(&long).1[0].code, "IMPORT-LENGTH");
        let open = [b"a,b\r\n\"".as_slice(), &vec![b'x'; 3 << 20]].concat();
        assert_eq!(findings_of(&open).1[0].code, "IMPORT-RECORD");
    }
}
