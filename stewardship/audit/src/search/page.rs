use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query as Address, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{DailyCap, Purpose, Taken};
use mimamori_identity::Visitor;
use mimamori_kernel::id::ResultId;
use mimamori_pages::{Choice, FieldError, Frame, LimitedForm, Problem, Term, html_with_status};
use mimamori_residents::answer;

use super::Search;
use super::file::Wanted;
use super::form::Sent;
use crate::words::{self, Names, Row};
use crate::{Audit, action};

/// Lines on one page.
const PAGE: u32 = 50;
/// Searches kept for one session.
const KEPT: usize = 20;

#[derive(Template)]
#[template(path = "audit/search.html")]
struct SearchPage<'a> {
    frame: &'a Frame,
    sent: &'a Sent,
    roles: Vec<Choice>,
    actions: Vec<Choice>,
    purposes: Vec<Choice>,
    decisions: Vec<Choice>,
    errors: Vec<FieldError>,
}

#[derive(Template)]
#[template(path = "audit/results.html")]
struct ResultsPage<'a> {
    frame: &'a Frame,
    terms: Vec<Term>,
    rows: Vec<Row>,
    id: ResultId,
    older: Option<u64>,
    newest: bool,
    line: u64,
    taken: Taken,
    cap: DailyCap,
    /// What was typed into the form of the file, and what is wrong with it.
    reason: String,
    cp932: bool,
    errors: Vec<FieldError>,
}

fn show(room: &Audit, frame: &Frame, sent: &Sent, errors: Vec<FieldError>) -> Response {
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    let decisions = [("", "指定しない"), ("1", "許可"), ("0", "拒否")]
        .map(|(v, n)| Choice::new(v, n, &sent.decision))
        .to_vec();
    html_with_status(
        status,
        SearchPage {
            frame: &frame
                .clone()
                .with_title("証跡の検索")
                .with_current("/audit"),
            sent,
            roles: words::roles(&sent.role),
            actions: words::actions(&room.gate, &sent.action),
            purposes: words::purposes(&sent.purpose),
            decisions,
            errors,
        },
    )
}

/// GET /audit
pub(crate) async fn form_page(
    State(room): State<Audit>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
) -> Response {
    // Who may not search is told so before typing.
    match room
        .gate
        .audit(&visitor, action::TRACE_SEARCH, Purpose::Audit)
        .await
    {
        Ok(_) => show(&room, &frame, &Sent::default(), vec![]),
        Err(error) => answer(error),
    }
}

/// POST /audit
pub(crate) async fn submit(
    State(room): State<Audit>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    LimitedForm(sent): LimitedForm<Sent>,
) -> Response {
    let now = room.clock.now();
    let asked = async {
        let mut permit = room
            .gate
            .audit(&visitor, action::TRACE_SEARCH, Purpose::Audit)
            .await?;
        let checked = match sent.check() {
            Ok(checked) => checked,
            Err(errors) => return Ok(Err(errors)),
        };
        let found = sent.resolve(&room, &mut permit, checked).await?;
        // A search that names nobody we know leaves its line too.
        permit.searched(terms(&sent), now).await?;
        Ok::<_, mimamori_gate::GateError>(found)
    };
    match asked.await {
        Ok(Ok(search)) => {
            let id = ResultId::random(&*room.random);
            room.kept(&visitor.session, |kept| {
                kept.push((id, search));
                let excess = kept.len().saturating_sub(KEPT);
                kept.drain(..excess);
            });
            Redirect::to(&format!("/audit/results/{id}")).into_response()
        }
        Ok(Err(errors)) => show(&room, &frame, &sent, errors),
        Err(error) => answer(error),
    }
}

/// The search in words, to be sealed.
fn terms(sent: &Sent) -> String {
    [
        ("from", &sent.from),
        ("until", &sent.until),
        ("officer", &sent.officer),
        ("office", &sent.office),
        ("role", &sent.role),
        ("action", &sent.action),
        ("purpose", &sent.purpose),
        ("decision", &sent.decision),
        ("person", &sent.person),
        ("line", &sent.line),
    ]
    .iter()
    .filter(|(_, text)| !text.is_empty())
    .map(|(name, text)| format!("{name}={text}"))
    .collect::<Vec<_>>()
    .join(" ")
}

/// The visitor's own search behind an address.
pub(super) fn kept(room: &Audit, visitor: &Visitor, result: &str) -> Option<(ResultId, Search)> {
    let id = result.parse::<ResultId>().ok()?;
    room.kept(&visitor.session, |kept| {
        kept.iter().find(|(k, _)| *k == id).cloned()
    })
}

#[derive(serde::Deserialize)]
pub(crate) struct Before {
    before: Option<u64>,
}

/// GET /audit/results/{result}
pub(crate) async fn results(
    State(room): State<Audit>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(result): Path<String>,
    Address(Before { before }): Address<Before>,
) -> Response {
    results_page(
        &room,
        &visitor,
        frame,
        &result,
        before,
        &Wanted::default(),
        vec![],
    )
    .await
}

/// A page of the results, and the form of their file with what was typed.
pub(super) async fn results_page(
    room: &Audit,
    visitor: &Visitor,
    frame: Frame,
    result: &str,
    before: Option<u64>,
    wanted: &Wanted,
    errors: Vec<FieldError>,
) -> Response {
    let Some((id, search)) = kept(room, visitor, result) else {
        return Problem::not_found().into_response();
    };
    let status = match errors.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::BAD_REQUEST,
    };
    let read = async {
        let mut permit = room
            .gate
            .audit(visitor, action::TRACE_SEARCH, Purpose::Audit)
            .await?;
        if let Some(person) = search.person {
            permit.about(person).await?;
        }
        let lines = permit.lines(&search.query, before, PAGE + 1).await?;
        let staff = permit.staff().await?;
        let taken = room.gate.taken(&visitor.user, room.clock.now()).await?;
        Ok::<_, mimamori_gate::GateError>((permit.reveal(lines.and(staff)).await?, taken))
    };
    let (shown, taken) = match read.await {
        Ok(read) => read,
        Err(error) => return answer(error),
    };
    let line = shown.line();
    let (mut lines, staff) = shown.into_inner();
    let more = lines.len() > PAGE as usize;
    lines.truncate(PAGE as usize);
    let names = Names::new(staff);
    let rows: Vec<Row> = lines
        .iter()
        .map(|l| words::row(&room.gate, &names, l))
        .collect();
    let page = ResultsPage {
        frame: &frame.with_title("証跡の検索結果").with_current("/audit"),
        terms: search
            .words
            .into_iter()
            .map(|(name, value)| Term::new(name, value))
            .collect(),
        older: rows.last().map(|r| r.line).filter(|_| more),
        newest: before.is_none(),
        rows,
        id,
        line,
        taken,
        cap: room.gate.daily_cap(),
        reason: wanted.reason.clone(),
        cp932: wanted.encoding == "cp932",
        errors,
    };
    html_with_status(status, page)
}
