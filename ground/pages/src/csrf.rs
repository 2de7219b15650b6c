//! Tokens that prove a form was made by this server for this session.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const PURPOSE: &[u8] = b"mimamori csrf v1\0";

/// Maker and checker of tokens. The key never appears in `Debug`.
#[derive(Clone)]
pub struct Csrf {
    key: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Csrf {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Csrf(..)")
    }
}

impl Csrf {
    /// Tokens under `key`, which the caller draws at random.
    pub fn new(key: [u8; 32]) -> Self {
        Self {
            key: Zeroizing::new(key),
        }
    }

    fn code(&self, session_id: &[u8]) -> Option<[u8; 32]> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_slice()).ok()?;
        mac.update(PURPOSE);
        mac.update(session_id);
        Some(mac.finalize().into_bytes().into())
    }

    /// HMAC-SHA-256 over the session id, as 43 letters of unpadded base64url.
    pub fn token(&self, session_id: &[u8]) -> String {
        self.code(session_id)
            .map(|code| URL_SAFE_NO_PAD.encode(code))
            .unwrap_or_default()
    }

    /// Whether `given` is the token of `session_id`, compared in constant time.
    pub fn verify(&self, session_id: &[u8], given: &str) -> bool {
        let Some(code) = self.code(session_id) else {
            return false;
        };
        let Ok(given) = URL_SAFE_NO_PAD.decode(given) else {
            return false;
        };
        bool::from(code.as_slice().ct_eq(&given))
    }
}
