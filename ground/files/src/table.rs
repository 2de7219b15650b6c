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

/// Characters that CP932 does not have, each once, in their order.
pub fn unmapped<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<char> {
    let (mut lost, mut small) = (Vec::new(), [0; 4]);
    for c in texts.into_iter().flat_map(str::chars) {
        let (_, _, wrong) = encoding_rs::SHIFT_JIS.encode(c.encode_utf8(&mut small));
        if wrong && !lost.contains(&c) {
            lost.push(c);
        }
    }
    lost
}

/// `U+20BB7 U+5653`: the characters themselves may not be shown where they are told.
pub fn codes(lost: &[char]) -> String {
    let codes = lost.iter().map(|c| format!("U+{:04X}", u32::from(*c)));
    codes.collect::<Vec<_>>().join(" ")
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

    /// A number that a spreadsheet must keep as text with its leading zeros: `="0012"` (CONVENTIONS). Anything but
    /// ASCII digits and letters is left as it is.
    pub fn number(text: &str) -> String {
        match is_number(text) {
            true => format!("=\"{text}\""),
            false => text.to_owned(),
        }
    }

    /// The characters of the rows so far that CP932 does not have.
    pub fn lost(&self) -> Vec<char> {
        unmapped(self.0.iter().flatten().map(String::as_str))
    }

    /// The file, with `last` as its last row. What CP932 does not have becomes 〓.
    pub fn finish(mut self, last: Vec<String>, encoding: Encoding) -> Result<Vec<u8>, csv::Error> {
        self.row(last);
        let text = self.text()?;
        Ok(match encoding {
            Encoding::Utf8 => [&[0xEF, 0xBB, 0xBF], text.as_bytes()].concat(),
            Encoding::Cp932 => windows_31j(&text),
        })
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

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// A cell that no spreadsheet takes for a formula; `="12"` of [`Table::number`] is the one formula that stays.
fn harmless(text: String) -> String {
    let number = text
        .strip_prefix("=\"")
        .and_then(|t| t.strip_suffix('"'))
        .is_some_and(is_number);
    match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') if !number => format!("'{text}"),
        _ => text,
    }
}

/// The text in Windows-31J; what it does not have becomes 〓.
fn windows_31j(text: &str) -> Vec<u8> {
    let lost = unmapped([text]);
    let known: String = text
        .chars()
        .map(|c| if lost.contains(&c) { '〓' } else { c })
        .collect();
    encoding_rs::SHIFT_JIS.encode(&known).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table(cells: &[&str]) -> Table {
        let mut table = Table::new(&["氏名", "番号"]);
        table.row(cells.iter().map(|c| (*c).to_owned()));
        table
    }

    fn made(cells: &[&str], encoding: Encoding) -> Vec<u8> {
        let last = vec!["出力番号 1".into()];
        table(cells).finish(last, encoding).expect("a table")
    }

    #[test]
    fn what_cp932_lacks_is_marked_and_told_once() {
        let lost = table(&["髙橋﨑𠮷𠮷①", "1"]).lost();
        assert_eq!((codes(&lost), lost), ("U+20BB7".into(), vec!['𠮷']));
        let bytes = made(&["髙橋﨑𠮷𠮷①", "1"], Encoding::Cp932);
        let (text, _, _) = encoding_rs::SHIFT_JIS.decode(&bytes);
        assert_eq!(
            text,
            "\"氏名\",\"番号\"\r\n\"髙橋﨑〓〓①\",\"1\"\r\n\"出力番号 1\"\r\n"
        );
    }

    #[test]
    fn utf_8_keeps_everything_behind_its_mark() {
        let bytes = made(&["𠮷田", "1"], Encoding::Utf8);
        let text = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap();
        assert!(std::str::from_utf8(text).unwrap().contains("𠮷田"));
    }

    #[test]
    fn a_number_keeps_its_zeros() {
        assert_eq!(harmless(Table::number("0000012345")), "=\"0000012345\"");
        assert_eq!(harmless(Table::number("H000001")), "=\"H000001\"");
        for (text, cell) in [("", ""), ("1 2", "1 2"), ("=1", "'=1"), ("１２", "１２")] {
            assert_eq!(harmless(Table::number(text)), cell);
        }
    }

    proptest! {
        #[test]
        fn no_cell_begins_a_formula(text in "[=+@\t\r\"0-9a-z-]{0,12}") {
            let cell = harmless(text.clone());
            let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
            prop_assert!(!formula || Table::number(&text[2..text.len() - 1]) == cell, "{cell}");
        }

        #[test]
        fn a_file_gives_its_cells_back(cells in proptest::collection::vec("[ -~ぁ-ん\r\n]{0,20}", 2)) {
            let bytes = made(&[&cells[0], &cells[1]], Encoding::Cp932);
            let (text, _, wrong) = encoding_rs::SHIFT_JIS.decode(&bytes);
            prop_assert!(!wrong);
            let mut rows = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(text.as_bytes());
            let row = rows.records().nth(1).unwrap().unwrap();
            let expected: Vec<String> = cells.into_iter().map(harmless).collect();
            prop_assert_eq!(row.iter().collect::<Vec<_>>(), expected);
        }
    }
}
