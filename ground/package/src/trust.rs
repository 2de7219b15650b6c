//! 町の確認情報 (the town's card): what the other side knows beforehand, handed over when the contract begins.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::canonical::{from_canonical, to_canonical};
use crate::error::PackageError;

/// An officer who may approve deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approver {
    /// The user's id.
    pub user: String,
    /// Name as it stands in the manifest.
    pub name: String,
    /// Public keys of the passkeys, COSE, base64url without padding.
    pub keys: Vec<String>,
    /// Login, by which the town's face terminal knows the officer; empty where there is none.
    pub login: String,
}

/// The town's face terminal (顔認証端末), which signs with Ed25519.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terminal {
    /// Public key, 64 hexadecimal digits.
    pub key: String,
    /// What it is, for example 模擬の顔認証端末（デモ）.
    pub name: String,
}

/// A partner's program that signs returns, receipts and certificates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kit {
    /// Name of the partner.
    pub name: String,
    /// Ed25519 public key, 64 hexadecimal digits.
    pub key: String,
}

/// Whom the reader of a package trusts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    /// Name of the town, the sender of deliveries.
    pub town: String,
    /// Origins at which approvals may be given, for example `https://mimamori.town.example`.
    pub origins: Vec<String>,
    /// The relying party of the passkeys, for example `mimamori.town.example`.
    pub rp_id: String,
    /// Officers who approve.
    pub approvers: Vec<Approver>,
    /// Face terminals whose word counts as a passkey's.
    pub terminals: Vec<Terminal>,
    /// Programs of partners whose returns count.
    pub kits: Vec<Kit>,
}

impl Trust {
    /// The canonical text, for a file.
    ///
    /// # Errors
    /// [`PackageError::Canonical`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, PackageError> {
        to_canonical(self)
    }

    /// Reads the text.
    ///
    /// # Errors
    /// [`PackageError::Canonical`], also for one of more than 512 KiB.
    pub fn from_bytes(text: &[u8]) -> Result<Self, PackageError> {
        match text.len() <= 512 * 1024 {
            true => from_canonical(text),
            false => Err(PackageError::Canonical),
        }
    }

    /// SHA-256 of the text in groups of four digits: read to each other when the contract begins.
    ///
    /// # Errors
    /// [`PackageError::Canonical`].
    pub fn fingerprint(&self) -> Result<String, PackageError> {
        let digest = hex::encode(Sha256::digest(self.to_bytes()?));
        let groups: Vec<&str> = (0..16).map(|i| &digest[i * 4..i * 4 + 4]).collect();
        Ok(groups.join(" "))
    }
}
