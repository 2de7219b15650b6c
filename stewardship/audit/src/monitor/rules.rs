//! The monitoring rules as data, `rules.toml` (点検の規則).

use std::collections::BTreeSet;

use jiff::civil::{Date, Time};
use mimamori_kernel::error::Coded;

/// A day or time of day that the file holds as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Written<T>(T);

impl<'de, T> serde::Deserialize<'de> for Written<T>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// What a rule looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A record opened without note or queue item.
    NoCase,
    /// The officer's own record.
    OwnRecord,
    /// Same family name or same address block.
    Kin,
    /// Many pages or records in a short time.
    Bulk,
    /// Closed days and nights.
    OutOfHours,
    /// Persons under support measures.
    Protected,
}

impl Kind {
    /// All kinds, in the order of screens and reports.
    pub const ALL: [Self; 6] = [
        Self::NoCase,
        Self::OwnRecord,
        Self::Kin,
        Self::Bulk,
        Self::OutOfHours,
        Self::Protected,
    ];

    /// Code in the table and in `rules.toml`.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoCase => "no-case",
            Self::OwnRecord => "own-record",
            Self::Kin => "kin",
            Self::Bulk => "bulk",
            Self::OutOfHours => "out-of-hours",
            Self::Protected => "protected",
        }
    }

    /// The kind with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.code() == code)
    }

    /// The word on a screen.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::NoCase => "受付票のない閲覧",
            Self::OwnRecord => "職員自身の記録の閲覧",
            Self::Kin => "同じ姓・同じ番地の人の閲覧",
            Self::Bulk => "短い時間での大量の閲覧",
            Self::OutOfHours => "時間外・閉庁日の閲覧",
            Self::Protected => "支援措置の対象者の閲覧",
        }
    }
}

/// One rule and when it holds.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What it looks for.
    pub kind: Kind,
    from: Written<Date>,
    until: Option<Written<Date>>,
    /// Demand or decision behind it.
    pub source: String,
    /// Kin: names borne by fewer of 1,000 are enough by themselves.
    #[serde(default)]
    pub rare_per_mille: u32,
    /// Bulk: pages of lists.
    #[serde(default)]
    pub pages: u32,
    /// Bulk: records opened.
    #[serde(default)]
    pub opens: u32,
    /// Bulk: minutes of the window.
    #[serde(default)]
    pub minutes: u32,
    opens_at: Option<Written<Time>>,
    closes_at: Option<Written<Time>>,
    /// Protected: the role whose linked looks are its work.
    #[serde(default)]
    pub role_of_work: String,
}

impl Rule {
    /// Out of hours: whether the office is at work at this time of an open day.
    pub fn at_work(&self, time: Time) -> bool {
        self.opens_at.is_none_or(|t| t.0 <= time) && self.closes_at.is_none_or(|t| time < t.0)
    }
}

/// All rules of a version.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Name of the version; stands on each run, alert and report.
    pub version: String,
    /// Days until an alert must be answered.
    pub answer_within_days: i64,
    /// Days after an inquiry.
    pub inquiry_within_days: i64,
    closed: BTreeSet<Written<Date>>,
    #[serde(rename = "rule")]
    rules: Vec<Rule>,
}

/// The rules file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("点検の規則ファイルが正しくありません: {0}")]
pub struct RulesError(String);

impl Coded for RulesError {
    fn code(&self) -> &'static str {
        "AUDIT-RULES"
    }
    fn advice(&self) -> &'static str {
        "配布されたとおりの rules.toml に戻してください。"
    }
}

impl Rules {
    /// The rules of this build.
    pub fn built_in() -> Result<Self, RulesError> {
        Self::parse(include_str!("../../rules.toml"))
    }

