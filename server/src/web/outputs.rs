//! A file that was taken out: its password, and the file itself once (S1-54, S4-92).

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use mimamori_files::Parcel;
use mimamori_identity::Visitor;
use mimamori_pages::{Frame, Problem, html};

use super::Site;

#[derive(Template)]
#[template(path = "server/output.html")]
struct OutputPage<'a> {
    frame: &'a Frame,
    parcel: Parcel,
}

fn gone() -> Response {
    Problem::conflict("このファイルは、もう保存したか、作ったあとにサインアウトしています。")
        .with_next(
            "ダウンロードの保存先を確かめてください。見つからないときは、もう一度出力します。",
        )
        .into_response()
}

/// GET /outputs/{line}: what was made, with its password. Its line stands since it was made.
pub(crate) async fn page(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(line): Path<String>,
) -> Response {
    match site.shelf.look(&visitor.session, line.parse().unwrap_or(0)) {
        Some(parcel) => html(OutputPage {
            frame: &frame.with_title("ファイルの保存"),
            parcel,
        }),
        None => gone(),
    }
}

/// GET /outputs/{line}/file: the locked file, once, for the session that made it.
pub(crate) async fn file(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Path(line): Path<String>,
) -> Response {
    match site.shelf.take(&visitor.session, line.parse().unwrap_or(0)) {
        Some((name, bytes)) => {
            let name = format!("attachment; filename=\"{name}\"");
            let heads = [
                (CONTENT_TYPE, "application/zip".to_owned()),
                (CONTENT_DISPOSITION, name),
            ];
            (heads, bytes).into_response()
        }
        None => gone(),
    }
}
