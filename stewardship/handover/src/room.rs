//! What the room's pages share: gate, clock, randomness, folders, keys, and whom to ask about the papers.

use std::path::PathBuf;
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use mimamori_encryption::Secret;
use mimamori_gate::Gate;
use mimamori_kernel::clock::Clock;
use mimamori_kernel::random::Random;
use mimamori_package::Limits;
use sha2::{Digest as _, Sha256};

use crate::grant::Grants;
use crate::scan::Scanner;

/// The newest signed position of the trace: size and root in hexadecimal; none before the first.
pub type Position = Arc<dyn Fn() -> Option<(i64, String)> + Send + Sync>;

/// How approvals are verified here.
#[derive(Clone, Default)]
pub struct Proof {
    /// Origin of the passkeys, for example `https://mimamori.town.example`.
    pub origin: Option<String>,
    /// Key of the demo's labelled face terminal; none elsewhere.
    pub simulated: Option<Arc<SigningKey>>,
}

impl Proof {
    /// The relying party of the passkeys: the origin's host.
    pub(crate) fn rp_id(&self) -> String {
        let host = self.origin.as_deref().and_then(|o| o.split_once("://"));
        let host = host.map_or("", |(_, host)| host);
        host.split_once(':')
            .map_or(host, |(name, _)| name)
            .to_owned()
    }
}

/// Settings of the instance.
#[derive(Clone)]
pub struct Settings {
    /// Name of the town, the sender.
    pub town: String,
    /// Folder with `outgoing`, `images`, `incoming` and `quarantine`.
    pub folder: PathBuf,
    /// A secret of the instance, from which the room makes its own keys.
    pub secret: Secret,
    /// Approvals.
    pub proof: Proof,
    /// The virus scanner; without one two people release what came in.
    pub scanner: Option<Scanner>,
}

/// What the room's pages need. Cheap to clone.
#[derive(Clone)]
pub struct Handover {
    pub(crate) gate: Gate,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) settings: Settings,
    pub(crate) position: Position,
    pub(crate) grants: Grants,
    pub(crate) limits: Limits,
}

impl Handover {
    /// The room over a gate; `grants` is asked what a contract opens.
    pub fn new(
        gate: Gate,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        settings: Settings,
        position: Position,
        grants: Grants,
    ) -> Self {
        Self {
            gate,
            clock,
            random,
            settings,
            position,
            grants,
            limits: Limits {
                // What is approved waits in the register as one sealed value.
                bytes: 64 << 20,
                ..Limits::default()
            },
        }
    }

    /// A key of the room's own for one use.
    pub(crate) fn key(&self, what: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"mimamori-handover-1\n");
        hash.update(what);
        hash.update(b"\n");
        hash.update(self.settings.secret.bytes());
        hash.finalize().into()
    }
}
