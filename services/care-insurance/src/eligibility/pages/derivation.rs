//! The derivation on the screen: how the last one went, and the lead officer's order.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_identity::Visitor;
use mimamori_kernel::date::wareki_with_western;
use mimamori_kernel::error::Coded as _;
use mimamori_pages::{Frame, Term, html};
use mimamori_residents::answer;

use crate::{CareInsurance, action};

#[derive(Template)]
#[template(path = "care-insurance/derivation.html")]
struct DerivationPage {
    frame: Frame,
    running: bool,
    stopped: bool,
    terms: Vec<Term>,
}

/// GET /insurance/derivation
pub(crate) async fn show(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
) -> Response {
    if let Err(error) = room.gate.job(action::DERIVE, Some(&visitor)).await {
        return answer(error);
    }
    let told = room.nightly.told();
    let mut terms = vec![];
    if let Some((at, done)) = told.last {
        let day = wareki_with_western(at.office_day().into());
        let time = format!("{day} {}", at.office().strftime("%H:%M"));
        terms.push(Term::new("終わった日時", time));
        for (name, count) in done.iter().flat_map(|d| {
            [
                ("対象", d.persons),
                ("更新", d.changed),
                ("確認待ち", d.questions),
                ("付番", d.numbered),
                ("番号の重複", d.doubled),
            ]
        }) {
            terms.push(Term::new(name, format!("{count}人")));
        }
    }
    html(DerivationPage {
        frame: frame.with_title("資格の計算").with_current("/insurance"),
        running: told.running,
        stopped: told.last.is_some_and(|(_, done)| done.is_none()),
        terms,
    })
}

/// POST /insurance/derivation: works beside the pages; the screen tells how it went.
pub(crate) async fn order(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    let permit = match room.gate.job(action::DERIVE, Some(&visitor)).await {
        Ok(permit) => permit,
        Err(error) => return answer(error),
    };
    if room.nightly.begin() {
        tokio::spawn(async move {
            if let Err(error) = room.work(&permit, room.clock.now()).await {
                tracing::error!(code = error.code(), error = ?error, "a derivation stopped");
            }
        });
    }
    Redirect::to("/insurance/derivation").into_response()
}
