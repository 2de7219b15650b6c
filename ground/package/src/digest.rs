//! Keyed digests of rows: they stay in the town, and name the packages that held a few leaked rows (PROTECTION G5.6).

use std::collections::{BTreeMap, BTreeSet};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// A digest of one row over one set of columns; without the key it says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowDigest(pub [u8; 16]);

/// Makes digests under the town's key.
pub struct Digester {
    key: Zeroizing<[u8; 32]>,
    sets: Vec<Vec<String>>,
}

/// A package that held leaked rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeakReport {
    /// Id of the package.
    pub package: String,
    /// How many of the leaked rows it held.
    pub rows: usize,
}

/// A value as it may come back from a leak: width, spaces, hyphens and letter case do not count.
fn folded(value: &str) -> String {
    value
        .nfkc()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '‐' | '−' | '–' | '/' | '.'))
        .flat_map(char::to_lowercase)
        .collect()
}

impl Digester {
    /// A digester; `sets` are the headings that together point to one person, for example name and birth date. A
    /// leaked list rarely has all columns, so each set has a digest of its own.
    pub fn new(key: [u8; 32], sets: Vec<Vec<String>>) -> Self {
        Self {
            key: Zeroizing::new(key),
            sets,
        }
    }

    /// The digests of a row: one for each set whose columns are all there and not empty.
    pub fn row<'a>(&self, columns: &'a [String], values: &'a [String]) -> Vec<RowDigest> {
        let value = |wanted: &str| {
            let at = columns.iter().position(|c| c == wanted)?;
            let value = folded(values.get(at)?);
            (!value.is_empty()).then_some(value)
        };
        let digests = self.sets.iter().filter_map(|set| {
            let parts: Option<Vec<String>> = set.iter().map(|name| value(name)).collect();
            Some(self.digest(set, &parts?))
        });
        digests.collect()
    }

    fn digest(&self, set: &[String], parts: &[String]) -> RowDigest {
        // Any length is a key for HMAC, so the error cannot happen; an empty digest would match nothing useful.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&*self.key) else {
            return RowDigest([0; 16]);
        };
        mac.update(b"mimamori-row-1");
        for (name, part) in set.iter().zip(parts) {
            for text in [name.as_bytes(), part.as_bytes()] {
                mac.update(&(text.len() as u64).to_be_bytes());
                mac.update(text);
            }
        }
        let full = mac.finalize().into_bytes();
        let mut out = [0u8; 16];
        out.copy_from_slice(&full[..16]);
        RowDigest(out)
    }
}

/// Which packages held the leaked rows, the one with the most first. `held` answers with the packages of a digest.
///
/// # Errors
/// Those of `held`.
pub fn trace_leak<E>(
    digester: &Digester,
    columns: &[String],
    rows: &[Vec<String>],
    mut held: impl FnMut(RowDigest) -> Result<Vec<String>, E>,
) -> Result<Vec<LeakReport>, E> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows {
        let mut packages = BTreeSet::new();
        for digest in digester.row(columns, row) {
            packages.extend(held(digest)?);
        }
        for package in packages {
            *counts.entry(package).or_default() += 1;
        }
    }
    let mut out: Vec<LeakReport> = counts
        .into_iter()
        .map(|(package, rows)| LeakReport { package, rows })
        .collect();
    out.sort_by_key(|r| std::cmp::Reverse(r.rows));
    Ok(out)
}
