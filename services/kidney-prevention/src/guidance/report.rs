//! The guidance report (指導結果報告書): its fields, and what is wrong with one that came back (S1-25, S1-26).
//!
//! A report may hold only what the sheet names (S1-16 to S1-18): each field belongs to an item, and a field of an item
//! that was not agreed is refused with the item's name. Fields are 想定; the document does not list them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use mimamori_kernel::date::parse_full;

use super::plan::Mode;
use crate::checkup::{Amount, Codes, Test};

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A row number of the package that was handed over; never a name.
    Reference,
    /// 1 to 6.
    ContactNumber,
    /// A day within the contract.
    Day,
    /// One of the four modes.
    Mode,
    /// Minutes, 1 to 600.
    Minutes,
    /// One of these words.
    Word(&'static [&'static str]),
    /// An amount within the range of a test.
    Amount(Test),
    /// Text of at most so many characters.
    Text(usize),
}

/// A field of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Stable id.
    pub id: &'static str,
    /// Heading.
    pub japanese: &'static str,
    /// The sheet's item that covers it; none for what tells about the work alone.
    pub item: Option<&'static str>,
    /// Whether it must be filled.
    pub required: bool,
    /// What it holds.
    pub kind: Kind,
}

const fn field(
    id: &'static str,
    japanese: &'static str,
    item: Option<&'static str>,
    required: bool,
    kind: Kind,
) -> Field {
    Field {
        id,
        japanese,
        item,
        required,
        kind,
    }
}

/// The form.
pub const FIELDS: [Field; 17] = [
    field("reference", "受渡番号", None, true, Kind::Reference),
    field("contact", "回", None, true, Kind::ContactNumber),
    field("day", "実施日", None, true, Kind::Day),
    field("mode", "方法", None, true, Kind::Mode),
    field("minutes", "時間（分）", None, false, Kind::Minutes),
    field(
        "professional",
        "実施者の職種",
        None,
        true,
        Kind::Word(&["医師", "保健師", "管理栄養士", "看護師"]),
    ),
    field(
        "result",
        "結果",
        None,
        true,
        Kind::Word(&["実施", "不在", "辞退", "延期"]),
    ),
    field(
        "weight",
        "体重",
        Some("body_measurement"),
        false,
        Kind::Amount(Test::Weight),
    ),
    field(
        "systolic",
        "収縮期血圧",
        Some("blood_pressure"),
        false,
        Kind::Amount(Test::Systolic),
    ),
    field(
        "diastolic",
        "拡張期血圧",
        Some("blood_pressure"),
        false,
        Kind::Amount(Test::Diastolic),
    ),
    field(
        "hba1c",
        "HbA1c（NGSP）",
        Some("blood_glucose"),
        false,
        Kind::Amount(Test::Hba1c),
    ),
    field(
        "egfr",
        "eGFR",
        Some("kidney_function"),
        false,
        Kind::Amount(Test::Egfr),
    ),
    field(
        "smoking",
        "喫煙",
        Some("smoking"),
        false,
        Kind::Word(&["吸う", "吸わない", "やめた"]),
    ),
    field(
        "treatment",
        "通院・服薬の状況",
        Some("treatment_state"),
        false,
        Kind::Text(200),
    ),
    field(
        "goal",
        "本人の目標",
        Some("guidance_instructions"),
        false,
        Kind::Text(200),
    ),
    field(
        "content",
        "指導の内容",
        Some("guidance_instructions"),
        false,
        Kind::Text(1000),
    ),
    field("complaint", "意見・苦情", None, false, Kind::Text(500)),
];

/// What a report is held against.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// Items of the sheet that is in force.
    pub agreed: &'a BTreeSet<String>,
    /// References that were handed over in the package.
    pub references: &'a BTreeSet<String>,
    /// First and last day of the contract.
    pub contract: (Date, Date),
    /// The day of the check.
    pub today: Date,
}

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// Not a field of the form.
    NoField,
    /// Of an item that the sheet does not name.
    NotAgreed,
    /// Must be filled.
    Empty,
    /// Not handed over in this package.
    Reference,
    /// Not a value of the field.
    Value,
    /// Outside the contract, or after today.
    Day,
    /// Longer than the field.
    Long,
    /// Begins like a formula of a spreadsheet.
    Formula,
}

impl Fit {
    /// One sentence in Japanese.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NoField => "報告書の様式にない項目です。",
            Self::NotAgreed => "付議事項の情報項目にないため、受け取れません。",
            Self::Empty => "必ず記入してください。",
            Self::Reference => "この受渡しの中にない受渡番号です。",
            Self::Value => "決められた値ではありません。",
            Self::Day => "契約の期間の外か、今日より後の日付です。",
            Self::Long => "文字数が多すぎます。",
            Self::Formula => "表計算ソフトの式のように始まる文字は使えません。",
        }
    }
}

/// Checks one report: all faults, by field. Empty: it fits.
pub fn check(report: &BTreeMap<String, String>, given: Given<'_>) -> Vec<(String, Fit)> {
    let mut faults = vec![];
    for (id, text) in report {
        let Some(field) = FIELDS.iter().find(|f| f.id == id) else {
            faults.push((id.clone(), Fit::NoField));
            continue;
        };
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        let agreed = field.item.is_none_or(|i| given.agreed.contains(i));
        let fault = if agreed {
            value(field, text, given)
        } else {
            Some(Fit::NotAgreed)
        };
        faults.extend(fault.map(|f| (id.clone(), f)));
    }
    let filled = |id: &str| report.get(id).is_some_and(|t| !t.trim().is_empty());
    let missing = FIELDS.iter().filter(|f| f.required && !filled(f.id));
    faults.extend(missing.map(|f| (f.id.to_owned(), Fit::Empty)));
    faults
}

