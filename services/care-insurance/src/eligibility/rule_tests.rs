use jiff::civil::{Date, date};
use mimamori_kernel::date::PartialDate;
use proptest::prelude::*;

use super::*;

/// The day most answers are asked for.
const TODAY: Date = date(2026, 11, 21);

fn p(y: i16, m: u8, d: u8) -> PartialDate {
    PartialDate::new(y, m, d).unwrap()
}

fn codes() -> Codes {
    Codes::built_in().unwrap()
}

fn here(birth: PartialDate, from: PartialDate) -> Person {
    Person {
        birth,
        stays: vec![Stay {
            from,
            by_office: false,
            left: None,
        }],
        ..Person::default()
    }
}

fn leaving(day: PartialDate, elsewhere_from: Option<Date>) -> Person {
    let mut person = here(p(1940, 5, 1), p(2010, 6, 1));
    person.stays[0].left = Some(Leave {
        day,
        elsewhere_from,
    });
    person
}

/// Category, day of acquisition, day of loss, names of the reasons.
type Told = (Category, Date, Option<Date>, String, Option<String>);

fn told(person: &Person) -> Vec<Told> {
    let codes = codes();
    let derived = derive(person, date(2027, 1, 1), &codes).unwrap();
    assert_eq!(derived.unknown, []);
    let name = |code: &str, day| codes.by_code(code, day).unwrap().name.clone();
    derived
        .qualifications
        .iter()
        .map(|q| {
            let lost = q.lost.as_ref().map(|c| name(c, q.span.until.unwrap()));
            (
                q.category,
                q.span.from,
                q.span.until,
                name(&q.gained, q.span.from),
                lost,
            )
        })
        .collect()
}

#[test]
fn sixty_five_is_reached_the_day_before_the_birthday() {
    for (birth, day) in [
        (p(1961, 4, 1), date(2026, 3, 31)),
        (p(1961, 4, 2), date(2026, 4, 1)),
        (p(1960, 2, 29), date(2025, 2, 28)),
        (p(1959, 3, 1), date(2024, 2, 29)),
        (p(1961, 1, 1), date(2025, 12, 31)),
    ] {
        let all = told(&here(birth, p(1990, 1, 1)));
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].1, day, "{birth}");
        assert_eq!((all[0].0, all[0].3.as_str()), (Category::First, "年齢到達"));
        assert_eq!(all[0].2, None);
    }
}

#[test]
fn somebody_who_moves_in_older_is_insured_from_that_day() {
    let all = told(&here(p(1940, 5, 1), p(2026, 11, 21)));
    assert_eq!(all[0].1, date(2026, 11, 21));
    assert_eq!(all[0].3, "転入");
    let on_the_day = told(&here(p(1961, 4, 1), p(2026, 3, 31)));
    assert_eq!(on_the_day[0].3, "転入");
    assert_eq!(on_the_day[0].1, date(2026, 3, 31));
}

#[test]
fn nobody_is_insured_before_the_act() {
    let all = told(&here(p(1920, 5, 1), p(1960, 1, 1)));
    assert_eq!((all[0].1, all[0].3.as_str()), (date(2000, 4, 1), "法施行"));
}

#[test]
fn leaving_ends_it_the_day_after_or_the_same_day_when_an_address_elsewhere_begins() {
    for (elsewhere, lost) in [
        (None, date(2026, 10, 2)),
        (Some(date(2026, 10, 1)), date(2026, 10, 1)),
        (Some(date(2026, 10, 2)), date(2026, 10, 2)),
        (Some(date(2026, 10, 9)), date(2026, 10, 2)),
    ] {
        let all = told(&leaving(p(2026, 10, 1), elsewhere));
        assert_eq!(all[0].2, Some(lost), "{elsewhere:?}");
        assert_eq!(all[0].4.as_deref(), Some("転出"));
    }
}

