//! One question to Cedar and its answer.

use std::collections::HashMap;
use std::str::FromStr as _;
use std::sync::{Mutex, PoisonError};

use cedar_policy::{
    ActionConstraint, Authorizer, Context, Decision, Entities, Entity, EntityUid, Policy,
    PolicySet, Request, RestrictedExpression,
};
use mimamori_identity::{AuthLevel, OrgKind, Visitor};

use super::{Action, Gate, Purpose};
use crate::class::{Class, Classes};
use crate::error::GateError;
use crate::facts::Facts;

/// How the visitor stands: what he proved, and where he sits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Standing {
    /// Proof at sign-in.
    pub auth: AuthLevel,
    /// A designation as 特定個人情報取扱者 is in force.
    pub handler: bool,
    /// The request comes from a registered terminal.
    pub terminal: bool,
    /// Verified at most five minutes ago.
    pub fresh: bool,
}

impl Standing {
    /// Everything that number work needs.
    pub const WHOLE: Self = Self {
        auth: AuthLevel::Verified,
        handler: true,
        terminal: true,
        fresh: true,
    };
}

impl From<AuthLevel> for Standing {
    /// Signed in and nothing more.
    fn from(auth: AuthLevel) -> Self {
        Self {
            auth,
            handler: false,
            terminal: false,
            fresh: false,
        }
    }
}

/// Everything a decision depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    /// Code of the role; `system` for a job that an operator ordered at the machine.
    pub role: &'static str,
    /// Code of the kind of organisation; `machine` for such a job.
    pub org_kind: &'static str,
    pub standing: Standing,
    pub action: Action,
    pub purpose: Purpose,
    pub class: Class,
    pub facts: Facts,
    pub own: bool,
    pub care: bool,
    pub proxy: bool,
    /// The user's own scope holds the class (S4-28).
    pub in_scope: bool,
    /// A contract of the user's organisation names class and purpose (S0-64); true without one to keep.
    pub in_contract: bool,
}

/// A decision with the policies that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub allowed: bool,
    pub policies: Vec<String>,
}

impl Gate {
    pub(crate) fn question(
        &self,
        visitor: &Visitor,
        action: Action,
        purpose: Purpose,
        class: Class,
        facts: Facts,
    ) -> Question {
        Question::of(visitor, action, purpose, class, facts, self.trace.steady())
    }
}

impl Question {
    /// What a visitor asks at a moment of the steady clock.
    pub fn of(
        visitor: &Visitor,
        action: Action,
        purpose: Purpose,
        class: Class,
        facts: Facts,
        steady: i64,
    ) -> Self {
        // Where no number is touched nothing hangs on them, and each question is remembered once.
        let standing = match action.of_number() {
            true => Standing {
                auth: visitor.auth,
                handler: visitor.handler,
                terminal: visitor.terminal,
                fresh: visitor.fresh(steady),
            },
            false => visitor.auth.into(),
        };
        Self {
            role: visitor.role.code(),
            org_kind: visitor.org_kind.code(),
            standing,
            action,
            purpose,
            class,
            facts,
            own: false,
            care: false,
            proxy: false,
            in_scope: within(visitor.scope.read, class),
            in_contract: in_contract(visitor, purpose, class),
        }
    }

    /// The same right after a verification.
    pub fn verified(self) -> Self {
        let fresh = self.action.of_number();
        let standing = Standing {
            fresh,
            ..self.standing
        };
        Self { standing, ..self }
    }
}

/// Whether a mask of classes holds a class that can be left out.
pub(crate) fn within(mask: u32, class: Class) -> bool {
    !class.about_residents() || Classes::from_bits(mask).contains(class)
}

/// Whether a contract in force names the class for the purpose; others than contractors need none.
fn in_contract(visitor: &Visitor, purpose: Purpose, class: Class) -> bool {
    visitor.org_kind != OrgKind::Contractor
        || visitor.terms.iter().any(|terms| {
            terms.purposes.iter().any(|p| p == purpose.code()) && within(terms.classes, class)
        })
}

fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

/// Whoever asks, as far as Cedar sees it.
type Who = (&'static str, &'static str, AuthLevel);
/// One class of one person's data: class, facts, own, care relation, proxy.
type What = (Class, Facts, bool, bool, bool);

/// What of a person the policies of an action read. Whatever else differs between two questions, they have one answer.
#[derive(Debug, Clone, Copy, Default)]
struct Reads {
    facts: i64,
    own: bool,
    care: bool,
    proxy: bool,
}

const FACTS: [(&str, i64); 6] = [
    ("resident", Facts::RESIDENT),
    ("deceased", Facts::DECEASED),
    ("movedOut", Facts::MOVED_OUT),
    ("supportMeasure", Facts::PROTECTED),
    ("insured", Facts::INSURED),
    ("optedOut", Facts::OPTED_OUT),
];

impl Reads {
    /// Adds every attribute that an expression names, of whatever it is one.
    fn add(&mut self, expression: &serde_json::Value) {
        match expression {
            serde_json::Value::Object(parts) => {
                if let Some(serde_json::Value::String(name)) = parts.get("attr") {
                    self.named(name);
                }
                parts.values().for_each(|part| self.add(part));
            }
            serde_json::Value::Array(parts) => parts.iter().for_each(|part| self.add(part)),
            _ => {}
        }
    }

    fn named(&mut self, attribute: &str) {
        let fact = FACTS.iter().find(|(name, _)| *name == attribute);
        self.facts |= fact.map_or(0, |(_, bit)| *bit);
        self.own |= attribute == "own";
        self.care |= attribute == "careRelation";
        self.proxy |= attribute == "proxy";
    }
}

/// What the asker holds for an action: its name, the policies whose scope names it, and what they read.
type Known = (EntityUid, PolicySet, Reads);

/// Asks Cedar. What questions have in common is made once: names, entities, and for each action the
/// policies whose scope names it. The others cannot hit, and Cedar would look at every one of them
/// for each of the million questions of the permission table.
pub(super) struct Asker {
    authorizer: Authorizer,
    visitor: EntityUid,
    slice: EntityUid,
    actions: HashMap<&'static str, Known>,
    visitors: Mutex<HashMap<Who, Entity>>,
    slices: Mutex<HashMap<What, Entity>>,
}

impl Asker {
    pub fn new(
        policies: &PolicySet,
        actions: impl Iterator<Item = Action>,
    ) -> Result<Self, GateError> {
        let wrong = |error: &dyn std::fmt::Display| GateError::Rules(error.to_string());
        let name = |text: &str| EntityUid::from_str(text).map_err(|e| wrong(&e));
        let named = |action: Action| {
            let uid = name(&format!("Action::\"{}\"", action.code()))?;
            let about: Vec<_> = policies.policies().filter(|p| names(p, &uid)).collect();
            let mut reads = Reads::default();
            for policy in &about {
                reads.add(&policy.to_json().map_err(|e| wrong(&e))?);
            }
            let about = PolicySet::from_policies(about.into_iter().cloned());
            let about = about.map_err(|e| wrong(&e))?;
            Ok::<_, GateError>((action.code(), (uid, about, reads)))
        };
        Ok(Self {
            authorizer: Authorizer::new(),
            visitor: name("Visitor::\"one\"")?,
            slice: name("Slice::\"one\"")?,
            actions: actions.map(named).collect::<Result<_, _>>()?,
            visitors: Mutex::default(),
            slices: Mutex::default(),
        })
    }

    /// The same question without what no policy of its action reads.
    pub fn narrow(&self, q: Question) -> Question {
        let Some((_, _, reads)) = self.actions.get(q.action.code()) else {
            return q;
        };
        Question {
            facts: Facts(q.facts.0 & reads.facts),
            own: q.own && reads.own,
            care: q.care && reads.care,
            proxy: q.proxy && reads.proxy,
            ..q
        }
    }

