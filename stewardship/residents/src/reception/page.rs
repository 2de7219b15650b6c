use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Case, Reason, Statement, case_statement, office_day_number};
use mimamori_identity::Visitor;
use mimamori_kernel::id::{PersonId, ResultId};
use mimamori_pages::{Choice, FieldError, Frame, LimitedForm, html_with_status};

use super::form::{ASKERS, CHANNELS, Sent, words};
use crate::record::Stated;
use crate::search::purpose;
use crate::{Residents, action, answer};

/// Columns of a note on the record page.
pub(crate) const COLUMNS: [&str; 4] = ["channel", "asker", "matter", "written_at"];
/// Notes of one officer and office day.
pub(crate) const TODAY: &str = "officer = ? AND day = ? ORDER BY written_at";

#[derive(Template)]
#[template(path = "residents/note.html")]
struct NotePage<'a> {
    frame: &'a Frame,
    person: PersonId,
    channels: Vec<Choice>,
    askers: Vec<Choice>,
    matter: String,
    from: String,
    errors: Vec<FieldError>,
}

#[derive(serde::Deserialize)]
pub(crate) struct From {
    from: Option<String>,
}

fn show(frame: &Frame, person: PersonId, sent: &Sent, errors: Vec<FieldError>) -> Response {
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    let boxed = |all: &[(&str, &str)], current: &str| {
        std::iter::once(&("", "選んでください"))
            .chain(all)
            .map(|(code, word)| Choice::new(*code, *word, current))
            .collect()
    };
    html_with_status(
        status,
        NotePage {
            frame: &frame
                .clone()
                .with_title("受付票")
                .with_current("/residents/search"),
            person,
            channels: boxed(&CHANNELS, &sent.channel),
            askers: boxed(&ASKERS, &sent.asker),
            matter: sent.matter.clone(),
            // Only an id goes back into the page.
            from: sent
                .from
                .parse::<ResultId>()
                .map_or_else(|_| String::new(), |id| id.to_string()),
            errors,
        },
    )
}

fn id(person: &str) -> PersonId {
    person.parse().unwrap_or(PersonId::from_bytes([0; 16]))
}

/// GET /residents/{person}/note
pub(crate) async fn note(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
    Query(From { from }): Query<From>,
) -> Response {
    let person = id(&person);
    // Who may not write is told so before typing.
    let asked = room.gate.person(
        &visitor,
        action::NOTE_WRITE,
        purpose(&visitor),
        person,
        None,
    );
    match asked.await {
        Ok(_) => {
            let sent = Sent {
                from: from.unwrap_or_default(),
                ..Sent::default()
            };
            show(&frame, person, &sent, vec![])
        }
        Err(error) => answer(error),
    }
}

/// POST /residents/{person}/note
pub(crate) async fn write(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
    LimitedForm(sent): LimitedForm<Sent>,
) -> Response {
    let person = id(&person);
    let checked = sent.check().map(str::to_owned);
    let words = match &checked {
        Ok(matter) => words(&sent.channel, &sent.asker, matter),
        Err(_) => String::new(),
    };
    // Asked before the input is judged: who may not write learns nothing from an error.
    let reason = checked.is_ok().then(|| Reason(words.clone()));
    let permit = match room
        .gate
        .person(
            &visitor,
            action::NOTE_WRITE,
            purpose(&visitor),
            person,
            reason,
        )
        .await
    {
        Ok(permit) => permit,
        Err(error) => return answer(error),
    };
    let matter = match checked {
        Ok(matter) => matter,
        Err(errors) => return show(&frame, person, &sent, errors),
    };
    let now = room.clock.now();
    let mut number = [0u8; 16];
    room.random.fill(&mut number);
    let note = Statement::new(
        "INSERT INTO residents_note (id, person, officer, day, channel, asker, matter, written_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        vec![
            (&number).into(),
            person.bytes().into(),
            visitor.user.bytes().into(),
            office_day_number(now).into(),
            sent.channel.as_str().into(),
            sent.asker.as_str().into(),
            matter.into(),
            now.0.into(),
        ],
    );
    let link = case_statement(&person, &visitor.user, now, Case::Note);
    if let Err(error) = permit.change(vec![note, link], None).await {
        return answer(error);
    }
    room.kept(&visitor.session, |kept| {
        if kept.reasons.len() > 500 {
            kept.reasons.clear();
        }
        kept.reasons.insert(person, Stated::new(now, words));
    });
    let from = match sent.from.parse::<ResultId>() {
        Ok(id) => format!("?from={id}"),
        Err(_) => String::new(),
    };
    Redirect::to(&format!("/residents/{person}{from}")).into_response()
}
