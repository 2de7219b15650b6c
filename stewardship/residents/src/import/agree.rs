//! What several rows must agree on (行と行の整合), and who must be left as he is.

use std::collections::{HashMap, HashSet};

use mimamori_kernel::id::PersonId;

use super::fault::{Fault, Finding, Findings, Sheet};
use super::rule::Builder;
use super::town::{House, Kept, Person, Town};

/// Places in the residents' items.
const HISTORY: usize = 1;
const LATEST: usize = 2;
const HOUSEHOLD: usize = 3;
const RELATION: usize = 10;
const INSURED_NUMBER: usize = 21;
/// The head's place in the households' items.
const HEAD: usize = 1;

impl Builder {
    /// Checks rows against each other and counts namesakes. `derive`: there is no file of
    /// households, they are made from the persons that are 世帯主.
    pub fn finish(mut self, derive: bool, findings: &mut Findings) -> Town {
        for person in self.people.iter_mut().filter(|p| !p.bad) {
            person.bad = history(person, findings);
        }
        if derive {
            self.derive_houses();
        }
        self.households(derive, findings);
        self.same_numbers(findings);
        let mut names: HashMap<(&str, &str), i64> = HashMap::new();
        for latest in self.people.iter().map(|p| &p.latest) {
            *names
                .entry((&latest.kanji_key, &latest.kana_key))
                .or_default() += 1;
        }
        let count = |p: &Person| {
            names
                .get(&(p.latest.kanji_key.as_str(), p.latest.kana_key.as_str()))
                .copied()
        };
        let counts: Vec<i64> = self.people.iter().map(|p| count(p).unwrap_or(1)).collect();
        for (person, count) in self.people.iter_mut().zip(counts) {
            person.latest.namesakes = count;
        }
        Town {
            people: self.people,
            houses: self.houses,
            unknown_person: self.unknown_person,
            unknown_house: self.unknown_house || (derive && self.unknown_person),
        }
    }

    fn derive_houses(&mut self) {
        for person in &self.people {
            let number = &person.latest.household_number;
            if person.latest.relation == "世帯主" && !self.house_places.contains_key(number) {
                self.house_places.insert(number.clone(), self.houses.len());
                self.houses.push(House {
                    row: person.latest.row,
                    number: number.clone(),
                    head: person.address_number.clone(),
                    address: person.latest.address.clone(),
                    ..House::default()
                });
            }
        }
    }

    fn households(&mut self, derive: bool, findings: &mut Findings) {
        for person in self.people.iter_mut().filter(|p| !p.bad) {
            if !self
                .house_places
                .contains_key(&person.latest.household_number)
            {
                let (item, fault) = if derive {
                    (RELATION, Fault::Head)
                } else {
                    (HOUSEHOLD, Fault::Household)
                };
                let row = person.latest.row;
                findings.add(Finding::new(Sheet::Residents, row, Some(item), fault));
                person.bad = true;
            }
        }
        for house in self.houses.iter_mut().filter(|h| !h.bad) {
            let head = self.places.get(&house.head).map(|at| &self.people[*at]);
            let fault = match head {
                None => Fault::Head,
                Some(p) if !p.bad && p.latest.household_number != house.number => {
                    Fault::HeadElsewhere
                }
                Some(_) => continue,
            };
            house.bad = true;
            findings.add(Finding::new(
                Sheet::Households,
                house.row,
                Some(HEAD),
                fault,
            ));
        }
    }

    fn same_numbers(&mut self, findings: &mut Findings) {
        let mut first: HashMap<&str, usize> = HashMap::new();
        let mut twice = vec![];
        for (at, person) in self.people.iter().enumerate() {
            let number = person.latest.insured_number.as_str();
            if number.is_empty() || person.latest_rows == 0 {
                continue;
            }
            if let Some(other) = first.insert(number, at) {
                twice.extend([other, at]);
            }
        }
        for at in twice {
            let person = &mut self.people[at];
            person.bad = true;
            findings.add(Finding::new(
                Sheet::Residents,
                person.latest.row,
                Some(INSURED_NUMBER),
                Fault::SameInsured,
            ));
        }
    }
}

