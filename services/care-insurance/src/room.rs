//! What the room's pages share: gate, clock, printer, settings, reasons given today.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::routing::{get, post};
use jiff::civil::Date;
use mimamori_gate::Gate;
use mimamori_identity::SessionId;
use mimamori_kernel::clock::Clock;
use mimamori_kernel::id::PersonId;
use mimamori_sheets::Press;

use crate::cards::{self, Insurer};
use crate::eligibility::{Codes, Nightly, Numbering, pages};
use crate::{businesses, home};

/// Reasons kept for one session.
const KEPT: usize = 500;

type Reasons = HashMap<PersonId, (Date, String)>;

/// What the room's pages need. Cheap to clone.
#[derive(Clone)]
pub struct CareInsurance {
    pub(crate) gate: Gate,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) press: Press,
    /// None when the town has not set its insurer; no card is made then.
    pub(crate) insurer: Option<Insurer>,
    pub(crate) codes: Arc<Codes>,
    pub(crate) numbering: Numbering,
    pub(crate) nightly: Arc<Nightly>,
    kept: Arc<Mutex<HashMap<SessionId, Reasons>>>,
}

impl CareInsurance {
    /// The room over a gate.
    pub fn new(
        gate: Gate,
        clock: Arc<dyn Clock>,
        press: Press,
        insurer: Option<Insurer>,
        codes: Codes,
        numbering: Numbering,
    ) -> Self {
        Self {
            gate,
            clock,
            press,
            insurer,
            codes: Arc::new(codes),
            numbering,
            nightly: Arc::default(),
            kept: Arc::default(),
        }
    }

    fn kept<T>(&self, session: &SessionId, f: impl FnOnce(&mut Reasons) -> T) -> T {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() > 5000 && !all.contains_key(session) {
            all.clear();
        }
        f(all.entry(*session).or_default())
    }

    /// The reason given today for opening a person, if one was.
    pub(crate) fn reason(&self, session: &SessionId, person: &PersonId) -> Option<String> {
        let today = self.clock.now().office_day();
        self.kept(session, |reasons| {
            let (day, words) = reasons.get(person)?;
            (*day == today).then(|| words.clone())
        })
    }

    /// Keeps a reason for the rest of the office day.
    pub(crate) fn keep(&self, session: &SessionId, person: PersonId, words: String) {
        let today = self.clock.now().office_day();
        self.kept(session, |reasons| {
            if reasons.len() > KEPT {
                reasons.clear();
            }
            reasons.insert(person, (today, words));
        });
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
            .route("/insurance", get(home::page).post(home::find))
            .route("/insurance/businesses", get(businesses::page))
            .route("/insurance/derivation", get(pages::show).post(pages::order))
            .route(
                "/insurance/queues/{queue}",
                get(pages::queue).post(pages::file),
            )
            .route(
                "/insurance/persons/{person}",
                get(pages::open).post(pages::decide),
            )
            .route(
                "/insurance/persons/{person}/reason",
                post(pages::state_reason),
            )
            .route(
                "/insurance/persons/{person}/card",
                get(cards::page).post(cards::change),
            )
            .route(
                "/insurance/persons/{person}/card/picture",
                get(cards::picture),
            )
            .route("/insurance/persons/{person}/card/print", post(cards::print))
            .route("/insurance/cards", get(cards::batch).post(cards::gather))
            .route("/insurance/cards/pull/{person}", post(cards::pull))
            .route("/insurance/cards/print", post(cards::print_batch))
            .with_state(self)
    }
}
