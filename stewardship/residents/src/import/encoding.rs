//! Encodings of a file (文字コード): guessed from its beginning, changeable by the user.

use std::borrow::Cow;

use encoding_rs::SHIFT_JIS;
use mimamori_kernel::fold::is_hidden;

use super::fault::Fault;
use super::lines::FIELD_LIMIT;

/// How a file writes its characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// CP932 (Windows-31J).
    #[default]
    Cp932,
    /// UTF-8, with or without a mark at its beginning.
    Utf8,
}

/// The mark that some programs put before UTF-8.
pub(super) const BOM: &[u8] = &[0xef, 0xbb, 0xbf];

impl Encoding {
    /// Both, for a list box.
    pub const ALL: [Self; 2] = [Self::Cp932, Self::Utf8];

    /// `cp932` or `utf-8`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Cp932 => "cp932",
            Self::Utf8 => "utf-8",
        }
    }

    /// The word on a screen.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Cp932 => "CP932（Shift_JIS）",
            Self::Utf8 => "UTF-8（BOM付きを含む）",
        }
    }

    /// The encoding of a code.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|e| e.code() == code)
    }

    /// Guesses from the first bytes of a file; the one with fewer broken characters.
    pub fn guess(start: &[u8]) -> Self {
        if start.starts_with(BOM) {
            return Self::Utf8;
        }
        let broken = |text: &str| text.matches('\u{fffd}').count();
        let utf8 = broken(&String::from_utf8_lossy(start));
        let cp932 = broken(&SHIFT_JIS.decode_without_bom_handling(start).0);
        // Pure ASCII reads the same in both; offices write CP932.
        if utf8 < cp932 {
            Self::Utf8
        } else {
            Self::Cp932
        }
    }

    /// One field as text.
    pub(super) fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>, Fault> {
        if bytes.len() > FIELD_LIMIT {
            return Err(Fault::Length);
        }
        let text = match self {
            Self::Cp932 => SHIFT_JIS
                .decode_without_bom_handling_and_without_replacement(bytes)
                .ok_or(Fault::Encoding)?,
            Self::Utf8 => Cow::Borrowed(std::str::from_utf8(bytes).map_err(|_| Fault::Encoding)?),
        };
        if text.chars().any(is_hidden) {
            return Err(Fault::Control);
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_file_tells_its_encoding_even_with_broken_bytes() {
        let text = "宛名番号,氏名漢字\r\n1,髙橋　花子\r\n";
        let (cp932, ..) = SHIFT_JIS.encode(text);
        assert_eq!(Encoding::guess(&cp932), Encoding::Cp932);
        assert_eq!(Encoding::guess(text.as_bytes()), Encoding::Utf8);
        assert_eq!(
            Encoding::guess(&[BOM, text.as_bytes()].concat()),
            Encoding::Utf8
        );
        assert_eq!(Encoding::guess(b"a,b"), Encoding::Cp932);
        let broken = |bytes: &[u8]| [bytes, &[0x81, 0xff]].concat();
        assert_eq!(Encoding::guess(&broken(&cp932)), Encoding::Cp932);
        assert_eq!(Encoding::guess(&broken(text.as_bytes())), Encoding::Utf8);
    }

    #[test]
    fn fields_that_are_too_long_broken_or_with_control_characters_are_refused() {
        let long = vec![b'x'; FIELD_LIMIT + 1];
        for encoding in Encoding::ALL {
            assert_eq!(encoding.decode(&long), Err(Fault::Length));
            assert_eq!(encoding.decode(&[0x81, 0xff]), Err(Fault::Encoding));
            assert_eq!(encoding.decode(b"a\tb"), Err(Fault::Control));
        }
        let turned = "山田\u{202e}花子".as_bytes();
        assert_eq!(Encoding::Utf8.decode(turned), Err(Fault::Control));
    }
}
