//! Sessions end where their account does, and problems are told in the visitor's own frame.

use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use axum::http::StatusCode;
use mimamori_identity::{Kdf, password_statements, revoke};
use mimamori_kernel::random::SystemRandom;
use mimamori_server::config::{Config, Contact, Zone};
use mimamori_server::init::{init, system_act};
use mimamori_server::instance::Instance;
use mimamori_server::web::Site;
use mimamori_storage::{Statement, Value};
use tempfile::TempDir;

use crate::house::{House, config, demo, each_demo};

/// Writes as another process would: this one is told nothing.
async fn behind_the_back(house: &House, statements: Vec<Statement>) {
    let mut writer = house.instance.db.writer().await.unwrap();
    writer.begin().await.unwrap();
    for statement in statements {
        writer.apply(statement).await.unwrap();
    }
    writer.commit().await.unwrap();
    writer.close().await.unwrap();
}

async fn account(house: &House, login: &str) -> mimamori_identity::Account {
    let found = house.instance.identity.by_login(login).await;
    found.unwrap().unwrap()
}

fn last_moment(login: &str, end: i64) -> Vec<Statement> {
    let sql = "UPDATE identity_user SET valid_until = ? WHERE login = ?";
    let args = vec![Value::Int(end), login.into()];
    vec![Statement::expecting(sql, args, 1, "test")]
}

