//! The lines of a search as a CSV file: a counted way out with its reason (S4-92).

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
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

/// A cell that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("'{text}"),
        _ => text.to_owned(),
    }
}

fn cells(row: &Row) -> [String; 11] {
    [
        row.line.to_string(),
        row.time.clone(),
        cell(&row.officer),
        cell(&row.login),
        row.role.clone(),
        row.action.clone(),
        row.purpose.clone(),
        row.classes.clone(),
        row.persons.to_string(),
        row.case.to_owned(),
        row.outcome.to_owned(),
    ]
}

/// The table with its stamp in the last row, CRLF. Cells are quoted where needed.
fn table(rows: &[Row], stamp: &Stamp) -> Result<String, csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .flexible(true)
        .from_writer(Vec::new());
    writer.write_record(HEAD)?;
    for row in rows {
        writer.write_record(cells(row))?;
    }
    writer.write_record([format!(
        "出力番号 {}　{}件　{}　{}",
        stamp.line, stamp.persons, stamp.taken_by, stamp.taken_at
    )])?;
    let bytes = writer.into_inner().map_err(|e| e.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// CP932; a character it does not have becomes 〓. Number of those.
fn cp932(text: &str) -> (Vec<u8>, usize) {
    let (mut out, mut missing) = (Vec::with_capacity(text.len()), 0);
    let mut letter = [0u8; 4];
    for c in text.chars() {
        let (bytes, _, unmappable) = encoding_rs::SHIFT_JIS.encode(c.encode_utf8(&mut letter));
        if unmappable {
            missing += 1;
            out.extend_from_slice(&[0x81, 0xac]);
        } else {
            out.extend_from_slice(&bytes);
        }
    }
    (out, missing)
}

/// The file's bytes. In CP932 a further last row says how many characters were replaced.
fn encode(mut text: String, encoding: &str) -> Vec<u8> {
    if encoding != "cp932" {
        text.insert(0, '\u{feff}');
        return text.into_bytes();
    }
    let (mut bytes, missing) = cp932(&text);
    if missing > 0 {
        let note = format!("この文字コードにない文字{missing}字を〓に置き換えました\r\n");
        bytes.extend(cp932(&note).0);
    }
    bytes
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
    match table(&rows, &stamp) {
        Ok(text) => (
            [
                (header::CONTENT_TYPE, "text/csv"),
                (
                    header::CONTENT_DISPOSITION,
                    "attachment; filename=\"trace-lines.csv\"",
                ),
            ],
            encode(text, &wanted.encoding),
        )
            .into_response(),
        Err(error) => {
            tracing::error!(error = ?error, "a file could not be made");
            Problem::internal(None).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_which_characters_it_could_not_hold() {
        let bytes = encode("監査,𠮷田\r\n".into(), "cp932");
        let (text, ..) = encoding_rs::SHIFT_JIS.decode(&bytes);
        assert_eq!(
            text,
            "監査,〓田\r\nこの文字コードにない文字1字を〓に置き換えました\r\n"
        );
        assert!(encode("監査".into(), "utf-8").starts_with(&[0xef, 0xbb, 0xbf]));
    }

    #[test]
    fn no_cell_begins_a_formula() {
        for text in ["=1+1", "+1", "-1", "@x"] {
            assert_eq!(cell(text), format!("'{text}"));
        }
        assert_eq!(cell("監査"), "監査");
    }
}
