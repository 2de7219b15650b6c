//! What stands inside the `age` file of a generation.
//!
//! ```text
//! "mimamori-backup-2\n"
//! length (u32) and JSON of the manifest
//! length (u32) and the note: the manifest's SHA-256, signed by the instance
//! for each file of the manifest, in its order:
//!     place of a block (u64) and its bytes (4096, or what is left of the file), ascending
//!     u64::MAX
//! or, for a file of pieces, from its begin to its end:
//!     u64::MAX - 1, length (u32) and bytes of a new piece
//!     place in the file of the base (u64) and length (u64) of what is the same there
//!     u64::MAX
//! ```
//! `mimamori-backup-1` is the same without files of pieces. Integers are big-endian. That nothing is missing at the end is what `age` itself proves.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Component, Path};

use sha2::{Digest as _, Sha256};

pub(crate) const MAGIC: &[u8; 18] = b"mimamori-backup-2\n";
/// The first version; it is still read.
pub(crate) const FIRST: &[u8; 18] = b"mimamori-backup-1\n";
pub(crate) const END: u64 = u64::MAX;
pub(crate) const NEW: u64 = u64::MAX - 1;
/// A manifest names a few files; more than this is no manifest.
const MOST: u32 = 16 << 20;

/// What the maker wants to compare after a restore: counts of rows, head of the trace.
pub type Facts = BTreeMap<String, String>;

/// One file of a generation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// Path inside the data directory, with `/`.
    pub name: String,
    /// Size of the whole file.
    pub bytes: u64,
    /// SHA-256 over the SHA-256 of each block, hexadecimal.
    pub digest: String,
    /// Whether it is kept in pieces instead of blocks, as [`crate::Source::pieces`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pieces: bool,
}

/// What a generation says of itself.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Number of the generation, from 1.
    pub number: u64,
    /// The generation on which this one builds; none for a full one.
    pub base: Option<u64>,
    /// When it was made, microseconds since 1970 UTC.
    pub at: i64,
    /// For the comparison after a restore.
    pub facts: Facts,
    /// Every file of the state, changed or not.
    pub files: Vec<Content>,
}

impl Manifest {
    /// The text that the instance signs.
    pub(crate) fn statement(json: &[u8]) -> String {
        let hash: String = Sha256::digest(json)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        format!("mimamori/backup\n{hash}\n")
    }

    /// Whether every name stays inside the folder to which it is restored.
    pub(crate) fn names_are_plain(&self) -> bool {
        self.files.iter().all(|f| {
            let mut parts = Path::new(&f.name).components();
            !f.name.is_empty() && parts.all(|p| matches!(p, Component::Normal(_)))
        })
    }
}

pub(crate) fn write_part(out: &mut impl Write, bytes: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(std::io::Error::other)?;
    out.write_all(&length.to_be_bytes())?;
    out.write_all(bytes)
}

pub(crate) fn read_part(input: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > MOST {
        return Err(std::io::Error::other("too long"));
    }
    let mut bytes = vec![];
    input.take(u64::from(length)).read_to_end(&mut bytes)?;
    match bytes.len() as u64 == u64::from(length) {
        true => Ok(bytes),
        false => Err(std::io::ErrorKind::UnexpectedEof.into()),
    }
}

pub(crate) fn read_place(input: &mut impl Read) -> std::io::Result<u64> {
    let mut place = [0; 8];
    input.read_exact(&mut place)?;
    Ok(u64::from_be_bytes(place))
}
