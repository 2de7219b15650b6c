//! 証跡 (trace): the append-only record of every look, change and refusal.
//!
//! Promises: nothing is shown before its line is durable; a change and its line are one
//! transaction; lines get numbers in one order, whatever the clock does; every line
//! becomes leaves of an RFC 6962 tree with signed checkpoints (docs/trace-format.md).
//! Never: a person's name, number or address in clear; a way to change a line.

mod act;
mod committer;
mod copy;
mod details;
mod leaf;
mod reader;
mod search;
mod sequencer;
mod statement;
mod store;
pub mod tree;

pub use act::{Act, Decision, Details, Receipt, Shown, TraceError};
pub use committer::{Ground, Trace};
pub use copy::{Extent, Part as CopiedPart, TREE, extent};
pub use details::Scope;
pub use leaf::{Leaf, Part, Token};
pub use reader::{Entry, LineView};
pub use search::{Query, REPORT, Total};
pub use store::{ERASED_NUMBER, ITEMS, MIGRATIONS, erasure};
