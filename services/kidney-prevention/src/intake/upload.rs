//! One file from a browser form (multipart/form-data), kept in memory: results of health checks do not lie on the disk.

use axum::body::Body;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::error::KidneyError;

/// Bytes of a form at most.
const LIMIT: usize = 256 << 20;

/// The bytes of the part `file`.
///
/// # Errors
/// [`KidneyError::NoFile`], [`KidneyError::TooLarge`].
pub(super) async fn file(content_type: &str, body: Body) -> Result<Vec<u8>, KidneyError> {
    let boundary = content_type
        .split(';')
        .filter_map(|part| part.trim().strip_prefix("boundary="))
        .map(|b| b.trim_matches('"'))
        .find(|b| (1..=70).contains(&b.len()))
        .ok_or(KidneyError::NoFile)?
        .to_owned();
    let whole = Limited::new(body, LIMIT)
        .collect()
        .await
        .map_err(|error| match error.downcast_ref::<LengthLimitError>() {
            Some(_) => KidneyError::TooLarge,
            None => KidneyError::NoFile,
        })?;
    part(&whole.to_bytes(), &boundary)
        .map(<[u8]>::to_vec)
        .ok_or(KidneyError::NoFile)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|b| *b == what[0]) {
        if bytes[from + at..].starts_with(what) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

/// The content of the part named `file`; none when it is missing or empty.
fn part<'a>(form: &'a [u8], boundary: &str) -> Option<&'a [u8]> {
    let first = format!("--{boundary}");
    let between = format!("\r\n--{boundary}");
    let mut rest = form.get(find(form, first.as_bytes())? + first.len()..)?;
    loop {
        if rest.starts_with(b"--") {
            return None;
        }
        let end = find(rest, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&rest[..end]);
        let body = &rest[end + 4..];
        let stop = find(body, between.as_bytes())?;
        if head.contains("name=\"file\"") {
            return (stop > 0).then_some(&body[..stop]);
        }
        rest = &body[stop + between.len()..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(content: &str) -> String {
        format!(
            "--XX\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\ntoken\r\n--XX\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n{content}\r\n--XX--\r\n"
        )
    }

    #[test]
    fn a_file_arrives_as_it_was() {
        assert_eq!(
            part(form("a,b\r\n--X\r\n1,2\r\n").as_bytes(), "XX"),
            Some(&b"a,b\r\n--X\r\n1,2\r\n"[..])
        );
    }

    #[test]
    fn what_is_empty_cut_off_or_without_a_file_is_none() {
        assert_eq!(part(form("").as_bytes(), "XX"), None);
        let whole = form("a,b");
        for end in 0..whole.len() - 8 {
            assert_eq!(part(&whole.as_bytes()[..end], "XX"), None, "{end}");
        }
        assert_eq!(
            part(whole.replace("\"file\"", "\"other\"").as_bytes(), "XX"),
            None
        );
    }
}
