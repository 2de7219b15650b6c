//! Opening: everything is checked in a first pass; only then a file is read out, and checked again on the way.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use age::secrecy::SecretString;
use age::stream::StreamReader;
use age::{DecryptError, Decryptor, scrypt, x25519};
use mimamori_kernel::clock::Instant;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use crate::approval::verify_approvals;
use crate::archive::{self, damaged};
use crate::canonical::from_canonical;
use crate::error::PackageError;
use crate::manifest::{FileEntry, Kind, Limits, MANIFEST_BYTES, MANIFEST_NAME, Manifest};
use crate::table::check_table;
use crate::trust::Trust;

/// Largest work factor of a passphrase's stanza that is tried: about two seconds and 256 MiB.
const MOST_WORK: u8 = 18;
/// How far the other side's clock may go ahead, seconds (想定).
const AHEAD: i64 = 86_400;

/// What opens an envelope.
pub enum Key<'a> {
    /// The recipient's key.
    Identity(&'a x25519::Identity),
    /// The passphrase of the slip.
    Passphrase(&'a str),
}

/// What a package has to be, apart from whole.
pub struct Checks<'a> {
    /// Whom the reader trusts.
    pub trust: &'a Trust,
    /// Which way it goes.
    pub kind: Kind,
    /// The contract's id.
    pub contract: &'a str,
    /// The recipient's key as the reader knows it: a fingerprint or [`crate::SLIP`].
    pub recipient: &'a str,
    /// Now.
    pub now: Instant,
    /// Whether a package with this id was taken in before.
    pub seen: &'a dyn Fn(&str) -> bool,
    /// Limits.
    pub limits: Limits,
}

enum Contents<R: Read + Seek> {
    Age(Box<StreamReader<BufReader<R>>>, Vec<u64>),
    Zip(Box<ZipArchive<BufReader<R>>>, Zeroizing<String>),
}

/// A package that was found right.
pub struct Opened<R: Read + Seek> {
    manifest: Manifest,
    sha256: String,
    contents: Contents<R>,
}

impl<R: Read + Seek> std::fmt::Debug for Opened<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opened({})", self.manifest.id)
    }
}

