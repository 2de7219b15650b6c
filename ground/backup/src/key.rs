//! Who may open the generations: `age` recipients on the host, identities away from it.

use std::path::Path;

use age::x25519::{Identity, Recipient};

use crate::BackupError;

/// To whom generations are sealed. The file holds lines `age1…`; lines that begin with `#` are notes.
#[derive(Clone)]
pub struct Recipients(pub(crate) Vec<Recipient>);

/// Private keys, read only while something is opened. The file is what `age-keygen` writes.
pub struct Identities(pub(crate) Vec<Identity>);

fn lines<T: std::str::FromStr>(path: &Path) -> Result<Vec<T>, BackupError> {
    let text = std::fs::read_to_string(path).map_err(BackupError::file(path))?;
    let lines = text.lines().map(str::trim);
    let parsed: Result<Vec<T>, _> = lines
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
        .map(str::parse)
        .collect();
    match parsed {
        Ok(keys) if !keys.is_empty() => Ok(keys),
        _ => Err(BackupError::Key {
            path: path.to_owned(),
        }),
    }
}

impl Recipients {
    /// Reads a file of recipients.
    ///
    /// # Errors
    /// [`BackupError::File`], [`BackupError::Key`]: also when a private key stands in it.
    pub fn load(path: &Path) -> Result<Self, BackupError> {
        lines(path).map(Self)
    }
}

impl Identities {
    /// Reads a file of identities.
    ///
    /// # Errors
    /// [`BackupError::File`], [`BackupError::Key`].
    pub fn load(path: &Path) -> Result<Self, BackupError> {
        lines(path).map(Self)
    }
}
