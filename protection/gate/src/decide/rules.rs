//! The policies and catalogues of all rooms, read once and checked against each other.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError};

use cedar_policy::{PolicySet, Schema};
use mimamori_identity::{FRESH, OrgKind, Role, Visitor};

use super::basis::Bases;
use super::question::{Answer, Asker, Question, Standing};
use super::{Action, Purpose, Room};
use crate::class::Class;
use crate::error::{GateError, Refused};
use crate::facts::Facts;
use crate::items::Catalogue;
use crate::list::Plan;

/// A plan belongs to a question and to the classes in the user's scope and contracts.
pub(crate) type PlanKey = (Question, u32, u32);

/// What a refusal by one policy says.
struct Told {
    sentence: String,
    /// Articles with the demands behind them.
    clauses: Vec<String>,
}

/// The policy id of a refusal that no rule made: nothing permitted it.
const DEFAULT: &str = "default";

/// Policies and catalogue of all rooms, without a database: what decides.
pub struct Rules {
    asker: Asker,
    told: HashMap<String, Told>,
    bases: Bases,
    memory: Mutex<HashMap<Question, Arc<Answer>>>,
    pub(super) plans: Mutex<HashMap<PlanKey, Arc<Plan>>>,
    pub(super) catalogue: Catalogue,
    rooms: Vec<Room>,
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rules")
    }
}

const SCHEMA: &str = include_str!("../../policy/schema.cedarschema");
const BASE: &str = include_str!("../../policy/base.cedar");

fn rules(error: impl std::fmt::Display) -> GateError {
    GateError::Rules(error.to_string())
}

impl Rules {
    /// The rules of `rooms`, checked against the schema.
    pub fn new(rooms: &[Room]) -> Result<Self, GateError> {
        let mut actions = String::new();
        let mut codes = HashSet::new();
        for action in rooms.iter().flat_map(|r| r.actions) {
            if !codes.insert(action.code()) {
                return Err(rules(format!("{} is declared twice", action.code())));
            }
            actions.push_str(&format!(
                "action \"{}\" appliesTo {{ principal: Visitor, resource: Slice, context: Request }};\n",
                action.code()
            ));
        }
        let (schema, _) =
            Schema::from_cedarschema_str(&format!("{SCHEMA}{actions}")).map_err(rules)?;
        let mut policies = PolicySet::new();
        let bases = Bases::built_in()?;
        let mut told = HashMap::new();
        let mut catalogue = Catalogue::default();
        for text in std::iter::once(BASE).chain(rooms.iter().map(|r| r.policies)) {
            for policy in PolicySet::from_str(text).map_err(rules)?.policies() {
                let note = |name: &str| policy.annotation(name).map(ToOwned::to_owned);
                let id = note("id").ok_or_else(|| rules("a policy has no @id"))?;
                let sentence =
                    note("sentence").ok_or_else(|| rules(format!("{id} has no @sentence")))?;
                let mission =
                    note("mission").ok_or_else(|| rules(format!("{id} has no @mission")))?;
                let clauses = mission.split(',').map(|c| bases.of(c.trim())).collect();
                policies
                    .add(policy.new_id(cedar_policy::PolicyId::new(&id)))
                    .map_err(rules)?;
                told.insert(id, Told { sentence, clauses });
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
        let all = rooms.iter().flat_map(|r| r.actions).copied();
        Ok(Self {
            asker: Asker::new(&policies, all)?,
            told,
            bases,
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
        standing: Standing,
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
            standing,
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

    /// Policies that decide about one class for this visitor who was not verified just now, for tests of narrowed rights.
    pub fn deciding(
        &self,
        visitor: &Visitor,
        action: Action,
        purpose: Purpose,
        class: Class,
        facts: Facts,
    ) -> (bool, Vec<String>) {
        let steady = visitor
            .verified
            .map_or(0, |at| at.saturating_add(FRESH + 1));
        let question = Question::of(visitor, action, purpose, class, facts, steady);
        let answer = self.decide(question);
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
        let answer = Arc::new(self.asker.ask(&question).unwrap_or_else(|error| {
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

    /// One refusal by the policies with these ids: each sentence and each article once.
    pub(crate) fn refusal<'a>(&self, policies: impl IntoIterator<Item = &'a str>) -> Refused {
        let ids: BTreeSet<&str> = policies.into_iter().filter(|id| !id.is_empty()).collect();
        let (mut sentences, mut clauses) = (Vec::new(), Vec::new());
        for id in &ids {
            let Some(told) = self.told.get(*id) else {
                continue;
            };
            if !sentences.contains(&told.sentence.as_str()) {
                sentences.push(&told.sentence);
            }
            for clause in &told.clauses {
                if !clauses.contains(clause) {
                    clauses.push(clause.clone());
                }
            }
        }
        // A rule that forbids says what to do next; that no rule permits is told only when it is all there is.
        if sentences.is_empty() {
            sentences.push("この役割には、この情報を見る業務が定められていません。");
            let clause = self.basis("S0-44");
            if !clauses.contains(&clause) {
                clauses.push(clause);
            }
        }
        let policy: Vec<&str> = ids.into_iter().collect();
        Refused {
            sentence: sentences.join(" "),
            clauses,
            policy: match policy.is_empty() {
                true => DEFAULT.into(),
                false => policy.join(","),
            },
        }
    }

    /// The article behind a demand, with the demand's id.
    pub fn basis(&self, mission: &str) -> String {
        self.bases.of(mission)
    }
}
