//! Opaque random identifiers, one type for each thing.
//!
//! Ids are 128 random bits and never ordered by time: an id that sorts by time
//! tells who was registered after whom.

use crate::random::Random;

/// Why a text is not an id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("識別子の形式が正しくありません")]
pub struct NotAnId;

/// Parses exactly 32 lower-case hexadecimal digits.
fn parse(text: &str) -> Result<[u8; 16], NotAnId> {
    let bytes = text.as_bytes();
    if bytes.len() != 32 {
        return Err(NotAnId);
    }
    let mut out = [0u8; 16];
    for (slot, pair) in out.iter_mut().zip(bytes.chunks_exact(2)) {
        let digit = |c: u8| match c {
            b'0'..=b'9' => Ok(c - b'0'),
            b'a'..=b'f' => Ok(c - b'a' + 10),
            _ => Err(NotAnId),
        };
        *slot = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Ok(out)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 16]);

        impl $name {
            /// A fresh random id.
            pub fn random(source: &dyn Random) -> Self {
                let mut bytes = [0u8; 16];
                source.fill(&mut bytes);
                Self(bytes)
            }
            /// The id with these 16 bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }
            /// The 16 bytes of the id.
            pub const fn bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
        impl std::str::FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                parse(text).map(Self)
            }
        }
    )*};
}

ids! {
    /// A natural person in the register (個人).
    PersonId;
    /// A household (世帯).
    HouseholdId;
    /// A department, contractor, institution or the citizens' side (組織).
    OrgId;
    /// A user account (利用者).
    UserId;
    /// A kept search or other opaque address of a result page.
    ResultId;
    /// One reported problem, shown to the user and found in the log (障害番号).
    IncidentId;
    /// One import of files (取込).
    ImportId;
    /// A contract with a partner (委託契約).
    ContractId;
    /// A request that waits for a second person (申請).
    RequestId;
    /// What stands for an individual number outside the numbers room; random, never derived (個人番号の参照符).
    NumberRef;
    /// Permission to do one thing at the numbers room, once (整理券).
    TicketId;
    /// A passkey of a user.
    PasskeyId;
    /// A designation as 特定個人情報取扱者.
    DesignationId;
    /// A registered terminal.
    TerminalId;
    /// A package that is handed to a partner (受渡し).
    PackageId;
    /// A medium of the register of media (記録媒体).
    MediumId;
    /// A row of the media ledger (記録媒体利用管理簿).
    LedgerId;
    /// A file that came in from a partner (受入れ).
    IncomingId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_form_and_nothing_else_is_an_id() {
        let id = PersonId::from_bytes(*b"0123456789abcdef");
        assert_eq!(id.to_string().parse::<PersonId>(), Ok(id));
        for bad in [
            "",
            "00",
            "G0000000000000000000000000000000",
            "A0000000000000000000000000000000",
            "../../etc/passwd",
        ] {
            assert_eq!(bad.parse::<PersonId>(), Err(NotAnId), "{bad}");
        }
    }
}
