//! RFC 6962 tree: incremental root and audit paths.

use sha2::{Digest as _, Sha256};

/// A hash of the tree.
pub type Hash = [u8; 32];

/// Hash of a leaf.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    let mut h = Sha256::new();
    h.update([0]);
    h.update(leaf);
    h.finalize().into()
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut h = Sha256::new();
    h.update([1]);
    h.update(left);
    h.update(right);
    h.finalize().into()
}

/// The roots of the full subtrees of a growing tree, largest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

impl Frontier {
    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds one leaf by its hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        let mut size = self.size;
        while size & 1 == 1 {
            if let Some(left) = self.roots.pop() {
                hash = node_hash(&left, &hash);
            }
            size >>= 1;
        }
        self.roots.push(hash);
        self.size += 1;
    }

    /// The root.
    pub fn root(&self) -> Hash {
        let mut roots = self.roots.iter().rev();
        match roots.next() {
            None => Sha256::digest([]).into(),
            Some(last) => roots.fold(*last, |right, left| node_hash(left, &right)),
        }
    }

    /// Size and roots as bytes, to keep between runs.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.size.to_be_bytes().to_vec();
        self.roots.iter().for_each(|r| out.extend_from_slice(r));
        out
    }

    /// The reverse of [`Frontier::to_bytes`]; none when the bytes do not fit together.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (size, roots) = bytes.split_at_checked(8)?;
        let size = u64::from_be_bytes(size.try_into().ok()?);
        let roots: Vec<Hash> = roots
            .chunks(32)
            .map(|c| c.try_into().ok())
            .collect::<Option<_>>()?;
        (roots.len() == usize::try_from(size.count_ones()).ok()?).then_some(Self { size, roots })
    }
}

/// All levels of a tree of known leaves, for audit paths.
#[derive(Debug)]
pub struct Levels(Vec<Vec<Hash>>);

impl Levels {
    /// Builds every level from the leaf hashes.
    pub fn new(leaves: Vec<Hash>) -> Self {
        let mut levels = vec![leaves];
        while let Some(last) = levels.last().filter(|l| l.len() > 1) {
            let next = last
                .chunks(2)
                .map(|pair| match pair {
                    [left, right] => node_hash(left, right),
                    // A lone right-most hash moves up unchanged; RFC 6962 trees have just that shape.
                    _ => pair[0],
                })
                .collect();
            levels.push(next);
        }
        Self(levels)
    }

    /// The root.
    pub fn root(&self) -> Hash {
        self.0
            .last()
            .and_then(|l| l.first())
            .copied()
            .unwrap_or_else(|| Sha256::digest([]).into())
    }

    /// Audit path of leaf `index`, from the leaf up.
    pub fn path(&self, index: usize) -> Vec<Hash> {
        let mut at = index;
        let mut out = Vec::new();
        for level in &self.0 {
            if let Some(sibling) = level.get(at ^ 1) {
                out.push(*sibling);
            }
            at >>= 1;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition of RFC 6962 section 2.1, word for word as recursion.
    fn defined(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [one] => *one,
            many => {
                let k = many.len().next_power_of_two() / 2;
                node_hash(&defined(&many[..k]), &defined(&many[k..]))
            }
        }
    }

    fn climb(leaf: Hash, index: usize, size: usize, path: &[Hash]) -> Option<Hash> {
        let (mut hash, mut at, mut last, mut path) = (leaf, index, size - 1, path.iter());
        while last > 0 {
            if at & 1 == 1 {
                hash = node_hash(path.next()?, &hash);
            } else if at < last {
                hash = node_hash(&hash, path.next()?);
            }
            at >>= 1;
            last >>= 1;
        }
        path.next().is_none().then_some(hash)
    }

    proptest! {
        #[test]
        fn frontier_levels_and_paths_agree_with_the_definition(n in 0usize..300, pick in 0usize..300) {
            let leaves: Vec<Hash> = (0..n).map(|i| leaf_hash(&i.to_be_bytes())).collect();
            let mut frontier = Frontier::default();
            leaves.iter().for_each(|l| frontier.push(*l));
            let root = defined(&leaves);
            prop_assert_eq!(frontier.root(), root);
            prop_assert_eq!(Frontier::from_bytes(&frontier.to_bytes()).unwrap(), frontier);
            let levels = Levels::new(leaves.clone());
            prop_assert_eq!(levels.root(), root);
            if n > 0 {
                let i = pick % n;
                prop_assert_eq!(climb(leaves[i], i, n, &levels.path(i)), Some(root));
            }
        }
    }

    #[test]
    fn another_implementation_gives_the_same_root() {
        use tlog_tiles::{
            Error as TlogError, Hash as Other, HashReader, record_hash, stored_hashes, tree_hash,
        };
        struct Kept(Vec<Other>);
        impl HashReader for Kept {
            fn read_hashes(&self, at: &[u64]) -> Result<Vec<Other>, TlogError> {
                Ok(at
                    .iter()
                    .map(|i| self.0[usize::try_from(*i).unwrap()])
                    .collect())
            }
        }
        let (mut kept, mut frontier) = (Kept(Vec::new()), Frontier::default());
        for n in 0u64..200 {
            let data = n.to_be_bytes();
            let new = stored_hashes(n, &data, &kept).unwrap();
            kept.0.extend(new);
            assert_eq!(record_hash(&data).0, leaf_hash(&data));
            frontier.push(leaf_hash(&data));
            assert_eq!(
                tree_hash(n + 1, &kept).unwrap().0,
                frontier.root(),
                "size {}",
                n + 1
            );
        }
    }
}
