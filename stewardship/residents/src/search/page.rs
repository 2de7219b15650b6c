use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Alike, Listed, Purpose};
use mimamori_identity::{Role, Visitor};
use mimamori_kernel::date::{PartialDate, age_completed, wareki_with_western};
use mimamori_kernel::id::ResultId;
use mimamori_pages::{
    Choice, FieldError, Frame, LimitedForm, Pagination, Problem, html, html_with_status,
};

use super::form::{CHANNELS, Sent};
use super::rule::Search;
use crate::record::old_enough;
use crate::schema::IN_FORCE;
use crate::{Residents, action, answer};

/// Persons on one page.
const PAGE: u32 = 50;
/// More hits than this are not listed (検索結果の上限).
const CAP: u32 = 500;
/// Searches kept for one session.
const KEPT: usize = 20;

/// The purpose that a role's work on records has; bound to the role's route, not asked.
pub(crate) fn purpose(visitor: &Visitor) -> Purpose {
    match visitor.role {
        Role::CareClerk => Purpose::CareManagement,
        _ => Purpose::CareInsurance,
    }
}

#[derive(Template)]
#[template(path = "residents/search.html")]
struct SearchPage<'a> {
    frame: &'a Frame,
    sent: &'a Sent,
    sexes: Vec<Choice>,
    channels: Vec<Choice>,
    errors: Vec<FieldError>,
}

/// List box of the channels.
pub(crate) fn channels(current: &str) -> Vec<Choice> {
    std::iter::once(("", "選んでください"))
        .chain(CHANNELS)
        .map(|(code, name)| Choice::new(code, name, current))
        .collect()
}

fn show(frame: &Frame, sent: &Sent, errors: Vec<FieldError>) -> Response {
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    let sexes = [("", "指定しない"), ("1", "男"), ("2", "女")]
        .map(|(v, n)| Choice::new(v, n, &sent.sex))
        .to_vec();
    let channels = channels(&sent.channel);
    html_with_status(
        status,
        SearchPage {
            frame,
            sent,
            sexes,
            channels,
            errors,
        },
    )
}

/// GET /residents/search
pub(crate) async fn form_page(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
) -> Response {
    // Who may not search is told so before typing.
    if let Err(error) = room
        .gate
        .list(&visitor, action::PERSON_SEARCH, purpose(&visitor))
        .await
    {
        return answer(error);
    }
    show(
        &frame
            .with_title("住民の検索")
            .with_current("/residents/search"),
        &Sent::default(),
        vec![],
    )
}

/// POST /residents/search
pub(crate) async fn submit(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    LimitedForm(sent): LimitedForm<Sent>,
) -> Response {
    let permit = match room
        .gate
        .list(&visitor, action::PERSON_SEARCH, purpose(&visitor))
        .await
    {
        Ok(permit) => permit,
        Err(error) => return answer(error),
    };
    let now = room.clock.now();
    let (criteria, reason) = match sent.check(now.office_day()) {
        Ok(checked) => checked,
        Err(errors) => {
            return show(
                &frame
                    .with_title("住民の検索")
                    .with_current("/residents/search"),
                &sent,
                errors,
            );
        }
    };
    let search = Search {
        criteria,
        reason,
        at: now,
        found: None,
    };
    if let Err(error) = permit.searched(search.terms(), now).await {
        return answer(error);
    }
    let id = ResultId::random(&*room.random);
    room.kept(&visitor.session, |kept| {
        kept.searches.push((id, search));
        let excess = kept.searches.len().saturating_sub(KEPT);
        kept.searches.drain(..excess);
    });
    Redirect::to(&format!("/residents/results/{id}")).into_response()
}

#[derive(serde::Deserialize)]
pub(crate) struct PageNumber {
    page: Option<u32>,
}

/// One row of a table of persons.
pub(crate) struct Line {
    pub href: String,
    pub kanji: String,
    pub kana: String,
    pub birth: String,
    pub age: String,
    pub sex: &'static str,
    pub address: String,
    pub insured: String,
    pub marks: Vec<(&'static str, &'static str)>,
}

#[derive(Template)]
#[template(path = "residents/results.html")]
struct ResultsPage<'a> {
    frame: &'a Frame,
    lines: Vec<Line>,
    pages: Pagination,
    capped: bool,
    cap: u32,
    line: u64,
    reason: String,
}

/// The kept count of namesakes is one over all persons; who may find only some counts only those.
pub(crate) const NAMESAKES: Alike = Alike {
    table: "residents_person",
    column: "namesakes",
    agree: "p.generation = q.generation AND p.kanji_key = q.kanji_key AND p.kana_key = q.kana_key",
    base: IN_FORCE,
};

