//! Reading back: the Joliet folder when there is one, else the level 1 folder; one folder, no links, limits.

use std::io::{self, Read, Seek, SeekFrom};

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{DISC, FILES, ImageFile, SECTOR};
use crate::error::PackageError;

/// Longest folder, bytes.
const FOLDER: u64 = 64 * SECTOR;

/// An image or a disc that was opened.
pub struct Image<R> {
    input: R,
    label: String,
    files: Vec<(ImageFile, u64)>,
}

fn both32(bytes: &[u8]) -> Result<u64, PackageError> {
    let little = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let big = u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
    match little == big {
        true => Ok(u64::from(little)),
        false => Err(PackageError::Image),
    }
}

fn image(error: io::Error) -> PackageError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => PackageError::Image,
        _ => PackageError::File(error),
    }
}

fn words(bytes: &[u8], joliet: bool) -> String {
    match joliet {
        true => {
            let units = bytes.chunks_exact(2);
            let units = units.map(|p| u16::from_be_bytes([p[0], p[1]]));
            char::decode_utf16(units)
                .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect()
        }
        false => String::from_utf8_lossy(bytes).into_owned(),
    }
}

impl<R: Read + Seek> Image<R> {
    /// Reads descriptors and folder.
    ///
    /// # Errors
    /// [`PackageError::Image`] for what is none, for sub-folders and for places outside the disc.
    pub fn open(mut input: R) -> Result<Self, PackageError> {
        let mut found: Option<(bool, Vec<u8>)> = None;
        // Descriptors beyond the sixteenth are nobody's.
        for sector in 16..32 {
            let mut bytes = vec![0u8; SECTOR as usize];
            input.seek(SeekFrom::Start(sector * SECTOR))?;
            input.read_exact(&mut bytes).map_err(image)?;
            if bytes[1..6] != *b"CD001" {
                return Err(PackageError::Image);
            }
            match bytes[0] {
                255 => break,
                1 if found.is_none() => found = Some((false, bytes)),
                2 if matches!(&bytes[88..91], b"%/@" | b"%/C" | b"%/E") => {
                    found = Some((true, bytes));
                }
                _ => {}
            }
        }
        let (joliet, descriptor) = found.ok_or(PackageError::Image)?;
        let label = words(&descriptor[40..72], joliet).trim_end().to_owned();
        let place = both32(&descriptor[158..166])?;
        let size = both32(&descriptor[166..174])?;
        if size > FOLDER || place > DISC {
            return Err(PackageError::Image);
        }
        let mut folder = vec![0u8; usize::try_from(size).unwrap_or_default()];
        input.seek(SeekFrom::Start(place * SECTOR))?;
        input.read_exact(&mut folder).map_err(image)?;
        let files = entries(&folder, joliet)?;
        Ok(Self {
            input,
            label,
            files,
        })
    }

    /// The name of the disc.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The files.
    pub fn files(&self) -> impl Iterator<Item = &ImageFile> {
        self.files.iter().map(|(file, _)| file)
    }

    /// The bytes of a file; the caller has looked at its length.
    ///
    /// # Errors
    /// [`PackageError::NoSuchFile`], [`PackageError::Image`].
    pub fn read(&mut self, name: &str) -> Result<Zeroizing<Vec<u8>>, PackageError> {
        let mut part = self.part(name)?;
        let mut out = Zeroizing::new(Vec::new());
        part.read_to_end(&mut out).map_err(image)?;
        match part.limit() == 0 {
            true => Ok(out),
            false => Err(PackageError::Image),
        }
    }

    fn part(&mut self, name: &str) -> Result<io::Take<&mut R>, PackageError> {
        let found = self.files.iter().find(|(f, _)| f.name == name);
        let (file, place) = found.ok_or(PackageError::NoSuchFile)?;
        self.input.seek(SeekFrom::Start(place * SECTOR))?;
        Ok(Read::by_ref(&mut self.input).take(file.bytes))
    }
}

/// The files of a folder.
fn entries(folder: &[u8], joliet: bool) -> Result<Vec<(ImageFile, u64)>, PackageError> {
    let mut files = Vec::new();
    let mut at = 0;
    while at < folder.len() {
        let length = usize::from(folder[at]);
        if length == 0 {
            // The rest of a sector is empty.
            at = (at / SECTOR as usize + 1) * SECTOR as usize;
            continue;
        }
        let record = folder.get(at..at + length).ok_or(PackageError::Image)?;
        if length < 34 || 33 + usize::from(record[32]) > length {
            return Err(PackageError::Image);
        }
        let name = &record[33..33 + usize::from(record[32])];
        at += length;
        if name == [0] || name == [1] {
            continue;
        }
        let place = both32(&record[2..10])?;
        let bytes = both32(&record[10..18])?;
        // A folder, a part of a file, or data outside the disc.
        if record[25] & 0b1000_0010 != 0 || place + bytes.div_ceil(SECTOR) > DISC {
            return Err(PackageError::Image);
        }
        let name = words(name, joliet);
        let name = name.split_once(';').map_or(&*name, |(n, _)| n).to_owned();
        if files.len() >= FILES {
            return Err(PackageError::Limit("ファイルの数"));
        }
        let sha256 = String::new();
        files.push((
            ImageFile {
                name,
                bytes,
                sha256,
            },
            place,
        ));
    }
    Ok(files)
}

/// Reads everything back and compares names, lengths and SHA-256 with what should be there.
///
/// # Errors
/// [`PackageError::ReadBack`] when anything differs; [`PackageError::Image`], [`PackageError::File`].
pub fn compare_image<R: Read + Seek>(input: R, wanted: &[ImageFile]) -> Result<(), PackageError> {
    let mut image = Image::open(input)?;
    if image.files.len() != wanted.len() {
        return Err(PackageError::ReadBack);
    }
    for file in wanted {
        let mut part = match image.part(&file.name) {
            Err(PackageError::NoSuchFile) => return Err(PackageError::ReadBack),
            part => part?,
        };
        let mut hash = Sha256::new();
        let mut room = vec![0u8; 64 * 1024];
        let mut bytes = 0u64;
        loop {
            let got = part.read(&mut room)?;
            if got == 0 {
                break;
            }
            bytes += got as u64;
            hash.update(&room[..got]);
        }
        if bytes != file.bytes || hex::encode(hash.finalize()) != file.sha256 {
            return Err(PackageError::ReadBack);
        }
    }
    Ok(())
}
