//! The items that a change can touch (異動・訂正の項目): labels, classes, how they are typed and kept.

use std::collections::BTreeMap;

use jiff::civil::Date;
use mimamori_gate::{Record, Value};
use mimamori_kernel::date::{PartialDate, parse_any, wareki_with_western};
use mimamori_kernel::fold::{is_hidden, kana_key, to_full_kana};

/// Values of items by column, as text.
pub(crate) type Values = BTreeMap<&'static str, String>;

/// The data classes that the journal keeps apart, each in a pair of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Identity,
    Address,
    Contact,
    Household,
    Residency,
    Flag,
}

impl Part {
    /// All with their columns of `residents_change`.
    pub const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Identity, "identity_before", "identity_after"),
        (Self::Address, "address_before", "address_after"),
        (Self::Contact, "contact_before", "contact_after"),
        (Self::Household, "household_before", "household_after"),
        (Self::Residency, "residency_before", "residency_after"),
        (Self::Flag, "flag_before", "flag_after"),
    ];
}

/// How an item is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Text,
    Kana,
    Day,
    Postal,
    Phone,
    /// A number of so many digits, leading zeros may be left out.
    Digits(usize),
    /// One of a few codes, kept as an integer.
    Code(&'static [(&'static str, &'static str)]),
}

/// One item.
#[derive(Debug)]
pub(crate) struct Item {
    pub column: &'static str,
    pub label: &'static str,
    pub part: Part,
    pub shape: Shape,
    pub required: bool,
    pub hint: &'static str,
}

const fn item(column: &'static str, label: &'static str, part: Part, shape: Shape) -> Item {
    Item {
        column,
        label,
        part,
        shape,
        required: false,
        hint: "",
    }
}

const fn must(item: Item, hint: &'static str) -> Item {
    Item {
        required: true,
        hint,
        ..item
    }
}

/// Codes of 状態.
pub(crate) const STATUS: &[(&str, &str)] = &[("1", "住民"), ("2", "転出・職権消除"), ("3", "死亡")];

/// Every item, in the order of the screen.
pub(crate) const ITEMS: [Item; 16] = [
    must(
        item("kanji", "氏名（漢字）", Part::Identity, Shape::Text),
        "",
    ),
    must(
        item("kana", "氏名（カナ）", Part::Identity, Shape::Kana),
        "カタカナかひらがな",
    ),
    item("alias", "通称", Part::Identity, Shape::Text),
    item("alias_kana", "通称（カナ）", Part::Identity, Shape::Kana),
    must(
        item(
            "sex",
            "性別",
            Part::Identity,
            Shape::Code(&[("1", "男"), ("2", "女")]),
        ),
        "",
    ),
    must(
        item("birth", "生年月日", Part::Identity, Shape::Day),
        "例: S150312、昭和15年3月12日、1940-03-12、昭和15年3月不詳",
    ),
    must(
        item(
            "foreigner",
            "住民区分",
            Part::Identity,
            Shape::Code(&[("0", "日本人住民"), ("1", "外国人住民")]),
        ),
        "",
    ),
    item("postal", "郵便番号", Part::Address, Shape::Postal),
    must(item("address", "住所", Part::Address, Shape::Text), ""),
    item("building", "方書", Part::Address, Shape::Text),
    item("phone", "電話番号", Part::Contact, Shape::Phone),
    must(
        item(
            "household_number",
            "世帯番号",
            Part::Household,
            Shape::Digits(10),
        ),
        "新しい世帯のときは、その番号を入れます。",
    ),
    must(
        item("relation", "続柄", Part::Household, Shape::Text),
        "例: 世帯主、妻、子",
    ),
    item("status", "状態", Part::Residency, Shape::Code(STATUS)),
    item("status_day", "異動日", Part::Residency, Shape::Day),
    must(
        item(
            "protected",
            "支援措置",
            Part::Flag,
            Shape::Code(&[("0", "対象でない"), ("1", "対象")]),
        ),
        "",
    ),
];

/// The item of a column.
pub(crate) fn of(column: &str) -> Option<&'static Item> {
    ITEMS.iter().find(|i| i.column == column)
}

/// First day of 明治; nobody in a register was born before it.
const FIRST: Date = Date::constant(1868, 10, 23);

/// Longest text of an item, in characters.
const LONGEST: usize = 100;

impl Item {
    /// Whether the column keeps an integer.
    pub fn is_int(&self) -> bool {
        matches!(self.shape, Shape::Code(_))
    }

