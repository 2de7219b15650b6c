//! Judges the statement of one person (section 5).

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::VerifyError;
use crate::finding::{Finding, Findings, Place, Problem};
use crate::format::{Body, Hash, Leaf, MAX_LEAF};
use crate::inputs::{read_key, read_known, read_limited};
use crate::map::entry_hash;
use crate::note::{Checkpoint, Key, decode};
use crate::shape::{Map, Statement};
use crate::tree::{MAX_PROOF, leaf_hash, path_root};

/// Largest statement in bytes.
pub const MAX_STATEMENT: u64 = 256 << 20;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Entries the statement holds.
    pub entries: u64,
    /// Entries that were proven, all of them when the statement is good.
    pub proven: u64,
    /// Leaves the statement's checkpoint covers.
    pub size: u64,
    /// Last line the checkpoint covers.
    pub line: u64,
    /// Whether the key came from the statement itself.
    pub own_key: bool,
    /// Whether a known checkpoint was given.
    pub known: bool,
    /// Whether it has the statement's size, so that the roots could be compared.
    pub compared: bool,
    /// What is wrong, at most 20.
    pub findings: Vec<Finding>,
    /// Findings beyond those.
    pub more: u64,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn good(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Why judging stopped early.
enum Stop {
    Unreadable(VerifyError),
    Wrong(Place, Problem),
}

impl From<VerifyError> for Stop {
    fn from(error: VerifyError) -> Self {
        Self::Unreadable(error)
    }
}

/// Reads and judges a statement.
///
/// # Errors
/// Nothing could be judged: a file could not be read or is too large.
pub fn verify(
    file: &Path,
    known: Option<&Path>,
    key: Option<&Path>,
) -> Result<Report, VerifyError> {
    let bytes = read_limited(file, MAX_STATEMENT)?;
    let given = key.map(read_key).transpose()?;
    let mut report = Report {
        own_key: given.is_none(),
        known: known.is_some(),
        ..Report::default()
    };
    let mut findings = Findings::default();
    let known: Vec<PathBuf> = known.map(Path::to_path_buf).into_iter().collect();
    match judge(&bytes, given, &known, &mut report, &mut findings) {
        Ok(()) => {}
        Err(Stop::Wrong(place, problem)) => findings.add(place, problem),
        Err(Stop::Unreadable(error)) => return Err(error),
    }
    (report.findings, report.more) = (findings.kept, findings.more);
    Ok(report)
}

fn judge(
    bytes: &[u8],
    given: Option<Key>,
    known: &[PathBuf],
    report: &mut Report,
    findings: &mut Findings,
) -> Result<(), Stop> {
    let wrong = |problem| Stop::Wrong(Place::Statement, problem);
    let statement: Statement<'_> = serde_json::from_slice(bytes).map_err(|error| {
        wrong(Problem::Json(
            error.to_string().escape_default().to_string(),
        ))
    })?;
    report.entries = statement.entries.len() as u64;
    if statement.format != "mimamori-statement-1" {
        return Err(wrong(Problem::Field("format")));
    }
    let own = Key::parse(statement.key.as_bytes()).map_err(|why| wrong(Problem::Key(why)))?;
    if given.is_some_and(|given| given != own) {
        return Err(wrong(Problem::OtherKey));
    }
    let checkpoint = Checkpoint::open(statement.checkpoint.as_bytes(), &own)
        .map_err(|why| wrong(Problem::Note(why)))?;
    (report.size, report.line) = (checkpoint.size, checkpoint.line);
    for (known, name) in read_known(known, &own, findings)? {
        report.compared |= known.size == checkpoint.size;
        if let Some(problem) = contradiction(&known, &checkpoint) {
            findings.add(Place::Known(name), problem);
        }
    }
    let token = token(&statement.token).ok_or_else(|| wrong(Problem::Field("token")))?;
    let last = entries(&statement, &token, &checkpoint, report)?;
    map(
        &statement.map,
        &checkpoint,
        entry_hash(&token, report.entries, &last),
        report.entries,
    )
    .map_err(|problem| Stop::Wrong(Place::Map, problem))
}

