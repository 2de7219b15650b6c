//! Where number work begins, and the keys for the system administrator.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::Purpose;
use mimamori_identity::Visitor;
use mimamori_numbers::NumbersError;
use mimamori_numbers::port::{Call, Progress, Reply};
use mimamori_pages::{Frame, LimitedForm, html};

use super::check::Nothing;
use super::{DeskError, numbers, told};
use crate::{CareInsurance, action};

#[derive(Template)]
#[template(path = "care-insurance/number_home.html")]
struct HomePage<'a> {
    frame: &'a Frame,
}

/// GET /insurance/numbers
pub(crate) async fn page(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
) -> Response {
    if let Err(page) = numbers(&room) {
        return page;
    }
    if let Err(error) = room
        .gate
        .list(&visitor, action::NUMBER_OUTSIDE, Purpose::CareInsurance)
        .await
    {
        return told(error.into());
    }
    let frame = frame
        .with_title("個人番号")
        .with_current("/insurance/numbers");
    html(HomePage { frame: &frame })
}

#[derive(Template)]
#[template(path = "care-insurance/number_keys.html")]
struct KeysPage<'a> {
    frame: &'a Frame,
    progress: Progress,
}

/// GET /insurance/numbers/keys
pub(crate) async fn keys(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
) -> Response {
    let done = async {
        let desk = match numbers(&room) {
            Ok(desk) => desk,
            Err(page) => return Ok(page),
        };
        room.gate.job(action::NUMBER_ROTATE, Some(&visitor)).await?;
        let (progress, _) = desk.ready(&room.gate).await?;
        let frame = frame.with_title("個人番号の鍵");
        Ok::<_, DeskError>(html(KeysPage {
            frame: &frame,
            progress,
        }))
    };
    done.await.unwrap_or_else(told)
}

/// POST /insurance/numbers/keys
pub(crate) async fn rotate(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    LimitedForm(Nothing {}): LimitedForm<Nothing>,
) -> Response {
    let done = async {
        let desk = match numbers(&room) {
            Ok(desk) => desk,
            Err(page) => return Ok(page),
        };
        let job = room.gate.job(action::NUMBER_ROTATE, Some(&visitor)).await?;
        let (progress, _) = desk.ready(&room.gate).await?;
        job.change(&format!("from version {}", progress.version), vec![], false)
            .await?;
        match desk.client.call(Call::Rotate).await? {
            Reply::Done => Ok(Redirect::to("/insurance/numbers/keys").into_response()),
            _ => Err::<Response, DeskError>(NumbersError::Speech.into()),
        }
    };
    done.await.unwrap_or_else(told)
}
