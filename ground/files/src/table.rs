/// The bytes of one file: UTF-8 with a mark at its beginning, or Windows-31J (CP932).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8 with BOM; the one that spreadsheets recognise.
    Utf8,
    /// Windows-31J.
    Cp932,
}

impl Encoding {
    /// From a form's field: `cp932`, anything else is UTF-8.
    pub fn of(field: &str) -> Self {
        match field {
            "cp932" => Self::Cp932,
            _ => Self::Utf8,
        }
    }
}

/// A finished file.
pub struct Made {
    /// The file.
    pub bytes: Vec<u8>,
    /// The characters that the encoding lacks, each once, in the order of their coming. In the file each is 〓.
    pub lost: Vec<char>,
}

impl Made {
    /// The sentence that tells of the lost characters, with their code points.
    pub fn told(&self) -> Option<String> {
        let codes: Vec<String> = self
            .lost
            .iter()
            .map(|c| format!("{c}（U+{:04X}）", u32::from(*c)))
            .collect();
        match codes.len() {
            0 => None,
            n => Some(format!(
                "CP932にない文字{n}種類を「〓」にしました: {}",
                codes.join("、")
            )),
        }
    }
}

/// A table for a spreadsheet: CSV, CRLF, every cell quoted.
pub struct Table(Vec<Vec<String>>);

impl Table {
    /// A table with its heading.
    pub fn new(head: &[&str]) -> Self {
        Self(vec![head.iter().map(|h| (*h).to_owned()).collect()])
    }

    /// One more row. A cell that a spreadsheet would take for a formula begins with an apostrophe.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.0.push(cells.into_iter().map(harmless).collect());
    }

    /// A cell of digits that a spreadsheet must keep as text with its leading zeros: `="0012"`.
    /// Anything but ASCII digits is left as it is.
    pub fn digits(text: &str) -> String {
        match !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            true => format!("=\"{text}\""),
            false => text.to_owned(),
        }
    }

    /// The file, with `last` as its last row; lost characters have a row of their own after it.
    pub fn finish(mut self, last: Vec<String>, encoding: Encoding) -> Result<Made, csv::Error> {
        self.row(last);
        let text = self.text()?;
        if encoding == Encoding::Utf8 {
            let bytes = [&[0xEF, 0xBB, 0xBF], text.as_bytes()].concat();
            return Ok(Made {
                bytes,
                lost: vec![],
            });
        }
        let (bytes, lost) = windows_31j(&text);
        if lost.is_empty() {
            return Ok(Made { bytes, lost });
        }
        let codes: Vec<String> = lost
            .iter()
            .map(|c| format!("U+{:04X}", u32::from(*c)))
            .collect();
        self.row([format!(
            "CP932にない文字{}種類を〓にしました: {}",
            lost.len(),
            codes.join(" ")
        )]);
        let (bytes, lost) = windows_31j(&self.text()?);
        Ok(Made { bytes, lost })
    }

    fn text(&self) -> Result<String, csv::Error> {
        let mut out = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .flexible(true)
            .quote_style(csv::QuoteStyle::Always)
            .from_writer(vec![]);
        for row in &self.0 {
            out.write_record(row)?;
        }
        let bytes = out.into_inner().map_err(|e| e.into_error())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// A cell that no spreadsheet takes for a formula; `="12"` of [`Table::digits`] is the one formula that stays.
fn harmless(text: String) -> String {
    let digits = text
        .strip_prefix("=\"")
        .and_then(|t| t.strip_suffix('"'))
        .is_some_and(|t| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit()));
    match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') if !digits => format!("'{text}"),
        _ => text,
    }
}

/// The text in Windows-31J; what it does not have becomes 〓 and is told.
fn windows_31j(text: &str) -> (Vec<u8>, Vec<char>) {
    let (mut out, mut lost) = (Vec::with_capacity(text.len()), Vec::new());
    let mut small = [0; 4];
    for c in text.chars() {
        let (encoded, _, wrong) = encoding_rs::SHIFT_JIS.encode(c.encode_utf8(&mut small));
        match wrong {
            false => out.extend_from_slice(&encoded),
            true => {
                out.extend_from_slice(&[0x81, 0xAC]);
                if !lost.contains(&c) {
                    lost.push(c);
                }
            }
        }
    }
    (out, lost)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn made(cells: &[&str], encoding: Encoding) -> Made {
        let mut table = Table::new(&["氏名", "番号"]);
        table.row(cells.iter().map(|c| (*c).to_owned()));
        table.finish(vec!["出力番号 1".into()], encoding).unwrap()
    }

    #[test]
    fn what_cp932_lacks_is_marked_and_told_once() {
        let made = made(&["髙橋﨑𠮷𠮷①", "1"], Encoding::Cp932);
        assert_eq!(made.lost, ['𠮷']);
        let (text, _, _) = encoding_rs::SHIFT_JIS.decode(&made.bytes);
        assert_eq!(
            text,
            "\"氏名\",\"番号\"\r\n\"髙橋﨑〓〓①\",\"1\"\r\n\"出力番号 1\"\r\n\
             \"CP932にない文字1種類を〓にしました: U+20BB7\"\r\n"
        );
        assert_eq!(
            made.told().unwrap(),
            "CP932にない文字1種類を「〓」にしました: 𠮷（U+20BB7）"
        );
    }

    #[test]
    fn utf_8_keeps_everything_behind_its_mark() {
        let made = made(&["𠮷田", "1"], Encoding::Utf8);
        assert!(made.bytes.starts_with(&[0xEF, 0xBB, 0xBF]));
        assert!(made.lost.is_empty() && made.told().is_none());
    }

    #[test]
    fn a_number_keeps_its_zeros() {
        assert_eq!(harmless(Table::digits("0000012345")), "=\"0000012345\"");
        for (text, cell) in [("", ""), ("12a", "12a"), ("=1", "'=1"), ("１２", "１２")] {
            assert_eq!(harmless(Table::digits(text)), cell);
        }
    }

    proptest! {
        #[test]
        fn no_cell_begins_a_formula(text in "[=+@\t\r\"0-9a-z-]{0,12}") {
            let cell = harmless(text.clone());
            let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
            prop_assert!(!formula || Table::digits(&text[2..text.len() - 1]) == cell, "{cell}");
        }

        #[test]
        fn a_file_gives_its_cells_back(cells in proptest::collection::vec("[ -~ぁ-ん\r\n]{0,20}", 2)) {
            let made = made(&[&cells[0], &cells[1]], Encoding::Cp932);
            prop_assume!(made.lost.is_empty());
            let (text, _, wrong) = encoding_rs::SHIFT_JIS.decode(&made.bytes);
            prop_assert!(!wrong);
            let mut rows = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(text.as_bytes());
            let row = rows.records().nth(1).unwrap().unwrap();
            let expected: Vec<String> = cells.into_iter().map(harmless).collect();
            prop_assert_eq!(row.iter().collect::<Vec<_>>(), expected);
        }
    }
}