#[test]
fn death_ends_it_the_day_after() {
    let mut person = here(p(1940, 5, 1), p(2010, 6, 1));
    person.died = Some(p(2026, 12, 31));
    let all = told(&person);
    assert_eq!(all[0].2, Some(date(2027, 1, 1)));
    assert_eq!(all[0].4.as_deref(), Some("死亡"));
}

#[test]
fn moving_away_and_back_gives_two_qualifications() {
    let mut person = leaving(p(2020, 3, 31), Some(date(2020, 3, 31)));
    person.stays.push(Stay {
        from: p(2023, 4, 1),
        by_office: true,
        left: None,
    });
    let all = told(&person);
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].2, Some(date(2020, 3, 31)));
    assert_eq!(
        (all[1].1, all[1].3.as_str()),
        (date(2023, 4, 1), "職権による取得")
    );
}

#[test]
fn a_special_address_elsewhere_keeps_the_qualification() {
    let mut person = leaving(p(2020, 3, 31), Some(date(2020, 3, 31)));
    person.own_special = vec![Term {
        from: p(2020, 3, 31),
        until: None,
    }];
    let all = told(&person);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].2, None);
    person.own_special[0].until = Some(p(2024, 5, 5));
    let ended = told(&person);
    assert_eq!(ended[0].2, Some(date(2024, 5, 6)));
    assert_eq!(ended[0].4.as_deref(), Some("住所地特例の終了（自特例）"));
}

#[test]
fn another_towns_insured_person_in_a_facility_here_is_not_ours() {
    let mut person = here(p(1940, 5, 1), p(2020, 3, 31));
    person.other_special = vec![Term {
        from: p(2020, 3, 31),
        until: None,
    }];
    assert_eq!(told(&person), []);
    person.other_special[0].until = Some(p(2025, 7, 1));
    let all = told(&person);
    assert_eq!(
        (all[0].1, all[0].3.as_str()),
        (date(2025, 7, 1), "住所地特例の終了（他特例）")
    );
}

#[test]
fn an_exempt_facility_suspends_it() {
    let mut person = here(p(1940, 5, 1), p(2010, 6, 1));
    person.exempt = vec![Term {
        from: p(2020, 3, 31),
        until: Some(p(2021, 2, 1)),
    }];
    let all = told(&person);
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].2, Some(date(2020, 4, 1)));
    assert_eq!(all[0].4.as_deref(), Some("適用除外の開始"));
    assert_eq!(
        (all[1].1, all[1].3.as_str()),
        (date(2021, 2, 1), "適用除外の終了")
    );
}

#[test]
fn second_category_needs_medical_insurance_and_ends_with_it_on_the_same_day() {
    let mut person = here(p(1970, 6, 15), p(2000, 6, 1));
    assert_eq!(told(&person), []);
    person.second = vec![Term {
        from: p(2015, 1, 10),
        until: Some(p(2018, 9, 30)),
    }];
    let all = told(&person);
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].0, all[0].1), (Category::Second, date(2015, 1, 10)));
    assert_eq!(all[0].2, Some(date(2018, 9, 30)));
    assert_eq!(all[0].4.as_deref(), Some("医療保険の喪失（2号）"));
}

#[test]
fn second_category_begins_at_forty_and_turns_into_the_first_at_sixty_five() {
    let mut person = here(p(1961, 4, 1), p(1990, 6, 1));
    person.second = vec![Term {
        from: p(1999, 1, 1),
        until: None,
    }];
    let all = told(&person);
    assert_eq!(all.len(), 2);
    assert_eq!(
        (all[0].1, all[0].2),
        (date(2001, 3, 31), Some(date(2026, 3, 31)))
    );
    assert_eq!(all[0].4.as_deref(), Some("1号への種別変更"));
    assert_eq!((all[1].0, all[1].1), (Category::First, date(2026, 3, 31)));
    assert_eq!(all[1].3, "年齢到達");
}

