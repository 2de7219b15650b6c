//! How often a password may be tried.
//!
//! Nobody outside can lock an officer out of the usual desk, and guessing stays bounded however many
//! addresses take part (PROTECTION.md section 8; ASVS 6.3). A failure counts
//!
//! - for its address, whatever the login ([`ADDRESS`]);
//! - for its login at its address ([`DESK`] where that login was used before, otherwise [`STRANGER`]);
//! - from addresses where the login was never used, for the login as a whole ([`STRANGERS`]).
//!
//! The figures are assumptions (想定); the bounds that follow from them stand at each and in the tests.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::desk::Desk;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// The wait after the last free failure; each further failure doubles it.
const FIRST: i64 = 30 * SECOND;

/// How failures of one kind slow the next attempt, microseconds of the steady clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pace {
    /// Failures without a wait.
    free: u32,
    /// The longest wait.
    longest: i64,
    /// Time that takes one failure back.
    leak: i64,
}

/// One address, any login: 60 at once and 60 in 15 minutes; a whole office may share one address.
const ADDRESS: Pace = Pace {
    free: 60,
    longest: 15 * MINUTE,
    leak: 15 * SECOND,
};

/// A login at a desk where it was used before: about 100 in a day.
const DESK: Pace = Pace {
    free: 5,
    longest: 15 * MINUTE,
    leak: 15 * MINUTE,
};

/// A login at one other address: fewer than 40 in the first day, 24 in each further one.
const STRANGER: Pace = Pace {
    free: 5,
    longest: HOUR,
    leak: HOUR,
};

/// A login at all other addresses together: fewer than 90 in the first day, 48 in each further one.
/// One address alone ([`STRANGER`]) is slower than this leaks: it never makes others wait.
const STRANGERS: Pace = Pace {
    free: 30,
    longest: 30 * MINUTE,
    leak: 30 * MINUTE,
};

