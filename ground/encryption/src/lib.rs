//! 暗号 (encryption): key files, sealed values, signed notes.
//!
//! Promises: keys live in files that only their owner can read, or the program refuses
//! to start; a sealed value opens only in the place it was sealed for; key material is
//! wiped from memory when dropped.
//! Never: a key in a configuration, an argument list, an environment or a log line.

mod keys;
mod note;
mod sealed;

pub use keys::{KeyError, Keys, Secret};
pub use note::NoteSigner;
pub use sealed::{SealError, open, seal};