/// What can be told about two checkpoints without the leaves between them.
fn contradiction(known: &Checkpoint, shown: &Checkpoint) -> Option<Problem> {
    if known.size == shown.size {
        return (known.root != shown.root).then_some(Problem::Root(known.size));
    }
    let (small, large) = if known.size < shown.size {
        (known, shown)
    } else {
        (shown, known)
    };
    (small.line > large.line).then_some(Problem::LineShrinks(small.line, large.line))
}

fn token(text: &str) -> Option<Hash> {
    let mut token = [0; 32];
    hex::decode_to_slice(text, &mut token).ok()?;
    (hex::encode(token) == text).then_some(token)
}

/// Judges every entry; returns the leaf hash of the last.
fn entries(
    statement: &Statement<'_>,
    token: &Hash,
    checkpoint: &Checkpoint,
    report: &mut Report,
) -> Result<Hash, Stop> {
    let (mut last, mut before) = ([0; 32], None);
    for (entry, expected) in statement.entries.iter().zip(1..) {
        let wrong = |problem| Stop::Wrong(Place::Entry(expected - 1), problem);
        let bytes = leaf_bytes(entry.leaf).ok_or_else(|| wrong(Problem::Field("leaf")))?;
        let leaf = Leaf::parse(&bytes).map_err(|why| wrong(Problem::Leaf(why)))?;
        let Body::Person {
            token: person,
            sequence,
            previous,
        } = leaf.body
        else {
            return Err(wrong(Problem::OtherPerson));
        };
        if person != *token {
            return Err(wrong(Problem::OtherPerson));
        }
        if sequence != expected {
            return Err(wrong(Problem::ChainJump(*token, expected - 1, sequence)));
        }
        if previous != last {
            return Err(wrong(Problem::ChainLink(*token, sequence)));
        }
        let grows = before.is_none_or(|(index, line)| entry.index > index && leaf.line >= line);
        if !grows || leaf.line > checkpoint.line {
            return Err(wrong(Problem::Order));
        }
        last = leaf_hash(&bytes);
        if !leads(
            last,
            entry.index,
            checkpoint.size,
            &entry.proof,
            &checkpoint.root,
        ) {
            return Err(wrong(Problem::Proof));
        }
        before = Some((entry.index, leaf.line));
        report.proven = expected;
    }
    if before.is_none() {
        return Err(Stop::Wrong(Place::Statement, Problem::NoEntry));
    }
    Ok(last)
}

/// Judges the map leaf and the person's entry in it.
fn map(map: &Map<'_>, checkpoint: &Checkpoint, entry: Hash, entries: u64) -> Result<(), Problem> {
    let bytes = leaf_bytes(map.leaf).ok_or(Problem::Field("leaf"))?;
    let leaf = Leaf::parse(&bytes).map_err(Problem::Leaf)?;
    let Body::Map { persons, root } = leaf.body else {
        return Err(Problem::MapNotLast);
    };
    if map.index.checked_add(1) != Some(checkpoint.size) || leaf.line != checkpoint.line {
        return Err(Problem::MapNotLast);
    }
    if !leads(
        leaf_hash(&bytes),
        map.index,
        checkpoint.size,
        &map.proof,
        &checkpoint.root,
    ) {
        return Err(Problem::Proof);
    }
    if !leads(entry, map.position, persons, &map.entry_proof, &root) {
        return Err(Problem::MapEntry(entries));
    }
    Ok(())
}

fn leaf_bytes(text: &str) -> Option<Vec<u8>> {
    if text.len() > MAX_LEAF.div_ceil(3) * 4 {
        return None;
    }
    STANDARD.decode(text).ok()
}

/// Whether the audit path is well formed and leads to the root.
fn leads(hash: Hash, index: u64, size: u64, path: &[&str], root: &Hash) -> bool {
    if path.len() > MAX_PROOF {
        return false;
    }
    let path: Option<Vec<Hash>> = path.iter().map(|node| decode(node)).collect();
    path.and_then(|path| path_root(hash, index, size, &path))
        .is_some_and(|found| found == *root)
}
