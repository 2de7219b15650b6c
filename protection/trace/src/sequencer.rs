//! Expands lines into leaves, keeps the tree, signs checkpoints.
//!
//! Order of durability: leaves in their file, then the register's tree state, then the
//! signed checkpoint. A crash between two of them is repaired by doing the same again:
//! leaves are a function of the lines, so the bytes are the same and no tree forks.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mimamori_storage::{Row, Statement, Value};
use tokio::sync::{mpsc, oneshot};

use crate::act::TraceError;
use crate::committer::{Job, Shared};
use crate::leaf::{Leaf, Part, Token, sha256};
use crate::tree::{Frontier, Hash, leaf_hash};

/// Leaves of one segment file.
pub(crate) const SEGMENT: u64 = 1 << 20;
/// Lines taken at once.
const TAKE: i64 = 400;
/// Leaves after which a round ends.
const ROUND: u64 = 1000;
/// Pause that lets small rounds grow; leaves stay well within a second.
const PAUSE: Duration = Duration::from_millis(50);
/// The action whose line becomes a map leaf.
pub(crate) const MAP: &str = "trace.map";

/// Where the sequencer stands.
pub(crate) struct State {
    frontier: Frontier,
    line: u64,
    /// Bytes of the open segment that hold judged leaves.
    place: u64,
    chains: BTreeMap<Token, (u64, Hash)>,
    signed: u64,
}

pub(crate) fn segment(dir: &Path, leaf: u64) -> PathBuf {
    dir.join("leaves")
        .join(format!("{:04}.seg", leaf / SEGMENT))
}

