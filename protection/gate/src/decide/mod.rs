//! Cedar decisions and their memory.

mod action;
mod basis;
mod question;
mod rules;

use std::sync::{Arc, PoisonError};

use mimamori_identity::{AuthLevel, OrgKind, Visitor};
use mimamori_storage::Db;
use mimamori_trace::Trace;

pub use action::{Action, Purpose, Room};
pub use question::Standing;
pub(crate) use question::{Answer, Question, within};
pub(crate) use rules::PlanKey;
pub use rules::Rules;

use crate::class::Class;
use crate::error::{GateError, Refused};
use crate::facts::Facts;
use crate::items::Catalogue;
use crate::list::Plan;
use crate::out::DailyCap;

/// A class that the record has but the visitor may not see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// The class.
    pub class: Class,
    /// Why, in Japanese.
    pub sentence: String,
    /// The policy.
    pub policy: String,
}

/// Who is verified anew (step-up) before an export or a grant of rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StepUp {
    /// Whoever signs in with a passkey or the face product: until a town has enrolled its staff, nothing could be
    /// printed otherwise (想定).
    #[default]
    Enrolled,
    /// Everybody.
    Always,
}

/// The gate of one instance. Cheap to clone.
#[derive(Clone)]
pub struct Gate {
    rules: Arc<Rules>,
    pub(crate) db: Db,
    pub(crate) trace: Trace,
    pub(crate) daily: DailyCap,
    step_up: StepUp,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}

impl Gate {
    /// A gate over `db` with the rules of `rooms`.
    pub fn new(db: Db, trace: Trace, rooms: &[Room]) -> Result<Self, GateError> {
        Ok(Self {
            rules: Arc::new(Rules::new(rooms)?),
            db,
            trace,
            daily: DailyCap::default(),
            step_up: StepUp::default(),
        })
    }

    /// The same with another cap of what a user may take out in a day.
    #[must_use]
    pub fn with_daily_cap(self, daily: DailyCap) -> Self {
        Self { daily, ..self }
    }

    /// The same with another rule of who is verified anew before an export or a grant.
    #[must_use]
    pub fn with_step_up(self, step_up: StepUp) -> Self {
        Self { step_up, ..self }
    }

    /// Whether a visitor must be verified anew before something leaves or somebody gets rights.
    pub(crate) fn stale(&self, visitor: &Visitor) -> bool {
        let asked = self.step_up == StepUp::Always || visitor.auth == AuthLevel::Verified;
        asked && !visitor.fresh(self.trace.steady())
    }

    /// Whether a question is refused for nothing but the time since the last verification.
    pub(crate) fn too_late(&self, question: Question) -> bool {
        let fresh = question.verified();
        fresh != question && self.decide(fresh).allowed
    }

    /// The data-item catalogue.
    pub fn catalogue(&self) -> &Catalogue {
        &self.rules.catalogue
    }

    /// The trace behind the gate.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Policies, actions and catalogue.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    pub(crate) fn decide(&self, question: Question) -> Arc<Answer> {
        self.rules.decide(question)
    }

    /// The plan kept under a question, made when it is new.
    pub(crate) fn known_plan(&self, key: PlanKey, make: impl FnOnce() -> Plan) -> Arc<Plan> {
        let plans = || {
            self.rules
                .plans
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(known) = plans().get(&key) {
            return known.clone();
        }
        let made = Arc::new(make());
        plans().insert(key, made.clone());
        made
    }

    /// Whether a menu may offer this: nothing is asked for and nothing shown, so no line.
    pub fn offers(&self, visitor: &Visitor, action: Action, purpose: Purpose, own: bool) -> bool {
        action.classes().iter().all(|class| {
            let question = self.question(visitor, action, purpose, *class, Facts::default());
            // The page itself asks for the verification.
            self.decide(Question { own, ..question }.verified()).allowed
        })
    }

    /// What a refused visitor is told: inside the office the reason, outside what is told of
    /// anything that is not there (invariant 13).
    pub(crate) fn told(visitor: &Visitor, refused: Refused) -> GateError {
        match visitor.org_kind {
            OrgKind::Department => GateError::Refused(refused),
            _ => GateError::NotFound,
        }
    }

    /// What a refusal by this answer says.
    pub(crate) fn refusal(&self, answer: &Answer) -> Refused {
        self.rules
            .refusal(answer.policies.iter().map(String::as_str))
    }

    /// Why a visitor whose own scope lets him only read a class of the action may not write under it (S4-28);
    /// none when the scope holds them all.
    pub(crate) fn unwritable(
        &self,
        visitor: &Visitor,
        action: Action,
        purpose: Purpose,
    ) -> Option<Refused> {
        let closed = |class: &&Class| !within(visitor.scope.write, **class);
        let class = action.classes().iter().find(closed)?;
        let question = self.question(visitor, action, purpose, *class, Facts::default());
        Some(self.refusal(&self.decide(Question {
            in_scope: false,
            ..question
        })))
    }

    /// One refusal out of several: each sentence and each article once.
    pub(crate) fn merge(&self, refusals: &[Refused]) -> Refused {
        self.rules
            .refusal(refusals.iter().flat_map(|r| r.policy.split(',')))
    }
}
