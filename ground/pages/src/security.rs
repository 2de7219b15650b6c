//! Headers that every response carries, and error pages that never leave the shell.

use crate::assets::Immutable;
use crate::frame::Frame;
use crate::problem::Problem;
use crate::render::HTML;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, RETRY_AFTER,
};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

/// Policy of every response: own files only, no inline code, no framing, no
/// Trusted Types policy at all.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; \
base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const PERMISSIONS_POLICY: &str = "accelerometer=(), autoplay=(), camera=(), \
clipboard-read=(), display-capture=(), encrypted-media=(), fullscreen=(), geolocation=(), \
gyroscope=(), hid=(), identity-credentials-get=(), idle-detection=(), local-fonts=(), \
magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), \
screen-wake-lock=(), serial=(), usb=(), xr-spatial-tracking=(), \
publickey-credentials-create=(self), publickey-credentials-get=(self)";

const FIXED: [(&str, &str); 9] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    ("permissions-policy", PERMISSIONS_POLICY),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("x-permitted-cross-domain-policies", "none"),
];

/// The one other origin that the page of this response may show in a frame (`scheme://host:port`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framing(pub String);

/// What the middleware must know of the deployment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shell {
    /// Whether citizens and staff reach the site by TLS (adds HSTS).
    pub tls: bool,
    /// Whether error pages show the demo band.
    pub demo: bool,
    /// Name of the environment on error pages.
    pub env_label: Option<String>,
    /// Whom to tell of a weakness, an incident or a fault, on error pages.
    pub contact: Option<String>,
}

/// Wraps every route of `router`, its fallback included, in [`security_headers`].
pub fn protect(router: Router, shell: Shell) -> Router {
    router.layer(from_fn_with_state(shell, security_headers))
}

/// Middleware for `axum::middleware::from_fn_with_state`: adds the headers,
/// turns bare plain-text errors of the framework into a [`Problem`] page, and
/// puts error pages into the [`Frame`] that travels in the response's extensions,
/// or into the deployment's public one.
pub async fn security_headers(
    State(shell): State<Shell>,
    request: Request,
    next: Next,
) -> Response {
    let head = request.method() == Method::HEAD;
    let mut inner = next.run(request).await;
    let frame = inner.extensions_mut().remove::<Frame>();
    let mut response = own_words(inner);
    if let Some(problem) = response.extensions().get::<Problem>() {
        let page = match frame {
            Some(frame) => problem.page_in(frame),
            None => problem.page(&shell),
        };
        // Always stated: some of the framework's 404s have a length and some do not,
        // which would tell "no such route" from "no such record".
        let headers = response.headers_mut();
        headers.insert(CONTENT_LENGTH, HeaderValue::from(page.len()));
        *response.body_mut() = if head {
            Body::empty()
        } else {
            Body::from(page)
        };
    }
    let cacheable = response.extensions().get::<Immutable>().is_some();
    let framing = response.extensions().get::<Framing>().cloned();
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    if let Some(Framing(origin)) = framing {
        let policy = format!("{CONTENT_SECURITY_POLICY}; frame-src {origin}");
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            headers.insert(HeaderName::from_static("content-security-policy"), policy);
        }
    }
    if !cacheable {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if shell.tls {
        headers.insert(
            HeaderName::from_static("strict-transport-security"),
            HeaderValue::from_static("max-age=63072000; includeSubDomains"),
        );
    }
    response
}

/// The framework's own errors are English and may repeat the request.
fn own_words(response: Response) -> Response {
    let status = response.status();
    let ours = response.extensions().get::<Problem>().is_some();
    if ours || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    if !is_bare(response.headers()) {
        return response;
    }
    let mut page = Problem::from_status(status.as_u16()).into_response();
    for name in [ALLOW, RETRY_AFTER] {
        if let Some(value) = response.headers().get(&name) {
            page.headers_mut().insert(name, value.clone());
        }
    }
    page.headers_mut().insert(CONTENT_TYPE, HTML);
    page
}

fn is_bare(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_none_or(|value| value.as_bytes().starts_with(b"text/plain"))
}
