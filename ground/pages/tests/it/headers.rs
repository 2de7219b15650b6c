//! Headers of every response.

use crate::whole::{get, send, site};
use axum::http::{Method, StatusCode};
use mimamori_pages::{CONTENT_SECURITY_POLICY, asset_names, asset_path};

#[test]
fn every_response_carries_the_headers() {
    let style = asset_path("style.css");
    for path in [
        "/",
        "/gallery",
        "/nowhere",
        "/broken",
        "/data",
        style,
        "/assets/unknown",
    ] {
        let (_, headers, _) = get(path);
        let header = |name: &str| headers[name].to_str().unwrap().to_string();
        assert_eq!(header("content-security-policy"), CONTENT_SECURITY_POLICY);
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "same-origin");
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
        let permissions = header("permissions-policy");
        let open: Vec<_> = permissions
            .split(", ")
            .filter(|p| !p.ends_with("=()"))
            .collect();
        assert_eq!(open.len(), 2);
        for unknown in ["bluetooth", "web-share"] {
            // Chromium knows them not and warns on every page.
            assert!(!permissions.contains(unknown), "{unknown}");
        }
        assert!(open.iter().all(|p| p.starts_with("publickey-credentials-")));
        let cached = header("cache-control") != "no-store";
        assert_eq!(cached, path == style, "{path}");
    }
}

#[test]
fn the_policy_allows_nothing_inline_or_foreign() {
    for word in ["unsafe", "data:", "blob:", "http", "*", "nonce"] {
        assert!(!CONTENT_SECURITY_POLICY.contains(word), "{word}");
    }
    assert!(CONTENT_SECURITY_POLICY.starts_with("default-src 'none';"));
    assert!(CONTENT_SECURITY_POLICY.contains("trusted-types 'none'"));
}

#[test]
fn strict_transport_is_sent_with_tls_only() {
    for tls in [true, false] {
        let (_, headers, _) = send(site(tls, false), Method::GET, "/");
        assert_eq!(headers.contains_key("strict-transport-security"), tls);
    }
}

#[test]
fn a_page_cannot_loosen_its_own_headers() {
    let (_, headers, _) = get("/loose");
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers.get_all("content-security-policy").iter().count(), 1);
}

#[test]
fn assets_are_served_under_their_hash_only() {
    for name in asset_names() {
        let (status, headers, body) = get(asset_path(name));
        assert_eq!(status, StatusCode::OK);
        assert!(!body.is_empty());
        let cache = headers["cache-control"].to_str().unwrap();
        assert!(cache.contains("immutable"));
        let media_type = headers["content-type"].to_str().unwrap();
        let wanted = match name.rsplit('.').next().unwrap() {
            "css" => "text/css; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            _ => "image/svg+xml",
        };
        assert_eq!(media_type, wanted);
        assert_eq!(get(&format!("/assets/{name}")).0, StatusCode::NOT_FOUND);
    }
    assert_eq!(asset_path("nothing.css"), "/assets/unknown");
}
