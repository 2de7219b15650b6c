//! From the register's rows to the facts that the law asks for. Pure.

use jiff::civil::Date;
use mimamori_kernel::date::PartialDate;

use super::rule::{Leave, Person, Stay, Term};

/// One row of a person's history in the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moved {
    /// Word of the register: 転入, 転出, ….
    pub reason: String,
    /// Day of the event.
    pub day: PartialDate,
    /// Of a 転出: since when the person is a resident of the other town, when it is known.
    pub elsewhere: Option<Date>,
}

/// The facts of a person with this birth and history, oldest row first.
///
/// `second` says that the register calls the person insured below 65: somebody applied, but the
/// register does not know when. Rows that change nothing about living here (転居, 職権修正) are passed over.
pub(crate) fn facts(birth: PartialDate, rows: &[Moved], second: bool) -> Person {
    let mut person = Person {
        birth,
        ..Person::default()
    };
    for row in rows {
        let here = person.stays.last().is_some_and(|s| s.left.is_none());
        let away = person.own_special.last().is_some_and(|t| t.until.is_none());
        let leave = |elsewhere_from| Leave {
            day: row.day,
            elsewhere_from,
        };
        // Whoever is entered again lives: the death was an error (職権記載).
        if matches!(row.reason.as_str(), "転入" | "職権記載") {
            person.died = None;
        }
        match row.reason.as_str() {
            "転入" | "出生" | "職権記載" if !here => {
                if let Some(term) = person.own_special.last_mut().filter(|_| away) {
                    term.until = Some(row.day);
                }
                person.stays.push(Stay {
                    from: row.day,
                    by_office: row.reason == "職権記載",
                    left: None,
                });
            }
            "住所地特例" => {
                if let Some(stay) = person.stays.last_mut().filter(|_| here) {
                    stay.left = Some(leave(row.day.full()));
                }
                if !away {
                    person.own_special.push(Term {
                        from: row.day,
                        until: None,
                    });
                }
            }
            "転出" | "職権消除" => {
                if let Some(term) = person.own_special.last_mut().filter(|_| away) {
                    term.until = Some(row.day);
                } else if let Some(stay) = person.stays.last_mut().filter(|_| here) {
                    stay.left = Some(leave(row.elsewhere));
                }
            }
            "死亡" => person.died = Some(row.day),
            _ => {}
        }
    }
    if second {
        person.second.push(Term {
            from: PartialDate::UNKNOWN,
            until: None,
        });
    }
    person
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eligibility::{Codes, derive};
    use jiff::civil::date;

    fn p(text: &str) -> PartialDate {
        text.parse().unwrap()
    }

    fn rows(all: &[(&str, &str)]) -> Vec<Moved> {
        all.iter()
            .map(|(reason, day)| Moved {
                reason: (*reason).into(),
                day: p(day),
                elsewhere: None,
            })
            .collect()
    }

    #[test]
    fn moves_inside_the_town_change_nothing() {
        let all = rows(&[
            ("出生", "1940-05-01"),
            ("転居", "1990-01-01"),
            ("職権修正", "2001-01-01"),
            ("転入", "2003-01-01"),
            ("転出", "2026-10-01"),
        ]);
        let person = facts(p("1940-05-01"), &all, false);
        assert_eq!(person.stays.len(), 1);
        assert_eq!(person.stays[0].left.map(|l| l.day), Some(p("2026-10-01")));
    }

    #[test]
    fn a_special_address_keeps_the_person_ours_until_the_facility_is_left() {
        let all = rows(&[
            ("転入", "1990-05-01"),
            ("住所地特例", "2020-04-01"),
            ("転出", "2024-05-05"),
        ]);
        let person = facts(p("1940-05-01"), &all, false);
        let codes = Codes::built_in().unwrap();
        let answer = derive(&person, date(2026, 11, 21), &codes).unwrap();
        assert_eq!(answer.qualifications.len(), 1);
        assert_eq!(answer.qualifications[0].span.until, Some(date(2024, 5, 6)));
    }

    #[test]
    fn a_death_entered_by_mistake_is_undone_by_the_entry_of_the_office() {
        let codes = Codes::built_in().unwrap();
        let mut all = rows(&[("転入", "1990-05-01"), ("死亡", "2026-10-01")]);
        let span = |all: &[Moved]| {
            let person = facts(p("1940-05-01"), all, false);
            let answer = derive(&person, date(2026, 11, 21), &codes).unwrap();
            assert_eq!(answer.qualifications.len(), 1);
            answer.qualifications[0].span
        };
        let lost = span(&all);
        assert_eq!(lost.until, Some(date(2026, 10, 2)));
        all.extend(rows(&[("職権記載", "2026-10-20")]));
        let again = span(&all);
        assert_eq!((again.from, again.until), (lost.from, None));
        all.extend(rows(&[("死亡", "2026-11-01")]));
        assert_eq!(span(&all).until, Some(date(2026, 11, 2)));
    }

    /// FACTS B.2: lost on the day itself when the other town counts the person from that day on.
    #[test]
    fn whoever_is_a_resident_elsewhere_on_the_same_day_loses_on_that_day() {
        let codes = Codes::built_in().unwrap();
        for (elsewhere, lost) in [
            (None, date(2026, 10, 2)),
            (Some(date(2026, 10, 1)), date(2026, 10, 1)),
            (Some(date(2026, 10, 3)), date(2026, 10, 2)),
        ] {
            let mut all = rows(&[("転入", "1990-05-01"), ("転出", "2026-10-01")]);
            all[1].elsewhere = elsewhere;
            let person = facts(p("1940-05-01"), &all, false);
            let answer = derive(&person, date(2026, 11, 21), &codes).unwrap();
            assert_eq!(answer.qualifications[0].span.until, Some(lost));
        }
    }

    #[test]
    fn a_second_category_without_its_day_is_a_question() {
        let person = facts(p("1975-05-01"), &rows(&[("転入", "1990-05-01")]), true);
        let answer = derive(&person, date(2026, 11, 21), &Codes::built_in().unwrap()).unwrap();
        assert_eq!(answer.qualifications, []);
        assert_eq!(answer.unknown.len(), 1);
    }
}
