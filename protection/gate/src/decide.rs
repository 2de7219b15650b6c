//! Cedar decisions and their memory.

use std::collections::{HashMap, HashSet};
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request,
    RestrictedExpression, Schema,
};
use mimamori_identity::{AuthLevel, OrgKind, Role, Visitor};
use mimamori_storage::Db;
use mimamori_trace::Trace;

use crate::class::{Class, Classes};
use crate::error::{GateError, Refused};
use crate::facts::Facts;
use crate::items::Catalogue;
use crate::list::Plan;

/// An action that has a route or a job; each room declares its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Action {
    code: &'static str,
    japanese: &'static str,
    classes: &'static [Class],
    out: Option<u32>,
}

impl Action {
    /// `code` is `noun.verb`, the same word in route, policy, trace and manual; `classes` are all
    /// that the action can touch.
    pub const fn new(
        code: &'static str,
        japanese: &'static str,
        classes: &'static [Class],
    ) -> Self {
        Self {
            code,
            japanese,
            classes,
            out: None,
        }
    }

    /// The same as a counted way out of the system on site (print, list download), for `cap`
    /// persons at most: it needs a reason and leaves a stamp ([`crate::Stamp`]).
    pub const fn way_out(self, cap: u32) -> Self {
        Self {
            out: Some(cap),
            ..self
        }
    }

    /// Persons that may leave at once; `None` when the action only shows or changes.
    pub fn cap(self) -> Option<u32> {
        self.out
    }

    /// `noun.verb`.
    pub fn code(self) -> &'static str {
        self.code
    }

    /// Classes that the action can touch.
    pub fn classes(self) -> &'static [Class] {
        self.classes
    }

    /// The word on a screen.
    pub fn japanese(self) -> &'static str {
        self.japanese
    }
}

/// Closed list of purposes, bound to the route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// 介護保険に関する事務.
    CareInsurance,
    /// 地域包括ケア・ケアマネジメント.
    CareManagement,
    /// The person looks at his own data (本人の確認).
    Own,
    /// Running the system.
    Operation,
    /// 利用状況の監査 (S4-101).
    Audit,
}

impl Purpose {
    /// All purposes.
    pub const ALL: [Self; 5] = [
        Self::CareInsurance,
        Self::CareManagement,
        Self::Own,
        Self::Operation,
        Self::Audit,
    ];

    /// Code.
    pub fn code(self) -> &'static str {
        match self {
            Self::CareInsurance => "care-insurance",
            Self::CareManagement => "care-management",
            Self::Own => "own",
            Self::Operation => "operation",
            Self::Audit => "audit",
        }
    }
    /// The word on a screen.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::CareInsurance => "介護保険に関する事務",
            Self::CareManagement => "地域包括ケアに関する事務",
            Self::Own => "本人による確認",
            Self::Operation => "システムの運用",
            Self::Audit => "利用状況の監査",
        }
    }
}

/// What a room brings to the gate.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Name of the room.
    pub name: &'static str,
    /// Cedar policies.
    pub policies: &'static str,
    /// `items.toml`; its tables are named `ROOM_...`, with `_` for `-` in the room's name.
    pub items: &'static str,
    /// Actions with a route or a job.
    pub actions: &'static [Action],
    /// Tables of other rooms that this room's jobs may read (declared extract).
    pub extracts: &'static [&'static str],
}

/// Everything a decision depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    /// Code of the role; `system` for a job that an operator ordered at the machine.
    pub role: &'static str,
    /// Code of the kind of organisation; `machine` for such a job.
    pub org_kind: &'static str,
    pub auth: AuthLevel,
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

/// A plan belongs to a question and to the classes in the user's scope and contracts.
pub(crate) type PlanKey = (Question, u32, u32);

/// Policies and catalogue of all rooms, without a database: what decides.
pub struct Rules {
    policies: PolicySet,
    sentences: HashMap<String, (String, Vec<String>)>,
    memory: Mutex<HashMap<Question, Arc<Answer>>>,
    plans: Mutex<HashMap<PlanKey, Arc<Plan>>>,
    catalogue: Catalogue,
    rooms: Vec<Room>,
}

