//! Before and after, in numbers (前後の比較).

use super::slope::{Point, slope};
use crate::checkup::Amount;

/// One participant as far as the evaluation knows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Followed {
    /// HbA1c (NGSP) of the check that led to the invitation.
    pub hba1c_before: Option<Amount>,
    /// HbA1c (NGSP) of the next fiscal year's check.
    pub hba1c_after: Option<Amount>,
    /// eGFR of all known checks up to the start of guidance.
    pub egfr_before: Vec<Point>,
    /// eGFR of all checks from the one that led to the invitation on.
    pub egfr_after: Vec<Point>,
    /// Contacts held, 0 to 6.
    pub contacts: u8,
    /// Whether the family doctor was visited in the following year; none when nobody knows.
    pub visited: Option<bool>,
    /// Whether dialysis began; none when nobody knows.
    pub dialysis: Option<bool>,
}

/// A measure over those for whom it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measure {
    /// Persons with a value.
    pub known: u64,
    /// Persons without; they are told, never left out of the count in silence.
    pub unknown: u64,
    /// Mean; none without a value.
    pub mean: Option<f64>,
}

/// The whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Participants.
    pub participants: u64,
    /// Those with all six contacts.
    pub completed: u64,
    /// Change of HbA1c in points; negative is lower.
    pub hba1c_change: Measure,
    /// Persons whose HbA1c fell, stayed, rose.
    pub hba1c_moves: [u64; 3],
    /// eGFR slope before, mL/min/1.73 m² a year.
    pub slope_before: Measure,
    /// eGFR slope after.
    pub slope_after: Measure,
    /// 受診あり, なし, 不明.
    pub visits: [u64; 3],
    /// 透析開始 あり, なし, 不明.
    pub dialysis: [u64; 3],
}

fn measure(values: impl IntoIterator<Item = Option<f64>>) -> Measure {
    let (mut known, mut unknown, mut sum, mut count) = (0, 0, 0.0, 0.0);
    for value in values {
        match value {
            Some(value) => {
                known += 1;
                sum += value;
                count += 1.0;
            }
            None => unknown += 1,
        }
    }
    Measure {
        known,
        unknown,
        mean: (known > 0).then(|| sum / count),
    }
}

fn answers(values: impl Iterator<Item = Option<bool>>) -> [u64; 3] {
    values.fold([0; 3], |mut all, value| {
        all[match value {
            Some(true) => 0,
            Some(false) => 1,
            None => 2,
        }] += 1;
        all
    })
}

/// Sums up the participants.
pub fn summary(people: &[Followed]) -> Summary {
    let change = |p: &Followed| Some(p.hba1c_after?.thousandths() - p.hba1c_before?.thousandths());
    let mut moves = [0; 3];
    for change in people.iter().filter_map(change) {
        moves[match change.signum() {
            -1 => 0,
            0 => 1,
            _ => 2,
        }] += 1;
    }
    let points = |p: &Followed| change(p).map(|c| Amount::from_thousandths(c).to_f64());
    Summary {
        participants: people.len() as u64,
        completed: people.iter().filter(|p| p.contacts >= 6).count() as u64,
        hba1c_change: measure(people.iter().map(points)),
        hba1c_moves: moves,
        slope_before: measure(people.iter().map(|p| slope(&p.egfr_before))),
        slope_after: measure(people.iter().map(|p| slope(&p.egfr_after))),
        visits: answers(people.iter().map(|p| p.visited)),
        dialysis: answers(people.iter().map(|p| p.dialysis)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn a1c(n: i64) -> Option<Amount> {
        Some(Amount::from_thousandths(n * 100))
    }

    #[test]
    fn the_missing_are_counted_beside_the_known() {
        let point = |year, value| Point {
            day: date(year, 6, 1),
            value,
        };
        let first = Followed {
            hba1c_before: a1c(78),
            hba1c_after: a1c(71),
            egfr_before: vec![point(2024, 55.0), point(2025, 50.0)],
            egfr_after: vec![point(2025, 50.0), point(2026, 49.0)],
            contacts: 6,
            visited: Some(true),
            dialysis: Some(false),
        };
        let second = Followed {
            hba1c_before: a1c(72),
            hba1c_after: a1c(73),
            contacts: 3,
            ..Followed::default()
        };
        let third = Followed {
            hba1c_before: a1c(72),
            visited: Some(false),
            ..Followed::default()
        };
        let summary = summary(&[first, second, third]);
        assert_eq!((summary.participants, summary.completed), (3, 1));
        assert_eq!(
            (summary.hba1c_change.known, summary.hba1c_change.unknown),
            (2, 1)
        );
        assert!((summary.hba1c_change.mean.unwrap() + 0.3).abs() < 1e-9);
        assert_eq!(summary.hba1c_moves, [1, 0, 1]);
        assert!(summary.slope_before.mean.unwrap() < summary.slope_after.mean.unwrap());
        assert_eq!((summary.visits, summary.dialysis), ([1, 1, 1], [0, 1, 2]));
    }

    #[test]
    fn nobody_gives_no_mean() {
        assert_eq!(
            summary(&[]).hba1c_change,
            Measure {
                known: 0,
                unknown: 0,
                mean: None
            }
        );
    }
}
