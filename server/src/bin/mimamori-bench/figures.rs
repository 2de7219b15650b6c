//! Latencies and their percentiles.

use std::time::Duration;

/// A set of measured times.
#[derive(Default)]
pub struct Figures(Vec<Duration>);

impl Figures {
    pub fn add(&mut self, one: Duration) {
        self.0.push(one);
    }
    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut all = self.0.clone();
        all.sort_unstable();
        let at = |p: usize| {
            all.get((all.len() * p / 100).min(all.len().saturating_sub(1)))
                .map_or(0.0, |d| d.as_secs_f64() * 1e3)
        };
        write!(
            f,
            "p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, max {:.1} ms (n {})",
            at(50),
            at(95),
            at(99),
            at(100),
            all.len()
        )
    }
}