#[test]
fn an_unknown_day_is_a_question_only_where_it_changes_the_answer() {
    let derived = |person: &Person| derive(person, TODAY, &codes()).unwrap();
    // Born some day of 1940, moved in at about 80: the birthday does not matter.
    assert_eq!(derived(&here(p(1940, 0, 0), p(2020, 4, 1))).unknown, []);
    // Born some day of April 1961 and living here: it decides month and fiscal year.
    let asked = derived(&here(p(1961, 4, 0), p(1990, 1, 1)));
    assert_eq!(
        asked.unknown,
        [Unknown {
            item: Item::Birth,
            known: p(1961, 4, 0)
        }]
    );
    assert_eq!(asked.qualifications[0].span.from, date(2026, 4, 29));
    // Nothing known of the birth: no qualification is made up.
    let nothing = derived(&here(PartialDate::UNKNOWN, p(1990, 1, 1)));
    assert_eq!(nothing.qualifications, []);
    assert_eq!(nothing.unknown.len(), 1);
    // Died on an unknown day: not insured for ever.
    let mut dead = here(p(1940, 5, 1), p(2010, 6, 1));
    dead.died = Some(PartialDate::UNKNOWN);
    assert_eq!(derived(&dead).qualifications, []);
    assert_eq!(derived(&dead).unknown[0].item, Item::Death);
}

#[test]
fn what_begins_later_is_not_yet_there_and_what_ends_later_is_open() {
    let person = here(p(1961, 4, 1), p(1990, 1, 1));
    let on = |day| derive(&person, day, &codes()).unwrap().qualifications;
    assert_eq!(on(date(2026, 3, 30)), []);
    assert_eq!(on(date(2026, 3, 31)).len(), 1);
    let leaver = leaving(p(2026, 12, 1), None);
    let lost = |day| {
        derive(&leaver, day, &codes()).unwrap().qualifications[0]
            .span
            .until
    };
    assert_eq!(lost(date(2026, 12, 1)), None);
    assert_eq!(lost(date(2026, 12, 2)), Some(date(2026, 12, 2)));
}

fn any_day() -> impl Strategy<Value = PartialDate> {
    (1990i16..2030, 1u8..=12, 1u8..=28).prop_map(|(y, m, d)| p(y, m, d))
}

fn any_terms() -> impl Strategy<Value = Vec<Term>> {
    let term =
        (any_day(), proptest::option::of(any_day())).prop_map(|(from, until)| Term { from, until });
    proptest::collection::vec(term, 0..3)
}

proptest! {
    /// Whatever happened, nobody is insured twice on a day, before 40, before the Act or after death.
    #[test]
    fn qualifications_never_overlap(
        birth in (1920i16..1990, 1u8..=12, 1u8..=28),
        stays in proptest::collection::vec((any_day(), proptest::option::of(any_day())), 0..4),
        own_special in any_terms(), other_special in any_terms(), exempt in any_terms(), second in any_terms(),
        died in proptest::option::of(any_day()),
    ) {
        let birth = p(birth.0, birth.1, birth.2);
        let stays = stays.into_iter().map(|(from, left)| Stay {
            from,
            by_office: false,
            left: left.map(|day| Leave { day, elsewhere_from: None }),
        }).collect();
        let person = Person { birth, died, stays, own_special, other_special, exempt, second };
        let all = derive(&person, date(2031, 1, 1), &codes()).unwrap().qualifications;
        let forty = day_age_is_reached(birth, 40).unwrap();
        for (n, a) in all.iter().enumerate() {
            prop_assert!(a.span.from >= forty.max(date(2000, 4, 1)));
            prop_assert_eq!(a.lost.is_some(), a.span.until.is_some());
            if let Some(died) = died.and_then(PartialDate::full) {
                prop_assert!(a.span.until.unwrap() <= died.tomorrow().unwrap());
            }
            // Two medical insurances at once are one dirty fact, not two qualifications of the first category.
            for b in all[n + 1..].iter().filter(|b| b.category == Category::First || a.category == Category::First) {
                prop_assert!(!a.span.overlaps(&b.span), "{:?} {:?}", a, b);
            }
        }
    }
}
