//! One error page for each status.

use crate::whole::{get, send, site};
use axum::http::{Method, StatusCode};
use axum::response::IntoResponse;
use mimamori_pages::{Problem, Refusal, Shell};

#[test]
fn every_sample_has_status_code_cause_and_next_step() {
    for problem in Problem::samples() {
        let page = problem.page(&Shell::default());
        let status = problem.status.to_string();
        for part in [
            status.as_str(),
            problem.code,
            problem.title,
            &problem.cause,
            &problem.next,
            "原因",
            "次にすること",
        ] {
            assert!(page.contains(part), "{}: {part}", problem.code);
        }
        assert_eq!(page.contains("障害番号</dt>"), problem.incident.is_some());
        assert!(!page.contains("/sign-out"));
        assert_eq!(problem.clone().into_response().status(), problem.status);
    }
}

#[test]
fn not_found_is_the_same_bytes_whatever_was_asked() {
    let (status, headers, body) = get("/nowhere");
    assert_eq!(status, StatusCode::NOT_FOUND);
    for path in ["/secret-name?q=%3Cb%3E", "/assets/unknown", "/a/b/c"] {
        let (again, others, same) = get(path);
        assert_eq!((again, &others, &same), (status, &headers, &body), "{path}");
    }
    let mut dressed = Problem::not_found()
        .with_incident("X-1")
        .with_next("別の言葉");
    dressed.cause = "山田さんの記録".into();
    let plain = Problem::not_found().page(&Shell::default());
    assert_eq!(dressed.page(&Shell::default()), plain);
    assert_eq!(body, plain);
}

#[test]
fn a_refusal_shows_reason_clauses_policy_and_whom_to_ask() {
    let (status, _, body) = get("/refused");
    assert_eq!(status, StatusCode::FORBIDDEN);
    let Refusal {
        reason,
        clauses,
        policy,
        ask,
    } = Refusal::sample();
    for part in [&reason, &clauses[0], &policy, &ask] {
        assert!(body.contains(part.as_str()), "{part}");
    }
}

#[test]
fn errors_of_the_framework_become_our_pages_without_its_words() {
    let (status, _, body) = get("/typed?page=secretword");
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body.contains("input.invalid") && !body.contains("secretword"));
    let (status, headers, body) = get("/send");
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(headers["allow"], "POST");
    assert!(body.contains("method.refused"));
    assert!(get("/broken").2.contains("system.fault"));
    assert_eq!(get("/data").2, "{\"code\":1}");
}

#[test]
fn too_many_says_when_to_come_back() {
    let (status, headers, body) = get("/slow");
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(headers["retry-after"], "30");
    assert!(body.contains("30秒"));
}

#[test]
fn error_pages_of_a_demo_show_the_band() {
    for path in ["/nowhere", "/refused", "/slow", "/broken"] {
        let (_, _, body) = send(site(false, true), Method::GET, path);
        assert!(body.contains("デモ環境"), "{path}");
    }
}

#[test]
fn an_error_asked_by_head_has_no_body() {
    let (status, _, body) = send(site(false, true), Method::HEAD, "/nowhere");
    assert_eq!((status, body.as_str()), (StatusCode::NOT_FOUND, ""));
}

#[test]
fn every_status_has_a_page() {
    for status in 400..600 {
        let problem = Problem::from_status(status);
        assert_eq!(problem.status, status);
        assert!(!problem.page(&Shell::default()).is_empty());
    }
    assert!(
        std::mem::size_of::<Problem>() < 128,
        "cheap to return as an error"
    );
}
