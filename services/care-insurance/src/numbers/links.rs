//! The connection to 統合宛名: how it stands, and differences that a handler settles (S0-11, S0-25).

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::Purpose;
use mimamori_identity::Visitor;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{NumberRef, PersonId};
use mimamori_numbers::link::{CallLine, Decision};
use mimamori_numbers::port::{Call, Reply};
use mimamori_numbers::{Links, NumbersError};
use mimamori_pages::{FieldError, Frame, LimitedForm, Problem, html_with_status};

use super::check::Nothing;
use super::{DeskError, book, numbers, told};
use crate::{CareInsurance, action};

struct Row {
    id: i64,
    kind: &'static str,
    found: String,
    /// Whom it is about; none when the register knows nobody.
    person: Option<PersonId>,
    address: String,
    theirs: bool,
}

#[derive(Template)]
#[template(path = "care-insurance/number_links.html")]
struct LinksPage<'a> {
    frame: &'a Frame,
    links: Option<&'a Links>,
    oldest: Option<String>,
    rows: Vec<Row>,
    calls: Vec<(&'a CallLine, String)>,
    errors: Vec<FieldError>,
    line: u64,
}

async fn shown(
    room: &CareInsurance,
    visitor: &Visitor,
    frame: &Frame,
    errors: Vec<FieldError>,
) -> Response {
    let done = async {
        let desk = match numbers(room) {
            Ok(desk) => desk,
            Err(page) => return Ok(page),
        };
        let permit = room
            .gate
            .list(visitor, action::NUMBER_OUTSIDE, Purpose::CareInsurance)
            .await?;
        desk.ready(&room.gate).await?;
        let Reply::Links(links) = desk.client.call(Call::Links).await? else {
            return Err(NumbersError::Speech.into());
        };
        let line = permit
            .searched("統合宛名との連携の確認".into(), room.clock.now())
            .await?;
        let job = room.gate.job(action::NUMBER_CHECK, Some(visitor)).await?;
        let references = book::references(&job).await?;
        let at = |micros: i64| Instant(micros).office_text();
        let mut rows = Vec::new();
        for difference in links.iter().flat_map(|l| &l.differences) {
            let reference = difference
                .reference
                .as_ref()
                .and_then(|r| r.parse::<NumberRef>().ok());
            rows.push(Row {
                id: difference.id,
                kind: difference.kind.label(),
                found: at(difference.found),
                person: reference.and_then(|r| references.get(&r).copied()),
                address: difference.address.clone(),
                theirs: difference.kind.can_take_theirs(),
            });
        }
        let frame = frame
            .clone()
            .with_title("統合宛名との連携")
            .with_current("/insurance/numbers");
        let status = if errors.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::BAD_REQUEST
        };
        let page = LinksPage {
            frame: &frame,
            oldest: links.as_ref().and_then(|l| l.counts.oldest).map(at),
            rows,
            calls: links
                .iter()
                .flat_map(|l| &l.calls)
                .map(|c| (c, at(c.at)))
                .collect(),
            links: links.as_ref(),
            errors,
            line,
        };
        Ok::<_, DeskError>(html_with_status(status, page))
    };
    done.await.unwrap_or_else(told)
}

/// GET /insurance/numbers/links
pub(crate) async fn links(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
) -> Response {
    shown(&room, &visitor, &frame, vec![]).await
}

