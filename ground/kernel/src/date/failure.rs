//! What can be wrong with a date, in words for a clerk.

use crate::error::Coded;

/// Why a text or a set of parts is not a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// Nothing was typed.
    #[error("日付が入力されていません。")]
    Empty,
    /// The text follows none of the known forms.
    #[error("日付の形として読めません。")]
    Shape,
    /// A year outside 1–9999, or a bare year that no living register holds.
    #[error("年が正しくありません。")]
    Year,
    /// Year 0 of an era.
    #[error("元号の年は元年（1年）から始まります。")]
    EraYear,
    /// The day lies before the first day of the era.
    #[error("{era}は{first}から始まります。それより前の日付です。")]
    EraStart {
        /// Name of the era, such as `昭和`.
        era: &'static str,
        /// First day, such as `昭和元年12月25日`.
        first: &'static str,
    },
    /// The day lies after the last day of the era.
    #[error("{era}は{last}までです。それより後の日付です。")]
    EraEnd {
        /// Name of the era, such as `昭和`.
        era: &'static str,
        /// Last day, such as `昭和64年1月7日`.
        last: &'static str,
    },
    /// A month outside 1–12.
    #[error("月は1から12までです。")]
    Month,
    /// A day that the month does not have.
    #[error("その月にない日付です。")]
    Day,
    /// A known part below an unknown one, such as a day without a month.
    #[error("年や月が不詳のときは、その下の月日も不詳になります。")]
    UnknownOrder,
    /// A full day is needed, but a part is unknown.
    #[error("年月日のすべてが必要です。")]
    NotFull,
    /// The 西暦 in brackets contradicts the 和暦.
    #[error("和暦とかっこ内の西暦が合いません。")]
    Contradiction,
}

impl DateError {
    /// What is wrong and what to do, for beside a field.
    pub fn told(&self) -> String {
        format!("{self}{}", self.advice())
    }
}

impl Coded for DateError {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "DATE-EMPTY",
            Self::Shape => "DATE-SHAPE",
            Self::Year => "DATE-YEAR",
            Self::EraYear => "DATE-ERA-YEAR",
            Self::EraStart { .. } => "DATE-ERA-START",
            Self::EraEnd { .. } => "DATE-ERA-END",
            Self::Month => "DATE-MONTH",
            Self::Day => "DATE-DAY",
            Self::UnknownOrder => "DATE-UNKNOWN-ORDER",
            Self::NotFull => "DATE-NOT-FULL",
            Self::Contradiction => "DATE-CONTRADICTION",
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Empty => "日付を入力してください。",
            Self::Shape => "S15.3.12、昭和15年3月12日、1940/3/12 のように入力してください。",
            Self::Year => "西暦は4桁で入力してください。",
            Self::EraYear => "元年は1と入力してください。",
            Self::EraStart { .. } | Self::EraEnd { .. } => "元号を確かめて入力し直してください。",
            Self::Month | Self::Day => "月と日を確かめて入力し直してください。",
            Self::UnknownOrder => "分かるところまで入力し、残りは不詳としてください。",
            Self::NotFull => "不詳のない日付を入力してください。",
            Self::Contradiction => "和暦か西暦のどちらか一方で入力してください。",
        }
    }
}