#[tokio::test]
async fn a_revocation_at_the_database_ends_the_session_on_every_page() {
    each_demo(async |house| {
        let id = account(&house, "clerk-1").await.id;
        for path in ["/", "/guide", "/residents/search", "/password", "/lock"] {
            let cookie = house.play("clerk-1").await;
            assert_eq!(house.get("/", &cookie).await.status, StatusCode::OK);
            behind_the_back(&house, revoke(&id)).await;
            let answer = house.get(path, &cookie).await;
            assert_eq!(answer.location, "/sign-in?ended=revoked", "{path}");
            let told = house.get(&answer.location, &cookie).await;
            assert!(told.body.contains("利用者の権限が変わったため"), "{path}");
            assert_eq!(house.get("/", &cookie).await.location, "/sign-in");
            let back = "UPDATE identity_user SET active = 1, epoch = epoch + 1 WHERE login = ?";
            let back = Statement::expecting(back, vec!["clerk-1".into()], 1, "t");
            behind_the_back(&house, vec![back]).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_with_the_last_day_of_its_account() {
    let house = demo(None).await;
    let cookie = house.play("lead-1").await;
    let now = house.instance.clock.now().0;
    behind_the_back(&house, last_moment("lead-1", now + 600_000_000)).await;
    assert_eq!(house.get("/", &cookie).await.status, StatusCode::OK);
    behind_the_back(&house, last_moment("lead-1", now)).await;
    let answer = house.get("/", &cookie).await;
    assert_eq!(answer.location, "/sign-in?ended=expired");
    let told = house.get(&answer.location, "").await.body;
    assert!(told.contains("利用できる期間が終わったため"), "{told}");
}

#[tokio::test]
async fn a_new_password_set_elsewhere_ends_the_session() {
    let house = demo(None).await;
    let cookie = house.play("care-1").await;
    let account = account(&house, "care-1").await;
    let kdf = Kdf {
        memory: 64,
        passes: 1,
    };
    let new = password_statements(&account, "umi-to-yama-to-kawa", kdf, &SystemRandom).unwrap();
    behind_the_back(&house, new).await;
    let answer = house.get("/residents/search", &cookie).await;
    assert_eq!(answer.location, "/sign-in?ended=revoked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_reads_while_being_revoked_is_sent_to_the_sign_in() {
    let house = demo(None).await;
    let cookie = house.play("clerk-1").await;
    let persons = house.persons("protected = 0 AND insured = 1").await;
    for (person, _) in &persons[..8] {
        let reason = format!("/residents/{person}/reason");
        house.post(&reason, &cookie, "channel=counter").await;
    }
    let id = account(&house, "clerk-1").await.id;
    let (looks, over) = (AtomicU32::new(0), AtomicBool::new(false));
    let read = async |start: usize| {
        for turn in 0..100_000 {
            let path = format!("/residents/{}", persons[(start + turn) % 8].0);
            let answer = house.get(&path, &cookie).await;
            if answer.status == StatusCode::OK {
                assert!(!over.load(Ordering::SeqCst), "a page after the revocation");
                looks.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                continue;
            }
            // The first to come is told why; the others find no session any more.
            let to = ["/sign-in?ended=revoked", "/sign-in"];
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
            assert!(
                to.contains(&answer.location.as_str()),
                "{}",
                answer.location
            );
            return answer.location;
        }
        panic!("the revocation never came through");
    };
    let write = async {
        while looks.load(Ordering::SeqCst) < 20 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        let line = system_act(
            &house.instance,
            "account.revoke",
            "test".into(),
            revoke(&id),
        );
        house.instance.trace.record(line).await.unwrap();
    };
    let (a, b, c, d, ()) = tokio::join!(read(0), read(2), read(4), read(6), write);
    over.store(true, Ordering::SeqCst);
    let told = [a, b, c, d];
    assert!(told.iter().any(|to| to.ends_with("revoked")), "{told:?}");
    let after = house.get("/", &cookie).await;
    assert!(after.location.starts_with("/sign-in"), "{}", after.body);
}

/// What stands around every page of somebody who works.
fn framed(body: &str) -> bool {
    [
        "介護 はな",
        "サインアウト",
        "href=\"/residents/search\"",
        "data-idle=\"",
    ]
    .iter()
    .all(|part| body.contains(part))
}

#[tokio::test]
async fn problems_keep_the_frame_of_whoever_is_signed_in() {
    let house = demo(None).await;
    let cookie = house.play("clerk-1").await;
    let token = house.token("/password", &cookie).await;
    let long = format!("/guide?q={}", "x".repeat(3000));
    let token = format!("csrf={token}");
    let cases = [
        ("GET", "/nowhere", "", 404),
        ("DELETE", "/", "", 405),
        ("POST", "/guide", token.as_str(), 405),
        ("POST", "/residents/search", "csrf=wrong", 403),
        ("GET", "/me", "", 404),
        ("GET", "/administrators/second", "", 403),
        ("GET", long.as_str(), "", 414),
    ];
    for (method, path, form, status) in cases {
        let answer = house.send(method, path, &cookie, form).await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert!(framed(&answer.body), "{method} {path}: {}", answer.body);
        assert!(!answer.body.contains("aria-current"), "{path}");
    }
    house.instance.trace.stop();
    let form = format!("{token}&channel=counter&kana=%E3%82%AB");
    let unwritten = house
        .send("POST", "/residents/search", &cookie, &form)
        .await;
    house.instance.trace.resume();
    assert_eq!(unwritten.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(framed(&unwritten.body), "{}", unwritten.body);
    let nobody = house.send("POST", "/sign-in", "", "csrf=wrong").await;
    assert_eq!(nobody.status, StatusCode::FORBIDDEN);
    assert!(!nobody.body.contains("サインアウト") && !nobody.body.contains("data-idle"));
}

#[tokio::test]
async fn a_locked_session_meets_problems_without_a_menu() {
    let house = demo(None).await;
    let cookie = house.play("clerk-1").await;
    house.post("/lock", &cookie, "").await;
    let answer = house.send("POST", "/unlock", &cookie, "csrf=wrong").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.body.contains("サインアウト"), "{}", answer.body);
    assert!(
        !answer.body.contains("/residents/search"),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn the_towns_contact_stands_on_error_pages_and_in_the_guide() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let contact = Contact {
        office: "情報システム課".into(),
        telephone: "000-0000-0000".into(),
        mail: String::new(),
    };
    let whole = Config {
        contact: Some(contact),
        ..config(Zone::Resident)
    };
    init(&data, &whole).await.unwrap();
    let instance = Instance::open(&data).await.unwrap();
    let router = Site::new(&instance).router();
    let house = House {
        _dir: dir,
        instance,
        router,
    };
    let words = "情報システム課　電話 000-0000-0000";
    let refused = house.send("POST", "/sign-in", "", "csrf=wrong").await.body;
    assert!(refused.contains(words), "{refused}");
    assert!(house.get("/guide", "").await.body.contains(words));
}

#[tokio::test]
async fn the_doctor_misses_a_contact_in_production() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    init(&data, &config(Zone::Resident)).await.unwrap();
    let doctor = || {
        Command::new(env!("CARGO_BIN_EXE_mimamori"))
            .args(["doctor", "--data"])
            .arg(&data)
            .output()
            .unwrap()
    };
    let out = doctor();
    assert!(!out.status.success());
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(told.contains("連絡先がありません"), "{told}");
    let path = data.join("mimamori.toml");
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.push_str("\n[contact]\noffice = \"見本課\"\nmail = \"help@town.example\"\n");
    std::fs::write(&path, text).unwrap();
    let out = doctor();
    let told = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success(), "{out:?}");
    assert!(told.contains("見本課　メール help@town.example"), "{told}");
}
