//! Dirt within one field of one row (項目の誤り).

use super::{Group, Plant, Row};
use crate::RESIDENT_COLUMNS;
use crate::draw::Draw;

/// Places of the columns in `residents.csv`.
pub(super) mod at {
    pub const NUMBER: usize = 0;
    pub const HISTORY: usize = 1;
    pub const LATEST: usize = 2;
    pub const HOUSEHOLD: usize = 3;
    pub const KANJI: usize = 4;
    pub const KANA: usize = 5;
    pub const SEX: usize = 8;
    pub const BIRTH: usize = 9;
    pub const RELATION: usize = 10;
    pub const POSTAL: usize = 11;
    pub const PLACE_CODE: usize = 12;
    pub const BUILDING: usize = 14;
    pub const FOREIGN: usize = 16;
    pub const REASON: usize = 17;
    pub const DAY: usize = 18;
    pub const NOTICE: usize = 19;
    pub const INSURED: usize = 20;
    pub const INSURED_NUMBER: usize = 21;
    pub const SPECIAL: usize = 22;
    pub const PROTECTED: usize = 23;
}

/// A drawn person's latest row.
fn latest<'a>(group: &'a mut Group, draw: &Draw) -> Option<&'a mut Row> {
    let count = u32::try_from(group.people.len()).unwrap_or(0);
    group.people.get_mut(draw.below(count) as usize)?.last_mut()
}

fn set(group: &mut Group, draw: &Draw, at: usize, text: &str, code: &'static str) -> bool {
    let Some(row) = latest(group, draw) else {
        return false;
    };
    text.clone_into(&mut row.fields[at]);
    row.fault(RESIDENT_COLUMNS[at], code);
    true
}

macro_rules! cells {
    ($($at:ident = $text:literal is $code:literal,)*) => {
        [$(|group, draw| set(group, draw, at::$at, $text, $code),)*]
    };
}

const PLAIN: [Plant; 20] = cells![
    SEX = "3" is "IMPORT-CHOICE",
    FOREIGN = "5" is "IMPORT-CHOICE",
    SPECIAL = "有" is "IMPORT-CHOICE",
    PROTECTED = "９" is "IMPORT-CHOICE",
    REASON = "婚姻" is "IMPORT-REASON",
    BIRTH = "昭和64年1月8日" is "DATE-ERA-END",
    BIRTH = "3640108" is "DATE-ERA-END",
    NOTICE = "S64.01.08" is "DATE-ERA-END",
    NOTICE = "R00.04.01" is "DATE-ERA-YEAR",
    BIRTH = "4010107" is "DATE-ERA-START",
    BIRTH = "3159912" is "DATE-MONTH",
    DAY = "20250230" is "DATE-DAY",
    DAY = "" is "DATE-EMPTY",
    BIRTH = "6010101" is "DATE-SHAPE",
    KANA = "" is "IMPORT-EMPTY",
    KANJI = "　" is "IMPORT-EMPTY",
    KANJI = "見守\t太郎" is "IMPORT-CONTROL",
    POSTAL = "99-101" is "IMPORT-POSTAL",
    HISTORY = "一" is "IMPORT-NUMBER",
    PLACE_CODE = "00000A1" is "IMPORT-DIGITS",
];

/// Kinds of dirt in one field.
pub(super) const KINDS: [Plant; 32] = {
    let mut all: [Plant; 32] = [broken_character; 32];
    let mut i = 0;
    while i < PLAIN.len() {
        all[i] = PLAIN[i];
        i += 1;
    }
    all[20] = broken_character;
    all[21] = half_a_character;
    all[22] = own_character;
    all[23] = swapped_names;
    all[24] = swapped_sex_and_birth;
    all[25] = swapped_codes;
    all[26] = wide_digits;
    all[27] = zeros_of_the_household;
    all[28] = zeros_of_the_person;
    all[29] = zeros_of_the_insured;
    all[30] = check_digit;
    all[31] = insured_without_number;
    all
};

fn raw(group: &mut Group, draw: &Draw, bytes: &[u8], code: &'static str) -> bool {
    let Some(row) = latest(group, draw) else {
        return false;
    };
    row.raw = Some((at::KANJI, bytes.to_vec()));
    row.fault(RESIDENT_COLUMNS[at::KANJI], code);
    true
}

/// 0xFF is the second byte of nothing.
fn broken_character(group: &mut Group, draw: &Draw) -> bool {
    raw(group, draw, &[0x8c, 0xa9, 0x81, 0xff], "IMPORT-ENCODING")
}

