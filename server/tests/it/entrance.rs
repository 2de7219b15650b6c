//! The door of an instance: who may knock, from where, and on what folder it stands.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode, header};
use mimamori_server::config::Zone;
use mimamori_server::error::StartError;
use mimamori_server::init::{init, system_act, unfinished};
use mimamori_server::instance::Instance;
use mimamori_server::web::Site;
use mimamori_storage::Statement;
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::house::{House, config, demo};

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
async fn of_several_words_about_the_terminal_the_proxys_own_counts() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let mut behind = config(Zone::Number);
    behind.trusted_proxy = vec!["192.0.2.7".parse().unwrap()];
    init(&data, &behind).await.unwrap();
    let instance = Instance::open(&data).await.unwrap();
    let router = Site::new(&instance).router();
    let via = |mut request: Request<Body>| {
        let proxy: SocketAddr = "192.0.2.7:4000".parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(proxy));
        request
    };
    let page = Request::get("/sign-in").body(Body::empty()).unwrap();
    let (_, body) = status(&router, via(page)).await;
    let (_, rest) = body.split_once("name=\"csrf\" value=\"").unwrap();
    let token = rest.split('"').next().unwrap().to_owned();
    for (told, terminal) in [
        (vec!["203.0.113.9", "198.51.100.1"], "198.51.100.1"),
        (vec!["203.0.113.9, 198.51.100.2"], "198.51.100.2"),
        (
            vec!["203.0.113.9, 203.0.113.8", "198.51.100.3"],
            "198.51.100.3",
        ),
        (vec![], "192.0.2.7"),
    ] {
        let mut request = form("/sign-in", Some("town"), "https://town");
        for line in &told {
            let line = line.parse().unwrap();
            request.headers_mut().append("x-forwarded-for", line);
        }
        *request.body_mut() = Body::from(format!("csrf={token}&login=nobody&password=x"));
        let (code, body) = status(&router, via(request)).await;
        assert_eq!(code, StatusCode::BAD_REQUEST, "{body}");
        let newest = "SELECT MAX(line) FROM trace_line WHERE action = 'session.open'";
        let row = instance
            .db
            .fetch_one(newest, vec![])
            .await
            .unwrap()
            .unwrap();
        let line = u64::try_from(row.int(0).unwrap()).unwrap();
        let details = instance.trace.details(line).await.unwrap().unwrap();
        assert!(
            details.ends_with(&format!("端末 {terminal}")),
            "{told:?}: {details}"
        );
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

#[tokio::test]
async fn a_demo_is_played_under_the_names_of_this_machine_only_and_a_conflict_leads_back() {
    let house = demo(None).await;
    let token = house.token("/demo", "").await;
    let play = async |host: &str| {
        let request = Request::post("/demo/role")
            .header(header::HOST, host)
            .header(header::ORIGIN, format!("http://{host}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let body = Body::from(format!("csrf={token}&login=clerk-1"));
        status(&house.router, request.body(body).unwrap()).await
    };
    for host in [
        "localhost:8080",
        "127.0.0.1:8080",
        "[::1]:8080",
        "localhost",
    ] {
        let told = play(host).await.0;
        assert_eq!(told, StatusCode::SEE_OTHER, "{host}");
    }
    for host in [
        "evil.example:8080",
        "localhost.evil.example",
        "127.0.0.1.evil.example:8080",
        "::1",
    ] {
        let told = play(host).await.0;
        assert_eq!(told, StatusCode::FORBIDDEN, "{host}");
    }
    // The page of a conflict leads back to where the visitor came from, on this site.
    let cookie = house.play("clerk-1").await;
    for (referer, back) in [
        ("http://localhost:8080/residents/search?a=1", true),
        ("http://evil.example/residents/search", false),
        ("http://localhost:8080//evil.example/", false),
    ] {
        let request = Request::get("/outputs/1")
            .header(header::HOST, "localhost:8080")
            .header(header::COOKIE, &cookie)
            .header(header::REFERER, referer);
        let (told, page) = status(&house.router, request.body(Body::empty()).unwrap()).await;
        assert_eq!(told, StatusCode::CONFLICT);
        let link = "<a href=\"/residents/search?a=1\">前の画面を開き直す</a>";
        assert_eq!(
            (page.contains(link), page.contains("前の画面")),
            (back, back),
            "{referer}: {page}"
        );
    }
    // An account that has ended is told so.
    let ended = "UPDATE identity_user SET active = 0, epoch = epoch + 1 WHERE login = 'clerk-1'";
    let end = Statement::expecting(ended, vec![], 1, "clerk");
    let line = system_act(&house.instance, "account.link", "test".into(), vec![end]);
    house.instance.trace.record(line).await.unwrap();
    let (told, page) = play("localhost:8080").await;
    assert_eq!(told, StatusCode::CONFLICT);
    assert!(page.contains("利用を終えたか"), "{page}");
}
