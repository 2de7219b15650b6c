//! The list of imports, the files that come in, and how an import goes and ended.

use askama::Template;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::JobPermit;
use mimamori_identity::Visitor;
use mimamori_kernel::id::ImportId;
use mimamori_pages::{FieldError, Frame, LimitedForm, Pagination, Problem, Term, html};

use super::store::{self, FileInfo, Import, Listed, Settings, Stand};
use super::upload::{self, UploadError};
use super::{Intake, UPLOAD_LIMIT, draft, job};
use crate::import::{Layout, Sheet, guess_of, header_of};
use crate::{Residents, action, answer};

/// Findings on one page.
const PAGE: u32 = 100;
/// Findings that one read of a download takes.
const READ: i64 = 2000;

struct Entry {
    href: String,
    at: String,
    by: String,
    stand: &'static str,
    counts: String,
}

#[derive(Template)]
#[template(path = "residents/imports.html")]
struct ListPage<'a> {
    frame: &'a Frame,
    entries: Vec<Entry>,
    folders: Vec<String>,
    running: bool,
    sample_only: bool,
    errors: Vec<FieldError>,
}

#[derive(Template)]
#[template(path = "residents/import_result.html")]
struct ResultPage<'a> {
    frame: &'a Frame,
    id: String,
    running: Option<(String, u64, u64)>,
    again: bool,
    terms: Vec<Term>,
    findings: Vec<Listed>,
    pages: Pagination,
}

async fn entered(
    room: &Residents,
    visitor: &Visitor,
) -> Result<(Intake, JobPermit), Box<Response>> {
    let permit = room.gate.job(action::IMPORT, Some(visitor)).await;
    let permit = permit.map_err(|error| Box::new(answer(error)))?;
    match room.intake.clone() {
        Some(intake) => Ok((intake, permit)),
        None => Err(Box::new(Problem::not_found().into_response())),
    }
}

