//! The manifest (目録): what a package holds, for whom, on what ground, until when.

use age::x25519::Recipient;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::approval::Approval;
use crate::canonical::{to_canonical, value_bytes};
use crate::error::PackageError;

/// The version of the format.
pub const FORMAT: &str = "mimamori-package-1";
/// [`Party::key`] of a recipient who has no key: the passphrase is on the slip (パスワード通知書).
pub const SLIP: &str = "slip";

/// Which way a package goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// From the town; two officers approve.
    Delivery,
    /// To the town; the partner's registered program signs.
    Return,
}

/// The contract that allows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// Id in the town's register, 32 hexadecimal digits.
    pub id: String,
    /// Name as in the register.
    pub name: String,
}

/// An item of the approved sheet (情報項目).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Id, for example `birth_date`.
    pub id: String,
    /// Name as the sheet has it, for example 生年月日.
    pub name: String,
    /// Class of the item, for example `identity` or `health`.
    pub class: String,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// The item that it belongs to.
    pub item: String,
    /// The heading in the file.
    pub name: String,
}

/// A file of the package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Plain name: `a-z 0-9 . _ -`, at most 40; it stays readable in a ZIP archive and says nothing of persons.
    pub name: String,
    /// Length in bytes.
    pub bytes: i64,
    /// SHA-256, 64 hexadecimal digits.
    pub sha256: String,
    /// Rows without the heading; 0 for a file that is no table.
    pub rows: i64,
    /// Columns of a table in order; none for a file that is no table.
    pub columns: Vec<Column>,
}

/// Sender or recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Name of the office or the company.
    pub name: String,
    /// [`fingerprint`] of the `age` key, or [`SLIP`].
    pub key: String,
}

/// Where the town's trace stood when the package was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TracePosition {
    /// Number of lines.
    pub size: i64,
    /// Root of the tree, 64 hexadecimal digits; empty in a return.
    pub root: String,
}

/// The manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// Id of the package, 32 random hexadecimal digits.
    pub id: String,
    /// Which way.
    pub kind: Kind,
    /// The contract.
    pub contract: Contract,
    /// Purpose in the words of the sheet.
    pub purpose: String,
    /// Legal ground in words.
    pub legal_ground: String,
    /// The items, each once; nothing else is inside.
    pub items: Vec<Item>,
    /// The files in their order.
    pub files: Vec<FileEntry>,
    /// Who sends.
    pub sender: Party,
    /// Who may open.
    pub recipient: Party,
    /// When it was made, seconds since 1970.
    pub created: i64,
    /// The last second in which it may be opened.
    pub expires: i64,
    /// Until which day everything has to be erased or returned, `2026-03-31`.
    pub erase_by: String,
    /// The trace.
    pub trace: TracePosition,
    /// Approvals over [`Manifest::digest`].
    pub approvals: Vec<Approval>,
}

/// How much a package may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all files together.
    pub bytes: i64,
    /// Files.
    pub files: usize,
    /// Rows of one table.
    pub rows: i64,
}

/// Longest manifest, bytes.
pub(crate) const MANIFEST_BYTES: u64 = 512 * 1024;

impl Default for Limits {
    /// 2 GiB, 32 files, 1,000,000 rows (想定: about ten times the town's largest list).
    fn default() -> Self {
        Self {
            bytes: 2 << 30,
            files: 32,
            rows: 1_000_000,
        }
    }
}

/// `age:` and the SHA-256 of the public key's text, for people to compare.
pub fn fingerprint(key: &Recipient) -> String {
    let digest = Sha256::digest(key.to_string().as_bytes());
    format!("age:{}", hex::encode(digest))
}

fn is_hex(text: &str, digits: usize) -> bool {
    let plain = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    text.len() == digits && text.bytes().all(plain)
}

fn is_id(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    !text.is_empty() && text.len() <= 64 && text.bytes().all(plain)
}

fn is_words(text: &str, longest: usize) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= longest
        && !text.chars().any(char::is_control)
}

pub(crate) fn is_file_name(text: &str) -> bool {
    let plain =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
    !text.is_empty()
        && text.len() <= 40
        && !text.starts_with('.')
        && text != MANIFEST_NAME
        && text.bytes().all(plain)
}

