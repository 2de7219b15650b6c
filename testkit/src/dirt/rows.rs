//! Dirt of whole rows, and of rows that do not agree with each other (行と行の間の誤り).

use super::cell::at;
use super::{Group, Plant, Row, WHOLE};
use crate::draw::Draw;
use crate::{HOUSEHOLD_COLUMNS, RESIDENT_COLUMNS};

/// Bytes that are left of the last row: the numbers, and one byte of the name's first character.
pub(super) const CUT_AT: usize = 18 + 4 + 4 + 13 + 2;

/// Kinds of dirt in whole rows.
pub(super) const KINDS: [Plant; 22] = [
    doubled_row,
    one_column_more,
    one_column_less,
    line_break,
    open_quotation,
    letter_for_zero,
    scientific,
    gap,
    no_latest,
    two_latest,
    latest_is_not_last,
    before_birth,
    same_insured_number,
    head_unknown,
    head_left_out,
    head_of_another,
    household_left_out,
    household_doubled,
    household_without_zeros,
    household_day,
    household_ends_first,
    household_head_wide,
];

/// The first person with at least `least` rows.
fn with_rows(group: &mut Group, least: usize) -> Option<&mut Vec<Row>> {
    group.people.iter_mut().find(|rows| rows.len() >= least)
}

fn doubled_row(group: &mut Group, draw: &Draw) -> bool {
    let count = u32::try_from(group.people.len()).unwrap_or(0);
    let rows = &mut group.people[draw.below(count) as usize];
    let place = draw.below(u32::try_from(rows.len()).unwrap_or(0)) as usize;
    let mut copy = rows[place].clone();
    copy.fault(RESIDENT_COLUMNS[at::HISTORY], "IMPORT-TWICE");
    rows.insert(place + 1, copy);
    true
}

/// A comma within a field that was not quoted.
fn one_column_more(group: &mut Group, _: &Draw) -> bool {
    let row = &mut group.people[0][0];
    row.fields.insert(at::BUILDING, "２０１号".to_owned());
    row.fault(WHOLE, "IMPORT-COLUMNS");
    true
}

fn one_column_less(group: &mut Group, _: &Draw) -> bool {
    let row = &mut group.people[0][0];
    row.fields.remove(at::RELATION);
    row.fault(WHOLE, "IMPORT-COLUMNS");
    true
}

/// A line break in a field makes two lines, and neither is a row.
fn line_break(group: &mut Group, _: &Draw) -> bool {
    let row = &mut group.people[0][0];
    "さくら荘\r\n２０１号".clone_into(&mut row.fields[at::BUILDING]);
    row.faults.push((0, WHOLE, "IMPORT-QUOTE"));
    row.faults.push((1, WHOLE, "IMPORT-QUOTE"));
    true
}

fn open_quotation(group: &mut Group, _: &Draw) -> bool {
    let row = &mut group.people[0][0];
    row.unclosed = Some(at::KANA);
    row.fault(WHOLE, "IMPORT-QUOTE");
    true
}

/// A member with one row: nothing else in the files says that the person exists.
fn lone_member(group: &mut Group) -> Option<&mut Row> {
    let lone = |rows: &&mut Vec<Row>| rows.len() == 1;
    group.people.iter_mut().skip(1).find(lone)?.first_mut()
}

fn letter_for_zero(group: &mut Group, _: &Draw) -> bool {
    let Some(row) = lone_member(group) else {
        return false;
    };
    row.fields[at::NUMBER].replace_range(0..1, "O");
    row.fault(RESIDENT_COLUMNS[at::NUMBER], "IMPORT-DIGITS");
    true
}

/// What a spreadsheet makes of a long number.
fn scientific(group: &mut Group, _: &Draw) -> bool {
    let Some(row) = lone_member(group) else {
        return false;
    };
    "1.23E+14".clone_into(&mut row.fields[at::NUMBER]);
    row.fault(RESIDENT_COLUMNS[at::NUMBER], "IMPORT-DIGITS");
    true
}

fn gap(group: &mut Group, _: &Draw) -> bool {
    let Some(rows) = with_rows(group, 3) else {
        return false;
    };
    rows.remove(1);
    rows[1].fault(RESIDENT_COLUMNS[at::HISTORY], "IMPORT-GAP");
    true
}

fn flag(row: &mut Row, text: &str) {
    text.clone_into(&mut row.fields[at::LATEST]);
}

