//! From the text of a file to a result: units, ranges, answers, L and H (FACTS E).

use std::collections::BTreeMap;

use super::amount::Amount;
use super::codes::{Codes, Entry, Known};
use super::defect::{Defect, Reason};
use super::test_item::Test;
use super::{Limit, Measured, Outcome};

/// A result as a file writes it, before it is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raw<'a> {
    /// An amount.
    Amount {
        /// Digits.
        text: &'a str,
        /// Unit; none where the layout fixes it.
        unit: Option<&'a str>,
        /// 以下 or 以上 beside it.
        limit: Option<Limit>,
    },
    /// The number of an answer.
    Choice(&'a str),
    /// 未実施.
    NotDone,
    /// 測定不能.
    Unmeasurable,
}

/// Results of one health check while it is read.
#[derive(Debug)]
pub struct Values<'a> {
    codes: &'a Codes,
    year: i16,
    results: BTreeMap<Test, Vec<Measured>>,
}

impl<'a> Values<'a> {
    /// For a health check in a fiscal year.
    pub fn new(codes: &'a Codes, year: i16) -> Self {
        Self {
            codes,
            year,
            results: BTreeMap::new(),
        }
    }

    /// Whether the table has the code, in whatever year.
    pub fn knows(&self, code: &str) -> bool {
        self.codes.test(code).is_some()
    }

    /// Takes one result, or says why not.
    ///
    /// # Errors
    /// The defect; the result is left out then.
    pub fn take(&mut self, code: &str, raw: Raw<'_>) -> Result<(), Defect> {
        let entry = match self.codes.find(code, self.year) {
            Some(Known::Here(entry, _)) => entry,
            Some(Known::OtherYear(entry)) => {
                let jds = entry.test == Test::Hba1cJds;
                let reason = if jds { Reason::Jds } else { Reason::CodeYear };
                return Err(Defect::new(&entry.name, reason));
            }
            // Seventeen ASCII characters tell the item and nothing of the person; anything else may.
            None if code.len() == 17 && code.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                return Err(Defect::new(code, Reason::Code));
            }
            None => return Err(Defect::new("項目コード", Reason::Code)),
        };
        let outcome =
            judge(entry, self.year, raw).map_err(|reason| Defect::new(&entry.name, reason))?;
        let found = self.results.entry(entry.test).or_default();
        if let Some(place) = found.iter().position(|m| m.code == code) {
            if found[place].outcome == outcome {
                return Ok(());
            }
            // Two different values under one code: neither can be trusted.
            found.remove(place);
            if found.is_empty() {
                self.results.remove(&entry.test);
            }
            return Err(Defect::new(&entry.name, Reason::Twice));
        }
        found.push(Measured {
            code: code.to_owned(),
            outcome,
        });
        found.sort_by_key(|m| self.codes.place(&m.code));
        Ok(())
    }

    /// What was taken.
    pub fn finish(self) -> BTreeMap<Test, Vec<Measured>> {
        self.results
    }
}

fn judge(entry: &Entry, year: i16, raw: Raw<'_>) -> Result<Outcome, Reason> {
    match raw {
        Raw::NotDone => Ok(Outcome::NotDone),
        Raw::Unmeasurable => Ok(Outcome::Unmeasurable),
        Raw::Choice(text) => {
            if entry.is_amount() {
                return Err(Reason::Kind);
            }
            let one_digit = text.len() == 1;
            let value = text
                .parse()
                .ok()
                .filter(|_| one_digit)
                .ok_or(Reason::Choice)?;
            entry
                .choice(value, year)
                .map(|_| Outcome::Choice(value))
                .ok_or(Reason::Choice)
        }
        Raw::Amount { text, unit, limit } => {
            if !entry.is_amount() {
                return Err(Reason::Kind);
            }
            if unit.is_some_and(|u| !entry.units.iter().any(|known| known == u)) {
                return Err(Reason::Unit);
            }
            let amount: Amount = text.parse().map_err(|_| Reason::Number)?;
            if amount.decimals() > entry.decimals {
                return Err(Reason::Decimals);
            }
            in_range(entry, amount, limit)?;
            Ok(Outcome::Amount { amount, limit })
        }
    }
}

