//! A sheet as data: its rows, its versions.

use std::collections::BTreeMap;

use jiff::civil::Date;
use mimamori_kernel::date::wareki;
use mimamori_kernel::id::{RequestId, UserId};
use serde::{Deserialize, Serialize};

use crate::catalogue;

/// Id of a council case (案件); the kernel's request id serves, because a case is a request to the council.
pub type CaseId = RequestId;

/// Kind of sheet (様式の種類), FACTS F.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// 事業の概要.
    Overview,
    /// 外部結合.
    External,
    /// 業務委託.
    Outsourcing,
}

/// What a row holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Words, several lines at most.
    Text,
    /// 個人の範囲 and item ids.
    Items,
    /// Media of the data, codes of [`MEDIA`].
    Media,
    /// First and last day.
    Period,
}

/// A row of a sheet: its code in the stored content, its words on paper.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// Code.
    pub code: &'static str,
    /// Words.
    pub label: &'static str,
    /// What it holds.
    pub form: Form,
}

const fn text(code: &'static str, label: &'static str) -> Row {
    Row {
        code,
        label,
        form: Form::Text,
    }
}

const OVERVIEW: [Row; 5] = [
    text("business", "事業名"),
    text("owner", "担当課"),
    text("aim", "目的"),
    text("persons", "対象者"),
    text("body", "事業内容"),
];
const EXTERNAL: [Row; 8] = [
    text("owner", "保有課（担当課）"),
    text("register", "登録業務の名称"),
    Row {
        code: "items",
        label: "結合される情報項目（だれの、どのような項目か）",
        form: Form::Items,
    },
    text("partner", "結合の相手方"),
    text("reason", "結合する理由"),
    text("form", "結合の形態"),
    Row {
        code: "period",
        label: "結合の開始時期と期間",
        form: Form::Period,
    },
    text("measures", "情報保護対策"),
];
const OUTSOURCING: [Row; 10] = [
    text("owner", "保有課（担当課）"),
    text("register", "登録業務の名称"),
    text("partner", "委託先"),
    Row {
        code: "items",
        label: "委託に伴い事業者に処理させる情報項目（だれの、どのような項目か）",
        form: Form::Items,
    },
    Row {
        code: "media",
        label: "処理させる情報項目の記録媒体",
        form: Form::Media,
    },
    text("reason", "委託理由"),
    text("work", "委託の内容"),
    Row {
        code: "period",
        label: "委託の開始時期及び期限",
        form: Form::Period,
    },
    text("measures-town", "委託にあたり区市町村が行う情報保護対策"),
    text("measures-partner", "受託事業者に行わせる情報保護対策"),
];

impl Kind {
    /// All kinds, in the order of the paper.
    pub const ALL: [Self; 3] = [Self::Overview, Self::External, Self::Outsourcing];

    /// Code in the database and in addresses.
    pub fn code(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::External => "external-connection",
            Self::Outsourcing => "outsourcing",
        }
    }

    /// The kind with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.code() == code)
    }

    /// Name on the screen.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Overview => "事業の概要",
            Self::External => "外部結合シート",
            Self::Outsourcing => "業務委託シート",
        }
    }

    /// Its rows, in the order of the paper.
    pub fn rows(self) -> &'static [Row] {
        match self {
            Self::Overview => &OVERVIEW,
            Self::External => &EXTERNAL,
            Self::Outsourcing => &OUTSOURCING,
        }
    }

    /// Whether it names items; such a sheet has a period too.
    pub fn names_items(self) -> bool {
        self != Self::Overview
    }
}

/// Media of the data (記録媒体): code and words; S1-22, S2-41.
pub const MEDIA: [(&str, &str); 6] = [
    ("paper", "紙"),
    ("system", "委託先のシステム"),
    ("cd-r", "CD-R"),
    ("dvd-r", "DVD-R"),
    ("hdd", "HDD"),
    ("ssd", "SSD"),
];

/// An item of a sheet with the sheet's own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Id of the catalogue.
    pub id: String,
    /// Words.
    pub words: String,
}

/// First and last day, and what the sheet says beside them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Period {
    /// First day, ISO.
    pub from: String,
    /// Last day, ISO.
    pub until: String,
    /// The same goes on in the following years (次年度以降も同様), S1-21.
    pub renewed: bool,
    /// The sheet's words for that.
    pub note: String,
}

impl Period {
    /// First and last day; none when one cannot be read.
    pub fn days(&self) -> Option<(Date, Date)> {
        Some((self.from.parse().ok()?, self.until.parse().ok()?))
    }

    /// Whether the sheet speaks for this day: between its days, or after them when it says that the same goes on.
    pub fn holds(&self, day: Date) -> bool {
        self.days()
            .is_some_and(|(from, until)| from <= day && (day <= until || self.renewed))
    }
}

/// What a version of a sheet says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Content {
    /// 件名.
    pub title: String,
    /// Code of a text row and its lines.
    pub texts: BTreeMap<String, String>,
    /// 個人の範囲.
    #[serde(default)]
    pub persons: String,
    /// Items, in the order of the catalogue.
    #[serde(default)]
    pub items: Vec<Named>,
    /// Codes of media, in the order of [`MEDIA`].
    #[serde(default)]
    pub media: Vec<String>,
    /// Period of a sheet that names items.
    #[serde(default)]
    pub period: Option<Period>,
}

fn day(text: &str) -> String {
    let day: Result<Date, _> = text.parse();
    day.map_or_else(|_| text.to_owned(), |d| wareki(d.into()))
}

