//! Small signed documents of a partner's program: 開封受領書 and 消去証明書 (FACTS F.4, TK-11, TK-12, S1-36, S1-47).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use ed25519_dalek::{Signer as _, SigningKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::approval::ed25519;
use crate::canonical::{from_canonical, to_canonical};
use crate::error::PackageError;
use crate::trust::Kit;

/// Longest document, bytes.
const LONGEST: usize = 64 * 1024;

/// A document under a program's signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed<T> {
    /// `opening-receipt-1` or `erasure-certificate-1`.
    pub format: String,
    /// The document.
    pub document: T,
    /// Ed25519 public key, 64 hexadecimal digits.
    pub key: String,
    /// Signature over format, a line feed and the document's canonical text; base64url without padding.
    pub signature: String,
}

/// 開封受領書: the package was opened, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpeningReceipt {
    /// Id of the package.
    pub package: String,
    /// Id of the contract.
    pub contract: String,
    /// SHA-256 of the envelope.
    pub sha256: String,
    /// Rows of all tables.
    pub rows: i64,
    /// When, seconds since 1970 by the partner's clock.
    pub opened: i64,
    /// Who opened it (取扱者).
    pub handler: String,
    /// Program and version.
    pub program: String,
}

/// A medium, or a place in a computer, from which something was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasedMedium {
    /// 媒体の種類, for example 業務用パソコンの内蔵SSD.
    pub kind: String,
    /// 型番.
    pub model: String,
    /// シリアル番号.
    pub serial: String,
    /// 容量.
    pub capacity: String,
}

/// 消去証明書. There is no legal form; these are the usual fields (FACTS F.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasureCertificate {
    /// Ids of the packages whose content was erased.
    pub packages: Vec<String>,
    /// 契約番号.
    pub contract: String,
    /// 対象データの名称・内容.
    pub content: String,
    /// 件数.
    pub rows: i64,
    /// 媒体.
    pub media: Vec<ErasedMedium>,
    /// 消去日時, seconds since 1970.
    pub erased: i64,
    /// 方法, for example 論理上書き, 暗号鍵破棄, 物理破壊.
    pub method: String,
    /// Software and version that did it.
    pub program: String,
    /// 結果.
    pub result: String,
    /// 控え（バックアップ）を含むか: 含む or 控えなし.
    pub backups: String,
    /// 作業部署・担当者.
    pub operator: String,
    /// 立会者.
    pub witness: String,
    /// 証跡（写真・ログ）.
    pub evidence: String,
    /// 発行日, `2026-03-31`.
    pub issued: String,
    /// 責任者.
    pub responsible: String,
}

/// What is a document.
trait Document {
    const FORMAT: &'static str;
}

impl Document for OpeningReceipt {
    const FORMAT: &'static str = "opening-receipt-1";
}

impl Document for ErasureCertificate {
    const FORMAT: &'static str = "erasure-certificate-1";
}

fn message<T: Serialize>(format: &str, document: &T) -> Result<Vec<u8>, PackageError> {
    let mut out = format!("{format}\n").into_bytes();
    out.extend(to_canonical(document)?);
    Ok(out)
}

/// The document's file: canonical JSON with the signature.
///
/// # Errors
/// [`PackageError::Canonical`].
#[expect(private_bounds, reason = "the two documents above and no others")]
pub fn sign_document<T: Document + Serialize>(
    document: T,
    key: &SigningKey,
) -> Result<Vec<u8>, PackageError> {
    let signature = key.sign(&message(T::FORMAT, &document)?).to_bytes();
    to_canonical(&Signed {
        format: T::FORMAT.to_owned(),
        document,
        key: hex::encode(key.verifying_key().as_bytes()),
        signature: B64.encode(signature),
    })
}

/// Reads a document that one of the registered programs signed; also whose it was.
///
/// # Errors
/// [`PackageError::Limit`], [`PackageError::Canonical`], [`PackageError::Version`] for another kind of document,
/// [`PackageError::UnknownApprover`] for a key that is not registered, [`PackageError::DocumentSignature`].
#[expect(private_bounds, reason = "the two documents above and no others")]
pub fn verify_document<'a, T: Document + Serialize + DeserializeOwned>(
    bytes: &[u8],
    kits: &'a [Kit],
) -> Result<(T, &'a Kit), PackageError> {
    if bytes.len() > LONGEST {
        return Err(PackageError::Limit("書面の大きさ"));
    }
    let signed: Signed<T> = from_canonical(bytes)?;
    if signed.format != T::FORMAT {
        return Err(PackageError::Version);
    }
    let kit = kits.iter().find(|k| k.key == signed.key);
    let kit = kit.ok_or(PackageError::UnknownApprover)?;
    let message = message(T::FORMAT, &signed.document)?;
    ed25519(&signed.key, &message, &signed.signature)
        .map_err(|_| PackageError::DocumentSignature)?;
    Ok((signed.document, kit))
}
