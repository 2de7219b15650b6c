//! What each zone and environment keeps out.

use std::path::Path;
use std::process::Command;

use axum::http::StatusCode;
use mimamori_server::config::Zone;
use mimamori_server::init::{init, make};
use mimamori_server::instance::Instance;
use mimamori_server::web::Site;
use tempfile::TempDir;

use crate::house::{House, config, encoded, routes};

/// A production instance and the session of its first administrator.
async fn production(zone: Zone) -> (House, String) {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let (login, code) = init(&data, &config(zone)).await.unwrap();
    let instance = Instance::open(&data).await.unwrap();
    let router = Site::new(&instance).router();
    let house = House {
        _dir: dir,
        instance,
        router,
    };
    let first = sign_in(&house, &login, &code).await;
    let turned_away = house.get("/", &first).await;
    assert_eq!(
        turned_away.location, "/password",
        "an initial password opens only its change"
    );
    let new = encoded("海辺の石段を三つ数える 7");
    let form = format!("old={}&new={new}&again={new}", encoded(&code));
    let changed = house.post("/password", &first, &form).await;
    assert_eq!(changed.status, StatusCode::SEE_OTHER, "{}", changed.body);
    let cookie = sign_in(&house, &login, "海辺の石段を三つ数える 7").await;
    assert_eq!(house.get("/", &cookie).await.status, StatusCode::OK);
    (house, cookie)
}

async fn sign_in(house: &House, login: &str, password: &str) -> String {
    let token = house.token("/sign-in", "").await;
    let form = format!("csrf={token}&login={login}&password={}", encoded(password));
    let answer = house.send("POST", "/sign-in", "", &form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    answer.cookie.unwrap()
}

/// Asserts that these routes do not exist, for a signed-in visitor.
async fn absent(house: &House, cookie: &str, prefixes: &[&str]) {
    let token = house.token("/password", cookie).await;
    let nowhere = house.get("/nowhere", cookie).await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
    let mut seen = 0;
    for route in routes() {
        if !prefixes.iter().any(|p| route.path.starts_with(p)) {
            continue;
        }
        let path = route.path.replace(['{', '}'], "");
        for method in ["GET", "POST"] {
            let answer = house
                .send(method, &path, cookie, &format!("csrf={token}"))
                .await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}");
            assert_eq!(answer.body, nowhere.body, "{method} {path}");
            seen += 1;
        }
    }
    assert!(seen >= 4);
}

#[tokio::test]
async fn the_residents_zone_has_no_register_and_no_demo() {
    let (house, cookie) = production(Zone::Resident).await;
    absent(&house, &cookie, &["/residents", "/me", "/demo"]).await;
    let home = house.get("/", &cookie).await.body;
    assert!(
        !home.contains("/residents") && !home.contains("/me\""),
        "{home}"
    );
}

#[tokio::test]
async fn the_lgwan_zone_has_no_register_and_no_demo() {
    let (house, cookie) = production(Zone::Lgwan).await;
    absent(&house, &cookie, &["/residents", "/me", "/demo"]).await;
}

#[tokio::test]
async fn a_production_instance_has_no_role_chooser() {
    let (house, cookie) = production(Zone::Number).await;
    absent(&house, &cookie, &["/demo"]).await;
    for path in ["/demo", "/demo/role"] {
        assert_eq!(
            house.get(path, "").await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    let search = house.get("/residents/search", &cookie).await;
    assert_eq!(
        search.status,
        StatusCode::FORBIDDEN,
        "an operations manager sees no persons"
    );
}

fn program(arguments: &[&str], data: &Path) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_mimamori"))
        .args(arguments)
        .arg("--data")
        .arg(data)
        .output()
        .unwrap();
    assert!(!out.status.success(), "{arguments:?} went through");
    String::from_utf8_lossy(&out.stderr).into_owned()
}

#[tokio::test]
async fn serve_and_import_refuse_the_directory_of_a_demo() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    make(&data, &config(Zone::Demo)).await.unwrap();
    let told = program(&["serve"], &data);
    assert!(told.contains("mimamori demo でだけ開けます"), "{told}");
    let from = dir.path().to_str().unwrap();
    let told = program(&["import", "--from", from], &data);
    assert!(told.contains("実際のデータを取り込めません"), "{told}");
}

#[tokio::test]
async fn the_demo_never_empties_a_directory_of_real_records() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    make(&data, &config(Zone::Number)).await.unwrap();
    let before = std::fs::read(data.join("register.db")).unwrap();
    let told = program(&["demo", "--people", "10", "--port", "0"], &data);
    assert!(told.contains("デモのフォルダではありません"), "{told}");
    assert_eq!(std::fs::read(data.join("register.db")).unwrap(), before);
    let other = dir.path().join("papers");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("letter.txt"), "dear town").unwrap();
    let told = program(&["demo", "--people", "10", "--port", "0"], &other);
    assert!(told.contains("空ではありません"), "{told}");
    assert_eq!(
        std::fs::read_to_string(other.join("letter.txt")).unwrap(),
        "dear town"
    );
}
