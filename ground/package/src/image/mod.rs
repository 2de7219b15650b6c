//! Images of a CD-R: ISO 9660 level 1 with Joliet names, one folder (ECMA-119; Joliet Specification 1995).

mod read;
mod write;

pub use read::{Image, compare_image};
pub use write::write_image;

/// Length of a sector, bytes.
pub(crate) const SECTOR: u64 = 2048;
/// Sectors of a CD-R of 80 minutes.
pub(crate) const DISC: u64 = 360_000;
/// Most files of an image.
pub(crate) const FILES: usize = 200;

/// A file of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFile {
    /// Its name as Joliet has it.
    pub name: String,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256, 64 hexadecimal digits; empty in a listing.
    pub sha256: String,
}
