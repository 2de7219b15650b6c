//! What a row must be, and how rows become persons and households.

use std::borrow::Cow;
use std::collections::HashMap;

use mimamori_kernel::check::{InsuredCheck, InsuredMethod, insured_number};
use mimamori_kernel::date::{PartialDate, parse_any};
use mimamori_kernel::fold::{address_key, kana_key, kanji_key, to_full_kana};

use super::fault::{Fault, Finding, Findings, Sheet};
use super::town::{Event, House, Latest, Person};

const REASONS: [&str; 9] = [
    "転入",
    "出生",
    "職権記載",
    "転居",
    "職権修正",
    "世帯変更",
    "住所地特例",
    "転出",
    "死亡",
];

/// The cells of one row, by item.
pub(super) struct Cells<'a> {
    pub row: u64,
    /// None: could not be read, and was reported.
    pub texts: Vec<Option<Cow<'a, str>>>,
    /// Whether the file has a column for the item.
    pub mapped: Vec<bool>,
    /// Something was reported already.
    pub bad: bool,
    /// Not a row: the first cell, at most, tells whose it is.
    pub broken: bool,
}

/// The number that a spoilt number stands for, to know whose row it is; never taken over.
fn meant(text: &str, length: usize) -> Option<String> {
    let digit = |c: char| match c {
        '0'..='9' => Some(c),
        '０'..='９' => char::from_u32(u32::from(c) - 0xfee0),
        _ => None,
    };
    let digits: String = text.chars().map(digit).collect::<Option<_>>()?;
    (1..=length)
        .contains(&digits.len())
        .then(|| format!("{digits:0>length$}"))
}

/// One row under examination.
struct Exam<'a> {
    sheet: Sheet,
    cells: &'a Cells<'a>,
    findings: &'a mut Findings,
    bad: bool,
}

impl<'a> Exam<'a> {
    fn new(sheet: Sheet, cells: &'a Cells<'a>, findings: &'a mut Findings) -> Self {
        Self {
            sheet,
            cells,
            findings,
            bad: cells.bad,
        }
    }
    fn wrong(&mut self, at: usize, fault: Fault) {
        self.bad |= !fault.is_warning();
        self.findings
            .add(Finding::new(self.sheet, self.cells.row, Some(at), fault));
    }
    /// None: not readable, and said so.
    fn readable(&self, at: usize) -> Option<&'a str> {
        self.cells.texts[at].as_deref()
    }
    fn text(&self, at: usize) -> &'a str {
        self.readable(at).unwrap_or_default()
    }
    /// What is wrong with `text` as a number of `length` digits.
    fn digit_fault(text: &str, length: usize) -> Option<Fault> {
        let ascii = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match (ascii, text.len()) {
            (true, n) if n == length => None,
            (true, n) if n < length => Some(Fault::Zeros),
            _ if !text.is_ascii() && meant(text, length).is_some() => Some(Fault::Width),
            _ => Some(Fault::Digits),
        }
    }
    fn digits(&mut self, at: usize, length: usize) -> &'a str {
        let Some(text) = self.readable(at) else {
            return "";
        };
        if let Some(fault) = Self::digit_fault(text, length) {
            self.wrong(at, fault);
        }
        text
    }
    fn choice(&mut self, at: usize, choices: [&str; 2]) -> bool {
        let Some(text) = self.readable(at).filter(|_| self.cells.mapped[at]) else {
            return false;
        };
        if !choices.contains(&text) {
            self.wrong(at, Fault::Choice);
        }
        text == choices[1]
    }
    fn needed(&mut self, at: usize) -> &'a str {
        if self.readable(at).is_some_and(|t| t.trim().is_empty()) {
            self.wrong(at, Fault::Empty);
        }
        self.text(at)
    }
    fn day(&mut self, at: usize, required: bool) -> Option<PartialDate> {
        let text = self.readable(at)?;
        if text.is_empty() && !(required && self.cells.mapped[at]) {
            return None;
        }
        match parse_any(text) {
            Ok(day) => Some(day),
            Err(error) => {
                self.wrong(at, error.into());
                None
            }
        }
    }
    fn kana(&mut self, at: usize) -> String {
        let kana = to_full_kana(self.text(at));
        let sound = |c: char| {
            matches!(c, '\u{30a0}'..='\u{30ff}' | '゛' | '゜' | 'A'..='Z' | 'a'..='z' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ'
                | ' ' | '　' | '-' | '－' | '.' | ',' | '\'' | '(' | ')' | '（' | '）')
        };
        if !kana.chars().all(sound) {
            self.wrong(at, Fault::Kana);
        }
        kana
    }
    /// Characters of the private area: the office's own.
    fn own_characters(&mut self, at: usize) {
        if self
            .text(at)
            .contains(|c| matches!(c, '\u{e000}'..='\u{f8ff}'))
        {
            self.wrong(at, Fault::Gaiji);
        }
    }
}

