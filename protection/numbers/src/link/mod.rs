//! 統合宛名との連携 (link): what the office tells 統合宛名 about individual numbers, and what it hears back.
//!
//! Promises: an act that the room stored is told once, in the order of the person's acts, however often the other end
//! fails; an answer about somebody else is a difference that a human settles. Never: a number in the outbox, the
//! list of differences, the interface log, an address or an error. Every format here is assumed (想定): no real
//! 統合宛名 specification is public. S0-11, S0-25; decision 0030.

mod batch;
mod calls;
mod config;
mod contract;
mod differences;
mod error;
mod files;
mod https;
mod outbox;
mod port;
mod reconcile;
mod schema;
mod sender;
mod status;
#[cfg(test)]
mod tests;

use std::pin::Pin;
use std::sync::Arc;

use mimamori_kernel::id::NumberRef;

use crate::Number;

pub use calls::{CallLine, calls};
pub use config::{FilesConfig, HttpsConfig, LinkConfig};
pub use contract::openapi;
pub use differences::{Decision, Difference, DifferenceKind, differences};
pub use error::LinkError;
pub use outbox::{ActKind, put};
pub use schema::{LINK_ITEMS, LINK_MIGRATIONS};
pub(crate) use sender::Connector;
pub use status::{Counts, LinkState, Status, counts, status};

/// What opening gives: the number behind a reference, none when it was deleted.
pub(crate) type Opened = Pin<Box<dyn Future<Output = Result<Option<Number>, LinkError>> + Send>>;

/// How the sender gets a number in the moment it tells it: the vault's own reading.
#[derive(Clone)]
pub(crate) struct Opener(Arc<dyn Fn(NumberRef) -> Opened + Send + Sync>);

impl Opener {
    pub fn new(open: impl Fn(NumberRef) -> Opened + Send + Sync + 'static) -> Self {
        Self(Arc::new(open))
    }

    async fn open(&self, reference: NumberRef) -> Result<Option<Number>, LinkError> {
        (self.0)(reference).await
    }
}
