//! A small site made of this room, and a way to ask it.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::{get as read, post};
use mimamori_pages::{Gallery, Problem, Refusal, Shell, html, protect, routes};
use tower::ServiceExt as _;

#[derive(serde::Deserialize)]
struct Wanted {
    #[expect(dead_code, reason = "only its type matters")]
    page: u32,
}

/// Routes that answer in each of the ways a room can answer.
pub fn site(tls: bool, demo: bool) -> Router {
    let router = Router::new()
        .route("/", read(|| async { html(Gallery::sample()) }))
        .route("/gallery", read(|| async { html(Gallery::sample()) }))
        .route("/refused", read(|| async { Refusal::sample() }))
        .route("/slow", read(|| async { Problem::too_many(30) }))
        .route(
            "/broken",
            read(|| async { StatusCode::INTERNAL_SERVER_ERROR }),
        )
        .route("/typed", read(|_: Query<Wanted>| async { "ok" }))
        .route("/send", post(|| async { "ok" }))
        .route(
            "/data",
            read(|| async {
                let media_type = [("content-type", "application/json")];
                (StatusCode::CONFLICT, media_type, "{\"code\":1}")
            }),
        )
        .route(
            "/loose",
            read(|| async {
                let loose = [
                    ("cache-control", "public"),
                    ("content-security-policy", "default-src *"),
                ];
                (loose, "ok")
            }),
        );
    let shell = Shell {
        tls,
        demo,
        env_label: None,
        contact: None,
    };
    protect(router.merge(routes()), shell)
}

/// Asks `site` and returns status, headers and body.
pub fn send(site: Router, method: Method, path: &str) -> (StatusCode, HeaderMap, String) {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Body::empty()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let response = site.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        (parts.status, parts.headers, text)
    })
}

/// Asks a site without TLS and without demo band.
pub fn get(path: &str) -> (StatusCode, HeaderMap, String) {
    send(site(false, false), Method::GET, path)
}
