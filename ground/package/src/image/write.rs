//! Writing: descriptors, path tables, two folders over the same file data.

use std::io::{self, Read, Write};

use mimamori_kernel::clock::Instant;

use super::{DISC, FILES, ImageFile, SECTOR};
use crate::error::PackageError;
use crate::manifest::is_file_name;
use crate::seal::Source;

/// Sectors before the folders: system area, three descriptors, four path tables.
const FOLDERS: u64 = 23;

fn both32(value: u64) -> [u8; 8] {
    let value = u32::try_from(value).unwrap_or(u32::MAX);
    let mut out = [0; 8];
    out[..4].copy_from_slice(&value.to_le_bytes());
    out[4..].copy_from_slice(&value.to_be_bytes());
    out
}

fn sectors(bytes: u64) -> u64 {
    bytes.div_ceil(SECTOR)
}

/// Time of a folder's record: years since 1900, month, day, hour, minute, second, quarters of an hour from UTC.
fn short_time(at: Instant) -> [u8; 7] {
    let time = at.office();
    let byte = |n: i8| u8::try_from(n).unwrap_or_default();
    let year = u8::try_from(time.year() - 1900).unwrap_or_default();
    [
        year,
        byte(time.month()),
        byte(time.day()),
        byte(time.hour()),
        byte(time.minute()),
        byte(time.second()),
        36,
    ]
}

/// Time of a descriptor: 16 digits and the quarters of an hour.
fn long_time(at: Instant) -> [u8; 17] {
    let text = at.office().strftime("%Y%m%d%H%M%S00").to_string();
    let mut out = [b'0'; 17];
    for (to, from) in out.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    out[16] = 36;
    out
}

fn ucs2(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// A level 1 name: eight and three letters; the place in the list makes it unique.
fn level_1(name: &str, at: usize) -> Vec<u8> {
    let upper = name.to_ascii_uppercase().replace('-', "_");
    let (base, end) = upper.rsplit_once('.').unwrap_or((&upper, ""));
    let plain = |text: &str, most| !text.contains('.') && text.len() <= most;
    let text = match plain(base, 8) && plain(end, 3) && !name.contains('-') {
        true => format!("{base}.{end};1"),
        false => {
            let end: String = end.chars().filter(|c| *c != '_').take(3).collect();
            format!("FILE{at:04}.{end};1")
        }
    };
    text.into_bytes()
}

/// A record of a folder.
fn record(name: &[u8], place: u64, bytes: u64, folder: bool, time: [u8; 7]) -> Vec<u8> {
    let length = 33 + name.len() + (1 - name.len() % 2);
    let mut out = vec![0u8; length];
    out[0] = u8::try_from(length).unwrap_or_default();
    out[2..10].copy_from_slice(&both32(place));
    out[10..18].copy_from_slice(&both32(bytes));
    out[18..25].copy_from_slice(&time);
    out[25] = if folder { 2 } else { 0 };
    out[28..32].copy_from_slice(&[1, 0, 0, 1]);
    out[32] = u8::try_from(name.len()).unwrap_or_default();
    out[33..33 + name.len()].copy_from_slice(name);
    out
}

/// A folder; a record never crosses the end of a sector.
fn folder(entries: &[(Vec<u8>, u64, u64)], place: u64, size: u64, time: [u8; 7]) -> Vec<u8> {
    let mut out = record(&[0], place, size, true, time);
    out.extend(record(&[1], place, size, true, time));
    for (name, at, bytes) in entries {
        let next = record(name, *at, *bytes, false, time);
        let left = SECTOR as usize - out.len() % SECTOR as usize;
        if left < next.len() {
            out.resize(out.len() + left, 0);
        }
        out.extend(next);
    }
    let full = sectors(out.len() as u64) * SECTOR;
    out.resize(full as usize, 0);
    out
}

/// How many sectors the folder of these names takes.
fn folder_sectors(names: &[Vec<u8>]) -> u64 {
    let entries: Vec<_> = names.iter().map(|n| (n.clone(), 0, 0)).collect();
    sectors(folder(&entries, 0, 0, [0; 7]).len() as u64)
}

struct Volume<'a> {
    label: &'a str,
    joliet: bool,
    total: u64,
    tables: (u64, u64),
    root: (u64, u64),
    at: Instant,
}

