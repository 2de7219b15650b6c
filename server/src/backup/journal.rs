//! The journal (失効の記録): what was revoked or erased since the beginning, copied off the host each minute, so that an
//! older state that is restored does not bring it back (S0-28, S0-47).
//!
//! One small signed note. Nothing in it is personal: internal ids, counters, dates, names of keys.

use std::collections::BTreeMap;
use std::path::Path;

use mimamori_backup::Manifest;
use mimamori_encryption::Keys;
use mimamori_storage::{Db, Row, Statement, Value};

use super::signer;
use crate::error::StartError;

/// Name of the file in the folder of `[backup] journal`.
pub const FILE: &str = "journal";
/// First line of the note.
const HEAD: &str = "mimamori/journal 1\n";

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
enum Cell {
    Int(i64),
    Text(String),
    Bytes {
        hex: String,
    },
    /// A missing integer.
    Nothing(()),
}

impl Cell {
    fn of(value: &Value) -> Self {
        match value {
            Value::Int(v) => Self::Int(*v),
            Value::Text(v) => Self::Text(v.clone()),
            Value::Bytes(v) => Self::Bytes {
                hex: v.iter().map(|b| format!("{b:02x}")).collect(),
            },
            Value::NullInt | Value::NullText | Value::NullBytes => Self::Nothing(()),
        }
    }

