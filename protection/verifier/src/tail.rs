//! What stands after the newest checkpoint: well formed, but not signed yet.

use std::time::Duration;

use crate::format::Leaf;

/// More leaves than a writer that signs each second can leave unsigned.
const MOST: u64 = 100_000;

/// Leaves after the newest checkpoint, as far as they say something about themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tail {
    /// Whole leaves.
    pub leaves: u64,
    /// Lines that these leaves belong to.
    pub lines: u64,
    /// Earliest time of a leaf, microseconds since 1970-01-01 UTC.
    pub oldest: i64,
    /// Latest time of a leaf.
    pub newest: i64,
    line: u64,
}

impl Tail {
    pub(crate) fn add(&mut self, leaf: &Leaf<'_>) {
        if self.leaves == 0 {
            (self.oldest, self.newest) = (leaf.time, leaf.time);
        }
        self.oldest = self.oldest.min(leaf.time);
        self.newest = self.newest.max(leaf.time);
        self.lines += u64::from(leaf.line != self.line);
        self.line = leaf.line;
        self.leaves += 1;
    }

    /// Whether a writer at work would have signed these by now (microseconds; `None` when the
    /// folder is a copy and its age says nothing).
    pub(crate) fn overdue(&self, interval: Duration, now: Option<i64>) -> bool {
        let most = i64::try_from(interval.as_micros()).unwrap_or(i64::MAX);
        let until = now.map_or(self.newest, |now| now.max(self.newest));
        self.leaves > MOST || self.leaves > 0 && until.saturating_sub(self.oldest) > most
    }
}

/// An instant as `2026-11-21 03:00:00 UTC`; days to a date after Hinnant's `civil_from_days`.
pub(crate) fn utc(micros: i64) -> String {
    let seconds = micros.div_euclid(1_000_000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468; // days since 0000-03-01
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = era * 400 + year + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_in_utc() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_795_230_000, "2026-11-21 03:00:00 UTC"),
            (-1, "1969-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(utc(seconds * 1_000_000), text);
        }
    }
}