fn iso(day: Option<PartialDate>) -> String {
    day.map(PartialDate::to_iso).unwrap_or_default()
}

/// Gathers rows.
#[derive(Default)]
pub(super) struct Builder {
    check_digit: bool,
    pub(super) people: Vec<Person>,
    pub(super) places: HashMap<String, usize>,
    pub(super) houses: Vec<House>,
    pub(super) house_places: HashMap<String, usize>,
    /// A row was there whose person or household cannot be told.
    pub(super) unknown_person: bool,
    pub(super) unknown_house: bool,
}

impl Builder {
    pub fn new(check_digit: bool) -> Self {
        Self {
            check_digit,
            ..Self::default()
        }
    }

    /// One row of the households.
    pub fn household(&mut self, cells: Cells<'_>, findings: &mut Findings) {
        let mut exam = Exam::new(Sheet::Households, &cells, findings);
        let Some(number) = meant(exam.text(0), 10) else {
            if !cells.broken {
                exam.digits(0, 10);
            }
            self.unknown_house = true;
            return;
        };
        let mut house = House {
            row: cells.row,
            number: number.clone(),
            ..House::default()
        };
        if !cells.broken {
            exam.digits(0, 10);
            exam.digits(1, 15).clone_into(&mut house.head);
            exam.text(2).clone_into(&mut house.address);
            let (founded, ended) = (exam.day(3, true), exam.day(4, false));
            let first = founded.and_then(PartialDate::earliest);
            if ended
                .and_then(PartialDate::latest)
                .is_some_and(|e| Some(e) < first)
            {
                exam.wrong(4, Fault::Order);
            }
            (house.founded, house.ended) = (iso(founded), iso(ended));
        }
        if let Some(at) = self.house_places.get(&number) {
            exam.wrong(0, Fault::Twice);
            self.houses[*at].bad = true;
            return;
        }
        house.bad = exam.bad;
        self.house_places.insert(number, self.houses.len());
        self.houses.push(house);
    }

    /// The person of a number, made when new.
    fn person(&mut self, address_number: String, row: u64) -> &mut Person {
        let at = match self.places.get(&address_number) {
            Some(at) => *at,
            None => {
                self.places
                    .insert(address_number.clone(), self.people.len());
                self.people.push(Person {
                    first_row: row,
                    address_number,
                    ..Person::default()
                });
                self.people.len() - 1
            }
        };
        &mut self.people[at]
    }

    /// One row of the residents.
    pub fn resident(&mut self, cells: Cells<'_>, findings: &mut Findings) {
        let mut exam = Exam::new(Sheet::Residents, &cells, findings);
        let owner = meant(exam.text(0), 15);
        if cells.broken {
            match owner {
                Some(owner) => self.person(owner, cells.row).bad = true,
                None => self.unknown_person = true,
            }
            return;
        }
        exam.digits(0, 15);
        let number = exam.text(1).parse().unwrap_or(0);
        let number = if (1..=99_999).contains(&number) {
            number
        } else {
            0
        };
        if number == 0 && exam.readable(1).is_some() {
            exam.wrong(1, Fault::Number);
        }
        let newest = exam.choice(2, ["0", "1"]);
        let latest = latest(&mut exam, number, newest, self.check_digit);
        let event = Event {
            row: cells.row,
            number,
            reason: exam.text(17).to_owned(),
            event_day: latest.status_day.clone(),
            notified_day: iso(exam.day(19, false)),
            postal: latest.postal.clone(),
            address: latest.address.clone(),
            building: latest.building.clone(),
            moved_to: exam.text(24).to_owned(),
        };
        let Some(owner) = owner else {
            self.unknown_person = true;
            return;
        };
        let known = self.person(owner, cells.row);
        if number != 0 && known.events.iter().any(|e| e.number == number) {
            exam.wrong(1, Fault::Twice);
        }
        known.bad |= exam.bad;
        known.events.push(event);
        if newest {
            known.latest_rows += 1;
            known.latest = latest;
        }
    }
}

