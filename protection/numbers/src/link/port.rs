//! The one port: what the office needs from 統合宛名, whichever way it goes.

use std::sync::{Mutex, PoisonError};

use mimamori_kernel::clock::Instant;

use super::files::Files;
use super::https::Https;
use super::{ActKind, LinkError};
use crate::Number;

/// One act to be told.
pub(super) struct Order {
    /// 32 hexadecimal digits; the same act has the same key for ever.
    pub key: String,
    pub kind: ActKind,
    pub address: String,
    /// None for a deletion.
    pub number: Option<Number>,
}

/// What the other end answered to an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub address: String,
    /// 団体内統合宛名番号; none for a deletion.
    pub joint: Option<String>,
}

/// What the other end holds for a 宛名番号.
#[derive(Debug)]
pub(crate) struct Held {
    pub address: String,
    /// 団体内統合宛名番号.
    pub joint: String,
    pub number: Number,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nobody there, too slow, too busy: everything waits. At least so many seconds, if told.
    Away(&'static str, u64),
    /// An answer that cannot be used: this act is tried again later.
    Unclear(&'static str),
    /// The other end says no, with its word.
    Refused(String),
}

impl From<Failure> for LinkError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Away(code, _) | Failure::Unclear(code) => Self::Away(code.to_owned()),
            Failure::Refused(code) => Self::Refused(code),
        }
    }
}

/// One line of the interface log (S0-25): nothing in it says who.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub at: Instant,
    pub what: &'static str,
    pub code: String,
    pub sent: usize,
    pub received: usize,
    pub records: usize,
    pub micros: i64,
}

/// Lines that wait for the next transaction.
#[derive(Debug, Default)]
pub(super) struct CallLog(Mutex<Vec<Call>>);

impl CallLog {
    pub fn push(&self, call: Call) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(call);
    }

    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The two ways.
pub(super) enum Port {
    Https(std::sync::Arc<Https>),
    Files(Files),
}

impl Port {
    /// What the other end holds for a person; none when it knows nobody there.
    pub async fn inquire(&self, address: &str) -> Result<Option<Held>, LinkError> {
        let Self::Https(https) = self else {
            return Err(LinkError::NotByFile);
        };
        let held = match https.inquire(address).await {
            Ok(held) => held,
            Err(Failure::Refused(code)) if code == "unknown-address" => return Ok(None),
            Err(failure) => return Err(failure.into()),
        };
        // An answer about somebody else is no answer.
        if held.address != address {
            return Err(LinkError::Away("other-person".into()));
        }
        Ok(Some(held))
    }
}