fn torn(why: impl Into<String>) -> TraceError {
    TraceError::Torn(why.into())
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl State {
    /// Loads the state and fits the folder to it.
    pub(crate) async fn load(shared: &Shared) -> Result<Self, TraceError> {
        let dir = &shared.dir;
        std::fs::create_dir_all(dir.join("leaves"))?;
        replace(dir, "key.pub", shared.signer.verifier_key().as_bytes())?;
        let found = shared
            .db
            .fetch_one(
                "SELECT line, place, frontier FROM trace_tree WHERE one = 1",
                vec![],
            )
            .await?;
        let mut state = match found {
            None => Self {
                frontier: Frontier::default(),
                line: 0,
                place: 0,
                chains: BTreeMap::new(),
                signed: 0,
            },
            Some(row) => Self {
                frontier: Frontier::from_bytes(row.bytes(2)?)
                    .ok_or_else(|| torn("trace_tree の内容が壊れています"))?,
                line: unsigned(row.int(0)?),
                place: unsigned(row.int(1)?),
                chains: BTreeMap::new(),
                signed: 0,
            },
        };
        for row in shared
            .db
            .fetch("SELECT token, count, head FROM trace_chain", vec![])
            .await?
        {
            state
                .chains
                .insert(Token(row.array(0)?), (unsigned(row.int(1)?), row.array(2)?));
        }
        let size = state.frontier.size();
        repair_log(dir)?;
        if let Ok(note) = std::fs::read_to_string(dir.join("checkpoint")) {
            let told: u64 = note
                .lines()
                .nth(1)
                .and_then(|l| l.parse().ok())
                .ok_or_else(|| torn("checkpoint が読めません"))?;
            if told > size {
                return Err(torn(format!(
                    "チェックポイントは {told} 件、台帳は {size} 件です（古い控えに戻されていませんか）"
                )));
            }
            let root = note.lines().nth(2).unwrap_or_default();
            if told == size && root != STANDARD.encode(state.frontier.root()) {
                return Err(torn("最後のチェックポイントと台帳の木が異なります"));
            }
            state.signed = told;
            shared
                .checkpoint
                .send_replace(if told == size { state.line } else { 0 });
        } else if size > 0
            && std::fs::metadata(dir.join("checkpoints.log")).is_ok_and(|m| m.len() > 0)
        {
            return Err(torn("checkpoint がありません"));
        }
        // Without both, the program ended before it signed for the first time.
        let path = segment(dir, size);
        let length = std::fs::metadata(&path).map_or(0, |m| m.len());
        if length < state.place {
            return Err(torn(format!(
                "{} が {length} バイトしかありません（{} バイト必要）",
                path.display(),
                state.place
            )));
        }
        if length > state.place {
            OpenOptions::new()
                .write(true)
                .open(&path)?
                .set_len(state.place)?;
        }
        for later in size / SEGMENT + 1.. {
            let path = dir.join("leaves").join(format!("{later:04}.seg"));
            if std::fs::remove_file(path).is_err() {
                break;
            }
        }
        Ok(state)
    }

    fn map_root(&self) -> Hash {
        let mut tree = Frontier::default();
        for (token, (count, head)) in &self.chains {
            tree.push(leaf_hash(&map_entry(token, *count, head)));
        }
        tree.root()
    }
}

/// Cuts an unfinished last record of the checkpoint log, and lets the newest note be the log's last.
fn repair_log(dir: &Path) -> Result<(), TraceError> {
    let path = dir.join("checkpoints.log");
    let Ok(bytes) = std::fs::read(&path) else {
        return Ok(());
    };
    let (mut at, mut last) = (0usize, None);
    while let Some(length) = bytes.get(at..at + 4) {
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
        let Some(note) = bytes.get(at + 4..at + 4 + length) else {
            break;
        };
        last = Some(note);
        at += 4 + length;
    }
    if at < bytes.len() {
        OpenOptions::new()
            .write(true)
            .open(&path)?
            .set_len(at as u64)?;
    }
    if let Some(note) = last {
        replace(dir, "checkpoint", note)?;
    }
    Ok(())
}

/// Gives a small file its content at once; a full disk or a power cut leaves the old one whole.
fn replace(dir: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let path = dir.join(name);
    if std::fs::read(&path).is_ok_and(|kept| kept == bytes) {
        return Ok(());
    }
    let new = dir.join(format!("{name}.new"));
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    std::fs::rename(new, path)?;
    sync_folder(dir)
}

/// Makes new names in a folder durable.
fn sync_folder(dir: &Path) -> std::io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Bytes of one entry of the map.
pub(crate) fn map_entry(token: &Token, count: u64, head: &Hash) -> [u8; 72] {
    let mut out = [0u8; 72];
    out[..32].copy_from_slice(&token.0);
    out[32..40].copy_from_slice(&count.to_be_bytes());
    out[40..].copy_from_slice(head);
    out
}

/// What one round adds.
#[derive(Default)]
struct Round {
    files: Vec<(PathBuf, u64, Vec<u8>)>,
    index: Vec<Value>,
    touched: BTreeMap<Token, ()>,
    leaves: u64,
}

impl State {
    /// Adds the leaves of one line to state and round.
    fn expand(&mut self, dir: &Path, row: &Row, round: &mut Round) -> Result<(), TraceError> {
        let line = unsigned(row.int(0)?);
        if line != self.line + 1 {
            return Err(torn(format!("行 {} の次が {line} です", self.line)));
        }
        let tokens = row.bytes(10)?;
        let details = row
            .opt_text(11)?
            .map_or(Ok([0; 32]), |_| row.bytes(12).map(sha256))?;
        let action = row.text(5)?;
        let count = (tokens.len() / 32).max(1);
        for index in 0..count {
            let part = match tokens.get(index * 32..index * 32 + 32) {
                Some(token) => {
                    let token = Token(token.try_into().map_err(|_| torn("tokens"))?);
                    let (sequence, previous) =
                        self.chains.get(&token).copied().unwrap_or((0, [0; 32]));
                    Part::Person {
                        token,
                        sequence: sequence + 1,
                        previous,
                    }
                }
                None if action == MAP => Part::Map {
                    persons: self.chains.len() as u64,
                    root: self.map_root(),
                },
                None => Part::Nobody,
            };
            let bytes = Leaf {
                line,
                index: u32::try_from(index).unwrap_or(u32::MAX),
                count: u32::try_from(count).unwrap_or(u32::MAX),
                time: row.int(1)?,
                decision: u8::from(row.int(8)? == 1),
                actor: row.array(2)?,
                org: row.array(3)?,
                classes: u32::try_from(row.int(7)?).unwrap_or(u32::MAX),
                role: row.text(4)?,
                action,
                purpose: row.text(6)?,
                policy: row.text(9)?,
                details,
                part,
            }
            .bytes();
            let number = self.frontier.size();
            if number.is_multiple_of(SEGMENT) {
                self.place = 0;
            }
            let path = segment(dir, number);
            if round.files.last().is_none_or(|(p, _, _)| *p != path) {
                round.files.push((path, self.place, Vec::new()));
            }
            if let Some((_, _, buffer)) = round.files.last_mut() {
                buffer.extend_from_slice(
                    &u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes(),
                );
                buffer.extend_from_slice(&bytes);
            }
            let hash = leaf_hash(&bytes);
            self.frontier.push(hash);
            if let Part::Person {
                token, sequence, ..
            } = part
            {
                self.chains.insert(token, (sequence, hash));
                round.touched.insert(token, ());
                round.index.extend([
                    Value::from(&token.0),
                    signed(sequence).into(),
                    signed(number).into(),
                    signed(self.place).into(),
                    signed(line).into(),
                ]);
            }
            self.place += 4 + bytes.len() as u64;
            round.leaves += 1;
        }
        self.line = line;
        Ok(())
    }

    fn statements(&self, round: &mut Round) -> Vec<Statement> {
        let mut out = Vec::new();
        let index = std::mem::take(&mut round.index);
        rows(
            "INSERT INTO trace_leaf (token, sequence, leaf, place, line) VALUES ",
            5,
            "",
            index,
            &mut out,
        );
        let chains = round
            .touched
            .keys()
            .filter_map(|t| {
                self.chains.get(t).map(|(count, head)| {
                    [Value::from(&t.0), signed(*count).into(), Value::from(head)]
                })
            })
            .flatten()
            .collect();
        let upsert =
            " ON CONFLICT (token) DO UPDATE SET count = excluded.count, head = excluded.head";
        rows(
            "INSERT INTO trace_chain (token, count, head) VALUES ",
            3,
            upsert,
            chains,
            &mut out,
        );
        out.push(Statement::new(
            "INSERT INTO trace_tree (one, line, place, frontier) VALUES (1, ?, ?, ?) \
             ON CONFLICT (one) DO UPDATE SET line = excluded.line, place = excluded.place, frontier = excluded.frontier",
            vec![signed(self.line).into(), signed(self.place).into(), self.frontier.to_bytes().into()],
        ));
        out
    }
}

/// Splits rows into inserts of a few fixed sizes.
fn rows(head: &str, width: usize, tail: &str, values: Vec<Value>, out: &mut Vec<Statement>) {
    let marks = format!("({})", vec!["?"; width].join(","));
    let mut rest = values;
    while !rest.is_empty() {
        let n = [100, 10, 1]
            .into_iter()
            .find(|n| n * width <= rest.len())
            .unwrap_or(1);
        let later = rest.split_off((n * width).min(rest.len()));
        out.push(Statement::new(
            format!("{head}{}{tail}", vec![marks.as_str(); n].join(",")),
            rest,
        ));
        rest = later;
    }
}

fn append(files: &[(PathBuf, u64, Vec<u8>)]) -> std::io::Result<()> {
    for (path, place, bytes) in files {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        file.seek(SeekFrom::Start(*place))?;
        file.write_all(bytes)?;
        file.set_len(place + bytes.len() as u64)?;
        file.sync_data()?;
        if let Some(folder) = path.parent().filter(|_| *place == 0) {
            sync_folder(folder)?;
        }
    }
    Ok(())
}

fn publish(dir: &Path, note: &str) -> std::io::Result<()> {
    let mut log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(dir.join("checkpoints.log"))?;
    let mut record = u32::try_from(note.len())
        .unwrap_or(u32::MAX)
        .to_be_bytes()
        .to_vec();
    record.extend_from_slice(note.as_bytes());
    log.write_all(&record)?;
    log.sync_data()?;
    replace(dir, "checkpoint", note.as_bytes())
}

async fn blocking<T: Send + 'static>(
    f: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(f)
        .await
        .unwrap_or_else(|e| Err(std::io::Error::other(e)))
}

