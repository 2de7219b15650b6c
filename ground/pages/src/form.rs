//! Forms read strictly: small, valid UTF-8, no hidden characters.

use crate::problem::Problem;
use axum::Form;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, Method};
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;
use std::error::Error;

/// Largest form body in bytes.
pub const FORM_LIMIT_BYTES: usize = 64 * 1024;

const FORM_TYPE: &str = "application/x-www-form-urlencoded";

/// A url-encoded body of at most [`FORM_LIMIT_BYTES`]. Refuses (as a [`Problem`]):
/// another media type (415), too many bytes (413), broken percent signs, invalid
/// UTF-8, NUL and control characters except tab and newline, and a shape that
/// does not fit `T` (400). Never repeats what was sent.
#[derive(Debug, Clone)]
pub struct LimitedForm<T>(pub T);

impl<T, S> FromRequest<S> for LimitedForm<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        check_headers(request.headers())?;
        let body = to_bytes(request.into_body(), FORM_LIMIT_BYTES)
            .await
            .map_err(|error| match too_long(&error) {
                true => Problem::too_large(),
                false => Problem::bad_request("送信が途中で切れました。"),
            })?;
        check_body(&body)?;
        parse(body).await.map(Self)
    }
}

fn check_headers(headers: &HeaderMap) -> Result<(), Problem> {
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case(FORM_TYPE) {
        return Err(Problem::unsupported_media());
    }
    let declared = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<usize>().ok());
    if declared.is_some_and(|length| length > FORM_LIMIT_BYTES) {
        return Err(Problem::too_large());
    }
    Ok(())
}

fn too_long(error: &(dyn Error + 'static)) -> bool {
    let mut current = Some(error);
    while let Some(inner) = current {
        if inner.is::<LengthLimitError>() {
            return true;
        }
        current = inner.source();
    }
    false
}

/// Checks names and values; serde's own reader would replace broken bytes silently.
fn check_body(body: &[u8]) -> Result<(), Problem> {
    for piece in body.split(|byte| *byte == b'&' || *byte == b'=') {
        let bytes = decode(piece)
            .ok_or_else(|| Problem::bad_request("送られた内容の書き方が正しくありません。"))?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Problem::bad_request("読み取れない文字が含まれています。"))?;
        let hidden = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        if text.contains(hidden) {
            return Err(Problem::bad_request(
                "画面に表示できない文字（制御文字）が含まれています。",
            ));
        }
    }
    Ok(())
}

fn decode(piece: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(piece.len());
    let mut rest = piece;
    while let Some((first, tail)) = rest.split_first() {
        rest = match first {
            b'%' => {
                let (digits, tail) = tail.split_at_checked(2)?;
                bytes.extend(hex::decode(digits).ok()?);
                tail
            }
            b'+' => {
                bytes.push(b' ');
                tail
            }
            other => {
                bytes.push(*other);
                tail
            }
        };
    }
    Some(bytes)
}

async fn parse<T: DeserializeOwned>(body: Bytes) -> Result<T, Problem> {
    let misfit = || Problem::bad_request("足りない項目か、この画面にない形の値があります。");
    let request = Request::builder()
        .method(Method::POST)
        .header(CONTENT_TYPE, FORM_TYPE)
        .body(Body::from(body))
        .map_err(|_| misfit())?;
    let Form(value) = Form::<T>::from_request(request, &())
        .await
        .map_err(|_| misfit())?;
    Ok(value)
}
