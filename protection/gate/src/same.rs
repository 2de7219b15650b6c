//! Two records of one person (同一人の統合・分離): the merged one keeps its chain, linked to the kept one.

use mimamori_kernel::id::PersonId;
use mimamori_storage::{Migration, Statement};
use mimamori_trace::{Act, Entry, TraceError};

use crate::class::Class;
use crate::decide::Gate;
use crate::error::GateError;
use crate::hidden::Hidden;
use crate::permit::PersonPermit;

/// Who was merged into whom. Nobody is merged into somebody who was merged.
pub(crate) const SAME: Migration = Migration {
    id: "gate-0003",
    ddl: "
CREATE TABLE gate_same (
  person {blob} NOT NULL PRIMARY KEY,
  kept {blob} NOT NULL) {clustered};
CREATE INDEX gate_same_kept ON gate_same (kept);
",
};

/// The links of one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Same {
    kept: Option<PersonId>,
    merged: Vec<PersonId>,
}

impl Same {
    pub(crate) fn merged(&self) -> &[PersonId] {
        &self.merged
    }
}

impl Gate {
    pub(crate) async fn same(&self, person: &PersonId) -> Result<Same, GateError> {
        let rows = self
            .db
            .fetch(
                "SELECT person, kept FROM gate_same WHERE person = ? \
                 UNION ALL SELECT person, kept FROM gate_same WHERE kept = ? ORDER BY 1",
                vec![person.bytes().into(), person.bytes().into()],
            )
            .await?;
        let mut same = Same::default();
        for row in rows {
            let (merged, kept) = (
                PersonId::from_bytes(row.array(0)?),
                PersonId::from_bytes(row.array(1)?),
            );
            match merged == *person {
                true => same.kept = Some(kept),
                false => same.merged.push(merged),
            }
        }
        Ok(same)
    }
}

impl PersonPermit {
    /// The record into which this one was merged; it is opened instead.
    pub fn kept(&self) -> Option<PersonId> {
        self.same.kept
    }

    /// The records that were merged into this one, in a fixed order; number `n` of them has chain `n + 1`.
    pub fn merged(&self) -> &[PersonId] {
        self.same.merged()
    }

    /// Merges this person's record into `kept`, with the room's own writes. One line names both,
    /// so that either chain leads to the other.
    ///
    /// Errors: as [`PersonPermit::change`]; a conflict `gate-same` when one of the two is merged
    /// already or others were merged into this one.
    pub async fn merge_into(
        self,
        kept: Self,
        statements: Vec<Statement>,
    ) -> Result<u64, GateError> {
        let (this, that) = (self.person, kept.person);
        let link = Statement::expecting(
            "INSERT INTO gate_same (person, kept) SELECT m.person, k.person FROM gate_subject m, gate_subject k \
             WHERE m.person = ? AND k.person = ? AND m.person <> k.person \
             AND NOT EXISTS (SELECT 1 FROM gate_same g WHERE g.person IN (m.person, k.person) OR g.kept = m.person)",
            vec![this.bytes().into(), that.bytes().into()],
            1,
            "gate-same",
        );
        self.both(kept, link, statements).await
    }

    /// Undoes [`PersonPermit::merge_into`]; again one line names both.
    ///
    /// Errors: as [`PersonPermit::change`]; a conflict `gate-same` when they are not linked.
    pub async fn split_from(
        self,
        kept: Self,
        statements: Vec<Statement>,
    ) -> Result<u64, GateError> {
        let cut = Statement::expecting(
            "DELETE FROM gate_same WHERE person = ? AND kept = ?",
            vec![self.person.bytes().into(), kept.person.bytes().into()],
            1,
            "gate-same",
        );
        self.both(kept, cut, statements).await
    }

    async fn both(
        self,
        kept: Self,
        link: Statement,
        statements: Vec<Statement>,
    ) -> Result<u64, GateError> {
        let (this, kept) = (self.whole().await?, kept.whole().await?);
        if this.action != kept.action {
            return Err(GateError::Rules("two actions on one line".into()));
        }
        this.gate.reach(this.action)?.check_write(&statements)?;
        let mut line: Act = kept.line();
        line.shown.extend(this.line().shown);
        line.changes.push(link);
        line.changes.extend(statements);
        line.touches_subjects = true;
        Ok(kept.gate.trace.record(line).await?.line())
    }

    /// The person of a chain: 0 is the record's own, then those of [`PersonPermit::merged`].
    fn chain(&self, chain: usize) -> Result<PersonId, GateError> {
        if !self.allows(Class::AccessLog) {
            return Err(TraceError::Stopped.into());
        }
        match chain {
            0 => Ok(self.person),
            n => self.merged().get(n - 1).copied().ok_or(GateError::NotFound),
        }
    }

    /// The newest entries of a chain of this person, hidden until revealed.
    ///
    /// Errors: [`GateError::NotFound`] when there is no such chain.
    pub async fn entries(
        &self,
        chain: usize,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Hidden<Vec<Entry>>, GateError> {
        let token = self.gate.trace.token(&self.chain(chain)?);
        Ok(Hidden(
            self.gate.trace.entries(&token, before, limit).await?,
        ))
    }

    /// The statement of one chain for the verifier; its own line stands before the file is made.
    ///
    /// Errors: as [`PersonPermit::entries`].
    pub async fn statement(self, chain: usize) -> Result<String, GateError> {
        let trace = self.gate.trace.clone();
        let token = trace.token(&self.chain(chain)?);
        self.reveal(Hidden(())).await?;
        Ok(trace.statement(&token).await?)
    }
}
