//! What a generation holds, copied while the service works.

use std::path::{Path, PathBuf};

use mimamori_backup::{Facts, Source};
use mimamori_storage::{Db, Location, Row, Snapshot, StorageError, Synchronous, copy_file};

use super::{NUMBERS, TABLES, blocking};
use crate::config::Config;
use crate::error::StartError;

/// Copies of the state at one moment.
pub(super) struct Copied {
    pub(super) sources: Vec<Source>,
    /// Rows of every table, and the head of the trace's tree.
    pub(super) facts: Facts,
    /// The last line under that tree.
    pub(super) line: u64,
}

pub(super) async fn open_copy(path: PathBuf) -> Result<Db, StartError> {
    let synchronous = Synchronous::default();
    Ok(Db::open(Location::File { path, synchronous }, 1).await?)
}

/// Rows of every table, under names that begin with `what`.
pub(super) async fn facts(db: &Db, what: &str) -> Result<Facts, StorageError> {
    let mut facts = Facts::new();
    for table in db.tables().await? {
        let count = format!("SELECT COUNT(*) FROM \"{table}\"");
        let count = db.fetch_one(&count, vec![]).await?;
        let count = count.map_or(Ok(0), |r| r.int(0))?;
        facts.insert(format!("{what}/{table}"), count.to_string());
    }
    Ok(facts)
}

/// A file that belongs to the state as it is.
fn whole(name: &str, path: &Path) -> Result<Source, StartError> {
    let meta = std::fs::metadata(path).map_err(StartError::file(path))?;
    Ok(Source {
        name: name.into(),
        path: path.into(),
        bytes: meta.len(),
        pieces: false,
    })
}

/// Copies everything, in this order: numbers, register, trace. Whatever number is in the copy has its line in the
/// register's, and whatever the register's tree holds has its leaf in the trace's: the same as after a power cut.
pub(super) async fn copied(
    dir: &Path,
    config: &Config,
    scratch: &Path,
) -> Result<Copied, StartError> {
    let (live, numbers) = (dir.join(NUMBERS), scratch.join("numbers.db"));
    let mut sources = vec![whole("mimamori.toml", &dir.join("mimamori.toml"))?];
    let mut facts = Facts::new();
    if live.exists() {
        let to = numbers.clone();
        blocking(move || Ok(copy_file(&live, &to)?)).await?;
        let db = open_copy(numbers.clone()).await?;
        facts.extend(self::facts(&db, "numbers").await?);
        db.close().await;
        sources.push(whole(NUMBERS, &numbers)?);
    }
    let location = config.location(dir)?;
    let tree = match &location {
        Location::File { path, .. } => file(path, scratch, &mut sources, &mut facts).await?,
        Location::Server { .. } => server(&location, scratch, &mut sources, &mut facts).await?,
    };
    let trace = mimamori_trace::extent(tree.as_ref(), &dir.join("trace"), scratch)?;
    facts.insert("trace/size".into(), trace.size.to_string());
    facts.insert("trace/root".into(), trace.root);
    facts.insert("trace/line".into(), trace.line.to_string());
    for part in trace.parts {
        sources.push(Source {
            name: format!("trace/{}", part.name),
            path: part.path,
            bytes: part.bytes,
            pieces: false,
        });
    }
    Ok(Copied {
        sources,
        facts,
        line: trace.line,
    })
}

/// The embedded register; the copy's row of the trace's tree.
async fn file(
    register: &Path,
    scratch: &Path,
    sources: &mut Vec<Source>,
    facts: &mut Facts,
) -> Result<Option<Row>, StartError> {
    let copy = scratch.join("register.db");
    let (from, to) = (register.to_owned(), copy.clone());
    blocking(move || Ok(copy_file(&from, &to)?)).await?;
    sources.push(whole("register.db", &copy)?);
    let db = open_copy(copy).await?;
    facts.extend(self::facts(&db, "rows").await?);
    let tree = db.fetch_one(mimamori_trace::TREE, vec![]).await?;
    db.close().await;
    Ok(tree)
}

/// The register on PostgreSQL, all tables at one moment.
async fn server(
    location: &Location,
    scratch: &Path,
    sources: &mut Vec<Source>,
    facts: &mut Facts,
) -> Result<Option<Row>, StartError> {
    let mut snapshot = Snapshot::begin(location).await?;
    for table in snapshot.tables().await? {
        let path = scratch.join(format!("{table}.copy"));
        let rows = snapshot.write(&table, &path).await?;
        facts.insert(format!("rows/{table}"), rows.to_string());
        let mut source = whole(&format!("{TABLES}/{table}.copy"), &path)?;
        source.pieces = true;
        sources.push(source);
    }
    let tree = snapshot.fetch(mimamori_trace::TREE, vec![]).await?;
    snapshot.end().await?;
    Ok(tree.into_iter().next())
}
