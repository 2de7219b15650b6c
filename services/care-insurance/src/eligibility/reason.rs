//! Reasons of gain and loss as data with effective dates (`rules.toml`).

use jiff::ToSpan as _;
use jiff::civil::Date;
use mimamori_kernel::date::PartialDate;
use mimamori_kernel::error::Coded;
use serde::Deserialize as _;

/// Gain or loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// 取得.
    Gain,
    /// 喪失.
    Loss,
}

/// How the day of loss follows from the day of the event (FACTS B.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossDay {
    /// The day of the event.
    Same,
    /// The day after.
    After,
    /// The day after; the same day when an address in another town begins on that day.
    AfterUnlessElsewhere,
}

impl LossDay {
    /// The first day without qualification after an event on `event`.
    pub fn of(self, event: Date, elsewhere_from: Option<Date>) -> Date {
        match self {
            Self::Same => event,
            Self::AfterUnlessElsewhere if elsewhere_from == Some(event) => event,
            Self::After | Self::AfterUnlessElsewhere => event.checked_add(1.day()).unwrap_or(event),
        }
    }
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The town's code.
    pub code: String,
    /// Gain or loss.
    pub side: Side,
    /// The words on screen and paper.
    pub name: String,
    /// What the rule calls it; several codes may share a key at different times.
    pub key: String,
    /// Day of loss; losses have one, gains none.
    #[serde(default)]
    pub day: Option<LossDay>,
    /// Not found in a law: our proposal (想定).
    #[serde(default)]
    pub assumed: bool,
    /// First day it may be used.
    #[serde(deserialize_with = "day")]
    pub from: Date,
    /// First day it may no longer be used.
    #[serde(default, deserialize_with = "some_day")]
    pub until: Option<Date>,
}

/// A full day as `2000-04-01`.
fn day<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Date, D::Error> {
    let day = PartialDate::deserialize(d)?.full();
    day.ok_or_else(|| serde::de::Error::custom("a day that is partly unknown"))
}

fn some_day<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Option<Date>, D::Error> {
    day(d).map(Some)
}

/// Why a table of reasons cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CodesError {
    /// Not readable.
    #[error("資格の事由の表を読めません。")]
    Text(#[source] Box<toml::de::Error>),
    /// Two rows of one code or one key are usable on the same day.
    #[error("資格の事由「{0}」の期間が重なっています。")]
    Overlap(String),
    /// A loss without its day, or a gain with one.
    #[error("資格の事由「{0}」の喪失日の決め方が正しくありません。")]
    Day(String),
    /// A reason that the rule needs is missing on a day.
    #[error("資格の事由「{key}」がその日の表にありません。")]
    Missing {
        /// The key.
        key: &'static str,
    },
}

impl Coded for CodesError {
    fn code(&self) -> &'static str {
        match self {
            Self::Text(_) => "ELIGIBILITY-CODES-TEXT",
            Self::Overlap(_) => "ELIGIBILITY-CODES-OVERLAP",
            Self::Day(_) => "ELIGIBILITY-CODES-DAY",
            Self::Missing { .. } => "ELIGIBILITY-CODES-MISSING",
        }
    }

    fn advice(&self) -> &'static str {
        "事由の表（rules.toml）を直してから、もう一度実行してください。"
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    reason: Vec<Reason>,
}

/// A checked table of reasons.
#[derive(Debug, Clone)]
pub struct Codes(Vec<Reason>);

impl Codes {
    /// The table that comes with the program.
    ///
    /// # Errors
    /// [`CodesError`]; a test shows that there is none.
    pub fn built_in() -> Result<Self, CodesError> {
        Self::read(include_str!("../../rules.toml"))
    }

    /// Reads a town's table.
    ///
    /// # Errors
    /// [`CodesError`].
    pub fn read(text: &str) -> Result<Self, CodesError> {
        let file: File = toml::from_str(text).map_err(|e| CodesError::Text(Box::new(e)))?;
        for (n, a) in file.reason.iter().enumerate() {
            if (a.side == Side::Loss) != a.day.is_some() {
                return Err(CodesError::Day(a.name.clone()));
            }
            let together = |b: &Reason| {
                a.until.is_none_or(|u| u > b.from) && b.until.is_none_or(|u| u > a.from)
            };
            let clash = |b: &&Reason| (a.code == b.code || a.key == b.key) && together(b);
            if file.reason[n + 1..].iter().any(|b| clash(&b)) {
                return Err(CodesError::Overlap(a.name.clone()));
            }
        }
        Ok(Self(file.reason))
    }

    /// The reason with this key on a day.
    ///
    /// # Errors
    /// [`CodesError::Missing`].
    pub fn on(&self, key: &'static str, day: Date) -> Result<&Reason, CodesError> {
        self.0
            .iter()
            .find(|r| r.key == key && r.usable(day))
            .ok_or(CodesError::Missing { key })
    }

    /// The reason with this code on a day, for reading old rows.
    pub fn by_code(&self, code: &str, day: Date) -> Option<&Reason> {
        self.0.iter().find(|r| r.code == code && r.usable(day))
    }

    /// Reasons that may be chosen on a day.
    pub fn usable(&self, side: Side, day: Date) -> impl Iterator<Item = &Reason> {
        self.0
            .iter()
            .filter(move |r| r.side == side && r.usable(day))
    }
}

impl Reason {
    fn usable(&self, day: Date) -> bool {
        day >= self.from && self.until.is_none_or(|u| day < u)
    }
}
