//! Drawing lots from the seed (抽選).

use jiff::ToSpan;
use jiff::civil::Date;
use mimamori_kernel::random::SeededRandom;

/// Lots whose order is a function of the seed.
pub(crate) struct Draw(SeededRandom);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self(SeededRandom::new(seed))
    }

    /// A number in `0..bound`; 0 when `bound` is 0.
    pub fn below(&self, bound: u32) -> u32 {
        u32::try_from(self.0.below(u64::from(bound))).unwrap_or(0)
    }

    /// True in `n` of 100 draws.
    pub fn percent(&self, n: u32) -> bool {
        self.below(100) < n
    }

    /// One of `items`, which must not be empty.
    pub fn pick<'a, T>(&self, items: &'a [T]) -> &'a T {
        let bound = u32::try_from(items.len()).unwrap_or(u32::MAX);
        &items[self.below(bound) as usize]
    }

    /// A place in `weights`, by weight.
    pub fn weighted(&self, weights: &[u32]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (place, weight) in weights.iter().enumerate() {
            if left < *weight {
                return place;
            }
            left -= weight;
        }
        0
    }

    /// A day from `first` to `last`, both included; `first` when they are in the wrong order.
    pub fn day(&self, first: Date, last: Date) -> Date {
        let days = first
            .until(last)
            .map_or(0, |span| span.get_days())
            .max(0)
            .unsigned_abs();
        days_later(first, self.below(days + 1))
    }
}

/// `day` plus a number of days.
pub(crate) fn days_later(day: Date, days: u32) -> Date {
    day.saturating_add(i64::from(days).days())
}

/// `day` minus a number of days.
pub(crate) fn days_before(day: Date, days: u32) -> Date {
    day.saturating_sub(i64::from(days).days())
}

/// One hit at a drawn place in each block of `period` persons, so the share is exact.
///
/// A hit waits until someone it fits comes by.
pub(crate) struct Quota {
    period: u32,
    at: u32,
    hit: u32,
    waiting: u32,
}

impl Quota {
    pub fn new(period: u32, draw: &Draw) -> Self {
        Self {
            period,
            at: 0,
            hit: draw.below(period),
            waiting: 0,
        }
    }

    /// Counts `persons` more.
    pub fn pass(&mut self, persons: usize, draw: &Draw) {
        for _ in 0..persons {
            self.waiting += u32::from(self.at == self.hit);
            self.at += 1;
            if self.at == self.period {
                self.at = 0;
                self.hit = draw.below(self.period);
            }
        }
    }

    /// True when a hit is waiting.
    pub fn waits(&self) -> bool {
        self.waiting > 0
    }

    /// Uses up one waiting hit.
    pub fn take(&mut self) {
        self.waiting = self.waiting.saturating_sub(1);
    }

    /// Uses up `n` waiting hits if there are so many.
    pub fn take_all(&mut self, n: usize) -> bool {
        let rest = u32::try_from(n)
            .ok()
            .and_then(|n| self.waiting.checked_sub(n));
        self.waiting = rest.unwrap_or(self.waiting);
        rest.is_some()
    }
}
