//! Tells what waits, hears what comes, compares once a day.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mimamori_kernel::clock::{Clock, Instant};
use mimamori_kernel::random::Random;
use mimamori_storage::{Db, StorageError, Writer};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::files::Files;
use super::https::Https;
use super::outbox::{self, Outcome, Waiting};
use super::port::{Call, Failure, Order, Port};
use super::{ActKind, LinkConfig, LinkError, Opener, calls};

/// Acts told before their answers are stored together.
const PORTION: u32 = 64;
/// Calls under way at the same time.
const AT_ONCE: usize = 8;

/// Nobody there: until when nothing is tried.
#[derive(Debug, Default)]
struct Pause {
    failures: i64,
    until: i64,
}

/// The connector of one town.
pub(crate) struct Connector {
    pub(super) db: Db,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) opener: Opener,
    pub(super) port: Port,
    pub(super) hour: Option<i8>,
    /// One pass or comparison at a time.
    pub(super) busy: tokio::sync::Mutex<()>,
    pause: Mutex<Pause>,
    wake: Notify,
}

impl Connector {
    /// Reads the configuration's files; relative paths begin at `base`. `db` has `LINK_MIGRATIONS`.
    ///
    /// # Errors
    /// [`LinkError::Config`], [`LinkError::File`].
    pub fn new(
        config: &LinkConfig,
        base: &Path,
        db: Db,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        opener: Opener,
    ) -> Result<Self, LinkError> {
        let port = match config {
            LinkConfig::Https(https) => {
                Port::Https(Arc::new(Https::new(https, base, clock.clone())?))
            }
            LinkConfig::Files(files) => Port::Files(Files::new(files, base)?),
        };
        Ok(Self {
            db,
            clock,
            random,
            opener,
            port,
            hour: config.hour(),
            busy: tokio::sync::Mutex::new(()),
            pause: Mutex::new(Pause::default()),
            wake: Notify::new(),
        })
    }

    /// Something was put into the outbox.
    pub fn nudge(&self) {
        self.wake.notify_one();
    }

    /// Works until the task is dropped; what fails is told to the program log by its code and tried again.
    pub async fn run(&self) {
        loop {
            let outcome = self.pass().await;
            let compared = match self.port {
                Port::Files(_) => self.reconcile().await.map(|_| ()),
                Port::Https(_) => self.reconcile_when_due().await,
            };
            for error in [outcome.err(), compared.err()].into_iter().flatten() {
                tracing::warn!(
                    code = mimamori_kernel::error::Coded::code(&error),
                    "the connector could not do its work"
                );
            }
            tokio::select! {
                () = self.wake.notified() => {}
                () = tokio::time::sleep(Duration::from_secs(5)) => {}
            }
        }
    }

    /// Hears what came and tells what waits, until nothing is due or the other end is away.
    ///
    /// # Errors
    /// [`LinkError::Storage`], [`LinkError::Vault`], [`LinkError::File`]. That the other end is away is no error.
    pub async fn pass(&self) -> Result<(), LinkError> {
        let _one = self.busy.lock().await;
        match &self.port {
            Port::Https(https) => self.tell_by_https(https).await,
            Port::Files(files) => {
                self.take_answers(files).await?;
                self.tell_by_file(files).await
            }
        }
    }

    async fn tell_by_https(&self, https: &Arc<Https>) -> Result<(), LinkError> {
        loop {
            let now = self.clock.now();
            if self.pause().until > now.0 {
                return Ok(());
            }
            let heads = outbox::heads(&self.db, now, PORTION).await?;
            if heads.is_empty() {
                return Ok(());
            }
            let outcomes = self.ask(https, heads).await?;
            let away = outcomes
                .iter()
                .find_map(|(_, outcome, away)| match outcome {
                    Outcome::Later(_) => *away,
                    _ => None,
                });
            self.store(
                https.log.take(),
                outcomes
                    .into_iter()
                    .map(|(act, outcome, _)| (act, outcome))
                    .collect(),
            )
            .await?;
            match away {
                Some(least) => self.hold(least),
                None => *self.pause() = Pause::default(),
            }
        }
    }

