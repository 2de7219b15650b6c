//! A permit for auditors (監査): the lines of the trace, staff names, the audit room's own tables.
//!
//! Promises: only actions whose classes are `access-log` and `aggregate` can have one, so that no
//! column of a person's record comes through here; what is read is hidden until the audit's own
//! line stands. A person is found by number or id, and only the opaque id comes back (S4-100, S4-101).

use mimamori_identity::Visitor;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{OrgId, PersonId, UserId};
use mimamori_storage::{Row, Statement, Value};
use mimamori_trace::{Act, Details, Ground, LineView, Query, Scope, Shown, Total};

use crate::case::office_day_number;
use crate::class::{Class, Classes};
use crate::decide::{Action, Gate, Purpose};
use crate::error::GateError;
use crate::facts::Facts;
use crate::hidden::{Hidden, Revealed};
use crate::out::{Stamp, Taken, on_screen, within_cap};
use crate::permit::{Reason, act};
use crate::reach::Reach;

/// A user as an auditor sees him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staff {
    /// Account.
    pub user: UserId,
    /// Login name.
    pub login: String,
    /// Name on the screen.
    pub name: String,
    /// Name of the organisation.
    pub org_name: String,
}

fn staff(row: &Row) -> Result<Staff, GateError> {
    Ok(Staff {
        user: UserId::from_bytes(row.array(0)?),
        login: row.text(1)?.to_owned(),
        name: row.text(2)?.to_owned(),
        org_name: row.text(3)?.to_owned(),
    })
}

/// The right of one auditor to read or answer once. Not `Clone`, made only by the gate.
#[derive(Debug)]
#[must_use = "a permit that is not used leaves no line"]
pub struct AuditPermit {
    gate: Gate,
    visitor: Visitor,
    action: Action,
    purpose: Purpose,
    ground: Ground,
    policy: String,
    reach: Reach,
    about: Option<Shown>,
}

impl Gate {
    /// Asks to read the trace, or what the audit room made of it.
    ///
    /// Errors: [`GateError::Refused`] after the refusal's line; [`GateError::Rules`] when the
    /// action touches anything but the access log and counts.
    pub async fn audit(
        &self,
        visitor: &Visitor,
        action: Action,
        purpose: Purpose,
    ) -> Result<AuditPermit, GateError> {
        let open = [Class::AccessLog, Class::Aggregate];
        if !action.classes().iter().all(|c| open.contains(c)) {
            return Err(GateError::Rules(format!("{} is no audit", action.code())));
        }
        let ground = self.trace.ground();
        let reach = self.reach(action)?;
        let (mut refusals, mut policies) = (Vec::new(), Vec::new());
        for class in action.classes() {
            let question = self.question(visitor, action, purpose, *class, Facts::default());
            let answer = self.decide(question);
            match answer.allowed {
                true => policies.extend(answer.policies.iter().cloned()),
                false => refusals.push(self.refusal(&answer)),
            }
        }
        if !refusals.is_empty() || policies.is_empty() {
            let refused = self.merge(&refusals);
            let line = Act {
                decision: mimamori_trace::Decision::Refused,
                classes: Classes::of(action.classes()).bits(),
                policy: refused.policy.clone(),
                ..act(visitor, action, purpose, ground)
            };
            self.trace.record(line).await?;
            return Err(Self::told(visitor, refused));
        }
        policies.sort();
        policies.dedup();
        Ok(AuditPermit {
            gate: self.clone(),
            visitor: visitor.clone(),
            action,
            purpose,
            ground,
            policy: policies.join(","),
            reach,
            about: None,
        })
    }
}

