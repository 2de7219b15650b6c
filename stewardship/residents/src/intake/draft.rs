//! An import before it begins: encodings, columns, a look at the first rows.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{JobPermit, Purpose};
use mimamori_identity::Visitor;
use mimamori_kernel::id::ImportId;
use mimamori_pages::{Choice, FieldError, Frame, LimitedForm, Problem, html, html_with_status};

use super::form::{self, Headers, Row, SHEETS, Sent};
use super::store::{self, Import, Settings, Stand};
use super::{Intake, job};
use crate::import::{Finding, Layout, PRESETS, Seen, Sheet, first_rows, header_of};
use crate::{Residents, action, answer};

/// Rows of a preview.
const PREVIEW: usize = 5;

#[derive(Template)]
#[template(path = "residents/import_draft.html")]
struct DraftPage<'a> {
    frame: &'a Frame,
    id: String,
    import: &'a Import,
    again: bool,
    encodings: [Vec<Choice>; 2],
    presets: Vec<Choice>,
    note: String,
    layouts: Vec<Choice>,
    residents: Vec<Row>,
    households: Vec<Row>,
    expected: [String; 2],
    modes: Vec<Choice>,
    check_digit: bool,
    errors: Vec<FieldError>,
}

#[derive(Template)]
#[template(path = "residents/import_preview.html")]
struct PreviewPage<'a> {
    frame: &'a Frame,
    id: String,
    sheets: Vec<Seen>,
    findings: Vec<Finding>,
    line: u64,
}

/// The header names of both files, as the settings decode them.
pub(super) async fn headers(intake: &Intake, id: ImportId, settings: &Settings) -> Option<Headers> {
    let folder = intake.folder(id);
    let encodings = SHEETS.map(|s| settings.encoding(s));
    tokio::task::spawn_blocking(move || {
        let of = |at: usize| header_of(&super::file(&folder, SHEETS[at]), encodings[at]);
        Some([of(0).ok()?, of(1).unwrap_or_default()])
    })
    .await
    .ok()
    .flatten()
}

/// The page of a draft.
pub(super) async fn page(
    intake: &Intake,
    permit: &JobPermit,
    frame: &Frame,
    import: &Import,
    errors: Vec<FieldError>,
) -> Response {
    let Some([residents, households]) = headers(intake, import.id, &import.settings).await else {
        return Problem::conflict("取込みのファイルがありません。").into_response();
    };
    let kept = match store::layouts(permit).await {
        Ok(kept) => kept,
        Err(error) => return answer(error),
    };
    let settings = &import.settings;
    let layout = &settings.layout;
    let mode = if settings.good_only { "good" } else { "all" };
    let mut layouts = vec![Choice::new("", "選んでください", "")];
    layouts.extend(kept.into_iter().map(|n| Choice::new(n.clone(), n, "")));
    let preset = PRESETS.iter().find(|p| p.code == layout.preset);
    let status = match errors.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::BAD_REQUEST,
    };
    html_with_status(
        status,
        DraftPage {
            frame: &frame
                .clone()
                .with_title("取込みの準備")
                .with_current("/residents/imports"),
            id: import.id.to_string(),
            import,
            again: import.stand != Stand::Draft,
            encodings: [0, 1].map(|at| form::encodings(&settings.encodings[at])),
            presets: form::presets(&layout.preset),
            note: preset.map_or_else(String::new, |p| p.note.clone()),
            layouts,
            residents: form::rows(Sheet::Residents, &residents, layout),
            households: match import.has(Sheet::Households) {
                true => form::rows(Sheet::Households, &households, layout),
                false => vec![],
            },
            expected: settings
                .expected
                .map(|n| n.map_or_else(String::new, |n| n.to_string())),
            modes: vec![
                Choice::new("all", "全件そろわなければ取り込まない", mode),
                Choice::new(
                    "good",
                    "正しい行だけ取り込む（誤りのある人は今の記録のまま）",
                    mode,
                ),
            ],
            check_digit: layout.check_digit,
            errors,
        },
    )
}

