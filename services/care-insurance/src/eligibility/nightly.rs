//! The derivation inside the running server: once a night, soon after the register changed, or when the
//! lead officer orders it.

use std::sync::{Mutex, PoisonError};

use mimamori_gate::JobPermit;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::PersonId;

use super::job::{Derivation, DeriveError, mark, one, run};
use crate::{CareInsurance, action};

/// How the last derivation of this process went, for the screen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    /// One is at work.
    pub running: bool,
    /// The end of the last one and its counts; none of them when it stopped.
    pub last: Option<(Instant, Option<Derivation>)>,
}

/// What the room keeps of derivations while the process runs.
#[derive(Debug, Default)]
pub(crate) struct Nightly(Mutex<Told>);

impl Nightly {
    pub(crate) fn told(&self) -> Told {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes the turn; false while another one is at work.
    pub(crate) fn begin(&self) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !std::mem::replace(&mut told.running, true)
    }

    fn end(&self, at: Instant, done: Option<Derivation>) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *told = Told {
            running: false,
            last: Some((at, done)),
        };
    }
}

impl CareInsurance {
    /// Derives everybody if that is due (資格の計算, once a day); to be asked every minute or so.
    ///
    /// # Errors
    /// [`DeriveError`]; what was worked out before stays, and it is due again.
    pub async fn nightly(&self, hour: i8, now: Instant) -> Result<Option<Derivation>, DeriveError> {
        let permit = self.gate.job(action::DERIVE, None).await?;
        let last = "SELECT as_of FROM care_insurance_run ORDER BY number DESC LIMIT 1";
        let rows = permit.rows(last, vec![]).await?;
        let last = match rows.first() {
            Some(row) => row.text(0)?.parse().ok(),
            None => None,
        };
        if !now.is_due(hour, last) || !self.nightly.begin() {
            return Ok(None);
        }
        self.work(&permit, now).await.map(Some)
    }

    /// Derives everybody when the register changed since the last derivation began: an entry on
    /// the screen or an import. To be asked every few seconds; what is due is read from the
    /// database, so a restart forgets nothing.
    ///
    /// # Errors
    /// [`DeriveError`]; what was worked out before stays, and it is due again.
    pub async fn follow(&self, now: Instant) -> Result<Option<Derivation>, DeriveError> {
        let permit = self.gate.job(action::DERIVE, None).await?;
        if !behind(&permit).await? || !self.nightly.begin() {
            return Ok(None);
        }
        self.work(&permit, now).await.map(Some)
    }

    /// Whether the register changed since the last derivation began, so that what this room
    /// shows may be older.
    ///
    /// # Errors
    /// [`DeriveError`].
    pub async fn waits(&self) -> Result<bool, DeriveError> {
        behind(&self.gate.job(action::DERIVE, None).await?).await
    }

    /// Derives one person now, so that a screen or a card shows what is so: after an entry by hand, a
    /// decision, or a change of the register.
    ///
    /// # Errors
    /// [`DeriveError`].
    pub(crate) async fn refresh(&self, person: PersonId) -> Result<(), DeriveError> {
        let permit = self.gate.job(action::DERIVE, None).await?;
        one(&permit, &self.codes, person, self.clock.now()).await
    }

    /// The derivation of whoever took the turn by [`Nightly::begin`].
    pub(crate) async fn work(
        &self,
        permit: &JobPermit,
        now: Instant,
    ) -> Result<Derivation, DeriveError> {
        let done = run(permit, &self.codes, &self.numbering, now).await;
        self.nightly
            .end(self.clock.now(), done.as_ref().ok().copied());
        done
    }
}

/// Whether the register is another one than the last derivation read; an empty one needs none.
async fn behind(permit: &JobPermit) -> Result<bool, DeriveError> {
    let last = "SELECT mark FROM care_insurance_run ORDER BY number DESC LIMIT 1";
    let rows = permit.rows(last, vec![]).await?;
    let last = match rows.first() {
        Some(row) => row.text(0)?,
        None => "0 0 0",
    };
    Ok(mark(permit).await? != last)
}
