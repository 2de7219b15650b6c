//! What is in the town, counted while it is written (件数).

use crate::town::{Fate, Resident};
use mimamori_kernel::date::PartialDate;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Counts of the written town; persons are counted once, by their latest row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TownCounts {
    /// Persons (宛名番号).
    pub people: u32,
    /// Rows of `residents.csv` without the header.
    pub rows: u32,
    /// Rows of `households.csv` without the header.
    pub households: u32,
    /// Insured persons (資格 1), the dead and the moved out too.
    pub insured: u32,
    /// Other household members (資格 0).
    pub members: u32,
    /// 死亡.
    pub deceased: u32,
    /// 転出.
    pub moved_out: u32,
    /// Foreign residents (住民区分 2).
    pub foreign: u32,
    /// 支援措置.
    pub protected: u32,
    /// 住所地特例.
    pub special_address: u32,
    /// Birth dates with unknown parts.
    pub unknown_birth: u32,
    /// Groups of two or more persons with the same 氏名漢字.
    pub same_name_groups: u32,
    /// Groups of two or more persons with the same 氏名漢字 and the same birth date.
    pub same_name_same_birth_groups: u32,
}

/// Counts as people come by.
#[derive(Default)]
pub(crate) struct Tally {
    counts: TownCounts,
    names: HashMap<String, (u32, u32)>,
    births: HashMap<(u32, PartialDate), u32>,
}

impl Tally {
    pub fn house(&mut self) {
        self.counts.households += 1;
    }

    pub fn person(&mut self, person: &Resident, rows: u32) {
        let c = &mut self.counts;
        c.people += 1;
        c.rows += rows;
        c.insured += u32::from(person.insured.is_some());
        c.members += u32::from(person.insured.is_none());
        c.deceased += u32::from(person.fate == Fate::Dead);
        c.moved_out += u32::from(person.fate == Fate::Gone);
        c.foreign += u32::from(person.foreign);
        c.protected += u32::from(person.protected);
        c.special_address += u32::from(person.special);
        c.unknown_birth += u32::from(!person.birth.is_full());
        let fresh = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let id = if let Some((id, seen)) = self.names.get_mut(&person.name.kanji) {
            *seen += 1;
            *id
        } else {
            self.names.insert(person.name.kanji.clone(), (fresh, 1));
            fresh
        };
        *self.births.entry((id, person.birth)).or_default() += 1;
    }

    pub fn finish(mut self) -> TownCounts {
        let several = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.counts.same_name_groups = several(self.names.values().filter(|(_, n)| *n > 1).count());
        self.counts.same_name_same_birth_groups =
            several(self.births.values().filter(|n| **n > 1).count());
        self.counts
    }
}
