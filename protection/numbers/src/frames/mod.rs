//! What the browser sees of the room: small pages in a frame of the web process's page.

mod entry;
mod load;

use std::net::SocketAddr;

use askama::Template;
use axum::Router;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use mimamori_kernel::error::Coded as _;
use mimamori_kernel::id::TicketId;
use mimamori_pages::html_with_status;
use sha2::{Digest as _, Sha256};

use crate::port::{Kind, Order};
use crate::room::Room;
use crate::vault::{Report, Told as What};
use crate::{Number, NumbersError};

pub(crate) use load::Loads;

/// A few words instead of a form: what came of it, or why not.
#[derive(Template)]
#[template(path = "numbers/told.html")]
struct Told<'a> {
    title: &'a str,
    text: &'a str,
    error: bool,
}

/// The number, and when it goes away.
#[derive(Template)]
#[template(path = "numbers/shown.html")]
struct Shown {
    groups: [String; 3],
    seconds: u32,
}

fn told(status: StatusCode, title: &str, text: &str) -> Response {
    let error = !status.is_success();
    html_with_status(status, Told { title, text, error })
}

/// A ticket that is spent, too old, or another session's: not told apart.
fn spent() -> Response {
    told(
        StatusCode::GONE,
        "この画面は使えなくなりました",
        "時間が過ぎたか、もう使われました。もとの画面からやり直してください。",
    )
}

fn broken(error: &NumbersError) -> Response {
    tracing::error!(code = error.code(), error = ?error, "a page of the numbers room failed");
    told(
        StatusCode::SERVICE_UNAVAILABLE,
        "処理できませんでした",
        error.advice(),
    )
}

/// SHA-256 of the session's cookie; empty without one.
fn session(room: &Room, headers: &HeaderMap) -> String {
    let name = format!("{}=", room.0.window.cookie);
    let all = headers.get_all(header::COOKIE).iter();
    let mut pairs = all
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'));
    let found = pairs.find_map(|pair| pair.trim().strip_prefix(&name));
    found.map_or_else(String::new, |secret| {
        hex::encode(Sha256::digest(secret.as_bytes()))
    })
}

/// GET /reveal/{ticket}: the number, once.
async fn reveal(
    State(room): State<Room>,
    Path(ticket): Path<String>,
    headers: HeaderMap,
) -> Response {
    let (session, now) = (session(&room, &headers), room.0.clock.steady());
    let Ok(ticket) = ticket.parse::<TicketId>() else {
        return spent();
    };
    if room.0.desk.open(&ticket, &session, now) != Some(Kind::Reveal) {
        return spent();
    }
    let id = ticket;
    let Some(ticket) = room.0.desk.take(&id, &session, now) else {
        return spent();
    };
    let number = match look(&room, id, &ticket.order).await {
        Ok(Some(number)) => number,
        Ok(None) => {
            let text = "この人の個人番号は登録されていません。";
            return told(StatusCode::OK, "登録がありません", text);
        }
        Err(error) => return broken(&error),
    };
    let group = |from: usize| {
        number.digits()[from..from + 4]
            .iter()
            .map(|d| char::from(*d))
            .collect()
    };
    let seconds = room.0.window.seconds;
    html_with_status(
        StatusCode::OK,
        Shown {
            groups: [group(0), group(4), group(8)],
            seconds,
        },
    )
}

/// The number behind an order, after what comes of it is durable.
async fn look(
    room: &Room,
    ticket: TicketId,
    order: &Order,
) -> Result<Option<Number>, NumbersError> {
    let reference = order.reference.ok_or(NumbersError::Speech)?;
    let found = room.0.vault.reveal(&reference).await?;
    let told = if found.is_some() {
        What::Found
    } else {
        What::None
    };
    let report = Report {
        ticket,
        kind: order.kind.code(),
        line: order.line,
    };
    room.0
        .vault
        .report(&report, told, Some(&reference), (0, 0))
        .await?;
    Ok(found)
}

/// GET /cleared: what stands where a number stood.
async fn cleared() -> Response {
    let text =
        "表示の時間が過ぎたので消しました。もう一度見るときは、もとの画面で照会してください。";
    told(StatusCode::OK, "消しました", text)
}

/// The headers of every page: no script at all, framed by the web process's pages alone, never kept.
async fn guarded(State(room): State<Room>, request: Request, next: Next) -> Response {
    // Browsers say where a request comes from; a page of another site gets nothing.
    let site = request
        .headers()
        .get("sec-fetch-site")
        .and_then(|v| v.to_str().ok());
    let elsewhere = site.is_some_and(|site| !["same-site", "same-origin", "none"].contains(&site));
    let proxies = &room.0.window.proxies;
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map(|info| info.0.ip().to_canonical());
    let stranger = !proxies.is_empty() && peer.is_some_and(|ip| !proxies.contains(&ip));
    let mut response = match room.sound() {
        _ if stranger => told(
            StatusCode::BAD_REQUEST,
            "この入口は使えません",
            "この入口は、決められた中継サーバーからだけ使えます。",
        ),
        Err(error) => broken(&error),
        Ok(()) if elsewhere => spent(),
        Ok(()) => next.run(request).await,
    };
    let window = &room.0.window;
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {}; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        window.parents.join(" ")
    );
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set("content-security-policy", &policy);
    set("x-content-type-options", "nosniff");
    set("referrer-policy", "no-referrer");
    set("cross-origin-resource-policy", "same-site");
    set("cross-origin-embedder-policy", "require-corp");
    set(
        "permissions-policy",
        "camera=(), microphone=(), geolocation=(), clipboard-read=()",
    );
    if window.tls {
        set(
            "strict-transport-security",
            "max-age=63072000; includeSubDomains",
        );
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

impl Room {
    /// The pages for browsers.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/reveal/{ticket}", get(reveal))
            .route("/cleared", get(cleared))
            .route("/entry/{ticket}", get(entry::form).post(entry::submit))
            .route("/load/{ticket}", get(load::form).post(load::submit))
            .route("/load/{ticket}/state", get(load::state))
            .route("/load/{ticket}/rejects", post(load::rejects))
            .fallback(async || spent().into_response())
            .with_state(self.clone())
            .merge(mimamori_pages::routes())
            .layer(from_fn_with_state(self.clone(), guarded))
    }
}
