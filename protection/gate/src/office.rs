//! Permits for the office's own records: users, organisations, contracts. No resident's data.

use std::sync::Arc;

use mimamori_identity::{
    Account, AccountChange, ApprovalKey, Contract, Designation, KnownPasskey, OrgKind,
    Organisation, Terminal, Ties, Visitor, account_by_id, approval_keys, contracts, designations,
    organisations, passkeys, staff_accounts, suspended_passkeys, terminals, ties,
};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::UserId;
use mimamori_storage::{Statement, Value};
use mimamori_trace::{Act, Decision, Details, Ground, Scope};

use crate::class::{Class, Classes};
use crate::decide::{Action, Gate, Purpose, Question};
use crate::error::GateError;
use crate::facts::Facts;
use crate::hidden::{Field, Hidden, Record, Revealed};
use crate::out::{STEP_UP, Stamp, on_screen, within_cap};
use crate::permit::{act, columns, record};

/// What a rule decided to write.
#[derive(Debug, Default)]
pub struct Change {
    /// Writes of the room's own tables.
    pub statements: Vec<Statement>,
    /// Writes of accounts, made by identity.
    pub accounts: AccountChange,
    /// Words for the line, sealed: about whom, and why.
    pub words: String,
}

/// The right to read or change the office's own records once. Not `Clone`, made only by the gate.
///
/// A room reads its own tables and, through identity's words, accounts, organisations and
/// contracts; it can look at what it read only after the line stands. A rule works in the dark:
/// [`OfficePermit::change`] hands it what was read and writes what it decides.
#[derive(Debug)]
#[must_use = "a permit that is not used leaves no line"]
pub struct OfficePermit {
    gate: Gate,
    visitor: Visitor,
    action: Action,
    purpose: Purpose,
    ground: Ground,
    allowed: Classes,
    policies: String,
}

impl Gate {
    /// Asks for the office's records; `about` is the user whom the act is about, if it is one.
    ///
    /// Errors: [`GateError::Refused`] when any class of the action is closed, after the refusal's
    /// line; for visitors outside the town's departments that is [`GateError::NotFound`]. [`GateError::StepUp`] for
    /// an act that gives rights without a fresh verification.
    pub async fn office(
        &self,
        visitor: &Visitor,
        action: Action,
        purpose: Purpose,
        about: Option<UserId>,
    ) -> Result<OfficePermit, GateError> {
        let ground = self.trace.ground();
        let (mut policies, mut refusals) = (Vec::new(), Vec::new());
        for class in action.classes() {
            // Residents' data has its own permits.
            if class.about_residents() {
                return Err(GateError::Rules(format!(
                    "{} is not an act of the office",
                    action.code()
                )));
            }
            let answer = self.decide(Question {
                own: about == Some(visitor.user),
                ..self.question(visitor, action, purpose, *class, Facts::default())
            });
            match answer.allowed {
                true => policies.extend(answer.policies.iter().cloned()),
                false => refusals.push(self.refusal(&answer)),
            }
        }
        policies.sort();
        policies.dedup();
        let permit = OfficePermit {
            gate: self.clone(),
            visitor: visitor.clone(),
            action,
            purpose,
            ground,
            allowed: Classes::of(action.classes()),
            policies: policies.join(","),
        };
        if refusals.is_empty() {
            if action.grants() && self.stale(visitor) {
                permit.refuse(STEP_UP).await?;
                return Err(GateError::StepUp);
            }
            return Ok(permit);
        }
        let refused = self.merge(&refusals);
        permit.refuse(&refused.policy).await?;
        Err(Self::told(visitor, refused))
    }
}

impl OfficePermit {
    fn line(&self) -> Act {
        Act {
            classes: self.allowed.bits(),
            policy: self.policies.clone(),
            ..act(&self.visitor, self.action, self.purpose, self.ground)
        }
    }

