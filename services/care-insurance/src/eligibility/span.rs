//! Half-open intervals of days: the first day is in, `until` is the first day that is not.

use jiff::civil::Date;

/// Days from `from` on, up to and not including `until`; open when `until` is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// First day inside.
    pub from: Date,
    /// First day outside; none while it lasts.
    pub until: Option<Date>,
}

impl Span {
    /// The span; empty ones (`until` not after `from`) are none.
    pub fn new(from: Date, until: Option<Date>) -> Option<Self> {
        until
            .is_none_or(|u| u > from)
            .then_some(Self { from, until })
    }

    /// Whether `day` is inside.
    pub fn contains(&self, day: Date) -> bool {
        day >= self.from && self.until.is_none_or(|u| day < u)
    }

    /// Whether both have a day in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.intersect(other).is_some()
    }

    /// The days in both.
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        let until = match (self.until, other.until) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Self::new(self.from.max(other.from), until)
    }

    /// The days of `self` that are not in `other`: none, one or two spans.
    pub fn minus(&self, other: &Self) -> Vec<Self> {
        if !self.overlaps(other) {
            return vec![*self];
        }
        let before = Self::new(
            self.from,
            Some(other.from.min(self.until.unwrap_or(other.from))),
        );
        let after = other
            .until
            .and_then(|u| Self::new(u.max(self.from), self.until));
        before.into_iter().chain(after).collect()
    }
}

/// Spans in order, touching and overlapping ones made one.
pub(crate) fn union(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by_key(|s| (s.from, s.until.is_none(), s.until));
    let mut out: Vec<Span> = Vec::new();
    for span in spans {
        match out.last_mut() {
            Some(last) if last.until.is_none_or(|u| u >= span.from) => {
                last.until = match (last.until, span.until) {
                    (Some(a), Some(b)) => Some(a.max(b)),
                    _ => None,
                };
            }
            _ => out.push(span),
        }
    }
    out
}

/// The days of `all` that are in none of `holes`.
pub(crate) fn without(all: Vec<Span>, holes: &[Span]) -> Vec<Span> {
    holes.iter().fold(all, |spans, hole| {
        spans.iter().flat_map(|s| s.minus(hole)).collect()
    })
}
