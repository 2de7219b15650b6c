//! Before every page: length limits, session, forced change, form token.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use futures_util::StreamExt as _;
use mimamori_identity::{AuthLevel, EndReason, Place, Role, SessionState, Visitor};
use mimamori_kernel::date::wareki;
use mimamori_kernel::error::Coded as _;
use mimamori_pages::{FORM_LIMIT_BYTES, Frame, Problem, Refusal};

use super::Site;
use super::sign_in::{act, unwritten};

/// Longest address, bytes.
const LONGEST: usize = 2048;

/// Pages that need no session. The list may only shrink.
pub const PUBLIC: [&str; 4] = ["/sign-in", "/guide", "/demo", "/demo/role"];

/// Pages that a locked or not yet changed session may still reach.
const ALWAYS: [&str; 4] = ["/sign-out", "/lock", "/unlock", "/password"];

/// Pages of a session that waits for its passkey.
const WAITING: [&str; 5] = [
    "/verify",
    "/verify/passkey",
    "/verify/face",
    "/demo/face",
    "/sign-out",
];

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

/// Whether the password was right and the passkey is still to come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting(pub bool);

/// Host and port of the request as the browser names them; a passkey belongs to one.
#[derive(Debug, Clone)]
pub(crate) struct Host(pub String);

/// SHA-256 of the client certificate of the connection; none where own TLS was shown none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientCertificate(pub Option<[u8; 32]>);

fn place(site: &Site, request: &Request) -> Place {
    let certificate = request.extensions().get::<ClientCertificate>();
    Place {
        address: terminal(site, request),
        certificate: certificate.and_then(|c| c.0),
    }
}

/// Address of the other end of the connection; none in tests without a connection.
fn peer(request: &Request) -> Option<std::net::IpAddr> {
    request
        .extensions()
        .get::<axum::extract::ConnectInfo<std::net::SocketAddr>>()
        .map(|info| info.0.ip().to_canonical())
}

fn terminal(site: &Site, request: &Request) -> String {
    let peer = peer(request);
    let direct = peer.map_or_else(|| "local".into(), |ip| ip.to_string());
    // A proxy adds its word at the end, as a further header line too; what stands before may be the visitor's own.
    let lines = request.headers().get_all("x-forwarded-for");
    let told = lines
        .iter()
        .next_back()
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.rsplit(',').next());
    match told {
        Some(told)
            if peer.is_none_or(|ip| site.trusted_proxy.contains(&ip)) && site.tls_ends_before() =>
        {
            told.trim().chars().take(60).collect()
        }
        _ => direct,
    }
}

/// Another site's page cannot post here: browsers name the origin of every form. HTTP/2 names the
/// host in the address of the request instead of a header.
fn same_origin(site: &Site, request: &Request) -> bool {
    let text = |name: header::HeaderName| request.headers().get(name).and_then(|v| v.to_str().ok());
    let host = text(header::HOST).or_else(|| request.uri().authority().map(|a| a.as_str()));
    let scheme = if site.behind_tls() { "https" } else { "http" };
    match (text(header::ORIGIN).and_then(|o| o.split_once("://")), host) {
        (Some((told, named)), Some(host)) => {
            told == scheme && named == host && (site.demo.is_none() || here(host))
        }
        _ => false,
    }
}

/// Whether a host is this machine. A demo asks for no password, so a name that somebody points at this machine
/// must not act in it.
fn here(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    ["localhost", "127.0.0.1", "[::1]"].contains(&name)
}

/// Path of the page whose form or link led here, as the browser tells it; never another site's.
fn came_from(request: &Request) -> Option<String> {
    let text = |name: header::HeaderName| request.headers().get(name).and_then(|v| v.to_str().ok());
    let host = text(header::HOST).or_else(|| request.uri().authority().map(|a| a.as_str()))?;
    let (_, rest) = text(header::REFERER)?.split_once("://")?;
    let path = rest.strip_prefix(host)?;
    (path.starts_with('/') && !path.starts_with("//") && path.len() <= LONGEST)
        .then(|| path.to_owned())
}

/// Path and query of a request.
fn address(request: &Request) -> String {
    let uri = request.uri();
    uri.path_and_query()
        .map_or_else(|| uri.path().to_owned(), ToString::to_string)
}

fn ended(reason: EndReason) -> &'static str {
    match reason {
        EndReason::OtherSignIn => "/sign-in?ended=other",
        EndReason::Revoked => "/sign-in?ended=revoked",
        EndReason::Absolute => "/sign-in?ended=absolute",
        EndReason::Expired => "/sign-in?ended=expired",
        EndReason::PasswordChanged => "/sign-in?ended=password",
        EndReason::SignedOut => "/sign-in?ended=out",
    }
}

