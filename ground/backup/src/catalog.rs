//! The folder of the generations and the list of them.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::BackupError;
use crate::format::Facts;

/// One generation as the list has it. Nothing in it is personal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Generation {
    /// Number, from 1.
    pub number: u64,
    /// The generation on which it builds; none for a full one.
    pub base: Option<u64>,
    /// Name of its file in the folder.
    pub file: String,
    /// When it was made, microseconds since 1970 UTC.
    pub at: i64,
    /// Size of its file.
    pub bytes: u64,
    /// SHA-256 of its file, hexadecimal.
    pub sha256: String,
    /// For the comparison after a restore.
    pub facts: Facts,
}

impl Generation {
    pub(crate) fn file_name(number: u64, full: bool) -> String {
        let kind = if full { "full" } else { "part" };
        format!("{number:06}-{kind}.age")
    }
}

/// What [`Repository::check`] found for one generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Whole, and so is what it builds on.
    Good,
    /// Its file is missing or cannot be read.
    Missing,
    /// Its file has other bytes than were written.
    Changed,
    /// A generation that it builds on is missing or changed.
    Baseless,
}

/// A folder of generations.
#[derive(Debug, Clone)]
pub struct Repository {
    dir: PathBuf,
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Gives a file its content at once, durably; its folder must be there. Blocks the thread.
///
/// # Errors
/// [`BackupError::File`]; the file has its old content then.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    let new = path.with_extension("new");
    let write = || {
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&new, path)?;
        match path.parent() {
            Some(dir) => File::open(dir)?.sync_all(),
            None => Ok(()),
        }
    };
    write().map_err(BackupError::file(path))
}

/// The generation that is being written.
pub(crate) const PART: &str = "part";

/// Gives a written file its name, durably.
pub(crate) fn named(part: &Path, path: &Path) -> Result<(), BackupError> {
    let rename = || {
        std::fs::rename(part, path)?;
        path.parent()
            .map_or(Ok(()), |dir| File::open(dir)?.sync_all())
    };
    rename().map_err(BackupError::file(path))
}

fn sum(path: &Path) -> std::io::Result<String> {
    let mut sum = Sha256::new();
    std::io::copy(&mut File::open(path)?, &mut HashOnly(&mut sum))?;
    Ok(hex(&sum.finalize()))
}

impl Repository {
    /// The folder, which the first generation makes.
    pub fn at(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn lock(&self) -> Result<File, BackupError> {
        let path = self.dir.join("lock");
        let open = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path);
        let file = open.map_err(BackupError::file(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => Err(BackupError::Busy),
            Err(std::fs::TryLockError::Error(source)) => Err(BackupError::File { path, source }),
        }
    }

    /// The list, oldest first; empty when nothing was made yet.
    ///
    /// # Errors
    /// [`BackupError::File`], also when the list is damaged.
    pub fn generations(&self) -> Result<Vec<Generation>, BackupError> {
        let path = self.dir.join("catalog.json");
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
            Err(source) => return Err(BackupError::File { path, source }),
        };
        let parsed = serde_json::from_slice(&text);
        parsed.map_err(|e| BackupError::File {
            path,
            source: e.into(),
        })
    }

    pub(crate) fn write_catalog(&self, all: &[Generation]) -> Result<(), BackupError> {
        let path = self.dir.join("catalog.json");
        let text = serde_json::to_vec_pretty(all).map_err(|e| BackupError::File {
            path: path.clone(),
            source: e.into(),
        })?;
        replace(&path, &text)
    }

    /// The generations from the full one to `number`, in the order in which they are applied.
    pub(crate) fn chain(&self, number: u64) -> Result<Vec<Generation>, BackupError> {
        let all = self.generations()?;
        let mut chain = Vec::new();
        let mut wanted = Some(number);
        while let Some(number) = wanted {
            let found = all.iter().find(|g| g.number == number);
            let found = found.ok_or(BackupError::Unknown(number))?;
            wanted = found.base.filter(|b| *b < number);
            chain.push(found.clone());
        }
        chain.reverse();
        Ok(chain)
    }

    /// Ends a generation that was killed between its entry in the list and the name of its file. Needs the lock.
    pub(crate) fn settle(&self) -> Result<(), BackupError> {
        let Some(last) = self.generations()?.pop() else {
            return Ok(());
        };
        let (part, path) = (self.dir.join(PART), self.dir.join(&last.file));
        if path.exists() || !part.exists() {
            return Ok(());
        }
        match sum(&part).map_err(BackupError::file(&part))? == last.sha256 {
            true => named(&part, &path),
            false => Ok(()),
        }
    }

    /// The same for whoever only reads: where it cannot be done (a medium that cannot be written, a backup that is being
    /// made) the generation is found missing.
    pub(crate) fn try_settle(&self) {
        if let Ok(_lock) = self.lock() {
            let _ = self.settle();
        }
    }

    fn files(&self) -> Result<Vec<String>, BackupError> {
        let entries = std::fs::read_dir(&self.dir).map_err(BackupError::file(&self.dir))?;
        let names = entries
            .flatten()
            .map(|e| e.file_name().to_string_lossy().into_owned());
        let mut names: Vec<_> = names.filter(|n| n.ends_with(".age")).collect();
        names.sort();
        Ok(names)
    }

    /// Highest number of a file in the folder, listed or not; 0 for none.
    pub(crate) fn highest(&self) -> Result<u64, BackupError> {
        let files = self.files()?;
        let numbers = files
            .iter()
            .filter_map(|n| n.split('-').next()?.parse().ok());
        Ok(numbers.max().unwrap_or(0))
    }

    /// Names of sealed files that the list does not know: it was cut.
    ///
    /// # Errors
    /// [`BackupError::File`].
    pub fn unlisted(&self) -> Result<Vec<String>, BackupError> {
        let known = self.generations()?;
        let mut names = self.files()?;
        names.retain(|n| known.iter().all(|g| g.file != *n));
        Ok(names)
    }

    /// Compares every file with the list, without a key. Reads everything; blocks the thread.
    ///
    /// # Errors
    /// [`BackupError::File`] when there is no readable list.
    pub fn check(&self) -> Result<Vec<(Generation, Check)>, BackupError> {
        self.try_settle();
        let mut out: Vec<(Generation, Check)> = Vec::new();
        for generation in self.generations()? {
            let read = sum(&self.dir.join(&generation.file));
            let base = generation.base.map(|b| {
                let found = out.iter().find(|(g, _)| g.number == b);
                found.is_some_and(|(_, check)| *check == Check::Good)
            });
            let check = match read {
                Err(_) => Check::Missing,
                Ok(sum) if sum != generation.sha256 => Check::Changed,
                Ok(_) if base == Some(false) => Check::Baseless,
                Ok(_) => Check::Good,
            };
            out.push((generation, check));
        }
        Ok(out)
    }
}

struct HashOnly<'a>(&'a mut Sha256);

impl std::io::Write for HashOnly<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
