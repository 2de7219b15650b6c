//! Time as a parameter: instants in UTC, days and hours of the office in Asia/Tokyo.
//!
//! The lint in `clippy.toml` forbids the wall clock anywhere else.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// A moment in UTC, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub i64);

impl Instant {
    /// This moment plus a duration.
    pub fn plus(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    /// The civil date and time of the office (Asia/Tokyo, compiled in).
    pub fn office(self) -> jiff::civil::DateTime {
        // Japan has had no daylight saving since 1951, so a fixed offset is exact.
        let utc = jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        jiff::tz::Offset::constant(9).to_datetime(utc)
    }

    /// The office's calendar day.
    pub fn office_day(self) -> jiff::civil::Date {
        self.office().date()
    }

    /// The first moment after `day` in the office: what is good until that day, the day itself
    /// included, is good before this moment.
    pub fn after_office_day(day: jiff::civil::Date) -> Self {
        day.tomorrow()
            .ok()
            .and_then(|next| {
                jiff::tz::Offset::constant(9)
                    .to_timestamp(next.at(0, 0, 0, 0))
                    .ok()
            })
            .map_or(Self(i64::MAX), |moment| Self(moment.as_microsecond()))
    }

    /// Whether what is done once a day is due: the office's clock has reached `hour` (0 to 23) and it was not done on
    /// this office day; `last` is the day on which it was done last. A machine that was off at night catches up.
    pub fn is_due(self, hour: i8, last: Option<jiff::civil::Date>) -> bool {
        self.office().hour() >= hour && last.is_none_or(|day| day < self.office_day())
    }

    /// `2026-11-21 09:05:07`, office time.
    pub fn office_text(self) -> String {
        self.office().strftime("%Y-%m-%d %H:%M:%S").to_string()
    }
}

/// A source of time.
pub trait Clock: Send + Sync {
    /// The wall clock.
    fn now(&self) -> Instant;
    /// A clock that never goes back, for idle times and limits, in microseconds.
    fn steady(&self) -> i64;
}

/// The machine's clock; the only place that asks it.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: std::time::Instant,
}

impl SystemClock {
    /// A clock whose steady time begins now.
    pub fn new() -> Self {
        Self {
            start: std::time::Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that asks the machine"
    )]
    fn now(&self) -> Instant {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Instant(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    fn steady(&self) -> i64 {
        i64::try_from(self.start.elapsed().as_micros()).unwrap_or(i64::MAX)
    }
}

/// A clock for tests that stands until it is moved.
#[derive(Debug)]
pub struct TestClock {
    wall: AtomicI64,
    steady: AtomicI64,
}

impl TestClock {
    /// A clock that shows `now`.
    pub fn at(now: Instant) -> Self {
        Self {
            wall: AtomicI64::new(now.0),
            steady: AtomicI64::new(0),
        }
    }

    /// Lets time pass on both clocks.
    pub fn pass(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.wall.fetch_add(micros, Ordering::SeqCst);
        self.steady.fetch_add(micros, Ordering::SeqCst);
    }

    /// Sets the wall clock alone, as an operator or a bad time server does.
    pub fn set_wall(&self, now: Instant) {
        self.wall.store(now.0, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        Instant(self.wall.load(Ordering::SeqCst))
    }

    fn steady(&self) -> i64 {
        self.steady.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{Date, date};

    fn at(day: Date, hour: i64) -> Instant {
        // The first moment after the day before, and so many hours later.
        let midnight = Instant::after_office_day(day.yesterday().unwrap());
        Instant(midnight.0 + hour * 3_600_000_000)
    }

    #[test]
    fn it_is_due_once_a_day_from_its_hour_on_and_after_a_night_without_power() {
        let (today, before) = (date(2026, 11, 21), date(2026, 11, 20));
        assert!(!at(today, 1).is_due(2, Some(before)));
        assert!(at(today, 2).is_due(2, Some(before)));
        assert!(at(today, 9).is_due(2, Some(before)), "it was off at night");
        assert!(!at(today, 9).is_due(2, Some(today)), "done today");
        assert!(!at(today, 1).is_due(2, None) && at(today, 2).is_due(2, None));
        assert!(at(today, 0).is_due(0, Some(before)));
        assert!(at(today, 3).is_due(2, Some(date(2026, 10, 1))));
    }
}
