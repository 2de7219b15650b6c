//! What a trace is judged against, and what was found.

use std::path::PathBuf;
use std::time::Duration;

use crate::finding::Finding;
use crate::tail::Tail;

/// What to judge the trace against.
#[derive(Debug, Clone)]
pub struct Options {
    /// A verifier key that does not come from the trace.
    pub key: Option<PathBuf>,
    /// Checkpoints exported earlier.
    pub known: Vec<PathBuf>,
    /// Leaves per segment, 1,048,576 in every real trace; tests use smaller segments.
    pub per_segment: u64,
    /// How long to wait for a writer that is between the log and the newest checkpoint.
    pub settle: Duration,
    /// The longest time that leaves may stand without a signature. The writer signs each second.
    pub interval: Duration,
    /// The time to judge the age of unsigned leaves by, microseconds since 1970-01-01 UTC; without
    /// it only the time between them counts.
    pub now: Option<i64>,
    /// A line whose number was seen on a page or a print: the trace must hold it.
    pub line: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            key: None,
            known: Vec::new(),
            per_segment: 1_048_576,
            settle: Duration::from_secs(1),
            interval: Duration::from_secs(60),
            now: None,
            line: None,
        }
    }
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Leaves the newest checkpoint covers.
    pub size: u64,
    /// Leaves that were judged and are covered by the newest checkpoint.
    pub judged: u64,
    /// Last line judged.
    pub line: u64,
    /// Persons with a chain.
    pub persons: u64,
    /// Checkpoints of the log that were compared.
    pub checkpoints: u64,
    /// When the newest checkpoint was signed, microseconds since 1970-01-01 UTC.
    pub signed_at: i64,
    /// The newest checkpoint ends with the line of a clean stop, and nothing follows it.
    pub closed: bool,
    /// Leaves after the newest checkpoint: judged like all others, but not signed.
    pub tail: Tail,
    /// The tail is longer or older than the writer can leave one.
    pub overdue: bool,
    /// Bytes of an unfinished record after them.
    pub unfinished: u64,
    /// Whether the key came from the trace itself.
    pub own_key: bool,
    /// Known checkpoints that were given.
    pub known: u64,
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