/// The guard itself: a problem is told in the frame of whoever is signed in, and one that ends
/// the session does.
pub(crate) async fn session(State(site): State<Site>, request: Request, next: Next) -> Response {
    let secret = cookie(&site, &request);
    let state = match &secret {
        Some(secret) => {
            let place = place(&site, &request);
            site.identity.checked_at(secret, &place).await
        }
        None => Ok(SessionState::None),
    };
    let state = match state {
        Ok(state) => state,
        Err(error) => {
            tracing::error!(code = error.code(), error = ?error, "an account could not be read");
            return Problem::internal(None).into_response();
        }
    };
    let who = match &state {
        SessionState::Live(visitor)
        | SessionState::Waiting(visitor)
        | SessionState::Locked(visitor) => {
            let locked = !matches!(state, SessionState::Live(_));
            Some((visitor.clone(), frame(&site, visitor, locked)))
        }
        SessionState::Ended(_) | SessionState::None => None,
    };
    let back = came_from(&request);
    let here = (request.method() == Method::GET).then(|| address(&request));
    let mut response = admit(&site, request, next, state, secret.as_deref(), who.as_ref()).await;
    if let Some((visitor, frame)) = who {
        let problem = response.extensions().get::<Problem>();
        if problem.is_some_and(Problem::ends_session) {
            site.identity
                .end_sessions(&visitor.user, EndReason::Revoked);
            site.forget(&visitor);
            return Redirect::to(ended(EndReason::Revoked)).into_response();
        }
        // A page that needs a verification first is opened anew after it; a form is filled in again.
        let back = match problem.is_some_and(Problem::needs_verification) {
            true => here.or(back),
            false => back,
        };
        response.extensions_mut().insert(frame.with_back(back));
    }
    response
}

/// What may go on to the pages, and with what knowledge about the visitor.
async fn admit(
    site: &Site,
    mut request: Request,
    next: Next,
    state: SessionState,
    secret: Option<&str>,
    who: Option<&(Visitor, Frame)>,
) -> Response {
    let stranger = |ip| !site.trusted_proxy.contains(&ip);
    if !site.tls && site.tls_ends_before() && peer(&request).is_some_and(stranger) {
        return Problem::bad_request("この入口は、決められた中継サーバーからだけ使えます。")
            .into_response();
    }
    if request.uri().to_string().len() > LONGEST {
        return Problem::uri_too_long().into_response();
    }
    let path = request.uri().path().to_owned();
    let public = PUBLIC.contains(&path.as_str());
    let always = ALWAYS.contains(&path.as_str());
    let post = request.method() == Method::POST;
    if !post && request.method() != Method::GET && request.method() != Method::HEAD {
        return Problem::method_not_allowed("GET, POST").into_response();
    }
    if post && !same_origin(site, &request) {
        return Problem::csrf_mismatch().into_response();
    }
    let waiting = matches!(state, SessionState::Waiting(_));
    match state {
        SessionState::Waiting(_) if !public && !WAITING.contains(&path.as_str()) => {
            return Redirect::to("/verify").into_response();
        }
        SessionState::Live(visitor)
            if visitor.auth == AuthLevel::PasswordInitial && !public && !always =>
        {
            return Redirect::to("/password").into_response();
        }
        SessionState::Locked(_) if !public && !always || path == "/password" => {
            return Redirect::to("/lock").into_response();
        }
        // Told once, on every page but those where the next session begins.
        SessionState::Ended(reason) if !public || path == "/guide" => {
            return Redirect::to(ended(reason)).into_response();
        }
        SessionState::None if !public => return Redirect::to("/sign-in").into_response(),
        _ => {}
    }
    if let Some((visitor, _)) = who.filter(|_| !public && !always) {
        let terminal = terminal(site, &request);
        if !in_place(&site.maintenance, visitor.role, &terminal) {
            return elsewhere(site, visitor, &terminal).await;
        }
    }
    let mut binding: Vec<u8> = b"nobody".to_vec();
    let extensions = request.extensions_mut();
    match who {
        Some((visitor, frame)) => {
            binding = visitor.session.to_vec();
            extensions.insert(frame.clone());
            extensions.insert(visitor.clone());
            extensions.insert(Waiting(waiting));
            extensions.insert(Secret(secret.unwrap_or_default().to_owned()));
        }
        None => {
            extensions.insert(site.public_frame("").with_csrf(site.csrf.token(&binding)));
        }
    }
    let from = Terminal(terminal(site, &request));
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|v| v.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(|a| a.as_str()));
    let host = Host(host.unwrap_or_default().to_owned());
    request.extensions_mut().insert(from);
    request.extensions_mut().insert(host);
    if post {
        request = match token(site, request, &binding).await {
            Ok(request) => request,
            Err(problem) => return problem.into_response(),
        };
    }
    next.run(request).await
}