    /// Reads a rules file.
    ///
    /// Errors: unknown words, a missing threshold, two rules of one kind on the same day.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        let rules: Self = toml::from_str(text).map_err(|e| RulesError(e.to_string()))?;
        for (at, rule) in rules.rules.iter().enumerate() {
            let whole = match rule.kind {
                Kind::Bulk => rule.pages > 0 && rule.opens > 0 && rule.minutes > 0,
                Kind::OutOfHours => {
                    matches!((rule.opens_at, rule.closes_at), (Some(a), Some(b)) if a < b)
                }
                Kind::Kin => rule.rare_per_mille <= 1000,
                _ => true,
            };
            if !whole || rule.source.is_empty() {
                return Err(RulesError(format!("{}: 値が足りません", rule.kind.code())));
            }
            let overlaps = rules.rules[..at].iter().any(|other| {
                other.kind == rule.kind
                    && other.until.is_none_or(|u| u >= rule.from)
                    && rule.until.is_none_or(|u| u >= other.from)
            });
            if overlaps {
                return Err(RulesError(format!(
                    "{}: 期間が重なっています",
                    rule.kind.code()
                )));
            }
        }
        Ok(rules)
    }

    /// Rules that hold on an office day.
    pub fn on(&self, day: Date) -> impl Iterator<Item = &Rule> {
        self.rules
            .iter()
            .filter(move |r| r.from.0 <= day && r.until.is_none_or(|u| day <= u.0))
    }

    /// Closed days of the list, weekends and the turn of the year apart.
    pub fn closed_days(&self) -> impl Iterator<Item = Date> {
        self.closed.iter().map(|day| day.0)
    }

    /// Whether the office is closed that day: weekend, holiday, 12/29 to 1/3.
    pub fn closed(&self, day: Date) -> bool {
        use jiff::civil::Weekday;
        matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
            || self.closed.contains(&Written(day))
            || matches!((day.month(), day.day()), (12, 29..) | (1, ..=3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_built_in_rules_hold_together_and_are_six() {
        let rules = Rules::built_in().unwrap();
        let day = date(2026, 11, 21);
        let kinds: Vec<Kind> = rules.on(day).map(|r| r.kind).collect();
        assert_eq!(kinds, Kind::ALL);
        assert_eq!(rules.on(date(2026, 3, 31)).count(), 0, "not yet in force");
    }

    #[test]
    fn closed_days_are_weekends_holidays_and_the_turn_of_the_year() {
        let rules = Rules::built_in().unwrap();
        for day in [(2026, 11, 21), (2026, 11, 23), (2026, 12, 29), (2027, 1, 1)] {
            assert!(rules.closed(date(day.0, day.1, day.2)), "{day:?}");
        }
        for day in [(2026, 11, 20), (2026, 11, 24), (2026, 12, 28), (2027, 1, 4)] {
            assert!(!rules.closed(date(day.0, day.1, day.2)), "{day:?}");
        }
    }

    #[test]
    fn a_rule_without_its_threshold_or_twice_on_a_day_is_refused() {
        let head =
            "version = \"1\"\nanswer_within_days = 7\ninquiry_within_days = 7\nclosed = []\n";
        let rule = |more: &str| format!("[[rule]]\nkind = \"bulk\"\nsource = \"x\"\n{more}\n");
        let full = "pages = 1\nopens = 1\nminutes = 1\n";
        let good = format!(
            "{head}{}{}",
            rule(&format!(
                "{full}from = \"2026-01-01\"\nuntil = \"2026-03-31\""
            )),
            rule(&format!("{full}from = \"2026-04-01\""))
        );
        assert_eq!(Rules::parse(&good).unwrap().on(date(2026, 4, 1)).count(), 1);
        let twice = format!(
            "{head}{}{}",
            rule(&format!("{full}from = \"2026-01-01\"")),
            rule(&format!("{full}from = \"2026-04-01\""))
        );
        let without = format!("{head}{}", rule("pages = 1\nfrom = \"2026-01-01\""));
        let unknown = format!(
            "{head}{}",
            rule(&format!("{full}from = \"2026-01-01\"\nspeed = 1"))
        );
        for bad in [twice, without, unknown] {
            assert!(Rules::parse(&bad).is_err(), "{bad}");
        }
    }
}
