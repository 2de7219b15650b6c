//! A tiny writer, made from `docs/trace-format.md` alone and sharing nothing with the parser.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::definition::{Hash, Peaks, leaf_hash, root, sha};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey};

pub const ORIGIN: &str = "example.jp/trace";

/// What one line says; persons are small numbers.
#[derive(Clone)]
pub struct Line {
    pub time: i64,
    pub action: String,
    pub persons: Vec<u32>,
    pub map: bool,
    /// A checkpoint follows this line.
    pub checkpoint: bool,
}

/// One lie the writer tells while it rebuilds everything else and signs again.
#[derive(Clone, Copy, PartialEq)]
pub enum Lie {
    None,
    /// The map leaf of this line leaves out its first person.
    OmitFromMap(usize),
    /// The first person's chain skips a number at this line.
    ChainGap(usize),
    /// The first person's leaf at this line points elsewhere.
    ChainLink(usize),
    /// The line number skips one at this line.
    LineGap(usize),
    /// The last leaf of this line is left out.
    ShortList(usize),
    /// The map counts one person too many.
    MapCount(usize),
}

pub fn token(person: u32) -> Hash {
    sha(&[b"token", &person.to_be_bytes()])
}

pub type Chains = BTreeMap<Hash, (u64, Hash)>;

pub fn entries(chains: &Chains) -> Vec<Hash> {
    chains
        .iter()
        .map(|(token, (n, last))| leaf_hash(&[&token[..], &n.to_be_bytes(), last].concat()))
        .collect()
}

#[derive(Clone, Default)]
pub struct Trace {
    pub leaves: Vec<Vec<u8>>,
    pub notes: Vec<Vec<u8>>,
    /// Checkpoint sizes, one for each note.
    pub sizes: Vec<usize>,
    pub chains: Chains,
}

pub fn signer() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn key_id() -> [u8; 4] {
    let hash = sha(&[
        ORIGIN.as_bytes(),
        b"\n\x01",
        signer().verifying_key().as_bytes(),
    ]);
    [hash[0], hash[1], hash[2], hash[3]]
}

pub fn key_file() -> String {
    let public = [&[1][..], signer().verifying_key().as_bytes()].concat();
    format!(
        "{ORIGIN}+{}+{}",
        hex::encode(key_id()),
        STANDARD.encode(public)
    )
}

pub fn sign(size: usize, root: &Hash, line: u64, time: i64) -> Vec<u8> {
    let text = format!(
        "{ORIGIN}\n{size}\n{}\nline {line}\ntime {time}\n",
        STANDARD.encode(root)
    );
    note(&text).into_bytes()
}

/// A note over `text`, which ends with a newline.
pub fn note(text: &str) -> String {
    let signature = signer().sign(text.as_bytes()).to_bytes();
    let blob = STANDARD.encode([&key_id()[..], &signature].concat());
    format!("{text}\n— {ORIGIN} {blob}\n")
}

fn text(out: &mut Vec<u8>, s: &str) {
    out.extend((s.len() as u16).to_be_bytes());
    out.extend(s.as_bytes());
}

/// The fields that every kind has.
fn head(kind: u8, number: u64, index: u32, count: u32, line: &Line) -> Vec<u8> {
    let mut out = vec![1, kind];
    out.extend(number.to_be_bytes());
    out.extend(index.to_be_bytes());
    out.extend(count.to_be_bytes());
    out.extend(line.time.to_be_bytes());
    out.push(u8::from(kind != 1));
    out.extend([9; 16]);
    out.extend([8; 16]);
    out.extend(3u32.to_be_bytes());
    text(&mut out, "clerk");
    text(&mut out, &line.action);
    text(&mut out, "care");
    text(&mut out, "default,night");
    out.extend([0; 32]);
    out
}

/// Builds leaves, chains, maps and signed checkpoints for the lines.
pub fn build(lines: &[Line], lie: Lie) -> Trace {
    let mut trace = Trace::default();
    let mut tree = Peaks::default();
    let mut number = 0;
    for (at, line) in lines.iter().enumerate() {
        number += if lie == Lie::LineGap(at) { 2 } else { 1 };
        let first = trace.leaves.len();
        if line.map {
            let mut shown = trace.chains.clone();
            if lie == Lie::OmitFromMap(at) {
                shown.pop_first();
            }
            let persons = shown.len() as u64 + u64::from(lie == Lie::MapCount(at));
            let mut leaf = head(3, number, 0, 1, line);
            leaf.extend(persons.to_be_bytes());
            leaf.extend(root(&entries(&shown)));
            trace.leaves.push(leaf);
        } else if line.persons.is_empty() {
            trace.leaves.push(head(1, number, 0, 1, line));
        }
        for (index, person) in line.persons.iter().enumerate() {
            let mut leaf = head(2, number, index as u32, line.persons.len() as u32, line);
            let (mut sequence, mut previous) = trace
                .chains
                .get(&token(*person))
                .copied()
                .unwrap_or_default();
            sequence += if index == 0 && lie == Lie::ChainGap(at) {
                2
            } else {
                1
            };
            previous[31] ^= u8::from(index == 0 && lie == Lie::ChainLink(at));
            leaf.extend(token(*person));
            leaf.extend(sequence.to_be_bytes());
            leaf.extend(previous);
            trace
                .chains
                .insert(token(*person), (sequence, leaf_hash(&leaf)));
            trace.leaves.push(leaf);
        }
        if lie == Lie::ShortList(at) {
            trace.leaves.pop();
        }
        trace.leaves[first..]
            .iter()
            .for_each(|leaf| tree.push(leaf_hash(leaf)));
        if line.checkpoint {
            trace.sizes.push(trace.leaves.len());
            trace.notes.push(sign(
                trace.leaves.len(),
                &tree.root(),
                number,
                line.time + 1,
            ));
        }
    }
    trace
}

pub fn records<'a>(parts: impl IntoIterator<Item = &'a Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        out.extend((part.len() as u32).to_be_bytes());
        out.extend(part);
    }
    out
}

impl Trace {
    pub fn write(&self, folder: &Path, per_segment: usize) {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder.join("leaves")).unwrap();
        for (n, segment) in self.leaves.chunks(per_segment).enumerate() {
            fs::write(folder.join(format!("leaves/{n:04}.seg")), records(segment)).unwrap();
        }
        fs::write(folder.join("checkpoints.log"), records(&self.notes)).unwrap();
        fs::write(folder.join("checkpoint"), self.notes.last().unwrap()).unwrap();
        fs::write(folder.join("key.pub"), key_file()).unwrap();
    }

    /// With a checkpoint at the end, whether or not the last line asked for one.
    pub fn signed(mut self) -> Self {
        let hashes: Vec<Hash> = self.leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        self.sizes.push(hashes.len());
        self.notes.push(sign(hashes.len(), &root(&hashes), 1, 1));
        self
    }
}
