//! 控え (backup): generations of a few large files, each generation one ordinary `age` file.
//!
//! Promises: a generation holds only the blocks of 4 KiB, or the pieces of lines, that changed since the one before it; nobody reads it without
//! the identity that is kept off the host; a generation of another instance, a changed, missing or half-written one is
//! refused; a kill at any moment leaves the earlier generations whole.
//! Never: the private key on the host that makes the generations, or a key on a command line.

mod blocks;
mod catalog;
mod create;
mod error;
mod format;
mod key;
mod pieces;
mod restore;

pub use catalog::{Check, Generation, Repository, replace};
pub use create::{Order, Source};
pub use error::BackupError;
pub use format::{Content, Facts, Manifest};
pub use key::{Identities, Recipients};
pub use restore::{UNFINISHED, finish};