/// Whether a role may work from a terminal: who keeps the machine, only from those that are set (S0-73).
fn in_place(set: &[std::net::IpAddr], role: Role, terminal: &str) -> bool {
    let keeper = matches!(role, Role::SystemAdministrator | Role::Contractor);
    let named = || {
        terminal
            .parse()
            .is_ok_and(|ip: std::net::IpAddr| set.contains(&ip))
    };
    !keeper || set.is_empty() || named()
}

/// The refusal for a terminal from which nobody keeps the machine; one line for each terminal and minute.
async fn elsewhere(site: &Site, visitor: &Visitor, terminal: &str) -> Response {
    if site.first_refusal(terminal) {
        let refused = mimamori_trace::Decision::Refused;
        let line = act(site, Some(visitor), "session.place", refused, "maintenance");
        if let Err(error) = site.trace.record(line).await {
            return unwritten(&error);
        }
    }
    Problem::forbidden(Refusal {
        reason: "システム管理者と委託先の取扱者は、庁舎の決められた端末からだけ作業できます。遠隔では作業できません。"
            .into(),
        clauses: vec![site.gate.rules().basis("S0-73")],
        policy: "maintenance".into(),
        ask: String::new(),
    })
    .into_response()
}

/// The frame of a session. One that cannot work yet or just now has no menu and needs no lock.
fn frame(site: &Site, visitor: &Visitor, locked: bool) -> Frame {
    // A citizen belongs to no office, and the name says already that this is a citizen.
    let (office, role) = match visitor.role {
        Role::Citizen => ("", "本人"),
        role => (visitor.org_name.as_str(), role.japanese()),
    };
    let frame = site
        .public_frame("")
        .signed_in_as(office, visitor.name.clone(), role)
        .with_csrf(site.csrf.token(&visitor.session));
    if locked {
        return frame;
    }
    let idle = u32::try_from(site.identity.idle().as_secs()).unwrap_or(900);
    let today = wareki(site.clock.now().office_day().into());
    let frame = frame.with_idle(idle).with_printed(today);
    match visitor.auth {
        AuthLevel::PasswordInitial => frame,
        _ => frame.with_nav(site.nav(visitor)),
    }
}

/// Reads the form once, checks its token, and hands the same bytes on.
async fn token(site: &Site, request: Request, binding: &[u8]) -> Result<Request, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let files = kind.is_some_and(|v| v.as_bytes().starts_with(b"multipart/form-data"));
    let (parts, body) = request.into_parts();
    if files {
        let body = first_part(site, body, binding).await?;
        return Ok(Request::from_parts(parts, body));
    }
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

/// A form with files is too large to read here: its token is the first part, and no more is held.
async fn first_part(site: &Site, body: Body, binding: &[u8]) -> Result<Body, Problem> {
    let mut rest = body.into_data_stream();
    let mut start: Vec<u8> = vec![];
    loop {
        let seen = &start[..start.len().min(FORM_LIMIT_BYTES)];
        let text = String::from_utf8_lossy(seen);
        let mut parts = text.splitn(3, "\r\n\r\n");
        let head = parts.next().unwrap_or_default();
        if let Some((given, _)) = parts.next().and_then(|p| p.split_once("\r\n")) {
            let named = head.matches("name=\"csrf\"").count() == 1;
            if !named || !site.csrf.verify(binding, given) {
                return Err(Problem::csrf_mismatch());
            }
            let first = futures_util::stream::iter([Ok(axum::body::Bytes::from(start))]);
            return Ok(Body::from_stream(first.chain(rest)));
        }
        match rest.next().await {
            Some(Ok(more)) if start.len() < FORM_LIMIT_BYTES => start.extend_from_slice(&more),
            _ => return Err(Problem::csrf_mismatch()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_keeps_the_machine_is_bound_to_the_set_terminals() {
        let set = ["198.51.100.7".parse().unwrap()];
        for (role, terminal, may) in [
            (Role::SystemAdministrator, "198.51.100.7", true),
            (Role::SystemAdministrator, "198.51.100.8", false),
            (Role::Contractor, "198.51.100.70", false),
            (Role::Contractor, "local", false),
            (Role::Clerk, "198.51.100.8", true),
        ] {
            assert_eq!(in_place(&set, role, terminal), may, "{role:?} {terminal}");
            assert!(in_place(&[], role, terminal));
        }
    }
}
