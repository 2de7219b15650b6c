//! Files of lines as pieces: whole lines, cut where the lines themselves say so, so that an inserted line changes its own
//! piece and shifts no other.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Read, Seek as _, SeekFrom, Write};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::blocks::{Blocks, Hash};
use crate::format::{END, NEW, read_part, read_place, write_part};

/// A piece is not cut before this many bytes.
const LEAST: usize = 1024;
/// After this many it is cut at the next end of a line.
const MOST: usize = 64 << 10;
/// One line of this many ends a piece.
const ONE_IN: u64 = 16;

/// FNV-1a, 64 bits: only says where to cut, equality is SHA-256's.
fn mark(line: &[u8]) -> u64 {
    let step = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let sum = line.iter().fold(0xcbf2_9ce4_8422_2325, step);
    sum ^ (sum >> 32)
}

/// Hash and length of each piece of the first `bytes` of a file.
pub(crate) fn cut(path: &Path, bytes: u64) -> std::io::Result<Blocks> {
    let mut input = BufReader::with_capacity(1 << 20, File::open(path)?.take(bytes));
    let mut out = Blocks::default();
    let (mut piece, mut begin) = (Vec::with_capacity(2 * MOST), 0);
    loop {
        let read = input.read_until(b'\n', &mut piece)?;
        let full = piece.len() >= MOST
            || piece.len() >= LEAST && mark(&piece[begin..]).is_multiple_of(ONE_IN);
        if full || read == 0 && !piece.is_empty() {
            out.hashes.push(Sha256::digest(&piece).into());
            out.lengths
                .push(u32::try_from(piece.len()).map_err(std::io::Error::other)?);
            piece.clear();
        }
        if read == 0 {
            return Ok(out);
        }
        begin = piece.len();
    }
}

/// What a run of pieces is written as.
enum Run {
    /// The same as in the file of the base: place and length.
    Same(u64, u64),
    /// Bytes of the new file: length.
    New(u32),
}

/// Pieces as runs, in the order of the new file; neighbours in both files are one run.
fn runs(before: &Blocks, found: &Blocks) -> Vec<Run> {
    let mut places: HashMap<&Hash, (u64, u32)> = HashMap::new();
    let mut at = 0;
    for (hash, length) in before.hashes.iter().zip(&before.lengths) {
        places.entry(hash).or_insert((at, *length));
        at += u64::from(*length);
    }
    let mut out: Vec<Run> = Vec::new();
    for (hash, length) in found.hashes.iter().zip(&found.lengths) {
        match (
            places.get(hash).filter(|(_, l)| l == length),
            out.last_mut(),
        ) {
            (Some((place, _)), Some(Run::Same(from, run))) if *from + *run == *place => {
                *run += u64::from(*length);
            }
            (Some((place, _)), _) => out.push(Run::Same(*place, u64::from(*length))),
            (None, _) => out.push(Run::New(*length)),
        }
    }
    out
}

/// Writes a file of pieces as what changed since `before`, without the mark of its end.
pub(crate) fn write(
    out: &mut impl Write,
    path: &Path,
    before: &Blocks,
    found: &Blocks,
) -> std::io::Result<()> {
    let mut input = BufReader::with_capacity(1 << 20, File::open(path)?);
    let mut piece = Vec::new();
    for run in runs(before, found) {
        match run {
            Run::Same(place, length) => {
                out.write_all(&place.to_be_bytes())?;
                out.write_all(&length.to_be_bytes())?;
                input.seek_relative(i64::try_from(length).map_err(std::io::Error::other)?)?;
            }
            Run::New(length) => {
                piece.resize(length as usize, 0);
                input.read_exact(&mut piece)?;
                out.write_all(&NEW.to_be_bytes())?;
                write_part(out, &piece)?;
            }
        }
    }
    Ok(())
}

/// Makes the file `path` anew from its state in the base and what changed; `beside` is a name for the time between.
pub(crate) fn read(
    input: &mut impl Read,
    bytes: u64,
    path: &Path,
    beside: &Path,
) -> std::io::Result<()> {
    let invalid = || std::io::Error::from(std::io::ErrorKind::InvalidData);
    let mut before = File::open(path).ok();
    let mut out = BufWriter::with_capacity(1 << 20, File::create(beside)?);
    let mut written = 0;
    loop {
        written += match read_place(input)? {
            END => break,
            NEW => {
                let piece = read_part(input)?;
                out.write_all(&piece)?;
                piece.len() as u64
            }
            place => {
                let length = read_place(input)?;
                let before = before.as_mut().ok_or_else(invalid)?;
                before.seek(SeekFrom::Start(place))?;
                let copied = std::io::copy(&mut before.take(length), &mut out)?;
                if copied != length {
                    return Err(invalid());
                }
                length
            }
        };
        if written > bytes {
            return Err(invalid());
        }
    }
    out.flush()?;
    match written == bytes {
        true => std::fs::rename(beside, path),
        false => Err(invalid()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: u32) -> Vec<String> {
        let line = |n: u32| format!("{n}\t{}\n", "x".repeat((n as usize * 7) % 300));
        (0..count).map(line).collect()
    }

    fn pieces(dir: &Path, lines: &[String]) -> Blocks {
        let path = dir.join("lines");
        let text = lines.concat();
        std::fs::write(&path, &text).unwrap();
        let found = cut(&path, text.len() as u64).unwrap();
        let sum: u64 = found.lengths.iter().map(|l| u64::from(*l)).sum();
        assert_eq!(sum, text.len() as u64);
        found
    }

    #[test]
    fn an_inserted_or_removed_line_shifts_no_other_piece() {
        let dir = tempfile::tempdir().unwrap();
        let mut all = lines(5_000);
        let before = pieces(dir.path(), &all);
        assert!(before.hashes.len() > 100, "{} pieces", before.hashes.len());
        assert!(before.lengths.iter().all(|l| *l as usize <= MOST + 400));
        all.insert(17, "new\n".into());
        all.remove(2_500);
        all[4_000] = "changed\n".into();
        let after = pieces(dir.path(), &all);
        let new = |run: &Run| matches!(run, Run::New(_));
        let changed = runs(&before, &after).iter().filter(|r| new(r)).count();
        assert!((3..=9).contains(&changed), "{changed} pieces changed");
        let same = runs(&after, &after);
        assert!(matches!(same[..], [Run::Same(0, _)]), "{} runs", same.len());
    }

    #[test]
    fn a_line_without_end_and_an_empty_file_are_whole() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(pieces(dir.path(), &[]), Blocks::default());
        let long = pieces(dir.path(), &["y".repeat(3 * MOST)]);
        assert_eq!(long.lengths, [3 * MOST as u32]);
    }
}