/// Runs until the trace is dropped or something does not fit.
pub(crate) async fn run(jobs: mpsc::WeakSender<Job>, shared: Arc<Shared>, mut state: State) {
    let mut last_signed = -1_000_000;
    loop {
        let (more, mapped) = match round(&jobs, &shared, &mut state).await {
            Ok(Some(done)) => done,
            Ok(None) => return,
            Err(error) => {
                // Nothing is lost: the lines stand. Load again and try again; while this fails,
                // the backlog stops new lines.
                tracing::error!(error = ?error, "the sequencer could not go on");
                match reload(&jobs, &shared).await {
                    Some(loaded) => state = loaded,
                    None => return,
                }
                continue;
            }
        };
        // A map leaf is always the last leaf of a signed tree, so that a statement ends exactly there.
        let due = mapped
            || state.frontier.size() > state.signed
                && shared.clock.steady() - last_signed >= 1_000_000;
        if due {
            match sign(&shared, &mut state).await {
                Ok(()) => last_signed = shared.clock.steady(),
                Err(error) => {
                    // Half a record may stand at the end of the log: loading cuts it.
                    tracing::error!(error = ?error, "no checkpoint could be signed");
                    match reload(&jobs, &shared).await {
                        Some(loaded) => state = loaded,
                        None => return,
                    }
                    continue;
                }
            }
        }
        if !more {
            tokio::time::sleep(PAUSE).await;
            let _ =
                tokio::time::timeout(Duration::from_millis(200), shared.committed.notified()).await;
        }
        if jobs.upgrade().is_none() {
            return;
        }
    }
}