/// The gate of one instance. Cheap to clone.
#[derive(Clone)]
pub struct Gate {
    rules: Arc<Rules>,
    pub(crate) db: Db,
    pub(crate) trace: Trace,
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rules")
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}

const SCHEMA: &str = include_str!("../policy/schema.cedarschema");
const BASE: &str = include_str!("../policy/base.cedar");

fn rules(error: impl std::fmt::Display) -> GateError {
    GateError::Rules(error.to_string())
}

impl Rules {
    /// The rules of `rooms`, checked against the schema.
    pub fn new(rooms: &[Room]) -> Result<Self, GateError> {
        let mut actions = String::new();
        let mut codes = HashSet::new();
        for action in rooms.iter().flat_map(|r| r.actions) {
            if !codes.insert(action.code) {
                return Err(rules(format!("{} is declared twice", action.code)));
            }
            actions.push_str(&format!(
                "action \"{}\" appliesTo {{ principal: Visitor, resource: Slice, context: Request }};\n",
                action.code
            ));
        }
        let (schema, _) =
            Schema::from_cedarschema_str(&format!("{SCHEMA}{actions}")).map_err(rules)?;
        let mut policies = PolicySet::new();
        let mut sentences = HashMap::new();
        let mut catalogue = Catalogue::default();
        for text in std::iter::once(BASE).chain(rooms.iter().map(|r| r.policies)) {
            for policy in PolicySet::from_str(text).map_err(rules)?.policies() {
                let note = |name: &str| policy.annotation(name).map(ToOwned::to_owned);
                let id = note("id").ok_or_else(|| rules("a policy has no @id"))?;
                let sentence =
                    note("sentence").ok_or_else(|| rules(format!("{id} has no @sentence")))?;
                let mission =
                    note("mission").ok_or_else(|| rules(format!("{id} has no @mission")))?;
                let clauses = mission.split(',').map(|c| c.trim().to_owned()).collect();
                policies
                    .add(policy.new_id(cedar_policy::PolicyId::new(&id)))
                    .map_err(rules)?;
                sentences.insert(id, (sentence, clauses));
            }
        }
        let result = cedar_policy::Validator::new(schema)
            .validate(&policies, cedar_policy::ValidationMode::Strict);
        if !result.validation_passed() {
            return Err(rules(result));
        }
        for room in rooms {
            catalogue.add(room.items)?;
        }
        Ok(Self {
            policies,
            sentences,
            memory: Mutex::new(HashMap::new()),
            plans: Mutex::new(HashMap::new()),
            catalogue,
            rooms: rooms.to_vec(),
        })
    }

    /// Actions of all rooms, in their order.
    pub fn actions(&self) -> impl Iterator<Item = Action> {
        self.rooms.iter().flat_map(|r| r.actions).copied()
    }

    /// The room that declares an action.
    pub(crate) fn room(&self, action: Action) -> Option<&Room> {
        self.rooms.iter().find(|r| r.actions.contains(&action))
    }

    /// Whether one class of a person with these facts is open; for tests that hold a second reading against the policies.
    #[expect(
        clippy::too_many_arguments,
        reason = "one cell of the table, each axis named"
    )]
    pub fn allows(
        &self,
        role: Role,
        org_kind: OrgKind,
        auth: AuthLevel,
        action: Action,
        purpose: Purpose,
        class: Class,
        facts: Facts,
        own: bool,
    ) -> bool {
        let (care, proxy) = (false, false);
        self.decide(Question {
            role: role.code(),
            org_kind: org_kind.code(),
            auth,
            action,
            purpose,
            class,
            facts,
            own,
            care,
            proxy,
            in_scope: true,
            in_contract: true,
        })
        .allowed
    }

    /// Policies that decide about one class for this visitor, for tests of narrowed rights.
    pub fn deciding(
        &self,
        visitor: &Visitor,
        action: Action,
        purpose: Purpose,
        class: Class,
        facts: Facts,
    ) -> (bool, Vec<String>) {
        let answer = self.decide(Gate::question(visitor, action, purpose, class, facts));
        (answer.allowed, answer.policies.clone())
    }

    /// Asks Cedar once for each different question.
    pub(crate) fn decide(&self, question: Question) -> Arc<Answer> {
        if let Some(known) = self
            .memory
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&question)
        {
            return known.clone();
        }
        let answer = Arc::new(ask(&self.policies, &question).unwrap_or_else(|error| {
            // A question that cannot be asked is refused, and the log says why.
            tracing::error!(%error, "Cedar could not decide");
            Answer {
                allowed: false,
                policies: vec!["error".into()],
            }
        }));
        self.memory
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(question, answer.clone());
        answer
    }
}

