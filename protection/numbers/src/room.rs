//! The room as its process holds it: vault, desk, and what the web process may ask.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use mimamori_kernel::clock::Clock;
use mimamori_kernel::error::Coded as _;
use mimamori_kernel::id::{NumberRef, TicketId};
use mimamori_kernel::random::Random;

use crate::desk::{Desk, Limits, NoTicket};
use crate::frames::Loads;
use crate::port::{Call, Kind, Order, Reply};
use crate::vault::{Report, Tried, Vault};
use crate::{KekSource, NumbersError};

/// How the room appears to browsers.
#[derive(Debug, Clone)]
pub struct Window {
    /// Port at which browsers reach it.
    pub port: u16,
    /// Name of the session's cookie.
    pub cookie: String,
    /// Origins whose pages may frame the room's.
    pub parents: Vec<String>,
    /// Browsers reach the room by https.
    pub tls: bool,
    /// Seconds until a number is cleared from the page.
    pub seconds: u32,
    /// Addresses of the reverse proxies that end TLS; with any, nobody else may connect.
    pub proxies: Vec<std::net::IpAddr>,
}

/// The numbers room. Cheap to clone.
#[derive(Clone)]
pub struct Room(pub(crate) Arc<Inside>);

pub(crate) struct Inside {
    pub vault: Vault,
    pub desk: Desk,
    pub window: Window,
    pub loads: Loads,
    /// The rows were changed behind the room's back.
    spoilt: AtomicBool,
    /// The way to 統合宛名, where one is set up.
    pub connector: OnceLock<Arc<crate::link::Connector>>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
}

impl Inside {
    /// Makes tickets worthless and stops loads.
    fn forget(&self, whose: impl Fn(&Order) -> bool) {
        self.desk.forget(&whose);
        self.loads.stop(&whose);
    }
}

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Room")
    }
}

