//! Sheets on paper: the cover of the case and its sheets, what changed bold and underlined (S0-74, S1-32).

use axum::extract::Path;
use axum::response::Response;
use mimamori_gate::{Change, GateError, Purpose, Stamp};
use mimamori_identity::Visitor;
use mimamori_pages::{Frame, LimitedForm, pdf};
use mimamori_sheets::Layout;
use serde_json::{Value, json};

use super::model::{Kind, Version, before, in_force};
use super::{compared, rows};
use crate::council::Case;
use crate::council::store::whole;
use crate::error::answer;
use crate::screen::{Desk, Marked};
use crate::{Oversight, OversightError, action, id};

/// The form; a cover when asked for, then a page or more for each sheet.
const SHEETS: Layout = Layout {
    name: "付議のシート",
    text: include_str!("../../layouts/sheets.typ"),
};

fn row((label, lines, gone): Marked) -> Value {
    let line = |line: Vec<super::Piece>| {
        let piece = |p: super::Piece| json!({"text": p.text, "changed": p.changed});
        Value::Array(line.into_iter().map(piece).collect())
    };
    let lines: Vec<Value> = lines.into_iter().map(line).collect();
    json!({"label": label, "lines": lines, "gone": gone})
}

fn sheet(version: &Version, versions: &[Version]) -> Value {
    let before = before(versions, version);
    let rows: Vec<Value> = rows(version, before).into_iter().map(row).collect();
    json!({
        "head": format!("{}（第{}版　{}）", version.kind.japanese(), version.number, version.state.japanese()),
        "title": version.content.title,
        "rows": rows,
        "note": compared(before),
    })
}

fn cover(case: &Case) -> Value {
    let grounds: Vec<Value> = case
        .grounds
        .iter()
        .map(|g| json!({"matter": g.matter, "old": g.old_clause, "now": g.clause}))
        .collect();
    let history: Vec<String> = case
        .history
        .iter()
        .map(|p| format!("{}　{}", p.meeting, p.decision))
        .collect();
    json!({
        "meeting": case.meeting,
        "subject": case.subject,
        "owners": case.owners,
        "grounds": grounds,
        "history": history,
    })
}

/// What is printed.
enum What {
    /// The cover and every sheet in force.
    Whole,
    /// One version of one sheet.
    One(Kind, i64),
}

async fn print(
    room: &Oversight,
    visitor: &Visitor,
    frame: &Frame,
    case: &str,
    what: Option<What>,
) -> Result<Response, OversightError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::SHEET_PRINT, Purpose::Operation, None)
        .await?;
    let case = id(case)?;
    let what = what.ok_or(GateError::NotFound)?;
    let known = whole(&permit, case).await?;
    let change = Change {
        words: format!("シートの印刷 {case}"),
        ..Change::default()
    };
    let (found, stamp) = permit.take_out(known, change, now).await?;
    let (case, versions) = found.as_ref().ok_or(GateError::NotFound)?;
    let (cover, sheets) = match what {
        What::Whole => {
            let all = Kind::ALL.into_iter();
            let sheets: Vec<Value> = all
                .filter_map(|kind| in_force(versions, kind))
                .map(|v| sheet(v, versions))
                .collect();
            (cover(case), sheets)
        }
        What::One(kind, number) => {
            let found = versions
                .iter()
                .find(|v| v.kind == kind && v.number == number);
            let found = found.ok_or(GateError::NotFound)?;
            (Value::Null, vec![sheet(found, versions)])
        }
    };
    let values = json!({
        "cover": cover,
        "sheets": sheets,
        "stamp": stamp.to_string(),
        "watermark": if frame.demo { "見本" } else { "" },
    });
    made(room, SHEETS, values, "sheets", &stamp).await
}

/// A form set with its values, as an answer named after its line.
pub(crate) async fn made(
    room: &Oversight,
    layout: Layout,
    values: Value,
    name: &str,
    stamp: &Stamp,
) -> Result<Response, OversightError> {
    let sheet = room.press.set(layout, values).await?;
    Ok(pdf(&format!("{name}-{}", stamp.line), sheet.pdf()?))
}

/// POST /oversight/cases/{case}/print
pub(crate) async fn whole_case(
    Desk(room, visitor, frame): Desk,
    Path(case): Path<String>,
    LimitedForm(_): LimitedForm<Vec<(String, String)>>,
) -> Response {
    print(&room, &visitor, &frame, &case, Some(What::Whole))
        .await
        .unwrap_or_else(answer)
}

/// POST /oversight/cases/{case}/sheets/{sheet}/versions/{number}/print
pub(crate) async fn version(
    Desk(room, visitor, frame): Desk,
    Path((case, sheet, number)): Path<(String, String, String)>,
    LimitedForm(_): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let what = Kind::from_code(&sheet).zip(number.parse().ok());
    let what = what.map(|(kind, number)| What::One(kind, number));
    print(&room, &visitor, &frame, &case, what)
        .await
        .unwrap_or_else(answer)
}
