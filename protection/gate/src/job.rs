//! Permits of jobs: a fixed action and purpose, and the person who ordered it.

use mimamori_identity::Visitor;
use mimamori_kernel::id::{OrgId, UserId};
use mimamori_storage::{Row, Statement, Value};
use mimamori_trace::{Act, Decision};

use crate::class::{Class, Classes};
use crate::decide::{Action, Gate, Purpose};
use crate::error::GateError;

/// The right of one job to write the tables of its room.
#[derive(Debug)]
pub struct JobPermit {
    gate: Gate,
    action: Action,
    purpose: Purpose,
    ordered_by: Option<(UserId, OrgId, i64)>,
}

impl Gate {
    /// A job of the system, ordered by a visitor or by an operator at the machine (`None`).
    pub fn job(&self, action: Action, ordered_by: Option<&Visitor>) -> JobPermit {
        JobPermit {
            gate: self.clone(),
            action,
            purpose: Purpose::Operation,
            ordered_by: ordered_by.map(|v| (v.user, v.org, v.epoch)),
        }
    }
}

impl JobPermit {
    /// Rows of the job's own bookkeeping or staging tables; never to be shown to anyone.
    pub async fn rows(&self, sql: &str, args: Vec<Value>) -> Result<Vec<Row>, GateError> {
        Ok(self.gate.db.fetch(sql, args).await?)
    }

    /// Writes staging rows in one durable transaction; nobody can see them yet.
    pub async fn stage(&self, statements: Vec<Statement>) -> Result<(), GateError> {
        Ok(self.gate.trace.upkeep(statements, false).await?)
    }

    /// Makes a change together with its line; `text` is a summary with counts, no names.
    pub async fn change(
        &self,
        text: &str,
        statements: Vec<Statement>,
        touches_subjects: bool,
    ) -> Result<u64, GateError> {
        let act = Act {
            actor: self.ordered_by.map(|o| o.0),
            epoch: self.ordered_by.map_or(0, |o| o.2),
            org: self.ordered_by.map(|o| o.1),
            role: "system".into(),
            action: self.action.code(),
            purpose: self.purpose.code(),
            classes: Classes::of(&[Class::Aggregate]).bits(),
            decision: Decision::Allowed,
            policy: text.to_owned(),
            shown: vec![],
            details: None,
            changes: statements,
            ground: self.gate.trace.ground(),
            touches_subjects,
            touches_accounts: false,
        };
        Ok(self.gate.trace.record(act).await?.line())
    }
}
