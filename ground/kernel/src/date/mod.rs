//! Dates as the register knows them: 和暦, partly unknown days, legal age, fiscal year.
//!
//! Stored as ISO text (FACTS B.2); full days are `jiff::civil::Date`.

mod age;
mod era;
mod failure;
mod parse;

pub use age::{Age, age_completed, age_on, day_age_is_reached, fiscal_year};
pub use era::{Era, era_letters, interface_digits, wareki, wareki_with_western};
pub use failure::DateError;
pub use parse::{parse_any, parse_full};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A Gregorian date whose day, month and day, or everything may be unknown (不詳).
///
/// `0` stands for an unknown part. Always one of: all known, day unknown, month and
/// day unknown, all unknown. Ordered by year, month, day, unknown parts first.
/// Text form (also in serde): `1940-03-12`, `1940-03-00`, `1940-00-00`, `0000-00-00`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct PartialDate {
    year: i16,
    month: u8,
    day: u8,
}

impl PartialDate {
    /// The date of which nothing is known, `0000-00-00`.
    pub const UNKNOWN: Self = Self {
        year: 0,
        month: 0,
        day: 0,
    };

    /// A checked date: `year` 1–9999 (0 unknown), `month` 1–12 (0 unknown), `day` (0 unknown).
    ///
    /// # Errors
    /// [`DateError::Year`], [`DateError::Month`], [`DateError::Day`] for parts that do not
    /// exist, [`DateError::UnknownOrder`] when a part is known below an unknown one.
    pub fn new(year: i16, month: u8, day: u8) -> Result<Self, DateError> {
        if !(0..=9999).contains(&year) {
            return Err(DateError::Year);
        }
        if (year == 0 && month != 0) || (month == 0 && day != 0) {
            return Err(DateError::UnknownOrder);
        }
        if month > 12 {
            return Err(DateError::Month);
        }
        if day != 0 && days_in_month(year, month) < day {
            return Err(DateError::Day);
        }
        Ok(Self { year, month, day })
    }

    /// The year, 1–9999, or 0 when unknown.
    pub const fn year(self) -> i16 {
        self.year
    }

    /// The month, 1–12, or 0 when unknown.
    pub const fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, or 0 when unknown.
    pub const fn day(self) -> u8 {
        self.day
    }

    /// True when year, month and day are all known.
    pub const fn is_full(self) -> bool {
        self.day != 0
    }

    /// The full day; none when a part is unknown.
    pub fn full(self) -> Option<Date> {
        if self.is_full() {
            self.earliest()
        } else {
            None
        }
    }

    /// The first day this date can be; none when the year is unknown.
    pub fn earliest(self) -> Option<Date> {
        if self.year == 0 {
            return None;
        }
        civil(self.year, self.month.max(1), self.day.max(1))
    }

    /// The last day this date can be; none when the year is unknown.
    pub fn latest(self) -> Option<Date> {
        if self.year == 0 {
            return None;
        }
        let month = if self.month == 0 { 12 } else { self.month };
        let day = if self.day == 0 {
            days_in_month(self.year, month)
        } else {
            self.day
        };
        civil(self.year, month, day)
    }

    /// True when both can mean the same day, so that 不詳 never hides a match.
    pub fn may_equal(self, other: Self) -> bool {
        let same = |a: i32, b: i32| a == 0 || b == 0 || a == b;
        same(self.year.into(), other.year.into())
            && same(self.month.into(), other.month.into())
            && same(self.day.into(), other.day.into())
    }

    /// `YYYY-MM-DD`, ten characters, `00` for unknown parts.
    pub fn to_iso(self) -> String {
        self.to_string()
    }
}

impl std::fmt::Display for PartialDate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl std::str::FromStr for PartialDate {
    type Err = DateError;

    /// Reads exactly the form `to_iso` writes; [`parse_any`] reads what clerks type.
    fn from_str(text: &str) -> Result<Self, DateError> {
        let b = text.as_bytes();
        let shaped = b.len() == 10
            && b.iter().enumerate().all(|(i, c)| {
                if i == 4 || i == 7 {
                    *c == b'-'
                } else {
                    c.is_ascii_digit()
                }
            });
        if !shaped {
            return Err(DateError::Shape);
        }
        let number = |range: std::ops::Range<usize>| {
            b[range]
                .iter()
                .fold(0i16, |n, c| n * 10 + i16::from(c - b'0'))
        };
        let small = |n: i16| u8::try_from(n).map_err(|_| DateError::Shape);
        Self::new(number(0..4), small(number(5..7))?, small(number(8..10))?)
    }
}

impl From<Date> for PartialDate {
    /// Years before 1 become the unknown date; the register has none.
    fn from(day: Date) -> Self {
        let part = |n: i8| u8::try_from(n).unwrap_or(0);
        Self::new(day.year(), part(day.month()), part(day.day())).unwrap_or(Self::UNKNOWN)
    }
}

impl TryFrom<PartialDate> for Date {
    type Error = DateError;

    fn try_from(date: PartialDate) -> Result<Self, DateError> {
        date.full().ok_or(DateError::NotFull)
    }
}

impl TryFrom<String> for PartialDate {
    type Error = DateError;

    fn try_from(text: String) -> Result<Self, DateError> {
        text.parse()
    }
}

impl From<PartialDate> for String {
    fn from(date: PartialDate) -> Self {
        date.to_iso()
    }
}

/// Days of a month of the Gregorian calendar; 0 for a month outside 1–12.
fn days_in_month(year: i16, month: u8) -> u8 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 0,
    }
}

/// A civil day from unsigned parts.
fn civil(year: i16, month: u8, day: u8) -> Option<Date> {
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

#[cfg(test)]
mod tests;
