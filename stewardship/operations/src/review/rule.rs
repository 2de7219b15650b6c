//! Quarters of the fiscal year; pure.

use jiff::civil::Date;
use mimamori_kernel::date::fiscal_year;

/// A quarter of a fiscal year (四半期), beginning in April.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quarter {
    year: i16,
    number: i8,
}

impl Quarter {
    /// The quarter of a day.
    pub fn of(day: Date) -> Self {
        Self {
            year: fiscal_year(day),
            number: (day.month() + 8) % 12 / 3 + 1,
        }
    }

    /// `2026-3`: fiscal year and number.
    pub fn code(self) -> String {
        format!("{}-{}", self.year, self.number)
    }

    /// The quarter with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        let (year, number) = code.split_once('-')?;
        let (year, number) = (year.parse().ok()?, number.parse().ok()?);
        let right = (2000..=2200).contains(&year) && (1..=4).contains(&number);
        right.then_some(Self { year, number })
    }

    /// The quarter before.
    #[must_use]
    pub fn before(self) -> Self {
        match self.number {
            1 => Self {
                year: self.year - 1,
                number: 4,
            },
            n => Self {
                number: n - 1,
                ..self
            },
        }
    }

    /// In words.
    pub fn japanese(self) -> String {
        let months = ["4月〜6月", "7月〜9月", "10月〜12月", "1月〜3月"];
        let of = usize::try_from(self.number - 1).unwrap_or(0);
        format!(
            "{}年度 第{}四半期（{}）",
            self.year, self.number, months[of]
        )
    }

    /// Day by which every user must be looked at: the last day of the quarter's second month. An
    /// assumption; the documents say "promptly" and no day.
    pub fn due(self) -> Date {
        let (year, month) = match self.number {
            4 => (self.year + 1, 2),
            n => (self.year, n * 3 + 2),
        };
        Date::new(year, month, 1).map_or(Date::MAX, Date::last_of_month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn quarters_begin_in_april_and_are_due_at_the_end_of_their_second_month() {
        for (day, code, due) in [
            (date(2026, 4, 1), "2026-1", date(2026, 5, 31)),
            (date(2026, 9, 30), "2026-2", date(2026, 8, 31)),
            (date(2026, 11, 21), "2026-3", date(2026, 11, 30)),
            (date(2027, 1, 1), "2026-4", date(2027, 2, 28)),
            (date(2028, 3, 31), "2027-4", date(2028, 2, 29)),
        ] {
            let quarter = Quarter::of(day);
            assert_eq!(
                (quarter.code().as_str(), quarter.due()),
                (code, due),
                "{day}"
            );
            assert_eq!(Quarter::from_code(code), Some(quarter));
        }
    }

    #[test]
    fn the_quarter_before_april_is_the_fourth_of_the_year_before() {
        let first = Quarter::of(date(2026, 4, 1));
        assert_eq!(first.before().code(), "2025-4");
        assert_eq!(first.before().before().code(), "2025-3");
        for bad in ["", "2026", "2026-0", "2026-5", "x-1", "1-1"] {
            assert_eq!(Quarter::from_code(bad), None, "{bad}");
        }
    }
}
