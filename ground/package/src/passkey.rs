//! A passkey's word, checked without the network: WebAuthn level 2, section 7.2, for ES256 (COSE algorithm -7).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use ciborium::Value as Cbor;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::PackageError;

/// Longest part of an assertion, bytes.
const LONGEST: usize = 4096;
/// Flags of the authenticator data: the user was present, the user was verified.
const PRESENT_AND_VERIFIED: u8 = 0b101;

/// What the browser hands over; all four parts base64url without padding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assertion {
    /// Public key of the credential, COSE.
    pub public_key: String,
    /// `authenticatorData`.
    pub authenticator_data: String,
    /// `clientDataJSON`.
    pub client_data: String,
    /// Signature, DER.
    pub signature: String,
}

/// What of `clientDataJSON` counts.
#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(rename = "crossOrigin", default)]
    cross_origin: bool,
}

/// The challenge of a digest, as the browser gets it: base64url without padding.
pub fn challenge_of(digest: &[u8; 32]) -> String {
    B64.encode(digest)
}

pub(crate) fn part(text: &str) -> Result<Vec<u8>, PackageError> {
    match text.len() <= LONGEST {
        true => B64.decode(text).map_err(|_| PackageError::ApprovalShape),
        false => Err(PackageError::ApprovalShape),
    }
}

/// The P-256 key of a COSE map: kty 2, alg -7, crv 1, x and y.
fn es256(cose: &[u8]) -> Result<VerifyingKey, PackageError> {
    let shape = || PackageError::ApprovalShape;
    let value: Cbor = ciborium::from_reader(cose).map_err(|_| shape())?;
    let map = value.as_map().ok_or_else(shape)?;
    let get = |key: i64| {
        let found = map.iter().find(|(k, _)| *k == Cbor::from(key));
        found.map(|(_, v)| v)
    };
    let is = |key: i64, wanted: i64| get(key) == Some(&Cbor::from(wanted));
    if !is(1, 2) || !is(3, -7) || !is(-1, 1) {
        return Err(shape());
    }
    let mut point = vec![4u8];
    for key in [-2, -3] {
        let part = get(key).and_then(Cbor::as_bytes).ok_or_else(shape)?;
        if part.len() != 32 {
            return Err(shape());
        }
        point.extend_from_slice(part);
    }
    VerifyingKey::from_sec1_bytes(&point).map_err(|_| shape())
}

impl Assertion {
    /// Whether the device of this key, with its user verified, said yes to `digest` at one of `origins`.
    ///
    /// # Errors
    /// [`PackageError::ApprovalShape`], [`PackageError::Challenge`], [`PackageError::Origin`],
    /// [`PackageError::NotVerified`], [`PackageError::Signature`].
    pub fn verify(
        &self,
        digest: &[u8; 32],
        origins: &[String],
        rp_id: &str,
    ) -> Result<(), PackageError> {
        let key = es256(&part(&self.public_key)?)?;
        let data = part(&self.authenticator_data)?;
        let client = part(&self.client_data)?;
        let signature = part(&self.signature)?;
        let said: ClientData =
            serde_json::from_slice(&client).map_err(|_| PackageError::ApprovalShape)?;
        if said.kind != "webauthn.get" || said.challenge != challenge_of(digest) {
            return Err(PackageError::Challenge);
        }
        if said.cross_origin || !origins.contains(&said.origin) {
            return Err(PackageError::Origin);
        }
        if data.len() < 37 {
            return Err(PackageError::ApprovalShape);
        }
        if data[..32] != *Sha256::digest(rp_id.as_bytes()) {
            return Err(PackageError::Origin);
        }
        if data[32] & PRESENT_AND_VERIFIED != PRESENT_AND_VERIFIED {
            return Err(PackageError::NotVerified);
        }
        let mut signed = data;
        signed.extend(Sha256::digest(&client));
        let signature = Signature::from_der(&signature).map_err(|_| PackageError::Signature)?;
        key.verify(&signed, &signature)
            .map_err(|_| PackageError::Signature)
    }
}