impl Gate {
    /// A gate over `db` with the rules of `rooms`.
    pub fn new(db: Db, trace: Trace, rooms: &[Room]) -> Result<Self, GateError> {
        Ok(Self {
            rules: Arc::new(Rules::new(rooms)?),
            db,
            trace,
        })
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

    pub(crate) fn question(
        visitor: &Visitor,
        action: Action,
        purpose: Purpose,
        class: Class,
        facts: Facts,
    ) -> Question {
        Question {
            role: visitor.role.code(),
            org_kind: visitor.org_kind.code(),
            auth: visitor.auth,
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

    /// The sentence and clauses of a refusal.
    /// The demands behind a list of policy ids.
    pub(crate) fn clauses(&self, policies: &str) -> Vec<String> {
        let known = |id| self.rules.sentences.get(id);
        let found = policies.split(',').filter_map(known);
        found.flat_map(|(_, m)| m.iter().cloned()).collect()
    }

    pub(crate) fn refusal(&self, answer: &Answer) -> Refused {
        let mut clauses = Vec::new();
        let mut words = Vec::new();
        for id in &answer.policies {
            if let Some((sentence, mission)) = self.rules.sentences.get(id) {
                words.push(sentence.clone());
                clauses.extend(mission.iter().cloned());
            }
        }
        if words.is_empty() {
            words.push("この役割には、この情報を見る業務が定められていません。".into());
            clauses.push("S0-44".into());
        }
        let policy = if answer.policies.is_empty() {
            "default".into()
        } else {
            answer.policies.join(",")
        };
        Refused {
            sentence: words.join(" "),
            clauses,
            policy,
        }
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

fn ask(policies: &PolicySet, q: &Question) -> Result<Answer, Box<dyn std::error::Error>> {
    let who = EntityUid::from_str("Visitor::\"one\"")?;
    let what = EntityUid::from_str("Slice::\"one\"")?;
    let action = EntityUid::from_str(&format!("Action::\"{}\"", q.action.code()))?;
    let yes = RestrictedExpression::new_bool;
    let auth = match q.auth {
        AuthLevel::Verified => 2,
        _ => 1,
    };
    let visitor = Entity::new(
        who.clone(),
        HashMap::from([
            ("role".to_owned(), text(q.role)),
            ("orgKind".to_owned(), text(q.org_kind)),
            ("auth".to_owned(), RestrictedExpression::new_long(auth)),
            (
                "initialPassword".to_owned(),
                yes(q.auth == AuthLevel::PasswordInitial),
            ),
        ]),
        Default::default(),
    )?;
    let has = |bit| yes(q.facts.has(bit));
    let slice = Entity::new(
        what.clone(),
        HashMap::from([
            ("class".to_owned(), text(q.class.code())),
            ("resident".to_owned(), has(Facts::RESIDENT)),
            ("deceased".to_owned(), has(Facts::DECEASED)),
            ("movedOut".to_owned(), has(Facts::MOVED_OUT)),
            ("supportMeasure".to_owned(), has(Facts::PROTECTED)),
            ("insured".to_owned(), has(Facts::INSURED)),
            ("optedOut".to_owned(), has(Facts::OPTED_OUT)),
            ("own".to_owned(), yes(q.own)),
            ("careRelation".to_owned(), yes(q.care)),
            ("proxy".to_owned(), yes(q.proxy)),
        ]),
        Default::default(),
    )?;
    let context = Context::from_pairs([
        ("purpose".to_owned(), text(q.purpose.code())),
        ("inScope".to_owned(), yes(q.in_scope)),
        ("inContract".to_owned(), yes(q.in_contract)),
    ])?;
    let request = Request::new(who, action, what, context, None)?;
    let entities = Entities::from_entities([visitor, slice], None)?;
    let response = Authorizer::new().is_authorized(&request, policies, &entities);
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
