use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{AesMode, CompressionMethod, ZipWriter};

/// The archive could not be written.
#[derive(Debug, thiserror::Error)]
#[error("ファイルにパスワードを付けられませんでした。")]
pub struct LockError(#[from] zip::result::ZipError);

/// A ZIP archive with the one file `name`, encrypted by AES-256 under `password` (the format "WinZip AE-2", which 7-Zip
/// opens; the file manager of Windows does not). The name and the length of the file stay readable, so `name` holds
/// nothing personal.
pub fn lock(name: &str, bytes: &[u8], password: &str) -> Result<Vec<u8>, LockError> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::with_capacity(bytes.len() + 512)));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .with_aes_encryption(AesMode::Aes256, password);
    archive.start_file(name, options)?;
    archive
        .write_all(bytes)
        .map_err(zip::result::ZipError::from)?;
    Ok(archive.finish()?.into_inner())
}
