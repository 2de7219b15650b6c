//! Who is marked: 住所地特例, 転出, 死亡, 支援措置, 不詳, each in its share.

use super::{Fate, Resident, Town};
use crate::draw::{Draw, Quota};
use crate::family::Draft;
use mimamori_kernel::date::PartialDate;

/// Shares of the sample, each as one in so many persons.
pub(super) struct Quotas {
    pub gone: Quota,
    pub dead: Quota,
    pub special: Quota,
    pub protected: Quota,
    pub unknown: Quota,
    pub foreign: Quota,
    pub twin: Quota,
}

impl Quotas {
    pub fn new(draw: &Draw) -> Self {
        Self {
            gone: Quota::new(50, draw),
            dead: Quota::new(33, draw),
            special: Quota::new(167, draw),
            protected: Quota::new(500, draw),
            unknown: Quota::new(333, draw),
            foreign: Quota::new(50, draw),
            twin: Quota::new(500, draw),
        }
    }

    /// Counts `persons` more in every share.
    pub fn pass(&mut self, persons: usize, draw: &Draw) {
        for quota in [
            &mut self.gone,
            &mut self.dead,
            &mut self.special,
            &mut self.protected,
            &mut self.unknown,
            &mut self.foreign,
            &mut self.twin,
        ] {
            quota.pass(persons, draw);
        }
    }
}

impl Town {
    /// 住所地特例, 転出, 死亡 and 支援措置, where one waits and fits.
    pub(super) fn marked(&mut self, people: &mut [Resident], drafts: &[Draft], insured: u32) {
        let single = people.len() == 1;
        let q = &mut self.quotas;
        let foreign = people.first().is_some_and(|p| p.foreign);
        if single && insured == 1 && !foreign && q.special.waits() {
            q.special.take();
            people[0].special = true;
            return;
        }
        // The head of others stays, so that no household is without its head.
        let first = usize::from(!single);
        let free = |people: &[Resident]| {
            (first..people.len())
                .filter(|i| people[*i].fate == Fate::Here)
                .collect()
        };
        if q.dead.waits() {
            let candidates: Vec<usize> = free(people);
            let oldest = candidates.into_iter().max_by_key(|i| drafts[*i].age);
            if let Some(place) = oldest.filter(|i| drafts[*i].age >= 60) {
                q.dead.take();
                people[place].fate = Fate::Dead;
            }
        }
        if q.gone.waits() {
            let candidates: Vec<usize> = free(people);
            if let Some(place) = candidates.into_iter().min_by_key(|i| drafts[*i].age) {
                q.gone.take();
                people[place].fate = Fate::Gone;
            }
        }
        if q.protected.waits() && people[0].fate == Fate::Here {
            q.protected.take();
            people[0].protected = true;
        }
    }
}

/// The birth date with its day, or its month and day, unknown.
pub(super) fn forget(draw: &Draw, birth: PartialDate) -> PartialDate {
    let month = if draw.percent(50) { birth.month() } else { 0 };
    PartialDate::new(birth.year(), month, 0).unwrap_or(birth)
}
