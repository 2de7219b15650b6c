//! The plaintext of an individual number; it exists in this crate alone.

use mimamori_kernel::check::{CheckError, individual_number};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// An individual number (個人番号) in clear: 12 ASCII digits, wiped when dropped. It has no `Display`, no
/// `Serialize` and no useful `Debug`, and cannot be named outside this crate.
pub(crate) struct Number(Zeroizing<[u8; 12]>);

impl Number {
    /// Half-width digits, with the check digit and not all zero (FACTS B.1).
    ///
    /// # Errors
    /// [`CheckError`], which never holds what was typed.
    pub fn parse(text: &str) -> Result<Self, CheckError> {
        individual_number(text)?;
        let mut out = Zeroizing::new([0; 12]);
        for (slot, byte) in out.iter_mut().zip(text.bytes()) {
            *slot = byte;
        }
        Ok(Self(out))
    }

    /// What was stored; none when it is no individual number.
    pub fn from_digits(digits: &[u8]) -> Option<Self> {
        Self::parse(std::str::from_utf8(digits).ok()?).ok()
    }

    /// The 12 ASCII digits.
    pub fn digits(&self) -> &[u8; 12] {
        &self.0
    }

    /// Whether both are the same, in constant time.
    pub fn same(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

impl std::fmt::Debug for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Number")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_judged_and_never_printed() {
        let number = Number::parse("123456789018").unwrap();
        assert_eq!(number.digits(), b"123456789018");
        assert_eq!(format!("{number:?}"), "Number");
        assert!(number.same(&Number::parse("123456789018").unwrap()));
        assert!(!number.same(&Number::parse("023456789013").unwrap()));
        for wrong in [
            "123456789012",
            "000000000000",
            "１２３４５６７８９０１８",
            "12345678901",
            "",
        ] {
            let told = Number::parse(wrong).unwrap_err();
            assert!(wrong.is_empty() || !format!("{told} {told:?}").contains(wrong));
        }
    }
}
