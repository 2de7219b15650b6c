//! Somebody who is not in the register yet: 転入, 出生, 職権記載.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Facts, GateError, PersonPermit, Reason};
use mimamori_identity::Visitor;
use mimamori_kernel::id::PersonId;
use mimamori_pages::{FieldError, Frame, LimitedForm, html_with_status};
use mimamori_trace::TraceError;

use super::item::{Values, digits};
use super::page::{FormPage, confirm, controls, note, titled};
use super::rule::{Form, Sent, check, sent};
use super::store::{NUMBER_TAKEN, Writer, facts};
use crate::record::keep_reason;
use crate::search::purpose;
use crate::{Residents, answer};

const TO: &str = "/residents/enter";

/// A permit to enter a person with these facts.
async fn ready(
    room: &Residents,
    visitor: &Visitor,
    facts: Facts,
    reason: String,
) -> Result<PersonPermit, GateError> {
    let person = PersonId::random(&*room.random);
    room.gate
        .new_person(
            visitor,
            Form::Enter.action(),
            purpose(visitor),
            person,
            facts,
            Reason(reason),
        )
        .await
}

fn page(frame: &Frame, given: &Sent, errors: Vec<FieldError>) -> Response {
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    let page = FormPage {
        frame,
        to: TO.into(),
        back: "/residents/search".into(),
        who: "先に検索して、宛名番号を持つ人がいないことを確かめてください。".into(),
        lock: String::new(),
        note: note(Form::Enter),
        fields: controls(Form::Enter, Form::Enter.kinds(), given),
        errors,
    };
    html_with_status(status, page)
}

/// GET /residents/enter
pub(crate) async fn enter_form(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
) -> Response {
    // Who may not enter anybody is told so before typing.
    match ready(&room, &visitor, Facts(Facts::RESIDENT), String::new()).await {
        Ok(_) => page(&titled(frame, Form::Enter), &Sent::new(), vec![]),
        Err(error) => answer(error),
    }
}

/// POST /residents/enter: `step` is check, edit or write.
pub(crate) async fn enter(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    LimitedForm(given): LimitedForm<Sent>,
) -> Response {
    let now = room.clock.now();
    let frame = titled(frame, Form::Enter);
    let number = digits(sent(&given, "address_number"))
        .filter(|d| d.len() <= 15 && d.bytes().any(|b| b != b'0'));
    let checked = check(Form::Enter, &given, None, now.office_day());
    let set = checked.as_ref().map_or(Facts::RESIDENT, |w| facts(w).0);
    let reason: String = format!("{} {}", sent(&given, "kind"), sent(&given, "reason"))
        .chars()
        .take(300)
        .collect();
    let permit = match ready(&room, &visitor, Facts(set), reason.clone()).await {
        Ok(permit) => permit,
        Err(error) => return answer(error),
    };
    let number_error = || {
        FieldError::new(
            "address_number",
            "宛名番号は15桁までの数字です（0だけの番号はありません）。",
        )
    };
    let (wish, number) = match (checked, number) {
        _ if sent(&given, "step") == "edit" => return page(&frame, &given, vec![]),
        (Ok(wish), Some(number)) => (wish, format!("{number:0>15}")),
        (Ok(_), None) => return page(&frame, &given, vec![number_error()]),
        (Err(mut errors), number) => {
            errors.extend(number.is_none().then(number_error));
            return page(&frame, &given, errors);
        }
    };
    if sent(&given, "step") != "write" {
        let who = format!("新しい人　宛名番号 {number}");
        let page = confirm(&frame, TO.into(), who, &Values::new(), &wish, &given);
        return html_with_status(StatusCode::OK, page);
    }
    let person = permit.person();
    let writer = Writer {
        person: &person,
        visitor: &visitor,
        at: now,
    };
    let statements = writer.enter(&number, &wish);
    match permit.change(statements, Some(Facts(set))).await {
        Ok(_) => {
            keep_reason(&room, &visitor, person, reason);
            Redirect::to(&format!("/residents/{person}")).into_response()
        }
        Err(GateError::Trace(TraceError::Conflict { what: NUMBER_TAKEN })) => {
            let text = "この宛名番号の人は、もう登録されています。検索して確かめてください。";
            page(
                &frame,
                &given,
                vec![FieldError::new("address_number", text)],
            )
        }
        Err(error) => answer(error),
    }
}
