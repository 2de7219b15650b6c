//! The lines of a search as a CSV file: a counted way out with its reason (S4-92), locked by a password (S1-54).

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_files::{Contents, Encoding, Table, codes};
use mimamori_gate::{Purpose, Reason, Stamp};
use mimamori_identity::Visitor;
use mimamori_pages::{FieldError, Frame, LimitedForm, Problem};
use mimamori_residents::answer;

use super::page::{kept, results_page};
use crate::words::{self, Names, Row};
use crate::{Audit, action};

const HEAD: [&str; 11] = [
    "行",
    "日時",
    "職員",
    "職員のID",
    "役割",
    "操作",
    "目的",
    "情報の区分",
    "人数",
    "受付",
    "判定",
];

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    pub reason: String,
    pub encoding: String,
}

fn cells(row: &Row) -> [String; 11] {
    [
        row.line.to_string(),
        row.time.clone(),
        row.officer.clone(),
        row.login.clone(),
        row.role.clone(),
        row.action.clone(),
        row.purpose.clone(),
        row.classes.clone(),
        row.persons.to_string(),
        row.case.to_owned(),
        row.outcome.to_owned(),
    ]
}

/// The table with its stamp in the last row, and what CP932 lacks of it.
fn table(
    rows: &[Row],
    stamp: &Stamp,
    encoding: Encoding,
) -> Result<(Vec<u8>, Option<String>), csv::Error> {
    let mut table = Table::new(&HEAD);
    for row in rows {
        table.row(cells(row));
    }
    let mut last = vec![format!(
        "出力番号 {}　{}件　{}　{}",
        stamp.line, stamp.persons, stamp.taken_by, stamp.taken_at
    )];
    let lost = table.lost();
    let told = (encoding == Encoding::Cp932 && !lost.is_empty()).then(|| {
        format!(
            "CP932にない文字{}種類を「〓」にしました（{}）。",
            lost.len(),
            codes(&lost)
        )
    });
    last.extend(told.clone());
    Ok((table.finish(last, encoding)?, told))
}

/// POST /audit/results/{result}/file
pub(crate) async fn file(
    State(room): State<Audit>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(result): Path<String>,
    LimitedForm(wanted): LimitedForm<Wanted>,
) -> Response {
    let Some((_, search)) = kept(&room, &visitor, &result) else {
        return Problem::not_found().into_response();
    };
    let reason = wanted.reason.trim();
    if reason.is_empty() || reason.chars().count() > 200 {
        let words = "ファイルに出力する理由を、200文字までで入力してください。";
        let errors = vec![FieldError::new("reason", words)];
        return results_page(&room, &visitor, frame, &result, None, &wanted, errors).await;
    }
    let now = room.clock.now();
    let read = async {
        let mut permit = room
            .gate
            .audit(&visitor, action::TRACE_EXPORT, Purpose::Audit)
            .await?;
        if let Some(person) = search.person {
            permit.about(person).await?;
        }
        // One more than the cap, so that too many are refused and never cut off silently.
        let cap = action::TRACE_EXPORT.cap().unwrap_or(0);
        let lines = permit.lines(&search.query, None, cap + 1).await?;
        let staff = permit.staff().await?;
        let count = |both: &(Vec<_>, Vec<_>)| u32::try_from(both.0.len()).unwrap_or(u32::MAX);
        permit
            .take_out(lines.and(staff), count, Reason(reason.to_owned()), now)
            .await
    };
    let (shown, stamp) = match read.await {
        Ok(done) => done,
        Err(mimamori_gate::GateError::TooMany { cap }) => {
            let words = format!(
                "一度に出力できるのは{cap}件までです。条件を加えて、もう一度検索してください。"
            );
            return Problem::bad_request(words).into_response();
        }
        Err(error) => return answer(error),
    };
    let (lines, staff) = shown.into_inner();
    let names = Names::new(staff);
    let rows: Vec<Row> = lines
        .iter()
        .map(|l| words::row(&room.gate, &names, l))
        .collect();
    let (bytes, told) = match table(&rows, &stamp, Encoding::of(&wanted.encoding)) {
        Ok(made) => made,
        Err(error) => return unmade(&error),
    };
    let contents = Contents {
        line: stamp.line,
        name: format!("trace-lines-{}", stamp.line),
        ending: "csv",
        notes: told.into_iter().collect(),
        bytes,
        back: format!("/audit/results/{result}"),
    };
    match room.shelf.put(visitor.session, contents) {
        Ok(()) => Redirect::to(&format!("/outputs/{}", stamp.line)).into_response(),
        Err(error) => unmade(&error),
    }
}

fn unmade(error: &dyn std::fmt::Display) -> Response {
    tracing::error!(%error, "a file could not be made");
    Problem::internal(None).into_response()
}