    /// The value for the database.
    pub fn value(&self, text: &str) -> Value {
        match self.is_int() {
            true => text.parse::<i64>().unwrap_or(0).into(),
            false => text.into(),
        }
    }

    /// The words for a kept value.
    pub fn words(&self, text: &str) -> String {
        match self.shape {
            Shape::Day if !text.is_empty() => text
                .parse::<PartialDate>()
                .map_or_else(|_| text.to_owned(), wareki_with_western),
            Shape::Code(codes) => codes
                .iter()
                .find(|(code, _)| *code == text)
                .map_or("—", |(_, word)| word)
                .to_owned(),
            _ if text.is_empty() => "—".into(),
            _ => text.to_owned(),
        }
    }

    /// What was typed, as it is kept, or the sentence beside the field.
    pub fn read(&self, typed: &str, today: Date) -> Result<String, String> {
        let typed = typed.trim_matches(|c: char| c.is_whitespace() || c == '\u{3000}');
        if typed.chars().count() > LONGEST {
            return Err(format!("{LONGEST}文字までで入力してください。"));
        }
        if typed.chars().any(is_hidden) {
            return Err("改行や、画面に見えない文字は使えません。".into());
        }
        if typed.is_empty() {
            return match self.required {
                true => Err(format!("{}を入力してください。", self.label)),
                false => Ok(String::new()),
            };
        }
        match self.shape {
            Shape::Text => Ok(typed.to_owned()),
            Shape::Kana => kana(typed),
            Shape::Day => match parse_any(typed) {
                Ok(day) if day.earliest().is_some_and(|d| d > today) => {
                    Err(format!("{}が今日より後です。", self.label))
                }
                Ok(day) if day.latest().is_some_and(|d| d < FIRST) => {
                    Err(format!("{}が明治より前です。", self.label))
                }
                Ok(day) => Ok(day.to_iso()),
                Err(error) => Err(error.to_string()),
            },
            Shape::Postal => match digits(typed) {
                Some(d) if d.len() == 7 => Ok(format!("{}-{}", &d[..3], &d[3..])),
                _ => Err("郵便番号は数字7桁で入力してください。".into()),
            },
            Shape::Phone => match digits(typed) {
                Some(d) if (9..=11).contains(&d.len()) => Ok(narrow(typed)),
                _ => Err("電話番号は市外局番から数字9～11桁で入力してください。".into()),
            },
            Shape::Digits(length) => match digits(typed) {
                Some(d) if d.len() <= length => Ok(format!("{d:0>length$}")),
                _ => Err(format!("{}は{length}桁までの数字です。", self.label)),
            },
            Shape::Code(codes) => match codes.iter().any(|(code, _)| *code == typed) {
                true => Ok(typed.to_owned()),
                false => Err(format!("{}を選び直してください。", self.label)),
            },
        }
    }
}

fn kana(typed: &str) -> Result<String, String> {
    // Hiragana and half-width kana become full-width katakana; blanks stay between the names.
    let wide: String = to_full_kana(typed)
        .chars()
        .map(|c| match c {
            'ぁ'..='ゖ' => char::from_u32(c as u32 + 0x60).unwrap_or(c),
            other => other,
        })
        .collect();
    let key = kana_key(&wide);
    let kana = |c| matches!(c, 'ア'..='ヴ' | 'A'..='Z' | 'a'..='z');
    match !key.is_empty() && key.chars().all(kana) {
        true => Ok(wide),
        false => Err("カタカナかひらがなで入力してください。".into()),
    }
}

/// Full-width digits and dashes made narrow.
fn narrow(typed: &str) -> String {
    let one = |c: char| match c {
        '０'..='９' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '‐' | '−' | '－' | 'ー' | '―' => '-',
        other => other,
    };
    typed.chars().map(one).collect()
}

/// The digits of a number typed in any habit; none when something else is in it.
pub(crate) fn digits(typed: &str) -> Option<String> {
    let text: String = narrow(typed)
        .chars()
        .filter(|c| !matches!(c, '-' | '(' | ')' | ' ' | '\u{3000}'))
        .collect();
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then_some(text)
}

/// The items of a row; withheld ones are left out.
pub(crate) fn values(record: &Record) -> Values {
    let text = |item: &Item| match item.is_int() {
        true => record.int(item.column).map(|n| n.to_string()),
        false => record.text(item.column).map(str::to_owned),
    };
    ITEMS
        .iter()
        .filter_map(|i| Some((i.column, text(i)?)))
        .collect()
}
