//! The one task that writes: it groups waiting lines into a transaction and makes them durable.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use mimamori_encryption::{NoteSigner, Secret};
use mimamori_kernel::clock::Clock;
use mimamori_kernel::id::{PersonId, UserId};
use mimamori_kernel::random::Random;
use mimamori_storage::{Db, Statement, StorageError, Value, Writer};
use tokio::sync::{Notify, mpsc, oneshot, watch};

use crate::act::{Act, Decision, Receipt, TraceError};
use crate::details::ScopeKeys;
use crate::leaf::Token;
use crate::sequencer;

/// Lines grouped into one transaction at most.
const GROUP: usize = 512;
/// Leaves that may wait for the tree before new lines have to wait too.
const BACKLOG: u64 = 200_000;

/// How far accounts and subject facts had been changed when a request began to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ground {
    accounts: u64,
    subjects: u64,
}

impl Ground {
    /// The same, but the committer looks at the account in any case: a visitor may have been
    /// proved before a revocation and ask only after it (S4-76).
    #[must_use]
    pub fn with_account_checked(self) -> Self {
        Self {
            accounts: 0,
            ..self
        }
    }
}

pub(crate) struct Job {
    pub(crate) act: Option<Act>,
    pub(crate) upkeep: Vec<Statement>,
    pub(crate) touches_subjects: bool,
    pub(crate) touches_accounts: bool,
    pub(crate) reply: oneshot::Sender<Result<Receipt, TraceError>>,
}

pub(crate) struct Shared {
    pub(crate) db: Db,
    pub(crate) dir: PathBuf,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) signer: NoteSigner,
    token: Secret,
    pub(crate) wrapping: Secret,
    accounts: AtomicU64,
    subjects: AtomicU64,
    pub(crate) waiting: AtomicU64,
    pub(crate) committed: Notify,
    pub(crate) room: Notify,
    pub(crate) checkpoint: watch::Sender<u64>,
    stopped: AtomicBool,
}

/// The trace of one instance. Cheap to clone.
#[derive(Clone)]
pub struct Trace {
    pub(crate) shared: Arc<Shared>,
    jobs: mpsc::Sender<Job>,
}

impl std::fmt::Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trace")
    }
}

impl Trace {
    /// Starts committer and sequencer on the register `db` and the folder `dir`.
    ///
    /// Errors: [`TraceError::Torn`] when the folder is ahead of the register (a restored
    /// older database) or shorter than the register says.
    pub async fn start(
        db: Db,
        dir: PathBuf,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        signer: NoteSigner,
        token: Secret,
        wrapping: Secret,
    ) -> Result<Self, TraceError> {
        let (jobs, queue) = mpsc::channel(4096);
        let shared = Arc::new(Shared {
            db,
            dir,
            clock,
            random,
            signer,
            token,
            wrapping,
            accounts: AtomicU64::new(1),
            subjects: AtomicU64::new(1),
            waiting: AtomicU64::new(0),
            committed: Notify::new(),
            room: Notify::new(),
            checkpoint: watch::channel(0).0,
            stopped: AtomicBool::new(false),
        });
        let state = sequencer::State::load(&shared).await?;
        let mut committer = Committer {
            writer: shared.db.writer().await?,
            line: 0,
            keys: ScopeKeys::new(shared.wrapping.clone()),
            shared: shared.clone(),
        };
        committer.reload().await?;
        let trace = Self {
            shared: shared.clone(),
            jobs,
        };
        tokio::spawn(committer.run(queue));
        tokio::spawn(sequencer::run(trace.downgrade(), shared, state));
        Ok(trace)
    }

    fn downgrade(&self) -> mpsc::WeakSender<Job> {
        self.jobs.downgrade()
    }

    /// The token of a person.
    pub fn token(&self, person: &PersonId) -> Token {
        use hmac::{Hmac, KeyInit as _, Mac as _};
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(self.shared.token.bytes())
            .expect("any key length");
        mac.update(b"person");
        mac.update(person.bytes());
        Token(mac.finalize().into_bytes().into())
    }