/// Columns of a list.
pub(crate) const COLUMNS: [&str; 12] = [
    "kanji",
    "kana",
    "alias",
    "birth",
    "sex",
    "namesakes",
    "address",
    "building",
    "insured_number",
    "insured",
    "protected",
    "status",
];

/// Rows for the table of a list.
pub(crate) fn lines(
    listed: &Listed,
    today: jiff::civil::Date,
    from: Option<&ResultId>,
) -> Vec<Line> {
    listed
        .rows
        .iter()
        .map(|(person, record)| {
            let text = |column| record.text(column).unwrap_or("").to_owned();
            let birth: PartialDate = text("birth").parse().unwrap_or(PartialDate::UNKNOWN);
            let mut marks = Vec::new();
            match record.int("protected") {
                Some(1) => marks.push(("danger", "支援措置")),
                Some(2) => marks.push(("danger", "支援措置（同居）")),
                _ => {}
            }
            if record.int("namesakes").unwrap_or(0) > 1 {
                marks.push(("warning", "同姓同名"));
            }
            match record.int("status") {
                Some(3) => marks.push(("warning", "死亡")),
                Some(2) => marks.push(("warning", "転出")),
                _ => {}
            }
            if record.int("insured") == Some(0) {
                let word = match old_enough(record, today) {
                    true => "資格は資格管理で確認",
                    false => "世帯員",
                };
                marks.push(("info", word));
            }
            let alias = text("alias");
            Line {
                href: from.map_or_else(
                    || format!("/residents/{person}"),
                    |id| format!("/residents/{person}?from={id}"),
                ),
                kanji: if alias.is_empty() {
                    text("kanji")
                } else {
                    format!("{}（通称 {alias}）", text("kanji"))
                },
                kana: text("kana"),
                birth: wareki_with_western(birth),
                age: age_completed(birth, today).to_string(),
                sex: sex(record.int("sex")),
                address: if record.withheld("address") {
                    "（非表示）".into()
                } else {
                    text("address") + &text("building")
                },
                insured: if record.withheld("insured_number") {
                    "（非表示）".into()
                } else {
                    text("insured_number")
                },
                marks,
            }
        })
        .collect()
}

/// The word for the code of sex.
pub(crate) fn sex(code: Option<i64>) -> &'static str {
    match code {
        Some(1) => "男",
        Some(2) => "女",
        _ => "不明",
    }
}

/// GET /residents/results/{result}
pub(crate) async fn results(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(result): Path<String>,
    Query(PageNumber { page }): Query<PageNumber>,
) -> Response {
    let search = result.parse::<ResultId>().ok().and_then(|id| {
        room.kept(&visitor.session, |kept| {
            kept.searches.iter().find(|(k, _)| *k == id).cloned()
        })
    });
    let Some((id, search)) = search else {
        return Problem::not_found().into_response();
    };
    let page = page.unwrap_or(1).clamp(1, CAP.div_ceil(PAGE));
    let list = async {
        let permit = room
            .gate
            .list(&visitor, action::PERSON_LIST, purpose(&visitor))
            .await?;
        let counter = room
            .gate
            .list(&visitor, action::PERSON_SEARCH, purpose(&visitor))
            .await?;
        let conditions = search.conditions();
        let found = match search.found.clone() {
            Some(found) => found,
            None => {
                let found = counter
                    .find("residents_person", IN_FORCE, &conditions, "p.kana_key", CAP)
                    .await?;
                room.kept(&visitor.session, |kept| {
                    let mine = kept.searches.iter_mut().find(|(k, _)| *k == id);
                    if let Some((_, search)) = mine {
                        search.found = Some(found.clone());
                    }
                });
                found
            }
        };
        let (page, limit) = if found.capped() {
            (1, 0)
        } else {
            (page.min(found.count().div_ceil(PAGE).max(1)), PAGE)
        };
        let hidden = permit
            .page(
                &counter,
                &found,
                "residents_person",
                &COLUMNS,
                IN_FORCE,
                &conditions,
                (page - 1) * PAGE,
                limit,
            )
            .await?;
        let hidden = permit.recount(NAMESAKES, hidden).await?;
        Ok::<_, mimamori_gate::GateError>((found, page, permit.reveal(hidden).await?))
    };
    let (found, page, listed) = match list.await {
        Ok(done) => done,
        Err(error) => return answer(error),
    };
    let today = room.clock.now().office_day();
    html(ResultsPage {
        frame: &frame
            .with_title("検索結果")
            .with_current("/residents/search"),
        lines: lines(&listed, today, Some(&id)),
        pages: Pagination::new(
            format!("/residents/results/{id}?page="),
            page,
            found.count().into(),
            PAGE,
        ),
        capped: found.capped(),
        cap: CAP,
        line: listed.line(),
        reason: search.reason,
    })
}
