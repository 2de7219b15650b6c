//! A signed text other than a checkpoint: an analysis report (section 8).

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::VerifyError;
use crate::inputs::{read_key, read_limited};
use crate::note::{Key, MAX_NOTE, NoteError};

/// First line of a report.
pub const REPORT: &str = "mimamori-report-1";

/// What a signed text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The lines that the signature covers.
    pub lines: Vec<String>,
    /// Name of the key.
    pub signer: String,
}

/// Opens a report: the line [`REPORT`], text lines, an empty line, one signature line by `key`.
///
/// # Errors
/// The first rule of section 8 that the note breaks.
pub fn open(bytes: &[u8], key: &Key) -> Result<Signed, NoteError> {
    if bytes.len() > MAX_NOTE {
        return Err(NoteError::TooLarge);
    }
    let note = std::str::from_utf8(bytes).map_err(|_| NoteError::Shape)?;
    if note.chars().any(|c| c.is_control() && c != '\n') {
        return Err(NoteError::Shape);
    }
    let (text, signature) = note.split_once("\n\n").ok_or(NoteError::Shape)?;
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.first().map(String::as_str) != Some(REPORT) {
        return Err(NoteError::Shape);
    }
    let (name, signature) = signature
        .strip_prefix("— ")
        .and_then(|rest| rest.strip_suffix('\n'))
        .filter(|rest| !rest.contains('\n'))
        .and_then(|rest| rest.split_once(' '))
        .ok_or(NoteError::Shape)?;
    if name != key.name {
        return Err(NoteError::Name);
    }
    let signature = STANDARD.decode(signature).map_err(|_| NoteError::Shape)?;
    key.verify(format!("{text}\n").as_bytes(), &signature)?;
    Ok(Signed {
        lines,
        signer: name.to_owned(),
    })
}

/// Judges the report in `file` by the key in `key`; the inner error says what is wrong with it.
///
/// # Errors
/// When a file cannot be read or the key is none.
pub fn verify(file: &Path, key: &Path) -> Result<Result<Signed, NoteError>, VerifyError> {
    let key = read_key(key)?;
    Ok(open(&read_limited(file, MAX_NOTE as u64)?, &key))
}