/// POST /insurance/numbers/links/compare
pub(crate) async fn compare(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    LimitedForm(Nothing {}): LimitedForm<Nothing>,
) -> Response {
    let done = async {
        let desk = match numbers(&room) {
            Ok(desk) => desk,
            Err(page) => return Ok(page),
        };
        let job = room.gate.job(action::NUMBER_CHECK, Some(&visitor)).await?;
        desk.ready(&room.gate).await?;
        job.change("統合宛名との突合", vec![], false).await?;
        match desk.client.call(Call::Compare).await? {
            Reply::Done => Ok(Redirect::to("/insurance/numbers/links").into_response()),
            Reply::Refused(why) => {
                let errors = vec![FieldError::new("main", why)];
                Ok(shown(&room, &visitor, &frame, errors).await)
            }
            _ => Err::<Response, DeskError>(NumbersError::Speech.into()),
        }
    };
    done.await.unwrap_or_else(told)
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Again {
    sequence: String,
}

/// POST /insurance/numbers/links/again: a request file that did not arrive is written again.
pub(crate) async fn again(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    LimitedForm(sent): LimitedForm<Again>,
) -> Response {
    let wrong = |text: String| vec![FieldError::new("sequence", text)];
    let Ok(sequence) = sent.sequence.trim().parse::<i64>() else {
        let errors = wrong("ファイルの通番を数字で入力してください。".into());
        return shown(&room, &visitor, &frame, errors).await;
    };
    let done = async {
        let desk = match numbers(&room) {
            Ok(desk) => desk,
            Err(page) => return Ok(page),
        };
        let permit = room
            .gate
            .list(&visitor, action::NUMBER_SETTLE, Purpose::CareInsurance)
            .await?;
        desk.ready(&room.gate).await?;
        permit
            .searched(
                format!("統合宛名への依頼ファイル {sequence} を作り直す"),
                room.clock.now(),
            )
            .await?;
        match desk.client.call(Call::FileAgain(sequence)).await? {
            Reply::Done => Ok(Redirect::to("/insurance/numbers/links").into_response()),
            Reply::Refused(why) => Ok(shown(&room, &visitor, &frame, wrong(why)).await),
            _ => Err::<Response, DeskError>(NumbersError::Speech.into()),
        }
    };
    done.await.unwrap_or_else(told)
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Settled {
    decision: String,
    reason: String,
}

/// POST /insurance/numbers/links/{id}
pub(crate) async fn settle(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(id): Path<String>,
    LimitedForm(sent): LimitedForm<Settled>,
) -> Response {
    let Ok(id) = id.parse::<i64>() else {
        return Problem::not_found().into_response();
    };
    let reason = sent.reason.trim();
    let decision = match sent.decision.as_str() {
        "send-again" => Some(Decision::SendAgain),
        "take-theirs" => Some(Decision::TakeTheirs),
        "set-aside" => Some(Decision::SetAside(reason.to_owned())),
        _ => None,
    };
    let mut errors = Vec::new();
    if decision.is_none() {
        errors.push(FieldError::new(
            format!("decision-{id}"),
            "処理を選んでください。",
        ));
    }
    if !(1..=100).contains(&reason.chars().count()) {
        errors.push(FieldError::new(
            format!("reason-{id}"),
            "理由を100文字までで書いてください。",
        ));
    }
    let Some(decision) = decision.filter(|_| errors.is_empty()) else {
        return shown(&room, &visitor, &frame, errors).await;
    };
    let done = async {
        let desk = match numbers(&room) {
            Ok(desk) => desk,
            Err(page) => return Ok(page),
        };
        let permit = room
            .gate
            .list(&visitor, action::NUMBER_SETTLE, Purpose::CareInsurance)
            .await?;
        desk.ready(&room.gate).await?;
        let text = format!("統合宛名との相違 {id}　{}　{reason}", sent.decision);
        let line = permit.searched(text, room.clock.now()).await?;
        let call = Call::Settle {
            id,
            decision,
            who: visitor.user.to_string(),
            line: i64::try_from(line).unwrap_or(i64::MAX),
            today: room.clock.now().office_day().to_string(),
        };
        match desk.client.call(call).await? {
            Reply::Done => Ok(Redirect::to("/insurance/numbers/links").into_response()),
            Reply::Refused(why) => {
                let errors = vec![FieldError::new(format!("decision-{id}"), why)];
                Ok(shown(&room, &visitor, &frame, errors).await)
            }
            _ => Err::<Response, DeskError>(NumbersError::Speech.into()),
        }
    };
    done.await.unwrap_or_else(told)
}
