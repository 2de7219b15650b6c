//! 削除 of one person's number, on a page of its own: there is no way back.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Purpose, Reason};
use mimamori_identity::Visitor;
use mimamori_kernel::id::{NumberRef, PersonId};
use mimamori_numbers::NumbersError;
use mimamori_numbers::port::{Call, Reply};
use mimamori_pages::{Choice, FieldError, Frame, LimitedForm, html_with_status};

use super::form::Given;
use super::person::{parsed, see};
use super::{DeskError, Numbers, book, numbers, told};
use crate::{CareInsurance, action};

#[derive(Template)]
#[template(path = "care-insurance/number_delete.html")]
struct DeletePage<'a> {
    frame: &'a Frame,
    person: PersonId,
    who: String,
    given: &'a Given,
    purposes: Vec<Choice>,
    sure: bool,
    errors: Vec<FieldError>,
}

#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Sent {
    #[serde(flatten)]
    given: Given,
    sure: String,
}

impl Sent {
    fn sure(&self) -> bool {
        self.sure == "yes"
    }

    fn read(&self) -> Result<(Purpose, Reason), Vec<FieldError>> {
        let unsure = FieldError::new(
            "sure",
            "消してよいことを確かめ、四角に印を付けてください。まだ何も消していません。",
        );
        match (self.given.read(), self.sure()) {
            (Ok(read), true) => Ok(read),
            (given, sure) => {
                let mut errors = given.err().unwrap_or_default();
                errors.extend((!sure).then_some(unsure));
                Err(errors)
            }
        }
    }
}

async fn form(
    room: &CareInsurance,
    visitor: &Visitor,
    frame: &Frame,
    person: PersonId,
    sent: &Sent,
    errors: Vec<FieldError>,
) -> Response {
    let seen = match see(room, visitor, person, Purpose::CareInsurance).await {
        Ok(seen) => seen,
        Err(error) => return told(error),
    };
    let status = match errors.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::BAD_REQUEST,
    };
    let page = DeletePage {
        frame: &frame
            .clone()
            .with_title("個人番号の削除")
            .with_current("/insurance/numbers"),
        person,
        who: seen.who,
        given: &sent.given,
        purposes: sent.given.purposes(),
        sure: sent.sure(),
        errors,
    };
    html_with_status(status, page)
}

/// GET /insurance/numbers/persons/{person}/delete
pub(crate) async fn ask_delete(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
) -> Response {
    let (person, sent) = (parsed(&person), Sent::default());
    form(&room, &visitor, &frame, person, &sent, vec![]).await
}

/// POST /insurance/numbers/persons/{person}/delete
pub(crate) async fn delete(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
    LimitedForm(sent): LimitedForm<Sent>,
) -> Response {
    let person = parsed(&person);
    let (purpose, reason) = match sent.read() {
        Ok(read) => read,
        Err(errors) => return form(&room, &visitor, &frame, person, &sent, errors).await,
    };
    let done = async {
        let desk = match numbers(&room) {
            Ok(desk) => desk,
            Err(page) => return Ok(page),
        };
        deleted(&room, desk, &visitor, person, purpose, reason).await?;
        Ok::<_, DeskError>(
            Redirect::to(&format!("/insurance/numbers/persons/{person}")).into_response(),
        )
    };
    done.await.unwrap_or_else(told)
}

async fn deleted(
    room: &CareInsurance,
    desk: &Numbers,
    visitor: &Visitor,
    person: PersonId,
    purpose: Purpose,
    reason: Reason,
) -> Result<(), DeskError> {
    let permit = room
        .gate
        .person(
            visitor,
            action::NUMBER_DELETE,
            purpose,
            person,
            Some(reason),
        )
        .await?;
    desk.ready(&room.gate).await?;
    let permit = permit.whole().await?;
    let sql = "SELECT reference FROM care_insurance_number WHERE person = ? AND ended = 0";
    let job = room.gate.job(action::NUMBER_OUTCOME, None).await?;
    let rows = job.rows(sql, vec![person.bytes().into()]).await?;
    let Some(row) = rows.first() else {
        return Ok(());
    };
    let reference = NumberRef::from_bytes(row.array(0)?);
    // First in the register, with its mark for restores; the room follows, also when it is away now.
    let line = permit
        .change(book::ended(&reference, room.clock.now()), None)
        .await?;
    let line = i64::try_from(line).unwrap_or(i64::MAX);
    match desk
        .client
        .call(Call::Delete(reference.to_string(), line))
        .await?
    {
        Reply::Done => {}
        _ => return Err(NumbersError::Speech.into()),
    }
    desk.sync(&room.gate).await?;
    Ok(())
}