    /// The state to read before a request's first read.
    pub fn ground(&self) -> Ground {
        Ground {
            accounts: self.shared.accounts.load(Ordering::Acquire),
            subjects: self.shared.subjects.load(Ordering::Acquire),
        }
    }

    /// Makes the act's line durable, with its changes, and gives the receipt.
    pub async fn record(&self, act: Act) -> Result<Receipt, TraceError> {
        let mut waits = 0;
        while self.shared.waiting.load(Ordering::Relaxed) > BACKLOG {
            waits += 1;
            if waits > 100 {
                return Err(TraceError::Busy);
            }
            let _ =
                tokio::time::timeout(Duration::from_millis(100), self.shared.room.notified()).await;
        }
        let touches = (act.touches_subjects, act.touches_accounts);
        self.submit(Some(act), vec![], touches).await
    }

    /// Writes without a line of its own: staging rows of an import, derived tables.
    /// Never for anything that a person would see or that changes a record.
    pub async fn upkeep(
        &self,
        statements: Vec<Statement>,
        touches_subjects: bool,
    ) -> Result<(), TraceError> {
        self.submit(None, statements, (touches_subjects, false))
            .await
            .map(drop)
    }

    async fn submit(
        &self,
        act: Option<Act>,
        upkeep: Vec<Statement>,
        touches: (bool, bool),
    ) -> Result<Receipt, TraceError> {
        if self.shared.stopped.load(Ordering::Acquire) {
            return Err(TraceError::Stopped);
        }
        self.send(act, upkeep, touches).await
    }

    /// Hands work to the committer, also after [`Trace::stop`].
    pub(crate) async fn send(
        &self,
        act: Option<Act>,
        upkeep: Vec<Statement>,
        touches: (bool, bool),
    ) -> Result<Receipt, TraceError> {
        let (reply, answer) = oneshot::channel();
        let job = Job {
            act,
            upkeep,
            touches_subjects: touches.0,
            touches_accounts: touches.1,
            reply,
        };
        self.jobs.send(job).await.map_err(|_| TraceError::Stopped)?;
        answer.await.map_err(|_| TraceError::Stopped)?
    }

    /// Refuses every further line; used at shutdown and by the test that asks every route without a committer.
    pub fn stop(&self) {
        self.shared.stopped.store(true, Ordering::Release);
    }

    /// Takes lines again after [`Trace::stop`].
    pub fn resume(&self) {
        self.shared.stopped.store(false, Ordering::Release);
    }

    /// Lets callers wait until a signed checkpoint covers `line`.
    pub async fn checkpointed(&self, line: u64) {
        let mut seen = self.shared.checkpoint.subscribe();
        let _ = seen.wait_for(|at| *at >= line).await;
    }

    /// Number of the last line under a signed checkpoint.
    pub fn checkpoint_line(&self) -> u64 {
        *self.shared.checkpoint.borrow()
    }
}

struct Committer {
    shared: Arc<Shared>,
    writer: Writer,
    line: u64,
    keys: ScopeKeys,
}

/// Lines of one insert statement; few sizes, so that prepared statements are found again.
const SIZES: [usize; 3] = [40, 8, 1];
const COLUMNS: &str = "line, time, actor, org, role, action, purpose, classes, decision, policy, tokens, scope, details";

impl Committer {
    async fn reload(&mut self) -> Result<(), TraceError> {
        let rows = self
            .writer
            .fetch("SELECT MAX(line) FROM trace_line", vec![])
            .await?;
        let last = rows
            .first()
            .and_then(|r| r.opt_int(0).ok().flatten())
            .unwrap_or(0);
        self.line = u64::try_from(last).unwrap_or(0);
        Ok(())
    }