impl Pace {
    fn wait(self, failures: u32) -> i64 {
        match failures.checked_sub(self.free) {
            None => 0,
            Some(over) => (FIRST << over.min(20)).min(self.longest),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: i64,
    pace: Pace,
}

impl Failures {
    /// Failures that are left at `now`.
    fn left(&self, now: i64) -> u32 {
        let gone = (now - self.last).max(0) / self.pace.leak;
        self.count
            .saturating_sub(u32::try_from(gone).unwrap_or(u32::MAX))
    }
}

/// What one attempt counts under.
#[derive(Debug)]
pub(crate) struct Counted {
    own: String,
    shared: Vec<(String, Pace)>,
    pace: Pace,
}

impl Counted {
    /// An attempt at `desk`; `known` when the login was used there before.
    pub fn new(desk: &Desk, known: bool) -> Self {
        let mut shared = vec![(format!("address {}", desk.address), ADDRESS)];
        if !known {
            shared.push((format!("login {}", desk.login), STRANGERS));
        }
        Self {
            own: format!("desk {}\n{}", desk.login, desk.address),
            shared,
            pace: if known { DESK } else { STRANGER },
        }
    }

    fn all(&self) -> impl Iterator<Item = (&str, Pace)> {
        let shared = self.shared.iter().map(|(key, pace)| (key.as_str(), *pace));
        std::iter::once((self.own.as_str(), self.pace)).chain(shared)
    }
}

/// Failures of this process. A restart forgets them; the desks it remembers
/// ([`crate::desk`]) stand in the database.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<String, Failures>>);

impl Attempts {
    /// Above so many entries, those whose failures have all leaked away are dropped.
    const MANY: usize = 100_000;

    /// Counts an attempt at `now`, or says how many seconds it must wait; then nothing is counted.
    pub fn count(&self, attempt: &Counted, now: i64) -> Result<(), u32> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() > Self::MANY {
            all.retain(|_, failures| failures.left(now) > 0);
        }
        let wait = attempt.all().filter_map(|(key, pace)| {
            let before = all.get(key)?;
            Some(pace.wait(before.left(now)) - (now - before.last))
        });
        match wait.max() {
            Some(wait) if wait > 0 => {
                return Err(u32::try_from((wait + SECOND - 1) / SECOND).unwrap_or(u32::MAX));
            }
            _ => {}
        }
        for (key, pace) in attempt.all() {
            let count = all.get(key).map_or(0, |before| before.left(now)) + 1;
            let failures = Failures {
                count,
                last: now,
                pace,
            };
            all.insert(key.to_owned(), failures);
        }
        Ok(())
    }

    /// Takes back the count of an attempt that was right, and what stood against login and address before.
    pub fn succeeded(&self, attempt: &Counted) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&attempt.own);
        for (key, _) in &attempt.shared {
            if let Some(failures) = all.get_mut(key) {
                failures.count = failures.count.saturating_sub(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Attempts that get through in so many seconds when one is made each second; `address` names
    /// where the n-th comes from.
    fn through(known: bool, seconds: i64, address: impl Fn(i64) -> String) -> u32 {
        let attempts = Attempts::default();
        (0..seconds)
            .filter(|n| {
                let attempt = Counted::new(&Desk::new("suzuki", &address(*n)), known);
                attempts.count(&attempt, n * SECOND).is_ok()
            })
            .count()
            .try_into()
            .unwrap()
    }

    const DAY: i64 = 86_400;

    #[test]
    fn guesses_of_one_login_are_bounded_however_many_addresses_take_part() {
        let everywhere = |n| format!("198.51.{}.{}", n / 256 % 256, n % 256);
        let (first, four) = (
            through(false, DAY, everywhere),
            through(false, 4 * DAY, everywhere),
        );
        assert!(first < 90, "{first}");
        assert!(four <= first + 3 * 48, "{four}");
        let one = |_| "t1".to_owned();
        let (first, four) = (through(false, DAY, one), through(false, 4 * DAY, one));
        assert!(first < 40, "{first}");
        assert!(four <= first + 3 * 24, "{four}");
        let desk = through(true, DAY, one);
        assert!((96..=110).contains(&desk), "{desk}");
    }

    #[test]
    fn one_address_alone_never_makes_other_addresses_wait() {
        let attempts = Attempts::default();
        for second in 0..7 * DAY {
            let attack = Counted::new(&Desk::new("suzuki", "evil"), false);
            let _ = attempts.count(&attack, second * SECOND);
            if second % 3600 == 1800 {
                let new = Counted::new(&Desk::new("suzuki", &format!("desk-{second}")), false);
                assert_eq!(attempts.count(&new, second * SECOND), Ok(()), "{second}");
                attempts.succeeded(&new);
            }
        }
    }

    #[test]
    fn waits_grow_and_leak_away() {
        let attempts = Attempts::default();
        let attempt = Counted::new(&Desk::new("suzuki", "t1"), true);
        for _ in 0..5 {
            assert_eq!(attempts.count(&attempt, 0), Ok(()));
        }
        assert_eq!(attempts.count(&attempt, 0), Err(30));
        assert_eq!(attempts.count(&attempt, 30 * SECOND), Ok(()));
        assert_eq!(attempts.count(&attempt, 31 * SECOND), Err(59));
        assert_eq!(attempts.count(&attempt, 90 * SECOND), Ok(()));
        assert_eq!(attempts.count(&attempt, 91 * SECOND), Err(119));
        // Seven failures are forgotten one in a quarter of an hour each.
        let later = 90 * SECOND + 7 * 15 * MINUTE;
        for _ in 0..5 {
            assert_eq!(attempts.count(&attempt, later), Ok(()));
        }
        assert_eq!(attempts.count(&attempt, later), Err(30));
        attempts.succeeded(&attempt);
        assert_eq!(attempts.count(&attempt, later), Ok(()));
    }
}
