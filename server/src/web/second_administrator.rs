//! The first administrator can only make the second (init); two then appoint the others.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use mimamori_identity::{NewUser, Role, Visitor, bootstrap_done, new_user};
use mimamori_kernel::date::{PartialDate, parse_any, wareki_with_western};
use mimamori_pages::{FieldError, Frame, LimitedForm, Problem, Refusal, html, html_with_status};
use mimamori_trace::{Act, Decision};

use super::Site;
use super::sign_in::{act, unwritten};
use crate::init::INITIAL;

#[derive(Template)]
#[template(path = "server/second.html")]
struct SecondPage<'a> {
    frame: &'a Frame,
    made: Option<(String, String)>,
    until: String,
    errors: Vec<FieldError>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Sent {
    until: String,
}

/// The last day of the appointment: empty for no end, otherwise a whole date from today on.
fn period(text: &str, today: Date) -> Result<Option<Date>, &'static str> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let day = parse_any(text).ok().and_then(PartialDate::full);
    let day = day.ok_or("最後の日を、年月日で入れてください。例 R9.3.31")?;
    if day < today {
        return Err("最後の日が今日より前です。");
    }
    Ok(Some(day))
}

async fn may(site: &Site, visitor: &Visitor) -> Result<(), Response> {
    let done = bootstrap_done(&site.db)
        .await
        .map_err(|_| Problem::internal(None).into_response())?;
    if visitor.role == Role::OperationsManager && !done {
        return Ok(());
    }
    let line = act(
        site,
        Some(visitor),
        "administrator.second",
        Decision::Refused,
        "bootstrap",
    );
    site.trace.record(line).await.map_err(|e| unwritten(&e))?;
    Err(Problem::forbidden(Refusal {
        reason: "二人目の運営管理責任者を登録できるのは、一人目だけのあいだです。".into(),
        clauses: ["S4-16", "S4-28"]
            .map(|id| site.gate.rules().basis(id))
            .to_vec(),
        policy: "bootstrap".into(),
        ask: "三人目からは、二人の運営管理責任者が任命します。".into(),
    })
    .into_response())
}

/// GET /administrators/second
pub(crate) async fn page(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
) -> Response {
    if let Err(answer) = may(&site, &visitor).await {
        return answer;
    }
    html(SecondPage {
        frame: &frame.with_title("二人目の運営管理責任者"),
        made: None,
        until: String::new(),
        errors: vec![],
    })
}

/// POST /administrators/second
pub(crate) async fn submit(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    LimitedForm(sent): LimitedForm<Sent>,
) -> Response {
    if let Err(answer) = may(&site, &visitor).await {
        return answer;
    }
    let until = match period(&sent.until, site.clock.now().office_day()) {
        Ok(until) => until,
        Err(text) => {
            let page = SecondPage {
                frame: &frame.with_title("二人目の運営管理責任者"),
                made: None,
                until: sent.until.chars().take(40).collect(),
                errors: vec![FieldError::new("until", text)],
            };
            return html_with_status(StatusCode::BAD_REQUEST, page);
        }
    };
    let user = NewUser {
        login: "kanri-2".into(),
        name: "運営管理責任者（二人目）".into(),
        org: visitor.org,
        org_kind: visitor.org_kind,
        roles: vec![Role::OperationsManager],
        person: None,
        approved_by: Some(visitor.user),
        until,
    };
    let (kdf, now, random) = (site.identity.kdf(), site.clock.now(), site.random.clone());
    let made =
        tokio::task::spawn_blocking(move || new_user(&user, kdf, now, INITIAL, &*random)).await;
    let Ok(Ok((_, code, changes))) = made else {
        return Problem::internal(None).into_response();
    };
    let line = Act {
        changes,
        touches_accounts: true,
        ..act(
            &site,
            Some(&visitor),
            "administrator.second",
            Decision::Allowed,
            "bootstrap",
        )
    };
    if let Err(error) = site.trace.record(line).await {
        return unwritten(&error);
    }
    html(SecondPage {
        frame: &frame.with_title("二人目の運営管理責任者"),
        made: Some(("kanri-2".into(), code)),
        until: until.map_or_else(String::new, |day| wareki_with_western(day.into())),
        errors: vec![],
    })
}