/// The state as the register has it. A state whose round failed is never used again: it counts
/// leaves that no file holds. `None` when the trace was dropped meanwhile.
async fn reload(jobs: &mpsc::WeakSender<Job>, shared: &Shared) -> Option<State> {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        jobs.upgrade()?;
        match State::load(shared).await {
            Ok(state) => return Some(state),
            Err(error) => tracing::error!(error = ?error, "the trace folder does not fit"),
        }
    }
}

async fn round(
    jobs: &mpsc::WeakSender<Job>,
    shared: &Shared,
    state: &mut State,
) -> Result<Option<(bool, bool)>, TraceError> {
    let mut lines = shared
        .db
        .fetch(
            "SELECT line, time, actor, org, role, action, purpose, classes, decision, policy, tokens, scope, details \
             FROM trace_line WHERE line > ? ORDER BY line LIMIT ?",
            vec![signed(state.line).into(), TAKE.into()],
        )
        .await?;
    if lines.is_empty() {
        return Ok(Some((false, false)));
    }
    let full = lines.len() as i64 == TAKE;
    let map = lines
        .iter()
        .position(|row| row.text(5).is_ok_and(|action| action == MAP));
    if let Some(at) = map {
        lines.truncate(at + 1);
    }
    let mut new = Round::default();
    let mut cut = false;
    for (at, row) in lines.iter().enumerate() {
        state.expand(&shared.dir, row, &mut new)?;
        // A short transaction: page lines wait behind it.
        if new.leaves >= ROUND && at + 1 < lines.len() {
            cut = true;
            break;
        }
    }
    let map = map.filter(|_| !cut);
    let files = std::mem::take(&mut new.files);
    blocking(move || append(&files)).await?;
    let statements = state.statements(&mut new);
    let Some(sender) = jobs.upgrade() else {
        return Ok(None);
    };
    let (reply, answer) = oneshot::channel();
    let job = Job {
        act: None,
        upkeep: statements,
        touches_subjects: false,
        touches_accounts: false,
        reply,
    };
    sender.send(job).await.map_err(|_| TraceError::Stopped)?;
    drop(sender);
    answer.await.map_err(|_| TraceError::Stopped)??;
    let _ = shared
        .waiting
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |w| {
            Some(w.saturating_sub(new.leaves))
        });
    shared.room.notify_waiters();
    Ok(Some((full || cut || map.is_some(), map.is_some())))
}

async fn sign(shared: &Shared, state: &mut State) -> Result<(), TraceError> {
    let text = format!(
        "{}\n{}\n{}\nline {}\ntime {}\n",
        shared.signer.name(),
        state.frontier.size(),
        STANDARD.encode(state.frontier.root()),
        state.line,
        shared.clock.now().0
    );
    let note = shared.signer.sign(&text);
    let dir = shared.dir.clone();
    blocking(move || publish(&dir, &note)).await?;
    state.signed = state.frontier.size();
    shared.checkpoint.send_replace(state.line);
    Ok(())
}
