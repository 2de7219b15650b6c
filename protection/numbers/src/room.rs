//! The room as its process holds it: vault, desk, and what the web process may ask.

use std::collections::BTreeMap;
use std::sync::Arc;

use mimamori_kernel::clock::Clock;
use mimamori_kernel::id::{NumberRef, TicketId};
use mimamori_kernel::random::Random;

use crate::desk::{Desk, Limits};
use crate::frames::Loads;
use crate::port::{Call, Kind, Order, Reply};
use crate::vault::{Report, Vault};
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
}

/// The numbers room. Cheap to clone.
#[derive(Clone)]
pub struct Room(pub(crate) Arc<Inside>);

pub(crate) struct Inside {
    pub vault: Vault,
    pub desk: Desk,
    pub window: Window,
    pub loads: Loads,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
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
        let room = Self(Arc::new(Inside {
            vault,
            desk: Desk::new(limits),
            window,
            loads: Loads::default(),
            clock,
            random,
        }));
        // A rotation that was cut off goes on.
        room.rotate();
        Ok(room)
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
            Call::Ticket(order) => self.ticket(order),
            Call::Delete(order) => self.delete(order).await?,
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
        })
    }

    fn ticket(&self, order: Order) -> Reply {
        let id = TicketId::random(&*self.0.random);
        match self.0.desk.order(id, order, self.0.clock.steady()) {
            Ok(()) => Reply::Ticket(id.to_string()),
            Err(seconds) => Reply::Limited(seconds),
        }
    }

    async fn delete(&self, order: Order) -> Result<Reply, NumbersError> {
        let reference = order.reference.ok_or(NumbersError::Speech)?;
        let ticket = TicketId::random(&*self.0.random);
        let report = Report {
            ticket,
            kind: Kind::Delete.code(),
            line: order.line,
        };
        self.0.vault.delete(&report, &reference).await?;
        Ok(Reply::Done)
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
