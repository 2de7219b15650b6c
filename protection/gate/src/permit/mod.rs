//! A permit for one person's record.

mod ask;
mod change;

use std::sync::Arc;

use mimamori_identity::Visitor;
use mimamori_kernel::id::{OrgId, PersonId};
use mimamori_storage::{Row, Value};
use mimamori_trace::{Act, Decision, Details, Ground, Receipt, Scope, Shown};

use crate::case::Case;
use crate::class::{Class, Classes};
use crate::decide::{Action, Gate, Purpose, Withheld};
use crate::error::{GateError, Refused};
use crate::facts::Facts;
use crate::hidden::{Field, Hidden, Record, Revealed};
use crate::out::on_screen;
use crate::same::Same;

/// Why an officer opens a record; sealed in the trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(pub String);

/// The right to read one person's record once. Not `Clone`, made only by the gate.
///
/// A permit can be handed on:
///
/// ```
/// use mimamori_gate::PersonPermit;
/// fn hand_on(permit: PersonPermit) -> PersonPermit {
///     permit
/// }
/// ```
///
/// but not be changed, or made, by naming its fields:
///
/// ```compile_fail,E0451
/// use mimamori_gate::PersonPermit;
/// fn hand_on(permit: PersonPermit) -> PersonPermit {
///     PersonPermit { ..permit }
/// }
/// ```
///
/// nor be used twice:
///
/// ```compile_fail,E0599
/// use mimamori_gate::PersonPermit;
/// fn hand_on(permit: PersonPermit) -> PersonPermit {
///     permit.clone()
/// }
/// ```
///
/// nor be opened to widen what it allows:
///
/// ```compile_fail,E0616
/// use mimamori_gate::PersonPermit;
/// fn hand_on(permit: PersonPermit) -> PersonPermit {
///     let _ = &permit.allowed;
///     permit
/// }
/// ```
#[derive(Debug)]
#[must_use = "a permit that is not used leaves no line"]
pub struct PersonPermit {
    pub(crate) gate: Gate,
    visitor: Visitor,
    pub(crate) action: Action,
    purpose: Purpose,
    pub(crate) person: PersonId,
    pub(crate) facts: Facts,
    pub(crate) same: Same,
    pub(crate) version: i64,
    ground: Ground,
    allowed: Classes,
    /// What is withheld would open after a verification.
    late: bool,
    withheld: Vec<Withheld>,
    policies: Vec<String>,
    case: Option<Case>,
    reason: Option<Reason>,
}

