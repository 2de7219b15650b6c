//! A seeded year: what the rules find of planted misuse, and how many ordinary days they disturb.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::date;
use mimamori_audit::monitor::rule::{Known, Look, Officer, People, block_of, family_of, judge};
use mimamori_audit::monitor::{Kind, Rules};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::fold::address_key;
use mimamori_testkit::accesses::{Misuse, Year, YearArgs, year};

fn subject(person: usize) -> [u8; 32] {
    let mut out = [0u8; 32];
    out[..8].copy_from_slice(&person.to_be_bytes());
    out
}

fn actor(officer: usize) -> [u8; 16] {
    let mut out = [0u8; 16];
    out[..8].copy_from_slice(&(officer + 1).to_be_bytes());
    out
}

fn people(year: &Year) -> People {
    let mut people = People::default();
    for (n, person) in year.persons.iter().enumerate() {
        let known = Known {
            family: family_of(&person.name),
            block: block_of(&address_key(&person.address)),
            household: String::new(),
            protected: person.protected,
        };
        *people.families.entry(known.family.clone()).or_default() += 1;
        people.persons += 1;
        people.subjects.insert(subject(n), known);
    }
    for (n, officer) in year.officers.iter().enumerate() {
        let own = officer.person.map(subject);
        let home = own.and_then(|s| people.subjects.get(&s));
        let known = Officer {
            family: family_of(&officer.name),
            block: home.map_or_else(String::new, |h| h.block.clone()),
            own,
            ..Officer::default()
        };
        people.officers.insert(actor(n), known);
    }
    people
}

/// Full size with MIMAMORI_FULL=1, else a fifth of it.
fn args() -> YearArgs {
    let full = std::env::var("MIMAMORI_FULL").is_ok();
    YearArgs {
        people: if full { 93_000 } else { 20_000 },
        officers: if full { 100 } else { 20 },
        seed: 1,
        first: date(2026, 4, 1),
        closed: Rules::built_in().unwrap().closed_days().collect(),
        planted: if full { 100 } else { 40 },
    }
}

#[test]
fn a_seeded_year_finds_the_planted_misuse_and_leaves_ordinary_days_alone() {
    let (rules, year) = (Rules::built_in().unwrap(), year(&args()));
    let people = people(&year);
    let mut looks: BTreeMap<jiff::civil::Date, Vec<Look>> = BTreeMap::new();
    let mut planted: BTreeMap<u64, Misuse> = BTreeMap::new();
    let mut days: BTreeSet<([u8; 16], jiff::civil::Date)> = BTreeSet::new();
    let mut tainted = days.clone();
    let mut slipped = days.clone();
    for (n, access) in year.accesses.iter().enumerate() {
        let line = n as u64 + 1;
        let at = jiff::tz::Offset::constant(9)
            .to_timestamp(access.day.at(0, 0, 0, 0))
            .unwrap()
            .as_microsecond()
            + i64::from(access.second) * 1_000_000;
        let lead = year.officers[access.officer].lead;
        looks.entry(access.day).or_default().push(Look {
            line,
            time: Instant(at),
            actor: actor(access.officer),
            role: if lead { "lead-officer" } else { "clerk" }.into(),
            action: if access.person.is_some() {
                "person.open"
            } else {
                "person.list"
            }
            .into(),
            linked: access.linked,
            subject: access.person.map(subject),
        });
        let day = (actor(access.officer), access.day);
        days.insert(day);
        if access.slip {
            slipped.insert(day);
        }
        if let Some(misuse) = access.misuse {
            planted.insert(line, misuse);
            tainted.insert(day);
        }
    }
    let found: Vec<_> = looks
        .iter()
        .flat_map(|(day, looks)| judge(&rules, *day, true, looks, &people))
        .collect();

    // A planted line is found when an alert about its officer, day and (where it names one) person exists.
    let mut alerted = BTreeSet::new();
    let mut by_kind: BTreeMap<Kind, BTreeSet<_>> = BTreeMap::new();
    let mut about = BTreeSet::new();
    for f in &found {
        alerted.insert((f.actor, f.day));
        about.insert((f.actor, f.day, f.subject));
        if !tainted.contains(&(f.actor, f.day)) {
            by_kind.entry(f.kind).or_default().insert((f.actor, f.day));
        }
    }
    // One act is one planting: the pages of a harvest count once.
    let mut acts: BTreeMap<Misuse, (BTreeSet<_>, BTreeSet<_>)> = BTreeMap::new();
    for (line, misuse) in &planted {
        let access = &year.accesses[usize::try_from(*line).unwrap() - 1];
        let day = (actor(access.officer), access.day);
        let whom = access.person.map(subject);
        let key = (day, whom);
        let (all, hit) = acts.entry(*misuse).or_default();
        all.insert(key);
        if about.contains(&(day.0, day.1, whom)) || about.contains(&(day.0, day.1, None)) {
            hit.insert(key);
        }
    }
    let (mut all, mut hit) = (0, 0);
    for (misuse, (planted, found)) in &acts {
        println!(
            "{misuse:?}: planted {} found {}",
            planted.len(),
            found.len()
        );
        if *misuse != Misuse::Acquaintance {
            all += planted.len();
            hit += found.len();
        }
    }
    let normal = days.difference(&tainted).count();
    let disturbed = alerted.difference(&tainted).count();
    for (kind, days) in &by_kind {
        println!("ordinary days with {}: {}", kind.code(), days.len());
    }
    // A day on which the officer forgot a note, kept a protected person's case or worked late is a day that
    // the rules are written to show; the same look planted as misuse differs from it in nothing.
    let faultless = normal - slipped.difference(&tainted).count();
    let chance = alerted
        .difference(&tainted)
        .filter(|day| !slipped.contains(*day))
        .count();
    let blind = chance as f64 / faultless as f64;
    println!(
        "{faultless} faultless officer-days among them, alerted {chance} ({:.2} %)",
        blind * 100.0
    );
    let recall = hit as f64 / all as f64;
    let share = disturbed as f64 / normal as f64;
    println!(
        "{} looks, {} officers, {normal} ordinary officer-days, alerted {disturbed} ({:.2} %), recall {hit} of {all} ({:.1} %)",
        year.accesses.len(),
        year.officers.len(),
        share * 100.0,
        recall * 100.0,
    );
    assert!(all > 200 && normal > 3_000, "{all} planted, {normal} days");
    assert!(recall >= 0.95, "recall {recall}");
    assert!(share <= 0.03, "share {share}");
    assert!(blind <= 0.01, "share of faultless days {blind}");
    assert_eq!(
        disturbed - chance,
        alerted
            .difference(&tainted)
            .filter(|d| slipped.contains(*d))
            .count()
    );
    let acquaintances = &acts[&Misuse::Acquaintance];
    assert!(
        acquaintances.1.len() * 5 < acquaintances.0.len(),
        "no rule knows friends: a made-up note hides them, and the figures must say so"
    );
}

#[test]
fn the_year_is_a_function_of_its_seed() {
    let small = YearArgs {
        people: 2_000,
        officers: 5,
        planted: 3,
        ..args()
    };
    let (one, two) = (year(&small), year(&small));
    assert_eq!(format!("{:?}", one.accesses), format!("{:?}", two.accesses));
    let other = year(&YearArgs { seed: 2, ..small });
    assert_ne!(
        format!("{:?}", one.accesses),
        format!("{:?}", other.accesses)
    );
}