    async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(GROUP);
        while queue.recv_many(&mut batch, GROUP).await > 0 {
            let jobs = std::mem::take(&mut batch);
            self.group(jobs).await;
        }
        let _ = self.writer.close().await;
    }

    async fn group(&mut self, jobs: Vec<Job>) {
        let before = self.line;
        let (mut work, mut replies) = (
            Vec::with_capacity(jobs.len()),
            Vec::with_capacity(jobs.len()),
        );
        let (mut subjects, mut accounts) = (false, false);
        for job in jobs {
            subjects |= job.touches_subjects;
            accounts |= job.touches_accounts;
            replies.push(job.reply);
            work.push((
                job.act,
                job.upkeep,
                job.touches_subjects,
                job.touches_accounts,
            ));
        }
        match self.transaction(work).await {
            Ok((outcomes, leaves)) => {
                if subjects {
                    self.shared.subjects.fetch_add(1, Ordering::AcqRel);
                }
                if accounts {
                    self.shared.accounts.fetch_add(1, Ordering::AcqRel);
                }
                self.shared.waiting.fetch_add(leaves, Ordering::Relaxed);
                for (reply, outcome) in replies.into_iter().zip(outcomes) {
                    let _ = reply.send(outcome);
                }
                if self.line > before {
                    self.shared.committed.notify_one();
                }
            }
            Err(error) => {
                // The whole group is undone; nobody is shown anything.
                tracing::error!(error = ?error, "the trace could not be written");
                let error = Arc::new(error);
                let _ = self.writer.rollback().await;
                self.keys.forget();
                self.line = before;
                if let Ok(writer) = self.shared.db.writer().await {
                    self.writer = writer;
                    let _ = self.reload().await;
                }
                for reply in replies {
                    let _ = reply.send(Err(TraceError::NotWritten(error.clone())));
                }
            }
        }
    }

    async fn transaction(
        &mut self,
        work: Vec<(Option<Act>, Vec<Statement>, bool, bool)>,
    ) -> Result<(Vec<Result<Receipt, TraceError>>, u64), StorageError> {
        self.writer.begin().await?;
        let mut ground = Ground {
            accounts: self.shared.accounts.load(Ordering::Acquire),
            subjects: self.shared.subjects.load(Ordering::Acquire),
        };
        let mut outcomes = Vec::with_capacity(work.len());
        let mut rows: Vec<Vec<Value>> = Vec::with_capacity(work.len());
        let mut leaves = 0;
        // Accounts found right in this transaction, until a change in it touches accounts.
        let mut seen = Vec::new();
        let alone = work.len() == 1;
        for (mut act, upkeep, touches_subjects, touches_accounts) in work {
            let checked = match &act {
                Some(act) => self.check(act, ground, &mut seen).await?,
                None => Ok(()),
            };
            if let Err(error) = checked {
                outcomes.push(Err(error));
                continue;
            }
            let changes = act
                .as_mut()
                .map_or(upkeep, |a| std::mem::take(&mut a.changes));
            if alone {
                // Nobody else's work to keep: an error undoes the whole transaction.
                if let Some(error) = self.apply(changes).await? {
                    self.writer.rollback().await?;
                    return Ok((vec![Err(error)], 0));
                }
            } else if !changes.is_empty() {
                self.writer.savepoint().await?;
                if let Some(error) = self.apply(changes).await? {
                    self.writer.undo().await?;
                    outcomes.push(Err(error));
                    continue;
                }
                self.writer.keep().await?;
            }
            // What comes later in this group must look at the changed rows.
            if touches_subjects {
                ground.subjects = u64::MAX;
            }
            if touches_accounts {
                ground.accounts = u64::MAX;
                seen.clear();
            }
            match act {
                Some(act) => {
                    leaves += u64::try_from(act.shown.len().max(1)).unwrap_or(1);
                    self.line += 1;
                    let line = self.line;
                    rows.push(self.row(line, act).await?);
                    outcomes.push(Ok(Receipt { line }));
                }
                None => outcomes.push(Ok(Receipt { line: 0 })),
            }
        }
        let mut rest = rows.as_mut_slice();
        while !rest.is_empty() {
            let size = SIZES.into_iter().find(|s| *s <= rest.len()).unwrap_or(1);
            let (now, later) = rest.split_at_mut(size);
            let marks = vec!["(?,?,?,?,?,?,?,?,?,?,?,?,?)"; size].join(",");
            let args = now.iter_mut().flat_map(std::mem::take).collect();
            self.writer
                .execute(
                    &format!("INSERT INTO trace_line ({COLUMNS}) VALUES {marks}"),
                    args,
                )
                .await?;
            rest = later;
        }
        self.writer.commit().await?;
        Ok((outcomes, leaves))
    }

    /// Applies a change; the inner error belongs to that job alone.
    async fn apply(&mut self, changes: Vec<Statement>) -> Result<Option<TraceError>, StorageError> {
        for statement in changes {
            match self.writer.apply(statement).await {
                Ok(()) => {}
                Err(error @ StorageError::Full(_)) => return Err(error),
                Err(error) => return Ok(Some(error.into())),
            }
        }
        Ok(None)
    }

    /// Looks again at account and facts when anything changed since the request began.
    async fn check(
        &mut self,
        act: &Act,
        ground: Ground,
        seen: &mut Vec<(UserId, i64)>,
    ) -> Result<Result<(), TraceError>, StorageError> {
        if act.decision == Decision::Refused {
            return Ok(Ok(()));
        }
        if let Some(actor) = act.actor.filter(|_| act.ground.accounts != ground.accounts)
            && !seen.contains(&(actor, act.epoch))
        {
            let rows = self
                .writer
                .fetch(
                    "SELECT epoch FROM identity_user WHERE id = ? AND active = 1",
                    vec![actor.bytes().into()],
                )
                .await?;
            if rows.first().map(|r| r.int(0)).transpose()? != Some(act.epoch) {
                return Ok(Err(TraceError::AccountChanged));
            }
            seen.push((actor, act.epoch));
        }
        if act.ground.subjects != ground.subjects {
            for shown in &act.shown {
                let rows = self
                    .writer
                    .fetch(
                        "SELECT version FROM gate_subject WHERE person = ?",
                        vec![shown.person.bytes().into()],
                    )
                    .await?;
                // Version 0: a person who is being entered and must not be there yet.
                let now = rows.first().map(|r| r.int(0)).transpose()?.unwrap_or(0);
                if now != shown.version {
                    return Ok(Err(TraceError::SubjectChanged));
                }
            }
        }
        Ok(Ok(()))
    }

    async fn row(&mut self, line: u64, act: Act) -> Result<Vec<Value>, StorageError> {
        let (scope, details) = match act.details {
            None => (Value::NullText, Value::NullBytes),
            Some(details) => {
                let name = details.scope.name();
                let random = self.shared.random.clone();
                let sealed = self
                    .keys
                    .seal(&name, line, &details.text, &mut self.writer, &*random)
                    .await?;
                (name.into(), sealed.into())
            }
        };
        let zero = [0u8; 16];
        let tokens: Vec<u8> = act.shown.iter().flat_map(|s| s.token.0).collect();
        Ok(vec![
            Value::Int(i64::try_from(line).unwrap_or(i64::MAX)),
            self.shared.clock.now().0.into(),
            act.actor.as_ref().map_or(&zero, |a| a.bytes()).into(),
            act.org.as_ref().map_or(&zero, |a| a.bytes()).into(),
            act.role.into(),
            act.action.into(),
            act.purpose.into(),
            act.classes.into(),
            (act.decision == Decision::Allowed).into(),
            act.policy.into(),
            tokens.into(),
            scope,
            details,
        ])
    }
}
