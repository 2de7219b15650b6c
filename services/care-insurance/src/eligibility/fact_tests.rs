use jiff::civil::date;

use super::super::rule::{Stay, derive};
use super::*;

const TODAY: Date = date(2026, 11, 21);

fn fact(number: u32, kind: Kind, from: Date, until: Option<Date>) -> Fact {
    Fact {
        number,
        kind,
        from,
        until,
        cancelled: false,
    }
}

fn p(text: &str) -> PartialDate {
    text.parse().unwrap()
}

fn resident(birth: &str) -> Person {
    Person {
        birth: p(birth),
        stays: vec![Stay {
            from: p("1990-01-01"),
            by_office: false,
            left: None,
        }],
        ..Person::default()
    }
}

fn answer(birth: &str, facts: &[Fact], as_of: Date) -> (Vec<Qualification>, usize) {
    let mut person = resident(birth);
    assert_eq!(apply(&mut person, facts), Vec::<String>::new());
    let derived = derive(&person, as_of, &Codes::built_in().unwrap()).unwrap();
    (derived.qualifications, derived.unknown.len())
}

/// FACTS B.2: 第2号 from the application, the same day lost when the medical insurance is left, and
/// 第1号 by itself at 65.
#[test]
fn an_application_makes_a_second_category_that_becomes_first_at_65() {
    let applied = [fact(1, Kind::Second, date(2024, 5, 10), None)];
    let (held, _) = answer("1961-04-01", &applied, TODAY);
    assert_eq!(held.len(), 2, "{held:?}");
    assert_eq!(held[0].category, Category::Second);
    assert_eq!(
        held[0].span,
        Span {
            from: date(2024, 5, 10),
            until: Some(date(2026, 3, 31))
        }
    );
    assert_eq!(
        (held[0].gained.as_str(), held[0].lost.as_deref()),
        ("13", Some("36"))
    );
    assert_eq!(
        (held[1].category, held[1].span.from),
        (Category::First, date(2026, 3, 31))
    );
    let left = [fact(
        1,
        Kind::Second,
        date(2024, 5, 10),
        Some(date(2025, 2, 1)),
    )];
    let (held, _) = answer("1970-04-01", &left, TODAY);
    assert_eq!(held.len(), 1);
    assert_eq!(
        (held[0].span.until, held[0].lost.as_deref()),
        (Some(date(2025, 2, 1)), Some("33"))
    );
}

#[test]
fn an_exempt_facility_and_another_towns_special_address_interrupt() {
    for (kind, lost, day, gained) in [
        (Kind::Exempt, "35", date(2025, 6, 2), "15"),
        (Kind::OtherSpecial, "34", date(2025, 6, 1), "14"),
    ] {
        let stay = [fact(1, kind, date(2025, 6, 1), Some(date(2026, 2, 3)))];
        let (held, _) = answer("1940-05-01", &stay, TODAY);
        assert_eq!(held.len(), 2, "{held:?}");
        assert_eq!(
            (held[0].span.until, held[0].lost.as_deref()),
            (Some(day), Some(lost))
        );
        assert_eq!(
            (held[1].span.from, held[1].gained.as_str()),
            (date(2026, 2, 3), gained)
        );
        let mut back = stay.clone();
        back[0].cancelled = true;
        assert_eq!(
            answer("1940-05-01", &back, TODAY).0.len(),
            1,
            "a cancelled fact counts no more"
        );
    }
    // Never insured here when he moved straight into the facility.
    let from_the_start = [fact(1, Kind::OtherSpecial, date(1990, 1, 1), None)];
    assert_eq!(answer("1940-05-01", &from_the_start, TODAY).0, []);
}