/// The columns to fetch, withheld ones left out; names in the order asked.
pub(crate) fn columns(
    gate: &Gate,
    table: &str,
    names: &[&'static str],
) -> Result<Vec<(&'static str, Class)>, GateError> {
    names
        .iter()
        .map(|name| Ok((*name, gate.catalogue().class(table, name)?)))
        .collect()
}

/// Puts a row's values back into the order asked, withheld columns marked.
pub(crate) fn record(
    names: &Arc<Vec<&'static str>>,
    fields: impl Iterator<Item = Field>,
) -> Record {
    Record {
        names: names.clone(),
        fields: fields.collect(),
    }
}

pub(crate) fn act(visitor: &Visitor, action: Action, purpose: Purpose, ground: Ground) -> Act {
    Act {
        actor: Some(visitor.user),
        epoch: visitor.epoch,
        org: Some(visitor.org),
        role: visitor.role.code().into(),
        action: action.code(),
        purpose: purpose.code(),
        classes: 0,
        decision: Decision::Allowed,
        policy: String::new(),
        shown: vec![],
        details: None,
        changes: vec![],
        ground: ground.with_account_checked(),
        touches_subjects: false,
        touches_accounts: false,
    }
}

impl PersonPermit {
    /// The person.
    pub fn person(&self) -> PersonId {
        self.person
    }

    /// The note or queue item of this visitor, person and office day; the line carries its mark.
    pub fn case(&self) -> Option<Case> {
        self.case
    }

    /// What is kept back, and why.
    pub fn withheld(&self) -> &[Withheld] {
        &self.withheld
    }

    /// Whether a class may be shown.
    pub fn allows(&self, class: Class) -> bool {
        self.allowed.contains(class)
    }

    /// Rows of this person in `table`; `filter` is further SQL after `person = ? AND`, with an order if wanted.
    pub async fn fetch(
        &self,
        table: &'static str,
        names: &[&'static str],
        filter: &'static str,
        args: Vec<Value>,
    ) -> Result<Hidden<Vec<Record>>, GateError> {
        let asked = columns(&self.gate, table, names)?;
        let open: Vec<&str> = asked
            .iter()
            .filter(|(_, c)| self.allowed.contains(*c))
            .map(|(n, _)| *n)
            .collect();
        let list = if open.is_empty() {
            "person".to_owned()
        } else {
            open.join(", ")
        };
        let mut values = vec![self.person.bytes().into()];
        values.extend(args);
        let rows: Vec<Row> = self
            .gate
            .db
            .fetch(
                &format!("SELECT {list} FROM {table} WHERE person = ? AND {filter}"),
                values,
            )
            .await?;
        let names = Arc::new(names.to_vec());
        Ok(Hidden(
            rows.into_iter()
                .map(|row| {
                    let mut fetched = row.0.into_iter();
                    record(
                        &names,
                        asked
                            .iter()
                            .map(|(_, class)| match self.allowed.contains(*class) {
                                true => {
                                    fetched.next().map_or(Field::Withheld(*class), Field::Shown)
                                }
                                false => Field::Withheld(*class),
                            }),
                    )
                })
                .collect(),
        ))
    }

    /// Whether the row of this person in `table` that `filter` names still has these technical
    /// values, such as the version that a form was made from. Nothing of the person is learned, so
    /// there is no line.
    ///
    /// Errors: [`GateError::Rules`] for a column that is not technical.
    pub async fn stands(
        &self,
        table: &'static str,
        filter: &'static str,
        values: &[(&'static str, i64)],
    ) -> Result<bool, GateError> {
        let names: Vec<&'static str> = values.iter().map(|v| v.0).collect();
        for (name, class) in columns(&self.gate, table, &names)? {
            if class != Class::Technical {
                return Err(GateError::Rules(format!("{table}.{name} is not technical")));
            }
        }
        let same: String = names.iter().map(|n| format!(" AND {n} = ?")).collect();
        let sql = format!("SELECT 1 FROM {table} WHERE person = ? AND {filter}{same}");
        let mut args = vec![self.person.bytes().into()];
        args.extend(values.iter().map(|v| Value::from(v.1)));
        Ok(self.gate.db.fetch_one(&sql, args).await?.is_some())
    }

    /// The same look from a work queue (処理待ち): while a row of the person in `table` of the action's room meets
    /// `waiting`, the line says so, and the look is no look without a case (S0-45).
    ///
    /// Errors: [`GateError::Rules`] for a table of another room.
    pub async fn on_queue(
        mut self,
        table: &'static str,
        waiting: &'static str,
    ) -> Result<Self, GateError> {
        let sql = format!("SELECT 1 FROM {table} WHERE person = ? AND ({waiting})");
        self.gate.reach(self.action)?.check_own(&sql)?;
        let args = vec![self.person.bytes().into()];
        if self.case.is_none() && self.gate.db.fetch_one(&sql, args).await?.is_some() {
            self.case = Some(Case::Queue);
            self.policies.push(Case::Queue.mark().to_owned());
        }
        Ok(self)
    }

    pub(crate) fn line(&self) -> Act {
        let token = self.gate.trace.token(&self.person);
        Act {
            classes: self.allowed.bits(),
            policy: self.policies.join(","),
            shown: vec![Shown {
                person: self.person,
                token,
                version: self.version,
            }],
            details: self.reason.as_ref().map(|r| Details {
                scope: Scope::Reason(token),
                text: r.0.clone(),
            }),
            ..act(&self.visitor, self.action, self.purpose, self.ground)
        }
    }

    async fn refuse(&self, refused: &Refused) -> Result<(), GateError> {
        let line = Act {
            decision: Decision::Refused,
            policy: refused.policy.clone(),
            ..self.line()
        };
        self.gate.trace.record(line).await?;
        Ok(())
    }

    /// Writes the line and opens the value.
    ///
    /// Errors: [`GateError::Rules`] for a way out, which needs [`Self::take_out`].
    pub async fn reveal<T>(self, hidden: Hidden<T>) -> Result<Revealed<T>, GateError> {
        on_screen(self.action)?;
        let receipt: Receipt = self.gate.trace.record(self.line()).await?;
        Ok(Revealed::new(hidden.0, receipt.line()))
    }

    /// Names of all organisations, for the person's own trace: which office looked.
    pub async fn offices(&self) -> Result<Hidden<Vec<(OrgId, String)>>, GateError> {
        let rows = self
            .gate
            .db
            .fetch("SELECT id, name FROM identity_org", vec![])
            .await?;
        let mut out = Vec::with_capacity(rows.len());
        for row in &rows {
            out.push((OrgId::from_bytes(row.array(0)?), row.text(1)?.to_owned()));
        }
        Ok(Hidden(out))
    }
}
