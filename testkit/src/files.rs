//! The files of the town export: CP932, CRLF, every field quoted.

use crate::TownError;
use crate::town::{House, Resident};
use jiff::civil::Date;
use mimamori_kernel::check::insured_number_check;
use mimamori_kernel::date::{PartialDate, era_letters, interface_digits};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Columns of `residents.csv` in order.
pub const RESIDENT_COLUMNS: [&str; 26] = [
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
    "見本データ",
];

/// Columns of `households.csv` in order.
pub const HOUSEHOLD_COLUMNS: [&str; 6] = [
    "世帯番号",
    "世帯主宛名番号",
    "住所",
    "成立日",
    "消除日",
    "見本データ",
];

/// A CSV file in Windows-31J.
pub(crate) struct Sheet {
    out: BufWriter<File>,
    line: String,
    /// Lines written so far; the header is line 1.
    pub lines: u64,
}

impl Sheet {
    /// Creates the file and writes the header row.
    pub fn create(path: &Path, columns: &[&str]) -> Result<Self, TownError> {
        let mut sheet = Self {
            out: BufWriter::with_capacity(1 << 18, File::create(path)?),
            line: String::new(),
            lines: 0,
        };
        sheet.write(columns)?;
        Ok(sheet)
    }

    /// Writes one row.
    pub fn write(&mut self, fields: &[&str]) -> Result<(), TownError> {
        self.line.clear();
        for (place, field) in fields.iter().enumerate() {
            self.line.push_str(if place == 0 { "\"" } else { ",\"" });
            if field.contains('"') {
                self.line.push_str(&field.replace('"', "\"\""));
            } else {
                self.line.push_str(field);
            }
            self.line.push('"');
        }
        self.line.push_str("\r\n");
        self.lines += 1;
        self.out.write_all(&cp932(&self.line)?)?;
        Ok(())
    }

    /// Writes bytes as they are; `lines` of them end here.
    pub fn write_raw(&mut self, bytes: &[u8], lines: u64) -> Result<(), TownError> {
        self.lines += lines;
        self.out.write_all(bytes)?;
        Ok(())
    }

    /// Writes what is still in memory.
    pub fn finish(mut self) -> Result<(), TownError> {
        self.out.flush()?;
        Ok(())
    }
}

/// Text as Windows-31J.
pub(crate) fn cp932(text: &str) -> Result<Vec<u8>, TownError> {
    let (bytes, _, lost) = encoding_rs::SHIFT_JIS.encode(text);
    if lost {
        return Err(TownError::NotEncodable);
    }
    Ok(bytes.into_owned())
}

fn compact(day: Date) -> String {
    format!("{:04}{:02}{:02}", day.year(), day.month(), day.day())
}

fn birth(person: &Resident) -> String {
    let western = |d: PartialDate| format!("{:04}{:02}{:02}", d.year(), d.month(), d.day());
    if person.foreign {
        return western(person.birth);
    }
    interface_digits(person.birth).unwrap_or_else(|| western(person.birth))
}

fn flag(on: bool) -> &'static str {
    if on { "1" } else { "0" }
}

/// What the column 見本データ says in every row of the sample town.
pub const SAMPLE: &str = "架空";

/// An insured number with its modulus 10 digit: the sample town's way of numbering.
fn insured_number(serial: u64) -> String {
    let nine = format!("{serial:09}");
    let check = insured_number_check(&nine).unwrap_or(0);
    format!("{nine}{check}")
}

/// Hands out the history rows of one person; gives how many there were.
pub(crate) fn person_rows(
    house: &House,
    person: &Resident,
    mut take: impl FnMut(&[&str]) -> Result<(), TownError>,
) -> Result<u32, TownError> {
    let number = format!("{:015}", person.number);
    let household = format!("{:010}", house.number);
    let insured = person.insured.map(insured_number).unwrap_or_default();
    let birth = birth(person);
    let alias = person
        .alias
        .as_ref()
        .map_or(("", ""), |a| (a.kanji.as_str(), a.kana.as_str()));
    let mut serial = 0;
    for row in &person.rows {
        serial += 1;
        let place = house.moves.place(row);
        take(&[
            &number,
            &serial.to_string(),
            flag(serial as usize == person.rows.len()),
            &household,
            &person.name.kanji,
            &person.name.kana,
            alias.0,
            alias.1,
            person.sex.code(),
            &birth,
            person.relation,
            &place.postal,
            &place.code,
            &place.address,
            &place.building,
            &house.phone,
            if person.foreign { "2" } else { "1" },
            row.reason,
            &compact(row.day),
            &era_letters(PartialDate::from(row.notice)),
            flag(person.insured.is_some()),
            &insured,
            flag(person.special),
            flag(person.protected),
            &row.to,
            SAMPLE,
        ])?;
    }
    Ok(serial)
}

/// Hands out the row of one household.
pub(crate) fn house_row<T>(house: &House, take: impl FnOnce(&[&str]) -> T) -> T {
    let head = house.people.first().map_or(0, |p| p.number);
    take(&[
        &format!("{:010}", house.number),
        &format!("{head:015}"),
        &house.moves.present().address,
        &compact(house.moves.formed()),
        &house.ended.map(compact).unwrap_or_default(),
        SAMPLE,
    ])
}
