//! Opening the directory again, as the next start does, and judging what is in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use mimamori_server::instance::Instance;
use mimamori_storage::{Db, Location, Synchronous};
use mimamori_verifier::trace::{Options, verify};

use crate::town::Seen;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

/// Starts the instance, which repairs and continues the tree, until everything is signed.
pub fn start_again(dir: &Path) -> Result<(), String> {
    let runtime = runtime();
    let done = runtime.block_on(async {
        let instance = Instance::open(dir)
            .await
            .map_err(|e| format!("{e}: {e:?}"))?;
        let rows = instance
            .db
            .fetch("SELECT COALESCE(MAX(line), 0) FROM trace_line", vec![]);
        let rows = rows.await.map_err(|e| format!("{e:?}"))?;
        let last = rows[0].int(0).map_err(|e| format!("{e:?}"))?.unsigned_abs();
        tokio::time::timeout(Duration::from_secs(30), instance.trace.checkpointed(last))
            .await
            .map_err(|_| format!("no checkpoint covers line {last}"))?;
        instance.db.close().await;
        Ok(())
    });
    runtime.shutdown_timeout(Duration::from_secs(10));
    done
}

/// Number of tokens of every line; no line when the register cannot be read at all.
fn lines(dir: &Path) -> BTreeMap<u64, (String, usize)> {
    let location = Location::File {
        path: dir.join("register.db"),
        synchronous: Synchronous::Full,
    };
    runtime().block_on(async {
        let Ok(db) = Db::open(location, 1).await else {
            return BTreeMap::new();
        };
        let rows = db
            .fetch("SELECT line, action, tokens FROM trace_line", vec![])
            .await;
        let kept = rows.unwrap_or_default();
        db.close().await;
        kept.iter()
            .map(|r| {
                let tokens = r.bytes(2).unwrap().len() / 32;
                (
                    r.int(0).unwrap().unsigned_abs(),
                    (r.text(1).unwrap().to_owned(), tokens),
                )
            })
            .collect()
    })
}

/// Lines that somebody saw on a page and that the register does not hold, or not as that.
pub fn missing(dir: &Path, seen: &Seen) -> Vec<u64> {
    let kept = lines(dir);
    seen.iter()
        .filter(|(line, person)| match (kept.get(line), person) {
            (Some((action, tokens)), Some(_)) => action != "person.open" || *tokens != 1,
            (Some(_), None) => false,
            (None, _) => true,
        })
        .map(|(line, _)| *line)
        .collect()
}

/// The independent verifier's view, against a checkpoint taken before.
pub fn judge(dir: &Path, known: &Path) {
    let options = Options {
        known: known
            .exists()
            .then(|| known.to_owned())
            .into_iter()
            .collect(),
        ..Options::default()
    };
    let report = verify(&dir.join("trace"), &options).unwrap();
    assert!(report.good(), "{report:?}");
    assert_eq!((report.after, report.unfinished), (0, 0), "{report:?}");
}
