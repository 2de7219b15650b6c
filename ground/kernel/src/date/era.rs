//! The five modern eras (元号) and how dates are shown (FACTS B.2).

use super::{DateError, PartialDate, civil};
use jiff::civil::Date;

/// One of the five modern eras; the digit is the one of interface files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Era {
    /// 明治, digit 1. Counted from 1868-10-23; Gregorian reckoning is exact from 1873.
    Meiji,
    /// 大正, digit 2, from 1912-07-30.
    Taisho,
    /// 昭和, digit 3, from 1926-12-25.
    Showa,
    /// 平成, digit 4, from 1989-01-08.
    Heisei,
    /// 令和, digit 5, from 2019-05-01.
    Reiwa,
}

/// Facts of one era.
struct Row {
    name: &'static str,
    letter: char,
    first: (i16, u8, u8),
    first_text: &'static str,
    last: Option<(i16, u8, u8)>,
    last_text: &'static str,
}

const ROWS: [Row; 5] = [
    Row {
        name: "明治",
        letter: 'M',
        first: (1868, 10, 23),
        first_text: "明治元年10月23日",
        last: Some((1912, 7, 29)),
        last_text: "明治45年7月29日",
    },
    Row {
        name: "大正",
        letter: 'T',
        first: (1912, 7, 30),
        first_text: "大正元年7月30日",
        last: Some((1926, 12, 24)),
        last_text: "大正15年12月24日",
    },
    Row {
        name: "昭和",
        letter: 'S',
        first: (1926, 12, 25),
        first_text: "昭和元年12月25日",
        last: Some((1989, 1, 7)),
        last_text: "昭和64年1月7日",
    },
    Row {
        name: "平成",
        letter: 'H',
        first: (1989, 1, 8),
        first_text: "平成元年1月8日",
        last: Some((2019, 4, 30)),
        last_text: "平成31年4月30日",
    },
    Row {
        name: "令和",
        letter: 'R',
        first: (2019, 5, 1),
        first_text: "令和元年5月1日",
        last: None,
        last_text: "",
    },
];

impl Era {
    /// The eras from old to new; the interface digit is the place plus one.
    pub const ALL: [Self; 5] = [
        Self::Meiji,
        Self::Taisho,
        Self::Showa,
        Self::Heisei,
        Self::Reiwa,
    ];

    fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// `昭和`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// `S`.
    pub fn letter(self) -> char {
        self.row().letter
    }

    /// `3`, the digit of interface files.
    pub fn digit(self) -> u8 {
        self as u8 + 1
    }

    /// The first day of the era.
    pub fn first_day(self) -> Date {
        let (y, m, d) = self.row().first;
        civil(y, m, d).unwrap_or(Date::ZERO)
    }

    /// The era of a day; none before 明治.
    pub fn of(day: Date) -> Option<Self> {
        Self::ALL
            .into_iter()
            .rev()
            .find(|era| day >= era.first_day())
    }

    /// The Gregorian year of year 1 (元年).
    pub(super) fn first_year(self) -> i16 {
        self.row().first.0
    }

    /// The date `year` (1 = 元年), `month`, `day` of this era; 0 for unknown month or day.
    ///
    /// A partly unknown date is accepted when some day of it lies in the era.
    ///
    /// # Errors
    /// [`DateError::EraYear`] for year 0, [`DateError::EraStart`] and
    /// [`DateError::EraEnd`] outside the era, and those of [`PartialDate::new`].
    pub fn date(self, year: u8, month: u8, day: u8) -> Result<PartialDate, DateError> {
        if year == 0 {
            return Err(DateError::EraYear);
        }
        let date = PartialDate::new(self.first_year() + i16::from(year) - 1, month, day)?;
        let row = self.row();
        if date.latest().is_some_and(|d| d < self.first_day()) {
            return Err(DateError::EraStart {
                era: row.name,
                first: row.first_text,
            });
        }
        let last = row.last.and_then(|(y, m, d)| civil(y, m, d));
        if last.is_some_and(|last| date.earliest().is_some_and(|d| d > last)) {
            return Err(DateError::EraEnd {
                era: row.name,
                last: row.last_text,
            });
        }
        Ok(date)
    }

    /// Era and year of a date; a partly unknown date takes the era of the middle of its span.
    fn year_of(date: PartialDate) -> Option<(Self, i16)> {
        let middle = match (date.month(), date.day()) {
            (0, _) => civil(date.year(), 7, 2),
            (m, 0) => civil(date.year(), m, 16),
            (m, d) => civil(date.year(), m, d),
        };
        let era = Self::of(middle.filter(|_| date.year() != 0)?)?;
        Some((era, date.year() - era.first_year() + 1))
    }
}

/// `昭和15年3月12日`, `昭和15年3月（日不詳）`, `昭和15年（月日不詳）`, `不詳`; 元年 for year 1.
///
/// Days before 明治 are shown with the Western year.
pub fn wareki(date: PartialDate) -> String {
    if date.year() == 0 {
        return "不詳".to_owned();
    }
    let year = match Era::year_of(date) {
        Some((era, 1)) => format!("{}元", era.name()),
        Some((era, n)) => format!("{}{n}", era.name()),
        None => date.year().to_string(),
    };
    match (date.month(), date.day()) {
        (0, _) => format!("{year}年（月日不詳）"),
        (m, 0) => format!("{year}年{m}月（日不詳）"),
        (m, d) => format!("{year}年{m}月{d}日"),
    }
}

/// `昭和15年3月12日 (1940)`; `不詳` stays alone.
pub fn wareki_with_western(date: PartialDate) -> String {
    match date.year() {
        0 => wareki(date),
        year => format!("{} ({year})", wareki(date)),
    }
}

/// `S15.03.12`, `00` for unknown parts; ISO text before 明治 and for 不詳.
pub fn era_letters(date: PartialDate) -> String {
    match Era::year_of(date) {
        Some((era, n)) => format!(
            "{}{n:02}.{:02}.{:02}",
            era.letter(),
            date.month(),
            date.day()
        ),
        None => date.to_iso(),
    }
}

/// The interface form `3150312`: era digit, then YYMMDD, `00` for unknown parts.
///
/// None before 明治, for 不詳, and past year 99 of an era.
pub fn interface_digits(date: PartialDate) -> Option<String> {
    let (era, n) = Era::year_of(date).filter(|(_, n)| *n <= 99)?;
    Some(format!(
        "{}{n:02}{:02}{:02}",
        era.digit(),
        date.month(),
        date.day()
    ))
}
