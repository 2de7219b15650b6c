//! 監督 (oversight): what the council was told decides what may leave the town, and contracts are held to their clauses.
//!
//! Promises: only a version of a sheet that two different people wrote and approved opens anything; it opens exactly the
//! items, channels and days that it names; a refusal quotes the sheet's own line; every sheet can be printed back with
//! its changes marked; a line that the software enforces turns red when it no longer holds.
//! Never: a resident's data; a package (that is handover's); a contract or an account in its own words (identity's).

pub mod action;
pub mod catalogue;
mod checklist;
mod contract;
pub mod controls;
mod council;
mod error;
pub mod sample;
mod schema;
mod screen;
pub mod sheet;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use mimamori_gate::{Action, Gate, GateError, Purpose, Room};
use mimamori_identity::Visitor;
use mimamori_kernel::clock::Clock;
use mimamori_kernel::random::Random;
use mimamori_sheets::Press;

pub use checklist::{Finding, Probe, Probes};
pub use contract::closing::{HandedOver, StillOut};
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
    pub(crate) probes: Option<Arc<dyn Probes>>,
    pub(crate) handed_over: Option<Arc<dyn HandedOver>>,
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
            probes: None,
            handed_over: None,
        }
    }

    /// The same with what the instance can see of itself, for the checklist.
    #[must_use]
    pub fn with_probes(mut self, probes: Arc<dyn Probes>) -> Self {
        self.probes = Some(probes);
        self
    }

    /// The same with the counts of what was handed over, for the closing day; without them that is never green.
    #[must_use]
    pub fn with_handed_over(mut self, port: Arc<dyn HandedOver>) -> Self {
        self.handed_over = Some(port);
        self
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
            .route(
                "/oversight/contracts/{contract}/enter/{what}",
                get(contract::enter::page).post(contract::enter::submit),
            )
            .route(
                "/oversight/contracts/{contract}/people",
                post(contract::enter::end_person),
            )
            .route(
                "/oversight/contracts/{contract}/closing",
                get(contract::closing::page).post(contract::closing::submit),
            )
            .route(
                "/oversight/contracts/{contract}/renewal",
                get(contract::renewal::page),
            )
            .route("/oversight/obligations", get(contract::queue::list))
            .route(
                "/oversight/obligations/{obligation}",
                get(contract::queue::page).post(contract::queue::submit),
            )
            .route(
                "/oversight/words",
                get(contract::enter::words_page).post(contract::enter::words_submit),
            )
            .route(
                "/oversight/cases/{case}/checklist",
                get(checklist::page::page).post(checklist::page::print),
            )
            .route(
                "/oversight/cases/{case}/checklist/{line}",
                get(checklist::page::line).post(checklist::page::submit),
            )
            .route("/oversight/controls", get(controls::page))
            .route(
                "/oversight/cases/{case}/sheets/{sheet}/attachments",
                get(sheet::attach::page).post(sheet::attach::submit),
            )
            .route(
                "/oversight/attachments/{attachment}",
                get(sheet::attach::open),
            )
            .with_state(self)
    }
}
