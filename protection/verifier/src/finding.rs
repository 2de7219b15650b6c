//! What was found wrong, where, in both languages.

use crate::format::{FormatError, Hash};
use crate::note::NoteError;

/// Where something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A leaf by its index in the tree and, once it parses, its line.
    Leaf(u64, Option<u64>),
    /// A file of the trace.
    File(String),
    /// A record of `checkpoints.log`, from 0.
    Log(u64),
    /// A file given as `--known`.
    Known(String),
    /// The statement as a whole.
    Statement,
    /// An entry of the statement, from 0.
    Entry(u64),
    /// The map part of the statement.
    Map,
}

/// What is wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Bytes are not a leaf.
    Leaf(FormatError),
    /// Line numbers have a gap or go back.
    LineJump(u64, u64),
    /// Places in a line's list have a gap or go back: found, expected.
    ListJump(u32, u32),
    /// Leaves of one line state different counts.
    CountChanged(u32, u32),
    /// The next line begins before all leaves of this line stand: line, leaves, count.
    LineUnfinished(u64, u32, u32),
    /// A person's chain has a gap or goes back.
    ChainJump(Hash, u64, u64),
    /// A person's leaf does not carry the hash of the one before.
    ChainLink(Hash, u64),
    /// The map leaf counts other persons than the chains: stated, expected.
    MapPersons(u64, u64),
    /// The map leaf's root is not the root over the chains.
    MapRoot,
    /// A record states a length that is 0 or above the limit.
    RecordLength(u64, u32),
    /// A record ends early.
    RecordCut(u64),
    /// A file is missing, or larger than the format allows.
    Missing,
    /// A segment goes on after its full number of leaves.
    SegmentLong(u64),
    /// A segment stands after the end of the leaves.
    SegmentExtra,
    /// Fewer leaves stand than the newest checkpoint covers: leaves, size.
    TooFew(u64, u64),
    /// Not a checkpoint signed by the key.
    Note(NoteError),
    /// Not a verifier key.
    Key(NoteError),
    /// The key is not the one given with `--key`.
    OtherKey,
    /// The root is not that of so many leaves.
    Root(u64),
    /// The line is not that of the last leaf: stated, expected.
    CheckpointLine(u64, u64),
    /// The checkpoint ends inside a line's list: line, leaves, count.
    CutsLine(u64, u32, u32),
    /// The size is smaller than that of an earlier checkpoint.
    SizeShrinks(u64, u64),
    /// The line is smaller than that of an earlier checkpoint.
    LineShrinks(u64, u64),
    /// The newest checkpoint is not the last one of the log.
    NotInLog,
    /// The known checkpoint covers more than the newest: known, newest.
    KnownLonger(u64, u64),
    /// A line whose number was seen elsewhere is not there: line, last line.
    LineMissing(u64, u64),
    /// The statement's JSON is not as prescribed.
    Json(String),
    /// A text field is not in the prescribed form.
    Field(&'static str),
    /// There is no entry, so the map cannot prove anything.
    NoEntry,
    /// The leaf is not a person's leaf with the statement's token.
    OtherPerson,
    /// Leaf index or line does not grow, or lies outside of the tree.
    Order,
    /// The audit path does not lead to the root.
    Proof,
    /// The map leaf is not a map leaf at the end of the tree.
    MapNotLast,
    /// The person's entry, computed from the entries shown, is not in the map.
    MapEntry(u64),
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// What.
    pub problem: Problem,
}

impl Finding {
    /// The finding in Japanese.
    #[must_use]
    pub fn ja(&self) -> String {
        format!("{}：{}", self.place.ja(), self.problem.ja())
    }

    /// The finding in English.
    #[must_use]
    pub fn en(&self) -> String {
        format!("{}: {}", self.place.en(), self.problem.en())
    }
}

/// Findings, of which only the first few are kept.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub kept: Vec<Finding>,
    pub more: u64,
}

impl Findings {
    const KEPT: usize = 20;

    pub fn add(&mut self, place: Place, problem: Problem) {
        if self.kept.len() < Self::KEPT {
            self.kept.push(Finding { place, problem });
        } else {
            self.more += 1;
        }
    }
}
