//! The slope of eGFR over the years (eGFRの傾き), by least squares.

use jiff::civil::Date;

/// A value on a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Day of the check.
    pub day: Date,
    /// Unrounded value.
    pub value: f64,
}

/// Days of a year on average.
const YEAR: f64 = 365.25;

/// Change in a year by least squares, in the unit of the values; none below two different days.
///
/// Two days give the line through both points (or their means); a slope over less than half a year says little, and a
/// screen tells how far apart the first and the last day lie.
pub fn slope(points: &[Point]) -> Option<f64> {
    let first = points.first()?.day;
    let years = |p: &Point| f64::from(first.until(p.day).map_or(0, |s| s.get_days())) / YEAR;
    let count = points.iter().fold(0.0, |n, _| n + 1.0);
    let (mean_x, mean_y) = points.iter().fold((0.0, 0.0), |(x, y), p| {
        (x + years(p) / count, y + p.value / count)
    });
    let (over, under) = points.iter().fold((0.0, 0.0), |(over, under), p| {
        let dx = years(p) - mean_x;
        (over + dx * (p.value - mean_y), under + dx * dx)
    });
    (under > 0.0).then(|| over / under)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn points(values: &[(i32, f64)]) -> Vec<Point> {
        let first = date(2024, 6, 1);
        values
            .iter()
            .map(|(days, value)| Point {
                day: first.checked_add(days.days()).unwrap(),
                value: *value,
            })
            .collect()
    }

    #[test]
    fn a_straight_line_has_its_own_slope() {
        let line = points(&[
            (0, 60.0),
            (365, 60.0 - 5.0 * 365.0 / 365.25),
            (730, 60.0 - 5.0 * 730.0 / 365.25),
        ]);
        assert!((slope(&line).unwrap() + 5.0).abs() < 1e-9);
        assert!(slope(&points(&[(0, 60.0), (365, 55.0)])).unwrap() < -5.0);
    }

    #[test]
    fn one_day_has_no_slope() {
        assert_eq!(slope(&[]), None);
        assert_eq!(slope(&points(&[(0, 60.0)])), None);
        assert_eq!(slope(&points(&[(0, 60.0), (0, 50.0)])), None);
    }

    proptest! {
        #[test]
        fn it_is_the_best_line(values in prop::collection::vec((0i32..1500, 10.0f64..120.0), 2..8), other in -3.0f64..3.0) {
            let points = points(&values);
            if let Some(slope) = slope(&points) {
                // The sum of squares about the best line of each slope, worked out anew.
                let error = |s: f64| {
                    let rest: Vec<f64> = points.iter().map(|p| {
                        p.value - s * f64::from(points[0].day.until(p.day).unwrap().get_days()) / 365.25
                    }).collect();
                    let mean = rest.iter().sum::<f64>() / rest.len() as f64;
                    rest.iter().map(|r| (r - mean).powi(2)).sum::<f64>()
                };
                prop_assert!(error(slope) <= error(slope + other) + 1e-6);
            }
        }
    }
}
