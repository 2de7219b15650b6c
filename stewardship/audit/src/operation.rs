//! 運転記録: what the system did on a day, by action and decision, without anybody's data (S0-72).

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use jiff::ToSpan as _;
use jiff::civil::Date;
use mimamori_gate::Purpose;
use mimamori_identity::Visitor;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::date::wareki_with_western;
use mimamori_pages::{Frame, Problem, html};
use mimamori_residents::answer;

use crate::out::Wanted;
use crate::{Audit, action, words};

struct Line {
    action: String,
    code: String,
    allowed: u64,
    refused: u64,
}

#[derive(Template)]
#[template(path = "audit/operation.html")]
struct OperationPage<'a> {
    frame: &'a Frame,
    day: String,
    before: Option<Date>,
    after: Option<Date>,
    lines: Vec<Line>,
    line: u64,
}

/// GET /audit/operation
pub(crate) async fn page(
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
            .audit(&visitor, action::OPERATION_OPEN, Purpose::Operation)
            .await?;
        let from = day
            .yesterday()
            .map_or(Instant(0), Instant::after_office_day);
        let totals = permit.totals(from, Instant::after_office_day(day)).await?;
        permit.reveal(totals).await
    };
    let shown = match read.await {
        Ok(shown) => shown,
        Err(error) => return answer(error),
    };
    let line = shown.line();
    let mut lines: Vec<Line> = Vec::new();
    for total in shown.into_inner() {
        let at = match lines.iter().position(|l| l.code == total.action) {
            Some(at) => at,
            None => {
                lines.push(Line {
                    action: words::action(&room.gate, &total.action),
                    code: total.action,
                    allowed: 0,
                    refused: 0,
                });
                lines.len() - 1
            }
        };
        match total.allowed {
            true => lines[at].allowed += total.lines,
            false => lines[at].refused += total.lines,
        }
    }
    html(OperationPage {
        frame: &frame
            .with_title("運転記録")
            .with_current("/audit/operation"),
        day: wareki_with_western(day.into()),
        before: day.checked_sub(1.day()).ok(),
        after: day.checked_add(1.day()).ok().filter(|next| *next <= today),
        lines,
        line,
    })
}
