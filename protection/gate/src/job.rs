//! Permits of jobs: a fixed action and purpose, and the person who ordered it.

use mimamori_identity::{AuthLevel, Visitor};
use mimamori_kernel::id::{OrgId, UserId};
use mimamori_storage::{Row, Statement, Value};
use mimamori_trace::{Act, Decision};

use crate::class::{Class, Classes};
use crate::decide::{Action, Gate, Purpose, Question};
use crate::error::GateError;
use crate::facts::Facts;
use crate::reach::Reach;

/// Role and organisation kind, in policies, of a job that nobody signed in for.
pub(crate) const SYSTEM: (&str, &str) = ("system", "machine");

/// The right of one job to write the tables of its room.
#[derive(Debug)]
pub struct JobPermit {
    gate: Gate,
    action: Action,
    purpose: Purpose,
    policy: String,
    reach: Reach,
    ordered_by: Option<(UserId, OrgId, i64)>,
}

impl Gate {
    /// A job of the system, ordered by a visitor or by an operator at the machine (`None`). A job
    /// shows nobody anything: it is permitted when its action is, for the class `aggregate`.
    ///
    /// Errors: [`GateError::Refused`], after the refusal's line.
    pub async fn job(
        &self,
        action: Action,
        ordered_by: Option<&Visitor>,
    ) -> Result<JobPermit, GateError> {
        let purpose = Purpose::Operation;
        let question = match ordered_by {
            // A job changes many classes at once: nobody orders one whose own scope is narrowed.
            Some(v) => Question {
                in_scope: v.scope.write == u32::MAX,
                ..self.question(v, action, purpose, Class::Aggregate, Facts::default())
            },
            None => Question {
                role: SYSTEM.0,
                org_kind: SYSTEM.1,
                standing: AuthLevel::Password.into(),
                action,
                purpose,
                class: Class::Aggregate,
                facts: Facts::default(),
                own: false,
                care: false,
                proxy: false,
                in_scope: true,
                in_contract: true,
            },
        };
        let answer = self.decide(question);
        let mut permit = JobPermit {
            gate: self.clone(),
            action,
            purpose,
            policy: answer.policies.join(","),
            reach: self.reach(action)?,
            ordered_by: ordered_by.map(|v| (v.user, v.org, v.epoch)),
        };
        if answer.allowed {
            return Ok(permit);
        }
        let refused = self.refusal(&answer);
        permit.policy.clone_from(&refused.policy);
        let line = Act {
            decision: Decision::Refused,
            ..permit.act()
        };
        self.trace.record(line).await?;
        Err(match ordered_by {
            Some(visitor) => Self::told(visitor, refused),
            None => GateError::Refused(refused),
        })
    }
}

impl JobPermit {
    /// Rows of the room's own tables and declared extracts; never to be shown to anyone.
    ///
    /// Errors: [`GateError::Rules`] when the text names another table.
    pub async fn rows(&self, sql: &str, args: Vec<Value>) -> Result<Vec<Row>, GateError> {
        self.reach.check_read(sql)?;
        Ok(self.gate.db.fetch(sql, args).await?)
    }

    /// Writes staging rows in one durable transaction; nobody can see them yet.
    ///
    /// Errors: as [`Self::rows`], and when a statement is not a write of the room's own tables.
    pub async fn stage(&self, statements: Vec<Statement>) -> Result<(), GateError> {
        self.reach.check_write(&statements)?;
        Ok(self.gate.trace.upkeep(statements, false).await?)
    }

    /// Makes a change together with its line; `text` is a summary with counts, no names.
    ///
    /// Errors: as [`Self::stage`].
    pub async fn change(
        &self,
        text: &str,
        statements: Vec<Statement>,
        touches_subjects: bool,
    ) -> Result<u64, GateError> {
        self.reach.check_write(&statements)?;
        let act = Act {
            policy: format!("{} {text}", self.policy),
            changes: statements,
            touches_subjects,
            ..self.act()
        };
        Ok(self.gate.trace.record(act).await?.line())
    }

    fn act(&self) -> Act {
        Act {
            actor: self.ordered_by.map(|o| o.0),
            epoch: self.ordered_by.map_or(0, |o| o.2),
            org: self.ordered_by.map(|o| o.1),
            role: SYSTEM.0.into(),
            action: self.action.code(),
            purpose: self.purpose.code(),
            classes: Classes::of(&[Class::Aggregate]).bits(),
            decision: Decision::Allowed,
            policy: self.policy.clone(),
            shown: vec![],
            details: None,
            changes: vec![],
            ground: self.gate.trace.ground(),
            touches_subjects: false,
            touches_accounts: false,
        }
    }
}
