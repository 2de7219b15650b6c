//! 検索: whose a number is. The number is typed into the room's frame; the register then says whose it is.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Class, Condition, Purpose};
use mimamori_identity::Visitor;
use mimamori_kernel::id::{NumberRef, PersonId, TicketId};
use mimamori_numbers::port::{Kind, Obtained};
use mimamori_pages::{Choice, FieldError, Frame, LimitedForm, Problem, html, html_with_status};

use super::form::{Given, PURPOSES};
use super::{DeskError, book, framing, numbers, order, told};
use crate::{CareInsurance, action};

#[derive(Template)]
#[template(path = "care-insurance/number_find.html")]
struct AskPage<'a> {
    frame: &'a Frame,
    given: &'a Given,
    purposes: Vec<Choice>,
    errors: Vec<FieldError>,
}

#[derive(Template)]
#[template(path = "care-insurance/number_entry.html")]
pub(super) struct EntryPage<'a> {
    pub frame: &'a Frame,
    /// Address of the room's page.
    pub source: String,
    /// What the room's page is for, as a frame says it.
    pub title: &'a str,
    /// Where the work goes on.
    pub next: String,
    pub next_label: &'a str,
    pub ticket: String,
    pub purpose: &'a str,
    pub line: u64,
    pub who: String,
}

#[derive(Template)]
#[template(path = "care-insurance/number_found.html")]
struct FoundPage<'a> {
    frame: &'a Frame,
    rows: Vec<(PersonId, String, String, String)>,
    line: u64,
}

fn titled(frame: &Frame, title: &str) -> Frame {
    frame
        .clone()
        .with_title(title)
        .with_current("/insurance/numbers")
}

fn form(frame: &Frame, given: &Given, errors: Vec<FieldError>) -> Response {
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    let frame = titled(frame, "個人番号で検索");
    html_with_status(
        status,
        AskPage {
            frame: &frame,
            given,
            purposes: given.purposes(),
            errors,
        },
    )
}

/// GET /insurance/numbers/find
pub(crate) async fn ask_find(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
) -> Response {
    if let Err(error) = room
        .gate
        .list(&visitor, action::NUMBER_OUTSIDE, Purpose::CareInsurance)
        .await
    {
        return told(error.into());
    }
    form(&frame, &Given::default(), vec![])
}

/// POST /insurance/numbers/find
pub(crate) async fn find(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    headers: HeaderMap,
    LimitedForm(given): LimitedForm<Given>,
) -> Response {
    let (purpose, reason) = match given.read() {
        Ok(read) => read,
        Err(errors) => return form(&frame, &given, errors),
    };
    let done = async {
        let desk = match numbers(&room) {
            Ok(desk) => desk,
            Err(page) => return Ok(page),
        };
        let permit = room
            .gate
            .list(&visitor, action::NUMBER_FIND, purpose)
            .await?;
        let (_, port) = desk.ready(&room.gate).await?;
        let line = permit
            .searched(
                format!("個人番号による検索　{}", reason.0),
                room.clock.now(),
            )
            .await?;
        let ticket = desk
            .ticket(order(&visitor, Kind::Find, None, line, Obtained::default()))
            .await?;
        let origin = desk.origin(&headers, port);
        let page = EntryPage {
            frame: &titled(&frame, "個人番号で検索"),
            source: format!("{origin}/entry/{ticket}"),
            title: "個人番号の入力",
            next: "/insurance/numbers/found".into(),
            next_label: "結果を開く",
            ticket,
            purpose: purpose.code(),
            line,
            who: String::new(),
        };
        Ok::<_, DeskError>(framing(html(page), origin))
    };
    done.await.unwrap_or_else(told)
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    ticket: String,
    purpose: String,
}

/// POST /insurance/numbers/found
pub(crate) async fn found(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    LimitedForm(asked): LimitedForm<Asked>,
) -> Response {
    let purpose = PURPOSES.into_iter().find(|p| p.code() == asked.purpose);
    let (Ok(ticket), Some(purpose)) = (asked.ticket.parse::<TicketId>(), purpose) else {
        return Problem::not_found().into_response();
    };
    let done = async {
        let desk = match numbers(&room) {
            Ok(desk) => desk,
            Err(page) => return Ok(page),
        };
        let permit = room
            .gate
            .list(&visitor, action::NUMBER_FOUND, purpose)
            .await?;
        desk.sync(&room.gate).await?;
        let reference = match book::outcome(&room.gate, ticket.bytes()).await? {
            Some((told, reference)) if told != "void" => reference,
            // Nothing was typed, yet or at all.
            _ => return Ok(Redirect::to("/insurance/numbers/find").into_response()),
        };
        let reference = reference.unwrap_or(NumberRef::from_bytes([0; 16]));
        let has = [Condition {
            class: Class::Number,
            sql: "p.person IN (SELECT n.person FROM care_insurance_number n WHERE n.reference = ?)",
            args: vec![reference.bytes().into()],
        }];
        let columns = ["kanji", "kana", "insured_number"];
        let rows = permit
            .fetch(
                &permit,
                "residents_person",
                &columns,
                book::IN_FORCE,
                &has,
                "p.kana_key",
                0,
                5,
            )
            .await?;
        let rows = permit.reveal(rows).await?;
        let line = rows.line();
        let text =
            |record: &mimamori_gate::Record, name| record.text(name).unwrap_or_default().to_owned();
        let rows = rows.rows.iter().map(|(person, record)| {
            (
                *person,
                text(record, "kanji"),
                text(record, "kana"),
                text(record, "insured_number"),
            )
        });
        let frame = titled(&frame, "個人番号の検索結果");
        Ok::<_, DeskError>(html(FoundPage {
            frame: &frame,
            rows: rows.collect(),
            line,
        }))
    };
    done.await.unwrap_or_else(told)
}
