//! A permit for one person's record.

use std::sync::Arc;

use mimamori_identity::{OrgKind, Visitor};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{OrgId, PersonId};
use mimamori_storage::{Row, Statement, Value};
use mimamori_trace::{Act, Decision, Details, Ground, Receipt, Scope, Shown};

use crate::case::{Case, office_day_number};
use crate::class::{Class, Classes};
use crate::decide::{Action, Gate, Purpose, Question, Withheld, within};
use crate::error::{GateError, Refused};
use crate::facts::{Facts, first_subject_statement, subject_statement};
use crate::hidden::{Field, Hidden, Record, Revealed};
use crate::out::{Stamp, on_screen, within_cap};
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

impl Gate {
    /// Asks for one person's record.
    ///
    /// Errors: [`GateError::Refused`] with the reason, or [`GateError::NotFound`] for a missing
    /// person and, for visitors outside the office, for any person that is not theirs. Both
    /// leave a line before they are told.
    pub async fn person(
        &self,
        visitor: &Visitor,
        action: Action,
        purpose: Purpose,
        person: PersonId,
        reason: Option<Reason>,
    ) -> Result<PersonPermit, GateError> {
        let ground = self.trace.ground();
        let found = self
            .db
            .fetch_one(
                "SELECT s.mask, s.version, c.kind FROM gate_subject s LEFT JOIN gate_case c \
                 ON c.officer = ? AND c.day = ? AND c.person = s.person WHERE s.person = ?",
                vec![
                    visitor.user.bytes().into(),
                    office_day_number(self.trace.now()).into(),
                    person.bytes().into(),
                ],
            )
            .await?;
        let (facts, version) = match &found {
            Some(row) => (Facts(row.int(0)?), row.int(1)?),
            None => (Facts::default(), 0),
        };
        let case = match &found {
            Some(row) => row.opt_text(2)?.and_then(Case::from_code),
            None => None,
        };
        let same = self.same(&person).await?;
        let own = visitor.person == Some(person)
            || visitor.person.is_some_and(|v| same.merged().contains(&v));
        let (mut allowed, mut withheld, mut policies) =
            (Classes::default(), Vec::new(), Vec::new());
        let mut refusals = Vec::new();
        for class in action.classes() {
            let question = Question {
                own,
                ..Self::question(visitor, action, purpose, *class, facts)
            };
            let answer = self.decide(question);
            if answer.allowed {
                allowed.insert(*class);
                policies.extend(answer.policies.iter().cloned());
            } else {
                let refusal = self.refusal(&answer);
                withheld.push(Withheld {
                    class: *class,
                    sentence: refusal.sentence.clone(),
                    policy: refusal.policy.clone(),
                });
                // What a refusal page says must not tell that support measures hold.
                let open = Facts(facts.0 & !Facts::PROTECTED);
                let neutral = self.decide(Question {
                    facts: open,
                    ..question
                });
                refusals.push(if neutral.allowed {
                    refusal
                } else {
                    self.refusal(&neutral)
                });
            }
        }
        policies.sort();
        policies.dedup();
        policies.extend(case.map(|c| c.mark().to_owned()));
        let shown = Shown {
            person,
            token: self.trace.token(&person),
            version,
        };
        if allowed.is_empty() || found.is_none() {
            let refused = merge(refusals);
            let line = Act {
                decision: Decision::Refused,
                classes: Classes::of(action.classes()).bits(),
                policy: if allowed.is_empty() {
                    refused.policy.clone()
                } else {
                    "missing".into()
                },
                shown: found.map(|_| shown).into_iter().collect(),
                ..act(visitor, action, purpose, ground)
            };
            self.trace.record(line).await?;
            let tell = allowed.is_empty() && visitor.org_kind == OrgKind::Department;
            return Err(if tell {
                GateError::Refused(refused)
            } else {
                GateError::NotFound
            });
        }
        Ok(PersonPermit {
            gate: self.clone(),
            visitor: visitor.clone(),
            action,
            purpose,
            person,
            facts,
            same,
            version,
            ground,
            allowed,
            withheld,
            policies,
            case,
            reason,
        })
    }
}

/// One refusal out of several: each sentence once.
pub(crate) fn merge(refusals: Vec<Refused>) -> Refused {
    let (mut sentences, mut clauses, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    for refusal in refusals {
        if !sentences.contains(&refusal.sentence) {
            sentences.push(refusal.sentence);
        }
        clauses.extend(refusal.clauses);
        ids.extend(
            refusal
                .policy
                .split(',')
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        );
    }
    clauses.sort();
    clauses.dedup();
    ids.sort();
    ids.dedup();
    Refused {
        sentence: sentences.join(" "),
        clauses,
        policy: ids.join(","),
    }
}

impl Gate {
    /// Asks to enter a person who is not in the register yet, with the facts that will hold.
    /// The permit can only [`PersonPermit::change`].
    ///
    /// Errors: [`GateError::Refused`], after the refusal's line.
    pub async fn new_person(
        &self,
        visitor: &Visitor,
        action: Action,
        purpose: Purpose,
        person: PersonId,
        facts: Facts,
        reason: Reason,
    ) -> Result<PersonPermit, GateError> {
        let ground = self.trace.ground();
        let (mut refusals, mut policies) = (Vec::new(), Vec::new());
        for class in action.classes() {
            let answer = self.decide(Question {
                in_scope: within(visitor.scope.write, *class),
                ..Self::question(visitor, action, purpose, *class, facts)
            });
            match answer.allowed {
                true => policies.extend(answer.policies.iter().cloned()),
                false => refusals.push(self.refusal(&answer)),
            }
        }
        policies.sort();
        policies.dedup();
        let permit = PersonPermit {
            gate: self.clone(),
            visitor: visitor.clone(),
            action,
            purpose,
            person,
            facts,
            same: Same::default(),
            version: 0,
            ground,
            allowed: Classes::of(action.classes()),
            withheld: vec![],
            policies,
            case: None,
            reason: Some(reason),
        };
        if refusals.is_empty() {
            return Ok(permit);
        }
        let refused = merge(refusals);
        permit.refuse(&refused).await?;
        Err(GateError::Refused(refused))
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
            let closed = |class: &&Class| !within(self.visitor.scope.write, **class);
            let Some(class) = self.action.classes().iter().find(closed) else {
                return Ok(self);
            };
            let question = Gate::question(
                &self.visitor,
                self.action,
                self.purpose,
                *class,
                Facts::default(),
            );
            let refused = self.gate.refusal(&self.gate.decide(Question {
                in_scope: false,
                ..question
            }));
            self.refuse(&refused).await?;
            return Err(GateError::Refused(refused));
        }
        let told = self.withheld.iter().map(|w| Refused {
            sentence: w.sentence.clone(),
            clauses: self.gate.clauses(&w.policy),
            policy: w.policy.clone(),
        });
        let refused = merge(told.collect());
        self.refuse(&refused).await?;
        Err(GateError::Refused(refused))
    }

    /// Opens the value for paper or a file, together with the room's own record of it.
    ///
    /// Errors: [`GateError::Rules`] when the action is no way out or no reason was given.
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
        self.gate.reach(self.action)?.check_write(&changes)?;
        let line = Act {
            changes,
            ..self.line()
        };
        let receipt = self.gate.trace.record(line).await?;
        let stamp = Stamp::new(&self.visitor, receipt.line(), 1, at);
        Ok((Revealed::new(hidden.0, receipt.line()), stamp))
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