    async fn refuse(&self, policy: &str) -> Result<(), GateError> {
        let line = Act {
            decision: Decision::Refused,
            policy: policy.to_owned(),
            ..self.line()
        };
        self.gate.trace.record(line).await?;
        Ok(())
    }

    /// The line of something that is not there.
    ///
    /// Errors: always [`GateError::NotFound`], or why no line could be written.
    pub async fn missing<T>(self) -> Result<T, GateError> {
        self.refuse("missing").await?;
        Err(GateError::NotFound)
    }

    /// Rows of one of the room's own tables; `filter` is SQL after `WHERE`, with an order if wanted.
    ///
    /// Errors: [`GateError::Rules`] for a table of another room or a column of a class that the
    /// action does not name.
    pub async fn fetch(
        &self,
        table: &'static str,
        names: &[&'static str],
        filter: &'static str,
        args: Vec<Value>,
    ) -> Result<Hidden<Vec<Record>>, GateError> {
        for (name, class) in columns(&self.gate, table, names)? {
            if !self.allowed.contains(class) {
                return Err(GateError::Rules(format!(
                    "{table}.{name} is {}",
                    class.code()
                )));
            }
        }
        let sql = format!("SELECT {} FROM {table} WHERE {filter}", names.join(", "));
        self.gate.reach(self.action)?.check_read(&sql)?;
        let rows = self.gate.db.fetch(&sql, args).await?;
        let names = Arc::new(names.to_vec());
        let shown =
            |row: mimamori_storage::Row| record(&names, row.0.into_iter().map(Field::Shown));
        Ok(Hidden(rows.into_iter().map(shown).collect()))
    }

    fn staff(&self) -> Result<(), GateError> {
        let counted = self.allowed.contains(Class::Aggregate);
        match self.allowed.contains(Class::Staff) || counted {
            true => Ok(()),
            false => Err(GateError::Rules(format!(
                "{} reads no accounts",
                self.action.code()
            ))),
        }
    }

    /// Accounts of everybody but the citizens, by login; roles and contracts as of `at`. An action of counts alone must count
    /// them in the dark ([`Hidden::map`]) before it reveals.
    pub async fn accounts(&self, at: Instant) -> Result<Hidden<Vec<Account>>, GateError> {
        self.staff()?;
        Ok(Hidden(staff_accounts(&self.gate.db, at.0).await?))
    }

    /// One account; none for a citizen's.
    pub async fn account(
        &self,
        user: &UserId,
        at: Instant,
    ) -> Result<Hidden<Option<Account>>, GateError> {
        self.staff()?;
        let found = account_by_id(&self.gate.db, user, at.0).await?;
        Ok(Hidden(found.filter(|a| a.org.kind != OrgKind::Citizens)))
    }

    /// The residents that one user declared to be himself and his household.
    pub async fn ties(&self, user: &UserId) -> Result<Hidden<Ties>, GateError> {
        self.staff()?;
        Ok(Hidden(ties(&self.gate.db, user).await?))
    }

    /// All passkeys that one user ever had.
    pub async fn passkeys(&self, user: &UserId) -> Result<Hidden<Vec<KnownPasskey>>, GateError> {
        self.staff()?;
        Ok(Hidden(passkeys(&self.gate.db, user).await?))
    }

    /// The public keys with which one user may sign off a package now.
    pub async fn approval_keys(
        &self,
        user: &UserId,
    ) -> Result<Hidden<Vec<ApprovalKey>>, GateError> {
        self.staff()?;
        Ok(Hidden(approval_keys(&self.gate.db, user).await?))
    }

    /// Passkeys of all users whose counter went back.
    pub async fn suspended_passkeys(
        &self,
    ) -> Result<Hidden<Vec<(UserId, KnownPasskey)>>, GateError> {
        self.staff()?;
        Ok(Hidden(suspended_passkeys(&self.gate.db).await?))
    }

    /// All designations of handlers.
    pub async fn designations(&self) -> Result<Hidden<Vec<Designation>>, GateError> {
        self.staff()?;
        Ok(Hidden(designations(&self.gate.db).await?))
    }

    /// All registered terminals.
    pub async fn terminals(&self) -> Result<Hidden<Vec<Terminal>>, GateError> {
        self.staff()?;
        Ok(Hidden(terminals(&self.gate.db).await?))
    }

    /// All organisations.
    pub async fn organisations(&self) -> Result<Hidden<Vec<Organisation>>, GateError> {
        self.staff()?;
        Ok(Hidden(organisations(&self.gate.db).await?))
    }

    /// All contracts.
    pub async fn contracts(&self) -> Result<Hidden<Vec<Contract>>, GateError> {
        self.staff()?;
        Ok(Hidden(contracts(&self.gate.db).await?))
    }

    /// Writes the line and opens the value.
    ///
    /// Errors: [`GateError::Rules`] for a way out, which needs [`Self::take_out`].
    pub async fn reveal<T>(self, hidden: Hidden<T>) -> Result<Revealed<T>, GateError> {
        on_screen(self.action)?;
        let receipt = self.gate.trace.record(self.line()).await?;
        Ok(Revealed::new(hidden.0, receipt.line()))
    }

    /// Lets a rule decide on what was read, and writes its change with the line, all or nothing.
    /// What the rule gives back may be shown afterwards. When the rule refuses, nothing is written.
    ///
    /// Errors: those of the rule; [`GateError::Rules`] for statements outside the room's tables;
    /// a conflict when an expectation of the change is not met.
    pub async fn change<T, U, E: From<GateError>>(
        self,
        known: Hidden<T>,
        at: Instant,
        rule: impl FnOnce(T) -> Result<(Change, U), E>,
    ) -> Result<Revealed<U>, E> {
        on_screen(self.action)?;
        let (change, then) = rule(known.0)?;
        let act = self.with(change, at)?;
        let receipt = self.gate.trace.record(act).await;
        Ok(Revealed::new(
            then,
            receipt.map_err(GateError::from)?.line(),
        ))
    }

    /// [`Self::change`] whose outcome leaves the screen: counted for `persons` users, with its stamp.
    ///
    /// Errors: those of [`Self::change`] and [`Self::take_out`]; nothing is written then.
    pub async fn issue<T, U, E: From<GateError>>(
        self,
        known: Hidden<T>,
        persons: u32,
        at: Instant,
        rule: impl FnOnce(T) -> Result<(Change, U), E>,
    ) -> Result<(Revealed<U>, Stamp), E> {
        within_cap(self.action, persons)?;
        let (change, then) = rule(known.0)?;
        let line = self.with(change, at)?;
        let stamp = self
            .gate
            .record_out(&self.visitor, line, persons, at)
            .await?;
        Ok((Revealed::new(then, stamp.line), stamp))
    }

    /// The line with a change.
    fn with(&self, change: Change, at: Instant) -> Result<Act, GateError> {
        self.gate
            .reach(self.action)?
            .check_write(&change.statements)?;
        let touches_accounts = !change.accounts.is_empty();
        let mut changes = change.accounts.into_statements();
        changes.extend(change.statements);
        Ok(Act {
            details: Some(Details {
                scope: Scope::SearchMonth(at),
                text: change.words,
            }),
            changes,
            touches_accounts,
            ..self.line()
        })
    }

    /// Opens the value for paper or a file of one user, with its reason and the room's own record.
    ///
    /// Errors: [`GateError::Rules`] when the action is no way out, [`GateError::Refused`] beyond
    /// what the visitor may take out in a day.
    pub async fn take_out<T>(
        self,
        hidden: Hidden<T>,
        change: Change,
        at: Instant,
    ) -> Result<(Revealed<T>, Stamp), GateError> {
        within_cap(self.action, 1)?;
        let line = self.with(change, at)?;
        let stamp = self.gate.record_out(&self.visitor, line, 1, at).await?;
        Ok((Revealed::new(hidden.0, stamp.line), stamp))
    }
}
