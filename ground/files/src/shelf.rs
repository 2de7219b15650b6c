use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use mimamori_kernel::random::{Random, readable};
use zeroize::Zeroizing;

use crate::locked::{LockError, lock};

/// Owners whose parcels wait at most; an older one is dropped for a new one, and its file has to be made again.
const WAITING: usize = 1000;

/// A finished file before it is locked.
pub struct Contents {
    /// The line of its output in the trace.
    pub line: u64,
    /// Name without its ending; holds nothing personal.
    pub name: String,
    /// Ending, for example `csv`.
    pub ending: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
    /// What the user has to know of it, sentences.
    pub notes: Vec<String>,
    /// The page that the user came from.
    pub back: String,
}

/// A locked file that waits for the session that made it, as a page shows it.
#[derive(Clone)]
pub struct Parcel {
    /// The line of its output in the trace.
    pub line: u64,
    /// Name with its ending.
    pub name: String,
    /// Opens the file.
    pub password: Zeroizing<String>,
    /// What the user has to know of it, sentences.
    pub notes: Vec<String>,
    /// The page that the user came from.
    pub back: String,
    /// Whether the browser has fetched it.
    pub fetched: bool,
}

struct Waiting {
    parcel: Parcel,
    archive: Vec<u8>,
    order: u64,
}

struct Inner<K> {
    random: Arc<dyn Random>,
    waiting: Mutex<(u64, HashMap<K, Waiting>)>,
}

/// Where files wait for the session that made them: one for each owner, the next replaces it. Cheap to clone.
pub struct Shelf<K>(Arc<Inner<K>>);

impl<K> Clone for Shelf<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Eq + Hash + Copy> Shelf<K> {
    /// An empty shelf; the passwords come from `random`.
    pub fn new(random: Arc<dyn Random>) -> Self {
        Self(Arc::new(Inner {
            random,
            waiting: Mutex::default(),
        }))
    }

    fn with<T>(&self, f: impl FnOnce(&mut u64, &mut HashMap<K, Waiting>) -> T) -> T {
        let mut all = self
            .0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (order, waiting) = &mut *all;
        f(order, waiting)
    }

    /// Locks a file under a new password and keeps it for its owner. The page of it is `/outputs/LINE`.
    pub fn put(&self, owner: K, contents: Contents) -> Result<(), LockError> {
        let Contents {
            line,
            name,
            ending,
            bytes,
            notes,
            back,
        } = contents;
        let password = Zeroizing::new(readable(&*self.0.random));
        let archive = lock(&format!("{name}.{ending}"), &bytes, &password)?;
        let parcel = Parcel {
            line,
            name: format!("{name}.zip"),
            password,
            notes,
            back,
            fetched: false,
        };
        self.keep(owner, parcel, archive);
        Ok(())
    }

    fn keep(&self, owner: K, parcel: Parcel, archive: Vec<u8>) {
        self.with(|order, all| {
            if all.len() >= WAITING && !all.contains_key(&owner) {
                let oldest = all.iter().min_by_key(|(_, w)| w.order).map(|(k, _)| *k);
                oldest.and_then(|k| all.remove(&k));
            }
            *order += 1;
            let waiting = Waiting {
                parcel,
                archive,
                order: *order,
            };
            all.insert(owner, waiting);
        });
    }

    /// The owner's file of this output, to be shown.
    pub fn look(&self, owner: &K, line: u64) -> Option<Parcel> {
        self.with(|_, all| {
            let waiting = all.get(owner).filter(|w| w.parcel.line == line)?;
            Some(waiting.parcel.clone())
        })
    }

    /// Name and bytes of the archive, once: one output, one file. Its password can still be looked at.
    pub fn take(&self, owner: &K, line: u64) -> Option<(String, Vec<u8>)> {
        self.with(|_, all| {
            let waiting = all
                .get_mut(owner)
                .filter(|w| w.parcel.line == line && !w.parcel.fetched)?;
            waiting.parcel.fetched = true;
            Some((
                waiting.parcel.name.clone(),
                std::mem::take(&mut waiting.archive),
            ))
        })
    }

    /// Drops what waits for an owner whose session ended.
    pub fn forget(&self, owner: &K) {
        self.with(|_, all| all.remove(owner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mimamori_kernel::random::SeededRandom;

    fn contents(line: u64) -> Contents {
        Contents {
            line,
            name: "list".into(),
            ending: "csv",
            bytes: b"a,b".to_vec(),
            notes: vec![],
            back: "/".into(),
        }
    }

    fn shelf() -> Shelf<usize> {
        Shelf::new(Arc::new(SeededRandom::new(1)))
    }

    #[test]
    fn a_file_is_handed_over_once_and_to_its_owner_only() {
        let shelf = shelf();
        shelf.put(1, contents(7)).unwrap();
        assert!(shelf.take(&2, 7).is_none(), "somebody else");
        assert!(shelf.take(&1, 8).is_none(), "another output");
        let before = shelf.look(&1, 7).unwrap();
        assert!(!before.fetched);
        let (name, archive) = shelf.take(&1, 7).unwrap();
        assert_eq!(name, "list.zip");
        assert!(archive.starts_with(b"PK"));
        assert!(shelf.take(&1, 7).is_none(), "a second time");
        let after = shelf.look(&1, 7).unwrap();
        assert!(after.fetched && after.password == before.password);
        shelf.put(1, contents(8)).unwrap();
        assert!(shelf.look(&1, 7).is_none(), "replaced");
        assert_ne!(shelf.look(&1, 8).unwrap().password, before.password);
        shelf.forget(&1);
        assert!(shelf.look(&1, 8).is_none());
    }

    #[test]
    fn a_full_shelf_drops_the_oldest() {
        let shelf = shelf();
        shelf.put(0, contents(1)).unwrap();
        let parcel = shelf.look(&0, 1).unwrap();
        for owner in 1..=WAITING {
            shelf.keep(owner, parcel.clone(), vec![1]);
        }
        assert!(shelf.look(&0, 1).is_none());
        assert!(shelf.look(&1, 1).is_some() && shelf.look(&WAITING, 1).is_some());
    }
}
