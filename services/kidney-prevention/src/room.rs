//! What the room's pages share, and its routes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::routing::{get, post};
use jiff::civil::Date;
use mimamori_gate::Gate;
use mimamori_identity::SessionId;
use mimamori_kernel::clock::Clock;
use mimamori_kernel::date::fiscal_year;
use mimamori_sheets::Press;

use crate::guidance::Closed;
use crate::{choose, intake, people};

/// The counted document that waits for a session: the line of its output and its bytes.
type Papers = HashMap<SessionId, (u64, Vec<u8>)>;

/// What the room's pages need. Cheap to clone.
#[derive(Clone)]
pub struct KidneyPrevention {
    pub(crate) gate: Gate,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) press: Press,
    pub(crate) closed: Arc<Closed>,
    /// Office and contact on letters.
    pub(crate) sender: Arc<(String, String)>,
    /// A sample town: letters say so across the page.
    pub(crate) sample: bool,
    papers: Arc<Mutex<Papers>>,
    /// One import or trial at a time: each counts on from what is there.
    pub(crate) turn: Arc<tokio::sync::Mutex<()>>,
}

impl KidneyPrevention {
    /// The room over a gate; without fonts it opens and prints no letters. `sender` is the office and whom to ask.
    pub fn new(
        gate: Gate,
        clock: Arc<dyn Clock>,
        press: Press,
        sender: (String, String),
        sample: bool,
    ) -> Self {
        Self {
            gate,
            clock,
            press,
            closed: Arc::default(),
            sender: Arc::new(sender),
            sample,
            papers: Arc::default(),
            turn: Arc::default(),
        }
    }

    fn papers<T>(&self, f: impl FnOnce(&mut Papers) -> T) -> T {
        f(&mut self.papers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps a counted document for the page that comes next; the one before is dropped.
    pub(crate) fn keep_paper(&self, session: &SessionId, line: u64, bytes: Vec<u8>) {
        self.papers(|all| all.insert(*session, (line, bytes)));
    }

    /// The document that waits for this session.
    pub(crate) fn paper(&self, session: &SessionId) -> Option<u64> {
        self.papers(|all| all.get(session).map(|p| p.0))
    }

    /// Hands a document over, once: one output, one file.
    pub(crate) fn take_paper(&self, session: &SessionId, line: u64) -> Option<Vec<u8>> {
        self.papers(|all| match all.get(session) {
            Some((kept, _)) if *kept == line => all.remove(session).map(|p| p.1),
            _ => None,
        })
    }

    /// Forgets what was kept for a session that ended.
    pub fn forget(&self, session: &SessionId) {
        self.papers(|all| all.remove(session));
    }

    /// The days of the contract for guidance: the fiscal year (S1-21), until contracts bring their own.
    pub(crate) fn contract(&self) -> (Date, Date) {
        let today = self.clock.now().office_day();
        let year = fiscal_year(today);
        let first = Date::new(year, 4, 1).unwrap_or(today);
        // Guidance that starts in the second half of a year goes on under the next one's contract (次年度以降も同様).
        let last = Date::new(year + 2, 3, 31).unwrap_or(today);
        (first, last)
    }

    /// Routes that take large files in or work on the whole town, for which a page's time limit is too short.
    pub fn uploads(self) -> Router {
        Router::new()
            .route("/kidney/imports/files", post(intake::receive))
            .route("/kidney/imports/{number}", post(intake::decide))
            .route("/kidney/runs", post(choose::start))
            .route("/kidney/runs/{number}", post(choose::decide_run))
            .with_state(self)
    }

    /// The room's routes.
    pub fn routes(self) -> Router {
        Router::new()
            .route("/kidney", get(choose::home))
            .route("/kidney/imports", get(intake::list))
            .route("/kidney/imports/{number}", get(intake::show))
            .route("/kidney/rules", get(choose::rules).post(choose::propose))
            .route("/kidney/rules/{number}", post(choose::decide_rule))
            .route("/kidney/runs", get(choose::runs))
            .route("/kidney/runs/{number}", get(choose::run_page))
            .route("/kidney/results/{result}", get(people::results))
            .route("/kidney/stages/{stage}", get(people::stages))
            .route(
                "/kidney/persons/{person}",
                get(people::open).post(people::act),
            )
            .route("/kidney/letters", get(people::letters).post(people::print))
            .route("/kidney/letters/{line}", get(people::paper))
            .route("/kidney/evaluation", get(people::evaluation))
            .with_state(self)
    }
}
