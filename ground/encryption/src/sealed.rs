use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use mimamori_kernel::random::Random;

use crate::Secret;

const VERSION: u8 = 1;

/// Why a sealed value does not open.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SealError {
    /// Too short, another version, another key, another place, or changed bytes: not told apart.
    #[error("封印された値を開けません")]
    Closed,
}

/// Seals `plain` for one `place` (table, row, field): version, 12 random bytes, AES-256-GCM text and tag.
pub fn seal(
    key: &Secret,
    place: &[u8],
    plain: &[u8],
    random: &dyn Random,
) -> Result<Vec<u8>, SealError> {
    let mut nonce = [0u8; 12];
    random.fill(&mut nonce);
    let cipher = Aes256Gcm::new(key.bytes().into());
    let text = cipher
        .encrypt(
            Nonce::from_slice(&nonce),
            Payload {
                msg: plain,
                aad: place,
            },
        )
        .map_err(|_| SealError::Closed)?;
    let mut out = Vec::with_capacity(13 + text.len());
    out.push(VERSION);
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&text);
    Ok(out)
}

/// Opens what [`seal`] made for the same `place`.
pub fn open(key: &Secret, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    let (head, text) = sealed.split_at_checked(13).ok_or(SealError::Closed)?;
    if head[0] != VERSION {
        return Err(SealError::Closed);
    }
    Aes256Gcm::new(key.bytes().into())
        .decrypt(
            Nonce::from_slice(&head[1..]),
            Payload {
                msg: text,
                aad: place,
            },
        )
        .map_err(|_| SealError::Closed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mimamori_kernel::random::SystemRandom;

    #[test]
    fn a_sealed_value_opens_only_unchanged_in_its_place_with_its_key() {
        let key = Secret::random(&SystemRandom);
        let sealed = seal(&key, b"line/7", "電話照会".as_bytes(), &SystemRandom).unwrap();
        assert_eq!(
            open(&key, b"line/7", &sealed).unwrap(),
            "電話照会".as_bytes()
        );
        assert_eq!(open(&key, b"line/8", &sealed), Err(SealError::Closed));
        assert_eq!(
            open(&Secret::random(&SystemRandom), b"line/7", &sealed),
            Err(SealError::Closed)
        );
        for i in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[i] ^= 1;
            assert_eq!(
                open(&key, b"line/7", &bad),
                Err(SealError::Closed),
                "byte {i}"
            );
            assert_eq!(
                open(&key, b"line/7", &sealed[..i]),
                Err(SealError::Closed),
                "cut at {i}"
            );
        }
    }
}
