//! Asking for one person's record, and asking to enter a person.

use mimamori_identity::Visitor;
use mimamori_kernel::id::PersonId;
use mimamori_trace::{Act, Decision, Shown};

use super::{PersonPermit, Reason, act};
use crate::case::{Case, office_day_number};
use crate::class::Classes;
use crate::decide::{Action, Gate, Purpose, Question, Withheld, within};
use crate::error::GateError;
use crate::facts::Facts;
use crate::same::Same;

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
        let (mut refusals, mut late) = (Vec::new(), 0);
        for class in action.classes() {
            let question = Question {
                own,
                ..self.question(visitor, action, purpose, *class, facts)
            };
            let answer = self.decide(question);
            if answer.allowed {
                allowed.insert(*class);
                policies.extend(answer.policies.iter().cloned());
            } else {
                late += usize::from(self.too_late(question));
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
            let refused = self.merge(&refusals);
            let line = Act {
                decision: Decision::Refused,
                classes: Classes::of(action.classes()).bits(),
                policy: if allowed.is_empty() {
                    refused.policy.clone()
                } else {
                    "missing".into()
                },
                shown: found.iter().map(|_| shown).collect(),
                ..act(visitor, action, purpose, ground)
            };
            self.trace.record(line).await?;
            return Err(match (found.is_some() && late > 0, allowed.is_empty()) {
                (true, true) => GateError::StepUp,
                (_, true) => Self::told(visitor, refused),
                (_, false) => GateError::NotFound,
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
            late: late > 0 && late == withheld.len(),
            withheld,
            policies,
            case,
            reason,
        })
    }

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
        let (mut refusals, mut policies, mut late) = (Vec::new(), Vec::new(), 0);
        for class in action.classes() {
            let question = Question {
                in_scope: within(visitor.scope.write, *class),
                ..self.question(visitor, action, purpose, *class, facts)
            };
            let answer = self.decide(question);
            if answer.allowed {
                policies.extend(answer.policies.iter().cloned());
            } else {
                late += usize::from(self.too_late(question));
                refusals.push(self.refusal(&answer));
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
            late: late > 0 && late == refusals.len(),
            withheld: vec![],
            policies,
            case: None,
            reason: Some(reason),
        };
        if refusals.is_empty() {
            return Ok(permit);
        }
        let refused = self.merge(&refusals);
        permit.refuse(&refused).await?;
        match permit.late {
            true => Err(GateError::StepUp),
            false => Err(Self::told(visitor, refused)),
        }
    }
}