/// Folders of the inbox that hold a file of residents.
async fn folders(intake: &Intake) -> Vec<String> {
    let inbox = intake.inbox();
    let listed = tokio::task::spawn_blocking(move || {
        let entries = std::fs::read_dir(&inbox).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries
            .filter(|e| super::file(&e.path(), Sheet::Residents).is_file())
            .filter_map(|e| e.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    });
    listed.await.unwrap_or_default()
}

async fn listed(
    intake: &Intake,
    permit: &JobPermit,
    frame: &Frame,
    errors: Vec<FieldError>,
) -> Response {
    let imports = match store::newest(permit).await {
        Ok(imports) => imports,
        Err(error) => return answer(error),
    };
    let entry = |import: Import| Entry {
        href: format!("/residents/imports/{}", import.id),
        at: import.made_at.office_text(),
        by: import.ordered_name,
        stand: import.stand.japanese(),
        counts: match import.stand {
            Stand::Done => format!(
                "{}人、誤り{}件、据置き{}人",
                import.totals.persons, import.totals.errors, import.totals.kept
            ),
            Stand::Refused => format!("誤り{}件", import.totals.errors),
            _ => String::new(),
        },
    };
    html(ListPage {
        frame: &frame
            .clone()
            .with_title("住民データの取込み")
            .with_current("/residents/imports"),
        entries: imports.into_iter().map(entry).collect(),
        folders: folders(intake).await,
        running: intake.running().is_some(),
        sample_only: intake.0.sample_only,
        errors,
    })
}

/// GET /residents/imports
pub(super) async fn list(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
) -> Response {
    match entered(&room, &visitor).await {
        Ok((intake, permit)) => listed(&intake, &permit, &frame, vec![]).await,
        Err(response) => *response,
    }
}

/// Keeps a draft of files that came in, with guessed encodings and columns.
async fn drafted(
    room: &Residents,
    intake: &Intake,
    permit: &JobPermit,
    visitor: &Visitor,
    frame: &Frame,
    id: ImportId,
    files: Result<Vec<FileInfo>, UploadError>,
) -> Response {
    let files = match files {
        Ok(files) => files,
        Err(error) => {
            job::remove(intake, id).await;
            if let UploadError::Io(cause) = &error {
                tracing::error!(error = ?cause, "files could not be staged");
            }
            let errors = vec![FieldError::new("residents", error.to_string())];
            return listed(intake, permit, frame, errors).await;
        }
    };
    let folder = intake.folder(id);
    let guessed = tokio::task::spawn_blocking(move || {
        let (residents, households) = (
            super::file(&folder, Sheet::Residents),
            super::file(&folder, Sheet::Households),
        );
        let encodings = [&residents, &households].map(|p| guess_of(p).unwrap_or_default());
        let header = header_of(&residents, encodings[0]).unwrap_or_default();
        (encodings, Layout::guess(&header))
    });
    let Ok((encodings, layout)) = guessed.await else {
        return Problem::internal(None).into_response();
    };
    let settings = Settings {
        encodings: encodings.map(|e| e.code().to_owned()),
        layout,
        good_only: false,
        expected: [None, None],
    };
    let now = room.clock.now();
    match store::add(permit, visitor, id, now, &files, &settings).await {
        Ok(()) => Redirect::to(&format!("/residents/imports/{id}")).into_response(),
        Err(error) => answer(error),
    }
}

/// POST /residents/imports/files
pub(super) async fn receive(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    request: Request,
) -> Response {
    let (intake, permit) = match entered(&room, &visitor).await {
        Ok(entered) => entered,
        Err(response) => return *response,
    };
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .filter(|v| v.starts_with("multipart/form-data"))
        .map(str::to_owned);
    let Some(kind) = kind else {
        return Problem::unsupported_media().into_response();
    };
    let id = ImportId::random(&*room.random);
    let body = request.into_body();
    let files = upload::receive(&kind, body, &intake.folder(id), UPLOAD_LIMIT).await;
    drafted(&room, &intake, &permit, &visitor, &frame, id, files).await
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Folder {
    folder: String,
}

/// POST /residents/imports/folder
pub(super) async fn from_inbox(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    LimitedForm(sent): LimitedForm<Folder>,
) -> Response {
    let (intake, permit) = match entered(&room, &visitor).await {
        Ok(entered) => entered,
        Err(response) => return *response,
    };
    // Only a name that the listing itself gave; never a path.
    if !folders(&intake).await.contains(&sent.folder) {
        let errors = vec![FieldError::new(
            "folder",
            "受入フォルダから選んでください。",
        )];
        return listed(&intake, &permit, &frame, errors).await;
    }
    let id = ImportId::random(&*room.random);
    let from = intake.inbox().join(&sent.folder);
    let files = upload::copy(&from, &intake.folder(id)).await;
    drafted(&room, &intake, &permit, &visitor, &frame, id, files).await
}

#[derive(serde::Deserialize)]
pub(super) struct Look {
    page: Option<u32>,
    edit: Option<u8>,
}

fn terms(import: &Import) -> Vec<Term> {
    let t = &import.totals;
    let mut out = vec![
        Term::new("状態", import.stand.japanese()),
        Term::new("指示した人", import.ordered_name.clone()),
        Term::new("受け付けた日時", import.made_at.office_text()),
    ];
    for file in &import.files {
        let text = format!("{}バイト　SHA-256 {}", file.bytes, file.sha256);
        out.push(Term::new(file.sheet.clone(), text));
    }
    if import.stand == Stand::Done {
        let members = t.persons - t.insured.min(t.persons);
        for (name, text) in [
            (
                "住民",
                format!(
                    "{}人（被保険者{}人、世帯員{members}人）",
                    t.persons, t.insured
                ),
            ),
            ("異動履歴", format!("{}件", t.rows)),
            ("世帯", format!("{}世帯", t.households)),
            (
                "据置き",
                format!("{}人（誤りのため、今の記録のまま）", t.kept),
            ),
            (
                "見送り",
                format!("{}人（誤りのため、新しく登録しなかった人）", t.left_out),
            ),
            ("証跡の行", import.line.to_string()),
        ] {
            out.push(Term::new(name, text));
        }
    }
    if matches!(import.stand, Stand::Done | Stand::Refused) {
        let text = format!("誤り{}件、注意{}件", t.errors, t.warnings);
        out.push(Term::new("見つかった誤り", text));
    }
    if !t.told.is_empty() {
        out.push(Term::new("理由", t.told.clone()));
    }
    out
}

/// GET /residents/imports/{import}
pub(super) async fn show(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(id): Path<String>,
    Query(look): Query<Look>,
) -> Response {
    let (intake, permit) = match entered(&room, &visitor).await {
        Ok(entered) => entered,
        Err(response) => return *response,
    };
    let found = match id.parse() {
        Ok(id) => store::one(&permit, id).await,
        Err(_) => Ok(None),
    };
    let import = match found {
        Ok(Some(import)) => import,
        Ok(None) => return Problem::not_found().into_response(),
        Err(error) => return answer(error),
    };
    if import.stand == Stand::Draft || (import.stand.open() && look.edit.is_some()) {
        return draft::page(&intake, &permit, &frame, &import, vec![]).await;
    }
    let total = import.totals.errors + import.totals.warnings;
    let here = format!("/residents/imports/{id}");
    let pages = Pagination::new(format!("{here}?page="), look.page.unwrap_or(1), total, PAGE);
    let after = i64::from((pages.current - 1) * PAGE);
    let findings = match store::findings(&permit, import.id, after, i64::from(PAGE)).await {
        Ok(findings) => findings,
        Err(error) => return answer(error),
    };
    let running = (import.stand == Stand::Running).then(|| {
        let at = intake
            .running()
            .filter(|(running, _)| *running == import.id);
        at.map_or_else(
            || ("終わりの処理".to_owned(), 0, 1),
            |(_, p)| (p.phase().japanese().to_owned(), p.done(), p.total()),
        )
    });
    let refresh = running.is_some();
    let mut response = html(ResultPage {
        frame: &frame
            .with_title("取込みの結果")
            .with_current("/residents/imports"),
        id,
        again: import.stand.open(),
        terms: terms(&import),
        running,
        findings,
        pages,
    });
    if refresh {
        // The page asks again by itself, without a script.
        let value = axum::http::HeaderValue::from_static("3");
        response.headers_mut().insert(header::REFRESH, value);
    }
    response
}

#[derive(serde::Deserialize)]
pub(super) struct Form {
    r#as: Option<String>,
}

/// GET /residents/imports/{import}/findings: row, item and reason of all, never a value.
pub(super) async fn download(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(form): Query<Form>,
) -> Response {
    let permit = match entered(&room, &visitor).await {
        Ok((_, permit)) => permit,
        Err(response) => return *response,
    };
    let found = match id.parse() {
        Ok(id) => store::one(&permit, id).await,
        Err(_) => Ok(None),
    };
    let Ok(Some(import)) = found else {
        return Problem::not_found().into_response();
    };
    let mut text = "ファイル,行,項目,区分,コード,理由\r\n".to_owned();
    let mut after = 0;
    loop {
        let findings = match store::findings(&permit, import.id, after, READ).await {
            Ok(findings) => findings,
            Err(error) => return answer(error),
        };
        for f in &findings {
            text.push_str(&format!(
                "{},{},{},{},{},\"{}\"\r\n",
                f.sheet, f.row, f.item, f.weight, f.code, f.reason
            ));
        }
        match i64::try_from(findings.len()) {
            Ok(n) if n == READ => after += READ,
            _ => break,
        }
    }
    let (bytes, kind) = if form.r#as.as_deref() == Some("cp932") {
        let bytes = encoding_rs::SHIFT_JIS.encode(&text).0.into_owned();
        (bytes, "text/csv; charset=Shift_JIS")
    } else {
        (
            format!("\u{feff}{text}").into_bytes(),
            "text/csv; charset=utf-8",
        )
    };
    let name = format!("attachment; filename=\"import-{id}.csv\"");
    (
        [
            (header::CONTENT_TYPE, kind.to_owned()),
            (header::CONTENT_DISPOSITION, name),
        ],
        Body::from(bytes),
    )
        .into_response()
}
