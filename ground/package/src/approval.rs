//! Approvals over the digest of a manifest: two officers for a delivery, the partner's program for a return.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::error::PackageError;
use crate::manifest::{Kind, Manifest};
use crate::passkey::{Assertion, challenge_of, part};
use crate::trust::Trust;

/// How somebody approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Proof {
    /// A passkey with its user verified.
    Passkey(Assertion),
    /// The town's face terminal, which signs [`terminal_message`].
    Terminal {
        /// Its public key, 64 hexadecimal digits.
        key: String,
        /// When it saw the face, seconds since 1970.
        time: i64,
        /// Ed25519 signature, base64url without padding.
        signature: String,
    },
    /// A partner's program; Ed25519 over `mimamori-return-1`, a line feed and the digest's 64 hexadecimal digits.
    Kit {
        /// Its public key, 64 hexadecimal digits.
        key: String,
        /// Signature, base64url without padding.
        signature: String,
    },
}

/// An approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Id of the user; of a program, its public key.
    pub user: String,
    /// Name of the officer or the partner.
    pub name: String,
    /// The proof.
    pub proof: Proof,
}

/// What the town's face terminal signs: its words for a sign-in, with the manifest's digest as the challenge.
pub fn terminal_message(login: &str, digest: &[u8; 32], time: i64) -> String {
    format!(
        "mimamori-face-1\n{login}\n{}\n{time}\n",
        challenge_of(digest)
    )
}

/// What a partner's program signs.
pub(crate) fn return_message(digest: &[u8; 32]) -> String {
    format!("mimamori-return-1\n{}", hex::encode(digest))
}

pub(crate) fn ed25519(key: &str, message: &[u8], signature: &str) -> Result<(), PackageError> {
    let key: [u8; 32] = hex::decode(key)
        .ok()
        .and_then(|k| k.try_into().ok())
        .ok_or(PackageError::ApprovalShape)?;
    let key = VerifyingKey::from_bytes(&key).map_err(|_| PackageError::ApprovalShape)?;
    let signature =
        Signature::from_slice(&part(signature)?).map_err(|_| PackageError::ApprovalShape)?;
    key.verify_strict(message, &signature)
        .map_err(|_| PackageError::Signature)
}

impl Approval {
    /// The signature of a partner's program under a return.
    pub fn by_kit(partner: &str, digest: &[u8; 32], key: &SigningKey) -> Self {
        let public = hex::encode(key.verifying_key().as_bytes());
        let signature = key.sign(return_message(digest).as_bytes()).to_bytes();
        Self {
            user: public.clone(),
            name: partner.to_owned(),
            proof: Proof::Kit {
                key: public,
                signature: B64.encode(signature),
            },
        }
    }

    /// Whether one officer whom `trust` knows approved this digest.
    ///
    /// # Errors
    /// [`PackageError::UnknownApprover`] and those of [`Assertion::verify`].
    pub fn verify_officer(&self, digest: &[u8; 32], trust: &Trust) -> Result<(), PackageError> {
        let unknown = PackageError::UnknownApprover;
        let known = trust.approvers.iter();
        let mut known = known.filter(|a| a.user == self.user && a.name == self.name);
        let Some(officer) = known.next() else {
            return Err(unknown);
        };
        match &self.proof {
            Proof::Passkey(assertion) => {
                if !officer.keys.contains(&assertion.public_key) {
                    return Err(unknown);
                }
                assertion.verify(digest, &trust.origins, &trust.rp_id)
            }
            Proof::Terminal {
                key,
                time,
                signature,
            } => {
                if officer.login.is_empty() || trust.terminals.iter().all(|t| t.key != *key) {
                    return Err(unknown);
                }
                let message = terminal_message(&officer.login, digest, *time);
                ed25519(key, message.as_bytes(), signature)
            }
            Proof::Kit { .. } => Err(unknown),
        }
    }

    fn verify_kit(&self, digest: &[u8; 32], trust: &Trust) -> Result<(), PackageError> {
        let Proof::Kit { key, signature } = &self.proof else {
            return Err(PackageError::UnknownApprover);
        };
        let known = trust.kits.iter();
        let mut known = known.filter(|k| k.key == *key && k.name == self.name);
        if known.next().is_none() || self.user != *key {
            return Err(PackageError::UnknownApprover);
        }
        ed25519(key, return_message(digest).as_bytes(), signature)
    }

    /// The key by which it was given: two approvals by one device are one person's.
    fn device(&self) -> Option<&str> {
        match &self.proof {
            Proof::Passkey(assertion) => Some(&assertion.public_key),
            Proof::Kit { key, .. } => Some(key),
            // One terminal serves everybody; it tells people apart by their login.
            Proof::Terminal { .. } => None,
        }
    }
}

/// Whether the approvals of a manifest are complete: two different officers, or one program of the sender.
///
/// # Errors
/// [`PackageError::ApprovalCount`], [`PackageError::SamePerson`] and those of [`Approval::verify_officer`].
pub(crate) fn verify_approvals(manifest: &Manifest, trust: &Trust) -> Result<(), PackageError> {
    let digest = manifest.digest()?;
    match (manifest.kind, manifest.approvals.as_slice()) {
        (Kind::Delivery, [first, second]) => {
            let device = first.device();
            if first.user == second.user || (device.is_some() && device == second.device()) {
                return Err(PackageError::SamePerson);
            }
            first.verify_officer(&digest, trust)?;
            second.verify_officer(&digest, trust)
        }
        (Kind::Return, [only]) if only.name == manifest.sender.name => {
            only.verify_kit(&digest, trust)
        }
        (Kind::Return, [_]) => Err(PackageError::Sender),
        _ => Err(PackageError::ApprovalCount),
    }
}