/// Checks all fields of a row; keys are made for the latest row only.
fn latest(exam: &mut Exam<'_>, number: i64, newest: bool, check_digit: bool) -> Latest {
    let key = |f: fn(&str) -> String, text: &str| if newest { f(text) } else { String::new() };
    let reason = exam.text(17);
    if exam.readable(17).is_some() && !REASONS.contains(&reason) {
        exam.wrong(17, Fault::Reason);
    }
    let kanji = exam.needed(4).to_owned();
    for at in [4, 6] {
        exam.own_characters(at);
    }
    exam.needed(5);
    let (kana, alias_kana) = (exam.kana(5), exam.kana(7));
    let (birth, day) = (exam.day(9, true), exam.day(18, true));
    let born = birth.and_then(PartialDate::earliest);
    if day
        .and_then(PartialDate::latest)
        .is_some_and(|d| Some(d) < born)
    {
        exam.wrong(18, Fault::BeforeBirth);
    }
    let postal = exam.text(11).replace('-', "");
    if !postal.is_empty() && (postal.len() != 7 || !postal.bytes().all(|b| b.is_ascii_digit())) {
        exam.wrong(11, Fault::Postal);
    }
    if !exam.text(12).is_empty() {
        exam.digits(12, 7);
    }
    let (insured, insured_number) = insurance(exam, check_digit);
    Latest {
        row: exam.cells.row,
        number,
        household_number: exam.digits(3, 10).to_owned(),
        kanji_key: key(kanji_key, &kanji),
        kana_key: key(kana_key, &kana),
        alias_key: key(kana_key, &alias_kana),
        address_key: key(address_key, exam.text(13)),
        kanji,
        kana,
        alias: exam.text(6).to_owned(),
        alias_kana,
        sex: if exam.choice(8, ["1", "2"]) { 2 } else { 1 },
        birth: iso(birth),
        foreigner: exam.choice(16, ["1", "2"]),
        namesakes: 1,
        relation: exam.text(10).to_owned(),
        status: match reason {
            "転出" => 2,
            "死亡" => 3,
            _ => 1,
        },
        status_day: iso(day),
        insured,
        insured_number,
        special: exam.choice(22, ["0", "1"]),
        protected: exam.choice(23, ["0", "1"]),
        beside_protected: false,
        phone: exam.text(15).to_owned(),
        postal: exam.text(11).to_owned(),
        address: exam.text(13).to_owned(),
        building: exam.text(14).to_owned(),
    }
}

/// 資格 and 被保険者番号; without a column for the one, the other decides.
fn insurance(exam: &mut Exam<'_>, check_digit: bool) -> (bool, String) {
    let text = exam.text(21);
    let insured = if exam.cells.mapped[20] {
        exam.choice(20, ["0", "1"])
    } else {
        !text.is_empty()
    };
    if exam.readable(21).is_none() || (text.is_empty() && !insured) {
        return (insured, String::new());
    }
    let sound = text.len() == 10 && text.bytes().all(|b| b.is_ascii_alphanumeric());
    if text.is_empty() {
        exam.wrong(21, Fault::Empty);
    } else if !sound {
        let fault = Exam::digit_fault(text, 10).filter(|f| *f != Fault::Digits);
        exam.wrong(21, fault.unwrap_or(Fault::Insured));
    } else if check_digit
        && insured_number(text, InsuredMethod::Mod10).is_ok_and(|c| c == InsuredCheck::Warn)
    {
        exam.wrong(21, Fault::CheckDigit);
    }
    (insured, text.to_owned())
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
