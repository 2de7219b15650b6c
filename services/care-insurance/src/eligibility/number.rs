//! 被保険者番号: ten characters as text; method and check digit are settings of the insurer (FACTS B.1).

use mimamori_kernel::check::{CheckError, InsuredCheck, InsuredMethod, insured_number};
use mimamori_kernel::error::Coded;

/// How a new number is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// A running number of ten digits.
    Running,
    /// A running number of nine digits and a modulus 10 digit.
    RunningMod10,
    /// The officer types it, from another system or a list.
    Manual,
    /// The officer types it, and its last character is a modulus 10 digit.
    ManualMod10,
}

impl Method {
    /// Whether an officer types the number.
    pub fn by_hand(self) -> bool {
        matches!(self, Self::Manual | Self::ManualMod10)
    }
}

/// The insurer's setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbering {
    /// How.
    pub method: Method,
    /// The first running number.
    pub first: u64,
}

/// Why there is no number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// The setting wants it typed.
    #[error("被保険者番号は手で入力する設定です。")]
    Manual,
    /// The running numbers of ten characters are used up.
    #[error("被保険者番号の桁が足りません。")]
    UsedUp,
    /// Not a number of this kind.
    #[error(transparent)]
    Shape(#[from] CheckError),
}

impl Coded for NumberError {
    fn code(&self) -> &'static str {
        match self {
            Self::Manual => "INSURED-NUMBER-MANUAL",
            Self::UsedUp => "INSURED-NUMBER-USED-UP",
            Self::Shape(error) => error.code(),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Manual => "番号を入力してください。",
            Self::UsedUp => "運用の担当者に、付番の設定を見直すよう頼んでください。",
            Self::Shape(error) => error.advice(),
        }
    }
}

impl Numbering {
    /// The number after `used` numbers were given, ten characters with leading zeros.
    ///
    /// # Errors
    /// [`NumberError::Manual`], [`NumberError::UsedUp`].
    pub fn make(&self, used: u64) -> Result<String, NumberError> {
        let serial = self.first.checked_add(used).ok_or(NumberError::UsedUp)?;
        let text = match self.method {
            Method::Manual | Method::ManualMod10 => return Err(NumberError::Manual),
            Method::Running => format!("{serial:010}"),
            Method::RunningMod10 => {
                let body = format!("{serial:09}");
                // One of the ten digits agrees; the kernel knows which.
                let with = |digit: u8| format!("{body}{digit}");
                let sound =
                    |t: &String| insured_number(t, InsuredMethod::Mod10) == Ok(InsuredCheck::Sound);
                (0..10).map(with).find(sound).ok_or(NumberError::UsedUp)?
            }
        };
        match text.len() {
            10 => Ok(text),
            _ => Err(NumberError::UsedUp),
        }
    }

    /// Checks a typed or imported number. A check digit that does not agree is a warning, never a refusal.
    ///
    /// # Errors
    /// [`NumberError::Shape`].
    pub fn check(&self, text: &str) -> Result<InsuredCheck, NumberError> {
        let method = match self.method {
            Method::RunningMod10 | Method::ManualMod10 => InsuredMethod::Mod10,
            Method::Running | Method::Manual => InsuredMethod::None,
        };
        Ok(insured_number(text, method)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbering(method: Method, first: u64) -> Numbering {
        Numbering { method, first }
    }

    #[test]
    fn running_numbers_keep_leading_zeros_and_ten_characters() {
        let plain = numbering(Method::Running, 1);
        assert_eq!(plain.make(0).unwrap(), "0000000001");
        assert_eq!(plain.make(92_999).unwrap(), "0000093000");
        let last = numbering(Method::Running, 9_999_999_999);
        assert_eq!(last.make(0).unwrap(), "9999999999");
        assert_eq!(last.make(1), Err(NumberError::UsedUp));
        assert_eq!(
            numbering(Method::Running, u64::MAX).make(1),
            Err(NumberError::UsedUp)
        );
    }

    #[test]
    fn the_check_digit_is_made_and_found_again() {
        let checked = numbering(Method::RunningMod10, 1);
        for used in [0, 1, 8, 9, 12_345_678, 999_999_998] {
            let number = checked.make(used).unwrap();
            assert_eq!(number.len(), 10);
            assert_eq!(checked.check(&number), Ok(InsuredCheck::Sound));
            let wrong = (number.as_bytes()[9] - b'0' + 1) % 10;
            let other = format!("{}{wrong}", &number[..9]);
            assert_eq!(checked.check(&other), Ok(InsuredCheck::Warn));
        }
        assert_eq!(checked.make(999_999_999), Err(NumberError::UsedUp));
    }

    #[test]
    fn a_number_is_text_and_may_begin_with_a_letter() {
        let checked = numbering(Method::RunningMod10, 1);
        assert_eq!(checked.check("H000000123"), Ok(InsuredCheck::Sound));
        for wrong in [
            "123",
            "00000000001",
            "００００００００００",
            "00000-0001",
            "h000000123",
        ] {
            assert!(checked.check(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_number_by_hand_is_never_made_and_checked_as_the_setting_says() {
        for (method, wrong) in [
            (Method::Manual, InsuredCheck::Sound),
            (Method::ManualMod10, InsuredCheck::Warn),
        ] {
            let by_hand = numbering(method, 1);
            assert!(method.by_hand());
            assert_eq!(by_hand.make(0), Err(NumberError::Manual));
            let sound = numbering(Method::RunningMod10, 1).make(41).unwrap();
            assert_eq!(by_hand.check(&sound), Ok(InsuredCheck::Sound));
            let digit = (sound.as_bytes()[9] - b'0' + 1) % 10;
            let other = format!("{}{digit}", &sound[..9]);
            assert_eq!(by_hand.check(&other), Ok(wrong), "warned, never refused");
            assert!(by_hand.check("12345").is_err());
        }
    }
}
