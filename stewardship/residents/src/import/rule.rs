//! What a row must be, and how rows become persons and households.

use std::collections::{HashMap, HashSet};

use mimamori_kernel::date::parse_any;
use mimamori_kernel::fold::{address_key, kana_key, kanji_key, to_full_kana};

use super::RowError;
use super::read::{HOUSEHOLD_COLUMNS, HOUSEHOLDS, RESIDENT_COLUMNS, RESIDENTS};
use super::town::{Event, House, Latest, Person, Town};

/// Errors that are collected at most.
const MOST: usize = 1000;
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

/// What is wrong with the files.
#[derive(Default)]
pub(super) struct Findings(Vec<RowError>);

impl Findings {
    pub fn add(&mut self, error: RowError) {
        if !self.is_full() {
            self.0.push(error);
        }
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub fn is_full(&self) -> bool {
        self.0.len() >= MOST
    }
    pub fn into_rows(self) -> Vec<RowError> {
        self.0
    }
}

/// One row under examination.
struct Exam<'a> {
    file: &'static str,
    row: u64,
    columns: &'a [&'a str],
    fields: &'a [&'a str],
    findings: &'a mut Findings,
}

impl<'a> Exam<'a> {
    fn wrong(&mut self, at: usize, code: &'static str, reason: &str) {
        self.findings.add(RowError::new(
            self.file,
            self.row,
            self.columns[at],
            code,
            reason,
        ));
    }
    fn text(&self, at: usize) -> String {
        self.fields[at].to_owned()
    }
    fn digits(&mut self, at: usize, length: usize) -> &'a str {
        let text = self.fields[at];
        if text.len() != length || !text.bytes().all(|b| b.is_ascii_digit()) {
            self.wrong(
                at,
                "IMPORT-DIGITS",
                &format!("半角数字{length}桁ではありません。"),
            );
        }
        text
    }
    fn choice(&mut self, at: usize, choices: [&str; 2]) -> bool {
        let text = self.fields[at];
        if !choices.contains(&text) {
            self.wrong(
                at,
                "IMPORT-CHOICE",
                &format!("{}か{}のどちらかではありません。", choices[0], choices[1]),
            );
        }
        text == choices[1]
    }
    fn needed(&mut self, at: usize) -> String {
        if self.fields[at].trim().is_empty() {
            self.wrong(at, "IMPORT-EMPTY", "必須の項目が空です。");
        }
        self.text(at)
    }
    fn day(&mut self, at: usize, required: bool) -> String {
        if self.fields[at].is_empty() && !required {
            return String::new();
        }
        match parse_any(self.fields[at]) {
            Ok(day) => day.to_iso(),
            Err(error) => {
                self.wrong(at, "IMPORT-DATE", &error.to_string());
                String::new()
            }
        }
    }
}

/// Gathers rows.
#[derive(Default)]
pub(super) struct Builder {
    people: Vec<Person>,
    places: HashMap<String, usize>,
    houses: Vec<House>,
    numbers: HashSet<String>,
    rows: u64,
}

impl Builder {
    /// One row of `households.csv`.
    pub fn household(&mut self, row: u64, fields: &[&str], findings: &mut Findings) {
        let mut exam = Exam {
            file: HOUSEHOLDS,
            row,
            columns: &HOUSEHOLD_COLUMNS,
            fields,
            findings,
        };
        let number = exam.digits(0, 10).to_owned();
        let head = exam.digits(1, 15).to_owned();
        let (address, founded, ended) = (exam.text(2), exam.day(3, true), exam.day(4, false));
        if !self.numbers.insert(number.clone()) {
            exam.wrong(0, "IMPORT-TWICE", "同じ世帯番号の行が二つ以上あります。");
        }
        self.houses.push(House {
            row,
            number,
            head,
            address,
            founded,
            ended,
        });
    }

    /// One row of `residents.csv`.
    pub fn resident(&mut self, row: u64, fields: &[&str], findings: &mut Findings) {
        self.rows += 1;
        let mut exam = Exam {
            file: RESIDENTS,
            row,
            columns: &RESIDENT_COLUMNS,
            fields,
            findings,
        };
        let address_number = exam.digits(0, 15);
        let number = fields[1]
            .parse()
            .ok()
            .filter(|n| (1..=99_999).contains(n))
            .unwrap_or(0);
        if number == 0 {
            exam.wrong(1, "IMPORT-NUMBER", "1から99999までの数字ではありません。");
        }
        let newest = exam.choice(2, ["0", "1"]);
        let latest = person(&mut exam, row, number, newest);
        let event = Event {
            number,
            reason: exam.text(17),
            event_day: latest.status_day.clone(),
            notified_day: exam.day(19, false),
            postal: exam.text(11),
            address: exam.text(13),
            building: exam.text(14),
            moved_to: exam.text(24),
        };
        let at = match self.places.get(address_number) {
            Some(at) => *at,
            None => {
                self.places
                    .insert(address_number.to_owned(), self.people.len());
                let (address_number, latest) = (address_number.to_owned(), Latest::default());
                self.people.push(Person {
                    first_row: row,
                    latest_rows: 0,
                    address_number,
                    latest,
                    events: vec![],
                });
                self.people.len() - 1
            }
        };
        let known = &mut self.people[at];
        if known.events.iter().any(|e| e.number == number) {
            exam.wrong(
                1,
                "IMPORT-TWICE",
                "同じ宛名番号に同じ履歴番号の行が二つ以上あります。",
            );
        }
        known.events.push(event);
        if newest {
            known.latest_rows += 1;
            known.latest = latest;
        }
    }

