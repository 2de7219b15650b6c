//! The rules from leaf to leaf: lines, lists, chains and map leaves.

use crate::finding::{Findings, Place, Problem};
use crate::format::{Body, Hash, Leaf};
use crate::map::Chains;

/// What the leaves so far say about the next one.
#[derive(Default)]
pub(crate) struct State {
    /// Line of the last leaf, 0 before the first.
    pub line: u64,
    /// Leaves of that line so far.
    pub have: u32,
    /// Leaves that line states.
    pub count: u32,
    chains: Chains,
}

impl State {
    pub fn persons(&self) -> u64 {
        self.chains.persons()
    }

    /// Judges leaf `at` with leaf hash `hash` against all before it.
    pub fn judge(&mut self, at: u64, leaf: &Leaf<'_>, hash: Hash, findings: &mut Findings) {
        let mut add = |problem| findings.add(Place::Leaf(at, Some(leaf.line)), problem);
        self.judge_line(leaf, &mut add);
        match leaf.body {
            Body::Nobody => {}
            Body::Person {
                token,
                sequence,
                previous,
            } => {
                let before = self.chains.extend(token, sequence, hash);
                let (leaves, last) =
                    before.map_or((0, [0; 32]), |chain| (chain.leaves, chain.last));
                if leaves.checked_add(1) != Some(sequence) {
                    add(Problem::ChainJump(token, leaves, sequence));
                } else if previous != last {
                    add(Problem::ChainLink(token, sequence));
                }
            }
            Body::Map { persons, root } => {
                if persons != self.chains.persons() {
                    add(Problem::MapPersons(persons, self.chains.persons()));
                } else if root != self.chains.root() {
                    add(Problem::MapRoot);
                }
            }
        }
    }

    fn judge_line(&mut self, leaf: &Leaf<'_>, add: &mut impl FnMut(Problem)) {
        let expected = if leaf.line == self.line {
            if leaf.count != self.count {
                add(Problem::CountChanged(self.count, leaf.count));
            }
            self.have
        } else {
            if self.have < self.count {
                add(Problem::LineUnfinished(self.line, self.have, self.count));
            }
            if self.line.checked_add(1) != Some(leaf.line) {
                add(Problem::LineJump(self.line, leaf.line));
            }
            0
        };
        if leaf.index != expected {
            add(Problem::ListJump(leaf.index, expected));
        }
        // index < count was checked by the parser, so this cannot overflow
        (self.line, self.have, self.count) = (leaf.line, leaf.index + 1, leaf.count);
    }
}
