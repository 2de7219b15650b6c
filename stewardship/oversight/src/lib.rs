//! 監督 (oversight): what the council was told decides what may leave the town, and contracts are held to their clauses.
//!
//! Promises: only a version of a sheet that two different people wrote and approved opens anything; it opens exactly the
//! items, channels and days that it names; a refusal quotes the sheet's own line; every sheet can be printed back with
//! its changes marked; a line that the software enforces turns red when it no longer holds.
//! Never: a resident's data; a package (that is handover's); a contract or an account in its own words (identity's).

pub mod action;
pub mod catalogue;
mod contract;
mod council;
mod error;
pub mod sample;
mod schema;
mod screen;
pub mod sheet;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use mimamori_gate::{Action, Gate, GateError, Purpose, Room, Statement};
use mimamori_identity::{Contract, Visitor, last_day};
use mimamori_kernel::clock::{Clock, Instant};
use mimamori_kernel::id::UserId;
use mimamori_kernel::random::Random;
use mimamori_sheets::Press;

pub use contract::{Duty, Entry, Variant};
pub use council::{Case, Ground, Past};
pub use error::OversightError;
pub use schema::MIGRATIONS;
pub use sheet::{
    CaseId, Channel, Grant, GrantedChannel, GrantedItem, InCharge, Kind, NoGrant, Refused,
    SheetRef, check, check_over,
};

/// What the room brings to the gate.
pub const ROOM: Room = Room {
    name: "oversight",
    policies: include_str!("../policy/oversight.cedar"),
    items: include_str!("../items.toml"),
    actions: action::ALL,
    extracts: &[],
};

/// What the room's pages need, and what other rooms ask.
#[derive(Clone)]
pub struct Oversight {
    pub(crate) gate: Gate,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) press: Press,
}

/// An id out of an address; what is none is not there.
pub(crate) fn id<T: std::str::FromStr>(text: &str) -> Result<T, OversightError> {
    text.parse().map_err(|_| GateError::NotFound.into())
}

/// Whether the gate permits it to the visitor: what is refused is not offered.
pub(crate) fn offers(room: &Oversight, visitor: &Visitor, action: Action) -> bool {
    room.gate.offers(visitor, action, Purpose::Operation, false)
}

impl Oversight {
    /// The room over a gate. Without fonts in the press, printing says so.
    pub fn new(gate: Gate, clock: Arc<dyn Clock>, random: Arc<dyn Random>, press: Press) -> Self {
        Self {
            gate,
            clock,
            random,
            press,
        }
    }

    /// The room's routes.
    pub fn routes(self) -> Router {
        Router::new()
            .route("/oversight", get(council::page::list))
            .route(
                "/oversight/cases/new",
                get(council::enter::page).post(council::enter::submit),
            )
            .route("/oversight/cases/{case}", get(council::page::page))
            .route(
                "/oversight/cases/{case}/print",
                post(sheet::print::whole_case),
            )
            .route(
                "/oversight/cases/{case}/sheets/{sheet}/draft",
                get(sheet::page::draft_page).post(sheet::page::draft_submit),
            )
            .route(
                "/oversight/cases/{case}/sheets/{sheet}/versions/{number}",
                get(sheet::page::page),
            )
            .route(
                "/oversight/cases/{case}/sheets/{sheet}/versions/{number}/decide",
                get(sheet::page::decide_page).post(sheet::page::decide_submit),
            )
            .route(
                "/oversight/cases/{case}/sheets/{sheet}/versions/{number}/print",
                post(sheet::print::version),
            )
            .route("/oversight/contracts/{contract}", get(contract::page::page))
            .route(
                "/oversight/contracts/{contract}/register",
                get(contract::register::page).post(contract::register::submit),
            )
            .route(
                "/oversight/contracts/{contract}/grant",
                get(sheet::grant_page::page).post(sheet::grant_page::submit),
            )
            .with_state(self)
    }
}

/// The case of document 001 for a demo, bound to a contract: its writes and its id.
pub fn sample_case(
    contract: &Contract,
    (drafter, approver): (UserId, UserId),
    random: &dyn Random,
    now: Instant,
) -> (CaseId, Vec<Statement>) {
    let case = Case {
        id: CaseId::random(random),
        subject: sample::SUBJECT.into(),
        meeting: sample::MEETING.into(),
        owners: sample::OWNER.into(),
        entered_by: drafter,
        entered_at: now.0,
        grounds: sample::GROUNDS
            .iter()
            .map(|(matter, old, clause)| Ground {
                matter: (*matter).into(),
                old_clause: (*old).into(),
                clause: (*clause).into(),
            })
            .collect(),
        history: sample::HISTORY
            .iter()
            .map(|(meeting, decision)| Past {
                meeting: (*meeting).into(),
                decision: (*decision).into(),
            })
            .collect(),
    };
    let mut out = case.write();
    for kind in Kind::ALL {
        let content = sample::content(kind);
        let version = sheet::first_version(case.id, kind, content, (drafter, approver), now.0);
        out.push(version.write());
    }
    let started = last_day(contract.from + 1);
    let entry = Entry {
        contract: contract.id,
        case: case.id,
        variant: Variant::AtTheEnd,
        chosen_by: "公募プロポーザル（企画提案・評価）".into(),
        why: "十分な知識と経験がある専門業者であるため（見本）".into(),
        started: started.to_string(),
        entered_by: drafter,
        entered_at: now.0,
    };
    out.push(entry.write());
    for (duty, name) in sample::PEOPLE {
        let person = contract::Person {
            id: CaseId::random(random),
            contract: contract.id,
            duty,
            name: name.into(),
            trained: started.to_string(),
            informed: started.to_string(),
            from: started.to_string(),
            entered_by: drafter,
            entered_at: now.0,
            ended_at: 0,
        };
        out.push(person.write());
    }
    (case.id, out)
}
