//! The door of an instance: who may knock, from where, and on what folder it stands.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode, header};
use mimamori_server::config::Zone;
use mimamori_server::error::StartError;
use mimamori_server::init::{init, unfinished};
use mimamori_server::instance::Instance;
use mimamori_server::web::Site;
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::house::{House, config};

async fn status(router: &axum::Router, request: Request<Body>) -> (StatusCode, String) {
    use http_body_util::BodyExt as _;
    let answer = router.clone().oneshot(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

/// A form without a token: its answer tells whether the origin was taken.
fn form(uri: &str, host: Option<&str>, origin: &str) -> Request<Body> {
    let mut request = Request::post(uri)
        .header(header::ORIGIN, origin)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if let Some(host) = host {
        request = request.header(header::HOST, host);
    }
    request.body(Body::from("login=a&password=b")).unwrap()
}

#[tokio::test]
async fn forms_are_taken_over_http_2_and_from_the_own_scheme_only() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    init(&data, &config(Zone::Number)).await.unwrap();
    let instance = Instance::open(&data).await.unwrap();
    let router = Site::new(&instance).router();
    // The token of the sign-in page, for a browser that names its host either way.
    let page = Request::get("/sign-in").body(Body::empty()).unwrap();
    let (_, body) = status(&router, page).await;
    let (_, rest) = body.split_once("name=\"csrf\" value=\"").unwrap();
    let token = rest.split('"').next().unwrap().to_owned();
    let send = async |uri: &str, host, origin| {
        let mut request = form(uri, host, origin);
        *request.body_mut() = Body::from(format!("csrf={token}&login=nobody&password=x"));
        status(&router, request).await.0
    };
    // HTTP/1.1: a Host header. HTTP/2: the authority of the address.
    let taken = StatusCode::BAD_REQUEST; // the page that says ID or password are wrong
    let own = "http://town:8080";
    assert_eq!(send("/sign-in", Some("town:8080"), own).await, taken);
    assert_eq!(send("http://town:8080/sign-in", None, own).await, taken);
    for (uri, host, origin) in [
        ("/sign-in", Some("town:8080"), "https://town:8080"),
        ("/sign-in", Some("town:8080"), "http://other:8080"),
        ("http://town:8080/sign-in", None, "http://other:8080"),
        ("/sign-in", None, own),
    ] {
        assert_eq!(
            send(uri, host, origin).await,
            StatusCode::FORBIDDEN,
            "{uri} {origin}"
        );
    }
}

#[tokio::test]
async fn behind_a_proxy_only_the_proxy_may_connect() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let mut behind = config(Zone::Number);
    behind.trusted_proxy = vec!["192.0.2.7".parse().unwrap()];
    init(&data, &behind).await.unwrap();
    let instance = Instance::open(&data).await.unwrap();
    let router = Site::new(&instance).router();
    for (from, expected) in [
        ("192.0.2.7:4000", StatusCode::OK),
        ("[::ffff:192.0.2.7]:4000", StatusCode::OK),
        ("192.0.2.8:4000", StatusCode::BAD_REQUEST),
        ("127.0.0.1:4000", StatusCode::BAD_REQUEST),
    ] {
        let mut request = Request::get("/sign-in").body(Body::empty()).unwrap();
        let from_address: SocketAddr = from.parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(from_address));
        assert_eq!(status(&router, request).await.0, expected, "{from}");
    }
}

#[tokio::test]
async fn an_init_that_was_cut_off_begins_anew_and_a_finished_one_does_not() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    // As after a kill at the worst moment: the mark, a configuration, no account.
    std::fs::write(data.join("init.unfinished"), "").unwrap();
    std::fs::write(data.join("mimamori.toml"), "").unwrap();
    std::fs::create_dir(data.join("keys")).unwrap();
    std::fs::write(data.join("keys/token.key"), "half").unwrap();
    assert!(unfinished(&data));
    init(&data, &config(Zone::Number)).await.unwrap();
    assert!(!unfinished(&data));
    assert!(matches!(
        init(&data, &config(Zone::Number)).await,
        Err(StartError::State(_))
    ));
    let instance = Instance::open(&data).await.unwrap();
    let one = instance.identity.by_login("kanri-1").await.unwrap();
    assert!(one.is_some());
}

#[tokio::test]
async fn a_data_folder_that_others_can_open_is_refused() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    init(&data, &config(Zone::Number)).await.unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o750)).unwrap();
    assert!(matches!(
        Instance::open(&data).await,
        Err(StartError::State(_))
    ));
}

#[tokio::test]
async fn failed_attempts_name_login_and_terminal_sealed_and_a_flood_leaves_one_line() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    init(&data, &config(Zone::Number)).await.unwrap();
    let instance = Instance::open(&data).await.unwrap();
    let house = House {
        _dir: dir,
        router: Site::new(&instance).router(),
        instance,
    };
    let token = house.token("/sign-in", "").await;
    let form = format!("csrf={token}&login=kanri-1&password=wrong");
    let mut seen = Vec::new();
    for _ in 0..12 {
        seen.push(house.send("POST", "/sign-in", "", &form).await.status);
    }
    let wrong = seen.iter().filter(|s| **s == StatusCode::BAD_REQUEST);
    let wrong = wrong.count();
    assert!(seen.contains(&StatusCode::TOO_MANY_REQUESTS) && wrong > 0);
    let db = &house.instance.db;
    let sql =
        "SELECT line FROM trace_line WHERE action = 'session.open' AND decision = 0 ORDER BY line";
    let lines = db.fetch(sql, vec![]).await.unwrap();
    assert_eq!(lines.len(), wrong + 1, "{seen:?}");
    for line in &lines {
        let line = u64::try_from(line.int(0).unwrap()).unwrap();
        let told = house.instance.trace.details(line).await.unwrap();
        assert_eq!(told.as_deref(), Some("ID「kanri-1」 端末 local"));
    }
}
