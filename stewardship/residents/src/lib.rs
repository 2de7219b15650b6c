//! 宛名 (residents): persons, households, addresses and their history; search; the person's own page.
//!
//! Promises: search folds kana and variant characters, understands every habit of writing a
//! birth date, and warns of namesakes; a record opens only with a reason and leaves a line.
//! Never: a read without a permit; a search criterion in an address line of the browser.

pub mod action;
mod answer;
mod change;
pub mod import;
mod intake;
mod own;
mod reception;
mod record;
mod schema;
mod search;
mod services;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::routing::{get, post};
use mimamori_gate::{Gate, GateError, Room};
use mimamori_identity::SessionId;
use mimamori_kernel::clock::Clock;
use mimamori_kernel::id::{PersonId, ResultId};
use mimamori_kernel::random::Random;
use mimamori_sheets::Press;

pub use answer::answer;
pub use schema::MIGRATIONS;
pub use services::{ServiceLink, Services, Waiting};

/// What the room brings to the gate.
pub const ROOM: Room = Room {
    name: "residents",
    policies: include_str!("../policy/residents.cedar"),
    items: include_str!("../items.toml"),
    actions: &[
        action::PERSON_SEARCH,
        action::PERSON_LIST,
        action::PERSON_OPEN,
        action::NOTE_WRITE,
        action::TRACE_OWN,
        action::STATEMENT_OWN,
        action::IMPORT,
        action::IMPORT_PREVIEW,
        action::PERSON_MOVE,
        action::PERSON_ENTER,
        action::PERSON_CORRECT,
        action::PERSON_CORRECT_PLACE,
        action::PERSON_FLAG,
        action::PERSON_MERGE,
        action::PERSON_SETTLE,
    ],
    // Who was merged into another record is no namesake.
    extracts: &["gate_same"],
};

/// Reasons and searches of one session; forgotten with it.
#[derive(Default)]
pub(crate) struct Kept {
    searches: Vec<(ResultId, search::Search)>,
    reasons: HashMap<PersonId, record::Stated>,
    /// The person of the form that is open.
    seen: Option<change::Seen>,
}

/// What the room's pages need.
#[derive(Clone)]
pub struct Residents {
    pub(crate) gate: Gate,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    kept: Arc<Mutex<HashMap<SessionId, Kept>>>,
    pub(crate) intake: Option<intake::Intake>,
    pub(crate) press: Press,
    pub(crate) services: Services,
}

impl Residents {
    /// The room over a gate.
    pub fn new(gate: Gate, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self {
            gate,
            clock,
            random,
            kept: Arc::default(),
            intake: None,
            press: Press::default(),
            services: Services::default(),
        }
    }

    /// The same with a printer for the person's own sheet.
    #[must_use]
    pub fn with_press(mut self, press: Press) -> Self {
        self.press = press;
        self
    }

    /// The same with what the services bring to a record page.
    #[must_use]
    pub fn with_services(mut self, services: Services) -> Self {
        self.services = services;
        self
    }

    /// The same with imports on the screen: files wait in the folder `staging`; `sample_only`
    /// takes nothing but the sample town.
    #[must_use]
    pub fn with_imports(mut self, staging: PathBuf, sample_only: bool) -> Self {
        self.intake = Some(intake::Intake::new(staging, sample_only));
        self
    }

    /// Marks imports that the last stop of the program left; once, before pages are served.
    ///
    /// # Errors
    /// [`GateError`].
    pub async fn wake(&self) -> Result<(), GateError> {
        intake::wake(self).await
    }

    /// The route that takes large files in, for which a page's time limit is too short.
    pub fn uploads(self) -> Router {
        intake::uploads().with_state(self)
    }

    /// Works on what is kept for a session.
    pub(crate) fn kept<T>(&self, session: &SessionId, f: impl FnOnce(&mut Kept) -> T) -> T {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() > 5000 && !all.contains_key(session) {
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
            .route(
                "/residents/search",
                get(search::form_page).post(search::submit),
            )
            .route("/residents/results/{result}", get(search::results))
            .route(
                "/residents/enter",
                get(change::enter_form).post(change::enter),
            )
            .route("/residents/differences", get(change::differences))
            .route("/residents/{person}", get(record::open))
            .route(
                "/residents/{person}/difference",
                get(change::difference).post(change::settle),
            )
            .route(
                "/residents/{person}/change/{form}",
                get(change::show).post(change::submit),
            )
            .route(
                "/residents/{person}/merge",
                get(change::merge_form).post(change::merge),
            )
            .route(
                "/residents/{person}/split",
                get(change::split_form).post(change::split),
            )
            .route("/residents/{person}/reason", post(record::state_reason))
            .route(
                "/residents/{person}/note",
                get(reception::note).post(reception::write),
            )
            .route("/me", get(own::page))
            .route("/me/sheet", get(own::sheet))
            .route("/me/sheet.pdf", get(own::paper))
            .route("/me/statement", get(own::statement))
            .merge(intake::routes())
            .with_state(self)
    }
}