impl Room {
    /// Opens the room over its database file.
    ///
    /// # Errors
    /// [`NumbersError`]: another key, rows that are not where they were written, no file.
    pub async fn open(
        file: &std::path::Path,
        kek: &KekSource,
        window: Window,
        limits: Limits,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, NumbersError> {
        let vault = Vault::open(file, kek, clock.clone(), random.clone()).await?;
        let told = vault.settled().await?;
        if told > 0 {
            tracing::warn!(told, "orders that were cut off got their outcome");
        }
        let desk = Desk::new(limits, &vault.orders().await?, clock.steady());
        let room = Self(Arc::new(Inside {
            vault,
            desk,
            window,
            loads: Loads::default(),
            spoilt: AtomicBool::new(false),
            connector: OnceLock::new(),
            clock,
            random,
        }));
        // A rotation that was cut off goes on.
        room.rotate();
        tokio::spawn(room.clone().watch());
        tokio::spawn(room.clone().sweep());
        Ok(room)
    }

    /// Adds up every row once an hour. When something was changed behind the room's back, it shows and writes
    /// nothing any more.
    async fn watch(self) {
        loop {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            if let Err(error) = self.0.vault.whole().await {
                tracing::error!(code = error.code(), error = ?error, "the numbers are not what was written");
                self.0.spoilt.store(true, Ordering::SeqCst);
                return;
            }
        }
    }

    /// Gives an outcome to tickets that nothing came of, once a minute.
    async fn sweep(self) {
        loop {
            tokio::time::sleep(Duration::from_secs(60)).await;
            let mut held = self.0.desk.held();
            held.extend(self.0.loads.running());
            if let Err(error) = self.0.vault.sweep(&held).await {
                tracing::error!(code = error.code(), error = ?error, "orders were not looked through");
            }
        }
    }

    /// # Errors
    /// [`NumbersError::Moved`] after a change behind the room's back.
    pub(crate) fn sound(&self) -> Result<(), NumbersError> {
        match self.0.spoilt.load(Ordering::SeqCst) {
            true => Err(NumbersError::Moved("行")),
            false => Ok(()),
        }
    }

    /// Seals record after record anew in the background until none is left.
    fn rotate(&self) {
        let vault = self.0.vault.clone();
        tokio::spawn(async move {
            loop {
                match vault.rotate_portion().await {
                    Ok(true) => tokio::task::yield_now().await,
                    Ok(false) => break,
                    Err(error) => {
                        tracing::error!(error = ?error, "a rotation of the numbers' keys stopped");
                        break;
                    }
                }
            }
        });
    }

    pub(crate) async fn call(&self, call: Call) -> Result<Reply, NumbersError> {
        self.sound()?;
        let vault = &self.0.vault;
        Ok(match call {
            Call::Hello => {
                let epoch = vault.epoch().await?;
                Reply::State {
                    epoch,
                    progress: vault.progress().await?,
                    port: self.0.window.port,
                }
            }
            Call::Ticket(order) => self.ticket(order).await?,
            Call::Delete(reference, line) => {
                let ticket = TicketId::random(&*self.0.random);
                let report = Report {
                    ticket,
                    kind: Kind::Delete.code(),
                    line,
                };
                vault.delete(&report, &parsed(&reference)?).await?;
                Reply::Done
            }
            Call::Management(reference) => {
                Reply::Management(vault.management(&parsed(&reference)?).await?)
            }
            Call::Held(after) => {
                let after = after.map(|a| parsed(&a)).transpose()?;
                let held = vault.held(after).await?;
                Reply::Held(held.iter().map(ToString::to_string).collect())
            }
            Call::Outcomes => Reply::Outcomes(vault.outcomes().await?),
            Call::Acknowledge(tickets) => {
                let tickets = tickets
                    .iter()
                    .map(|t| ticket_id(t))
                    .collect::<Result<Vec<_>, _>>()?;
                vault.acknowledge(&tickets).await?;
                Reply::Done
            }
            Call::People { ticket, people } => {
                let people = people
                    .into_iter()
                    .map(|(number, r)| Ok((number, parsed(&r)?)));
                let people = people.collect::<Result<BTreeMap<_, _>, NumbersError>>()?;
                match self.0.desk.people(&ticket_id(&ticket)?, people) {
                    true => Reply::Done,
                    false => return Err(NumbersError::Speech),
                }
            }
            Call::Rotate => {
                vault.begin_rotation().await?;
                self.rotate();
                Reply::Done
            }
            Call::ForgetSession(session) => {
                self.0.desk.end(session.clone());
                self.0.forget(|order| order.session == session);
                Reply::Done
            }
            Call::ForgetUser(user) => {
                let user = user.parse().map_err(|_| NumbersError::Speech)?;
                self.0.forget(|order| order.user == user);
                Reply::Done
            }
            Call::Link(ask) => Reply::Link(self.link(ask).await?),
        })
    }

    /// A ticket, after its order is durable.
    async fn ticket(&self, order: Order) -> Result<Reply, NumbersError> {
        let id = TicketId::random(&*self.0.random);
        let now = self.0.clock.steady();
        match self.0.desk.order(id, order.clone(), now) {
            Ok(()) => {}
            Err(NoTicket::Limited(seconds)) => return Ok(Reply::Limited(seconds)),
            Err(NoTicket::Over) => return Err(NumbersError::Over),
        }
        self.0.vault.ordered(&id, &order).await?;
        Ok(Reply::Ticket(id.to_string()))
    }

    /// Proves a copy of the database that nobody uses: the sum over all rows, and `sample` records opened; counts alone.
    ///
    /// # Errors
    /// [`NumbersError::OtherKey`], [`NumbersError::Moved`] for a copy that was changed.
    pub async fn tried(
        file: &std::path::Path,
        kek: &KekSource,
        sample: usize,
    ) -> Result<Tried, NumbersError> {
        let clock = Arc::new(mimamori_kernel::clock::SystemClock::new());
        let random = Arc::new(mimamori_kernel::random::SystemRandom);
        Vault::tried(file, kek, sample, clock, random).await
    }

    /// Erases what was erased before a restore brought it back: references, one a line.
    ///
    /// # Errors
    /// [`NumbersError::Speech`] for something else than a list of references.
    pub async fn erase(&self, list: &str) -> Result<(), NumbersError> {
        for text in list.lines() {
            let ticket = TicketId::random(&*self.0.random);
            let report = Report {
                ticket,
                kind: Kind::Delete.code(),
                line: 0,
            };
            self.0.vault.delete(&report, &parsed(text)?).await?;
        }
        Ok(())
    }

    /// Wraps every key under another wrapping key. For a room that is stopped; the caller puts the new key in the old
    /// one's place.
    ///
    /// # Errors
    /// [`NumbersError`]; nothing is changed then.
    pub async fn rewrap(
        file: &std::path::Path,
        now: &KekSource,
        next: &KekSource,
    ) -> Result<(), NumbersError> {
        let clock = Arc::new(mimamori_kernel::clock::SystemClock::new());
        let random = Arc::new(mimamori_kernel::random::SystemRandom);
        let vault = Vault::open(file, now, clock, random).await?;
        vault.rewrap(next).await?;
        vault.close().await;
        Ok(())
    }

    /// Ends in order.
    pub async fn close(&self) {
        self.0.vault.close().await;
    }
}

fn parsed(text: &str) -> Result<NumberRef, NumbersError> {
    text.parse().map_err(|_| NumbersError::Speech)
}

fn ticket_id(text: &str) -> Result<TicketId, NumbersError> {
    text.parse().map_err(|_| NumbersError::Speech)
}
