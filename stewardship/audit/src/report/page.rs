use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{GateError, Purpose};
use mimamori_identity::{Role, Visitor};
use mimamori_kernel::clock::Instant;
use mimamori_pages::{FieldError, Frame, LimitedForm, Term, html, html_with_status};
use mimamori_residents::answer;

use super::rule::{Known, Month, shown, text};
use super::store::{self, Head};
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
    /// Reports of the month that was asked for; a further one is made when that was ticked.
    earlier: Vec<Line>,
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

fn list_line(head: &Head, names: &Names) -> Line {
    Line {
        href: format!("/audit/reports/{}", hex::encode(head.id)),
        month: Month::parse(&head.month).map_or_else(|| head.month.clone(), Month::words),
        time: words::time(head.at),
        by: names.of(&head.by).0,
    }
}

async fn listed(
    room: &Audit,
    visitor: &Visitor,
    frame: Frame,
    month: String,
    (earlier, errors): (Vec<Head>, Vec<FieldError>),
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
            lines: heads.iter().map(|h| list_line(h, &names)).collect(),
            earlier: earlier.iter().map(|h| list_line(h, &names)).collect(),
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
    listed(&room, &visitor, frame, month.to_string(), (vec![], vec![])).await
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Sent {
    month: String,
    /// Ticked: one more report of a month that has one.
    again: String,
}

/// What became of an order for a report.
enum Made {
    New([u8; 16]),
    /// The month has these already.
    Twice(Vec<Head>),
    /// The trace began after that month.
    TooEarly,
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
        return listed(&room, &visitor, frame, sent.month, (vec![], errors)).await;
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
        let earlier = store::of_month(&permit, month).await?;
        let figures = permit
            .reveal(totals.and(alerts).and(counts).and(run).and(earlier))
            .await?;
        let ((((totals, alerts), [_, _, late]), run), earlier) = figures.into_inner();
        if !earlier.is_empty() && sent.again.is_empty() {
            return Ok(Made::Twice(earlier));
        }
        if totals.is_empty() {
            // A month without a line is reported only when there was a trace by then.
            let permit = asked().await?;
            let before = permit.totals(Instant(0), until).await?;
            if permit.reveal(before).await?.is_empty() {
                return Ok(Made::TooEarly);
            }
        }
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
        Ok::<_, GateError>(Made::New(id))
    };
    let (earlier, words) = match made.await {
        Ok(Made::New(id)) => {
            return Redirect::to(&format!("/audit/reports/{}", hex::encode(id))).into_response();
        }
        Ok(Made::Twice(earlier)) => (
            earlier,
            "この月の報告は、すでにあります。もう一つ作るときは、下の欄で選んでください。",
        ),
        Ok(Made::TooEarly) => (
            vec![],
            "この月の終わりまでに、証跡の行がありません。証跡が始まった月から後を入力してください。",
        ),
        Err(error) => return answer(error),
    };
    let errors = vec![FieldError::new("month", words)];
    listed(&room, &visitor, frame, sent.month, (earlier, errors)).await
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
