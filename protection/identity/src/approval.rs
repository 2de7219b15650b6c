//! Public keys by which a user signs off a text that somebody else checks later, without this program.

use ciborium::Value;
use mimamori_kernel::id::UserId;
use mimamori_storage::{Db, StorageError};
use webauthn_rs::prelude::{COSEKeyType, ECDSACurve, Passkey};

use crate::passkey::usable;

/// A passkey's public half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalKey {
    /// Id of the credential, as the browser knows it.
    pub credential: Vec<u8>,
    /// Public key, a COSE map (kty 2, alg -7, crv 1, x, y).
    pub cose: Vec<u8>,
}

/// The COSE map of an ES256 key; other keys have none here.
fn cose(passkey: &Passkey) -> Option<Vec<u8>> {
    let COSEKeyType::EC_EC2(key) = &passkey.get_public_key().key else {
        return None;
    };
    if key.curve != ECDSACurve::SECP256R1 || key.x.len() != 32 || key.y.len() != 32 {
        return None;
    }
    let map = Value::Map(vec![
        (Value::from(1), Value::from(2)),
        (Value::from(3), Value::from(-7)),
        (Value::from(-1), Value::from(1)),
        (Value::from(-2), Value::Bytes(key.x.clone())),
        (Value::from(-3), Value::Bytes(key.y.clone())),
    ]);
    let mut out = Vec::new();
    ciborium::into_writer(&map, &mut out).ok()?;
    Some(out)
}

/// The keys of a user's passkeys that may prove something now; P-256 alone.
pub async fn approval_keys(db: &Db, user: &UserId) -> Result<Vec<ApprovalKey>, StorageError> {
    let known = usable(db, user).await?;
    let key = |passkey: &Passkey| {
        Some(ApprovalKey {
            credential: passkey.cred_id().to_vec(),
            cose: cose(passkey)?,
        })
    };
    Ok(known.iter().filter_map(|(_, p)| key(p)).collect())
}
