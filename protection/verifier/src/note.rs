//! C2SP signed notes and the verifier key (section 2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::format::Hash;

/// Largest note in bytes.
pub const MAX_NOTE: usize = 16 * 1024;

const ED25519: u8 = 1;

/// Why a note or a key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Larger than [`MAX_NOTE`].
    #[error("it is larger than 16 KiB")]
    TooLarge,
    /// Not the lines that section 2 prescribes.
    #[error("it does not have the prescribed lines")]
    Shape,
    /// The name in the signature line is not the origin or not the key's name.
    #[error("its name is not the key's name")]
    Name,
    /// The key id does not belong to the key.
    #[error("its key id is not the key's id")]
    KeyId,
    /// The signature does not verify.
    #[error("its signature is wrong")]
    Signature,
}

impl NoteError {
    /// The reason in Japanese.
    #[must_use]
    pub fn ja(self) -> &'static str {
        match self {
            Self::TooLarge => "16 KiB を超えています",
            Self::Shape => "定められた行の形ではありません",
            Self::Name => "名前が鍵の名前と違います",
            Self::KeyId => "鍵番号が鍵と合いません",
            Self::Signature => "署名が正しくありません",
        }
    }
}

/// A verifier key: a name and an Ed25519 public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Name and origin.
    pub name: String,
    /// First 4 bytes of SHA-256(name || 0x0A || 0x01 || public key).
    pub id: [u8; 4],
    public: VerifyingKey,
}

impl Key {
    /// Parses `<name>+<key id in hex>+<base64(0x01 || public key)>`, with or without one newline at the end.
    ///
    /// # Errors
    /// The shape is wrong or the key id does not belong to the key.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE {
            return Err(NoteError::TooLarge);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| NoteError::Shape)?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        // base64 may hold '+', the name may not
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Shape);
        };
        if !good_name(name) {
            return Err(NoteError::Shape);
        }
        let key: [u8; 33] = decode(key).ok_or(NoteError::Shape)?;
        let expected: Hash = Sha256::new()
            .chain_update(name)
            .chain_update(b"\n")
            .chain_update(key)
            .finalize()
            .into();
        let id_bytes = [expected[0], expected[1], expected[2], expected[3]];
        if id != hex::encode(id_bytes) {
            return Err(NoteError::KeyId);
        }
        let Some((&ED25519, public)) = key
            .split_first_chunk::<1>()
            .map(|([kind], rest)| (kind, rest))
        else {
            return Err(NoteError::Shape);
        };
        let public = public
            .try_into()
            .ok()
            .and_then(|bytes| VerifyingKey::from_bytes(bytes).ok());
        Ok(Self {
            name: name.to_owned(),
            id: id_bytes,
            public: public.ok_or(NoteError::Shape)?,
        })
    }
}

impl Key {
    /// Whether `signature` (4 bytes key id, 64 bytes Ed25519) is this key's over `text`.
    pub(crate) fn verify(&self, text: &[u8], signature: &[u8]) -> Result<(), NoteError> {
        let (id, signature) = signature.split_first_chunk::<4>().ok_or(NoteError::Shape)?;
        if *id != self.id {
            return Err(NoteError::KeyId);
        }
        let signature = Signature::from_slice(signature).map_err(|_| NoteError::Shape)?;
        self.public
            .verify_strict(text, &signature)
            .map_err(|_| NoteError::Signature)
    }
}

/// A checkpoint whose signature is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// Number of leaves.
    pub size: u64,
    /// Root of the tree of that size.
    pub root: Hash,
    /// Last line in the tree, 0 for the empty tree.
    pub line: u64,
    /// Microseconds since 1970-01-01 UTC.
    pub time: i64,
}

impl Checkpoint {
    /// Opens a signed note: exactly five lines, an empty line and one signature line by `key`.
    ///
    /// # Errors
    /// The first rule of section 2 that the note breaks.
    pub fn open(bytes: &[u8], key: &Key) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE {
            return Err(NoteError::TooLarge);
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::Shape)?;
        let lines: Vec<&str> = note.split('\n').collect();
        let [origin, size, root, line, time, "", signature, ""] = lines[..] else {
            return Err(NoteError::Shape);
        };
        let checkpoint = Self {
            size: decimal(size).ok_or(NoteError::Shape)?,
            root: decode(root).ok_or(NoteError::Shape)?,
            line: line
                .strip_prefix("line ")
                .and_then(decimal)
                .ok_or(NoteError::Shape)?,
            time: time
                .strip_prefix("time ")
                .and_then(decimal)
                .ok_or(NoteError::Shape)?,
        };
        let (name, signature) = signature
            .strip_prefix("— ")
            .and_then(|rest| rest.split_once(' '))
            .ok_or(NoteError::Shape)?;
        if origin != key.name || name != key.name {
            return Err(NoteError::Name);
        }
        let signature: [u8; 68] = decode(signature).ok_or(NoteError::Shape)?;
        let text: usize = lines[..5].iter().map(|line| line.len() + 1).sum();
        key.verify(&bytes[..text], &signature)?;
        Ok(checkpoint)
    }
}

fn good_name(name: &str) -> bool {
    !name.is_empty()
        && !name
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

/// A number written the one canonical way: no plus sign, no leading zero.
fn decimal<N: std::str::FromStr + ToString>(text: &str) -> Option<N> {
    let number: N = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// Canonical standard base64 of exactly `N` bytes.
pub(crate) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != N.div_ceil(3) * 4 {
        return None;
    }
    STANDARD.decode(text).ok()?.try_into().ok()
}