/// Name of the manifest inside the envelope; no file may have it.
pub(crate) const MANIFEST_NAME: &str = "manifest.json";

impl Manifest {
    /// SHA-256 of the canonical text without `approvals`: what the two officers approve.
    ///
    /// # Errors
    /// [`PackageError::Canonical`].
    pub fn digest(&self) -> Result<[u8; 32], PackageError> {
        let mut value = serde_json::to_value(self).map_err(|_| PackageError::Canonical)?;
        if let Some(map) = value.as_object_mut() {
            map.remove("approvals");
        }
        Ok(Sha256::digest(value_bytes(&value)?).into())
    }

    /// The canonical text with the approvals, as it lies in the envelope.
    ///
    /// # Errors
    /// [`PackageError::Canonical`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, PackageError> {
        to_canonical(self)
    }

    /// All rows of all tables.
    pub fn rows(&self) -> i64 {
        self.files.iter().map(|f| f.rows).sum()
    }

    /// Whether the manifest is one at all and within the limits; asks nothing of keys and time.
    ///
    /// # Errors
    /// [`PackageError::Version`], [`PackageError::Field`], [`PackageError::Limit`], [`PackageError::Item`].
    pub fn check(&self, limits: &Limits) -> Result<(), PackageError> {
        let field = |holds: bool, name| match holds {
            true => Ok(()),
            false => Err(PackageError::Field(name)),
        };
        if self.format != FORMAT {
            return Err(PackageError::Version);
        }
        field(is_hex(&self.id, 32), "番号")?;
        field(is_hex(&self.contract.id, 32), "契約の番号")?;
        field(is_words(&self.contract.name, 200), "契約の名称")?;
        field(is_words(&self.purpose, 500), "利用目的")?;
        field(is_words(&self.legal_ground, 500), "根拠")?;
        field(is_words(&self.sender.name, 200), "送り主")?;
        field(is_words(&self.recipient.name, 200), "あて先")?;
        for key in [&self.sender.key, &self.recipient.key] {
            let digest = key.strip_prefix("age:");
            field(key == SLIP || digest.is_some_and(|d| is_hex(d, 64)), "鍵")?;
        }
        field(self.created > 0 && self.created < self.expires, "期限")?;
        field(self.erase_by.parse::<Date>().is_ok(), "消去の期日")?;
        let root = match self.kind {
            Kind::Delivery => is_hex(&self.trace.root, 64) && self.trace.size > 0,
            Kind::Return => self.trace.root.is_empty() && self.trace.size == 0,
        };
        field(root, "記録の位置")?;
        self.check_items()?;
        if self.files.is_empty() || self.files.len() > limits.files {
            return Err(PackageError::Limit("ファイルの数"));
        }
        let mut sum = 0i64;
        for (at, file) in self.files.iter().enumerate() {
            let again = self.files[..at].iter().any(|f| f.name == file.name);
            field(is_file_name(&file.name) && !again, "ファイル名")?;
            field(is_hex(&file.sha256, 64), "SHA-256")?;
            field(file.bytes >= 0 && file.rows >= 0, "大きさ")?;
            field(!file.columns.is_empty() || file.rows == 0, "件数")?;
            sum = sum.saturating_add(file.bytes);
            if file.rows > limits.rows {
                return Err(PackageError::Limit("件数"));
            }
            if file.columns.len() > 500 {
                return Err(PackageError::Limit("列の数"));
            }
            for column in &file.columns {
                field(is_words(&column.name, 100), "列の見出し")?;
                if self.items.iter().all(|i| i.id != column.item) {
                    return Err(PackageError::Item);
                }
            }
        }
        match sum > limits.bytes {
            true => Err(PackageError::Limit("大きさ")),
            false => Ok(()),
        }
    }

    fn check_items(&self) -> Result<(), PackageError> {
        if self.items.is_empty() || self.items.len() > 200 {
            return Err(PackageError::Limit("項目の数"));
        }
        for (at, item) in self.items.iter().enumerate() {
            let again = self.items[..at].iter().any(|i| i.id == item.id);
            if !is_id(&item.id) || !is_id(&item.class) || !is_words(&item.name, 100) || again {
                return Err(PackageError::Field("項目"));
            }
        }
        Ok(())
    }
}
