//! Hashes and trees by their definition, and repeatable random numbers.

use sha2::{Digest, Sha256};

pub type Hash = [u8; 32];

/// Repeatable pseudo-random numbers (splitmix64).
#[derive(Clone)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

pub fn sha(parts: &[&[u8]]) -> Hash {
    parts
        .iter()
        .fold(Sha256::new(), |hash, part| hash.chain_update(part))
        .finalize()
        .into()
}

pub fn leaf_hash(leaf: &[u8]) -> Hash {
    sha(&[&[0], leaf])
}

fn split(n: usize) -> usize {
    n.next_power_of_two() / 2
}

/// RFC 6962 root by its definition.
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha(&[]),
        [one] => *one,
        more => {
            let (left, right) = more.split_at(split(more.len()));
            sha(&[&[1], &root(left), &root(right)])
        }
    }
}

/// RFC 6962 audit path by its definition, from the leaf up.
pub fn path(at: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut below, other) = if at < k {
        (path(at, left), root(right))
    } else {
        (path(at - k, right), root(left))
    };
    below.push(other);
    below
}

/// Roots of ever larger complete subtrees, so that a million leaves can be signed often.
#[derive(Default)]
pub struct Peaks(Vec<(u32, Hash)>);

impl Peaks {
    pub fn push(&mut self, hash: Hash) {
        let (mut height, mut hash) = (0, hash);
        while let Some((_, left)) = self.0.pop_if(|(h, _)| *h == height) {
            (height, hash) = (height + 1, sha(&[&[1], &left, &hash]));
        }
        self.0.push((height, hash));
    }

    pub fn root(&self) -> Hash {
        let all = self.0.iter().rev().map(|(_, hash)| *hash);
        all.reduce(|right, left| sha(&[&[1], &left, &right]))
            .unwrap_or_else(|| sha(&[]))
    }
}
