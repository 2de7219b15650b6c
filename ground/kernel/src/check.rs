//! Check digits of numbers, each kind with its own function (FACTS B.1).
//!
//! 全国地方公共団体コード and 介護保険者番号 of one town look alike: never mix them.

use crate::error::Coded;

/// Why a number is not sound. Never holds the number itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// Not the right count of characters.
    #[error("{kind}は{want}桁です。")]
    Length {
        /// Name of the number.
        kind: &'static str,
        /// How many characters it has.
        want: usize,
    },
    /// A character that the number cannot hold.
    #[error("{kind}に使えない文字があります。")]
    Character {
        /// Name of the number.
        kind: &'static str,
    },
    /// The check digit does not agree.
    #[error("{kind}の検査数字が合いません。")]
    Digit {
        /// Name of the number.
        kind: &'static str,
    },
    /// All digits are zero: it passes the check digit, but nobody holds it.
    #[error("{kind}がすべて0です。")]
    AllZero {
        /// Name of the number.
        kind: &'static str,
    },
}

impl Coded for CheckError {
    fn code(&self) -> &'static str {
        match self {
            Self::Length { .. } => "CHECK-LENGTH",
            Self::Character { .. } => "CHECK-CHARACTER",
            Self::Digit { .. } => "CHECK-DIGIT",
            Self::AllZero { .. } => "CHECK-ALL-ZERO",
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Length { .. } => "先頭の0も含めて、桁数を確かめてください。",
            Self::Character { .. } => "半角の数字で入力してください。",
            Self::Digit { .. } | Self::AllZero { .. } => {
                "書類の番号と見比べて、入力し直してください。"
            }
        }
    }
}

const INDIVIDUAL: &str = "個人番号";
const CARE_INSURER: &str = "介護保険者番号";
const LOCAL_GOVERNMENT: &str = "全国地方公共団体コード";
const INSURED: &str = "被保険者番号";

/// Exactly `N` ASCII digits as numbers 0–9.
fn digits<const N: usize>(kind: &'static str, text: &str) -> Result<[u8; N], CheckError> {
    let mut out = [0; N];
    if text.chars().count() != N {
        return Err(CheckError::Length { kind, want: N });
    }
    for (slot, c) in out.iter_mut().zip(text.chars()) {
        let digit = c.to_digit(10).and_then(|d| u8::try_from(d).ok());
        *slot = digit.ok_or(CheckError::Character { kind })?;
    }
    Ok(out)
}

/// Compares the last digit of `text` with the one computed from the others.
fn agrees(kind: &'static str, text: &str, check: u8) -> Result<(), CheckError> {
    if text.as_bytes().last() == Some(&(b'0' + check)) {
        Ok(())
    } else {
        Err(CheckError::Digit { kind })
    }
}

fn remainder(digits: &[u8], weights: &[u32], modulus: u32) -> u32 {
    digits
        .iter()
        .zip(weights)
        .map(|(d, w)| u32::from(*d) * w)
        .sum::<u32>()
        % modulus
}

fn small(n: u32) -> u8 {
    u8::try_from(n).unwrap_or(0)
}

/// The 12th digit of an individual number (省令85号5条, FACTS B.1) from its first 11.
///
/// # Errors
/// [`CheckError::Length`] or [`CheckError::Character`].
pub fn individual_number_check(eleven: &str) -> Result<u8, CheckError> {
    let digits = digits::<11>(INDIVIDUAL, eleven)?;
    let r = remainder(&digits, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2], 11);
    Ok(if r <= 1 { 0 } else { small(11 - r) })
}

/// Checks an individual number, 12 digits; all zeros are refused by a rule of their own.
///
/// # Errors
/// [`CheckError`].
pub fn individual_number(twelve: &str) -> Result<(), CheckError> {
    if digits::<12>(INDIVIDUAL, twelve)? == [0; 12] {
        return Err(CheckError::AllZero { kind: INDIVIDUAL });
    }
    agrees(INDIVIDUAL, twelve, individual_number_check(&twelve[..11])?)
}

/// Modulus 10, weights 2 and 1 from the right, digits of products added (FACTS B.1).
fn mod10(digits: &[u8]) -> u8 {
    let sum: u32 = digits
        .iter()
        .rev()
        .zip([2u32, 1].into_iter().cycle())
        .map(|(d, w)| u32::from(*d) * w)
        .map(|product| product / 10 + product % 10)
        .sum();
    small((10 - sum % 10) % 10)
}

/// The 6th digit of a care insurer number (介護保険者番号) from its first 5.
///
/// # Errors
/// [`CheckError::Length`] or [`CheckError::Character`].
pub fn care_insurer_check(five: &str) -> Result<u8, CheckError> {
    Ok(mod10(&digits::<5>(CARE_INSURER, five)?))
}

/// Checks a care insurer number, 6 digits.
///
/// # Errors
/// [`CheckError`].
pub fn care_insurer(six: &str) -> Result<(), CheckError> {
    digits::<6>(CARE_INSURER, six)?;
    agrees(CARE_INSURER, six, care_insurer_check(&six[..5])?)
}

/// The 6th digit of a local government code (全国地方公共団体コード) from its first 5.
///
/// # Errors
/// [`CheckError::Length`] or [`CheckError::Character`].
pub fn local_government_check(five: &str) -> Result<u8, CheckError> {
    let r = remainder(&digits::<5>(LOCAL_GOVERNMENT, five)?, &[6, 5, 4, 3, 2], 11);
    Ok(small((11 - r) % 10))
}

/// Checks a local government code, 6 digits.
///
/// # Errors
/// [`CheckError`].
pub fn local_government(six: &str) -> Result<(), CheckError> {
    digits::<6>(LOCAL_GOVERNMENT, six)?;
    agrees(LOCAL_GOVERNMENT, six, local_government_check(&six[..5])?)
}

/// How an insurer numbers its insured persons: a setting of each insurer (FACTS B.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InsuredMethod {
    /// No check digit.
    #[default]
    None,
    /// The last character is a modulus 10 digit of the others.
    Mod10,
}

/// What the check of an insured number found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InsuredCheck {
    /// Nothing to say.
    Sound,
    /// The check digit does not agree: warn, do not block (FACTS B.1).
    Warn,
}

/// The 10th digit of an insured number (被保険者番号) by modulus 10, from its first 9.
///
/// # Errors
/// [`CheckError::Length`] or [`CheckError::Character`].
pub fn insured_number_check(nine: &str) -> Result<u8, CheckError> {
    Ok(mod10(&digits::<9>(INSURED, nine)?))
}

/// Checks an insured number: 10 characters, digits, the first may be a capital letter (`H…`).
///
/// Numbers with a letter are outside the modulus 10 method.
///
/// # Errors
/// [`CheckError::Length`] or [`CheckError::Character`].
pub fn insured_number(ten: &str, method: InsuredMethod) -> Result<InsuredCheck, CheckError> {
    if ten.chars().count() != 10 {
        return Err(CheckError::Length {
            kind: INSURED,
            want: 10,
        });
    }
    let letter = ten.starts_with(|c: char| c.is_ascii_uppercase());
    let rest = if letter { &ten[1..] } else { ten };
    if !rest.bytes().all(|c| c.is_ascii_digit()) {
        return Err(CheckError::Character { kind: INSURED });
    }
    if letter || method == InsuredMethod::None {
        return Ok(InsuredCheck::Sound);
    }
    let body = digits::<10>(INSURED, ten)?;
    Ok(if insured_number_check(&ten[..9])? == body[9] {
        InsuredCheck::Sound
    } else {
        InsuredCheck::Warn
    })
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
