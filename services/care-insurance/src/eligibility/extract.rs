//! From the register's rows to the facts that the law asks for. Pure.

use mimamori_kernel::date::PartialDate;

use super::rule::{Leave, Person, Stay, Term};

/// One row of a person's history in the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moved {
    /// Word of the register: 転入, 転出, ….
    pub reason: String,
    /// Day of the event.
    pub day: PartialDate,
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
                    stay.left = Some(leave(None));
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
    fn a_second_category_without_its_day_is_a_question() {
        let person = facts(p("1975-05-01"), &rows(&[("転入", "1990-05-01")]), true);
        let answer = derive(&person, date(2026, 11, 21), &Codes::built_in().unwrap()).unwrap();
        assert_eq!(answer.qualifications, []);
        assert_eq!(answer.unknown.len(), 1);
    }
}