/// Whether the history of a person does not hold together.
fn history(person: &mut Person, findings: &mut Findings) -> bool {
    person.events.sort_unstable_by_key(|e| e.number);
    let mut wrong = |row, item, fault| {
        findings.add(Finding::new(Sheet::Residents, row, Some(item), fault));
        true
    };
    let last = person.events.last().map_or(0, |e| e.number);
    let mut bad = false;
    if person.latest_rows != 1 {
        bad = wrong(person.first_row, LATEST, Fault::Latest);
    } else if last > person.latest.number {
        bad = wrong(person.latest.row, LATEST, Fault::Latest);
    }
    for pair in person.events.windows(2) {
        if pair[0].number + 1 != pair[1].number {
            bad |= wrong(pair[1].row, HISTORY, Fault::Gap);
        }
    }
    bad
}

impl Town {
    /// Takes everybody out who must stay as he is in force (据置き): persons with a wrong row or in
    /// a wrong household, and persons of whom a row may be missing. `persons` and `houses` are those
    /// in force.
    pub fn settle(
        &mut self,
        persons: &HashMap<String, PersonId>,
        houses: &HashSet<String>,
    ) -> Kept {
        let bad_house: HashSet<String> = self
            .houses
            .iter()
            .filter(|h| h.bad)
            .map(|h| h.number.clone())
            .collect();
        let bad_head: HashSet<String> = self
            .people
            .iter()
            .filter(|p| p.bad || bad_house.contains(&p.latest.household_number))
            .map(|p| p.address_number.clone())
            .collect();
        // A new household without its head cannot be entered, and nobody into it.
        let held_house: HashSet<String> = self
            .houses
            .iter()
            .filter(|h| h.bad || bad_head.contains(&h.head))
            .map(|h| h.number.clone())
            .collect();
        let out = |p: &Person| {
            let number = &p.latest.household_number;
            p.bad
                || bad_house.contains(number)
                || (held_house.contains(number) && !houses.contains(number))
        };
        let (held, taken): (Vec<Person>, Vec<Person>) =
            std::mem::take(&mut self.people).into_iter().partition(out);
        self.people = taken;
        let all_houses = std::mem::take(&mut self.houses);
        let mut house_numbers: HashSet<&str> = HashSet::new();
        let listed: Vec<&str> = all_houses.iter().map(|h| h.number.as_str()).collect();
        if self.unknown_house {
            let known: HashSet<&str> = listed.iter().copied().collect();
            house_numbers.extend(
                houses
                    .iter()
                    .map(String::as_str)
                    .filter(|n| !known.contains(n)),
            );
        }
        house_numbers.extend(
            held_house
                .iter()
                .map(String::as_str)
                .filter(|n| houses.contains(*n)),
        );
        let mut kept = Kept {
            houses: house_numbers.into_iter().map(str::to_owned).collect(),
            ..Kept::default()
        };
        if self.unknown_person {
            let taken: HashSet<&str> = self
                .people
                .iter()
                .map(|p| p.address_number.as_str())
                .collect();
            let missing = persons
                .iter()
                .filter(|(number, _)| !taken.contains(number.as_str()));
            kept.persons = missing.map(|(_, id)| *id).collect();
            kept.new_left_out = held
                .iter()
                .filter(|p| !persons.contains_key(&p.address_number))
                .count();
        } else {
            for person in &held {
                match persons.get(&person.address_number) {
                    Some(id) => kept.persons.push(*id),
                    None => kept.new_left_out += 1,
                }
            }
        }
        kept.persons.sort_unstable();
        kept.houses.sort_unstable();
        self.houses = all_houses
            .into_iter()
            .filter(|h| !held_house.contains(&h.number))
            .collect();
        kept
    }
}
