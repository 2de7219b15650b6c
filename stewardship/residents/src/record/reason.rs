//! Why an officer opens a record: asked once, good for the office day.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::civil::Date;
use mimamori_identity::Visitor;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{PersonId, ResultId};
use mimamori_pages::{Choice, FieldError, Frame, LimitedForm, Problem, html_with_status};

use crate::Residents;
use crate::search::{channels, reason};

/// A reason that an officer gave for one person, good for that office day.
#[derive(Debug, Clone)]
pub(crate) struct Stated {
    day: Date,
    words: String,
}

impl Stated {
    pub(crate) fn new(at: Instant, words: String) -> Self {
        Self {
            day: at.office_day(),
            words,
        }
    }
}

#[derive(Template)]
#[template(path = "residents/reason.html")]
pub(super) struct ReasonPage<'a> {
    pub frame: &'a Frame,
    pub person: PersonId,
    pub channels: Vec<Choice>,
    pub note: String,
    pub errors: Vec<FieldError>,
}

/// Remembers for today why this visitor opens this person.
pub(crate) fn keep_reason(room: &Residents, visitor: &Visitor, person: PersonId, words: String) {
    let day = room.clock.now().office_day();
    room.kept(&visitor.session, |kept| {
        if kept.reasons.len() > 500 {
            kept.reasons.clear();
        }
        kept.reasons.insert(person, Stated { day, words });
    });
}

/// The reason on which this visitor may open this person today, if one was given.
pub(crate) fn stated(
    room: &Residents,
    visitor: &Visitor,
    person: &PersonId,
    from: Option<&ResultId>,
) -> Option<String> {
    let today = room.clock.now().office_day();
    room.kept(&visitor.session, |kept| {
        let by_search = from
            .and_then(|id| kept.searches.iter().find(|(k, _)| k == id))
            // A search is a reason for those whom it found, and for nobody else.
            .filter(|(_, s)| s.found.as_ref().is_some_and(|f| f.contains(person)))
            .map(|(_, s)| (s.at.office_day(), &s.reason));
        let given = kept.reasons.get(person).map(|s| (s.day, &s.words));
        by_search
            .or(given)
            .filter(|(day, _)| *day == today)
            .map(|(_, words)| words.clone())
    })
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Given {
    channel: String,
    note: String,
}

/// POST /residents/{person}/reason
pub(crate) async fn state_reason(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
    LimitedForm(given): LimitedForm<Given>,
) -> Response {
    let Ok(person) = person.parse::<PersonId>() else {
        return Problem::not_found().into_response();
    };
    let mut errors = Vec::new();
    let words = reason(&given.channel, &given.note, &mut errors).filter(|_| errors.is_empty());
    let Some(words) = words else {
        let frame = frame
            .with_title("閲覧の理由")
            .with_current("/residents/search");
        let page = ReasonPage {
            frame: &frame,
            person,
            channels: channels(&given.channel),
            note: given.note,
            errors,
        };
        return html_with_status(StatusCode::BAD_REQUEST, page);
    };
    keep_reason(&room, &visitor, person, words);
    Redirect::to(&format!("/residents/{person}")).into_response()
}