    fn who(&self, (role, org_kind, auth): Who) -> Result<Entity, Box<dyn std::error::Error>> {
        let level = match auth {
            AuthLevel::Verified => 2,
            _ => 1,
        };
        let initial = auth == AuthLevel::PasswordInitial;
        let attributes = [
            ("role", text(role)),
            ("orgKind", text(org_kind)),
            ("auth", RestrictedExpression::new_long(level)),
            ("initialPassword", RestrictedExpression::new_bool(initial)),
        ];
        entity(&self.visitor, attributes)
    }

    fn what(
        &self,
        (class, facts, own, care, proxy): What,
    ) -> Result<Entity, Box<dyn std::error::Error>> {
        let yes = RestrictedExpression::new_bool;
        let attributes = [
            ("class", text(class.code())),
            ("own", yes(own)),
            ("careRelation", yes(care)),
            ("proxy", yes(proxy)),
        ];
        let facts = FACTS.map(|(name, bit)| (name, yes(facts.has(bit))));
        entity(&self.slice, attributes.into_iter().chain(facts))
    }

    pub fn ask(&self, q: &Question) -> Result<Answer, Box<dyn std::error::Error>> {
        let who = (q.role, q.org_kind, q.standing.auth);
        let what = (q.class, q.facts, q.own, q.care, q.proxy);
        let visitor = kept(&self.visitors, who, || self.who(who))?;
        let slice = kept(&self.slices, what, || self.what(what))?;
        let yes = RestrictedExpression::new_bool;
        let context = Context::from_pairs([
            ("purpose".to_owned(), text(q.purpose.code())),
            ("inScope".to_owned(), yes(q.in_scope)),
            ("inContract".to_owned(), yes(q.in_contract)),
            ("handler".to_owned(), yes(q.standing.handler)),
            ("terminal".to_owned(), yes(q.standing.terminal)),
            ("fresh".to_owned(), yes(q.standing.fresh)),
        ])?;
        let known = self.actions.get(q.action.code());
        let (action, policies, _) = known.ok_or("no such action")?;
        let (visitor_id, slice_id) = (self.visitor.clone(), self.slice.clone());
        let request = Request::new(visitor_id, action.clone(), slice_id, context, None)?;
        let entities = Entities::from_entities([visitor, slice], None)?;
        let response = self.authorizer.is_authorized(&request, policies, &entities);
        if let Some(error) = response.diagnostics().errors().next() {
            return Err(error.to_string().into());
        }
        let mut ids: Vec<String> = response
            .diagnostics()
            .reason()
            .map(ToString::to_string)
            .collect();
        ids.sort();
        Ok(Answer {
            allowed: response.decision() == Decision::Allow,
            policies: ids,
        })
    }
}

/// Whether the scope of a policy holds for an action.
fn names(policy: &Policy, action: &EntityUid) -> bool {
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(uid) => uid == *action,
        ActionConstraint::In(uids) => uids.contains(action),
    }
}

fn entity<'a>(
    uid: &EntityUid,
    attributes: impl IntoIterator<Item = (&'a str, RestrictedExpression)>,
) -> Result<Entity, Box<dyn std::error::Error>> {
    let attributes = attributes.into_iter();
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value));
    Ok(Entity::new(
        uid.clone(),
        attributes.collect(),
        Default::default(),
    )?)
}

/// The entity kept under a key, made when it is new.
fn kept<K: std::hash::Hash + Eq, E>(
    all: &Mutex<HashMap<K, Entity>>,
    key: K,
    make: impl FnOnce() -> Result<Entity, E>,
) -> Result<Entity, E> {
    let all = || all.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = all().get(&key) {
        return Ok(known.clone());
    }
    let made = make()?;
    all().insert(key, made.clone());
    Ok(made)
}
