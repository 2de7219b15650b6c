use std::collections::HashMap;
use std::time::Duration;

/// Most logins and terminals that are remembered.
const REMEMBERED: usize = 20_000;
/// A terminal may fail this many times as often as a login: an office can share an address.
const TERMINAL_SHARE: u32 = 4;

/// Counts failed sign-ins on the steady clock. An attempt counts as failed until it is seen to succeed.
pub(crate) struct Limiter {
    max: u32,
    window: i64,
    seen: HashMap<(Kind, String), Vec<i64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Login,
    Terminal,
}

impl Limiter {
    pub(crate) fn new(max: u32, window: Duration) -> Self {
        Self { max, window: i64::try_from(window.as_micros()).unwrap_or(i64::MAX), seen: HashMap::new() }
    }

    /// Counts an attempt, or says how many seconds it has to wait.
    pub(crate) fn attempt(&mut self, login: &str, terminal: &str, now: i64) -> Result<(), u64> {
        self.forget_old(now);
        let keys = [(Kind::Login, login, self.max), (Kind::Terminal, terminal, self.max.saturating_mul(TERMINAL_SHARE))];
        for (kind, name, max) in keys {
            let Some(times) = self.seen.get(&(kind, name.to_owned())) else { continue };
            let fresh: Vec<i64> = times.iter().copied().filter(|t| now - t < self.window).collect();
            let max = usize::try_from(max).unwrap_or(usize::MAX);
            if fresh.len() >= max {
                // Free again when the oldest of the last `max` failures leaves the window.
                let free = fresh[fresh.len() - max].saturating_add(self.window);
                return Err(u64::try_from(free - now).unwrap_or(0).div_ceil(1_000_000).max(1));
            }
        }
        for (kind, name, _) in keys {
            let times = self.seen.entry((kind, name.to_owned())).or_default();
            times.retain(|t| now - t < self.window);
            times.push(now);
        }
        Ok(())
    }

    /// The attempt at `at` was right: the login is clean, the terminal has one failure less.
    pub(crate) fn succeeded(&mut self, login: &str, terminal: &str, at: i64) {
        self.seen.remove(&(Kind::Login, login.to_owned()));
        if let Some(times) = self.seen.get_mut(&(Kind::Terminal, terminal.to_owned()))
            && let Some(place) = times.iter().position(|t| *t == at)
        {
            times.remove(place);
        }
    }

    fn forget_old(&mut self, now: i64) {
        if self.seen.len() < REMEMBERED {
            return;
        }
        let window = self.window;
        self.seen.retain(|_, times| times.last().is_some_and(|t| now - t < window));
        while self.seen.len() >= REMEMBERED {
            let oldest = self.seen.iter().min_by_key(|(_, times)| times.last().copied()).map(|(key, _)| key.clone());
            match oldest {
                Some(key) => drop(self.seen.remove(&key)),
                None => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_waits_after_its_failures_and_is_free_when_the_window_has_passed() {
        let mut limiter = Limiter::new(3, Duration::from_secs(60));
        for at in 0..3 {
            assert_eq!(limiter.attempt("a", &format!("t{at}"), at * 1_000_000), Ok(()));
        }
        assert_eq!(limiter.attempt("a", "t9", 3_000_000), Err(57));
        assert_eq!(limiter.attempt("b", "t9", 3_000_000), Ok(()));
        assert_eq!(limiter.attempt("a", "t9", 60_000_000), Ok(()));
    }

    #[test]
    fn a_terminal_that_tries_many_logins_waits_too() {
        let mut limiter = Limiter::new(2, Duration::from_secs(60));
        for login in 0..8 {
            assert_eq!(limiter.attempt(&login.to_string(), "t", 0), Ok(()));
        }
        assert_eq!(limiter.attempt("new", "t", 0), Err(60));
    }

    #[test]
    fn a_success_clears_the_login_but_not_the_terminals_other_failures() {
        let mut limiter = Limiter::new(1, Duration::from_secs(60));
        for login in ["a", "b", "c"] {
            assert_eq!(limiter.attempt(login, "t", 0), Ok(()));
        }
        assert_eq!(limiter.attempt("d", "t", 1), Ok(()));
        limiter.succeeded("d", "t", 1);
        assert_eq!(limiter.attempt("d", "t", 2), Ok(()));
        assert_eq!(limiter.attempt("e", "t", 2), Err(60));
    }

    #[test]
    fn a_flood_of_names_does_not_grow_the_memory() {
        let mut limiter = Limiter::new(5, Duration::from_secs(60));
        for n in 0..21_000_i64 {
            let _ = limiter.attempt(&n.to_string(), "t", n * 61_000_000);
        }
        assert!(limiter.seen.len() <= REMEMBERED + 2);
    }
}