    /// None for digits that are none.
    fn value(&self) -> Option<Value> {
        Some(match self {
            Self::Int(v) => (*v).into(),
            Self::Text(v) => v.as_str().into(),
            Self::Bytes { hex } => bytes(hex)?.into(),
            Self::Nothing(()) => Value::NullInt,
        })
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

/// One kind of revocation or erasure: how it is read, and the write that does it again. The write changes nothing where
/// it was done already.
struct Kind {
    name: &'static str,
    read: &'static str,
    again: &'static str,
    /// Columns of the row that the write takes, in its order.
    takes: &'static [usize],
    /// Columns of a row.
    width: usize,
}

const KINDS: &[Kind] = &[
    Kind {
        name: "account-ended",
        read: "SELECT id, epoch FROM identity_user WHERE active = 0 ORDER BY id",
        again: "UPDATE identity_user SET active = 0, epoch = ? WHERE id = ? AND active = 1",
        takes: &[1, 0],
        width: 2,
    },
    Kind {
        // A password, a role or a right changed: the old password must not come back with the old state.
        name: "account-changed",
        read: "SELECT id, epoch FROM identity_user WHERE active = 1 AND epoch > 1 ORDER BY id",
        again: "UPDATE identity_user SET epoch = ?, password_initial = 1, initial_expires = 0 WHERE id = ? AND epoch < ?",
        takes: &[1, 0, 1],
        width: 2,
    },
    Kind {
        name: "role-ended",
        read: "SELECT user_id, role, valid_until FROM identity_user_role WHERE valid_until IS NOT NULL ORDER BY user_id, role",
        again: "UPDATE identity_user_role SET valid_until = ? WHERE user_id = ? AND role = ? AND (valid_until IS NULL OR valid_until > ?)",
        takes: &[2, 0, 1, 2],
        width: 3,
    },
    Kind {
        name: "rights-narrowed",
        read: "SELECT id, read_scope, write_scope FROM identity_user WHERE read_scope IS NOT NULL OR write_scope IS NOT NULL ORDER BY id",
        again: "UPDATE identity_user SET read_scope = ?, write_scope = ? WHERE id = ?",
        takes: &[1, 2, 0],
        width: 3,
    },
    Kind {
        name: "organisation-ended",
        read: "SELECT id, ended FROM identity_org WHERE ended IS NOT NULL ORDER BY id",
        again: "UPDATE identity_org SET ended = ? WHERE id = ? AND ended IS NULL",
        takes: &[1, 0],
        width: 2,
    },
    Kind {
        name: "contract-ended",
        read: "SELECT id, ended FROM identity_contract WHERE ended IS NOT NULL ORDER BY id",
        again: "UPDATE identity_contract SET ended = ? WHERE id = ? AND ended IS NULL",
        takes: &[1, 0],
        width: 2,
    },
    Kind {
        name: "passkey-ended",
        read: "SELECT id, ended FROM identity_passkey WHERE ended IS NOT NULL ORDER BY id",
        again: "UPDATE identity_passkey SET ended = ? WHERE id = ? AND ended IS NULL",
        takes: &[1, 0],
        width: 2,
    },
    Kind {
        name: "passkey-suspended",
        read: "SELECT id, suspended FROM identity_passkey WHERE suspended IS NOT NULL ORDER BY id",
        again: "UPDATE identity_passkey SET suspended = ? WHERE id = ? AND suspended IS NULL",
        takes: &[1, 0],
        width: 2,
    },
    Kind {
        name: "designation-ended",
        read: "SELECT id, ended FROM identity_handler WHERE ended IS NOT NULL ORDER BY id",
        again: "UPDATE identity_handler SET ended = ? WHERE id = ? AND ended IS NULL",
        takes: &[1, 0],
        width: 2,
    },
    Kind {
        name: "terminal-ended",
        read: "SELECT id, ended FROM identity_terminal WHERE ended IS NOT NULL ORDER BY id",
        again: "UPDATE identity_terminal SET ended = ? WHERE id = ? AND ended IS NULL",
        takes: &[1, 0],
        width: 2,
    },
    Kind {
        name: "key-shredded",
        read: "SELECT scope FROM trace_key WHERE wrapped IS NULL ORDER BY scope",
        again: "INSERT INTO trace_key (scope, wrapped) VALUES (?, NULL) ON CONFLICT (scope) DO UPDATE SET wrapped = NULL",
        takes: &[0],
        width: 1,
    },
    Kind {
        name: ERASURE,
        read: "SELECT kind, id, at FROM backup_erasure ORDER BY kind, id",
        again: "INSERT INTO backup_erasure (kind, id, at) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO NOTHING",
        takes: &[0, 1, 2],
        width: 3,
    },
];

const ERASURE: &str = "erasure";

/// Everything revoked and erased up to one moment.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    /// When it was begun to be read, microseconds since 1970 UTC: what came before is in it.
    pub at: i64,
    /// The newest signed checkpoint of the trace at that moment.
    pub checkpoint: String,
    rows: BTreeMap<String, Vec<Vec<Cell>>>,
}

impl Journal {
    /// Reads what is revoked and erased now. `checkpoint` and `at` must be older than this call.
    ///
    /// # Errors
    /// [`StartError::Storage`].
    pub async fn now(db: &Db, checkpoint: String, at: i64) -> Result<Self, StartError> {
        let mut rows = BTreeMap::new();
        for kind in KINDS {
            let found = db.fetch(kind.read, vec![]).await?;
            let found = found
                .iter()
                .map(|row: &Row| row.0.iter().map(Cell::of).collect());
            rows.insert(kind.name.to_owned(), found.collect());
        }
        Ok(Self {
            at,
            checkpoint,
            rows,
        })
    }

    /// Whether nothing was revoked or erased between the two.
    pub fn same_rows(&self, other: &Self) -> bool {
        self.rows == other.rows
    }

    /// Size and root of the tree under its checkpoint.
    fn tree(&self) -> Option<(u64, &str)> {
        let mut lines = self.checkpoint.lines();
        let size = lines.nth(1)?.parse().ok()?;
        Some((size, lines.next()?))
    }

    /// Leaves under its checkpoint; 0 when there is none yet.
    pub fn size(&self) -> u64 {
        self.tree().map_or(0, |(size, _)| size)
    }

    /// The signed note.
    ///
    /// # Errors
    /// [`StartError::State`].
    pub fn note(&self, keys: &Keys) -> Result<String, StartError> {
        let json = serde_json::to_string(self).map_err(|e| StartError::State(e.to_string()))?;
        Ok(signer(keys).sign(&format!("{HEAD}{json}\n")))
    }