/// The field was cut after 20 bytes, in the middle of a character.
fn half_a_character(group: &mut Group, draw: &Draw) -> bool {
    raw(group, draw, &[0x8c, 0xa9, 0x8e], "IMPORT-ENCODING")
}

/// 外字 of another office's machine, from the private area.
fn own_character(group: &mut Group, draw: &Draw) -> bool {
    raw(
        group,
        draw,
        &[0xf0, 0x40, 0x81, 0x40, 0x89, 0xd4],
        "IMPORT-GAIJI",
    )
}

fn swapped_names(group: &mut Group, draw: &Draw) -> bool {
    let Some(row) = latest(group, draw).filter(|r| r.fields[at::FOREIGN] == "1") else {
        return false;
    };
    row.fields.swap(at::KANJI, at::KANA);
    row.fault(RESIDENT_COLUMNS[at::KANA], "IMPORT-KANA");
    true
}

fn swapped_sex_and_birth(group: &mut Group, draw: &Draw) -> bool {
    let Some(row) = latest(group, draw) else {
        return false;
    };
    row.fields.swap(at::SEX, at::BIRTH);
    row.fault(RESIDENT_COLUMNS[at::SEX], "IMPORT-CHOICE");
    row.fault(RESIDENT_COLUMNS[at::BIRTH], "DATE-SHAPE");
    true
}

/// 郵便番号 and 住所コード; the code is 7 digits and passes for a postal number.
fn swapped_codes(group: &mut Group, draw: &Draw) -> bool {
    let Some(row) = latest(group, draw) else {
        return false;
    };
    row.fields.swap(at::POSTAL, at::PLACE_CODE);
    row.fault(RESIDENT_COLUMNS[at::PLACE_CODE], "IMPORT-DIGITS");
    true
}

fn wide_digits(group: &mut Group, draw: &Draw) -> bool {
    let Some(row) = latest(group, draw) else {
        return false;
    };
    let column = *draw.pick(&[at::NUMBER, at::HOUSEHOLD]);
    row.fields[column] = row.fields[column]
        .chars()
        .map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c))
        .collect();
    row.fault(RESIDENT_COLUMNS[column], "IMPORT-WIDTH");
    true
}

fn strip(group: &mut Group, draw: &Draw, column: usize) -> bool {
    let Some(row) = latest(group, draw).filter(|r| r.fields[column].starts_with('0')) else {
        return false;
    };
    row.fields[column] = row.fields[column].trim_start_matches('0').to_owned();
    row.fault(RESIDENT_COLUMNS[column], "IMPORT-ZEROS");
    true
}

/// A spreadsheet took the number for a number.
fn zeros_of_the_household(group: &mut Group, draw: &Draw) -> bool {
    strip(group, draw, at::HOUSEHOLD)
}

fn zeros_of_the_person(group: &mut Group, draw: &Draw) -> bool {
    strip(group, draw, at::NUMBER)
}

fn zeros_of_the_insured(group: &mut Group, draw: &Draw) -> bool {
    strip(group, draw, at::INSURED_NUMBER)
}

fn check_digit(group: &mut Group, draw: &Draw) -> bool {
    let Some(row) = latest(group, draw).filter(|r| r.fields[at::INSURED] == "1") else {
        return false;
    };
    let number = &mut row.fields[at::INSURED_NUMBER];
    let wrong = match number.pop().and_then(|c| c.to_digit(10)) {
        Some(digit) => (digit + 1 + draw.below(9)) % 10,
        None => return false,
    };
    number.push_str(&wrong.to_string());
    row.fault(RESIDENT_COLUMNS[at::INSURED_NUMBER], "IMPORT-CHECK-DIGIT");
    true
}

fn insured_without_number(group: &mut Group, draw: &Draw) -> bool {
    let Some(row) = latest(group, draw).filter(|r| r.fields[at::INSURED] == "1") else {
        return false;
    };
    row.fields[at::INSURED_NUMBER].clear();
    row.fault(RESIDENT_COLUMNS[at::INSURED_NUMBER], "IMPORT-EMPTY");
    true
}

/// The field of many megabytes.
pub(super) fn huge(group: &mut Group, bytes: usize) {
    let Some(row) = group.people.first_mut().and_then(|rows| rows.last_mut()) else {
        return;
    };
    row.raw = Some((at::BUILDING, vec![0xb1; bytes]));
    row.fault(RESIDENT_COLUMNS[at::BUILDING], "IMPORT-LENGTH");
}
