//! Opening the directory again, as the next start does, and judging what is in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use mimamori_encryption::Keys;
use mimamori_kernel::id::PersonId;
use mimamori_server::instance::Instance;
use mimamori_storage::{Db, Location, Synchronous};
use mimamori_verifier::trace::{Options, verify};
use sha2::Sha256;

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

/// What the register holds of the lines and of the persons.
#[derive(Default)]
struct Kept {
    /// Action and tokens of every line.
    lines: BTreeMap<u64, (String, Vec<u8>)>,
    /// Person of every 宛名番号.
    numbers: BTreeMap<String, String>,
    /// Whether rows of an import stand there that never came into force.
    staged: bool,
}

/// Everything; nothing when the register cannot be read at all.
fn kept(dir: &Path) -> Kept {
    let location = Location::File {
        path: dir.join("register.db"),
        synchronous: Synchronous::Full,
    };
    runtime().block_on(async {
        let Ok(db) = Db::open(location, 1).await else {
            return Kept::default();
        };
        let all = async |sql: &str| db.fetch(sql, vec![]).await.unwrap_or_default();
        let lines = all("SELECT line, action, tokens FROM trace_line").await;
        let lines = lines.iter().map(|r| {
            let tokens = r.bytes(2).unwrap().to_vec();
            let line = r.int(0).unwrap().unsigned_abs();
            (line, (r.text(1).unwrap().to_owned(), tokens))
        });
        let numbers = all("SELECT address_number, person FROM residents_person").await;
        let numbers = numbers.iter().map(|r| {
            let person = PersonId::from_bytes(r.array(1).unwrap());
            (r.text(0).unwrap().to_owned(), person.to_string())
        });
        let staged = "SELECT 1 FROM residents_person WHERE generation > \
                      (SELECT generation FROM residents_state WHERE one = 1) LIMIT 1";
        let staged = !all(staged).await.is_empty();
        let found = Kept {
            lines: lines.collect(),
            numbers: numbers.collect(),
            staged,
        };
        db.close().await;
        found
    })
}

/// Whether the end came while an import wrote: its rows stand there and are not in force.
pub fn inside_an_import(dir: &Path) -> bool {
    kept(dir).staged
}

/// The person's token by the words of docs/trace-format.md, not by the writer's code.
fn token(dir: &Path, person: &str) -> Vec<u8> {
    let keys = Keys::load(&dir.join("keys")).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(keys.token.bytes()).unwrap();
    let person: PersonId = person.parse().unwrap();
    mac.update(b"person");
    mac.update(person.bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Lines that somebody saw on a page and that the register does not hold, or not as that: a
/// record's line is an opening with one token, that of the person asked for and shown.
pub fn missing(dir: &Path, seen: &Seen) -> Vec<u64> {
    let kept = kept(dir);
    seen.iter()
        .filter(|(line, record)| match (kept.lines.get(line), record) {
            (Some((action, tokens)), Some(record)) => {
                action != "person.open"
                    || *tokens != token(dir, &record.person)
                    || kept.numbers.get(&record.number) != Some(&record.person)
            }
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
    assert_eq!(
        (report.tail.leaves, report.unfinished),
        (0, 0),
        "{report:?}"
    );
}