/// An amount at or beyond the end of the range needs its mark; a mark needs such an amount.
fn in_range(entry: &Entry, amount: Amount, limit: Option<Limit>) -> Result<(), Reason> {
    let (low, high) = (entry.low, entry.high);
    match limit {
        Some(Limit::OrLess) if low.is_some_and(|l| amount > l) => Err(Reason::Mark),
        Some(Limit::OrMore) if high.is_some_and(|h| amount < h) => Err(Reason::Mark),
        Some(_) => Ok(()),
        None if low.is_some_and(|l| amount < l) || high.is_some_and(|h| amount > h) => {
            Err(Reason::Range)
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HPLC: &str = "3D046000001920402";
    const IMMUNE: &str = "3D046000001906202";

    fn amount(text: &str) -> Raw<'_> {
        Raw::Amount {
            text,
            unit: Some("%"),
            limit: None,
        }
    }

    fn one(code: &str, raw: Raw<'_>, year: i16) -> Result<Outcome, Reason> {
        let mut values = Values::new(Codes::standard(), year);
        values.take(code, raw).map_err(|d| d.reason)?;
        Ok(values.finish().into_values().next().unwrap()[0].outcome)
    }

    #[test]
    fn amounts_are_held_to_unit_decimals_and_range() {
        let known = |thousandths| {
            Ok(Outcome::Amount {
                amount: Amount::from_thousandths(thousandths),
                limit: None,
            })
        };
        assert_eq!(one(HPLC, amount("7.0"), 2025), known(7000));
        assert_eq!(one(HPLC, amount("7.05"), 2025), Err(Reason::Decimals));
        assert_eq!(one(HPLC, amount("７.0"), 2025), Err(Reason::Number));
        assert_eq!(one(HPLC, amount("20.1"), 2025), Err(Reason::Range));
        assert_eq!(one(HPLC, amount("2.9"), 2025), Err(Reason::Range));
        let wrong = Raw::Amount {
            text: "53",
            unit: Some("mmol/mol"),
            limit: None,
        };
        assert_eq!(one(HPLC, wrong, 2025), Err(Reason::Unit));
        assert_eq!(one(HPLC, Raw::Choice("1"), 2025), Err(Reason::Kind));
    }

    #[test]
    fn low_and_high_marks_belong_to_the_ends_of_the_range() {
        let marked = |text, limit| {
            one(
                HPLC,
                Raw::Amount {
                    text,
                    unit: None,
                    limit: Some(limit),
                },
                2025,
            )
        };
        assert!(marked("20.4", Limit::OrMore).is_ok() && marked("3.0", Limit::OrLess).is_ok());
        assert_eq!(marked("7.0", Limit::OrMore), Err(Reason::Mark));
        assert_eq!(marked("20.4", Limit::OrLess), Err(Reason::Mark));
    }

    #[test]
    fn the_old_scale_is_refused_in_the_years_of_the_new_one() {
        let old = "3D045000001920402";
        assert_eq!(one(old, amount("6.6"), 2025), Err(Reason::Jds));
        assert!(one(old, amount("6.6"), 2012).is_ok());
        assert_eq!(one(HPLC, amount("7.0"), 2012), Err(Reason::CodeYear));
    }

    #[test]
    fn several_codes_of_one_test_stand_in_the_order_of_the_table() {
        let mut values = Values::new(Codes::standard(), 2025);
        values.take(IMMUNE, amount("7.2")).unwrap();
        values.take(HPLC, Raw::NotDone).unwrap();
        let results = values.finish();
        assert_eq!(results[&Test::Hba1c][0].code, HPLC);
        let best = super::super::best(&results, Test::Hba1c);
        assert_eq!(
            best,
            Some(Outcome::Amount {
                amount: Amount::from_thousandths(7200),
                limit: None
            })
        );
    }

    #[test]
    fn one_code_with_two_values_gives_none() {
        let mut values = Values::new(Codes::standard(), 2025);
        values.take(HPLC, amount("7.2")).unwrap();
        values.take(HPLC, amount("7.2")).unwrap();
        assert_eq!(
            values.take(HPLC, amount("6.1")).map_err(|d| d.reason),
            Err(Reason::Twice)
        );
        assert!(values.finish().is_empty());
    }

    #[test]
    fn answers_are_those_of_the_year() {
        let drawn = "9N141000000000011";
        assert_eq!(one(drawn, Raw::Choice("3"), 2025), Ok(Outcome::Choice(3)));
        for (text, year) in [
            ("1", 2025),
            ("5", 2025),
            ("03", 2025),
            ("", 2025),
            ("3", 2017),
        ] {
            assert_eq!(
                one(drawn, Raw::Choice(text), year),
                Err(Reason::Choice),
                "{text} {year}"
            );
        }
        assert_eq!(one(drawn, amount("2"), 2025), Err(Reason::Kind));
    }

    #[test]
    fn what_an_unknown_code_is_called_tells_nothing_of_the_person() {
        let mut values = Values::new(Codes::standard(), 2025);
        let defect = values.take("山田花子", amount("1")).unwrap_err();
        assert_eq!(
            (defect.item.as_str(), defect.reason),
            ("項目コード", Reason::Code)
        );
    }
}
