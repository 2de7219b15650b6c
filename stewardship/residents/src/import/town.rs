//! What the two files say, in memory.

use std::collections::{HashMap, HashSet};

use mimamori_gate::Facts;

use mimamori_kernel::id::PersonId;

use super::Outcome;

/// One history row.
#[derive(Debug)]
pub(super) struct Event {
    pub row: u64,
    pub number: i64,
    pub reason: String,
    pub event_day: String,
    pub notified_day: String,
    pub postal: String,
    pub address: String,
    pub building: String,
    pub moved_to: String,
}

/// A person as the latest row says.
#[derive(Debug, Default)]
pub(super) struct Latest {
    pub row: u64,
    pub number: i64,
    pub household_number: String,
    pub kanji: String,
    pub kana: String,
    pub alias: String,
    pub alias_kana: String,
    pub kanji_key: String,
    pub kana_key: String,
    pub alias_key: String,
    pub sex: i64,
    pub birth: String,
    pub foreigner: bool,
    pub namesakes: i64,
    pub relation: String,
    pub status: i64,
    pub status_day: String,
    pub insured: bool,
    pub insured_number: String,
    pub special: bool,
    pub protected: bool,
    /// Lives in the household or at the address of a protected person.
    pub beside_protected: bool,
    pub phone: String,
    pub postal: String,
    pub address: String,
    pub building: String,
    pub address_key: String,
}

impl Latest {
    /// 1: support measures hold; 2: for somebody of the same household or address; 0: neither.
    pub fn protection(&self) -> i64 {
        match (self.protected, self.beside_protected) {
            (true, _) => 1,
            (false, true) => 2,
            (false, false) => 0,
        }
    }

    /// The facts that the gate decides on.
    pub fn mask(&self) -> i64 {
        let bit = |on: bool, bit: i64| if on { bit } else { 0 };
        bit(self.status == 1 && !self.special, Facts::RESIDENT)
            | bit(self.status == 2, Facts::MOVED_OUT)
            | bit(self.status == 3, Facts::DECEASED)
            | bit(self.protected || self.beside_protected, Facts::PROTECTED)
            | bit(self.insured, Facts::INSURED)
    }
}

/// One 宛名番号 with everything known of it.
#[derive(Debug, Default)]
pub(super) struct Person {
    pub first_row: u64,
    /// A row of this person is wrong.
    pub bad: bool,
    pub latest_rows: u32,
    pub address_number: String,
    pub latest: Latest,
    pub events: Vec<Event>,
}

/// One household.
#[derive(Debug, Default)]
pub(super) struct House {
    pub row: u64,
    /// Its row is wrong.
    pub bad: bool,
    pub number: String,
    pub head: String,
    pub address: String,
    pub founded: String,
    pub ended: String,
}

/// Everything of the two files.
#[derive(Debug)]
pub(super) struct Town {
    pub people: Vec<Person>,
    pub houses: Vec<House>,
    /// There is a row whose person cannot be told: whoever is absent may be that person.
    pub unknown_person: bool,
    /// The same for households.
    pub unknown_house: bool,
}

/// Who stays as he is in force when only good rows are taken over (据置き).
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    pub persons: Vec<PersonId>,
    pub houses: Vec<String>,
    /// Persons that are not in force and come in with the next import.
    pub new_left_out: usize,
}

/// More residents than this at one address are taken for a facility, whose address tells nothing
/// of one household. An assumption (想定), `docs/decisions`.
pub(crate) const FACILITY: usize = 10;

impl Town {
    /// Marks who lives in the household, or at the address, of a protected person: their records
    /// would tell where that person lives. Number marked.
    pub fn spread_protection(&mut self) -> u64 {
        let mut at: HashMap<&str, usize> = HashMap::new();
        let (mut houses, mut places) = (HashSet::new(), HashSet::new());
        for person in self.people.iter().map(|p| &p.latest) {
            if person.status == 1 {
                *at.entry(person.address_key.as_str()).or_default() += 1;
            }
            if person.protected {
                houses.insert(person.household_number.clone());
                places.insert(person.address_key.clone());
            }
        }
        places.retain(|place| {
            !place.is_empty() && at.get(place.as_str()).is_some_and(|n| *n <= FACILITY)
        });
        houses.remove("");
        let mut marked = 0;
        for person in self.people.iter_mut().map(|p| &mut p.latest) {
            person.beside_protected = !person.protected
                && (houses.contains(&person.household_number)
                    || places.contains(&person.address_key));
            marked += u64::from(person.beside_protected);
        }
        marked
    }

    /// The counts of what was read.
    pub fn outcome(&self) -> Outcome {
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let of = |test: fn(&Latest) -> bool| {
            count(self.people.iter().filter(|p| test(&p.latest)).count())
        };
        Outcome {
            persons: count(self.people.len()),
            rows: count(self.people.iter().map(|p| p.events.len()).sum()),
            households: count(self.houses.len()),
            insured: of(|p| p.insured),
            members: of(|p| !p.insured),
            deceased: of(|p| p.status == 3),
            moved_out: of(|p| p.status == 2),
            protected: of(|p| p.protected),
            ..Outcome::default()
        }
    }
}