fn descriptor(volume: &Volume<'_>) -> Vec<u8> {
    let mut out = vec![0u8; SECTOR as usize];
    out[0] = if volume.joliet { 2 } else { 1 };
    out[1..6].copy_from_slice(b"CD001");
    out[6] = 1;
    let mut text = |from: usize, to: usize, words: &str| {
        let bytes = match volume.joliet {
            true => ucs2(words),
            false => words.as_bytes().to_vec(),
        };
        let fill: &[u8] = if volume.joliet { &[0, b' '] } else { b" " };
        for (at, place) in out[from..to].iter_mut().enumerate() {
            *place = *bytes.get(at).unwrap_or(&fill[at % fill.len()]);
        }
    };
    text(8, 40, "");
    text(40, 72, volume.label);
    for (from, to) in [(190, 318), (318, 446), (446, 574)] {
        text(from, to, "");
    }
    text(574, 702, "MIMAMORI");
    for (from, to) in [(702, 739), (739, 776), (776, 813)] {
        text(from, to, "");
    }
    out[80..88].copy_from_slice(&both32(volume.total));
    if volume.joliet {
        out[88..91].copy_from_slice(b"%/E");
    }
    out[120..124].copy_from_slice(&[1, 0, 0, 1]);
    out[124..128].copy_from_slice(&[1, 0, 0, 1]);
    out[128..132].copy_from_slice(&[0x00, 0x08, 0x08, 0x00]);
    out[132..140].copy_from_slice(&both32(10));
    out[140..144].copy_from_slice(&both32(volume.tables.0)[..4]);
    out[148..152].copy_from_slice(&both32(volume.tables.1)[4..]);
    let (place, size) = volume.root;
    let root = record(&[0], place, size, true, short_time(volume.at));
    out[156..190].copy_from_slice(&root);
    out[813..830].copy_from_slice(&long_time(volume.at));
    out[830..847].copy_from_slice(&long_time(volume.at));
    for from in [847, 864] {
        out[from..from + 16].copy_from_slice(&[b'0'; 16]);
    }
    out[881] = 1;
    out
}

/// A path table with the one folder.
fn path_table(place: u64, big_end: bool) -> Vec<u8> {
    let mut out = vec![0u8; SECTOR as usize];
    out[0] = 1;
    let place = both32(place);
    let (place, parent) = match big_end {
        true => (&place[4..], [0, 1]),
        false => (&place[..4], [1, 0]),
    };
    out[2..6].copy_from_slice(place);
    out[6..8].copy_from_slice(&parent);
    out
}

/// Writes an image with these files. `label` has at most 16 of `A-Z 0-9 _`; the names are those of a package's files.
///
/// # Errors
/// [`PackageError::Field`] for a label or name that cannot be, [`PackageError::Limit`] when a CD-R of 80 minutes does not
/// hold it, [`PackageError::Hash`] when a file is longer or shorter than said.
pub fn write_image(
    label: &str,
    at: Instant,
    files: Vec<(ImageFile, Source<'_>)>,
    out: &mut impl Write,
) -> Result<(), PackageError> {
    let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    if label.is_empty() || label.len() > 16 || !label.bytes().all(plain) {
        return Err(PackageError::Field("媒体の名前"));
    }
    if files.is_empty() || files.len() > FILES {
        return Err(PackageError::Limit("ファイルの数"));
    }
    for (at, (file, _)) in files.iter().enumerate() {
        let again = files[..at].iter().any(|(f, _)| f.name == file.name);
        if !is_file_name(&file.name) || again {
            return Err(PackageError::Field("ファイル名"));
        }
    }
    let short: Vec<Vec<u8>> = files
        .iter()
        .enumerate()
        .map(|(at, (f, _))| level_1(&f.name, at))
        .collect();
    let long: Vec<Vec<u8>> = files.iter().map(|(f, _)| ucs2(&f.name)).collect();
    let first = (FOLDERS, folder_sectors(&short));
    let second = (first.0 + first.1, folder_sectors(&long));
    let mut next = second.0 + second.1;
    let mut places = Vec::new();
    for (file, _) in &files {
        places.push(next);
        next = next.saturating_add(sectors(file.bytes).max(1));
    }
    if next > DISC {
        return Err(PackageError::Limit("媒体の容量"));
    }
    out.write_all(&vec![0u8; 16 * SECTOR as usize])?;
    for (joliet, root, tables) in [(false, first, (19, 20)), (true, second, (21, 22))] {
        out.write_all(&descriptor(&Volume {
            label,
            joliet,
            total: next,
            tables,
            root: (root.0, root.1 * SECTOR),
            at,
        }))?;
    }
    let mut end = vec![0u8; SECTOR as usize];
    end[..7].copy_from_slice(b"\xffCD001\x01");
    out.write_all(&end)?;
    for root in [first.0, second.0] {
        out.write_all(&path_table(root, false))?;
        out.write_all(&path_table(root, true))?;
    }
    for (names, root) in [(&short, first), (&long, second)] {
        let entries = names.iter().zip(&files).zip(&places);
        let mut entries: Vec<_> = entries
            .map(|((name, (file, _)), place)| (name.clone(), *place, file.bytes))
            .collect();
        entries.sort();
        let bytes = folder(&entries, root.0, root.1 * SECTOR, short_time(at));
        out.write_all(&bytes)?;
    }
    for (file, mut source) in files {
        let mut input = Read::take(&mut source.input, file.bytes.saturating_add(1));
        if io::copy(&mut input, out)? != file.bytes {
            return Err(PackageError::Hash);
        }
        let full = sectors(file.bytes).max(1) * SECTOR;
        io::copy(&mut io::repeat(0).take(full - file.bytes), out)?;
    }
    out.flush()?;
    Ok(())
}
