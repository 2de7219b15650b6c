//! 監査 (audit): search over the trace, monitoring rules and their alerts, the signed analysis report.
//!
//! Promises: an auditor sees who looked when and why, never the record itself; every search leaves
//! a line; an alert is answered by a named reviewer who is not the officer; a report is signed.
//! Never: a person's name, number or address on a page or in a file; a change of the trace.

pub mod action;
mod alert;
pub mod monitor;
mod operation;
mod out;
mod report;
mod schema;
mod search;
mod words;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::routing::{get, post};
use mimamori_files::Shelf;
use mimamori_gate::{Gate, Room};
use mimamori_identity::SessionId;
use mimamori_kernel::clock::Clock;
use mimamori_kernel::id::ResultId;
use mimamori_kernel::random::Random;

pub use schema::MIGRATIONS;

/// What the room brings to the gate. The extracts are for its job alone, and for finding an
/// opaque id by number; nothing of them reaches a page.
pub const ROOM: Room = Room {
    name: "audit",
    policies: include_str!("../policy/audit.cedar"),
    items: include_str!("../items.toml"),
    actions: &[
        action::TRACE_SEARCH,
        action::TRACE_EXPORT,
        action::OUT_LIST,
        action::MONITOR_RUN,
        action::ALERT_LIST,
        action::ALERT_OPEN,
        action::ALERT_ANSWER,
        action::REPORT_MAKE,
        action::REPORT_OPEN,
        action::OPERATION_OPEN,
    ],
    extracts: &[
        "residents_person",
        "residents_state",
        "identity_user",
        "identity_org",
        "identity_resident",
        "gate_same",
        "trace_line",
    ],
};

/// Searches of one session; forgotten with it.
type Kept = Vec<(ResultId, search::Search)>;

/// What the room's pages need.
#[derive(Clone)]
pub struct Audit {
    pub(crate) gate: Gate,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) rules: Arc<monitor::Rules>,
    pub(crate) shelf: Shelf<SessionId>,
    kept: Arc<Mutex<HashMap<SessionId, Kept>>>,
}

impl Audit {
    /// The room over a gate; its files wait on `shelf`.
    pub fn new(
        gate: Gate,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        rules: Arc<monitor::Rules>,
        shelf: Shelf<SessionId>,
    ) -> Self {
        Self {
            gate,
            clock,
            random,
            rules,
            shelf,
            kept: Arc::default(),
        }
    }

    /// Runs the rules once, ordered by nobody; for the hourly task.
    ///
    /// Errors: as [`monitor::run`].
    pub async fn patrol(&self) -> Result<monitor::Outcome, monitor::MonitorError> {
        let permit = self.gate.job(action::MONITOR_RUN, None).await?;
        let (trace, now) = (self.gate.trace(), self.clock.now());
        monitor::run(&permit, trace, &self.rules, &*self.random, now).await
    }

    /// Works on what is kept for a session.
    pub(crate) fn kept<T>(&self, session: &SessionId, f: impl FnOnce(&mut Kept) -> T) -> T {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() > 500 && !all.contains_key(session) {
            all.clear();
        }
        f(all.entry(*session).or_default())
    }

    /// Forgets what was kept for a session that ended.
    pub fn forget(&self, session: &SessionId) {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(session);
    }

    /// The room's routes.
    pub fn routes(self) -> Router {
        Router::new()
            .route("/audit", get(search::form_page).post(search::submit))
            .route("/audit/results/{result}", get(search::results))
            .route("/audit/results/{result}/file", post(search::file))
            .route("/audit/out", get(out::list))
            .route("/audit/operation", get(operation::page))
            .route("/audit/run", post(alert::run))
            .route("/audit/alerts", get(alert::list))
            .route(
                "/audit/alerts/{alert}",
                get(alert::open).post(alert::answer),
            )
            .route("/audit/reports", get(report::list).post(report::make))
            .route("/audit/reports/{report}", get(report::open))
            .route("/audit/reports/{report}/file", get(report::file))
            .with_state(self)
    }
}
