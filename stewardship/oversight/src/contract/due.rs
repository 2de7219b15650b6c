//! Due days of obligations, and how near they are; pure.

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use mimamori_kernel::date::fiscal_year;

use super::clause::{Clause, When, Word};

/// How long a word of the clauses lasts; the town's setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Days.
    pub days: i64,
    /// Office days (開庁日) are counted.
    pub office: bool,
}

/// The spans of all words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spans(pub [Span; 3]);

impl Default for Spans {
    /// 想定: 直ちに the same day, 速やかに 3 office days, 遅滞なく 7 days (FACTS F.4).
    fn default() -> Self {
        let span = |days, office| Span { days, office };
        Self([span(0, false), span(3, true), span(7, false)])
    }
}

impl Spans {
    /// The span of a word.
    pub fn of(&self, word: Word) -> Span {
        let [at_once, promptly, without_delay] = self.0;
        match word {
            Word::AtOnce => at_once,
            Word::Promptly => promptly,
            Word::WithoutDelay => without_delay,
        }
    }
}

/// Whether the office is open: Monday to Friday, closed from 12/29 to 1/3. National holidays count as open (想定): the due
/// day then comes earlier, never later.
pub fn is_open(day: Date) -> bool {
    let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    let turn = (day.month() == 12 && day.day() >= 29) || (day.month() == 1 && day.day() <= 3);
    !weekend && !turn
}

/// The day so long after another; the first day is not counted.
pub fn after(day: Date, span: Span) -> Date {
    if !span.office {
        return day.saturating_add(span.days.days());
    }
    let (mut left, mut at) = (span.days, day);
    while left > 0 {
        at = at.saturating_add(1.day());
        if is_open(at) {
            left -= 1;
        }
        if at == Date::MAX {
            break;
        }
    }
    at
}

/// The last day of the fiscal year `year`.
fn year_end(year: i16) -> Date {
    Date::new(year + 1, 3, 31).unwrap_or(Date::MAX)
}

/// The due days that a clause has from the first day on: one for each fiscal year of a yearly one.
pub fn first(clause: &Clause, started: Date, until: Date, spans: Spans) -> Vec<Date> {
    match clause.when {
        When::Before => vec![started],
        When::Start(word) => vec![after(started, spans.of(word))],
        When::End(word) => vec![after(until, spans.of(word))],
        When::Happens(_) => vec![],
        When::Yearly => (fiscal_year(started)..=fiscal_year(until))
            .map(|year| year_end(year).min(until.max(started)))
            .collect(),
    }
}

/// The due day of something that happened on `day`.
pub fn happened(clause: &Clause, day: Date, spans: Spans) -> Date {
    match clause.when {
        When::Happens(word) | When::End(word) | When::Start(word) => after(day, spans.of(word)),
        When::Before | When::Yearly => day,
    }
}

/// How near a due day is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// The day is over, or a yearly audit is still open on 1 February (TK-16).
    Over,
    /// Within 30 days (想定).
    Near,
    /// Later.
    Later,
}

impl Urgency {
    /// How near `due` is on `today`.
    pub fn of(clause: &Clause, due: Date, today: Date) -> Self {
        let audit = clause.when == When::Yearly
            && matches!(clause.number, 15 | 16)
            && due.month() == 3
            && today >= Date::new(due.year(), 2, 1).unwrap_or(due);
        match () {
            () if due < today || audit => Self::Over,
            () if due <= today.saturating_add(30.days()) => Self::Near,
            () => Self::Later,
        }
    }

    /// Look and words.
    pub fn badge(self) -> (&'static str, &'static str) {
        match self {
            Self::Over => ("danger", "期限を過ぎた・急ぐ"),
            Self::Near => ("warning", "30日以内"),
            Self::Later => ("info", "期限まで"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Variant;
    use crate::contract::clause::{all, find};
    use jiff::civil::date;

    #[test]
    fn office_days_leave_out_weekends_and_the_turn_of_the_year() {
        let three = Span {
            days: 3,
            office: true,
        };
        for (from, to) in [
            (date(2026, 11, 20), date(2026, 11, 25)),
            (date(2026, 11, 22), date(2026, 11, 25)),
            (date(2026, 12, 28), date(2027, 1, 6)),
            (date(2026, 11, 16), date(2026, 11, 19)),
        ] {
            assert_eq!(after(from, three), to, "{from}");
        }
        let seven = Span {
            days: 7,
            office: false,
        };
        assert_eq!(after(date(2026, 12, 28), seven), date(2027, 1, 4));
    }

    #[test]
    fn each_clause_is_due_when_its_words_say() {
        let (from, until) = (date(2026, 4, 1), date(2027, 3, 31));
        let due = |number| {
            let clause = find(Variant::AtTheEnd, number).unwrap();
            first(clause, from, until, Spans::default())
        };
        assert_eq!(due(13), [from], "あらかじめ");
        assert_eq!(due(1), [date(2026, 4, 8)], "遅滞なく");
        assert_eq!(due(12), [date(2027, 4, 7)]);
        assert_eq!(due(16), [until]);
        assert!(due(19).is_empty(), "only when it happens");
        let incident = find(Variant::AtTheEnd, 19).unwrap();
        let told = happened(incident, date(2026, 11, 20), Spans::default());
        assert_eq!(told, date(2026, 11, 25), "速やかに");
        // Over two fiscal years an audit is due in each.
        let audit = find(Variant::AtTheEnd, 16).unwrap();
        let both = first(
            audit,
            date(2026, 10, 1),
            date(2027, 9, 30),
            Spans::default(),
        );
        assert_eq!(both, [date(2027, 3, 31), date(2027, 9, 30)]);
    }

    #[test]
    fn an_audit_is_red_from_the_first_of_february() {
        let audit = find(Variant::AtTheEnd, 16).unwrap();
        let shelf = find(Variant::AtTheEnd, 8).unwrap();
        let due = date(2027, 3, 31);
        assert_eq!(Urgency::of(audit, due, date(2027, 1, 31)), Urgency::Later);
        assert_eq!(Urgency::of(audit, due, date(2027, 2, 1)), Urgency::Over);
        assert_eq!(Urgency::of(shelf, due, date(2027, 2, 1)), Urgency::Later);
        assert_eq!(Urgency::of(shelf, due, date(2027, 3, 1)), Urgency::Near);
        assert_eq!(Urgency::of(shelf, due, date(2027, 4, 1)), Urgency::Over);
        assert_eq!(all(Variant::AtTheEnd).count(), 21);
    }
}