#[test]
fn a_settled_birth_makes_the_answer_certain_and_a_later_birth_of_the_register_is_asked_about() {
    let (_, open) = answer("1961-00-00", &[], TODAY);
    assert_eq!(open, 1, "unsettled");
    let settled = [fact(1, Kind::Birth, date(1961, 7, 1), None)];
    let (held, open) = answer("1961-00-00", &settled, TODAY);
    assert_eq!((held[0].span.from, open), (date(2026, 6, 30), 0));
    for (birth, questions) in [("1961-07-01", 0), ("1961-08-01", 1), ("1962-00-00", 1)] {
        let mut person = resident(birth);
        assert_eq!(apply(&mut person, &settled).len(), questions, "{birth}");
        assert_eq!(person.birth, p(birth), "the register stands");
    }
    let mut person = resident("1940-05-01");
    person.stays[0].from = PartialDate::UNKNOWN;
    let came = [fact(1, Kind::MovedIn, date(2020, 4, 1), None)];
    assert!(apply(&mut person, &came).is_empty());
    assert_eq!(person.stays[0].from, p("2020-04-01"));
    let died = [fact(1, Kind::Death, date(2020, 4, 1), None)];
    assert_eq!(apply(&mut person, &died).len(), 1, "nobody died");
}

#[test]
fn what_cannot_be_is_told_beside_its_field() {
    let codes = Codes::built_in().unwrap();
    let birth = p("1970-04-01");
    let told = |f: &Fact, others: &[Fact], birth| match f.check(others, birth, TODAY, &codes) {
        Ok(()) => vec![],
        Err(wrong) => wrong
            .into_iter()
            .map(|(field, _)| field)
            .collect::<Vec<_>>(),
    };
    let second = |from, until| fact(9, Kind::Second, from, until);
    assert_eq!(told(&second(date(2024, 5, 10), None), &[], birth), [""; 0]);
    assert_eq!(
        told(&second(date(2026, 11, 22), None), &[], birth),
        ["from"]
    );
    assert_eq!(
        told(
            &second(date(2024, 5, 10), Some(date(2026, 11, 22))),
            &[],
            birth
        ),
        ["until"]
    );
    assert_eq!(
        told(
            &second(date(2024, 5, 10), Some(date(2024, 5, 9))),
            &[],
            birth
        ),
        ["until"]
    );
    // 40 is reached the day before the birthday, 65 as well.
    assert_eq!(told(&second(date(2010, 3, 30), None), &[], birth), ["from"]);
    assert_eq!(told(&second(date(2010, 3, 31), None), &[], birth), [""; 0]);
    assert_eq!(
        told(&second(date(2026, 3, 31), None), &[], p("1961-04-01")),
        ["from"]
    );
    assert_eq!(
        told(&second(date(2026, 3, 30), None), &[], p("1961-04-01")),
        [""; 0]
    );
    assert_eq!(
        told(&second(date(1999, 5, 1), None), &[], p("1950-04-01")),
        ["from"],
        "before the act"
    );
    let other = [fact(
        1,
        Kind::Second,
        date(2024, 1, 1),
        Some(date(2024, 5, 10)),
    )];
    assert_eq!(
        told(&second(date(2024, 5, 10), None), &other, birth),
        ["from"]
    );
    assert_eq!(
        told(&second(date(2024, 5, 11), None), &other, birth),
        [""; 0]
    );
    let born = fact(9, Kind::Birth, date(1961, 7, 1), None);
    assert_eq!(told(&born, &[], p("1961-00-00")), [""; 0]);
    assert_eq!(told(&born, &[], p("1960-00-00")), ["from"]);
    assert_eq!(told(&born, &[], p("1961-07-01")), ["kind"]);
    assert_eq!(
        told(
            &born,
            &[fact(1, Kind::Birth, date(1961, 8, 1), None)],
            p("1961-00-00")
        ),
        ["from"]
    );
}

#[test]
fn an_application_that_bears_nothing_is_asked_about() {
    let early = [fact(
        1,
        Kind::Second,
        date(2005, 1, 1),
        Some(date(2006, 1, 1)),
    )];
    let (held, _) = answer("1970-04-01", &early, TODAY);
    assert_eq!(fruitless(&early, &held).len(), 1);
    let good = [fact(1, Kind::Second, date(2024, 5, 10), None)];
    let (held, _) = answer("1970-04-01", &good, TODAY);
    assert_eq!(fruitless(&good, &held), Vec::<String>::new());
}
