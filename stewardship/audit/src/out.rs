//! What was printed and downloaded on a day, by user (S4-92, S4-101).

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use jiff::ToSpan as _;
use jiff::civil::Date;
use mimamori_gate::{DailyCap, Purpose};
use mimamori_identity::Visitor;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::date::wareki_with_western;
use mimamori_pages::{Frame, Problem, html};
use mimamori_residents::answer;

use crate::{Audit, action};

struct Line {
    officer: String,
    login: String,
    documents: u32,
    records: u32,
    /// Nothing more can leave today.
    spent: bool,
}

#[derive(Template)]
#[template(path = "audit/out.html")]
struct OutPage<'a> {
    frame: &'a Frame,
    day: String,
    before: Option<Date>,
    after: Option<Date>,
    lines: Vec<Line>,
    cap: DailyCap,
    line: u64,
}

/// The day that a page is asked for.
#[derive(serde::Deserialize)]
pub(crate) struct Wanted {
    day: Option<String>,
}

impl Wanted {
    /// How a day is asked for.
    pub const HOW: &str = "日は、今日までの 2026-11-21 のような形で指定してください。";

    /// The day, today without one; none when it is no day or lies ahead.
    pub fn day(&self, today: Date) -> Option<Date> {
        match self.day.as_deref().map(str::parse::<Date>) {
            None => Some(today),
            Some(day) => day.ok().filter(|day| *day <= today),
        }
    }
}

/// GET /audit/out
pub(crate) async fn list(
    State(room): State<Audit>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let today = room.clock.now().office_day();
    let Some(day) = wanted.day(today) else {
        return Problem::bad_request(Wanted::HOW).into_response();
    };
    let read = async {
        let permit = room
            .gate
            .audit(&visitor, action::OUT_LIST, Purpose::Audit)
            .await?;
        // The last moment of that office day.
        let at = Instant(Instant::after_office_day(day).0 - 1);
        let taken = permit.taken_out(at).await?;
        permit.reveal(taken).await
    };
    let shown = match read.await {
        Ok(shown) => shown,
        Err(error) => return answer(error),
    };
    let (cap, line) = (room.gate.daily_cap(), shown.line());
    let lines = shown.into_inner().into_iter().map(|(staff, taken)| Line {
        officer: format!("{} {}", staff.org_name, staff.name),
        login: staff.login,
        documents: taken.documents,
        records: taken.records,
        spent: taken.documents >= cap.documents || taken.records >= cap.records,
    });
    html(OutPage {
        frame: &frame.with_title("出力の集計").with_current("/audit"),
        day: wareki_with_western(day.into()),
        before: day.checked_sub(1.day()).ok(),
        after: day.checked_add(1.day()).ok().filter(|next| *next <= today),
        lines: lines.collect(),
        cap,
        line,
    })
}
