//! The connector as the room and the web process use it.

use std::path::Path;
use std::sync::Arc;

use mimamori_kernel::error::Coded as _;
use mimamori_kernel::id::{NumberRef, TicketId};
use serde::{Deserialize, Serialize};

use super::port::Held;
use super::{
    CallLine, Connector, Counts, Decision, Difference, LinkConfig, LinkError, Opener, Status,
    calls, counts, differences, status,
};
use crate::NumbersError;
use crate::port::{Kind, Order};
use crate::room::Room;
use crate::vault::{Entry, Known, Report, Told};

/// What the web process asks about the connector.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkAsk {
    /// The link of a reference, 32 hexadecimal digits.
    Status(String),
    /// The operator's view.
    Counts,
    /// Differences after a number: the settled ones, or the open ones.
    Differences {
        /// Settled ones.
        settled: bool,
        /// After this number.
        after: i64,
    },
    /// Settles a difference.
    Settle {
        /// Which.
        id: i64,
        /// How.
        decision: Decision,
        /// 16 bytes of the user.
        user: [u8; 16],
        /// His line in the trace.
        line: i64,
        /// The day on which a number is taken from 統合宛名, ISO.
        day: String,
    },
    /// The interface log before a line.
    Calls {
        /// Before this line; none for the newest.
        before: Option<i64>,
        /// Lines at most.
        limit: u32,
    },
    /// Registers or corrects with the number that 統合宛名 holds for the order's 宛名番号; nobody sees it.
    Fetch(Order),
    /// A request file whose answer never came goes out again.
    SendFileAgain(i64),
    /// Both sides are compared now, where the other end can be asked.
    Compare,
}

/// What the room answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkTold {
    /// The link; none when there is nothing to tell.
    Status(Option<Status>),
    /// Counts, and whether a connector is set up at all.
    Counts {
        /// Counts.
        counts: Counts,
        /// A connector runs.
        connected: bool,
    },
    /// Differences.
    Differences(Vec<Difference>),
    /// The interface log.
    Calls(Vec<CallLine>),
    /// Done.
    Done,
    /// What came of a number that was fetched: the codes of outcomes, or `unknown`.
    Fetched(String),
    /// Not done.
    Failed {
        /// Stable code.
        code: String,
        /// What is wrong.
        text: String,
        /// What to do next.
        advice: String,
    },
}

impl Room {
    /// Sets the connector up and lets it work; relative paths of the configuration begin at `base`. Once for each room.
    ///
    /// # Errors
    /// [`LinkError::Config`], [`LinkError::File`]. A connector that is set up already stays.
    pub fn connect(&self, config: &LinkConfig, base: &Path) -> Result<(), LinkError> {
        let room = self.clone();
        let opener = Opener::new(move |reference| {
            let room = room.clone();
            Box::pin(async move {
                room.sound().map_err(|_| LinkError::Vault)?;
                let opened = room.0.vault.reveal(&reference).await;
                opened.map_err(|_| LinkError::Vault)
            })
        });
        let (db, clock, random) = (
            self.0.vault.db().clone(),
            self.0.clock.clone(),
            self.0.random.clone(),
        );
        let connector = Arc::new(Connector::new(config, base, db, clock, random, opener)?);
        if self.0.connector.set(connector.clone()).is_ok() {
            tokio::spawn(async move { connector.run().await });
        }
        Ok(())
    }

    fn connector(&self) -> Result<&Arc<Connector>, LinkError> {
        let what = "mimamori.toml に [numbers.link] がありません".to_owned();
        self.0.connector.get().ok_or(LinkError::Config { what })
    }

    pub(crate) async fn link(&self, ask: LinkAsk) -> Result<LinkTold, NumbersError> {
        match self.ask_link(ask).await {
            Ok(told) => Ok(told),
            Err(LinkError::Storage(error)) => Err(error.into()),
            Err(error) => Ok(LinkTold::Failed {
                code: error.code().to_owned(),
                text: error.to_string(),
                advice: error.advice().to_owned(),
            }),
        }
    }

    async fn ask_link(&self, ask: LinkAsk) -> Result<LinkTold, LinkError> {
        let db = self.0.vault.db();
        Ok(match ask {
            LinkAsk::Status(reference) => match reference.parse() {
                Ok(reference) => LinkTold::Status(status(db, &reference).await?),
                Err(_) => LinkTold::Status(None),
            },
            LinkAsk::Counts => LinkTold::Counts {
                counts: counts(db).await?,
                connected: self.0.connector.get().is_some(),
            },
            LinkAsk::Differences { settled, after } => {
                LinkTold::Differences(differences(db, settled, after).await?)
            }
            LinkAsk::Settle {
                id,
                decision,
                user,
                line,
                day,
            } => {
                let keep =
                    async |reference, held: Held| self.keep(reference, &held, line, day).await;
                self.connector()?
                    .settle(id, &decision, user, line, keep)
                    .await?;
                LinkTold::Done
            }
            LinkAsk::Calls { before, limit } => LinkTold::Calls(calls(db, before, limit).await?),
            LinkAsk::Fetch(order) => LinkTold::Fetched(self.fetch(&order).await?),
            LinkAsk::SendFileAgain(sequence) => {
                self.connector()?.send_file_again(sequence).await?;
                LinkTold::Done
            }
            LinkAsk::Compare => {
                self.connector()?.reconcile().await?;
                LinkTold::Done
            }
        })
    }

    /// Takes the number of 統合宛名 in the place of ours; there is nothing to tell about it.
    async fn keep(
        &self,
        reference: NumberRef,
        held: &Held,
        line: i64,
        day: String,
    ) -> Result<(), LinkError> {
        let known = Known {
            acquired: day,
            method: "joint".into(),
            proof: "none".into(),
        };
        let entry = Entry {
            reference,
            number: &held.number,
            known: &known,
            address: None,
        };
        let report = Report {
            ticket: TicketId::random(&*self.0.random),
            kind: Kind::Correct.code(),
            line,
        };
        match self.0.vault.correct(&report, &entry).await {
            Ok(Told::Done | Told::Same) => Ok(()),
            Ok(other) => Err(LinkError::Refused(other.code().to_owned())),
            Err(_) => Err(LinkError::Vault),
        }
    }

    async fn fetch(&self, order: &Order) -> Result<String, LinkError> {
        let reference = order.reference.ok_or(LinkError::NotOffered)?;
        let ticket = TicketId::random(&*self.0.random);
        let report = Report {
            ticket,
            kind: order.kind.code(),
            line: order.line,
        };
        let kept = self.0.vault.ordered(&ticket, order).await;
        kept.map_err(|_| LinkError::Vault)?;
        let Some(held) = self.connector()?.inquire(&order.address_number).await? else {
            let told = self
                .0
                .vault
                .report(&report, Told::Void, Some(&reference), (0, 0));
            told.await.map_err(|_| LinkError::Vault)?;
            return Ok("unknown".to_owned());
        };
        let known = Known::from(order.obtained.clone());
        let address = Some(order.address_number.as_str());
        let entry = Entry {
            reference,
            number: &held.number,
            known: &known,
            address,
        };
        let told = match order.kind {
            Kind::Correct => self.0.vault.correct(&report, &entry).await,
            Kind::Register => self.0.vault.register(&report, &entry).await,
            _ => return Err(LinkError::NotOffered),
        };
        Ok(told.map_err(|_| LinkError::Vault)?.code().to_owned())
    }
}