    /// Tells acts, some at a time, until one finds nobody there. With each outcome, how long to wait at least.
    async fn ask(
        &self,
        https: &Arc<Https>,
        heads: Vec<Waiting>,
    ) -> Result<Vec<(Waiting, Outcome, Option<u64>)>, LinkError> {
        let mut out = Vec::new();
        let mut under_way = JoinSet::new();
        let mut left = heads.into_iter();
        let mut away = false;
        loop {
            while !away && under_way.len() < AT_ONCE {
                let Some(act) = left.next() else { break };
                match self.order(&act).await? {
                    Err(outcome) => out.push((act, outcome, None)),
                    Ok(order) => {
                        let https = https.clone();
                        under_way.spawn(async move { (act, https.tell(order).await) });
                    }
                }
            }
            let Some(done) = under_way.join_next().await else {
                break;
            };
            let Ok((act, done)) = done else {
                return Err(LinkError::Vault);
            };
            out.push(match done {
                Ok(told) => (act, Outcome::Told(told), None),
                Err(Failure::Refused(code)) => (act, Outcome::Refused(code), None),
                Err(Failure::Unclear(code)) => (act, Outcome::Later(code), None),
                Err(Failure::Away(code, least)) => {
                    away = true;
                    (act, Outcome::Later(code), Some(least))
                }
            });
        }
        out.sort_by_key(|(act, ..)| act.act);
        Ok(out)
    }

    /// The act with its number, opened for this moment; or what becomes of it without.
    pub(super) async fn order(&self, act: &Waiting) -> Result<Result<Order, Outcome>, LinkError> {
        let number = match act.kind {
            ActKind::Delete => None,
            _ => match self.opener.open(act.reference).await {
                Ok(Some(number)) => Some(number),
                Ok(None) => return Ok(Err(Outcome::Gone)),
                Err(LinkError::Vault) => return Ok(Err(Outcome::Later("vault"))),
                Err(error) => return Err(error),
            },
        };
        let (key, address) = (act.key.clone(), act.address.clone());
        Ok(Ok(Order {
            key,
            kind: act.kind,
            address,
            number,
        }))
    }

    /// Writes outcomes and interface log in one transaction.
    pub(super) async fn store(
        &self,
        log: Vec<Call>,
        outcomes: Vec<(Waiting, Outcome)>,
    ) -> Result<(), LinkError> {
        let (now, random) = (self.clock.now(), self.random.clone());
        self.write(async move |writer: &mut Writer| {
            calls::add(writer, log).await?;
            for (act, outcome) in outcomes {
                outbox::apply(writer, &*random, now, &act, outcome).await?;
            }
            Ok(())
        })
        .await
    }

    /// One transaction on a connection of its own, so that a task that is dropped leaves nothing half done.
    pub(super) async fn write<T>(
        &self,
        work: impl AsyncFnOnce(&mut Writer) -> Result<T, LinkError>,
    ) -> Result<T, LinkError> {
        let mut writer = self.db.writer().await?;
        writer.begin().await?;
        match work(&mut writer).await {
            Ok(done) => {
                writer.commit().await?;
                writer.close().await?;
                Ok(done)
            }
            Err(error) => {
                writer.rollback().await?;
                Err(error)
            }
        }
    }

    fn pause(&self) -> std::sync::MutexGuard<'_, Pause> {
        self.pause.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody there: waits longer each time, and at least so many seconds (10 minutes at most).
    fn hold(&self, least: u64) {
        let mut pause = self.pause();
        let wait =
            outbox::pause(pause.failures, &*self.random).max(Duration::from_secs(least.min(600)));
        pause.failures += 1;
        pause.until = self.clock.now().plus(wait).0;
    }

    async fn reconcile_when_due(&self) -> Result<(), LinkError> {
        let Some(hour) = self.hour else { return Ok(()) };
        let sql = "SELECT MAX(at) FROM numbers_reconciliation WHERE code = 'ok'";
        let last = match self.db.fetch_one(sql, vec![]).await? {
            Some(row) => row.opt_int(0)?,
            None => None,
        };
        let (now, held) = (self.clock.now(), self.pause().until);
        if held > now.0 || !now.is_due(hour, last.map(|at| Instant(at).office_day())) {
            return Ok(());
        }
        let done = self.reconcile().await.map(|_| ());
        if done.is_err() {
            self.hold(60);
        }
        done
    }
}

/// The last number of a row of files, 0 before the first.
pub(super) async fn last_of(db: &Db, kind: &str) -> Result<(i64, Option<String>), StorageError> {
    let sql = "SELECT last, digest FROM numbers_file WHERE kind = ?";
    match db.fetch_one(sql, vec![kind.into()]).await? {
        Some(row) => Ok((row.int(0)?, row.opt_text(1)?.map(ToOwned::to_owned))),
        None => Ok((0, None)),
    }
}
