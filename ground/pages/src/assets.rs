//! Style sheet, idle lock and icon, compiled in and served under names that
//! change with their content, so that they may be cached for ever.

use crate::problem::Problem;
use axum::Router;
use axum::extract::Path;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// Marks a response that carries no personal data and may be cached.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Immutable;

struct Asset {
    name: &'static str,
    media_type: &'static str,
    bytes: &'static [u8],
    path: String,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    vec![
        asset(
            "style.css",
            "text/css; charset=utf-8",
            include_bytes!("../assets/style.css"),
        ),
        asset(
            "idle.js",
            "text/javascript; charset=utf-8",
            include_bytes!("../assets/idle.js"),
        ),
        asset(
            "passkey.js",
            "text/javascript; charset=utf-8",
            include_bytes!("../assets/passkey.js"),
        ),
        asset(
            "favicon.svg",
            "image/svg+xml",
            include_bytes!("../assets/favicon.svg"),
        ),
    ]
});

fn asset(name: &'static str, media_type: &'static str, bytes: &'static [u8]) -> Asset {
    let digest = hex::encode(Sha256::digest(bytes));
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, "bin"));
    Asset {
        name,
        media_type,
        bytes,
        path: format!("/assets/{stem}-{}.{extension}", &digest[..16]),
    }
}

/// Plain names of all assets.
pub fn asset_names() -> impl Iterator<Item = &'static str> {
    ASSETS.iter().map(|asset| asset.name)
}

/// Path of the asset `name` with its content hash; an unknown name gives a path
/// that answers 404.
pub fn asset_path(name: &str) -> &'static str {
    ASSETS
        .iter()
        .find(|asset| asset.name == name)
        .map_or("/assets/unknown", |asset| asset.path.as_str())
}

/// The route `/assets/{name-with-content-hash}`.
pub fn routes() -> Router {
    Router::new().route("/assets/{file}", get(serve))
}

async fn serve(Path(file): Path<String>) -> Response {
    let found = ASSETS
        .iter()
        .find(|asset| asset.path.strip_prefix("/assets/") == Some(file.as_str()));
    let Some(asset) = found else {
        return Problem::not_found().into_response();
    };
    let mut response = asset.bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    response.extensions_mut().insert(Immutable);
    response
}
