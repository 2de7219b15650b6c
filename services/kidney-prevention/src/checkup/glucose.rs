//! Which blood sugar a health check gives (血糖の区分; FACTS E: 10 hours, 3.5 hours).

use super::{Amount, Checkup, Outcome, Test};

/// Blood sugar in mg/dL by the hours since the last meal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glucose {
    /// 空腹時: ten hours or more.
    Fasting(Amount),
    /// 随時: 3.5 to ten hours.
    Casual(Amount),
    /// Measured, but within 3.5 hours of a meal: not usable.
    TooSoon,
    /// Not measured.
    Missing,
}

/// The blood sugar of a health check.
///
/// The recorded hours decide over the name of the item: a 空腹時血糖 drawn 3.5–10 hours after a meal counts as 随時, a
/// 随時血糖 drawn after ten hours as 空腹時. Without hours the name of the item stands; answer 1 of the years before
/// 2018 (less than ten hours) is taken for 随時 only when it is not named 空腹時.
pub fn glucose(checkup: &Checkup) -> Glucose {
    let amount = |test| match checkup.outcome(test) {
        Some(Outcome::Amount { amount, .. }) => Some(amount),
        _ => None,
    };
    let (fasting, casual) = (amount(Test::GlucoseFasting), amount(Test::GlucoseCasual));
    let Some(any) = fasting.or(casual) else {
        return Glucose::Missing;
    };
    match (checkup.outcome(Test::BloodDrawn), fasting) {
        (Some(Outcome::Choice(2)), _) => Glucose::Fasting(any),
        (Some(Outcome::Choice(3)), _) => Glucose::Casual(any),
        (Some(Outcome::Choice(4)), _) | (Some(Outcome::Choice(1)), Some(_)) => Glucose::TooSoon,
        (_, Some(amount)) => Glucose::Fasting(amount),
        (_, None) => Glucose::Casual(any),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Measured, Sex, Subject};
    use super::*;
    use std::collections::BTreeMap;

    fn seen(fasting: Option<i64>, casual: Option<i64>, drawn: Option<u8>) -> Glucose {
        let mut results = BTreeMap::new();
        let mut put = |test, outcome: Option<Outcome>| {
            if let Some(outcome) = outcome {
                results.insert(
                    test,
                    vec![Measured {
                        code: String::new(),
                        outcome,
                    }],
                );
            }
        };
        let amount = |n: i64| Outcome::Amount {
            amount: Amount::from_thousandths(n * 1000),
            limit: None,
        };
        put(Test::GlucoseFasting, fasting.map(amount));
        put(Test::GlucoseCasual, casual.map(amount));
        put(Test::BloodDrawn, drawn.map(Outcome::Choice));
        let day = jiff::civil::date(2025, 6, 1);
        let subject = Subject {
            resident: None,
            kana: "ミホン".into(),
            birth: jiff::civil::date(1955, 1, 1),
            sex: Sex::Man,
            ticket: None,
        };
        glucose(&Checkup {
            subject,
            day,
            facility: None,
            results,
        })
    }

    #[test]
    fn the_hours_decide_over_the_name() {
        let amount = |n: i64| Amount::from_thousandths(n * 1000);
        assert_eq!(
            seen(Some(130), None, Some(2)),
            Glucose::Fasting(amount(130))
        );
        assert_eq!(seen(Some(130), None, Some(3)), Glucose::Casual(amount(130)));
        assert_eq!(
            seen(None, Some(130), Some(2)),
            Glucose::Fasting(amount(130))
        );
        assert_eq!(seen(None, Some(130), Some(3)), Glucose::Casual(amount(130)));
        assert_eq!(seen(Some(130), None, Some(4)), Glucose::TooSoon);
        assert_eq!(seen(None, Some(130), Some(4)), Glucose::TooSoon);
    }

    #[test]
    fn without_hours_the_name_stands() {
        let amount = |n: i64| Amount::from_thousandths(n * 1000);
        assert_eq!(seen(Some(130), None, None), Glucose::Fasting(amount(130)));
        assert_eq!(seen(None, Some(130), None), Glucose::Casual(amount(130)));
        assert_eq!(seen(Some(130), None, Some(1)), Glucose::TooSoon);
        assert_eq!(seen(None, None, Some(2)), Glucose::Missing);
    }
}