    /// Reads a file and proves that this instance signed it.
    ///
    /// # Errors
    /// [`StartError::File`]; [`StartError::State`] for another town's or a changed file.
    pub fn load(path: &Path, keys: &Keys) -> Result<Self, StartError> {
        let wrong = |why: &str| StartError::State(format!("{}: {why}", path.display()));
        let note = std::fs::read_to_string(path).map_err(StartError::file(path))?;
        let json = text(&note).ok_or_else(|| wrong("失効の記録ではありません。"))?;
        if signer(keys).sign(&format!("{HEAD}{json}\n")) != note {
            return Err(wrong("この町の署名ではないか、書き換えられています。"));
        }
        let journal: Self =
            serde_json::from_str(json).map_err(|_| wrong("このプログラムでは読めない形です。"))?;
        let known = |(name, rows): (&String, &Vec<Vec<Cell>>)| {
            let kind = KINDS.iter().find(|k| k.name == name);
            kind.is_some_and(|k| rows.iter().all(|row| row.len() == k.width))
        };
        match journal.rows.iter().all(known) {
            true => Ok(journal),
            false => Err(wrong("このプログラムより新しい版の記録です。")),
        }
    }

    /// Whether it was written after the generation, of the same trace.
    ///
    /// # Errors
    /// [`StartError::State`] with what is wrong.
    pub fn covers(&self, manifest: &Manifest) -> Result<(), StartError> {
        let fact = |name: &str| manifest.facts.get(name).map(String::as_str);
        let size: Option<u64> = fact("trace/size").and_then(|s| s.parse().ok());
        let (own, root) = self.tree().unwrap_or((0, ""));
        let older = self.at < manifest.at || size.is_none_or(|size| own < size);
        let other = size == Some(own) && fact("trace/root") != Some(root);
        match (older, other) {
            (false, false) => Ok(()),
            (true, _) => Err(StartError::State(
                "失効の記録がこの世代より古いので、戻せません。いちばん新しい記録を指定してください。".into(),
            )),
            (false, true) => Err(StartError::State(
                "失効の記録が、この世代とは別の証跡のものです。".into(),
            )),
        }
    }

    /// The writes that do everything again.
    ///
    /// # Errors
    /// [`StartError::State`] for a value that is none.
    pub fn statements(&self) -> Result<Vec<Statement>, StartError> {
        let damaged = || StartError::State("失効の記録に読めない値があります。".into());
        let mut out = Vec::new();
        for kind in KINDS {
            for row in self.rows.get(kind.name).into_iter().flatten() {
                let value = |at: &usize| row.get(*at).and_then(Cell::value);
                let args: Option<Vec<Value>> = kind.takes.iter().map(value).collect();
                out.push(Statement::new(kind.again, args.ok_or_else(damaged)?));
            }
        }
        Ok(out)
    }

