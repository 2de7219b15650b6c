//! Small forms with a file (multipart/form-data), held in memory; large files have their own reader.

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;

use crate::problem::Problem;

/// Largest form with a file in bytes, where nothing else is said.
pub const PARTS_LIMIT_BYTES: usize = 256 * 1024;
/// Most parts of a form.
const MOST: usize = 50;

/// The parts of a form with a file, in order: name and bytes as they came. Refuses (as a [`Problem`])
/// another media type (415), more than `LIMIT` bytes (413) and a broken or cut-off form (400).
#[derive(Debug, Clone)]
pub struct LimitedParts<const LIMIT: usize = PARTS_LIMIT_BYTES>(pub Vec<(String, Vec<u8>)>);

impl<S: Send + Sync, const LIMIT: usize> FromRequest<S> for LimitedParts<LIMIT> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|v| v.to_str().ok()).unwrap_or_default();
        let boundary = kind
            .strip_prefix("multipart/form-data")
            .ok_or_else(Problem::unsupported_media)?
            .split(';')
            .filter_map(|part| part.trim().strip_prefix("boundary="))
            .map(|b| b.trim_matches('"').to_owned())
            .find(|b| (1..=70).contains(&b.len()))
            .ok_or_else(Problem::unsupported_media)?;
        let body = to_bytes(request.into_body(), LIMIT).await;
        let body = body.map_err(|_| Problem::too_large())?;
        let broken = || Problem::bad_request("送信が途中で切れました。もう一度送ってください。");
        parts(&body, &boundary).map(Self).ok_or_else(broken)
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|w| w == what)
}

/// Name and content of each part; none when the form is broken.
fn parts(body: &[u8], boundary: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    let mut rest = body.strip_prefix(&delimiter[2..])?;
    let mut out = vec![];
    while !rest.starts_with(b"--") {
        let head_end = find(rest, b"\r\n\r\n")?;
        let head = std::str::from_utf8(&rest[..head_end]).ok()?;
        let (_, name) = head.split_once(" name=\"")?;
        let name = name.split('"').next()?.to_owned();
        let content = &rest[head_end + 4..];
        let end = find(content, &delimiter)?;
        out.push((name, content[..end].to_vec()));
        if out.len() > MOST {
            return None;
        }
        rest = &content[end + delimiter.len()..];
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FORM: &[u8] = b"--cut\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\ntoken\r\n--cut\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\nContent-Type: text/csv\r\n\r\na,b\r\n--cu\r\n\r\n--cut--\r\n";

    #[test]
    fn parts_keep_their_order_and_every_byte() {
        let found = parts(FORM, "cut").unwrap();
        assert_eq!(found[0], ("csrf".to_owned(), b"token".to_vec()));
        assert_eq!(found[1], ("file".to_owned(), b"a,b\r\n--cu\r\n".to_vec()));
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn a_form_that_is_cut_off_or_has_too_many_parts_is_broken() {
        for end in 0..FORM.len() - 4 {
            assert_eq!(parts(&FORM[..end], "cut"), None, "{end}");
        }
        assert_eq!(parts(FORM, "other"), None);
        let part = "--cut\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n";
        let many = format!("{}--cut--", part.repeat(MOST + 1));
        assert_eq!(parts(many.as_bytes(), "cut"), None);
    }

    proptest! {
        #[test]
        fn hostile_bytes_give_a_form_within_its_limits_or_none(
            pieces in proptest::collection::vec(
                prop_oneof![
                    Just(b"--cut".to_vec()), Just(b"\r\n".to_vec()), Just(b"\r\n\r\n".to_vec()), Just(b"--".to_vec()),
                    Just(b" name=\"a\"".to_vec()), Just(b"\"".to_vec()), proptest::collection::vec(any::<u8>(), 0..8),
                ],
                0..40,
            )
        ) {
            let body = pieces.concat();
            if let Some(found) = parts(&body, "cut") {
                prop_assert!(found.len() <= MOST);
                let held: usize = found.iter().map(|(name, content)| name.len() + content.len()).sum();
                prop_assert!(held <= body.len());
            }
        }
    }
}
