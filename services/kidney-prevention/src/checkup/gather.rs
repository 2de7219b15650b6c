//! The rows of one import side by side: what stands twice (重複).

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::civil::Date;
use mimamori_kernel::fold::kana_key;

use super::defect::{Defect, Reason};
use super::{Checkup, Read, Sex};

/// One person on one day, as far as a file tells them apart.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    resident: Option<String>,
    ticket: Option<String>,
    kana: String,
    birth: Date,
    sex: Sex,
    day: Date,
}

impl Key {
    fn of(checkup: &Checkup) -> Self {
        let s = &checkup.subject;
        Self {
            resident: s.resident.clone(),
            ticket: s.ticket.clone(),
            kana: kana_key(&s.kana),
            birth: s.birth,
            sex: s.sex,
            day: checkup.day,
        }
    }
}

/// Finds health checks that stand twice. The same results again are told and taken once; different results of one
/// person on one day are all refused, since nobody here can say which are right.
pub fn gather(mut reads: Vec<Read>) -> Vec<Read> {
    let mut first: HashMap<Key, usize> = HashMap::new();
    let mut again: Vec<(usize, Reason)> = vec![];
    for (place, read) in reads.iter().enumerate() {
        let Some(checkup) = &read.checkup else {
            continue;
        };
        match first.entry(Key::of(checkup)) {
            Entry::Vacant(free) => {
                free.insert(place);
            }
            Entry::Occupied(taken) => {
                let before = *taken.get();
                let same = reads[before]
                    .checkup
                    .as_ref()
                    .is_some_and(|b| b.results == checkup.results);
                if same {
                    again.push((place, Reason::SameAgain));
                } else {
                    again.extend([(before, Reason::Repeated), (place, Reason::Repeated)]);
                }
            }
        }
    }
    for (place, reason) in again {
        let read = &mut reads[place];
        read.checkup = None;
        if !read.defects.iter().any(|d| d.reason == reason) {
            read.defects.push(Defect::new("行", reason));
        }
    }
    reads
}