/// POST /residents/imports/{import}
pub(super) async fn act(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(id): Path<String>,
    LimitedForm(sent): LimitedForm<Sent>,
) -> Response {
    let permit = match room.gate.job(action::IMPORT, Some(&visitor)).await {
        Ok(permit) => permit,
        Err(error) => return answer(error),
    };
    let found = match id.parse() {
        Ok(id) => store::one(&permit, id).await,
        Err(_) => Ok(None),
    };
    let (Some(intake), Ok(Some(mut import))) = (room.intake.clone(), found) else {
        return Problem::not_found().into_response();
    };
    if !import.stand.open() {
        return Problem::conflict("この取込みは、もう変えられません。").into_response();
    }
    let Some(headers) = headers(&intake, import.id, &import.settings).await else {
        return Problem::conflict("取込みのファイルがありません。").into_response();
    };
    let (settings, mut errors) = form::settings(&sent, &headers, &import.settings);
    let before = std::mem::replace(&mut import.settings, settings);
    if before.encodings != import.settings.encodings {
        // The names chosen were read in the other encoding.
        let Some(read) = self::headers(&intake, import.id, &import.settings).await else {
            return Problem::conflict("取込みのファイルがありません。").into_response();
        };
        import.settings.layout = Layout::guess(&read[0]);
    }
    let verb = sent.get("act").map_or("", String::as_str);
    let mut steps = vec![];
    match verb {
        "preset" => {
            let code = sent.get("preset").map_or("", String::as_str);
            let check_digit = import.settings.layout.check_digit;
            import.settings.layout = Layout {
                check_digit,
                ..Layout::of(code)
            };
        }
        "load" => {
            let name = sent.get("layout").map_or("", String::as_str);
            match store::layout(&permit, name).await {
                Ok(Some(layout)) => import.settings.layout = layout,
                Ok(None) => {
                    let message = "使う対応を選んでください。";
                    errors.push(FieldError::new("layout", message));
                }
                Err(error) => return answer(error),
            }
        }
        "keep" => match form::kept_name(&sent) {
            Ok(name) => {
                let (layout, now) = (&import.settings.layout, room.clock.now());
                steps.push(store::keep_layout(&name, layout, &visitor, now));
            }
            Err(error) => errors.push(error),
        },
        _ => {}
    }
    steps.push(store::set(import.id, &import.settings));
    if let Err(error) = permit.stage(steps).await {
        return answer(error);
    }
    if !errors.is_empty() {
        return page(&intake, &permit, &frame, &import, errors).await;
    }
    let here = format!("/residents/imports/{}", import.id);
    match verb {
        "preview" => preview(&room, &intake, &visitor, &frame, &import).await,
        "start" => match job::start(&room, &intake, &visitor, &import).await {
            Ok(Some(())) => Redirect::to(&here).into_response(),
            Ok(None) => {
                let message = "ほかの取込みが動いています。終わってから始めてください。";
                let errors = vec![FieldError::new("start", message)];
                page(&intake, &permit, &frame, &import, errors).await
            }
            Err(error) => answer(error),
        },
        "discard" => {
            let gone = store::step(import.id, import.stand, Stand::Discarded, &import.totals, 0);
            let text = "住民データの取込みを取りやめました";
            if let Err(error) = permit.change(text, vec![gone], false).await {
                return answer(error);
            }
            job::remove(&intake, import.id).await;
            Redirect::to("/residents/imports").into_response()
        }
        _ => Redirect::to(&format!("{here}?edit=1")).into_response(),
    }
}

/// The first rows through the chosen columns. The line stands before a value is read; addresses of
/// protected persons stay hidden, nobody needs them to see whether a column fits.
async fn preview(
    room: &Residents,
    intake: &Intake,
    visitor: &Visitor,
    frame: &Frame,
    import: &Import,
) -> Response {
    let sums: Vec<&str> = import.files.iter().map(|f| f.sha256.as_str()).collect();
    let text = format!("取込みの下見（先頭{PREVIEW}行）SHA-256 {}", sums.join(" "));
    let line = async {
        let permit = room
            .gate
            .list(visitor, action::IMPORT_PREVIEW, Purpose::Operation)
            .await?;
        permit.searched(text, room.clock.now()).await
    };
    let line = match line.await {
        Ok(line) => line,
        Err(error) => return answer(error),
    };
    let order = job::order(intake, import);
    let seen = tokio::task::spawn_blocking(move || first_rows(&order, PREVIEW)).await;
    let (sheets, findings) = match seen {
        Ok(Ok(seen)) => seen,
        _ => return Problem::conflict("取込みのファイルを読めません。").into_response(),
    };
    html(PreviewPage {
        frame: &frame
            .clone()
            .with_title("取込みの下見")
            .with_current("/residents/imports"),
        id: import.id.to_string(),
        sheets,
        findings,
        line,
    })
}