impl AuditPermit {
    /// Lines of the trace that meet `query`, newest first.
    pub async fn lines(
        &self,
        query: &Query,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Hidden<Vec<LineView>>, GateError> {
        self.needs(Class::AccessLog)?;
        Ok(Hidden(self.gate.trace.search(query, before, limit).await?))
    }

    /// Lines of a period by action and decision.
    pub async fn totals(
        &self,
        from: Instant,
        until: Instant,
    ) -> Result<Hidden<Vec<Total>>, GateError> {
        self.needs(Class::Aggregate)?;
        Ok(Hidden(self.gate.trace.totals(from, until).await?))
    }

    /// Who took out how much on the office day of `at`, by name.
    pub async fn taken_out(&self, at: Instant) -> Result<Hidden<Vec<(Staff, Taken)>>, GateError> {
        self.needs(Class::AccessLog)?;
        let sql = "SELECT u.id, u.login, u.name, o.name, t.documents, t.records FROM gate_out t \
            JOIN identity_user u ON u.id = t.taker JOIN identity_org o ON o.id = u.org \
            WHERE t.day = ? ORDER BY t.records DESC, u.login";
        let day = vec![office_day_number(at).into()];
        let mut out = Vec::new();
        for row in &self.gate.db.fetch(sql, day).await? {
            out.push((staff(row)?, Taken::read(row, 4)?));
        }
        Ok(Hidden(out))
    }

    /// Everybody who has or had an account.
    pub async fn staff(&self) -> Result<Hidden<Vec<Staff>>, GateError> {
        let rows = self
            .gate
            .db
            .fetch(
                "SELECT u.id, u.login, u.name, o.name FROM identity_user u JOIN identity_org o ON o.id = u.org",
                vec![],
            )
            .await?;
        let mut out = Vec::with_capacity(rows.len());
        for row in &rows {
            out.push(staff(row)?);
        }
        Ok(Hidden(out))
    }

    /// The account with this login name; nothing of it is shown.
    pub async fn user(&self, login: &str) -> Result<Option<UserId>, GateError> {
        let sql = "SELECT id FROM identity_user WHERE login = ?";
        let row = self.gate.db.fetch_one(sql, vec![login.into()]).await?;
        Ok(row
            .map(|r| r.array(0).map(UserId::from_bytes))
            .transpose()?)
    }

    /// Organisations of this name.
    pub async fn orgs(&self, name: &str) -> Result<Vec<OrgId>, GateError> {
        let sql = "SELECT id FROM identity_org WHERE name = ?";
        let rows = self.gate.db.fetch(sql, vec![name.into()]).await?;
        rows.iter()
            .map(|r| Ok(OrgId::from_bytes(r.array(0)?)))
            .collect()
    }

    /// Opaque ids of persons out of a declared extract; `sql` selects the id alone.
    ///
    /// Errors: [`GateError::Rules`] when the text names a table that is no extract of the room.
    pub async fn persons(&self, sql: &str, args: Vec<Value>) -> Result<Vec<PersonId>, GateError> {
        self.reach.check_read(sql)?;
        let rows = self.gate.db.fetch(sql, args).await?;
        rows.iter()
            .map(|r| Ok(PersonId::from_bytes(r.array(0)?)))
            .collect()
    }

    /// Rows of the room's own tables.
    ///
    /// Errors: [`GateError::Rules`] when the text names another table.
    pub async fn rows(&self, sql: &str, args: Vec<Value>) -> Result<Hidden<Vec<Row>>, GateError> {
        self.reach.check_own(sql)?;
        Ok(Hidden(self.gate.db.fetch(sql, args).await?))
    }

    /// Says whose entries are looked at: the audit's own line then stands in that person's chain too.
    /// False when the register has no such person.
    pub async fn about(&mut self, person: PersonId) -> Result<bool, GateError> {
        let sql = "SELECT version FROM gate_subject WHERE person = ?";
        let row = self
            .gate
            .db
            .fetch_one(sql, vec![person.bytes().into()])
            .await?;
        self.about = match row {
            Some(row) => Some(Shown {
                person,
                token: self.gate.trace.token(&person),
                version: row.int(0)?,
            }),
            None => None,
        };
        Ok(self.about.is_some())
    }

    fn needs(&self, class: Class) -> Result<(), GateError> {
        match self.action.classes().contains(&class) {
            true => Ok(()),
            false => Err(GateError::Rules(format!(
                "{} does not name {}",
                self.action.code(),
                class.code()
            ))),
        }
    }

    fn line(&self, words: Option<(String, Instant)>) -> Act {
        Act {
            classes: Classes::of(self.action.classes()).bits(),
            policy: self.policy.clone(),
            shown: self.about.into_iter().collect(),
            details: words.map(|(text, at)| Details {
                scope: Scope::SearchMonth(at),
                text,
            }),
            ..act(&self.visitor, self.action, self.purpose, self.ground)
        }
    }

    /// Writes the line of a search with its terms sealed; nothing is shown.
    pub async fn searched(self, terms: String, at: Instant) -> Result<u64, GateError> {
        let line = self.line(Some((terms, at)));
        Ok(self.gate.trace.record(line).await?.line())
    }

    /// Writes the line and opens the value.
    ///
    /// Errors: [`GateError::Rules`] for a way out, which needs [`Self::take_out`].
    pub async fn reveal<T>(self, hidden: Hidden<T>) -> Result<Revealed<T>, GateError> {
        on_screen(self.action)?;
        let receipt = self.gate.trace.record(self.line(None)).await?;
        Ok(Revealed::new(hidden.0, receipt.line()))
    }

    /// Changes the room's own tables together with the line; `words` are sealed.
    ///
    /// Errors: [`GateError::Rules`] for other tables; a statement that meets another number of
    /// rows than it expects undoes the whole change.
    pub async fn change(
        self,
        words: String,
        at: Instant,
        statements: Vec<Statement>,
    ) -> Result<u64, GateError> {
        on_screen(self.action)?;
        self.reach.check_write(&statements)?;
        let line = Act {
            changes: statements,
            ..self.line(Some((words, at)))
        };
        Ok(self.gate.trace.record(line).await?.line())
    }

    /// Opens `rows` lines for a file, the reason sealed. [`Stamp::persons`] holds the number of rows.
    ///
    /// Errors: [`GateError::Rules`] when the action is no way out, [`GateError::TooMany`] over its cap,
    /// [`GateError::Refused`] beyond what the auditor may take out in a day.
    pub async fn take_out<T>(
        self,
        hidden: Hidden<T>,
        rows: impl FnOnce(&T) -> u32,
        reason: Reason,
        at: Instant,
    ) -> Result<(Revealed<T>, Stamp), GateError> {
        let rows = rows(&hidden.0);
        within_cap(self.action, rows)?;
        let line = self.line(Some((reason.0, at)));
        let stamp = self.gate.record_out(&self.visitor, line, rows, at).await?;
        Ok((Revealed::new(hidden.0, stamp.line), stamp))
    }
}
