//! The list of imports, the form that takes a file, and one import with its counts and defects.

use axum::extract::{Path, Query, Request};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use mimamori_gate::{GateError, JobPermit, Row};
use mimamori_identity::Visitor;
use mimamori_pages::{FieldError, Frame, LimitedForm, Pagination, Problem, Term};

use super::store::{Incoming, accept, take_in};
use super::upload;
use crate::action;
use crate::checkup::Reason;
use crate::error::{KidneyError, answer};
use crate::room::KidneyPrevention;
use crate::screen::{Cell, Desk, Field, Form, Page, Part, Sent, count, moved, text};

/// Defects on one page.
const PAGE: u32 = 100;

fn state(code: &str) -> (&'static str, &'static str) {
    match code {
        "waiting" => ("warning", "下見（未確定）"),
        "taken" => ("success", "取込済み"),
        _ => ("info", "取りやめ"),
    }
}

fn form(code: &str) -> &'static str {
    match code {
        "zip" => "特定健診のZIP（CDA）",
        "xml" => "特定健診の文書（CDA）",
        _ => "CSV",
    }
}

async fn permit(room: &KidneyPrevention, visitor: &Visitor) -> Result<JobPermit, KidneyError> {
    Ok(room.gate.job(action::IMPORT, Some(visitor)).await?)
}

async fn listed(
    room: &KidneyPrevention,
    visitor: &Visitor,
    frame: &Frame,
    errors: Vec<FieldError>,
) -> Result<Response, KidneyError> {
    let permit = permit(room, visitor).await?;
    let sql = "SELECT number, made_at, made_name, form, state, read_rows, good, refused FROM kidney_prevention_import \
               ORDER BY number DESC LIMIT 200";
    let mut rows = vec![];
    for row in permit.rows(sql, vec![]).await? {
        let number = row.int(0)?;
        let (kind, words) = state(row.text(4)?);
        rows.push(vec![
            Cell::Link(format!("/kidney/imports/{number}"), format!("取込{number}")),
            text(row.text(1)?),
            text(form(row.text(3)?)),
            count(row.int(5)?),
            count(row.int(6)?),
            count(row.int(7)?),
            Cell::Badge(kind, words.into()),
            text(row.text(2)?),
        ]);
    }
    let upload = Form {
        action: "/kidney/imports/files".into(),
        fields: vec![Field::File {
            name: "file",
            label: "健診結果のファイル",
            hint: "特定健診のZIP（CDA）か、CSV（列の対応は設定のとおり）。256MiBまで。送っただけでは取り込まれません。",
        }],
        buttons: vec![("send", "送って下見する", "primary")],
    };
    let heads = [
        "取込",
        "受付",
        "形式",
        "件数",
        "取り込める",
        "取り込めない",
        "状態",
        "送った人",
    ];
    Ok(Page::new(frame, "健診結果の取込み")
        .part(Part::Form(upload))
        .heading("これまでの取込み")
        .table("これまでの取込み", &heads, rows, "まだありません。")
        .links(&[("/kidney", "重症化予防に戻る")])
        .answer(errors))
}

/// GET /kidney/imports
pub(crate) async fn list(Desk(room, visitor, frame): Desk) -> Response {
    listed(&room, &visitor, &frame, vec![])
        .await
        .unwrap_or_else(answer)
}

/// POST /kidney/imports/files
pub(crate) async fn receive(Desk(room, visitor, frame): Desk, request: Request) -> Response {
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok());
    let Some(kind) = kind
        .filter(|k| k.starts_with("multipart/form-data"))
        .map(str::to_owned)
    else {
        return Problem::unsupported_media().into_response();
    };
    let done = async {
        let permit = permit(&room, &visitor).await?;
        let bytes = upload::file(&kind, request.into_body()).await?;
        let by = format!("{} {}", visitor.org_name, visitor.name);
        let incoming = Incoming {
            bytes,
            at: room.clock.now(),
            by,
        };
        let _turn = room.turn.lock().await;
        let number = take_in(&permit, incoming).await?;
        Ok(format!("/kidney/imports/{number}"))
    };
    let done = match done.await {
        Err(
            error @ (KidneyError::NoFile
            | KidneyError::TooLarge
            | KidneyError::Archive(_)
            | KidneyError::Mapped(_)),
        ) => Err(KidneyError::field("file", error.to_string())),
        other => other,
    };
    moved(done, async |errors| {
        listed(&room, &visitor, &frame, errors).await
    })
    .await
}

#[derive(serde::Deserialize)]
pub(crate) struct PageNumber {
    page: Option<u32>,
}

/// Defects by reason, the row's own first.
async fn reasons(permit: &JobPermit, number: i64) -> Result<Vec<Vec<Cell>>, KidneyError> {
    let sql =
        "SELECT reason, COUNT(*) FROM kidney_prevention_defect WHERE import = ? GROUP BY reason";
    let mut found = vec![];
    for row in permit.rows(sql, vec![number.into()]).await? {
        if let Some(reason) = Reason::of(row.text(0)?) {
            found.push((reason.weight(), reason, row.int(1)?));
        }
    }
    found.sort();
    let row = |(weight, reason, n): (crate::checkup::Weight, Reason, i64)| {
        vec![
            text(reason.sentence()),
            text(weight.japanese()),
            count(n),
            text(reason.code()),
        ]
    };
    Ok(found.into_iter().map(row).collect())
}

