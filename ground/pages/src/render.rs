//! From a template to a response.

use crate::problem::Problem;
use askama::Template;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// Type of every page.
pub(crate) const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// Renders `template` as a page with status 200; a failed rendering is a 500 page.
pub fn html(template: impl Template) -> Response {
    html_with_status(StatusCode::OK, template)
}

/// Renders `template` as a page with `status`, for example 400 for a form with errors.
pub fn html_with_status(status: StatusCode, template: impl Template) -> Response {
    match template.render() {
        Ok(body) => (status, [(CONTENT_TYPE, HTML)], body).into_response(),
        Err(_) => Problem::internal(None).into_response(),
    }
}

/// A PDF to be saved as `name`.pdf; `name` is ASCII without quotes and holds nothing personal.
pub fn pdf(name: &str, bytes: Vec<u8>) -> Response {
    let name = format!("attachment; filename=\"{name}.pdf\"");
    let heads = [
        (CONTENT_TYPE, "application/pdf".to_owned()),
        (CONTENT_DISPOSITION, name),
    ];
    (heads, bytes).into_response()
}

/// A picture of a page of a form.
pub fn png(bytes: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, "image/png")], bytes).into_response()
}
