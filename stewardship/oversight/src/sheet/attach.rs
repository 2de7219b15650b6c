//! Attachments of a sheet: flow diagrams before and after (S0-15, S1-15), PDF or PNG, with their digest.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Change, GateError, Purpose, Record, Statement};
use mimamori_identity::Visitor;
use mimamori_kernel::id::RequestId;
use mimamori_pages::{FieldError, Frame, LimitedParts};
use sha2::Digest as _;

use super::{CaseId, Kind};
use crate::council::store::whole;
use crate::error::answer;
use crate::screen::{Cell, Desk, Field, FormPage, Sent, Table, again, moment};
use crate::{Oversight, OversightError, action, id};

/// Largest file, bytes (想定); the form around it may add some.
const LARGEST: usize = 1024 * 1024;
const FORM: usize = LARGEST + 16 * 1024;
/// Most attachments of one sheet (想定).
const MOST: usize = 20;

/// What a diagram shows.
const PHASES: [(&str, &str); 3] = [
    ("before", "現行"),
    ("after", "変更後"),
    ("flow", "個人情報の流れ"),
];

/// What a file is by its first bytes: media type and ending.
fn media(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    match bytes {
        [b'%', b'P', b'D', b'F', b'-', ..] => Some(("application/pdf", "pdf")),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(("image/png", "png")),
        _ => None,
    }
}

const LIST: [&str; 6] = ["id", "title", "phase", "size", "sha256", "entered_at"];

fn row(record: &Record) -> Option<Vec<Cell>> {
    let id = RequestId::from_bytes(super::store::bytes(record, "id")?);
    let phase = record.text("phase")?;
    let words = PHASES.iter().find(|(code, _)| *code == phase)?.1;
    let title = record.text("title")?.to_owned();
    Some(vec![
        Cell::Link(format!("/oversight/attachments/{id}"), title),
        Cell::text(words),
        Cell::text(format!("{}バイト", record.int("size")?)),
        Cell::text(record.text("sha256")?),
        Cell::text(moment(record.int("entered_at")?)),
    ])
}

async fn form(
    room: &Oversight,
    visitor: &Visitor,
    frame: &Frame,
    (case, sheet): (&str, &str),
    (sent, errors): (&Sent, Vec<FieldError>),
) -> Result<Response, OversightError> {
    let permit = room
        .gate
        .office(visitor, action::SHEET_DRAFT, Purpose::Operation, None)
        .await?;
    let (Ok(found), Some(kind)) = (id::<CaseId>(case), Kind::from_code(sheet)) else {
        return Ok(permit.missing().await?);
    };
    let args = vec![found.bytes().into(), kind.code().into()];
    let filter = "case_id = ? AND sheet = ? ORDER BY entered_at, id";
    let known = permit
        .fetch("oversight_attachment", &LIST, filter, args)
        .await?
        .and(whole(&permit, found).await?);
    let (rows, case_found) = permit.reveal(known).await?.into_inner();
    if case_found.is_none() {
        return Err(GateError::NotFound.into());
    }
    let phases = PHASES.map(|(code, words)| (code.to_owned(), words.to_owned()));
    let at = format!("/oversight/cases/{case}/sheets/{sheet}/attachments");
    let title = format!("{}の添付", kind.japanese());
    let back = format!("/oversight/cases/{case}");
    Ok(FormPage::new(frame, &title, at, &back)
        .words("流れ図などを添えます。個人情報の入った図は添えないでください。")
        .table(Table {
            caption: "添付".into(),
            heads: vec!["題名", "種類", "大きさ", "SHA-256", "登録"],
            rows: rows.iter().filter_map(row).collect(),
            empty: "添付はまだありません。",
            by_row: true,
        })
        .fields(vec![
            sent.line_field("title", "題名", true, "例: 資料5-1-1 現行の流れ図"),
            sent.choose_field("phase", "種類", phases, ""),
            Field::File {
                name: "file",
                label: "ファイル",
                hint: "PDFかPNG、1MiBまで（想定）。",
                accept: ".pdf,.png,application/pdf,image/png",
            },
        ])
        .button("attach", "添える", "primary")
        .answer(errors))
}

/// GET /oversight/cases/{case}/sheets/{sheet}/attachments
pub(crate) async fn page(
    Desk(room, visitor, frame): Desk,
    Path((case, sheet)): Path<(String, String)>,
) -> Response {
    let first = (&Sent::default(), vec![]);
    form(&room, &visitor, &frame, (&case, &sheet), first)
        .await
        .unwrap_or_else(answer)
}

