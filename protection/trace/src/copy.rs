//! The trace as a copy of the register knows it: what a backup takes along.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mimamori_storage::Row;

use crate::act::TraceError;
use crate::sequencer::{SEGMENT, records, segment};
use crate::tree::Frontier;

/// The first `bytes` of a file of the trace folder; they never change again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Path inside the folder, with `/`.
    pub name: String,
    /// Where it stands.
    pub path: PathBuf,
    /// How much of it belongs to the copy.
    pub bytes: u64,
}

/// The trace up to the tree that a copy of the register holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// Leaves of that tree.
    pub size: u64,
    /// Its root, Base64.
    pub root: String,
    /// The last line that the tree holds.
    pub line: u64,
    /// Files.
    pub parts: Vec<Part>,
}

/// The query on the copied register whose row [`extent`] takes.
pub const TREE: &str = "SELECT line, place, frontier FROM trace_tree WHERE one = 1";

/// What of the folder `dir` fits a copy of the register at an earlier moment, so that a trace started on both goes on
/// from there: the leaves of its tree and the checkpoints up to it. `tree` is the copy's row of [`TREE`]. The newest of
/// the checkpoints is written to `scratch`.
///
/// # Errors
/// [`TraceError::Torn`] when the folder holds less than the register says.
pub fn extent(tree: Option<&Row>, dir: &Path, scratch: &Path) -> Result<Extent, TraceError> {
    let torn = |why: &str| TraceError::Torn(why.into());
    let row = tree.ok_or_else(|| torn("証跡がまだありません"))?;
    let frontier = Frontier::from_bytes(row.bytes(2)?)
        .ok_or_else(|| torn("trace_tree の内容が壊れています"))?;
    let (size, place) = (frontier.size(), u64::try_from(row.int(1)?).unwrap_or(0));
    let part = |name: String, path: PathBuf, bytes: u64| Part { name, path, bytes };
    let mut parts = Vec::new();
    for number in 0..=size / SEGMENT {
        let path = segment(dir, number * SEGMENT);
        let length = std::fs::metadata(&path).map_or(0, |m| m.len());
        let bytes = if number < size / SEGMENT {
            length
        } else {
            place
        };
        if length < bytes || bytes == 0 && number < size / SEGMENT {
            return Err(torn("葉のファイルが台帳より短くなっています"));
        }
        if bytes > 0 {
            parts.push(part(format!("leaves/{number:04}.seg"), path, bytes));
        }
    }
    let log = dir.join("checkpoints.log");
    let bytes = std::fs::read(&log)?;
    let fits = |note: &[u8]| {
        let told = std::str::from_utf8(note).ok()?.lines().nth(1)?;
        Some(told.parse::<u64>().ok()? <= size)
    };
    let notes = records(&bytes).take_while(|(_, note)| fits(note) == Some(true));
    if let Some((end, note)) = notes.last() {
        let newest = scratch.join("checkpoint");
        std::fs::write(&newest, note)?;
        parts.push(part("checkpoint".into(), newest, note.len() as u64));
        parts.push(part("checkpoints.log".into(), log, end as u64));
    }
    let key = dir.join("key.pub");
    let length = std::fs::metadata(&key)?.len();
    parts.push(part("key.pub".into(), key, length));
    Ok(Extent {
        size,
        root: STANDARD.encode(frontier.root()),
        line: u64::try_from(row.int(0)?).unwrap_or(0),
        parts,
    })
}
