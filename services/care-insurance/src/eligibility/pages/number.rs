//! The insured-person number where the town's setting wants it typed.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Purpose, Reason, Statement};
use mimamori_identity::Visitor;
use mimamori_kernel::check::InsuredCheck;
use mimamori_kernel::error::Coded as _;
use mimamori_kernel::id::PersonId;
use mimamori_pages::{FieldError, Frame, LimitedForm, Problem};
use mimamori_residents::answer;

use super::person::{Typed, person_page};
use crate::eligibility::event;
use crate::home::narrow;
use crate::{CareInsurance, action};

/// Conflict of a number that somebody else has.
const TAKEN: &str = "care-insurance-number";

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Sent {
    insured_number: String,
    /// `yes` after the officer saw that the check digit does not agree.
    accept: String,
    version: i64,
}

/// POST /insurance/persons/{person}/number
pub(crate) async fn number(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
    LimitedForm(sent): LimitedForm<Sent>,
) -> Response {
    let person = person.parse().unwrap_or(PersonId::from_bytes([0; 16]));
    if !room.numbering.method.by_hand() {
        return Problem::conflict(
            "被保険者番号は、設定によって自動で付けます。手では入力しません。",
        )
        .into_response();
    }
    let number = narrow(&sent.insured_number);
    let again = |message: String, doubtful| Typed {
        insured_number: sent.insured_number.clone(),
        doubtful,
        errors: vec![FieldError::new("insured_number", message)],
        ..Typed::default()
    };
    let wrong = match room.numbering.check(&number) {
        Err(error) => Some(again(format!("{error} {}", error.advice()), false)),
        Ok(InsuredCheck::Warn) if sent.accept != "yes" => Some(again(
            "検査数字が合いません。番号を確かめ、このまま使うときは印を付けてください。".into(),
            true,
        )),
        Ok(_) => None,
    };
    if let Some(typed) = wrong {
        return person_page(&room, &visitor, &frame, person, typed).await;
    }
    let own = || person.bytes().into();
    let by = format!("{} {}", visitor.org_name, visitor.name);
    let words = "被保険者番号を入力";
    let steps = vec![
        Statement::expecting(
            "UPDATE care_insurance_person SET card_wait = card_wait WHERE person = ? AND NOT EXISTS (SELECT 1 \
             FROM care_insurance_person o WHERE o.insured_number = ? AND o.person <> ?) AND NOT EXISTS (SELECT 1 \
             FROM residents_person r WHERE r.generation = (SELECT generation FROM residents_state WHERE one = 1) \
             AND r.insured_number = ? AND r.person <> ?)",
            vec![
                own(),
                number.as_str().into(),
                own(),
                number.as_str().into(),
                own(),
            ],
            1,
            TAKEN,
        ),
        Statement::expecting(
            "UPDATE care_insurance_person SET insured_number = ?, version = version + 1 WHERE person = ? AND version = ? \
             AND insured_number = '' AND (category <> 0 OR due_age <> '')",
            vec![number.as_str().into(), own(), sent.version.into()],
            1,
            "care-insurance-version",
        ),
        event(
            &person,
            sent.version + 1,
            &room.clock.now().office_text(),
            &by,
            words,
        ),
    ];
    let done = async {
        let why = Some(Reason(words.into()));
        let permit = room
            .gate
            .person(
                &visitor,
                action::DECIDE,
                Purpose::CareInsurance,
                person,
                why,
            )
            .await?;
        permit.change(steps, None).await
    };
    match done.await {
        Ok(_) => Redirect::to(&format!("/insurance/persons/{person}")).into_response(),
        Err(error) if error.conflict() == Some(TAKEN) => {
            let text = "この被保険者番号は、ほかの人が使っています。番号を確かめてください。";
            person_page(&room, &visitor, &frame, person, again(text.into(), false)).await
        }
        Err(error) => answer(error),
    }
}
