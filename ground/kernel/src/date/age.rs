//! Age by law and age for display (年齢計算ニ関スル法律; FACTS B.2), fiscal year.

use super::{PartialDate, civil};
use jiff::ToSpan;
use jiff::civil::Date;

/// Completed years, as exact as the birth date is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Age {
    /// Completed years.
    Exact(u16),
    /// The least and the most it can be, when the birth date is partly unknown.
    Between(u16, u16),
    /// The birth year is unknown.
    Unknown,
    /// The day lies before the birth.
    NotBorn,
}

impl Age {
    /// The least it can be; none when unknown or not born.
    pub const fn least(self) -> Option<u16> {
        match self {
            Self::Exact(n) | Self::Between(n, _) => Some(n),
            Self::Unknown | Self::NotBorn => None,
        }
    }

    /// The most it can be; none when unknown or not born.
    pub const fn most(self) -> Option<u16> {
        match self {
            Self::Exact(n) | Self::Between(_, n) => Some(n),
            Self::Unknown | Self::NotBorn => None,
        }
    }
}

impl std::fmt::Display for Age {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact(n) => write!(f, "{n}歳"),
            Self::Between(a, b) => write!(f, "{a}～{b}歳"),
            Self::Unknown => f.write_str("年齢不詳"),
            Self::NotBorn => f.write_str("出生前"),
        }
    }
}

/// Age by law at the end of `day`: it is reached at the end of the day BEFORE the birthday.
///
/// Born 1961-04-01 is 65 on 2026-03-31 (FACTS B.2). Use it for qualification.
pub fn age_on(birth: PartialDate, day: Date) -> Age {
    age_completed(birth, day.checked_add(1.day()).unwrap_or(day))
}

/// Ordinary age shown on a screen on `day`: it grows on the birthday itself.
///
/// Someone born on 29 February has the birthday on 1 March of a common year.
pub fn age_completed(birth: PartialDate, day: Date) -> Age {
    let (Some(earliest), Some(latest)) = (birth.earliest(), birth.latest()) else {
        return Age::Unknown;
    };
    match (completed(latest, day), completed(earliest, day)) {
        (_, None) => Age::NotBorn,
        (Some(a), Some(b)) if a == b => Age::Exact(b),
        (least, Some(b)) => Age::Between(least.unwrap_or(0), b),
    }
}

/// Completed years from a known birth to `day`; none before the birth.
fn completed(birth: Date, day: Date) -> Option<u16> {
    if day < birth {
        return None;
    }
    let before = (day.month(), day.day()) < (birth.month(), birth.day());
    u16::try_from(day.year() - birth.year() - i16::from(before)).ok()
}

/// The day at whose end `years` of age are reached: the day before the birthday (FACTS B.2).
///
/// None when the birth date is partly unknown or the year leaves the calendar.
pub fn day_age_is_reached(birth: PartialDate, years: u16) -> Option<Date> {
    let born = birth.full()?;
    let year = born.year().checked_add(i16::try_from(years).ok()?)?;
    let birthday = civil(year, birth.month(), birth.day()).or_else(|| civil(year, 3, 1))?;
    birthday.checked_sub(1.day()).ok()
}

/// The fiscal year (年度, April 1 – March 31) of a day.
pub fn fiscal_year(day: Date) -> i16 {
    day.year() - i16::from(day.month() < 4)
}
