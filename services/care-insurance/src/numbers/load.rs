//! 一括登録: many first numbers from a file that goes straight to the room.

use std::collections::{BTreeMap, HashMap};

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use mimamori_gate::{Purpose, Statement};
use mimamori_identity::Visitor;
use mimamori_kernel::id::NumberRef;
use mimamori_numbers::NumbersError;
use mimamori_numbers::port::{Call, Kind, Reply};
use mimamori_pages::{Choice, FieldError, Frame, LimitedForm, html, html_with_status};

use super::find::EntryPage;
use super::form::Given;
use super::write::How;
use super::{DeskError, book, framing, numbers, order, told};
use crate::{CareInsurance, action};

/// References in one call to the room.
const PORTION: usize = 10_000;

#[derive(Template)]
#[template(path = "care-insurance/number_load.html")]
struct AskPage<'a> {
    frame: &'a Frame,
    given: &'a Given,
    purposes: Vec<Choice>,
    how: &'a How,
    methods: Vec<Choice>,
    proofs: Vec<Choice>,
    errors: Vec<FieldError>,
}

#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Sent {
    #[serde(flatten)]
    given: Given,
    #[serde(flatten)]
    how: How,
}

fn titled(frame: &Frame) -> Frame {
    frame
        .clone()
        .with_title("個人番号の一括登録")
        .with_current("/insurance/numbers")
}

fn form(frame: &Frame, sent: &Sent, errors: Vec<FieldError>) -> Response {
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    html_with_status(
        status,
        AskPage {
            frame: &titled(frame),
            given: &sent.given,
            purposes: sent.given.purposes(),
            how: &sent.how,
            methods: sent.how.methods(),
            proofs: sent.how.proofs(),
            errors,
        },
    )
}

/// GET /insurance/numbers/load
pub(crate) async fn ask_load(
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
    form(&frame, &Sent::default(), vec![])
}

/// POST /insurance/numbers/load
pub(crate) async fn load(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    headers: HeaderMap,
    LimitedForm(sent): LimitedForm<Sent>,
) -> Response {
    let (given, how) = (
        sent.given.read(),
        sent.how.read(room.clock.now().office_day()),
    );
    let ((purpose, reason), how) = match (given, how) {
        (Ok(given), Ok(how)) => (given, how),
        (given, how) => {
            let mut errors = given.err().unwrap_or_default();
            errors.extend(how.err().unwrap_or_default());
            return form(&frame, &sent, errors);
        }
    };
    let done = async {
        let desk = match numbers(&room) {
            Ok(desk) => desk,
            Err(page) => return Ok(page),
        };
        let permit = room
            .gate
            .list(&visitor, action::NUMBER_LOAD, purpose)
            .await?;
        let (_, port) = desk.ready(&room.gate).await?;
        let people = prepare(&room, &visitor).await?;
        let line = permit
            .searched(format!("一括登録　{}", reason.0), room.clock.now())
            .await?;
        let ticket = desk
            .ticket(order(&visitor, Kind::Load, None, line, how))
            .await?;
        let people: Vec<(String, String)> = people.into_iter().collect();
        for portion in people.chunks(PORTION) {
            let people: BTreeMap<String, String> = portion.iter().cloned().collect();
            let call = Call::People {
                ticket: ticket.clone(),
                people,
            };
            match desk.client.call(call).await? {
                Reply::Done => {}
                _ => return Err(NumbersError::Speech.into()),
            }
        }
        let origin = desk.origin(&headers, port);
        let page = EntryPage {
            frame: &titled(&frame),
            source: format!("{origin}/load/{ticket}"),
            title: "一括登録のファイル",
            next: "/insurance/numbers".into(),
            next_label: "終わる",
            ticket: String::new(),
            purpose: purpose.code(),
            line,
            who: String::new(),
        };
        Ok::<_, DeskError>(framing(html(page), origin))
    };
    done.await.unwrap_or_else(told)
}

/// References by 宛名番号 of everybody in the scope; those who had none get one.
async fn prepare(
    room: &CareInsurance,
    visitor: &Visitor,
) -> Result<HashMap<String, String>, DeskError> {
    let job = room.gate.job(action::NUMBER_PREPARE, Some(visitor)).await?;
    let mut known = HashMap::new();
    for (reference, person) in book::references(&job).await? {
        known.insert(person, reference);
    }
    let scope = book::scope(&job).await?;
    let mut fresh = Vec::<Statement>::new();
    for person in scope.keys().filter(|person| !known.contains_key(*person)) {
        let reference = NumberRef::random(&*room.random);
        fresh.push(book::new_reference(person, &reference));
    }
    if !fresh.is_empty() {
        let text = format!("references={}", fresh.len());
        job.change(&text, fresh, false).await?;
    }
    // Somebody else may have given one at the same moment: the stored ones count.
    let mut stored = HashMap::new();
    for (reference, person) in book::references(&job).await? {
        stored.insert(person, reference);
    }
    let named = scope.into_iter().filter_map(|(person, address_number)| {
        Some((address_number, stored.get(&person)?.to_string()))
    });
    Ok(named.collect())
}