    /// Ids of the erasures of one kind.
    pub fn erased(&self, wanted: &str) -> Vec<Vec<u8>> {
        let rows = self.rows.get(ERASURE).into_iter().flatten();
        rows.filter_map(|row| match (row.first()?, row.get(1)?) {
            (Cell::Text(kind), Cell::Bytes { hex }) if kind == wanted => bytes(hex),
            _ => None,
        })
        .collect()
    }
}

/// The JSON of a note.
fn text(note: &str) -> Option<&str> {
    note.strip_prefix(HEAD)?
        .split_once('\n')
        .map(|(json, _)| json)
}

/// When the journal in `folder` was written, whoever signed it; none when there is none. For the home page, which has
/// no keys.
pub fn written(folder: &Path) -> Option<i64> {
    #[derive(serde::Deserialize)]
    struct At {
        at: i64,
    }
    let note = std::fs::read_to_string(folder.join(FILE)).ok()?;
    let at: At = serde_json::from_str(text(&note)?).ok()?;
    Some(at.at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::copies::put;
    use mimamori_encryption::Keys;
    use mimamori_kernel::random::SystemRandom;

    fn keys(dir: &Path, name: &str) -> Keys {
        Keys::create(&dir.join(name), &SystemRandom).unwrap()
    }

    fn journal(at: i64, size: u64) -> Journal {
        let rows = [
            (
                "account-ended",
                vec![Cell::Bytes { hex: "00ff".into() }, Cell::Int(3)],
            ),
            (
                "rights-narrowed",
                vec![
                    Cell::Bytes { hex: "01".into() },
                    Cell::Int(-1),
                    Cell::Nothing(()),
                ],
            ),
            (
                "erasure",
                vec![
                    Cell::Text("number".into()),
                    Cell::Bytes { hex: "0a".into() },
                    Cell::Int(9),
                ],
            ),
        ];
        Journal {
            at,
            checkpoint: format!("town/trace\n{size}\nROOT{size}\n\n— town sig\n"),
            rows: rows.map(|(name, row)| (name.to_owned(), vec![row])).into(),
        }
    }

    fn manifest(at: i64, size: u64) -> Manifest {
        let facts = [
            ("trace/size", size.to_string()),
            ("trace/root", format!("ROOT{size}")),
        ];
        Manifest {
            number: 1,
            base: None,
            at,
            facts: facts.map(|(k, v)| (k.to_owned(), v)).into(),
            files: vec![],
        }
    }

    #[test]
    fn what_was_written_is_read_again_and_a_changed_or_foreign_note_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (own, other) = (keys(dir.path(), "own"), keys(dir.path(), "other"));
        let whole = journal(5, 7);
        let path = put(&whole, &own, dir.path()).unwrap();
        assert_eq!(Journal::load(&path, &own).unwrap(), whole);
        assert_eq!(written(dir.path()), Some(5));
        assert_eq!(whole.erased("number"), [[10]]);
        let statements = whole.statements().unwrap();
        assert_eq!(statements.len(), 3);
        assert_eq!(
            statements[0].args,
            [Value::Int(3), Value::Bytes(vec![0, 255])]
        );
        assert!(Journal::load(&path, &other).is_err());
        let note = std::fs::read(&path).unwrap();
        for at in 0..note.len() {
            let mut bad = note.clone();
            bad[at] ^= 1;
            std::fs::write(&path, &bad).unwrap();
            assert!(Journal::load(&path, &own).is_err(), "byte {at}");
        }
        std::fs::write(&path, &note[..note.len() - 1]).unwrap();
        assert!(Journal::load(&path, &own).is_err());
    }

    #[test]
    fn an_older_journal_or_one_of_another_trace_covers_nothing() {
        journal(5, 7).covers(&manifest(5, 7)).unwrap();
        journal(6, 9).covers(&manifest(5, 7)).unwrap();
        for (at, size) in [(4, 9), (6, 6)] {
            let error = journal(at, size).covers(&manifest(5, 7)).unwrap_err();
            assert!(error.to_string().contains("古い"), "{error}");
        }
        let mut other = manifest(5, 7);
        other.facts.insert("trace/root".into(), "OTHER".into());
        assert!(journal(6, 7).covers(&other).is_err());
        other.facts.clear();
        assert!(
            journal(6, 7).covers(&other).is_err(),
            "nothing is known of it"
        );
    }

    #[test]
    fn a_journal_that_goes_further_is_not_overwritten_and_no_folder_is_made() {
        let dir = tempfile::tempdir().unwrap();
        let own = keys(dir.path(), "own");
        put(&journal(5, 7), &own, dir.path()).unwrap();
        put(&journal(6, 7), &own, dir.path()).unwrap();
        let error = put(&journal(7, 6), &own, dir.path()).unwrap_err();
        assert!(error.to_string().contains("あとの証跡"), "{error}");
        assert_eq!(written(dir.path()), Some(6));
        assert!(put(&journal(7, 8), &own, &dir.path().join("not-mounted")).is_err());
        assert_eq!(written(&dir.path().join("not-mounted")), None);
    }
}
