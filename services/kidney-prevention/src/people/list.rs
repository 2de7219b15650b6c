//! Lists: who was judged how in the newest trial, and who stands at which stage. Each page is a line.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Response};
use mimamori_gate::{Class, Condition, Listed, Purpose};
use mimamori_identity::Visitor;
use mimamori_pages::{Frame, Pagination, Problem};

use super::{STAGES, stage_words};
use crate::action;
use crate::choose::{VERDICTS, verdict_words};
use crate::error::{KidneyError, answer};
use crate::room::KidneyPrevention;
use crate::screen::{Cell, Desk, Page, Part, day, text};

/// Persons on one page.
const PAGE: u32 = 50;
/// Counted at most.
const CAP: u32 = 2000;
const TABLE: &str = "kidney_prevention_person";
/// The newest trial's persons.
const NEWEST: &str = "p.run = (SELECT MAX(r.number) FROM kidney_prevention_run r)";

const COLUMNS: [&str; 12] = [
    "kanji",
    "kana",
    "birth",
    "sex",
    "address",
    "protected",
    "day",
    "verdict",
    "reasons",
    "hba1c",
    "egfr",
    "stage",
];

/// The condition that a list is about, with its words for the code of the address.
struct List {
    title: String,
    base: &'static str,
    sql: &'static str,
    code: String,
    address: String,
}

fn rows(listed: &Listed) -> Vec<Vec<Cell>> {
    let row = |(person, record): &(mimamori_kernel::id::PersonId, mimamori_gate::Record)| {
        let kept = |column: &str| match record.withheld(column) {
            true => "（非表示）".to_owned(),
            false => record.text(column).unwrap_or("").to_owned(),
        };
        let reasons: Vec<String> =
            serde_json::from_str(record.text("reasons").unwrap_or("")).unwrap_or_default();
        let protected = record.int("protected").is_some_and(|p| p != 0);
        vec![
            Cell::Link(
                format!("/kidney/persons/{person}"),
                format!("{}（{}）", kept("kanji"), kept("kana")),
            ),
            text(day(&kept("birth"))),
            if protected {
                Cell::Badge("danger", "支援措置".into())
            } else {
                text(kept("address"))
            },
            text(day(&kept("day"))),
            text(kept("hba1c")),
            text(kept("egfr")),
            text(verdict_words(record.text("verdict").unwrap_or(""))),
            text(match record.text("stage") {
                Some("") | None => "—",
                Some(code) => stage_words(code),
            }),
            text(reasons.join("／")),
        ]
    };
    listed.rows.iter().map(row).collect()
}

async fn page(
    room: &KidneyPrevention,
    visitor: &Visitor,
    frame: &Frame,
    list: List,
    page: u32,
) -> Result<Response, KidneyError> {
    let permit = room
        .gate
        .list(visitor, action::LIST, Purpose::KidneyPrevention)
        .await?;
    let these = [Condition {
        class: Class::Health,
        sql: list.sql,
        args: vec![list.code.as_str().into()],
    }];
    let found = permit
        .find(TABLE, list.base, &these, "p.kana_key", CAP)
        .await?;
    let page = page.clamp(1, found.count().div_ceil(PAGE).max(1));
    let skip = (page - 1) * PAGE;
    let rows_of = permit
        .fetch(
            &permit,
            TABLE,
            &COLUMNS,
            list.base,
            &these,
            "p.kana_key",
            skip,
            PAGE,
        )
        .await?;
    let shown = permit.reveal(rows_of).await?;
    let total = u64::from(found.count());
    let mut out = Page::new(frame, &list.title);
    if found.capped() {
        out = out.banner(
            "warning",
            "人数が多いため、一部だけを数えています。",
            format!("{CAP}人まで表示します。"),
        );
    }
    let heads = [
        "氏名",
        "生年月日",
        "住所",
        "健診実施日",
        "HbA1c",
        "eGFR",
        "結果",
        "段階",
        "理由",
    ];
    Ok(out
        .table(&list.title, &heads, rows(&shown), "該当する人はいません。")
        .part(Part::Pages(Pagination::new(
            format!("{}?page=", list.address),
            page,
            total,
            PAGE,
        )))
        .links(&[("/kidney", "重症化予防に戻る")])
        .line(shown.line())
        .answer(vec![]))
}

#[derive(serde::Deserialize)]
pub(crate) struct PageNumber {
    page: Option<u32>,
}

/// GET /kidney/results/{result}
pub(crate) async fn results(
    Desk(room, visitor, frame): Desk,
    Path(code): Path<String>,
    Query(PageNumber { page: number }): Query<PageNumber>,
) -> Response {
    let Some((code, words)) = VERDICTS.into_iter().find(|v| v.0 == code) else {
        return Problem::not_found().into_response();
    };
    let list = List {
        title: format!("選定の結果「{words}」"),
        base: NEWEST,
        sql: "p.verdict = ?",
        code: code.to_owned(),
        address: format!("/kidney/results/{code}"),
    };
    page(&room, &visitor, &frame, list, number.unwrap_or(1))
        .await
        .unwrap_or_else(answer)
}

/// GET /kidney/stages/{stage}
pub(crate) async fn stages(
    Desk(room, visitor, frame): Desk,
    Path(code): Path<String>,
    Query(PageNumber { page: number }): Query<PageNumber>,
) -> Response {
    let Some((code, words, _)) = STAGES.into_iter().find(|s| s.0 == code) else {
        return Problem::not_found().into_response();
    };
    let list = List {
        title: words.to_owned(),
        base: "1 = 1",
        sql: "p.stage = ?",
        code: code.to_owned(),
        address: format!("/kidney/stages/{code}"),
    };
    page(&room, &visitor, &frame, list, number.unwrap_or(1))
        .await
        .unwrap_or_else(answer)
}
