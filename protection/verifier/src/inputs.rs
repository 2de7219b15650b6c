//! Reads keys, known checkpoints and other small files, within limits.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::VerifyError;
use crate::finding::{Findings, Place, Problem};
use crate::note::{Checkpoint, Key, MAX_NOTE};

/// Reads a file of at most `limit` bytes.
pub(crate) fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>, VerifyError> {
    read_open(File::open(path), path, limit)
}

fn read_open(file: std::io::Result<File>, path: &Path, limit: u64) -> Result<Vec<u8>, VerifyError> {
    let file = file.map_err(VerifyError::read(path))?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(VerifyError::read(path))?;
    if bytes.len() as u64 > limit {
        return Err(VerifyError::TooLarge {
            path: path.to_path_buf(),
            limit,
        });
    }
    Ok(bytes)
}

/// Opens a file of the trace; a pipe or device in its place would only keep the verifier waiting.
pub(crate) fn open_regular(path: &Path) -> std::io::Result<File> {
    if std::fs::metadata(path)?.is_file() {
        File::open(path)
    } else {
        Err(std::io::Error::other("not a regular file"))
    }
}

/// Like [`read_limited`] for a file of the trace; a missing file or one that is too large is `None`.
pub(crate) fn read_part(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, VerifyError> {
    match read_open(open_regular(path), path, limit) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(VerifyError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            Ok(None)
        }
        Err(VerifyError::TooLarge { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The key file given by the reader.
pub(crate) fn read_key(path: &Path) -> Result<Key, VerifyError> {
    let bytes = read_limited(path, MAX_NOTE as u64)?;
    Key::parse(&bytes).map_err(|reason| VerifyError::Key {
        path: path.to_path_buf(),
        reason,
    })
}

/// The key to judge by: the given one, otherwise the trace's own.
pub(crate) fn choose_key(
    folder: &Path,
    given: Option<&Path>,
    findings: &mut Findings,
) -> Result<Option<Key>, VerifyError> {
    let place = || Place::File("key.pub".into());
    let given = given.map(read_key).transpose()?;
    let own = match read_part(&folder.join("key.pub"), MAX_NOTE as u64)?
        .map(|bytes| Key::parse(&bytes))
    {
        Some(Ok(key)) => Some(key),
        Some(Err(why)) => {
            findings.add(place(), Problem::Key(why));
            None
        }
        None => {
            findings.add(place(), Problem::Missing);
            None
        }
    };
    if given.is_some() && own.is_some() && given != own {
        findings.add(place(), Problem::OtherKey);
    }
    Ok(given.or(own))
}

/// Opens the known checkpoints, smallest first.
pub(crate) fn read_known(
    files: &[PathBuf],
    key: &Key,
    findings: &mut Findings,
) -> Result<Vec<(Checkpoint, String)>, VerifyError> {
    let mut known = Vec::new();
    for path in files {
        let name = path.display().to_string().escape_debug().to_string();
        match Checkpoint::open(&read_limited(path, MAX_NOTE as u64)?, key) {
            Ok(checkpoint) => known.push((checkpoint, name)),
            Err(why) => findings.add(Place::Known(name), Problem::Note(why)),
        }
    }
    known.sort_by_key(|(checkpoint, _)| checkpoint.size);
    Ok(known)
}