async fn attach(
    room: &Oversight,
    visitor: &Visitor,
    (case, sheet): (&str, &str),
    (sent, file): (&mut Sent, Vec<u8>),
) -> Result<Response, OversightError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::SHEET_DRAFT, Purpose::Operation, None)
        .await?;
    let found: CaseId = id(case)?;
    let kind = Kind::from_code(sheet).ok_or(GateError::NotFound)?;
    let title = sent.need("title", "題名を入力してください。");
    let phase = sent.one("phase", &PHASES.map(|(code, _)| code));
    if file.len() > LARGEST {
        sent.refuse("file", "1MiBまでのファイルにしてください。");
    } else if media(&file).is_none() {
        sent.refuse("file", "PDFかPNGのファイルを選んでください。");
    }
    sent.complete()?;
    let digest: String = sha2::Sha256::digest(&file)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let new = RequestId::random(&*room.random);
    let by = visitor.user;
    let args = vec![found.bytes().into(), kind.code().into()];
    let known = permit
        .fetch(
            "oversight_attachment",
            &["id"],
            "case_id = ? AND sheet = ?",
            args,
        )
        .await?
        .and(whole(&permit, found).await?);
    permit
        .change(known, now, move |(rows, case)| {
            let (case, _) = case.ok_or(GateError::NotFound)?;
            if rows.len() >= MOST {
                let message = "添付は一つのシートに20件までです（想定）。";
                return Err(OversightError::field("file", message));
            }
            let size = i64::try_from(file.len()).unwrap_or(i64::MAX);
            let statement = Statement::new(
                "INSERT INTO oversight_attachment (id, case_id, sheet, title, phase, size, sha256, content, entered_by, entered_at) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                vec![
                    new.bytes().into(),
                    case.id.bytes().into(),
                    kind.code().into(),
                    title.as_str().into(),
                    phase.unwrap_or("flow").into(),
                    size.into(),
                    digest.as_str().into(),
                    file.into(),
                    by.bytes().into(),
                    now.0.into(),
                ],
            );
            let change = Change {
                statements: vec![statement],
                words: format!("添付 {} {title} {digest}", kind.japanese()),
                ..Change::default()
            };
            Ok((change, ()))
        })
        .await?;
    let to = format!("/oversight/cases/{case}/sheets/{sheet}/attachments");
    Ok(Redirect::to(&to).into_response())
}

/// POST /oversight/cases/{case}/sheets/{sheet}/attachments
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    Path((case, sheet)): Path<(String, String)>,
    LimitedParts(parts): LimitedParts<FORM>,
) -> Response {
    let (mut file, mut pairs) = (Vec::new(), Vec::new());
    for (name, bytes) in parts {
        match name.as_str() {
            "file" => file = bytes,
            _ => pairs.push((name, String::from_utf8_lossy(&bytes).into_owned())),
        }
    }
    let mut sent = Sent::from(pairs);
    let done = attach(&room, &visitor, (&case, &sheet), (&mut sent, file)).await;
    again(done, async |errors| {
        form(&room, &visitor, &frame, (&case, &sheet), (&sent, errors)).await
    })
    .await
}

/// GET /oversight/attachments/{attachment}
pub(crate) async fn open(Desk(room, visitor, _): Desk, Path(attachment): Path<String>) -> Response {
    let made = async {
        let permit = room
            .gate
            .office(&visitor, action::CASE_OPEN, Purpose::Operation, None)
            .await?;
        let wanted: RequestId = id(&attachment)?;
        let args = vec![wanted.bytes().into()];
        let names = ["content", "sha256"];
        let rows = permit
            .fetch("oversight_attachment", &names, "id = ?", args)
            .await?;
        let rows = permit.reveal(rows).await?;
        let found = rows.first().ok_or(GateError::NotFound)?;
        let bytes = found.bytes("content").ok_or(OversightError::Broken)?;
        let (kind, ending) = media(bytes).ok_or(OversightError::Broken)?;
        let digest = found.text("sha256").unwrap_or_default();
        let short: String = digest.chars().take(12).collect();
        let heads = [
            (header::CONTENT_TYPE, kind.to_owned()),
            (
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"attachment-{short}.{ending}\""),
            ),
        ];
        Ok::<_, OversightError>((heads, bytes.to_vec()).into_response())
    };
    made.await.unwrap_or_else(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_first_bytes_say() {
        assert_eq!(media(b"%PDF-1.7 x"), Some(("application/pdf", "pdf")));
        assert_eq!(media(b"\x89PNG\r\n\x1a\n x"), Some(("image/png", "png")));
        for wrong in [
            &b"<svg onload=x>"[..],
            b"",
            b"%PDF",
            b"\x89PNG\r\n\x1a",
            b"MZ",
        ] {
            assert_eq!(media(wrong), None);
        }
    }
}
