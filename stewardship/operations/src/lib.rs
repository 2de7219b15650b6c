//! 運用 (operations): the office's own users, their organisations, duties and contracts (利用者管理).
//!
//! Promises: a duty needs two persons, one who asks and one who approves; whoever is stopped is
//! out at the next click; a contractor works only while a contract is in force; every user is
//! looked at each quarter by a named reviewer; every act leaves a line.
//! Never: a resident's data; a change of an account in this room's own words (identity makes it);
//! a stop of the last 運営管理責任者.

pub mod action;
mod batch;
mod contract;
mod error;
mod organisation;
mod people;
mod request;
mod review;
mod schema;
mod screen;
mod terminal;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use mimamori_gate::{Gate, Room};
use mimamori_identity::Kdf;
use mimamori_kernel::clock::Clock;
use mimamori_kernel::id::UserId;
use mimamori_kernel::random::Random;
use mimamori_sheets::Press;

pub use error::OperationsError;
pub use review::Quarter;
pub use schema::MIGRATIONS;

/// What the room brings to the gate.
pub const ROOM: Room = Room {
    name: "operations",
    policies: include_str!("../policy/operations.cedar"),
    items: include_str!("../items.toml"),
    actions: action::ALL,
    extracts: &[],
};

/// Two weeks until an initial password expires, in microseconds (S4-73).
pub(crate) const INITIAL: i64 = 14 * 24 * 3600 * 1_000_000;

/// Ends the sessions of a user.
pub type EndSessions = Arc<dyn Fn(&UserId) + Send + Sync>;

/// What the room's pages need.
#[derive(Clone)]
pub struct Operations {
    pub(crate) gate: Gate,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) kdf: Kdf,
    pub(crate) end_sessions: EndSessions,
    pub(crate) press: Press,
}

impl Operations {
    /// The room over a gate; `end_sessions` is told of everybody whose rights changed.
    pub fn new(
        gate: Gate,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        kdf: Kdf,
        end_sessions: EndSessions,
    ) -> Self {
        Self {
            gate,
            clock,
            random,
            kdf,
            end_sessions,
            press: Press::default(),
        }
    }

    /// The same with a printer for certificates; without one the page says that fonts are missing.
    #[must_use]
    pub fn with_press(mut self, press: Press) -> Self {
        self.press = press;
        self
    }

    /// The room's routes.
    pub fn routes(self) -> Router {
        Router::new()
            .route("/operations/overview", get(people::overview::page))
            .route("/operations/people", get(people::list::page))
            .route("/operations/structure", get(people::list::structure))
            .route(
                "/operations/people/new",
                get(people::register::page).post(people::register::submit),
            )
            .route("/operations/people/{user}", get(people::record::page))
            .route(
                "/operations/people/{user}/stop",
                get(people::stop::page).post(people::stop::submit),
            )
            .route(
                "/operations/people/{user}/password",
                get(people::password::page).post(people::password::submit),
            )
            .route(
                "/operations/people/{user}/certificate",
                get(people::certificate::page).post(people::certificate::submit),
            )
            .route(
                "/operations/people/{user}/certificate/picture",
                get(people::certificate::picture),
            )
            .route(
                "/operations/people/{user}/role",
                get(people::role::page).post(people::role::submit),
            )
            .route(
                "/operations/people/{user}/role/end",
                get(people::role::end_page).post(people::role::end),
            )
            .route(
                "/operations/people/{user}/scope",
                get(people::scope::page).post(people::scope::submit),
            )
            .route(
                "/operations/people/{user}/resident",
                get(people::resident::page).post(people::resident::submit),
            )
            .route(
                "/operations/people/{user}/passkey",
                get(people::passkey::page).post(people::passkey::submit),
            )
            .route(
                "/operations/people/{user}/passkeys/{passkey}/end",
                get(people::passkey::end_page).post(people::passkey::end),
            )
            .route("/operations/handlers", get(people::handler::list))
            .route(
                "/operations/people/{user}/handler",
                get(people::handler::page).post(people::handler::submit),
            )
            .route(
                "/operations/people/{user}/handler/end",
                get(people::handler::end_page).post(people::handler::end),
            )
            .route("/operations/terminals", get(terminal::list))
            .route(
                "/operations/terminals/new",
                get(terminal::page).post(terminal::submit),
            )
            .route(
                "/operations/terminals/{terminal}/end",
                get(terminal::end_page).post(terminal::end),
            )
            .route("/operations/requests", get(request::page::list))
            .route(
                "/operations/requests/{request}",
                get(request::page::page).post(request::page::submit),
            )
            .route("/operations/batches", get(batch::page::list))
            .route("/operations/batches/template", get(batch::page::template))
            .route(
                "/operations/batches/new",
                get(batch::page::page).post(batch::page::submit),
            )
            .route(
                "/operations/batches/{batch}",
                get(batch::page::open_one).post(batch::submit),
            )
            .route("/operations/reviews", get(review::page::list))
            .route(
                "/operations/reviews/{user}",
                get(review::page::page).post(review::page::submit),
            )
            .route("/operations/organisations", get(organisation::list))
            .route(
                "/operations/organisations/new",
                get(organisation::page).post(organisation::submit),
            )
            .route(
                "/operations/organisations/{organisation}/end",
                get(organisation::end_page).post(organisation::end),
            )
            .route("/operations/contracts", get(contract::page::list))
            .route(
                "/operations/contracts/new",
                get(contract::page::page).post(contract::page::submit),
            )
            .route(
                "/operations/contracts/{contract}/end",
                get(contract::page::end_page).post(contract::page::end),
            )
            .route("/account", get(people::own::page).post(people::own::submit))
            .with_state(self)
    }
}
