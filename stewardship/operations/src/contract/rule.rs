//! Periods of contracts; pure.

use jiff::civil::Date;
use mimamori_kernel::date::fiscal_year;

use crate::OperationsError;

/// The last day of the fiscal year of a day: 31 March.
pub(crate) fn year_end(day: Date) -> Date {
    Date::new(fiscal_year(day) + 1, 3, 31).unwrap_or(Date::MAX)
}

/// First and last day of a contract: at most to 31 March, then it is renewed (S0-64). Without a
/// last day it is 31 March.
pub(crate) fn days(
    from: Option<Date>,
    until: Option<Date>,
    today: Date,
) -> Result<(Date, Date), OperationsError> {
    let from = from.unwrap_or(today);
    let until = until.unwrap_or(year_end(from));
    let message = if until < from {
        "最後の日が最初の日より前です。"
    } else if until < today {
        "最後の日が過ぎています。"
    } else if until > year_end(from) {
        "契約は年度ごとに登録します。最後の日は3月31日までにしてください。"
    } else {
        return Ok((from, until));
    };
    Err(OperationsError::field("until", message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_contract_ends_on_31_march_unless_it_ends_before() {
        let today = date(2026, 11, 21);
        let end = date(2027, 3, 31);
        assert_eq!(days(None, None, today).unwrap(), (today, end));
        let april = Some(date(2027, 4, 1));
        assert_eq!(days(april, None, today).unwrap().1, date(2028, 3, 31));
        let early = Some(date(2026, 12, 28));
        assert_eq!(days(None, early, today).unwrap().1, date(2026, 12, 28));
    }

    #[test]
    fn a_contract_over_the_end_of_the_fiscal_year_or_in_the_past_is_refused() {
        let today = date(2026, 11, 21);
        for (from, until) in [
            (None, date(2027, 4, 1)),
            (None, date(2026, 11, 20)),
            (Some(date(2026, 12, 1)), date(2026, 11, 30)),
            (Some(date(2026, 4, 1)), date(2026, 10, 31)),
        ] {
            assert!(days(from, Some(until), today).is_err(), "{until}");
        }
    }
}