    /// Checks what several rows must agree on, and counts namesakes.
    pub fn finish(mut self, findings: &mut Findings) -> Town {
        let mut wrong = |file, row, item: &str, code, reason| {
            findings.add(RowError::new(file, row, item, code, reason))
        };
        let mut insured = HashSet::new();
        let mut names: HashMap<(&str, &str), i64> = HashMap::new();
        for person in &self.people {
            let (latest, row) = (&person.latest, person.latest.row);
            if person.latest_rows != 1 {
                wrong(
                    RESIDENTS,
                    person.first_row,
                    "最新フラグ",
                    "IMPORT-LATEST",
                    "最新の行が一人に一つではありません。",
                );
                continue;
            }
            if person.events.iter().any(|e| e.number > latest.number) {
                wrong(
                    RESIDENTS,
                    row,
                    "最新フラグ",
                    "IMPORT-LATEST",
                    "最新の行より大きい履歴番号の行があります。",
                );
            }
            if !self.numbers.contains(&latest.household_number) {
                wrong(
                    RESIDENTS,
                    row,
                    "世帯番号",
                    "IMPORT-HOUSEHOLD",
                    "世帯ファイルにない世帯番号です。",
                );
            }
            if !latest.insured_number.is_empty() && !insured.insert(latest.insured_number.as_str())
            {
                wrong(
                    RESIDENTS,
                    row,
                    "被保険者番号",
                    "IMPORT-TWICE",
                    "同じ被保険者番号の人が二人以上います。",
                );
            }
            *names
                .entry((&latest.kanji_key, &latest.kana_key))
                .or_default() += 1;
        }
        for house in &self.houses {
            if !self.places.contains_key(&house.head) {
                wrong(
                    HOUSEHOLDS,
                    house.row,
                    "世帯主宛名番号",
                    "IMPORT-HEAD",
                    "住民ファイルにない宛名番号です。",
                );
            }
        }
        let same = |p: &Person| {
            names
                .get(&(p.latest.kanji_key.as_str(), p.latest.kana_key.as_str()))
                .copied()
        };
        let counts: Vec<i64> = self.people.iter().map(|p| same(p).unwrap_or(1)).collect();
        for (person, count) in self.people.iter_mut().zip(counts) {
            person.latest.namesakes = count;
        }
        Town {
            people: self.people,
            houses: self.houses,
            rows: self.rows,
        }
    }
}

/// Checks all fields of a row; keys are made for the latest row only.
fn person(exam: &mut Exam<'_>, row: u64, number: i64, newest: bool) -> Latest {
    let key = |f: fn(&str) -> String, text: &str| if newest { f(text) } else { String::new() };
    let insured = exam.choice(20, ["0", "1"]);
    let insured_number = exam.text(21);
    let empty = insured_number.is_empty() && !insured;
    if !empty
        && (insured_number.len() != 10
            || !insured_number.bytes().all(|b| b.is_ascii_alphanumeric()))
    {
        exam.wrong(
            21,
            "IMPORT-INSURED",
            "被保険者番号が半角10文字ではありません。",
        );
    }
    let reason = exam.text(17);
    if !REASONS.contains(&reason.as_str()) {
        exam.wrong(
            17,
            "IMPORT-REASON",
            "異動事由が決められた語ではありません。",
        );
    }
    let (kana, alias_kana) = (to_full_kana(&exam.needed(5)), to_full_kana(exam.fields[7]));
    Latest {
        row,
        number,
        household_number: exam.digits(3, 10).to_owned(),
        kanji_key: key(kanji_key, exam.fields[4]),
        kana_key: key(kana_key, &kana),
        alias_key: key(kana_key, &alias_kana),
        address_key: key(address_key, exam.fields[13]),
        kanji: exam.text(4),
        kana,
        alias: exam.text(6),
        alias_kana,
        sex: if exam.choice(8, ["1", "2"]) { 2 } else { 1 },
        birth: exam.day(9, true),
        foreigner: exam.choice(16, ["1", "2"]),
        namesakes: 1,
        relation: exam.text(10),
        status: match reason.as_str() {
            "転出" => 2,
            "死亡" => 3,
            _ => 1,
        },
        status_day: exam.day(18, true),
        insured,
        insured_number,
        special: exam.choice(22, ["0", "1"]),
        protected: exam.choice(23, ["0", "1"]),
        phone: exam.text(15),
        postal: exam.text(11),
        address: exam.text(13),
        building: exam.text(14),
    }
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
