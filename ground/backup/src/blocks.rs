//! Files as blocks of 4 KiB, and what is remembered of the last generation's blocks.

use std::fs::File;
use std::io::{BufReader, Read, Seek as _, SeekFrom};
use std::path::Path;

use sha2::{Digest as _, Sha256};

/// Bytes of a block; the size of a database page.
pub(crate) const BLOCK: u64 = 4096;

pub(crate) type Hash = [u8; 32];

/// SHA-256 of the hashes, in their order.
pub(crate) fn digest(hashes: &[Hash]) -> Hash {
    let mut all = Sha256::new();
    for hash in hashes {
        all.update(hash);
    }
    all.finalize().into()
}

/// Reads blocks until `bytes` are read; the last one may be short.
pub(crate) fn each_block(
    input: impl Read,
    bytes: u64,
    mut with: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut input = BufReader::with_capacity(1 << 20, input);
    let mut block = [0; BLOCK as usize];
    let mut left = bytes;
    while left > 0 {
        let size = left.min(BLOCK) as usize;
        input.read_exact(&mut block[..size])?;
        with(&block[..size])?;
        left -= size as u64;
    }
    Ok(())
}

/// Hash of each block of the first `bytes` of a file.
pub(crate) fn hashes(path: &Path, bytes: u64) -> std::io::Result<Vec<Hash>> {
    let mut out = Vec::new();
    each_block(File::open(path)?, bytes, |block| {
        out.push(Sha256::digest(block).into());
        Ok(())
    })?;
    Ok(out)
}

/// One block of a file.
pub(crate) fn read_block<'b>(
    file: &mut File,
    at: u64,
    bytes: u64,
    block: &'b mut [u8; BLOCK as usize],
) -> std::io::Result<&'b [u8]> {
    let size = (bytes - at * BLOCK).min(BLOCK) as usize;
    file.seek(SeekFrom::Start(at * BLOCK))?;
    file.read_exact(&mut block[..size])?;
    Ok(&block[..size])
}

/// What a file of a generation was made of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Blocks {
    pub(crate) hashes: Vec<Hash>,
    /// Of each piece; none for a file of blocks.
    pub(crate) lengths: Vec<u32>,
}

/// The blocks of the last generation, kept beside the data so that the next one finds what changed.
/// Losing it costs a full generation, nothing else.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) number: u64,
    pub(crate) files: Vec<(String, Blocks)>,
}

/// First bytes of the file; another version's is taken for none.
const KNOWN: &[u8; 8] = b"blocks 2";
static NOTHING: Blocks = Blocks {
    hashes: vec![],
    lengths: vec![],
};

impl Known {
    /// None when the file is missing or is not one of ours.
    pub(crate) fn load(path: &Path) -> Option<Self> {
        let bytes = std::fs::read(path).ok()?;
        let (body, sum) = bytes.split_at_checked(bytes.len().checked_sub(32)?)?;
        if Sha256::digest(body).as_slice() != sum {
            return None;
        }
        let mut rest = body.strip_prefix(KNOWN)?;
        let mut known = Self {
            number: number(&mut rest)?,
            files: vec![],
        };
        while !rest.is_empty() {
            let length = usize::try_from(number(&mut rest)?).ok()?;
            let name = String::from_utf8(take(&mut rest, length)?.to_vec()).ok()?;
            let count = usize::try_from(number(&mut rest)?).ok()?;
            let hashes = take(&mut rest, count.checked_mul(32)?)?;
            let hashes = hashes.as_chunks::<32>().0.to_vec();
            let count = usize::try_from(number(&mut rest)?).ok()?;
            let lengths = take(&mut rest, count.checked_mul(4)?)?.as_chunks::<4>().0;
            let lengths = lengths.iter().map(|l| u32::from_be_bytes(*l)).collect();
            known.files.push((name, Blocks { hashes, lengths }));
        }
        Some(known)
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = KNOWN.to_vec();
        out.extend(self.number.to_be_bytes());
        for (name, blocks) in &self.files {
            out.extend((name.len() as u64).to_be_bytes());
            out.extend(name.as_bytes());
            out.extend((blocks.hashes.len() as u64).to_be_bytes());
            out.extend(blocks.hashes.as_flattened());
            out.extend((blocks.lengths.len() as u64).to_be_bytes());
            out.extend(blocks.lengths.iter().flat_map(|l| l.to_be_bytes()));
        }
        let sum = Sha256::digest(&out);
        out.extend(sum);
        out
    }

    pub(crate) fn of(&self, name: &str) -> &Blocks {
        let found = self.files.iter().find(|(n, _)| n == name);
        found.map_or(&NOTHING, |(_, blocks)| blocks)
    }
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(take(rest, 8)?.try_into().ok()?))
}
