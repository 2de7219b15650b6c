//! What stands on an insured-person card (被保険者証). Pure.

use jiff::civil::Date;
use mimamori_kernel::date::{PartialDate, wareki};
use mimamori_sheets::Layout;
use serde_json::{Value, json};

/// The layout of the card; a batch is the same form with more pages.
pub const CARD: Layout = Layout {
    name: "介護保険被保険者証",
    text: include_str!("../../layouts/card.typ"),
};

/// The insurer on every card: settings of the town.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insurer {
    /// 保険者番号, 6 digits.
    pub number: String,
    /// 保険者の名称.
    pub name: String,
    /// Office and telephone number for questions.
    pub contact: String,
    /// Invented, for a demo: every card says 見本.
    pub sample: bool,
}

/// One person's card.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Card {
    /// 被保険者番号, ten characters.
    pub number: String,
    /// 氏名.
    pub name: String,
    /// フリガナ.
    pub kana: String,
    /// Birth as ISO text, parts may be unknown.
    pub birth: String,
    /// 1 man, 2 woman, others unknown.
    pub sex: i64,
    /// 郵便番号.
    pub postal: String,
    /// 住所.
    pub address: String,
    /// 方書.
    pub building: String,
}

/// Why a card is issued (交付の理由), code and words.
pub const REASONS: [(&str, &str); 4] = [
    ("lost", "紛失による再交付"),
    ("broken", "破損・汚損による再交付"),
    ("changed", "氏名・住所などの変更"),
    ("renewed", "様式の切替え"),
];

/// Why a card comes back (回収の理由), code and words.
pub const RETURNS: [(&str, &str); 4] = [
    ("moved", "転出による返納"),
    ("died", "死亡による返納"),
    ("replaced", "再交付による差替え"),
    ("missing", "回収できないことを確認"),
];

/// What a set card is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paper {
    /// A picture on the screen: 確認用 across it, so that a photograph of it is no card.
    Preview,
    /// For the hand; the stamp of its output leads back to the trace.
    Print(String),
}

/// The values of `cards`, issued on `issued`.
pub fn values(insurer: &Insurer, cards: &[Card], issued: Date, paper: &Paper) -> Value {
    let (stamp, watermark) = match (paper, insurer.sample) {
        (Paper::Preview, _) => ("画面の確認用", "確認用"),
        (Paper::Print(stamp), true) => (stamp.as_str(), "見本"),
        (Paper::Print(stamp), false) => (stamp.as_str(), ""),
    };
    let cards: Vec<Value> = cards
        .iter()
        .map(|card| {
            let birth: PartialDate = card.birth.parse().unwrap_or(PartialDate::UNKNOWN);
            json!({
                "number": card.number,
                "name": card.name,
                "kana": card.kana,
                "birth": wareki(birth),
                "sex": match card.sex { 1 => "男", 2 => "女", _ => "" },
                "postal": postal(&card.postal),
                "address": card.address,
                "building": card.building,
                "issued": wareki(PartialDate::from(issued)),
                "note": "この証は、資格を失ったときは返してください。",
            })
        })
        .collect();
    json!({
        "insurer": {"number": insurer.number, "name": insurer.name, "contact": insurer.contact},
        "form": "様式 K-01（想定）",
        "stamp": stamp,
        "watermark": watermark,
        "cards": cards,
    })
}

/// `〒999-9999`; other texts as they are.
fn postal(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    match digits.len() {
        7 => format!("〒{}-{}", &digits[..3], &digits[3..]),
        _ => text.to_owned(),
    }
}

/// Columns that a card needs.
pub(crate) const COLUMNS: [&str; 9] = [
    "insured_number",
    "kanji",
    "kana",
    "birth",
    "sex",
    "postal",
    "address",
    "building",
    "card_reason",
];

impl Card {
    /// The card of a revealed row; withheld fields stay empty.
    pub(crate) fn of(record: &mimamori_gate::Record) -> Self {
        let text = |column| record.text(column).unwrap_or("").to_owned();
        Self {
            number: text("insured_number"),
            name: text("kanji"),
            kana: text("kana"),
            birth: text("birth"),
            sex: record.int("sex").unwrap_or(0),
            postal: text("postal"),
            address: text("address"),
            building: text("building"),
        }
    }

    /// Characters that cannot go into a batch unseen: without glyph, invisible, or an ordered variant.
    pub(crate) fn doubtful(&self, fonts: &mimamori_sheets::Fonts) -> Vec<char> {
        let selector = |c: char| matches!(u32::from(c), 0xFE00..=0xFE0F | 0xE0100..=0xE01EF);
        let mut out: Vec<char> = [&self.name, &self.kana, &self.address, &self.building]
            .into_iter()
            .flat_map(|t| t.chars())
            .filter(|c| selector(*c) || mimamori_sheets::invisible(*c) || !fonts.has(*c))
            .collect();
        out.sort_unstable();
        out.dedup();
        out
    }
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
