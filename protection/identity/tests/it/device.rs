//! A passkey device in a few lines: what an authenticator answers, honest or not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use ciborium::Value as Cbor;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::Digest as _;

pub const ORIGIN: &str = "https://mimamori.town.example";

/// A device with one key; its fields are what a test bends.
#[derive(Clone)]
pub struct Device {
    pub key: [u8; 32],
    pub origin: &'static str,
    pub verifies: bool,
    pub counter: u32,
}

impl Device {
    pub fn new(seed: u8) -> Self {
        Self {
            key: [seed; 32],
            origin: ORIGIN,
            verifies: true,
            counter: 1,
        }
    }

    fn signing(&self) -> SigningKey {
        SigningKey::from_slice(&self.key).unwrap()
    }

    fn id(&self) -> Vec<u8> {
        sha2::Sha256::digest(self.key).to_vec()
    }

    fn client(&self, kind: &str, challenge: &Value) -> Vec<u8> {
        let data = json!({
            "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false
        });
        data.to_string().into_bytes()
    }

    fn data(&self, host: &str, flags: u8) -> Vec<u8> {
        let mut out = sha2::Sha256::digest(host.as_bytes()).to_vec();
        out.push(flags | 1 | if self.verifies { 4 } else { 0 });
        out.extend(self.counter.to_be_bytes());
        out
    }

    /// The answer to a registration.
    pub fn create(&self, options: &str) -> String {
        let options: Value = serde_json::from_str(options).unwrap();
        let options = &options["publicKey"];
        let client = self.client("webauthn.create", &options["challenge"]);
        let mut data = self.data(options["rp"]["id"].as_str().unwrap(), 0x40);
        data.extend([0; 16]);
        data.extend([0, 32]);
        data.extend(self.id());
        let point = self.signing().verifying_key().to_sec1_bytes();
        assert_eq!(point.len(), 65);
        let number = |n: i64| Cbor::Integer(n.into());
        let key = Cbor::Map(vec![
            (number(1), number(2)),
            (number(3), number(-7)),
            (number(-1), number(1)),
            (number(-2), Cbor::Bytes(point[1..33].to_vec())),
            (number(-3), Cbor::Bytes(point[33..].to_vec())),
        ]);
        ciborium::into_writer(&key, &mut data).unwrap();
        let text = |t: &str| Cbor::Text(t.into());
        let object = Cbor::Map(vec![
            (text("fmt"), text("none")),
            (text("attStmt"), Cbor::Map(vec![])),
            (text("authData"), Cbor::Bytes(data)),
        ]);
        let mut attestation = Vec::new();
        ciborium::into_writer(&object, &mut attestation).unwrap();
        self.answer(json!({
            "clientDataJSON": B64.encode(client),
            "attestationObject": B64.encode(attestation),
        }))
    }

    /// The answer to a question who is there; each one counts.
    pub fn get(&mut self, options: &str) -> String {
        self.counter += 1;
        let options: Value = serde_json::from_str(options).unwrap();
        let options = &options["publicKey"];
        let client = self.client("webauthn.get", &options["challenge"]);
        let data = self.data(options["rpId"].as_str().unwrap(), 0);
        let mut signed = data.clone();
        signed.extend(sha2::Sha256::digest(&client));
        let signature: Signature = self.signing().sign(&signed);
        self.answer(json!({
            "clientDataJSON": B64.encode(client),
            "authenticatorData": B64.encode(data),
            "signature": B64.encode(signature.to_der()),
            "userHandle": null,
        }))
    }

    fn answer(&self, response: Value) -> String {
        let id = B64.encode(self.id());
        let answer = json!({
            "id": id, "rawId": id, "type": "public-key", "extensions": {}, "response": response
        });
        answer.to_string()
    }
}