fn no_latest(group: &mut Group, _: &Draw) -> bool {
    let rows = &mut group.people[0];
    if let Some(last) = rows.last_mut() {
        flag(last, "0");
    }
    rows[0].fault(RESIDENT_COLUMNS[at::LATEST], "IMPORT-LATEST");
    true
}

fn two_latest(group: &mut Group, _: &Draw) -> bool {
    let Some(rows) = with_rows(group, 2) else {
        return false;
    };
    flag(&mut rows[0], "1");
    rows[0].fault(RESIDENT_COLUMNS[at::LATEST], "IMPORT-LATEST");
    true
}

fn latest_is_not_last(group: &mut Group, _: &Draw) -> bool {
    let Some(rows) = with_rows(group, 2) else {
        return false;
    };
    if let Some(last) = rows.last_mut() {
        flag(last, "0");
    }
    flag(&mut rows[0], "1");
    rows[0].fault(RESIDENT_COLUMNS[at::LATEST], "IMPORT-LATEST");
    true
}

/// 異動日 before 生年月日.
fn before_birth(group: &mut Group, _: &Draw) -> bool {
    let row = &mut group.people[0][0];
    "18680101".clone_into(&mut row.fields[at::DAY]);
    row.fault(RESIDENT_COLUMNS[at::DAY], "IMPORT-BEFORE-BIRTH");
    true
}

fn same_insured_number(group: &mut Group, _: &Draw) -> bool {
    let mut latest: Vec<&mut Row> = group
        .people
        .iter_mut()
        .filter_map(|rows| rows.last_mut())
        .filter(|row| row.fields[at::INSURED] == "1")
        .take(2)
        .collect();
    let [first, second] = latest.as_mut_slice() else {
        return false;
    };
    second.fields[at::INSURED_NUMBER].clone_from(&first.fields[at::INSURED_NUMBER]);
    for row in [first, second] {
        row.fault(RESIDENT_COLUMNS[at::INSURED_NUMBER], "IMPORT-SAME-INSURED");
    }
    true
}

fn house(group: &mut Group, column: usize, text: String, code: &'static str) -> bool {
    let row = &mut group.house[0];
    row.fields[column] = text;
    row.fault(HOUSEHOLD_COLUMNS[column], code);
    true
}

fn head_unknown(group: &mut Group, _: &Draw) -> bool {
    house(group, 1, "999999999999999".to_owned(), "IMPORT-HEAD")
}

/// The head's rows are not in the file of residents.
fn head_left_out(group: &mut Group, _: &Draw) -> bool {
    if group.people.len() < 2 {
        return false;
    }
    group.people.remove(0);
    group.house[0].fault(HOUSEHOLD_COLUMNS[1], "IMPORT-HEAD");
    true
}

fn head_of_another(group: &mut Group, _: &Draw) -> bool {
    let other = group.stranger.clone();
    !other.is_empty() && house(group, 1, other, "IMPORT-HEAD-ELSEWHERE")
}

fn household_left_out(group: &mut Group, _: &Draw) -> bool {
    group.house.clear();
    for row in group.people.iter_mut().filter_map(|rows| rows.last_mut()) {
        row.fault(RESIDENT_COLUMNS[at::HOUSEHOLD], "IMPORT-HOUSEHOLD");
    }
    true
}

fn household_doubled(group: &mut Group, _: &Draw) -> bool {
    let mut copy = group.house[0].clone();
    copy.fault(HOUSEHOLD_COLUMNS[0], "IMPORT-TWICE");
    group.house.push(copy);
    true
}

fn household_without_zeros(group: &mut Group, _: &Draw) -> bool {
    let bare = group.house[0].fields[0].trim_start_matches('0').to_owned();
    house(group, 0, bare, "IMPORT-ZEROS")
}

fn household_day(group: &mut Group, _: &Draw) -> bool {
    house(group, 3, "20231301".to_owned(), "DATE-MONTH")
}

fn household_ends_first(group: &mut Group, _: &Draw) -> bool {
    house(group, 4, "18990101".to_owned(), "IMPORT-ORDER")
}

fn household_head_wide(group: &mut Group, _: &Draw) -> bool {
    let wide = "０".repeat(15);
    house(group, 1, wide, "IMPORT-WIDTH")
}

/// The file ends in the middle of its last row.
pub(super) fn cut_off(group: &mut Group) {
    if let Some(row) = group.people.last_mut().and_then(|rows| rows.last_mut()) {
        row.fault(WHOLE, "IMPORT-CUT");
    }
}
