//! Six contacts over six months in four modes (FACTS E, s27; S1-24). Months and modes are 想定.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

/// How somebody is met: the four of the contract (S1-24).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// 対面.
    Interview,
    /// 電話.
    Telephone,
    /// 手紙.
    Letter,
    /// WEB.
    Web,
}

impl Mode {
    /// All, in the order of the contract.
    pub const ALL: [Self; 4] = [Self::Interview, Self::Telephone, Self::Letter, Self::Web];

    /// Stable id.
    pub fn id(self) -> &'static str {
        match self {
            Self::Interview => "interview",
            Self::Telephone => "telephone",
            Self::Letter => "letter",
            Self::Web => "web",
        }
    }

    /// The word of the contract.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Interview => "対面",
            Self::Telephone => "電話",
            Self::Letter => "手紙",
            Self::Web => "WEB",
        }
    }

    /// From an id or the word.
    pub fn of(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|m| m.id() == text || m.japanese() == text)
    }
}

/// Days on which nobody works: weekends, 29 December to 3 January, and what the office lists (祝日).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Closed(pub std::collections::BTreeSet<Date>);

impl Closed {
    /// Whether the office is closed on a day.
    pub fn on(&self, day: Date) -> bool {
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        let new_year = matches!((day.month(), day.day()), (12, 29..) | (1, 1..=3));
        weekend || new_year || self.0.contains(&day)
    }

    /// The day itself, or the next one on which the office is open.
    fn open_from(&self, mut day: Date) -> Date {
        // A year of closed days in a row would be a mistake in the list; the day stands then.
        for _ in 0..366 {
            if !self.on(day) {
                return day;
            }
            day = day.saturating_add(1.day());
        }
        day
    }
}

/// One contact of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contact {
    /// 1 to 6.
    pub number: u8,
    /// Planned mode; another of the four is allowed.
    pub mode: Mode,
    /// First day of its month.
    pub from: Date,
    /// 期限.
    pub due: Date,
}

/// The plan of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The contacts in order.
    pub contacts: Vec<Contact>,
}

/// The plan does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPlan {
    /// The last contact would lie behind the end of the contract (S1-21).
    #[error("6か月の計画が契約の終わりを越えます。開始日を早めるか、次の契約で始めてください。")]
    AfterContract,
    /// The start lies before the contract.
    #[error("開始日が契約の始まりより前です。")]
    BeforeContract,
    /// The calendar ends.
    #[error("日付を計算できません。")]
    Calendar,
}

/// Months after the start and planned modes.
const CONTACTS: [(i32, Mode); 6] = [
    (0, Mode::Interview),
    (1, Mode::Telephone),
    (2, Mode::Letter),
    (3, Mode::Web),
    (4, Mode::Telephone),
    (6, Mode::Interview),
];
/// Days that a contact may take from the day its month begins.
const WINDOW: i32 = 14;

impl Plan {
    /// Six contacts from `start`, within the contract's days (both included).
    ///
    /// Each due day is an open one. The last may be drawn before the end of the contract when its window alone
    /// lies behind it.
    ///
    /// # Errors
    /// [`NoPlan`].
    pub fn new(start: Date, contract: (Date, Date), closed: &Closed) -> Result<Self, NoPlan> {
        if start < contract.0 {
            return Err(NoPlan::BeforeContract);
        }
        let mut contacts = vec![];
        for (number, (months, mode)) in (1u8..).zip(CONTACTS) {
            let from = start
                .checked_add(months.months())
                .map_err(|_| NoPlan::Calendar)?;
            let from = closed.open_from(from);
            if from > contract.1 {
                return Err(NoPlan::AfterContract);
            }
            let due = from
                .checked_add(WINDOW.days())
                .map_err(|_| NoPlan::Calendar)?;
            let due = closed.open_from(due).min(contract.1);
            contacts.push(Contact {
                number,
                mode,
                from,
                due,
            });
        }
        Ok(Self { contacts })
    }
}

/// Where a contact stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Its month has not begun.
    Later,
    /// It may be held now.
    Open,
    /// Its due day is past.
    Overdue,
    /// It was held.
    Held,
}

/// The state of a contact; `held` is the day it was held.
pub fn state(contact: &Contact, held: Option<Date>, today: Date) -> State {
    match held {
        Some(_) => State::Held,
        None if today < contact.from => State::Later,
        None if today <= contact.due => State::Open,
        None => State::Overdue,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    const CONTRACT: (Date, Date) = (date(2025, 4, 1), date(2026, 3, 31));

    #[test]
    fn six_contacts_lie_within_six_months_in_all_four_modes() {
        let plan = Plan::new(date(2025, 8, 1), CONTRACT, &Closed::default()).unwrap();
        let days: Vec<_> = plan
            .contacts
            .iter()
            .map(|c| (c.from.to_string(), c.due.to_string()))
            .collect();
        let expected = [
            ("2025-08-01", "2025-08-15"),
            ("2025-09-01", "2025-09-15"),
            ("2025-10-01", "2025-10-15"),
            ("2025-11-03", "2025-11-17"),
            ("2025-12-01", "2025-12-15"),
            ("2026-02-02", "2026-02-16"),
        ];
        assert_eq!(days, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
        let modes: std::collections::BTreeSet<_> = plan.contacts.iter().map(|c| c.mode).collect();
        assert_eq!(modes.len(), 4);
    }

    #[test]
    fn closed_days_move_a_contact_and_the_contract_ends_it() {
        let culture_day = Closed([date(2025, 11, 3)].into());
        let plan = Plan::new(date(2025, 8, 1), CONTRACT, &culture_day).unwrap();
        assert_eq!(plan.contacts[3].from, date(2025, 11, 4));
        let late = Plan::new(date(2025, 9, 26), CONTRACT, &Closed::default()).unwrap();
        assert_eq!(late.contacts[5].due, date(2026, 3, 31));
        let none = |start| Plan::new(start, CONTRACT, &Closed::default()).unwrap_err();
        assert_eq!(none(date(2025, 10, 1)), NoPlan::AfterContract);
        assert_eq!(none(date(2025, 3, 31)), NoPlan::BeforeContract);
        assert!(Closed::default().on(date(2025, 12, 29)) && Closed::default().on(date(2026, 1, 2)));
    }

    #[test]
    fn a_contact_is_later_open_overdue_or_held() {
        let contact = Plan::new(date(2025, 8, 1), CONTRACT, &Closed::default())
            .unwrap()
            .contacts[0];
        let on = |day| state(&contact, None, day);
        assert_eq!(on(date(2025, 7, 31)), State::Later);
        assert_eq!(
            (on(contact.from), on(contact.due)),
            (State::Open, State::Open)
        );
        assert_eq!(on(date(2025, 8, 16)), State::Overdue);
        assert_eq!(
            state(&contact, Some(date(2025, 8, 16)), date(2025, 9, 1)),
            State::Held
        );
    }

    proptest! {
        #[test]
        fn due_days_are_open_ordered_and_within_the_contract(days in 0i32..365) {
            let start = CONTRACT.0.checked_add(days.days()).unwrap();
            if let Ok(plan) = Plan::new(start, CONTRACT, &Closed::default()) {
                prop_assert_eq!(plan.contacts.len(), 6);
                for c in &plan.contacts {
                    prop_assert!(start <= c.from && c.from <= c.due && c.due <= CONTRACT.1);
                    prop_assert!(!Closed::default().on(c.from));
                }
                for pair in plan.contacts.windows(2) {
                    prop_assert!(pair[0].due < pair[1].from);
                }
            }
        }
    }
}