/// Reads until the room is full or nothing follows.
pub(crate) fn fill(input: &mut impl Read, room: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < room.len() {
        match input.read(&mut room[got..]) {
            Ok(0) => break,
            Ok(now) => got += now,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

/// Counts and hashes what passes.
struct Hashing<R> {
    input: R,
    hash: Sha256,
    bytes: i64,
}

impl<R: Read> Hashing<R> {
    fn new(input: R) -> Self {
        Self {
            input,
            hash: Sha256::new(),
            bytes: 0,
        }
    }

    fn is(self, file: &FileEntry) -> Result<(), PackageError> {
        match self.bytes == file.bytes && hex::encode(self.hash.finalize()) == file.sha256 {
            true => Ok(()),
            false => Err(PackageError::Hash),
        }
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let got = self.input.read(room)?;
        self.hash.update(&room[..got]);
        self.bytes = self
            .bytes
            .saturating_add(i64::try_from(got).unwrap_or(i64::MAX));
        Ok(got)
    }
}

/// Reads one file to its end: its hash, and of a table its headings and rows.
fn check_file(file: &FileEntry, input: impl Read) -> Result<(), PackageError> {
    let limit = u64::try_from(file.bytes).unwrap_or_default() + 1;
    let mut hashing = Hashing::new(input.take(limit));
    let table = match file.columns.is_empty() {
        true => Ok(()),
        false => check_table(file, &mut hashing),
    };
    io::copy(&mut hashing, &mut io::sink()).map_err(damaged)?;
    // The hash says first whether it is the file at all.
    hashing.is(file).and(table)
}

/// Checks a package; no row leaves before this has said yes.
///
/// # Errors
/// One [`PackageError`] for each reason; the first that is found.
pub fn open<R: Read + Seek>(
    mut source: R,
    key: &Key<'_>,
    checks: &Checks<'_>,
) -> Result<Opened<R>, PackageError> {
    let mut whole = Hashing::new(&mut source);
    let mut first = [0u8; 21];
    let got = fill(&mut whole, &mut first)?;
    io::copy(&mut whole, &mut io::sink())?;
    // Headers, padding and authentication codes come on top of the files.
    if whole.bytes > checks.limits.bytes.saturating_add(16 << 20) {
        return Err(PackageError::Limit("大きさ"));
    }
    let sha256 = hex::encode(whole.hash.finalize());
    source.seek(SeekFrom::Start(0))?;
    let source = BufReader::with_capacity(256 * 1024, source);
    let (manifest, contents) = match &first[..got] {
        start if start == b"age-encryption.org/v1" => open_age(source, key, checks)?,
        start if start.starts_with(b"PK\x03\x04") => open_zip(source, key, checks)?,
        _ => return Err(PackageError::NotAnEnvelope),
    };
    Ok(Opened {
        manifest,
        sha256,
        contents,
    })
}

/// Everything that the manifest says by itself.
fn check_manifest(text: &[u8], checks: &Checks<'_>) -> Result<Manifest, PackageError> {
    let manifest: Manifest = from_canonical(text)?;
    manifest.check(&checks.limits)?;
    if manifest.kind != checks.kind {
        return Err(PackageError::Direction);
    }
    verify_approvals(&manifest, checks.trust)?;
    if manifest.kind == Kind::Delivery && manifest.sender.name != checks.trust.town {
        return Err(PackageError::Sender);
    }
    if manifest.contract.id != checks.contract {
        return Err(PackageError::Contract);
    }
    if manifest.recipient.key != checks.recipient {
        return Err(PackageError::Recipient);
    }
    let now = checks.now.0.div_euclid(1_000_000);
    if now > manifest.expires {
        return Err(PackageError::Expired);
    }
    if manifest.created > now.saturating_add(AHEAD) {
        return Err(PackageError::Future);
    }
    if (checks.seen)(&manifest.id) {
        return Err(PackageError::Replay);
    }
    Ok(manifest)
}

fn age_error(error: DecryptError) -> PackageError {
    match error {
        DecryptError::NoMatchingKeys => PackageError::WrongKey,
        DecryptError::ExcessiveWork { .. } => PackageError::Limit("パスワードの計算量"),
        DecryptError::Io(error) => damaged(error),
        _ => PackageError::Damaged,
    }
}

fn open_age<R: Read + Seek>(
    source: BufReader<R>,
    key: &Key<'_>,
    checks: &Checks<'_>,
) -> Result<(Manifest, Contents<R>), PackageError> {
    let sealed = Decryptor::new(source).map_err(age_error)?;
    let mut input = match key {
        Key::Identity(_) if sealed.is_scrypt() => return Err(PackageError::KeyKind),
        Key::Identity(key) => {
            let keys = std::iter::once(*key as &dyn age::Identity);
            sealed.decrypt(keys).map_err(age_error)?
        }
        Key::Passphrase(_) if !sealed.is_scrypt() => return Err(PackageError::KeyKind),
        Key::Passphrase(words) => {
            let mut key = scrypt::Identity::new(SecretString::from((*words).to_owned()));
            key.set_max_work_factor(MOST_WORK);
            let opened = sealed.decrypt(std::iter::once(&key as &dyn age::Identity));
            opened.map_err(|error| match error {
                // The stanza's tag is the only thing that tells a wrong passphrase.
                DecryptError::KeyDecryptionFailed
                | DecryptError::DecryptionFailed
                | DecryptError::NoMatchingKeys => PackageError::WrongPassphrase,
                error => age_error(error),
            })?
        }
    };
    let (head, text) = archive::manifest(&mut input)?;
    let manifest = check_manifest(&text, checks)?;
    let size = text.len() as u64;
    if head != archive::header(MANIFEST_NAME, size, manifest.created) {
        return Err(PackageError::Contents);
    }
    let mut at = archive::BLOCK + size + archive::padding(size);
    let mut places = Vec::new();
    for file in &manifest.files {
        let size = u64::try_from(file.bytes).unwrap_or_default();
        archive::expect(
            &mut input,
            &archive::header(&file.name, size, manifest.created),
        )?;
        check_file(file, Read::by_ref(&mut input).take(size))?;
        archive::zeros(&mut input, archive::padding(size))?;
        places.push(at + archive::BLOCK);
        at += archive::BLOCK + size + archive::padding(size);
    }
    archive::finish(&mut input)?;
    Ok((manifest, Contents::Age(Box::new(input), places)))
}

fn zip_error(error: ZipError) -> PackageError {
    match error {
        ZipError::InvalidPassword => PackageError::WrongPassphrase,
        ZipError::Io(error) => damaged(error),
        _ => PackageError::Damaged,
    }
}

fn open_zip<R: Read + Seek>(
    source: BufReader<R>,
    key: &Key<'_>,
    checks: &Checks<'_>,
) -> Result<(Manifest, Contents<R>), PackageError> {
    let Key::Passphrase(words) = key else {
        return Err(PackageError::KeyKind);
    };
    let mut archive = ZipArchive::new(source).map_err(zip_error)?;
    if archive.len() > checks.limits.files + 1 {
        return Err(PackageError::Limit("ファイルの数"));
    }
    if archive.offset() != 0 || !archive.comment().is_empty() || archive.has_duplicate_names() {
        return Err(PackageError::Contents);
    }
    archive.validate_header_consistency().map_err(zip_error)?;
    let text = {
        let entry = zip_entry(&mut archive, 0, words, MANIFEST_NAME)?;
        if entry.size() > MANIFEST_BYTES {
            return Err(PackageError::Limit("目録の大きさ"));
        }
        let mut text = Vec::new();
        let mut entry = entry.take(MANIFEST_BYTES + 1);
        entry.read_to_end(&mut text).map_err(damaged)?;
        text
    };
    let manifest = check_manifest(&text, checks)?;
    if archive.len() != manifest.files.len() + 1 {
        return Err(PackageError::Contents);
    }
    for (at, file) in manifest.files.iter().enumerate() {
        check_file(file, zip_entry(&mut archive, at + 1, words, &file.name)?)?;
    }
    let words = Zeroizing::new((*words).to_owned());
    Ok((manifest, Contents::Zip(Box::new(archive), words)))
}

/// An entry that is stored, encrypted and called so.
fn zip_entry<'a, R: Read + Seek>(
    archive: &'a mut ZipArchive<R>,
    at: usize,
    words: &str,
    name: &str,
) -> Result<zip::read::ZipFile<'a, R>, PackageError> {
    {
        let raw = archive.by_index_raw(at).map_err(zip_error)?;
        let stored = raw.compression() == CompressionMethod::Stored;
        if !raw.encrypted() || !stored || raw.name_raw() != name.as_bytes() {
            return Err(PackageError::Contents);
        }
    }
    archive
        .by_index_decrypt(at, words.as_bytes())
        .map_err(zip_error)
}

impl<R: Read + Seek> Opened<R> {
    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// SHA-256 of the envelope, for receipt and ledger.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The bytes of a file, compared once more with the manifest.
    ///
    /// # Errors
    /// [`PackageError::NoSuchFile`]; the others when the envelope changed since it was opened.
    pub fn file(&mut self, name: &str) -> Result<Zeroizing<Vec<u8>>, PackageError> {
        let found = self.manifest.files.iter().position(|f| f.name == name);
        let at = found.ok_or(PackageError::NoSuchFile)?;
        let file = &self.manifest.files[at];
        let size = u64::try_from(file.bytes).unwrap_or_default();
        // One allocation, so that no copy is left behind when it grows.
        let room = usize::try_from(size).map_err(|_| PackageError::Limit("大きさ"))?;
        let mut out = Zeroizing::new(Vec::with_capacity(room));
        match &mut self.contents {
            Contents::Age(input, places) => {
                input.seek(SeekFrom::Start(places[at])).map_err(damaged)?;
                let mut part = input.take(size);
                part.read_to_end(&mut out).map_err(damaged)?;
            }
            Contents::Zip(archive, words) => {
                let entry = zip_entry(archive, at + 1, words, name)?;
                entry.take(size).read_to_end(&mut out).map_err(damaged)?;
            }
        }
        match hex::encode(Sha256::digest(&*out)) == file.sha256 {
            true => Ok(out),
            false => Err(PackageError::Hash),
        }
    }
}
