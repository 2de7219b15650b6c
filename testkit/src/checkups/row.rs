//! Checks as rows of a CSV file: CP932, CRLF, every field quoted.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use jiff::civil::Date;

use super::{Cell, Check};
use crate::TownError;
use crate::files::{SAMPLE, cp932};

/// One result: column of the CSV file, item code, unit in CDA (empty for answers).
pub(super) struct Item {
    pub column: &'static str,
    pub code: &'static str,
    pub unit: &'static str,
}

const fn item(column: &'static str, code: &'static str, unit: &'static str) -> Item {
    Item { column, code, unit }
}

/// All results in the order of the columns.
pub(super) const ITEMS: [Item; 37] = [
    item("身長", "9N001000000000001", "cm"),
    item("体重", "9N006000000000001", "kg"),
    item("BMI", "9N011000000000001", "kg/m2"),
    item("腹囲", "9N016160100000001", "cm"),
    item("収縮期血圧1回目", "9A751000000000001", "mm[Hg]"),
    item("収縮期血圧2回目", "9A752000000000001", "mm[Hg]"),
    item("拡張期血圧1回目", "9A761000000000001", "mm[Hg]"),
    item("拡張期血圧2回目", "9A762000000000001", "mm[Hg]"),
    item("採血時間", "9N141000000000011", ""),
    item("空腹時中性脂肪", "3F015000002327101", "mg/dL"),
    item("HDL", "3F070000002327101", "mg/dL"),
    item("LDL", "3F077000002327101", "mg/dL"),
    item("AST", "3B035000002327201", "U/L"),
    item("ALT", "3B045000002327201", "U/L"),
    item("γ-GT", "3B090000002327101", "U/L"),
    item("空腹時血糖", "3D010000001926101", "mg/dL"),
    item("随時血糖", "3D010129901926101", "mg/dL"),
    item("HbA1c_HPLC", "3D046000001920402", "%"),
    item("HbA1c_免疫", "3D046000001906202", "%"),
    item("HbA1c_酵素", "3D046000001927102", "%"),
    item("HbA1c_JDS", "3D045000001906202", "%"),
    item("尿糖", "1A020000000191111", ""),
    item("尿蛋白", "1A010000000191111", ""),
    item("血色素量", "2A030000001930101", "g/dL"),
    item("赤血球数", "2A020000001930101", "10*4/mm3"),
    item("ヘマトクリット", "2A040000001930102", "%"),
    item("クレアチニン", "3C015000002327101", "mg/dL"),
    item("eGFR", "8A065000002391901", "mL/min/1.73m2"),
    item("服薬血圧", "9N701000000000011", ""),
    item("服薬血糖", "9N706000000000011", ""),
    item("服薬脂質", "9N711000000000011", ""),
    item("既往脳血管", "9N716000000000011", ""),
    item("既往心血管", "9N721000000000011", ""),
    item("既往腎", "9N726000000000011", ""),
    item("喫煙", "9N736000000000011", ""),
    item("メタボ判定", "9N501000000000011", ""),
    item("保健指導レベル", "9N506000000000011", ""),
];

/// Columns before the results.
const HEAD: [&str; 10] = [
    "宛名番号",
    "氏名カナ",
    "氏名漢字",
    "生年月日",
    "性別",
    "郵便番号",
    "住所",
    "健診実施日",
    "受診券整理番号",
    "健診機関番号",
];
/// Columns behind them.
const FOOT: [&str; 2] = ["医師の診断", "見本データ"];

/// Columns of `checkups.csv` in order: 10 of the person, 37 results, 2 more.
pub const CHECKUP_COLUMNS: [&str; 49] = {
    let mut all = [""; 49];
    let mut at = 0;
    while at < 49 {
        all[at] = if at < 10 {
            HEAD[at]
        } else if at < 47 {
            ITEMS[at - 10].column
        } else {
            FOOT[at - 47]
        };
        at += 1;
    }
    all
};

/// The place of a column among the results; the first for one that does not exist.
pub(super) fn place(column: &str) -> usize {
    ITEMS.iter().position(|i| i.column == column).unwrap_or(0)
}

pub(super) fn compact(day: Date) -> String {
    format!("{:04}{:02}{:02}", day.year(), day.month(), day.day())
}

/// The fields of a row, before dirt.
pub(super) fn fields(check: &Check) -> Vec<String> {
    let mut all = vec![
        format!("{:015}", check.number),
        check.kana.clone(),
        check.kanji.clone(),
        compact(check.birth),
        if check.woman { "2" } else { "1" }.into(),
        check.postal.clone(),
        check.address.clone(),
        compact(check.day),
        check.ticket(),
        check.facility(),
    ];
    all.extend(check.cells.iter().map(|cell| match cell {
        Cell::Text(text) => text.clone(),
        Cell::NotDone => String::new(),
        Cell::Unmeasurable => "測定不能".into(),
    }));
    all.extend(["特記事項なし".to_owned(), SAMPLE.to_owned()]);
    all
}

/// The file.
pub(super) struct Rows {
    out: BufWriter<File>,
    /// Lines so far; the heading is line 1.
    pub lines: u32,
}

impl Rows {
    pub fn create(path: &Path) -> Result<Self, TownError> {
        let mut rows = Self {
            out: BufWriter::with_capacity(1 << 18, File::create(path)?),
            lines: 0,
        };
        rows.write(
            &CHECKUP_COLUMNS.map(|c| cp932(c).unwrap_or_default()),
            false,
        )?;
        Ok(rows)
    }

    /// Writes one row of CP932 fields; `open` leaves the last quotation mark out. Gives its line.
    pub fn write(&mut self, fields: &[Vec<u8>], open: bool) -> Result<u32, TownError> {
        for (at, field) in fields.iter().enumerate() {
            self.out.write_all(if at == 0 { b"\"" } else { b",\"" })?;
            self.out.write_all(field)?;
            if !(open && at + 1 == fields.len()) {
                self.out.write_all(b"\"")?;
            }
        }
        self.out.write_all(b"\r\n")?;
        self.lines += 1;
        Ok(self.lines)
    }

    pub fn finish(mut self) -> Result<u32, TownError> {
        self.out.flush()?;
        Ok(self.lines - 1)
    }
}
