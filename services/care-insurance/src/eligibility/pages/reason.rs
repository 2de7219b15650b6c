use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::Purpose;
use mimamori_identity::Visitor;
use mimamori_kernel::id::PersonId;
use mimamori_pages::{Choice, FieldError, Frame, LimitedForm, Problem, html_with_status};

use mimamori_residents::answer;

use crate::{CareInsurance, action};

/// Why an officer opens a qualification.
const REASONS: [(&str, &str); 4] = [
    ("notice", "届出の受付"),
    ("question", "資格の問い合わせ"),
    ("card", "被保険者証の交付・回収"),
    ("queue", "資格管理の定例の処理"),
];

#[derive(Template)]
#[template(path = "care-insurance/reason.html")]
struct ReasonPage<'a> {
    frame: &'a Frame,
    person: PersonId,
    reasons: Vec<Choice>,
    note: String,
    errors: Vec<FieldError>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Given {
    reason: String,
    note: String,
}

fn page(frame: &Frame, person: PersonId, given: &Given, errors: Vec<FieldError>) -> Response {
    let status = match errors.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::BAD_REQUEST,
    };
    let first = std::iter::once(("", "選んでください"));
    html_with_status(
        status,
        ReasonPage {
            frame: &frame
                .clone()
                .with_title("閲覧の理由")
                .with_current("/insurance"),
            person,
            reasons: first
                .chain(REASONS)
                .map(|(code, name)| Choice::new(code, name, &given.reason))
                .collect(),
            note: given.note.clone(),
            errors,
        },
    )
}

/// Longest reason of an output or a decision, in characters.
const LONGEST: usize = 200;

/// What is wrong with the reason `note` of an output or a decision, beside its field.
pub(crate) fn unreasoned(what: &str, note: &str) -> Option<FieldError> {
    let text = format!("{what}の理由を{LONGEST}文字までで書いてください。");
    let told = (1..=LONGEST).contains(&note.trim().chars().count());
    (!told).then(|| FieldError::new("note", text))
}

/// The form that asks for a reason; the permit was asked before.
pub(crate) fn ask(frame: &Frame, person: PersonId) -> Response {
    page(frame, person, &Given::default(), vec![])
}

/// POST /insurance/persons/{person}/reason
pub(crate) async fn state_reason(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
    LimitedForm(given): LimitedForm<Given>,
) -> Response {
    let Ok(person) = person.parse::<PersonId>() else {
        return Problem::not_found().into_response();
    };
    // Whoever may not open the record is told so, with a line, before anything is kept.
    let asked = room
        .gate
        .person(&visitor, action::OPEN, Purpose::CareInsurance, person, None)
        .await;
    if let Err(error) = asked {
        return answer(error);
    }
    let mut errors = Vec::new();
    let name = REASONS.iter().find(|(code, _)| *code == given.reason);
    if name.is_none() {
        errors.push(FieldError::new("reason", "理由を選んでください。"));
    }
    if given.note.chars().count() > 200 {
        errors.push(FieldError::new("note", "用件は200文字までです。"));
    }
    let Some((_, name)) = name.filter(|_| errors.is_empty()) else {
        return page(&frame, person, &given, errors);
    };
    room.keep(
        &visitor.session,
        person,
        format!("{name} {}", given.note.trim()),
    );
    Redirect::to(&format!("/insurance/persons/{person}")).into_response()
}
