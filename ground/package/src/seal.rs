//! Sealing: the approved manifest and its files into one envelope, streaming.

use std::io::{self, Read, Seek, Write};

use age::secrecy::SecretString;
use age::{Encryptor, scrypt, x25519};
use mimamori_kernel::random::Random;
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{AesMode, CompressionMethod, ZipWriter};

use crate::approval::verify_approvals;
use crate::archive::{end, header, pad};
use crate::error::PackageError;
use crate::manifest::{Limits, MANIFEST_NAME, Manifest, SLIP, fingerprint};
use crate::trust::Trust;

/// Work factor of a passphrase's stanza (2^12): our passphrases are random and have 138 bits, so nothing hangs on it.
const WORK: u8 = 12;
/// Letters of a passphrase: no look-alikes.
const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
/// Groups of four letters in a passphrase: 28 letters of 31 are 138 bits.
const GROUPS: usize = 7;

/// How a package is closed.
#[derive(Debug, Clone)]
pub enum Envelope {
    /// `age` to the recipient's key.
    Key(x25519::Recipient),
    /// `age` to the passphrase of the slip.
    Passphrase(String),
    /// A ZIP archive with AES-256 (AE-2) to the passphrase of the slip.
    Zip(String),
}

/// A file to put in.
pub struct Source<'a> {
    /// Name as in the manifest.
    pub name: &'a str,
    /// Its bytes.
    pub input: Box<dyn Read + 'a>,
}

/// A passphrase for a slip (パスワード通知書): seven groups of four letters.
pub fn passphrase(random: &dyn Random) -> String {
    let mut out = String::new();
    let mut letters = 0;
    while letters < GROUPS * 4 {
        let mut byte = [0u8];
        random.fill(&mut byte);
        // 248 = 8 x 31: no letter is likelier than another.
        if byte[0] < 248 {
            if letters > 0 && letters % 4 == 0 {
                out.push('-');
            }
            out.push(char::from(LETTERS[usize::from(byte[0] % 31)]));
            letters += 1;
        }
    }
    out
}

/// Copies and hashes.
fn copy_checked(
    input: &mut dyn Read,
    out: &mut dyn Write,
    (bytes, sha256): (i64, &str),
) -> Result<(), PackageError> {
    let mut hash = Sha256::new();
    let mut room = vec![0u8; 64 * 1024];
    let mut sum = 0i64;
    loop {
        let got = match input.read(&mut room) {
            Ok(0) => break,
            Ok(got) => got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        sum = sum.saturating_add(i64::try_from(got).unwrap_or(i64::MAX));
        if sum > bytes {
            return Err(PackageError::Hash);
        }
        hash.update(&room[..got]);
        out.write_all(&room[..got])?;
    }
    match sum == bytes && hex::encode(hash.finalize()) == sha256 {
        true => Ok(()),
        false => Err(PackageError::Hash),
    }
}

/// Writes the package; the files come in the manifest's order. What was written is worth nothing after an error.
///
/// # Errors
/// Those of [`Manifest::check`] and of the approvals, [`PackageError::Recipient`] when the key is not the manifest's,
/// [`PackageError::KeyKind`], [`PackageError::Contents`] and [`PackageError::Hash`] when the files are not the manifest's.
pub fn seal<W: Write + Seek>(
    manifest: &Manifest,
    (trust, limits): (&Trust, &Limits),
    files: Vec<Source<'_>>,
    envelope: &Envelope,
    out: W,
) -> Result<W, PackageError> {
    manifest.check(limits)?;
    verify_approvals(manifest, trust)?;
    let same = manifest.files.iter().map(|f| f.name.as_str());
    if !files.iter().map(|f| f.name).eq(same) {
        return Err(PackageError::Contents);
    }
    match envelope {
        Envelope::Key(key) if fingerprint(key) != manifest.recipient.key => {
            return Err(PackageError::Recipient);
        }
        Envelope::Passphrase(_) | Envelope::Zip(_) if manifest.recipient.key != SLIP => {
            return Err(PackageError::KeyKind);
        }
        _ => {}
    }
    match envelope {
        Envelope::Key(key) => {
            let recipients = std::iter::once(key as &dyn age::Recipient);
            age_file(manifest, files, recipients, out)
        }
        Envelope::Passphrase(words) => {
            let mut key = scrypt::Recipient::new(SecretString::from(words.clone()));
            key.set_work_factor(WORK);
            let recipients = std::iter::once(&key as &dyn age::Recipient);
            age_file(manifest, files, recipients, out)
        }
        Envelope::Zip(words) => zip_file(manifest, files, words, out),
    }
}

fn age_file<'a, W: Write>(
    manifest: &Manifest,
    files: Vec<Source<'_>>,
    recipients: impl Iterator<Item = &'a dyn age::Recipient>,
    out: W,
) -> Result<W, PackageError> {
    let sealed = Encryptor::with_recipients(recipients).map_err(io::Error::other)?;
    let mut sealed = sealed.wrap_output(out)?;
    let text = manifest.to_bytes()?;
    let size = text.len() as u64;
    sealed.write_all(&header(MANIFEST_NAME, size, manifest.created))?;
    sealed.write_all(&text)?;
    pad(&mut sealed, size)?;
    for (mut file, entry) in files.into_iter().zip(&manifest.files) {
        let size = u64::try_from(entry.bytes).unwrap_or_default();
        sealed.write_all(&header(&entry.name, size, manifest.created))?;
        copy_checked(&mut file.input, &mut sealed, (entry.bytes, &entry.sha256))?;
        pad(&mut sealed, size)?;
    }
    end(&mut sealed)?;
    let mut out = sealed.finish()?;
    out.flush()?;
    Ok(out)
}

fn zip_file<W: Write + Seek>(
    manifest: &Manifest,
    files: Vec<Source<'_>>,
    words: &str,
    out: W,
) -> Result<W, PackageError> {
    let failed = |e: zip::result::ZipError| PackageError::File(io::Error::other(e));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(false)
        .with_aes_encryption(AesMode::Aes256, words);
    let mut archive = ZipWriter::new(out);
    archive.start_file(MANIFEST_NAME, options).map_err(failed)?;
    archive.write_all(&manifest.to_bytes()?)?;
    for (mut file, entry) in files.into_iter().zip(&manifest.files) {
        archive
            .start_file(entry.name.as_str(), options)
            .map_err(failed)?;
        copy_checked(&mut file.input, &mut archive, (entry.bytes, &entry.sha256))?;
    }
    let mut out = archive.finish().map_err(failed)?;
    out.flush()?;
    Ok(out)
}
