use std::path::Path;
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

/// Why a database file could not be copied.
#[derive(Debug, thiserror::Error)]
#[error("データベースの写しを作れませんでした（{0}）")]
pub struct CopyError(#[from] rusqlite::Error);

/// Writes the committed state of the database file `from`, as it stands at one moment, to the new file `to`.
///
/// Every page keeps its number, so that two copies can be compared page by page. Readers and the writer of `from`
/// go on meanwhile. Blocks the thread; the copy is not made durable here.
///
/// # Errors
/// [`CopyError`] when `from` is no database, or `to` cannot be written.
pub fn copy_file(from: &Path, to: &Path) -> Result<(), CopyError> {
    let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    source.busy_timeout(Duration::from_secs(10))?;
    let mut copy = Connection::open(to)?;
    copy.execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF")?;
    Backup::new(&source, &mut copy)?.run_to_completion(i32::MAX, Duration::ZERO, None)?;
    Ok(())
}
