//! What a permit for one person's record changes or lets out.

use mimamori_kernel::clock::Instant;
use mimamori_storage::Statement;
use mimamori_trace::Act;

use super::PersonPermit;
use crate::error::GateError;
use crate::facts::{Facts, first_subject_statement, subject_statement};
use crate::hidden::{Hidden, Revealed};
use crate::out::{Stamp, within_cap};

impl PersonPermit {
    /// Makes a change of this person's data together with its line; `facts` when they change too.
    /// A statement that expects a number of rows and meets another undoes the whole change.
    ///
    /// Errors: [`GateError::Refused`] when a class of the action is withheld: nobody changes what
    /// he may not see, or what his own scope lets him only read. [`GateError::Rules`] for statements outside the room's tables.
    pub async fn change(
        self,
        statements: Vec<Statement>,
        facts: Option<Facts>,
    ) -> Result<u64, GateError> {
        let permit = self.whole().await?;
        permit.gate.reach(permit.action)?.check_write(&statements)?;
        // The facts first: the room's own statements may go on from them.
        let facts = facts.map(|f| match permit.version {
            0 => first_subject_statement(&permit.person, f),
            _ => subject_statement(&permit.person, f),
        });
        let touches_subjects = facts.is_some();
        let changes = facts.into_iter().chain(statements).collect();
        let line = Act {
            changes,
            touches_subjects,
            ..permit.line()
        };
        Ok(permit.gate.trace.record(line).await?.line())
    }

    /// The same for a change that is worked out from hidden values: nothing of them is shown.
    ///
    /// Errors: as [`Self::change`].
    pub async fn change_hidden(
        self,
        change: Hidden<(Vec<Statement>, Option<Facts>)>,
    ) -> Result<u64, GateError> {
        let (statements, facts) = change.0;
        self.change(statements, facts).await
    }

    /// The person's facts with some bits set and others cleared, for [`Self::change`].
    pub fn facts_with(&self, set: i64, clear: i64) -> Facts {
        Facts(self.facts.0 & !clear | set)
    }

    /// The permit itself when it covers every class of its action.
    ///
    /// Errors: [`GateError::Refused`], after the refusal's line.
    pub async fn whole(self) -> Result<Self, GateError> {
        if self.withheld.is_empty() {
            let Some(refused) = self
                .gate
                .unwritable(&self.visitor, self.action, self.purpose)
            else {
                return Ok(self);
            };
            self.refuse(&refused).await?;
            return Err(GateError::Refused(refused));
        }
        let policies = self.withheld.iter().flat_map(|w| w.policy.split(','));
        let refused = self.gate.rules().refusal(policies);
        self.refuse(&refused).await?;
        match self.late {
            true => Err(GateError::StepUp),
            false => Err(GateError::Refused(refused)),
        }
    }

    /// Opens the value for paper or a file, together with the room's own record of it.
    ///
    /// Errors: [`GateError::Rules`] when the action is no way out or no reason was given,
    /// [`GateError::Refused`] beyond what the visitor may take out in a day, and as [`Self::whole`] when the room
    /// records something with it.
    pub async fn take_out<T>(
        self,
        hidden: Hidden<T>,
        changes: Vec<Statement>,
        at: Instant,
    ) -> Result<(Revealed<T>, Stamp), GateError> {
        within_cap(self.action, 1)?;
        if self.reason.is_none() {
            return Err(GateError::Rules("a way out needs a reason".into()));
        }
        let permit = match changes.is_empty() {
            true => self,
            false => self.whole().await?,
        };
        permit.gate.reach(permit.action)?.check_write(&changes)?;
        let line = Act {
            changes,
            ..permit.line()
        };
        let stamp = permit.gate.record_out(&permit.visitor, line, 1, at).await?;
        Ok((Revealed::new(hidden.0, stamp.line), stamp))
    }
}