impl Content {
    /// The row of the items as the sheet prints it.
    pub fn items_line(&self) -> String {
        catalogue::line(self.items.iter().map(|i| (i.id.as_str(), i.words.as_str())))
    }

    /// The row of the media as the sheet prints it: 紙及び電磁的媒体（委託先のシステム及びCD-R）.
    pub fn media_line(&self) -> String {
        let named = |paper: bool| {
            let of = MEDIA
                .iter()
                .filter(move |(code, _)| (*code == "paper") == paper);
            of.filter(|(code, _)| self.media.iter().any(|m| m == code))
                .map(|(_, words)| *words)
                .collect::<Vec<_>>()
        };
        let electronic = named(false);
        let bracket = match electronic.is_empty() {
            true => None,
            false => Some(format!("電磁的媒体（{}）", electronic.join("及び"))),
        };
        let all = named(true).into_iter().map(str::to_owned).chain(bracket);
        all.collect::<Vec<_>>().join("及び")
    }

    /// The lines of a row as the sheet prints them.
    pub fn lines(&self, row: &Row) -> Vec<String> {
        match row.form {
            Form::Text => {
                let text = self.texts.get(row.code).map_or("", String::as_str);
                text.lines().map(str::to_owned).collect()
            }
            Form::Items => vec![
                "《個人の範囲》".into(),
                self.persons.clone(),
                "《委託先に処理させる項目》".into(),
                self.items_line(),
            ],
            Form::Media => vec![self.media_line()],
            Form::Period => {
                let Some(period) = &self.period else {
                    return vec![];
                };
                let days = format!("{}から{}まで", day(&period.from), day(&period.until));
                let note = Some(period.note.clone()).filter(|n| !n.is_empty());
                std::iter::once(days).chain(note).collect()
            }
        }
    }

    /// The whole sheet as lines, each row led by its label: what is compared with a document.
    pub fn plain(&self, kind: Kind) -> String {
        let mut out = format!("件名: {}\n", self.title);
        for row in kind.rows() {
            let lines = self.lines(row);
            out.push_str(&format!("{}: {}\n", row.label, lines.join("\n　")));
        }
        out
    }
}

/// Where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Written, not yet approved.
    Draft,
    /// In force.
    Approved,
    /// Another version took its place.
    Superseded,
    /// Given back or withdrawn; it never came into force.
    Dropped,
}

impl State {
    const ALL: [Self; 4] = [Self::Draft, Self::Approved, Self::Superseded, Self::Dropped];

    /// Code in the database.
    pub fn code(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Approved => "approved",
            Self::Superseded => "superseded",
            Self::Dropped => "dropped",
        }
    }

    /// The state with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.code() == code)
    }

    /// Word on the screen.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Draft => "案（承認待ち）",
            Self::Approved => "承認（有効）",
            Self::Superseded => "前の版",
            Self::Dropped => "差戻し・取下げ",
        }
    }
}

/// One version of one sheet of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Case.
    pub case: CaseId,
    /// Sheet.
    pub kind: Kind,
    /// Number, from 1.
    pub number: i64,
    /// Where it stands.
    pub state: State,
    /// What it says.
    pub content: Content,
    /// Why it was written.
    pub reason: String,
    /// Who wrote it.
    pub drafted_by: UserId,
    /// When, microseconds.
    pub drafted_at: i64,
    /// Who approved it or gave it back.
    pub decided_by: Option<UserId>,
    /// When, microseconds; 0 before.
    pub decided_at: i64,
}

impl Version {
    /// 業務委託シート 第2版.
    pub fn words(&self) -> String {
        format!("{} 第{}版", self.kind.japanese(), self.number)
    }

    /// Whether it is or was in force.
    pub fn was_approved(&self) -> bool {
        matches!(self.state, State::Approved | State::Superseded)
    }
}

/// The version of a kind that is in force.
pub fn in_force(versions: &[Version], kind: Kind) -> Option<&Version> {
    versions
        .iter()
        .find(|v| v.kind == kind && v.state == State::Approved)
}

/// The version that was in force before this one: the approved one with the next lower number.
pub fn before<'a>(versions: &'a [Version], this: &Version) -> Option<&'a Version> {
    versions
        .iter()
        .filter(|v| v.kind == this.kind && v.was_approved() && v.number < this.number)
        .max_by_key(|v| v.number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn media_are_written_as_document_001_writes_them() {
        let media = |codes: &[&str]| {
            Content {
                media: codes.iter().map(|c| (*c).to_owned()).collect(),
                ..Content::default()
            }
            .media_line()
        };
        assert_eq!(
            media(&["cd-r", "paper", "system"]),
            "紙及び電磁的媒体（委託先のシステム及びCD-R）"
        );
        assert_eq!(media(&["paper"]), "紙");
        assert_eq!(media(&["hdd"]), "電磁的媒体（HDD）");
        assert_eq!(media(&[]), "");
    }

    #[test]
    fn a_period_goes_on_only_when_the_sheet_says_so() {
        let period = |renewed| Period {
            from: "2025-04-01".into(),
            until: "2026-03-31".into(),
            renewed,
            note: String::new(),
        };
        for (day, once, renewed) in [
            (date(2025, 3, 31), false, false),
            (date(2025, 4, 1), true, true),
            (date(2026, 3, 31), true, true),
            (date(2026, 4, 1), false, true),
        ] {
            assert_eq!(period(false).holds(day), once, "{day}");
            assert_eq!(period(true).holds(day), renewed, "{day}");
        }
    }
}
