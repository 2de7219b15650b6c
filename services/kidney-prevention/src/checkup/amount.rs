//! Measured amounts as exact thousandths (測定値).

use serde::{Deserialize, Serialize};

/// An amount in thousandths of its unit: 7.2 % is `7200`. Exact, so that a threshold is met or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Amount(i64);

/// The text is not a plain decimal number of at most nine digits with at most three decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("数字として読めません。")]
pub struct NotAnAmount;

impl Amount {
    /// From thousandths.
    pub const fn from_thousandths(thousandths: i64) -> Self {
        Self(thousandths)
    }

    /// In thousandths.
    pub const fn thousandths(self) -> i64 {
        self.0
    }

    /// As a floating number of its unit.
    #[expect(clippy::cast_precision_loss, reason = "below 10^12, far from 2^53")]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// How many decimals are needed to write it, 0–3.
    pub const fn decimals(self) -> u8 {
        match self.0 {
            n if n % 1000 == 0 => 0,
            n if n % 100 == 0 => 1,
            n if n % 10 == 0 => 2,
            _ => 3,
        }
    }
}

impl std::str::FromStr for Amount {
    type Err = NotAnAmount;

    /// `7`, `7.2`, `0.65`, `-1.5`: ASCII digits alone, as interfaces write them.
    fn from_str(text: &str) -> Result<Self, NotAnAmount> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |t: &str, most: usize| {
            !t.is_empty() && t.len() <= most && t.bytes().all(|b| b.is_ascii_digit())
        };
        if !plain(whole, 9) || !plain(part, 3) {
            return Err(NotAnAmount);
        }
        let whole: i64 = whole.parse().map_err(|_| NotAnAmount)?;
        let part: i64 = format!("{part:0<3}").parse().map_err(|_| NotAnAmount)?;
        let amount = whole * 1000 + part;
        Ok(Self(if negative { -amount } else { amount }))
    }
}

impl std::fmt::Display for Amount {
    /// With as many decimals as it needs, or as many as the format asks for: `{:.1}`. More is never rounded away.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let asked = f.precision().unwrap_or(0).min(3);
        let places = asked.max(usize::from(self.decimals()));
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (self.0.unsigned_abs() / 1000, self.0.unsigned_abs() % 1000);
        match places {
            0 => write!(f, "{sign}{whole}"),
            n => write!(f, "{sign}{whole}.{}", &format!("{part:03}")[..n]),
        }
    }
}

impl TryFrom<String> for Amount {
    type Error = NotAnAmount;

    fn try_from(text: String) -> Result<Self, NotAnAmount> {
        text.parse()
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> Self {
        amount.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_decimals_are_read_exactly_and_nothing_else() {
        for (text, amount) in [
            ("7", 7000),
            ("7.2", 7200),
            ("0.65", 650),
            ("007.20", 7200),
            ("-1.5", -1500),
        ] {
            assert_eq!(text.parse(), Ok(Amount(amount)));
        }
        for text in [
            "",
            ".",
            "7.",
            ".5",
            "7.2345",
            "1e3",
            "７",
            " 7",
            "+7",
            "NaN",
            "1,000",
            "1234567890",
        ] {
            assert_eq!(text.parse::<Amount>(), Err(NotAnAmount), "{text}");
        }
        assert_eq!(format!("{:.1} {}", Amount(7000), Amount(7250)), "7.0 7.25");
    }

    proptest! {
        #[test]
        fn writing_and_reading_give_the_amount_back(n in -999_999_999_999i64..=999_999_999_999) {
            prop_assert_eq!(Amount(n).to_string().parse(), Ok(Amount(n)));
        }
    }
}
