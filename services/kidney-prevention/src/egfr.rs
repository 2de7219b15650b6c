//! eGFR, stages of chronic kidney disease and of diabetic nephropathy (推算糸球体濾過量、病期; FACTS E, s26, s28, s28b).

use jiff::civil::Date;
use mimamori_kernel::date::{Age, PartialDate, age_completed};
use serde::{Deserialize, Serialize};

use crate::checkup::{Amount, Sex};

/// eGFR in mL/min/1.73 m² by the Japanese equation: 194 × Cr^−1.094 × age^−0.287, × 0.739 for women.
///
/// `creatinine` is enzymatic serum creatinine in mg/dL, `age` completed years on the day of the check. None for
/// children (the equation is for adults) and for a creatinine that is not above zero.
pub fn egfr(sex: Sex, age: u16, creatinine: Amount) -> Option<f64> {
    if age < 18 || creatinine.thousandths() <= 0 {
        return None;
    }
    let value = 194.0 * creatinine.to_f64().powf(-1.094) * f64::from(age).powf(-0.287);
    Some(match sex {
        Sex::Man => value,
        Sex::Woman => value * 0.739,
    })
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The laboratory reported it.
    Reported,
    /// Worked out from creatinine and the age on the day of the check.
    Calculated {
        /// Completed years that were used.
        age: u16,
        /// mg/dL.
        creatinine: Amount,
    },
}

/// A value that can be judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Egfr {
    /// mL/min/1.73 m², never rounded: 59.95 is below 60.
    pub value: f64,
    /// Where it comes from.
    pub basis: Basis,
}

/// The value to judge by: what was reported comes first; otherwise it is calculated.
///
/// None when neither is known, or the age on that day is not.
pub fn judged(
    reported: Option<Amount>,
    creatinine: Option<Amount>,
    sex: Sex,
    birth: Date,
    day: Date,
) -> Option<Egfr> {
    if let Some(amount) = reported {
        return Some(Egfr {
            value: amount.to_f64(),
            basis: Basis::Reported,
        });
    }
    let creatinine = creatinine?;
    let Age::Exact(age) = age_completed(PartialDate::from(birth), day) else {
        return None;
    };
    let value = egfr(sex, age, creatinine)?;
    Some(Egfr {
        value,
        basis: Basis::Calculated { age, creatinine },
    })
}

/// GFR category of chronic kidney disease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// 90 and above.
    G1,
    /// 60 to below 90.
    G2,
    /// 45 to below 60.
    G3a,
    /// 30 to below 45.
    G3b,
    /// 15 to below 30.
    G4,
    /// Below 15.
    G5,
}

impl Category {
    /// Of an unrounded value.
    pub fn of(egfr: f64) -> Self {
        match egfr {
            v if v >= 90.0 => Self::G1,
            v if v >= 60.0 => Self::G2,
            v if v >= 45.0 => Self::G3a,
            v if v >= 30.0 => Self::G3b,
            v if v >= 15.0 => Self::G4,
            _ => Self::G5,
        }
    }

    /// `G3a`.
    pub fn name(self) -> &'static str {
        match self {
            Self::G1 => "G1",
            Self::G2 => "G2",
            Self::G3a => "G3a",
            Self::G3b => "G3b",
            Self::G4 => "G4",
            Self::G5 => "G5",
        }
    }
}

/// Stage of diabetic nephropathy (糖尿病性腎症病期分類), as far as it can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// 第1期.
    First,
    /// 第1期 or 第2期: without urine albumin they cannot be told apart.
    FirstOrSecond,
    /// 第2期.
    Second,
    /// 第3期; from a dipstick alone it is a suspicion.
    Third,
    /// 第4期.
    Fourth,
    /// 第5期.
    Fifth,
}

impl Stage {
    /// With the names of 2014 and, in brackets, of 2023.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::First => "第1期（正常アルブミン尿期）",
            Self::FirstOrSecond => "第1期または第2期（尿アルブミンの検査がないため区別できません）",
            Self::Second => "第2期（微量アルブミン尿期）",
            Self::Third => "第3期（顕性アルブミン尿期）",
            Self::Fourth => "第4期（GFR高度低下・末期腎不全期）",
            Self::Fifth => "第5期（腎代替療法期）",
        }
    }
}

/// What the stage is worked out from.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Kidney {
    /// Unrounded, mL/min/1.73 m².
    pub egfr: Option<f64>,
    /// Urine albumin in mg/gCr.
    pub albumin: Option<Amount>,
    /// Dipstick answer 1 − to 5 +++.
    pub protein: Option<u8>,
    /// On dialysis, or with a transplant.
    pub replaced: bool,
}

