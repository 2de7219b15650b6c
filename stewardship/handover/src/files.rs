//! The folders of packages: what waits to be uploaded or burned. Only sealed envelopes lie there.

use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::HandoverError;

/// A folder below the room's own, made when it is missing; nobody but the service's user looks into it unless the town
/// gives others a way.
pub(crate) fn folder(root: &Path, name: &str) -> Result<PathBuf, HandoverError> {
    let path = root.join(name);
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(&path).map_err(HandoverError::Folder)?;
    Ok(path)
}

/// Writes a file whole or not at all.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), HandoverError> {
    let beside = path.with_extension("part");
    let done = (|| -> io::Result<()> {
        let mut file = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    })();
    done.map_err(HandoverError::Folder)
}

/// SHA-256 of a file in hexadecimal; none when it is not there.
pub(crate) fn sha256(path: &Path) -> Result<Option<String>, HandoverError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(HandoverError::Folder(error)),
    };
    let mut hash = Sha256::new();
    let mut room = vec![0u8; 64 * 1024];
    loop {
        match file.read(&mut room).map_err(HandoverError::Folder)? {
            0 => return Ok(Some(hex::encode(hash.finalize()))),
            got => hash.update(&room[..got]),
        }
    }
}

/// Removes a file; nothing when it is gone already.
pub(crate) fn remove(path: &Path) -> Result<(), HandoverError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(HandoverError::Folder(error)),
        _ => Ok(()),
    }
}
