//! Forms are read strictly.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use mimamori_pages::{FORM_LIMIT_BYTES, LimitedForm, Problem};
use proptest::prelude::*;

const TYPE: &str = "application/x-www-form-urlencoded";

#[derive(Debug, serde::Deserialize)]
struct Entry {
    name: String,
    memo: Option<String>,
}

fn read_as(media_type: &str, body: impl Into<Body>) -> Result<Entry, Problem> {
    let request = Request::post("/").header("content-type", media_type);
    let request = request.body(body.into()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let form = runtime.block_on(LimitedForm::<Entry>::from_request(request, &()));
    form.map(|LimitedForm(entry)| entry)
}

fn status(body: impl Into<Body>) -> u16 {
    read_as(TYPE, body).map_or_else(|problem| problem.status, |_| 200)
}

#[test]
fn a_japanese_form_with_newline_and_tab_is_read() {
    let body = "name=%E5%B1%B1%E7%94%B0+a&memo=1%0D%0A2%093";
    let entry = read_as("application/x-www-form-urlencoded; charset=UTF-8", body).unwrap();
    assert_eq!(entry.name, "山田 a");
    assert_eq!(entry.memo.as_deref(), Some("1\r\n2\t3"));
}

#[test]
fn control_characters_are_refused_in_values_and_names() {
    for hidden in ["%00", "%01", "%1B", "%7F", "%C2%85", "\u{0}", "\u{8}"] {
        assert_eq!(status(format!("name=a{hidden}b")), 400, "{hidden:?}");
        assert_eq!(status(format!("name=a&x{hidden}=1")), 400, "{hidden:?}");
    }
}

#[test]
fn broken_utf_8_and_broken_percent_signs_are_refused() {
    for broken in [
        "%FF",
        "%E5%B1",
        "%ED%A0%80",
        "%C0%80",
        "%",
        "%4",
        "%zz",
        "%+1",
    ] {
        assert_eq!(status(format!("name={broken}")), 400, "{broken}");
    }
    assert_eq!(status(vec![b'n', b'a', b'm', b'e', b'=', 0xff]), 400);
}

#[test]
fn the_limit_is_64_kib_to_the_byte() {
    let fits = format!("name={}", "a".repeat(FORM_LIMIT_BYTES - 5));
    assert_eq!(status(fits.clone()), 200);
    assert_eq!(status(fits + "a"), 413);
}

#[test]
fn a_declared_length_over_the_limit_is_refused_before_reading() {
    let request = Request::post("/").header("content-type", TYPE);
    let request = request.header("content-length", "70000");
    let request = request.body(Body::from("name=a")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let form = runtime.block_on(LimitedForm::<Entry>::from_request(request, &()));
    assert_eq!(form.unwrap_err().status, 413);
}

#[test]
fn other_media_types_and_shapes_are_refused() {
    for media_type in ["text/plain", "application/json", "multipart/form-data", ""] {
        assert_eq!(read_as(media_type, "name=a").unwrap_err().status, 415);
    }
    assert_eq!(status("memo=a"), 400);
    assert_eq!(status("name=a&name=b"), 400);
}

proptest! {
    #[test]
    fn nothing_sent_is_ever_repeated_and_nothing_panics(
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let _ = read_as(TYPE, body);
        let problem = read_as(TYPE, "secretword=secretvalue").unwrap_err();
        let shown = format!("{problem:?}");
        prop_assert!(!shown.contains("secret"));
    }
}
