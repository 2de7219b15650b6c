//! A passkey device in a few lines; its fields are what a test bends.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use ciborium::Value as Cbor;
use mimamori_package::{Assertion, challenge_of};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use sha2::Digest as _;

pub const ORIGIN: &str = "https://mimamori.town.example";
pub const RP_ID: &str = "mimamori.town.example";

#[derive(Clone)]
pub struct Device {
    pub key: [u8; 32],
    pub origin: &'static str,
    pub rp_id: &'static str,
    pub kind: &'static str,
    pub cross_origin: bool,
    pub flags: u8,
}

impl Device {
    pub fn new(seed: u8) -> Self {
        Self {
            key: [seed; 32],
            origin: ORIGIN,
            rp_id: RP_ID,
            kind: "webauthn.get",
            cross_origin: false,
            flags: 0b101,
        }
    }

    fn signing(&self) -> SigningKey {
        SigningKey::from_slice(&self.key).unwrap()
    }

    /// The public key as an authenticator gives it.
    pub fn public(&self) -> String {
        let point = self.signing().verifying_key().to_sec1_point(false);
        let bytes = point.as_bytes().to_vec();
        let map = Cbor::Map(vec![
            (Cbor::from(1), Cbor::from(2)),
            (Cbor::from(3), Cbor::from(-7)),
            (Cbor::from(-1), Cbor::from(1)),
            (Cbor::from(-2), Cbor::Bytes(bytes[1..33].to_vec())),
            (Cbor::from(-3), Cbor::Bytes(bytes[33..].to_vec())),
        ]);
        let mut out = Vec::new();
        ciborium::into_writer(&map, &mut out).unwrap();
        B64.encode(out)
    }

    pub fn approve(&self, digest: &[u8; 32]) -> Assertion {
        let client = format!(
            "{{\"type\":\"{}\",\"challenge\":\"{}\",\"origin\":\"{}\",\"crossOrigin\":{}}}",
            self.kind,
            challenge_of(digest),
            self.origin,
            self.cross_origin
        );
        let mut data = sha2::Sha256::digest(self.rp_id.as_bytes()).to_vec();
        data.push(self.flags);
        data.extend(7u32.to_be_bytes());
        let mut signed = data.clone();
        signed.extend(sha2::Sha256::digest(client.as_bytes()));
        let signature: Signature = self.signing().sign(&signed);
        Assertion {
            public_key: self.public(),
            authenticator_data: B64.encode(data),
            client_data: B64.encode(client),
            signature: B64.encode(signature.to_der()),
        }
    }
}
