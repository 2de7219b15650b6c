use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query as Address, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::civil::Date;
use mimamori_gate::{GateError, Purpose, Staff};
use mimamori_identity::Visitor;
use mimamori_kernel::date::wareki_with_western;
use mimamori_kernel::error::Coded as _;
use mimamori_pages::{
    Choice, FieldError, Frame, LimitedForm, Pagination, Problem, Term, html, html_with_status,
};
use mimamori_residents::answer as problem;
use mimamori_trace::LineView;

use super::rule::{Answer, is_open, later, may_answer, saw_all, state_word};
use super::store::{self, Alert, Given};
use crate::monitor::{self, Kind, MonitorError};
use crate::words::{self, Names, Row};
use crate::{Audit, action};

/// Alerts on one page, lines below one alert.
const PAGE: u32 = 50;

struct Line {
    href: String,
    kind: &'static str,
    day: String,
    officer: String,
    looks: i64,
    due: String,
    late: bool,
    open: bool,
    state: &'static str,
}

#[derive(Template)]
#[template(path = "audit/alerts.html")]
struct ListPage<'a> {
    frame: &'a Frame,
    lines: Vec<Line>,
    pages: Pagination,
    all: bool,
    late: u64,
    run: String,
    /// How many officers the rules about relatives can judge.
    reach: String,
    version: String,
    line: u64,
}

struct Past {
    number: i64,
    time: String,
    reviewer: String,
    answer: &'static str,
    words: String,
    /// Up to which line, and how many looks it was about.
    upto: String,
}

#[derive(Template)]
#[template(path = "audit/alert.html")]
struct AlertPage<'a> {
    frame: &'a Frame,
    path: String,
    terms: Vec<Term>,
    source: String,
    rows: Vec<Row>,
    pages: Pagination,
    /// What came after the last answer, in words; empty when nothing did.
    grown: String,
    /// An earlier version found it, and kept no lines.
    lineless: bool,
    login: String,
    date: Date,
    /// Last line on the screen; goes back with the answer.
    seen: i64,
    past: Vec<Past>,
    late: bool,
    /// Why this visitor cannot answer; empty when he can.
    closed: String,
    choices: Vec<Choice>,
    words: String,
    errors: Vec<FieldError>,
    line: u64,
}

#[derive(serde::Deserialize)]
pub(crate) struct Wanted {
    page: Option<u32>,
    all: Option<u8>,
    new: Option<u32>,
}

fn day(date: Date) -> String {
    wareki_with_western(date.into())
}

/// GET /audit/alerts
pub(crate) async fn list(
    State(room): State<Audit>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Address(wanted): Address<Wanted>,
) -> Response {
    let today = room.clock.now().office_day();
    let all = wanted.all.is_some();
    let page = wanted.page.unwrap_or(1).clamp(1, 1000);
    let read = async {
        let permit = room
            .gate
            .audit(&visitor, action::ALERT_LIST, Purpose::Audit)
            .await?;
        let alerts = store::page(&permit, !all, (page - 1) * PAGE, PAGE).await?;
        let counts = store::counts(&permit, today).await?;
        let run = store::last_run(&permit).await?;
        let staff = permit.staff().await?;
        permit.reveal(alerts.and(counts).and(run).and(staff)).await
    };
    let shown = match read.await {
        Ok(shown) => shown,
        Err(error) => return problem(error),
    };
    let line = shown.line();
    let (((alerts, [total, open, late]), run), staff) = shown.into_inner();
    let names = Names::new(staff);
    let base = if all {
        "/audit/alerts?all=1&page="
    } else {
        "/audit/alerts?page="
    };
    let frame = frame.with_title("点検の結果").with_current("/audit/alerts");
    let frame = match wanted.new {
        Some(new) => frame.with_notice(format!(
            "規則で点検しました。新しい結果（回答の後に増えたものを含みます）は{new}件です。"
        )),
        None => frame,
    };
    html(ListPage {
        frame: &frame,
        lines: alerts.iter().map(|a| list_line(a, &names, today)).collect(),
        pages: Pagination::new(base, page, if all { total } else { open }, PAGE),
        all,
        late,
        run: if run.at.0 == 0 {
            String::new()
        } else {
            words::time(run.at)
        },
        reach: run.reach(),
        version: room.rules.version.clone(),
        line,
    })
}

