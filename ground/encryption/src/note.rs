use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};

use crate::Secret;

/// Signs texts as C2SP signed notes (docs/trace-format.md section 2).
#[derive(Debug)]
pub struct NoteSigner {
    name: String,
    key: SigningKey,
}

impl NoteSigner {
    /// A signer called `name` (no spaces, no plus sign).
    pub fn new(name: impl Into<String>, secret: &Secret) -> Self {
        Self {
            name: name.into(),
            key: SigningKey::from_bytes(secret.bytes()),
        }
    }

    /// The name, also the first line of a checkpoint.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn typed_key(&self) -> Vec<u8> {
        let mut out = vec![1u8];
        out.extend_from_slice(self.key.verifying_key().as_bytes());
        out
    }

    fn key_id(&self) -> [u8; 4] {
        let mut hash = Sha256::new();
        hash.update(self.name.as_bytes());
        hash.update(b"\n");
        hash.update(self.typed_key());
        let digest = hash.finalize();
        [digest[0], digest[1], digest[2], digest[3]]
    }

    /// `<name>+<key id>+<key>`, the text that a verifier needs.
    pub fn verifier_key(&self) -> String {
        format!(
            "{}+{}+{}",
            self.name,
            hex::encode(self.key_id()),
            STANDARD.encode(self.typed_key())
        )
    }

    /// The note: `text` (which ends with a newline), an empty line and the signature line.
    pub fn sign(&self, text: &str) -> String {
        let mut signature = self.key_id().to_vec();
        signature.extend_from_slice(&self.key.sign(text.as_bytes()).to_bytes());
        format!(
            "{text}\n\u{2014} {} {}\n",
            self.name,
            STANDARD.encode(signature)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signed_note::{Note, StandardVerifier, VerifierList};

    #[test]
    fn another_implementation_accepts_our_note_and_refuses_a_changed_one() {
        let signer = NoteSigner::new("town.example/trace", &Secret::from_bytes([7; 32]));
        let verifier = StandardVerifier::new(&signer.verifier_key()).unwrap();
        let known = VerifierList::new(vec![Box::new(verifier)]);
        let note = signer.sign("town.example/trace\n5\nAAAA\n");
        let good = Note::from_bytes(note.as_bytes()).unwrap();
        assert!(good.verify(&known).is_ok());
        let bad = Note::from_bytes(note.replace("\n5\n", "\n6\n").as_bytes()).unwrap();
        assert!(bad.verify(&known).is_err());
    }
}
