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
use mimamori_numbers::NumbersError;
use mimamori_numbers::link::{CallLine, Counts, Decision, LinkAsk, LinkTold};
use mimamori_numbers::port::{Call, Reply};
use mimamori_pages::{FieldError, Frame, LimitedForm, Problem, html_with_status};

use super::check::Nothing;
use super::{DeskError, Numbers, book, numbers, told};
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
    /// None where no connector is set.
    counts: Option<Counts>,
    oldest: Option<String>,
    rows: Vec<Row>,
    calls: Vec<(CallLine, String)>,
    errors: Vec<FieldError>,
    line: u64,
}

/// Lines of the interface log on the page.
const LINES: u32 = 50;

impl Numbers {
    /// Asks about the connector.
    pub(super) async fn link(&self, ask: LinkAsk) -> Result<LinkTold, DeskError> {
        match self.client.call(Call::Link(ask)).await? {
            Reply::Link(told) => Ok(told),
            _ => Err(NumbersError::Speech.into()),
        }
    }
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
        let speech = || DeskError::from(NumbersError::Speech);
        let LinkTold::Counts { counts, connected } = desk.link(LinkAsk::Counts).await? else {
            return Err(speech());
        };
        let ask = LinkAsk::Differences {
            settled: false,
            after: 0,
        };
        let LinkTold::Differences(differences) = desk.link(ask).await? else {
            return Err(speech());
        };
        let ask = LinkAsk::Calls {
            before: None,
            limit: LINES,
        };
        let LinkTold::Calls(calls) = desk.link(ask).await? else {
            return Err(speech());
        };
        let line = permit
            .searched("統合宛名との連携の確認".into(), room.clock.now())
            .await?;
        let job = room.gate.job(action::NUMBER_CHECK, Some(visitor)).await?;
        let references = book::references(&job).await?;
        let at = |micros: i64| Instant(micros).office_text();
        let mut rows = Vec::new();
        for difference in &differences {
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
            oldest: counts.oldest.map(at),
            rows,
            calls: calls
                .into_iter()
                .map(|c| {
                    let when = at(c.at);
                    (c, when)
                })
                .collect(),
            counts: connected.then_some(counts),
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
        match desk.link(LinkAsk::Compare).await? {
            LinkTold::Done => Ok(Redirect::to("/insurance/numbers/links").into_response()),
            LinkTold::Failed { text, advice, .. } => {
                let errors = vec![FieldError::new("main", format!("{text} {advice}"))];
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
        match desk.link(LinkAsk::SendFileAgain(sequence)).await? {
            LinkTold::Done => Ok(Redirect::to("/insurance/numbers/links").into_response()),
            LinkTold::Failed { text, advice, .. } => {
                Ok(shown(&room, &visitor, &frame, wrong(format!("{text} {advice}"))).await)
            }
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
        let ask = LinkAsk::Settle {
            id,
            decision,
            user: *visitor.user.bytes(),
            line: i64::try_from(line).unwrap_or(i64::MAX),
            day: room.clock.now().office_day().to_string(),
        };
        match desk.link(ask).await? {
            LinkTold::Done => Ok(Redirect::to("/insurance/numbers/links").into_response()),
            LinkTold::Failed { text, advice, .. } => {
                let errors = vec![FieldError::new(
                    format!("decision-{id}"),
                    format!("{text} {advice}"),
                )];
                Ok(shown(&room, &visitor, &frame, errors).await)
            }
            _ => Err::<Response, DeskError>(NumbersError::Speech.into()),
        }
    };
    done.await.unwrap_or_else(told)
}