async fn defects(
    permit: &JobPermit,
    number: i64,
    page: u32,
) -> Result<(Vec<Vec<Cell>>, u64), KidneyError> {
    let sql = "SELECT COUNT(*) FROM kidney_prevention_defect WHERE import = ?";
    let total = permit.rows(sql, vec![number.into()]).await?;
    let total = total.first().map_or(Ok(0), |r: &Row| r.int(0))?;
    let sql = "SELECT place, item, reason FROM kidney_prevention_defect WHERE import = ? ORDER BY number LIMIT ? OFFSET ?";
    let args = vec![number.into(), PAGE.into(), ((page - 1) * PAGE).into()];
    let mut rows = vec![];
    for row in permit.rows(sql, args).await? {
        let reason = Reason::of(row.text(2)?);
        let words = reason.map_or("", Reason::sentence);
        let weight = reason.map_or("", |r| r.weight().japanese());
        rows.push(vec![
            text(row.text(0)?),
            text(row.text(1)?),
            text(words),
            text(weight),
        ]);
    }
    Ok((rows, u64::try_from(total).unwrap_or(0)))
}

async fn one(
    room: &KidneyPrevention,
    visitor: &Visitor,
    frame: &Frame,
    number: i64,
    page: u32,
) -> Result<Response, KidneyError> {
    let permit = permit(room, visitor).await?;
    let sql = "SELECT made_at, made_name, form, sha256, bytes, state, read_rows, good, refused, beside, decided_at, \
               decided_name FROM kidney_prevention_import WHERE number = ?";
    let rows = permit.rows(sql, vec![number.into()]).await?;
    let row = rows.first().ok_or(GateError::NotFound)?;
    let beside: Vec<String> = serde_json::from_str(row.text(9)?)?;
    let waiting = row.text(5)? == "waiting";
    let (shown, total) = defects(&permit, number, page).await?;
    let mut terms = vec![
        Term::new("状態", state(row.text(5)?).1),
        Term::new("形式", form(row.text(2)?)),
        Term::new("受付", format!("{}　{}", row.text(0)?, row.text(1)?)),
        Term::new("件数", format!("{}件", row.int(6)?)),
        Term::new("取り込める", format!("{}件", row.int(7)?)),
        Term::new("取り込めない", format!("{}件", row.int(8)?)),
        Term::new("大きさ", format!("{}バイト", row.int(4)?)),
        Term::new("SHA-256", row.text(3)?),
    ];
    if !waiting {
        terms.push(Term::new(
            "確定",
            format!("{}　{}", row.text(10)?, row.text(11)?),
        ));
    }
    let mut out =
        Page::new(frame, &format!("健診結果の取込み 取込{number}")).part(Part::Terms(terms));
    if !beside.is_empty() {
        out = out.heading("読まなかったもの").part(Part::List(beside));
    }
    out = out.heading("理由ごとの件数").table(
        "理由ごとの件数",
        &["理由", "扱い", "件数", "番号"],
        reasons(&permit, number).await?,
        "誤りも注意もありません。",
    );
    if waiting {
        out = out
            .words("取り込むと、取り込める結果だけが選定に使われます。取り込めない行は、健診機関に直しを頼んでから送り直せます。")
            .part(Part::Form(Form {
                action: format!("/kidney/imports/{number}"),
                fields: vec![],
                buttons: vec![("take", "取り込む", "primary"), ("drop", "取りやめる", "secondary")],
            }));
    }
    out = out
        .heading("誤りと注意の一覧")
        .words("値は表示しません。行の番号か文書の名前で、元のファイルを確かめてください。")
        .table(
            "誤りと注意の一覧",
            &["行・文書", "項目", "理由", "扱い"],
            shown,
            "ありません。",
        )
        .part(Part::Pages(Pagination::new(
            format!("/kidney/imports/{number}?page="),
            page,
            total,
            PAGE,
        )))
        .links(&[("/kidney/imports", "取込みの一覧に戻る")]);
    Ok(out.answer(vec![]))
}

/// GET /kidney/imports/{number}
pub(crate) async fn show(
    Desk(room, visitor, frame): Desk,
    Path(number): Path<String>,
    Query(PageNumber { page }): Query<PageNumber>,
) -> Response {
    let number = number.parse().unwrap_or(0);
    let page = page.unwrap_or(1).clamp(1, 100_000);
    one(&room, &visitor, &frame, number, page)
        .await
        .unwrap_or_else(answer)
}

/// POST /kidney/imports/{number}
pub(crate) async fn decide(
    Desk(room, visitor, frame): Desk,
    Path(number): Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let sent = Sent::from(pairs);
    let number: i64 = number.parse().unwrap_or(0);
    let done = async {
        let permit = permit(&room, &visitor).await?;
        let taken = match sent.get("do") {
            "take" => true,
            "drop" => false,
            _ => return Err(GateError::NotFound.into()),
        };
        let by = format!("{} {}", visitor.org_name, visitor.name);
        let _turn = room.turn.lock().await;
        accept(&permit, number, taken, room.clock.now(), &by).await?;
        Ok(format!("/kidney/imports/{number}"))
    };
    moved(done.await, async |_| {
        one(&room, &visitor, &frame, number, 1).await
    })
    .await
}