fn value(field: &Field, text: &str, given: Given<'_>) -> Option<Fit> {
    let unless = |fits: bool, fault| (!fits).then_some(fault);
    let number = |least: u16, most: u16| {
        let plain = text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit());
        plain && text.parse().is_ok_and(|n: u16| (least..=most).contains(&n))
    };
    match field.kind {
        Kind::Reference => unless(given.references.contains(text), Fit::Reference),
        Kind::ContactNumber => unless(number(1, 6), Fit::Value),
        Kind::Minutes => unless(number(1, 600), Fit::Value),
        Kind::Mode => unless(Mode::of(text).is_some(), Fit::Value),
        Kind::Word(words) => unless(words.contains(&text), Fit::Value),
        Kind::Day => match parse_full(text) {
            Ok(day) => unless(
                given.contract.0 <= day && day <= given.contract.1 && day <= given.today,
                Fit::Day,
            ),
            Err(_) => Some(Fit::Value),
        },
        Kind::Amount(test) => {
            let entry = Codes::standard().entry(test);
            let inside = |a: Amount| {
                a.decimals() <= entry.decimals
                    && entry.low.is_none_or(|l| l <= a)
                    && entry.high.is_none_or(|h| a <= h)
            };
            unless(text.parse().is_ok_and(inside), Fit::Value)
        }
        Kind::Text(most) if text.chars().count() > most => Some(Fit::Long),
        Kind::Text(_) => unless(
            !text.starts_with(['=', '+', '-', '@', '\t', '\r']),
            Fit::Formula,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const ITEMS: [&str; 6] = [
        "body_measurement",
        "blood_pressure",
        "blood_glucose",
        "smoking",
        "kidney_function",
        "guidance_instructions",
    ];

    fn report(changes: &[(&str, &str)]) -> BTreeMap<String, String> {
        let mut whole: BTreeMap<String, String> = [
            ("reference", "000123"),
            ("contact", "2"),
            ("day", "2025-09-01"),
            ("mode", "電話"),
            ("professional", "保健師"),
            ("result", "実施"),
            ("weight", "62.4"),
            ("hba1c", "7.1"),
            ("goal", "間食を減らす"),
        ]
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .into();
        whole.extend(
            changes
                .iter()
                .map(|(a, b)| ((*a).to_owned(), (*b).to_owned())),
        );
        whole
    }

    fn faults(changes: &[(&str, &str)]) -> Vec<(String, Fit)> {
        let agreed = ITEMS.map(str::to_owned).into();
        let references = ["000123".to_owned()].into();
        let contract = (date(2025, 4, 1), date(2026, 3, 31));
        let given = Given {
            agreed: &agreed,
            references: &references,
            contract,
            today: date(2025, 9, 10),
        };
        check(&report(changes), given)
    }

    #[test]
    fn a_report_within_the_agreed_items_fits() {
        assert_eq!(faults(&[]), []);
        assert_eq!(
            faults(&[("mode", "web"), ("minutes", "30"), ("weight", "")]),
            []
        );
    }

    #[test]
    fn an_item_that_the_sheet_does_not_name_is_refused() {
        assert_eq!(
            faults(&[("treatment", "通院中")]),
            [("treatment".into(), Fit::NotAgreed)]
        );
        assert_eq!(faults(&[("treatment", "")]), []);
        assert_eq!(
            faults(&[("email", "a@example.jp")]),
            [("email".into(), Fit::NoField)]
        );
    }

    #[test]
    fn every_wrong_value_is_told_by_its_field() {
        for (id, text, fit) in [
            ("reference", "000124", Fit::Reference),
            ("contact", "7", Fit::Value),
            ("contact", "0", Fit::Value),
            ("day", "2025-09-11", Fit::Day),
            ("day", "2025-03-31", Fit::Day),
            ("day", "9月ごろ", Fit::Value),
            ("mode", "訪問", Fit::Value),
            ("professional", "営業", Fit::Value),
            ("hba1c", "71", Fit::Value),
            ("hba1c", "7.15", Fit::Value),
            ("goal", "=1+1", Fit::Formula),
            ("result", "", Fit::Empty),
        ] {
            assert_eq!(faults(&[(id, text)]), [(id.to_owned(), fit)], "{id} {text}");
        }
        let long = "あ".repeat(201);
        assert_eq!(faults(&[("goal", &long)]), [("goal".into(), Fit::Long)]);
    }

    #[test]
    fn fields_have_their_own_ids_and_belong_to_items_of_the_sheet() {
        let ids: BTreeSet<_> = FIELDS.iter().map(|f| f.id).collect();
        assert_eq!(ids.len(), FIELDS.len());
        let groups: BTreeSet<_> = Test::ALL.iter().filter_map(|t| t.group().item()).collect();
        let known = |i: &str| groups.contains(i) || i == "guidance_instructions";
        assert!(FIELDS.iter().filter_map(|f| f.item).all(known));
    }
}
