//! What the room's pages share: gate, clock, printer, settings, reasons given today.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::routing::{get, post};
use jiff::civil::Date;
use mimamori_files::Shelf;
use mimamori_gate::Gate;
use mimamori_identity::SessionId;
use mimamori_kernel::clock::Clock;
use mimamori_kernel::id::{PersonId, UserId};
use mimamori_kernel::random::{Random, SystemRandom};
use mimamori_numbers::port::Call;
use mimamori_sheets::Press;

use crate::cards::{self, Insurer};
use crate::eligibility::{Codes, Nightly, Numbering, pages};
use crate::numbers::{self, Numbers};
use crate::{businesses, home};

/// Reasons kept for one session.
const KEPT: usize = 500;

type Reasons = HashMap<PersonId, (Date, String)>;

/// What is kept for a session; forgotten with it.
#[derive(Default)]
struct Kept {
    reasons: Reasons,
    paper: Option<Paper>,
}

/// A document that was taken out and counted, until the browser has fetched it.
struct Paper {
    /// Whose card; none for a batch.
    about: Option<PersonId>,
    /// The line of its output.
    line: u64,
    bytes: Vec<u8>,
    /// A page has already begun to fetch it by itself.
    begun: bool,
}

/// The link to a document that waits for the browser.
#[derive(Clone, Copy)]
pub(crate) struct PaperLink {
    pub line: u64,
    /// The page fetches it by itself; only the first one does.
    pub fetch: bool,
}

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
    pub(crate) shelf: Shelf<SessionId>,
    pub(crate) random: Arc<dyn Random>,
    /// None where this instance has no numbers room.
    pub(crate) numbers: Option<Numbers>,
    kept: Arc<Mutex<HashMap<SessionId, Kept>>>,
}

impl CareInsurance {
    /// The room over a gate; its lists as files wait on `shelf`.
    pub fn new(
        gate: Gate,
        clock: Arc<dyn Clock>,
        press: Press,
        insurer: Option<Insurer>,
        codes: Codes,
        numbering: Numbering,
        shelf: Shelf<SessionId>,
    ) -> Self {
        Self {
            gate,
            clock,
            press,
            insurer,
            codes: Arc::new(codes),
            numbering,
            nightly: Arc::default(),
            shelf,
            random: Arc::new(SystemRandom),
            numbers: None,
            kept: Arc::default(),
        }
    }

    /// With the way to the numbers room.
    #[must_use]
    pub fn with_numbers(self, numbers: Numbers) -> Self {
        Self {
            numbers: Some(numbers),
            ..self
        }
    }

    /// Whether this instance has a numbers room.
    pub fn has_numbers(&self) -> bool {
        self.numbers.is_some()
    }

    /// Writes down what the numbers room did; nothing where there is none.
    ///
    /// # Errors
    /// [`numbers::DeskError`]; the room keeps what was not acknowledged.
    pub async fn sync_numbers(&self) -> Result<usize, numbers::DeskError> {
        match &self.numbers {
            Some(desk) => desk.sync(&self.gate).await,
            None => Ok(0),
        }
    }

    fn kept<T>(&self, session: &SessionId, f: impl FnOnce(&mut Kept) -> T) -> T {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() > 5000 && !all.contains_key(session) {
            all.clear();
        }
        f(all.entry(*session).or_default())
    }

    /// The reason given today for opening a person, if one was.
    pub(crate) fn reason(&self, session: &SessionId, person: &PersonId) -> Option<String> {
        let today = self.clock.now().office_day();
        self.kept(session, |kept| {
            let (day, words) = kept.reasons.get(person)?;
            (*day == today).then(|| words.clone())
        })
    }

    /// Keeps a reason for the rest of the office day.
    pub(crate) fn keep(&self, session: &SessionId, person: PersonId, words: String) {
        let today = self.clock.now().office_day();
        self.kept(session, |Kept { reasons, .. }| {
            if reasons.len() > KEPT {
                reasons.clear();
            }
            reasons.insert(person, (today, words));
        });
    }

