//! Bytes of a leaf, docs/trace-format.md section 1.

use sha2::{Digest as _, Sha256};

/// A person's token: keyed hash of the person id, 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub [u8; 32]);

/// The part of a leaf that depends on its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Nobody.
    Nobody,
    /// One person's chain.
    Person {
        /// Who.
        token: Token,
        /// Place in the chain, from 1.
        sequence: u64,
        /// Hash of the chain's leaf before, zeros for the first.
        previous: [u8; 32],
    },
    /// The map over all chains so far.
    Map {
        /// Number of chains.
        persons: u64,
        /// Root of the map.
        root: [u8; 32],
    },
}

/// A leaf before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf<'a> {
    /// Line number, from 1.
    pub line: u64,
    /// Place in the line's list.
    pub index: u32,
    /// Leaves of the line.
    pub count: u32,
    /// Microseconds since 1970 UTC.
    pub time: i64,
    /// 1 allowed, 0 refused.
    pub decision: u8,
    /// User id, zeros for the system.
    pub actor: [u8; 16],
    /// Organisation id.
    pub org: [u8; 16],
    /// Data classes.
    pub classes: u32,
    /// Role code.
    pub role: &'a str,
    /// `noun.verb`.
    pub action: &'a str,
    /// Purpose code.
    pub purpose: &'a str,
    /// Policy ids.
    pub policy: &'a str,
    /// Hash of the sealed details, zeros for none.
    pub details: [u8; 32],
    /// Kind.
    pub part: Part,
}

impl Leaf<'_> {
    /// The leaf's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        out.push(1);
        out.push(match self.part {
            Part::Nobody => 1,
            Part::Person { .. } => 2,
            Part::Map { .. } => 3,
        });
        out.extend_from_slice(&self.line.to_be_bytes());
        out.extend_from_slice(&self.index.to_be_bytes());
        out.extend_from_slice(&self.count.to_be_bytes());
        out.extend_from_slice(&self.time.to_be_bytes());
        out.push(self.decision);
        out.extend_from_slice(&self.actor);
        out.extend_from_slice(&self.org);
        out.extend_from_slice(&self.classes.to_be_bytes());
        for text in [self.role, self.action, self.purpose, self.policy] {
            // Codes of our own, far below the limit; a longer one would be cut here and seen by the verifier.
            let text = &text.as_bytes()[..text.len().min(600)];
            out.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
            out.extend_from_slice(text);
        }
        out.extend_from_slice(&self.details);
        match self.part {
            Part::Nobody => {}
            Part::Person {
                token,
                sequence,
                previous,
            } => {
                out.extend_from_slice(&token.0);
                out.extend_from_slice(&sequence.to_be_bytes());
                out.extend_from_slice(&previous);
            }
            Part::Map { persons, root } => {
                out.extend_from_slice(&persons.to_be_bytes());
                out.extend_from_slice(&root);
            }
        }
        out
    }
}

/// SHA-256 of some bytes.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
