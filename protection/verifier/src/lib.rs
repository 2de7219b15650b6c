//! Independent verifier of the trace: it shares only `docs/trace-format.md` with the writer.
//!
//! [`trace::verify`] judges a whole trace folder in one pass, [`statement::verify`] judges the statement
//! of one person. Both return a report with precise [`finding::Finding`]s; nothing in the input panics.

mod chains;
pub mod finding;
pub mod format;
mod inputs;
mod log;
mod map;
pub mod note;
mod report;
mod segments;
pub mod sentences;
mod shape;
pub mod signed;
pub mod statement;
pub mod tail;
pub mod trace;
pub mod tree;
mod words;

use std::path::{Path, PathBuf};

/// Why nothing could be judged (exit code 2); everything wrong *in* the data is a finding instead.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A file could not be read.
    #[error("cannot read {path}: {source}", path = .path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The folder holds no `leaves` folder, neither directly nor under `trace`.
    #[error("{path} is not a trace folder", path = .0.display())]
    NotATrace(PathBuf),
    /// A file is larger than anything this format allows.
    #[error("{path} is larger than {limit} bytes", path = .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// The file given as `--key` is not a verifier key.
    #[error("{path} is not a verifier key: {reason}", path = .path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: note::NoteError,
    },
}

impl VerifyError {
    fn read(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Read { path, source }
    }
}
