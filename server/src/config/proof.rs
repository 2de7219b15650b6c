use std::path::{Path, PathBuf};

use crate::error::StartError;

/// Settings of passkeys (S0-48).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passkeys {
    /// Address as browsers show it, for example `https://mimamori.town.example`.
    pub origin: String,
    /// Who is verified anew before an export or a grant: `enrolled` or `always`.
    #[serde(default)]
    pub step_up: StepUp,
}

/// Who is verified anew before an export or a grant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepUp {
    /// Whoever signs in with a passkey or the face product.
    #[default]
    Enrolled,
    /// Everybody; for a town whose staff is enrolled.
    Always,
}

/// Settings of the face product (顔認証の製品).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaceProduct {
    /// File with its Ed25519 public key, 32 bytes in base64url without padding.
    pub public_key_file: PathBuf,
}

impl FaceProduct {
    /// The key of the file, from the data directory.
    pub fn key(&self, dir: &Path) -> Result<ed25519_dalek::VerifyingKey, StartError> {
        use base64::Engine as _;
        let path = dir.join(&self.public_key_file);
        let text = std::fs::read_to_string(&path).map_err(StartError::file(&path))?;
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text.trim());
        let bytes: Option<[u8; 32]> = bytes.ok().and_then(|b| b.try_into().ok());
        bytes
            .and_then(|b| ed25519_dalek::VerifyingKey::from_bytes(&b).ok())
            .filter(|key| !key.is_weak())
            .ok_or_else(|| {
                StartError::Config(
                    "face_product: public_key_file は、Ed25519の公開鍵32バイトのbase64urlです。"
                        .into(),
                )
            })
    }
}