/// The stage; none when the values do not suffice. Of a health check only 第3期 (dipstick + and above) and 第4期 show.
pub fn stage(kidney: Kidney) -> Option<Stage> {
    if kidney.replaced {
        return Some(Stage::Fifth);
    }
    if kidney.egfr? < 30.0 {
        return Some(Stage::Fourth);
    }
    match (kidney.albumin.map(Amount::thousandths), kidney.protein) {
        (Some(albumin), _) if albumin >= 300_000 => Some(Stage::Third),
        (_, Some(3..)) => Some(Stage::Third),
        (Some(albumin), _) if albumin >= 30_000 => Some(Stage::Second),
        (Some(_), _) => Some(Stage::First),
        (None, Some(_)) => Some(Stage::FirstOrSecond),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn mg(thousandths: i64) -> Amount {
        Amount::from_thousandths(thousandths)
    }

    #[test]
    fn the_vectors_of_the_facts_come_out_to_four_decimals() {
        use Sex::{Man, Woman};
        for (sex, age, creatinine, expected) in [
            (Man, 50, 800, "80.5781"),
            (Man, 60, 1000, "59.9063"),
            (Man, 70, 1200, "46.9499"),
            (Man, 70, 2000, "26.8492"),
            (Woman, 50, 600, "81.5726"),
            (Woman, 65, 800, "55.2280"),
            (Woman, 70, 1000, "42.3548"),
            (Woman, 74, 2500, "15.2978"),
        ] {
            let value = egfr(sex, age, mg(creatinine)).unwrap();
            assert_eq!(format!("{value:.4}"), expected);
        }
    }

    #[test]
    fn what_was_reported_comes_first_and_the_age_is_that_of_the_day() {
        let birth = date(1965, 6, 2);
        let value = |reported, day| judged(reported, Some(mg(1000)), Sex::Man, birth, day);
        let told = value(Some(mg(61_000)), date(2025, 6, 1)).unwrap();
        assert_eq!((told.value, told.basis), (61.0, Basis::Reported));
        let before = value(None, date(2025, 6, 1)).unwrap();
        assert_eq!(
            before.basis,
            Basis::Calculated {
                age: 59,
                creatinine: mg(1000)
            }
        );
        assert!(before.value > 60.0);
        let after = value(None, date(2025, 6, 2)).unwrap();
        assert!(
            after.value < 60.0,
            "59.9063 is below 60 although it rounds to 60"
        );
        assert_eq!(Category::of(after.value), Category::G3a);
        assert_eq!(judged(None, None, Sex::Man, birth, date(2025, 6, 2)), None);
    }

    #[test]
    fn categories_change_at_their_limits() {
        let names: Vec<_> = [
            90.0, 89.999, 60.0, 59.999, 45.0, 44.999, 30.0, 29.999, 15.0, 14.999,
        ]
        .map(|v| Category::of(v).name())
        .into();
        assert_eq!(
            names,
            [
                "G1", "G2", "G2", "G3a", "G3a", "G3b", "G3b", "G4", "G4", "G5"
            ]
        );
    }

    #[test]
    fn stages_follow_the_table() {
        let of = |egfr, albumin: Option<i64>, protein, replaced| {
            stage(Kidney {
                egfr,
                albumin: albumin.map(|a| mg(a * 1000)),
                protein,
                replaced,
            })
        };
        assert_eq!(of(Some(70.0), Some(29), None, false), Some(Stage::First));
        assert_eq!(of(Some(70.0), Some(30), None, false), Some(Stage::Second));
        assert_eq!(
            of(Some(70.0), Some(299), Some(1), false),
            Some(Stage::Second)
        );
        assert_eq!(of(Some(70.0), Some(300), None, false), Some(Stage::Third));
        assert_eq!(of(Some(30.0), None, Some(3), false), Some(Stage::Third));
        assert_eq!(of(Some(29.9), None, Some(1), false), Some(Stage::Fourth));
        assert_eq!(
            of(Some(70.0), None, Some(2), false),
            Some(Stage::FirstOrSecond)
        );
        assert_eq!(of(Some(70.0), None, None, false), None);
        assert_eq!(of(None, None, Some(3), false), None);
        assert_eq!(of(None, None, None, true), Some(Stage::Fifth));
    }

    proptest! {
        #[test]
        fn it_falls_with_creatinine_and_with_age(cr in 100i64..20_000, more in 1i64..500, age in 18u16..110) {
            for sex in [Sex::Man, Sex::Woman] {
                let here = egfr(sex, age, mg(cr)).unwrap();
                prop_assert!(egfr(sex, age, mg(cr + more)).unwrap() < here);
                prop_assert!(egfr(sex, age + 1, mg(cr)).unwrap() < here);
                prop_assert!(here.is_finite() && here > 0.0);
            }
        }

        #[test]
        fn logarithms_give_the_same(cr in 100i64..20_000, age in 18u16..110) {
            // An independent way: the equation in logarithms.
            let log = 194f64.ln() - 1.094 * (cr as f64 / 1000.0).ln() - 0.287 * f64::from(age).ln();
            let value = egfr(Sex::Man, age, mg(cr)).unwrap();
            prop_assert!((value.ln() - log).abs() < 1e-12);
        }
    }
}
