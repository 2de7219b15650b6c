//! Expands lines into leaves, keeps the tree, signs checkpoints.
//!
//! Order of durability: leaves in their file, then the register's tree state, then the
//! signed checkpoint. A crash between two of them is repaired by doing the same again:
//! leaves are a function of the lines, so the bytes are the same and no tree forks.

mod files;
mod state;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::{mpsc, oneshot};

use crate::act::TraceError;
use crate::committer::{Job, Shared};

pub(crate) use files::{SEGMENT, read_leaf, records, segment};
pub(crate) use state::{State, map_entry};

use files::{append, publish};
use state::{Round, signed};

/// Lines taken at once.
const TAKE: i64 = 400;
/// Leaves after which a round ends.
const ROUND: u64 = 1000;
/// Pause that lets small rounds grow; leaves stay well within a second.
const PAUSE: Duration = Duration::from_millis(50);
/// The action whose line becomes a map leaf.
pub(crate) const MAP: &str = "trace.map";

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
    // A tree that was left unsigned is signed before it grows: its last leaf may be a map leaf.
    let mut fresh = true;
    loop {
        if std::mem::take(&mut fresh)
            && state.frontier.size() > state.signed
            && let Err(error) = sign(&shared, &mut state).await
        {
            tracing::error!(error = ?error, "no checkpoint could be signed");
            match reload(&jobs, &shared).await {
                Some(loaded) => (state, fresh) = (loaded, true),
                None => return,
            }
            continue;
        }
        let (more, mapped) = match round(&jobs, &shared, &mut state).await {
            Ok(Some(done)) => done,
            Ok(None) => return,
            Err(error) => {
                // Nothing is lost: the lines stand. Load again and try again; while this fails,
                // the backlog stops new lines.
                tracing::error!(error = ?error, "the sequencer could not go on");
                match reload(&jobs, &shared).await {
                    Some(loaded) => (state, fresh) = (loaded, true),
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
                        Some(loaded) => (state, fresh) = (loaded, true),
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
