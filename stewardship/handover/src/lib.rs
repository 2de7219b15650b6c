//! 受渡し (handover): packages to and from partners, the media ledger and the media register.
//!
//! Promises: nothing goes out that the approved paper does not name; two officers who did not ask for it approve the
//! manifest by their own passkeys; slip and medium never travel on one occasion or with one person; the ledger only grows; a
//! package is closed by a checked erasure certificate alone.
//! Never: the content of a package on a page; a plain table on the disc; a judgement of what a contract opens (that is the
//! room of the papers).

pub mod action;
mod approve;
mod ask;
pub mod course;
#[cfg(test)]
mod course_tests;
mod error;
mod files;
mod grant;
mod incoming;
mod leak;
mod ledger;
mod list;
mod medium;
mod one;
mod out;
mod package;
mod partner;
mod room;
mod scan;
mod schema;
mod screen;
mod seal;
mod step;
mod step_do;
mod step_form;

use axum::Router;
use axum::routing::get;
use mimamori_gate::Room;

pub use ask::{Extract, Wish};
pub use error::HandoverError;
pub use grant::{Asked, Grant, GrantedItem, Grants};
pub use out::StillOut;
pub use room::{Handover, Position, Proof, Settings};
pub use scan::Scanner;
pub use schema::MIGRATIONS;

/// What the room brings to the gate.
pub const ROOM: Room = Room {
    name: "handover",
    policies: include_str!("../policy/handover.cedar"),
    items: include_str!("../items.toml"),
    actions: action::ALL,
    extracts: &[],
};

impl Handover {
    /// The room's routes.
    pub fn routes(self) -> Router {
        Router::new()
            .route("/handover", get(list::page))
            .route("/handover/packages/new", get(ask::page).post(ask::submit))
            .route("/handover/packages/{package}", get(one::page))
            .route(
                "/handover/packages/{package}/approve",
                get(approve::page).post(approve::submit),
            )
            .route(
                "/handover/packages/{package}/steps/{step}",
                get(step::page).post(step_do::submit),
            )
            .route("/handover/ledger", get(ledger::page))
            .route("/handover/media", get(medium::list))
            .route(
                "/handover/media/new",
                get(medium::page).post(medium::submit),
            )
            .route(
                "/handover/partners",
                get(partner::page).post(partner::submit),
            )
            .route("/handover/incoming", get(incoming::list))
            .route(
                "/handover/incoming/new",
                get(incoming::page).post(incoming::submit),
            )
            .route(
                "/handover/incoming/{incoming}",
                get(incoming::one).post(incoming::act),
            )
            .route("/handover/leaks", get(leak::page).post(leak::submit))
            .with_state(self)
    }
}
