//! Before every page: length limits, session, forced change, form token.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_identity::{AuthLevel, EndReason, SessionState, Visitor};
use mimamori_pages::{FORM_LIMIT_BYTES, Frame, Problem};

use super::Site;

/// Longest address, bytes.
const LONGEST: usize = 2048;

/// Pages that need no session. The list may only shrink.
pub const PUBLIC: [&str; 4] = ["/sign-in", "/guide", "/demo", "/demo/role"];

/// Pages that a locked or not yet changed session may still reach.
const ALWAYS: [&str; 4] = ["/sign-out", "/lock", "/unlock", "/password"];

/// The session's secret from the cookie header.
pub(crate) fn cookie(site: &Site, request: &Request) -> Option<String> {
    let all = request.headers().get_all(header::COOKIE);
    all.iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| {
            pair.trim()
                .strip_prefix(site.cookie_name())?
                .strip_prefix('=')
                .map(str::to_owned)
        })
}

/// The secret of the session behind the request, for sign-out and lock.
#[derive(Debug, Clone)]
pub(crate) struct Secret(pub String);

/// Where the request comes from, as far as the instance can know.
#[derive(Debug, Clone)]
pub(crate) struct Terminal(pub String);

fn terminal(site: &Site, request: &Request) -> String {
    let direct = request
        .extensions()
        .get::<axum::extract::ConnectInfo<std::net::SocketAddr>>()
        .map_or_else(|| "local".into(), |info| info.0.ip().to_string());
    let told = request
        .headers()
        .get("x-forwarded-for")
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.rsplit(',').next());
    match told {
        Some(told) if site.trusted_proxy => told.trim().chars().take(60).collect(),
        _ => direct,
    }
}

/// Another site's page cannot post here: browsers name the origin of every form.
fn same_origin(request: &Request) -> bool {
    let text = |name: header::HeaderName| request.headers().get(name).and_then(|v| v.to_str().ok());
    match (text(header::ORIGIN), text(header::HOST)) {
        (Some(origin), Some(host)) => origin
            .split_once("://")
            .is_some_and(|(_, named)| named == host),
        _ => false,
    }
}

fn ended(reason: EndReason) -> &'static str {
    match reason {
        EndReason::OtherSignIn => "/sign-in?ended=other",
        EndReason::Revoked => "/sign-in?ended=revoked",
        EndReason::Absolute => "/sign-in?ended=absolute",
        EndReason::SignedOut => "/sign-in?ended=out",
    }
}

/// The guard itself.
pub(crate) async fn session(
    State(site): State<Site>,
    mut request: Request,
    next: Next,
) -> Response {
    if request.uri().to_string().len() > LONGEST {
        return Problem::uri_too_long().into_response();
    }
    let path = request.uri().path().to_owned();
    let public = PUBLIC.contains(&path.as_str());
    let post = request.method() == Method::POST;
    if !post && request.method() != Method::GET && request.method() != Method::HEAD {
        return Problem::method_not_allowed("GET, POST").into_response();
    }
    if post && !same_origin(&request) {
        return Problem::csrf_mismatch().into_response();
    }
    let secret = cookie(&site, &request);
    let state = secret
        .as_deref()
        .map_or(SessionState::None, |secret| site.identity.state(secret));
    let mut binding: Vec<u8> = b"nobody".to_vec();
    match state {
        SessionState::Live(visitor) => {
            if visitor.auth == AuthLevel::PasswordInitial
                && !public
                && !ALWAYS.contains(&path.as_str())
            {
                return Redirect::to("/password").into_response();
            }
            binding = visitor.session.to_vec();
            enter(&site, &mut request, visitor, secret);
        }
        SessionState::Locked(visitor) => {
            if !public && !ALWAYS.contains(&path.as_str()) || path == "/password" {
                return Redirect::to("/lock").into_response();
            }
            binding = visitor.session.to_vec();
            enter(&site, &mut request, visitor, secret);
        }
        SessionState::Ended(reason) if !public => {
            return Redirect::to(ended(reason)).into_response();
        }
        SessionState::None if !public => return Redirect::to("/sign-in").into_response(),
        SessionState::Ended(_) | SessionState::None => {
            request
                .extensions_mut()
                .insert(site.public_frame("").with_csrf(site.csrf.token(&binding)));
        }
    }
    let from = Terminal(terminal(&site, &request));
    request.extensions_mut().insert(from);
    if post {
        request = match token(&site, request, &binding).await {
            Ok(request) => request,
            Err(problem) => return problem.into_response(),
        };
    }
    next.run(request).await
}

fn enter(site: &Site, request: &mut Request, visitor: Visitor, secret: Option<String>) {
    let frame: Frame = site
        .public_frame("")
        .signed_in_as(
            visitor.org_name.clone(),
            visitor.name.clone(),
            visitor.role.japanese(),
        )
        .with_csrf(site.csrf.token(&visitor.session))
        .with_nav(site.nav(&visitor))
        .with_idle(u32::try_from(site.identity.idle().as_secs()).unwrap_or(900));
    request.extensions_mut().insert(frame);
    request.extensions_mut().insert(visitor);
    request.extensions_mut().extend(
        secret
            .map(|s| {
                let mut one = axum::http::Extensions::new();
                one.insert(Secret(s));
                one
            })
            .unwrap_or_default(),
    );
}

/// Reads the form once, checks its token, and hands the same bytes on.
async fn token(site: &Site, request: Request, binding: &[u8]) -> Result<Request, Problem> {
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, FORM_LIMIT_BYTES)
        .await
        .map_err(|_| Problem::too_large())?;
    let given = bytes
        .split(|b| *b == b'&')
        .find_map(|pair| pair.strip_prefix(b"csrf="))
        .unwrap_or_default();
    let given = std::str::from_utf8(given).unwrap_or_default();
    // A token is base64url: a browser sends it as it is.
    if !site.csrf.verify(binding, given) {
        return Err(Problem::csrf_mismatch());
    }
    Ok(Request::from_parts(parts, Body::from(bytes)))
}
