use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{GateError, Purpose};
use mimamori_identity::{Role, Visitor};
use mimamori_pages::{FieldError, Frame, LimitedForm, Term, html, html_with_status};
use mimamori_residents::answer;

use super::rule::{Known, Month, shown, text};
use super::store;
use crate::alert::{counts as alert_counts, last_run};
use crate::search::day_bounds;
use crate::words::{self, Names};
use crate::{Audit, action};

/// Reports on the page.
const NEWEST: u32 = 60;

struct Line {
    href: String,
    month: String,
    time: String,
    by: String,
}

#[derive(Template)]
#[template(path = "audit/reports.html")]
struct ListPage<'a> {
    frame: &'a Frame,
    lines: Vec<Line>,
    /// May make one.
    maker: bool,
    month: String,
    errors: Vec<FieldError>,
    line: u64,
}

#[derive(Template)]
#[template(path = "audit/report.html")]
struct ReportPage<'a> {
    frame: &'a Frame,
    path: String,
    title: String,
    terms: Vec<Term>,
    signature: String,
    line: u64,
}

async fn listed(
    room: &Audit,
    visitor: &Visitor,
    frame: Frame,
    month: String,
    errors: Vec<FieldError>,
) -> Response {
    let read = async {
        let permit = room
            .gate
            .audit(visitor, action::REPORT_OPEN, Purpose::Audit)
            .await?;
        let heads = store::heads(&permit, NEWEST).await?;
        let staff = permit.staff().await?;
        permit.reveal(heads.and(staff)).await
    };
    let shown = match read.await {
        Ok(shown) => shown,
        Err(error) => return answer(error),
    };
    let line = shown.line();
    let (heads, staff) = shown.into_inner();
    let names = Names::new(staff);
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    html_with_status(
        status,
        ListPage {
            frame: &frame.with_title("分析報告").with_current("/audit/reports"),
            lines: heads
                .iter()
                .map(|h| Line {
                    href: format!("/audit/reports/{}", hex::encode(h.id)),
                    month: Month::parse(&h.month).map_or_else(|| h.month.clone(), Month::words),
                    time: words::time(h.at),
                    by: names.of(&h.by).0,
                })
                .collect(),
            maker: visitor.role == Role::Auditor,
            month,
            errors,
            line,
        },
    )
}

/// GET /audit/reports
pub(crate) async fn list(
    State(room): State<Audit>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
) -> Response {
    let month = Month::of(room.clock.now().office_day()).before();
    listed(&room, &visitor, frame, month.to_string(), vec![]).await
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Sent {
    month: String,
}

/// POST /audit/reports
pub(crate) async fn make(
    State(room): State<Audit>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    LimitedForm(sent): LimitedForm<Sent>,
) -> Response {
    let now = room.clock.now();
    let today = Month::of(now.office_day());
    let month = Month::parse(&sent.month).filter(|m| m.bounds().0 <= today.bounds().0);
    let Some(month) = month else {
        let words = "今月までの月を、2026-11 の形で入力してください。";
        let errors = vec![FieldError::new("month", words)];
        return listed(&room, &visitor, frame, sent.month, errors).await;
    };
    let made = async {
        let asked = || {
            room.gate
                .audit(&visitor, action::REPORT_MAKE, Purpose::Audit)
        };
        // The figures are read under a line of their own, the report stands with another.
        let permit = asked().await?;
        let ((from, _), (until, _)) = (day_bounds(month.bounds().0), day_bounds(month.bounds().1));
        let totals = permit.totals(from, until).await?;
        let alerts = store::alerts(&permit, month).await?;
        let counts = alert_counts(&permit, now.office_day()).await?;
        let run = last_run(&permit).await?;
        let figures = permit
            .reveal(totals.and(alerts).and(counts).and(run))
            .await?;
        let (((totals, alerts), [_, _, late]), run) = figures.into_inner();
        let trace = room.gate.trace();
        let note = trace.sign_report(&text(&Known {
            month,
            made_by: format!("{} {}", visitor.org_name, visitor.name),
            made_at: now.office().strftime("%Y-%m-%d %H:%M").to_string(),
            whole: month.bounds().1 <= now.office_day(),
            version: room.rules.version.clone(),
            totals,
            alerts,
            late,
            reach: run.reach(),
            checkpoint: trace.newest_checkpoint()?.unwrap_or_default(),
        }));
        let (id, statement) = store::entered(month, &note, &visitor, now, &*room.random);
        let words = format!("month={month}");
        asked().await?.change(words, now, vec![statement]).await?;
        Ok::<_, GateError>(id)
    };
    match made.await {
        Ok(id) => Redirect::to(&format!("/audit/reports/{}", hex::encode(id))).into_response(),
        Err(error) => answer(error),
    }
}

async fn read(
    room: &Audit,
    visitor: &Visitor,
    report: &str,
) -> Result<(String, String, u64), GateError> {
    let mut id = [0u8; 16];
    if hex::decode_to_slice(report, &mut id).is_err() {
        id = [0; 16];
    }
    let permit = room
        .gate
        .audit(visitor, action::REPORT_OPEN, Purpose::Audit)
        .await?;
    let found = store::one(&permit, &id).await?;
    let shown = permit.reveal(found).await?;
    let line = shown.line();
    let (month, note) = shown.into_inner().ok_or(GateError::NotFound)?;
    Ok((month, note, line))
}

/// GET /audit/reports/{report}
pub(crate) async fn open(
    State(room): State<Audit>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(report): Path<String>,
) -> Response {
    let (_, note, line) = match read(&room, &visitor, &report).await {
        Ok(found) => found,
        Err(error) => return answer(error),
    };
    let (text, signature) = note.split_once("\n\n").unwrap_or((&note, ""));
    // The form of the report stands before its title.
    let (form, rest) = text.split_once('\n').unwrap_or((text, ""));
    let (title, rest) = rest.split_once('\n').unwrap_or((rest, ""));
    let title = title.to_owned();
    let lines = rest.lines().chain([form]);
    html(ReportPage {
        frame: &frame.with_title("分析報告").with_current("/audit/reports"),
        path: format!("/audit/reports/{report}"),
        title,
        terms: lines
            .filter(|l| !l.starts_with("チェックポイント"))
            .map(|l| {
                let (name, value) = shown(l);
                Term::new(name, value)
            })
            .collect(),
        signature: signature.trim_end().to_owned(),
        line,
    })
}

/// GET /audit/reports/{report}/file
pub(crate) async fn file(
    State(room): State<Audit>,
    Extension(visitor): Extension<Visitor>,
    Path(report): Path<String>,
) -> Response {
    match read(&room, &visitor, &report).await {
        Ok((month, note, _)) => (
            [
                (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
                (
                    header::CONTENT_DISPOSITION,
                    format!("attachment; filename=\"mimamori-report-{month}.txt\""),
                ),
            ],
            note,
        )
            .into_response(),
        Err(error) => answer(error),
    }
}
