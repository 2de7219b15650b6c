//! All chains so far and the root of their map (section 3).

use std::collections::HashMap;

use crate::format::Hash;
use crate::tree::{empty_root, leaf_hash, node_hash};

/// The end of one person's chain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chain {
    pub leaves: u64,
    pub last: Hash,
    changed: bool,
}

/// Hash of one map entry: token || leaves || hash of the last leaf.
pub(crate) fn entry_hash(token: &Hash, leaves: u64, last: &Hash) -> Hash {
    let mut entry = [0; 72];
    entry[..32].copy_from_slice(token);
    entry[32..40].copy_from_slice(&leaves.to_be_bytes());
    entry[40..].copy_from_slice(last);
    leaf_hash(&entry)
}

/// Chains by token, and the tree over them as of the last [`Chains::root`].
///
/// The tree is kept level by level, so that a map line costs only what changed since the one before:
/// the paths of continued chains, and everything right of the first new token.
#[derive(Default)]
pub(crate) struct Chains {
    by_token: HashMap<Hash, Chain>,
    changed: Vec<Hash>,
    sorted: Vec<Hash>,
    levels: Vec<Vec<Hash>>,
}

impl Chains {
    pub fn persons(&self) -> u64 {
        self.by_token.len() as u64
    }

    /// The chain of the token before this leaf, then the leaf becomes its end.
    pub fn extend(&mut self, token: Hash, leaves: u64, last: Hash) -> Option<Chain> {
        let before = self.by_token.insert(
            token,
            Chain {
                leaves,
                last,
                changed: true,
            },
        );
        if !before.is_some_and(|chain| chain.changed) {
            self.changed.push(token);
        }
        before
    }

    /// Root of the map over all chains.
    pub fn root(&mut self) -> Hash {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        let mut dirty = Vec::new();
        let mut fresh = Vec::new();
        if self.levels.is_empty() {
            self.levels.push(Vec::new());
        }
        for token in changed {
            let Some(chain) = self.by_token.get_mut(&token) else {
                continue;
            };
            chain.changed = false;
            let hash = entry_hash(&token, chain.leaves, &chain.last);
            match self.sorted.binary_search(&token) {
                Ok(place) => {
                    self.levels[0][place] = hash;
                    dirty.push(place);
                }
                Err(place) => fresh.push((place, token, hash)),
            }
        }
        let from = self.insert(&fresh);
        dirty.retain(|place| *place < from);
        self.rehash(dirty, from);
        self.levels
            .last()
            .and_then(|top| top.first())
            .copied()
            .unwrap_or_else(empty_root)
    }

    /// Merges new tokens (with their places in the old order); returns the first place that moved.
    fn insert(&mut self, fresh: &[(usize, Hash, Hash)]) -> usize {
        let Some(&(from, ..)) = fresh.first() else {
            return usize::MAX;
        };
        let tokens = self.sorted.split_off(from);
        let hashes = self.levels[0].split_off(from);
        let mut fresh = fresh.iter().peekable();
        for (offset, (token, hash)) in tokens.into_iter().zip(hashes).enumerate() {
            while let Some((_, new, entry)) = fresh.next_if(|(place, ..)| *place <= from + offset) {
                self.sorted.push(*new);
                self.levels[0].push(*entry);
            }
            self.sorted.push(token);
            self.levels[0].push(hash);
        }
        for (_, new, entry) in fresh {
            self.sorted.push(*new);
            self.levels[0].push(*entry);
        }
        from
    }

    /// Recomputes the parents of the dirty places and of everything from `from` on.
    fn rehash(&mut self, mut dirty: Vec<usize>, mut from: usize) {
        let mut level = 0;
        while self.levels[level].len() > 1 {
            if self.levels.len() == level + 1 {
                self.levels.push(Vec::new());
            }
            let (below, above) = self.levels.split_at_mut(level + 1);
            let (children, parents) = (&below[level], &mut above[0]);
            let parent = |place: usize| match children.get(2 * place + 1) {
                Some(right) => node_hash(&children[2 * place], right),
                None => children[2 * place], // an odd last node climbs unchanged
            };
            from = from.min(usize::MAX - 1) / 2;
            let length = children.len().div_ceil(2);
            dirty.iter_mut().for_each(|place| *place /= 2);
            dirty.dedup();
            dirty.retain(|place| *place < from);
            for place in &dirty {
                parents[*place] = parent(*place);
            }
            if from < length {
                parents.truncate(from);
                parents.extend((from..length).map(parent));
            }
            level += 1;
        }
        self.levels.truncate(level + 1);
    }
}
