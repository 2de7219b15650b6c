//! Inside an `age` envelope: a ustar archive (POSIX.1-1988) in which every byte follows from the manifest.

use std::io::{self, Read, Write};

use crate::error::PackageError;
use crate::manifest::{MANIFEST_BYTES, MANIFEST_NAME};

/// Length of a block.
pub(crate) const BLOCK: u64 = 512;

/// The header of a file: regular, 0644, owner 0, its time the moment of the manifest.
pub(crate) fn header(name: &str, bytes: u64, created: i64) -> [u8; 512] {
    let mut out = [0u8; 512];
    let mut put = |at: usize, text: &str| out[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{bytes:011o}\0"));
    put(136, &format!("{:011o}\0", created.max(0)));
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\u{0}00");
    let sum: u32 = out.iter().map(|b| u32::from(*b)).sum();
    out[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    out
}

/// How many zero bytes follow a file.
pub(crate) fn padding(bytes: u64) -> u64 {
    (BLOCK - bytes % BLOCK) % BLOCK
}

pub(crate) fn pad(out: &mut impl Write, bytes: u64) -> io::Result<()> {
    io::copy(&mut io::repeat(0).take(padding(bytes)), out).map(|_| ())
}

/// The end of the archive.
pub(crate) fn end(out: &mut impl Write) -> io::Result<()> {
    out.write_all(&[0; 2 * 512])
}

/// What an envelope's reader says when the bytes are wrong, as opposed to a disc that fails.
pub(crate) fn damaged(error: io::Error) -> PackageError {
    use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    match error.kind() {
        InvalidData | InvalidInput | Other | UnexpectedEof => PackageError::Damaged,
        _ => PackageError::File(error),
    }
}

/// Reads header and text of the manifest; the header is checked later, when its time is known.
pub(crate) fn manifest(input: &mut impl Read) -> Result<([u8; 512], Vec<u8>), PackageError> {
    let mut head = [0u8; 512];
    input.read_exact(&mut head).map_err(damaged)?;
    if !head.starts_with(MANIFEST_NAME.as_bytes()) {
        return Err(PackageError::Contents);
    }
    let size = std::str::from_utf8(&head[124..135]).ok();
    let size = size.and_then(|s| u64::from_str_radix(s, 8).ok());
    let size = size.ok_or(PackageError::Contents)?;
    if size > MANIFEST_BYTES {
        return Err(PackageError::Limit("目録の大きさ"));
    }
    let mut text = Vec::new();
    input.take(size).read_to_end(&mut text).map_err(damaged)?;
    if text.len() as u64 != size {
        return Err(PackageError::Damaged);
    }
    zeros(input, padding(size))?;
    Ok((head, text))
}

/// Reads a header that has to be exactly this one.
pub(crate) fn expect(input: &mut impl Read, wanted: &[u8; 512]) -> Result<(), PackageError> {
    let mut head = [0u8; 512];
    input.read_exact(&mut head).map_err(damaged)?;
    match head == *wanted {
        true => Ok(()),
        false => Err(PackageError::Contents),
    }
}

/// Reads so many zero bytes.
pub(crate) fn zeros(input: &mut impl Read, count: u64) -> Result<(), PackageError> {
    let mut room = [0u8; 512];
    let mut left = count;
    while left > 0 {
        let now = usize::try_from(left.min(512)).unwrap_or(512);
        input.read_exact(&mut room[..now]).map_err(damaged)?;
        if room[..now].iter().any(|b| *b != 0) {
            return Err(PackageError::Contents);
        }
        left -= now as u64;
    }
    Ok(())
}

/// Reads the end of the archive and of the envelope.
pub(crate) fn finish(input: &mut impl Read) -> Result<(), PackageError> {
    zeros(input, 2 * BLOCK)?;
    let mut more = [0u8; 1];
    match input.read(&mut more).map_err(damaged)? {
        0 => Ok(()),
        _ => Err(PackageError::Contents),
    }
}