fn list_line(alert: &Alert, names: &Names, today: Date) -> Line {
    Line {
        href: format!("/audit/alerts/{}", hex::encode(alert.id)),
        kind: alert.kind.map_or("（廃止された規則）", Kind::japanese),
        day: day(alert.day),
        officer: names.of(&alert.actor).0,
        looks: alert.looks,
        due: day(alert.due),
        late: is_open(&alert.state) && alert.due < today,
        open: is_open(&alert.state),
        state: state_word(&alert.state),
    }
}

/// POST /audit/run
pub(crate) async fn run(
    State(room): State<Audit>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    let ran = async {
        let permit = room.gate.job(action::MONITOR_RUN, Some(&visitor)).await?;
        let trace = room.gate.trace().clone();
        monitor::run(
            &permit,
            &trace,
            &room.rules,
            &*room.random,
            room.clock.now(),
        )
        .await
    };
    match ran.await {
        Ok(done) => Redirect::to(&format!("/audit/alerts?new={}", done.new.max(0))).into_response(),
        Err(MonitorError::Gate(error)) => problem(error),
        Err(error @ MonitorError::Shape) => {
            tracing::error!(code = error.code(), "the rules could not be run");
            Problem::internal(None).into_response()
        }
    }
}

fn id(text: &str) -> [u8; 16] {
    // Not an id: the gate is asked all the same, so that the answers are alike.
    let mut out = [0u8; 16];
    if hex::decode_to_slice(text, &mut out).is_err() {
        out = [0; 16];
    }
    out
}

/// An alert, its answers, the lines of one page from old to new, staff, the page's number, the line of the look.
type Read = (Alert, Vec<Given>, Vec<LineView>, Vec<Staff>, u32, u64);

async fn read(
    room: &Audit,
    visitor: &Visitor,
    id: &[u8; 16],
    page: u32,
) -> Result<Read, GateError> {
    // Two looks at the same rows: the first finds out which lines belong to the alert.
    let first = room
        .gate
        .audit(visitor, action::ALERT_OPEN, Purpose::Audit)
        .await?;
    let found = store::one(&first, id).await?;
    let (alert, answers) = first.reveal(found).await?.into_inner();
    let alert = alert.ok_or(GateError::NotFound)?;
    let permit = room
        .gate
        .audit(visitor, action::ALERT_OPEN, Purpose::Audit)
        .await?;
    let page = Pagination::new("", page, alert.lines.len() as u64, PAGE).current;
    let query = store::lines_of(&alert, page, PAGE);
    let lines = permit.lines(&query, None, PAGE).await?;
    let staff = permit.staff().await?;
    let shown = permit.reveal(lines.and(staff)).await?;
    let line = shown.line();
    let (mut lines, staff) = shown.into_inner();
    lines.reverse();
    Ok((alert, answers, lines, staff, page, line))
}