    /// Keeps a counted document for the page that comes next; the one before is dropped.
    pub(crate) fn keep_paper(
        &self,
        session: &SessionId,
        about: Option<PersonId>,
        line: u64,
        bytes: Vec<u8>,
    ) {
        let begun = false;
        let paper = Paper {
            about,
            line,
            bytes,
            begun,
        };
        self.kept(session, |kept| kept.paper = Some(paper));
    }

    /// The document that waits for this session, made from this page.
    pub(crate) fn paper(&self, session: &SessionId, about: Option<PersonId>) -> Option<PaperLink> {
        self.kept(session, |kept| {
            let paper = kept.paper.as_mut().filter(|p| p.about == about)?;
            let fetch = !std::mem::replace(&mut paper.begun, true);
            let line = paper.line;
            Some(PaperLink { line, fetch })
        })
    }

    /// Hands a document over, once: one output, one file.
    pub(crate) fn take_paper(&self, session: &SessionId, line: u64) -> Option<Vec<u8>> {
        self.kept(session, |kept| {
            let paper = kept.paper.take_if(|p| p.line == line)?;
            Some(paper.bytes)
        })
    }

    /// Tells the numbers room that every session of a user is over, as when a designation or an account ends.
    pub fn forget_user(&self, user: &UserId) {
        if let Some(desk) = &self.numbers {
            desk.forget(Call::ForgetUser(user.to_string()));
        }
    }

    /// The same, and returns when it is done: no ticket of another session outlives the sign-in that ended it.
    pub async fn forgot_user(&self, user: &UserId) {
        if let Some(desk) = &self.numbers {
            desk.forget_now(Call::ForgetUser(user.to_string())).await;
        }
    }

    /// Forgets what was kept for a session that ended.
    pub fn forget(&self, session: &SessionId) {
        if let Some(desk) = &self.numbers {
            desk.forget(Call::ForgetSession(numbers::named(session)));
        }
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
                "/insurance/persons/{person}/facts",
                get(pages::facts).post(pages::enter),
            )
            .route(
                "/insurance/persons/{person}/facts/{number}",
                post(pages::settle),
            )
            .route("/insurance/persons/{person}/number", post(pages::number))
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
            .route("/insurance/papers/{line}", get(cards::paper))
            .route("/insurance/numbers", get(numbers::page))
            .route(
                "/insurance/numbers/keys",
                get(numbers::keys).post(numbers::rotate),
            )
            .route(
                "/insurance/numbers/find",
                get(numbers::ask_find).post(numbers::find),
            )
            .route("/insurance/numbers/links", get(numbers::links))
            .route("/insurance/numbers/links/compare", post(numbers::compare))
            .route("/insurance/numbers/links/again", post(numbers::again))
            .route("/insurance/numbers/links/{id}", post(numbers::settle))
            .route("/insurance/numbers/found", post(numbers::found))
            .route("/insurance/numbers/load", get(numbers::ask_load))
            .route("/insurance/numbers/check", get(numbers::check))
            .route("/insurance/numbers/persons/{person}", get(numbers::open))
            .route(
                "/insurance/numbers/persons/{person}/reveal",
                post(numbers::reveal),
            )
            .route(
                "/insurance/numbers/persons/{person}/delete",
                get(numbers::ask_delete).post(numbers::delete),
            )
            .route(
                "/insurance/numbers/persons/{person}/inquire",
                post(numbers::inquire),
            )
            .route(
                "/insurance/numbers/persons/{person}/{what}",
                get(numbers::ask).post(numbers::enter),
            )
            .with_state(self)
    }

    /// What goes through the whole town, and may take longer than a page.
    pub fn long(self) -> Router {
        Router::new()
            .route("/insurance/numbers/load", post(numbers::load))
            .route("/insurance/numbers/check", post(numbers::run_check))
            .with_state(self)
    }
}