fn show(
    room: &Audit,
    visitor: &Visitor,
    frame: Frame,
    (alert, answers, lines, staff, page, line): Read,
    sent: &Sent,
    errors: Vec<FieldError>,
) -> Response {
    let today = room.clock.now().office_day();
    let names = Names::new(staff);
    let (officer, login) = names.of(&alert.actor);
    let whom = match &alert.subject {
        Some(token) => format!("1人（証跡の番号 {}…）", hex::encode(&token.0[..4])),
        None => "特定の1人ではない".to_owned(),
    };
    let closed = may_answer(&alert.actor, visitor.user.bytes(), &alert.state)
        .err()
        .map_or_else(String::new, |why| why.to_string());
    let source = alert.kind.and_then(|kind| {
        room.rules
            .on(alert.day)
            .find(|r| r.kind == kind)
            .map(|r| r.source.clone())
    });
    let path = format!("/audit/alerts/{}", hex::encode(alert.id));
    let grown = answers.last().map_or(0, |g| later(&alert.lines, g.last));
    let page = AlertPage {
        pages: Pagination::new(
            format!("{path}?page="),
            page,
            alert.lines.len().max(lines.len()) as u64,
            PAGE,
        ),
        grown: match answers.last() {
            Some(given) if grown > 0 => format!("行 {} より後の{grown}回です。", given.last),
            _ => String::new(),
        },
        lineless: alert.lines.is_empty(),
        login: login.clone(),
        date: alert.day,
        seen: alert.last,
        frame: &frame.with_title("点検の結果").with_current("/audit/alerts"),
        path,
        terms: vec![
            Term::new(
                "規則",
                alert.kind.map_or("（廃止された規則）", Kind::japanese),
            ),
            Term::new("規則の版", alert.rules.as_str()),
            Term::new("職員", format!("{officer}（ID {login}）")),
            Term::new("閲覧の日", day(alert.day)),
            Term::new("対象者", whom),
            Term::new(
                "閲覧の回数",
                format!(
                    "{}回（行 {} から {}）",
                    alert.looks, alert.first, alert.last
                ),
            ),
            Term::new("状態", state_word(&alert.state)),
            Term::new("回答の期限", day(alert.due)),
        ],
        source: source.unwrap_or_default(),
        rows: lines
            .iter()
            .map(|l| Row {
                // The day stands above.
                time: l.time.office().strftime("%H:%M:%S").to_string(),
                ..words::row(&room.gate, &names, l)
            })
            .collect(),
        past: answers
            .into_iter()
            .map(|a| Past {
                number: a.number,
                time: words::time(a.at),
                reviewer: names.of(&a.reviewer).0,
                answer: a.answer.map_or("—", Answer::japanese),
                upto: format!("行 {} まで（{}回）", a.last, a.looks),
                words: a.words,
            })
            .collect(),
        late: is_open(&alert.state) && alert.due < today,
        closed,
        choices: Answer::ALL
            .map(|a| Choice::new(a.code(), a.japanese(), &sent.answer))
            .to_vec(),
        words: sent.words.clone(),
        line,
        errors,
    };
    let status = if page.errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    html_with_status(status, page)
}

/// GET /audit/alerts/{alert}
pub(crate) async fn open(
    State(room): State<Audit>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(alert): Path<String>,
    Address(wanted): Address<Wanted>,
) -> Response {
    let page = wanted.page.unwrap_or(1);
    match read(&room, &visitor, &id(&alert), page).await {
        Ok(found) => show(&room, &visitor, frame, found, &Sent::default(), vec![]),
        Err(error) => problem(error),
    }
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Sent {
    answer: String,
    words: String,
    /// Last line that was on the screen.
    seen: String,
}

/// POST /audit/alerts/{alert}
pub(crate) async fn answer(
    State(room): State<Audit>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(alert): Path<String>,
    LimitedForm(sent): LimitedForm<Sent>,
) -> Response {
    let found = match read(&room, &visitor, &id(&alert), 1).await {
        Ok(found) => found,
        Err(error) => return problem(error),
    };
    let words = sent.words.trim();
    let mut errors = Vec::new();
    let chosen = Answer::from_code(&sent.answer);
    if chosen.is_none() {
        errors.push(FieldError::new("answer", "回答を選んでください。"));
    }
    if words.is_empty() || words.chars().count() > 500 {
        errors.push(FieldError::new(
            "words",
            "理由を500文字までで入力してください。",
        ));
    }
    let may = may_answer(&found.0.actor, visitor.user.bytes(), &found.0.state);
    if let Err(why) = may.and_then(|()| saw_all(&sent.seen, found.0.last)) {
        errors.push(FieldError::new("answer", why.to_string()));
    }
    let Some(chosen) = chosen.filter(|_| errors.is_empty()) else {
        return show(&room, &visitor, frame, found, &sent, errors);
    };
    let now = room.clock.now();
    let (alert, answers, ..) = found;
    let due = chosen.next_due(&room.rules, now.office_day());
    let writes = store::answered(&alert, &answers, chosen, words, due, &visitor, now);
    let done = async {
        let permit = room
            .gate
            .audit(&visitor, action::ALERT_ANSWER, Purpose::Audit)
            .await?;
        permit
            .change(format!("answer={}", chosen.code()), now, writes)
            .await
    };
    match done.await {
        Ok(_) => Redirect::to("/audit/alerts").into_response(),
        Err(error) => problem(error),
    }
}
