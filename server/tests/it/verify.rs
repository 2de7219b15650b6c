//! Verification before grave acts, designated handlers and registered terminals, over HTTP.

use axum::http::StatusCode;
use mimamori_gate::{GateError, Purpose};
use mimamori_identity::{AuthLevel, Visitor};
use mimamori_operations::action::REQUEST_DECIDE;
use mimamori_server::config::{Passkeys, StepUp};
use mimamori_server::init::system_act;
use mimamori_storage::Statement;

use crate::house::{Answer, House, demo_with, each_demo, encoded};
use crate::people::{decide, user, visitor, waiting};

/// Stands before the simulated camera.
pub async fn face(house: &House, cookie: &str, to: &str) -> Answer {
    let form = format!("to={}", encoded(to));
    house.post("/demo/face", cookie, &form).await
}

/// The tests' requests come from nowhere; this makes nowhere a terminal.
pub async fn register_nowhere(house: &House) {
    let sql = "INSERT INTO identity_terminal (id, kind, mark, name, place, approved_by, entered, ended) \
               VALUES (?, 'address', 'local', 'x', 'x', ?, 0, NULL)";
    let id = || vec![7u8; 16].into();
    let changes = vec![Statement::new(sql, vec![id(), id()])];
    let line = system_act(&house.instance, "account.link", "test".into(), changes);
    house.instance.trace.record(line).await.unwrap();
}

/// Actions and decisions of the trace about sessions.
async fn verifications(house: &House) -> Vec<(i64, String)> {
    let sql =
        "SELECT decision, policy FROM trace_line WHERE action = 'session.verify' ORDER BY line";
    let rows = house.instance.db.fetch(sql, vec![]).await.unwrap();
    rows.iter()
        .map(|r| (r.int(0).unwrap(), r.text(1).unwrap().to_owned()))
        .collect()
}

#[tokio::test]
async fn the_handler_of_the_demo_has_all_four_conditions_only_at_a_registered_terminal() {
    each_demo(async |house| {
        let cookie = house.play("handler-1").await;
        let page = house.get("/verify?to=/insurance", &cookie).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("よい（有効）"), "{}", page.body);
        assert_eq!(page.body.matches("足りない").count(), 3, "{}", page.body);
        let simulated = house.get("/demo/face", &cookie).await;
        assert!(simulated.body.contains("模擬"));
        let done = face(&house, &cookie, "/insurance").await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        assert_eq!(done.location, "/insurance");
        let page = house.get("/verify", &cookie).await.body;
        assert_eq!(page.matches("足りない").count(), 1, "the terminal: {page}");
        register_nowhere(&house).await;
        let page = house.get("/verify", &cookie).await.body;
        assert!(!page.contains("足りない"), "{page}");
        assert_eq!(verifications(&house).await, [(1, "face".to_owned())]);
        // Another site is never led to.
        let away = face(&house, &cookie, "//evil.example/").await;
        assert_eq!(away.location, "/");
    })
    .await;
}

#[tokio::test]
async fn a_word_that_the_face_product_did_not_sign_is_refused_and_traced() {
    each_demo(async |house| {
        let cookie = house.play("handler-1").await;
        house.get("/verify/face", &cookie).await;
        let forged = format!("time=0&signature={}", "A".repeat(86));
        for form in [forged.as_str(), "", "time=x&signature=abc"] {
            let refused = house.post("/verify/face", &cookie, form).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{form}");
        }
        let refused = (0, "IDENTITY-NOT-PROVED".to_owned());
        assert_eq!(verifications(&house).await, vec![refused; 3]);
        let page = house.get("/verify", &cookie).await.body;
        assert_eq!(page.matches("足りない").count(), 3, "{page}");
    })
    .await;
}

#[tokio::test]
async fn where_it_is_always_asked_nothing_leaves_and_nobody_gets_rights_without_a_verification() {
    let house = demo_with(None, |config| {
        config.passkeys = Some(Passkeys {
            origin: "http://localhost:8080".into(),
            step_up: StepUp::Always,
        });
    })
    .await;
    let (first, second) = (house.play("kanri-1").await, house.play("kanri-2").await);
    let clerk = user(&house, "clerk-1").await;
    let at = format!("/operations/people/{clerk}");
    let scope = format!(
        "reason={}&extent=narrow&read-identity=1",
        encoded("担当替え")
    );
    let asked = house.post(&format!("{at}/scope"), &first, &scope).await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
    let request = waiting(&house).await;
    let stopped = decide(&house, &second, request, "approved").await;
    assert_eq!(stopped.status, StatusCode::FORBIDDEN);
    assert!(stopped.body.contains("本人確認をする"), "{}", stopped.body);
    assert!(stopped.body.contains("href=\"/verify"), "{}", stopped.body);
    waiting(&house).await;
    // What takes rights away does not wait.
    let stop = format!("{at}/stop");
    assert_eq!(house.get(&stop, &second).await.status, StatusCode::OK);
    face(&house, &second, "/operations/requests").await;
    let done = decide(&house, &second, request, "approved").await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    // Paper is the same.
    let print = format!("{at}/certificate");
    let form = format!("reason={}", encoded("本人に渡すため"));
    let refused = house.post(&print, &first, &form).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.body);
    let sql = "SELECT COUNT(*) FROM trace_line WHERE decision = 0 AND policy = 'step-up'";
    let row = house.instance.db.fetch_one(sql, vec![]).await.unwrap();
    assert_eq!(row.unwrap().int(0).unwrap(), 2);
    face(&house, &first, "/").await;
    let printed = house.post(&print, &first, &form).await;
    assert_ne!(printed.status, StatusCode::FORBIDDEN, "{}", printed.body);
}

#[tokio::test]
async fn whoever_signed_in_with_a_verification_proves_it_anew_and_the_rest_work_as_before() {
    each_demo(async |house| {
        let (first, second) = (house.play("kanri-1").await, house.play("kanri-2").await);
        let handler = user(&house, "clerk-1").await;
        let ask = async |cookie: &str| house.get("/verify", cookie).await.body;
        assert!(ask(&second).await.contains("足りない（パスキーか顔認証"));
        let at = format!("/operations/people/{handler}");
        let scope = format!(
            "reason={}&extent=narrow&read-identity=1",
            encoded("担当替え")
        );
        house.post(&format!("{at}/scope"), &first, &scope).await;
        let request = waiting(&house).await;
        // Whoever signed in with a verification is asked again after five minutes, and not before.
        let now = house.instance.clock.steady();
        let five = 5 * 60 * 1_000_000;
        for (age, stopped) in [(five - 1_000_000, false), (five + 1_000_000, true)] {
            let officer = Visitor {
                auth: AuthLevel::Verified,
                verified: Some(now - age),
                ..visitor(&house, "kanri-2").await
            };
            let gate = &house.instance.gate;
            let answer = gate
                .office(&officer, REQUEST_DECIDE, Purpose::Operation, None)
                .await;
            let step_up = matches!(answer.map(drop), Err(GateError::StepUp));
            assert_eq!(step_up, stopped, "verified {age} µs ago");
        }
        // kanri-2 has no passkey and is not asked.
        let second = house.play("kanri-2").await;
        let done = decide(&house, &second, request, "approved").await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    })
    .await;
}

#[tokio::test]
async fn one_asks_for_a_designation_another_approves_and_its_end_ends_the_session() {
    each_demo(async |house| {
        let (first, second) = (house.play("kanri-1").await, house.play("kanri-2").await);
        let whom = user(&house, "clerk-1").await;
        let clerk = house.play("clerk-1").await;
        let at = format!("/operations/people/{whom}/handler");
        let form = |trained: &str| format!("trained={trained}&reason={}", encoded("資格係の担当"));
        for (trained, words) in [
            ("", "研修の日を入力してください。"),
            ("R2.4.1", "きょうまでの1年以内"),
            ("R99.1.1", "trained"),
        ] {
            let refused = house.post(&at, &first, &form(trained)).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{trained}");
            assert!(refused.body.contains(words), "{trained}: {}", refused.body);
        }
        let today = house.instance.trace.now().office_day();
        let asked = house.post(&at, &first, &form(&today.to_string())).await;
        assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
        let request = waiting(&house).await;
        let own = decide(&house, &first, request, "approved").await;
        assert_eq!(own.status, StatusCode::CONFLICT, "{}", own.body);
        let done = decide(&house, &second, request, "approved").await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        let page = house.get("/verify", &clerk).await.body;
        assert!(page.contains("よい（有効）"), "at once: {page}");
        let list = house.get("/operations/handlers", &first).await.body;
        assert!(
            list.contains("介護 はな") && list.contains("運営 たかし"),
            "{list}"
        );
        let end = format!("reason={}", encoded("担当替え"));
        let ended = house.post(&format!("{at}/end"), &second, &end).await;
        assert_eq!(ended.status, StatusCode::SEE_OTHER, "{}", ended.body);
        let out = house.get("/verify", &clerk).await;
        assert_eq!(out.location, "/sign-in?ended=revoked");
        let again = house.post(&format!("{at}/end"), &second, &end).await;
        assert_eq!(again.status, StatusCode::CONFLICT);
    })
    .await;
}

#[tokio::test]
async fn a_contractor_has_no_path_to_a_designation() {
    each_demo(async |house| {
        let first = house.play("kanri-1").await;
        let vendor = user(&house, "vendor-1").await;
        let at = format!("/operations/people/{vendor}");
        let page = house.get(&at, &first).await.body;
        assert!(!page.contains("/handler"), "not even a link: {page}");
        let form = format!(
            "trained={}&reason=x",
            house.instance.trace.now().office_day()
        );
        for answer in [
            house.get(&format!("{at}/handler"), &first).await,
            house.post(&format!("{at}/handler"), &first, &form).await,
        ] {
            assert_eq!(answer.status, StatusCode::CONFLICT);
            let words = "特定個人情報取扱者になれるのは、区市町村の所属の職員だけです";
            assert!(answer.body.contains(words), "{}", answer.body);
        }
        let sql = "SELECT COUNT(*) FROM operations_request";
        let row = house.instance.db.fetch_one(sql, vec![]).await.unwrap();
        assert_eq!(row.unwrap().int(0).unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_terminal_is_registered_by_two_and_ends_at_once() {
    each_demo(async |house| {
        let (first, second) = (house.play("kanri-1").await, house.play("kanri-2").await);
        let at = "/operations/terminals/new";
        let form = |mark: &str| {
            let (name, place) = (encoded("窓口1"), encoded("執務室"));
            format!("name={name}&place={place}&mark={mark}&reason=x")
        };
        for mark in ["", "10.0.0", "10.0.0.0%2F24", &"ag".repeat(32)] {
            let refused = house.post(at, &first, &form(mark)).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{mark}");
        }
        let asked = house.post(at, &first, &form("10.0.0.1")).await;
        assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
        let request = waiting(&house).await;
        let own = decide(&house, &first, request, "approved").await;
        assert_eq!(own.status, StatusCode::CONFLICT);
        let done = decide(&house, &second, request, "approved").await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        let list = house.get("/operations/terminals", &first).await.body;
        assert!(
            list.contains("10.0.0.1") && list.contains("使用中"),
            "{list}"
        );
        let twice = house.post(at, &first, &form("10.0.0.1")).await;
        assert_eq!(twice.status, StatusCode::BAD_REQUEST);
        let (_, rest) = list.split_once("/operations/terminals/").unwrap();
        let (_, rest) = rest
            .split_once("/operations/terminals/")
            .unwrap_or(("", rest));
        let id = rest.split('/').next().unwrap();
        let end = format!("/operations/terminals/{id}/end");
        let ended = house.post(&end, &first, "reason=x").await;
        assert_eq!(ended.status, StatusCode::SEE_OTHER, "{}", ended.body);
        let list = house.get("/operations/terminals", &first).await.body;
        assert!(!list.contains("使用中"), "{list}");
    })
    .await;
}

#[tokio::test]
async fn the_counter_hands_out_a_code_once_and_a_wrong_one_is_refused_beside_its_field() {
    each_demo(async |house| {
        let first = house.play("kanri-1").await;
        let clerk = house.play("clerk-1").await;
        let whom = user(&house, "clerk-1").await;
        let at = format!("/operations/people/{whom}/passkey");
        let nothing = house.post(&at, &first, "").await;
        assert_eq!(nothing.status, StatusCode::BAD_REQUEST);
        let form = format!("document={}&how={}", encoded("職員証"), encoded("写真"));
        let slip = house.post(&at, &first, &form).await;
        assert_eq!(slip.status, StatusCode::OK, "{}", slip.body);
        let (_, rest) = slip.body.split_once("<dt>受付の番号</dt><dd>").unwrap();
        let code = rest.split('<').next().unwrap();
        let begin = async |code: &str| {
            let form = format!("code={code}&name={}", encoded("端末"));
            house.post("/passkeys/new", &clerk, &form).await
        };
        let wrong = begin("aaaa-bbbb-cccc-dddd").await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
        assert!(
            wrong.body.contains("受付の番号が正しくないか"),
            "{}",
            wrong.body
        );
        let right = begin(code).await;
        assert_eq!(right.status, StatusCode::OK, "{}", right.body);
        assert!(
            right.body.contains("data-passkey=\"create\""),
            "{}",
            right.body
        );
        assert!(
            right.body.contains("&quot;required&quot;")
                || right.body.contains("&#34;required&#34;")
        );
        let form = format!("code={code}&name=x&answer=%7B%7D");
        let rubbish = house.post("/passkeys/register", &clerk, &form).await;
        assert_eq!(rubbish.status, StatusCode::BAD_REQUEST);
        let none = house.get("/passkeys", &clerk).await.body;
        assert!(none.contains("登録されたパスキーはありません"), "{none}");
        let own = user(&house, "kanri-1").await;
        let own = format!("/operations/people/{own}/passkey");
        assert_eq!(house.get(&own, &first).await.status, StatusCode::FORBIDDEN);
        let citizen = house.play("citizen-1").await;
        assert_eq!(
            house.get("/passkeys", &citizen).await.status,
            StatusCode::NOT_FOUND
        );
    })
    .await;
}

#[tokio::test]
async fn the_setup_sheet_says_what_a_passkey_does_not_prove() {
    let house = demo_with(None, |_| {}).await;
    let cookie = house.play("system-1").await;
    let page = house.get("/passkeys/setup", &cookie).await.body;
    for words in [
        "示さないこと",
        "PIN",
        "同期するパスキー",
        "attestation",
        "想定",
    ] {
        assert!(page.contains(words), "{words}");
    }
}

/// S0-73.
#[tokio::test]
async fn who_keeps_the_machine_works_from_the_set_terminals_only() {
    let house = demo_with(None, |config| {
        config.maintenance = vec!["198.51.100.7".parse().unwrap()];
    })
    .await;
    for login in ["system-1", "vendor-1"] {
        let cookie = house.play(login).await;
        for path in ["/", "/audit/operation", "/operations/overview"] {
            let page = house.get(path, &cookie).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{login} {path}");
            assert!(
                page.body.contains("遠隔では作業できません"),
                "{}",
                page.body
            );
        }
        // The way out stays open.
        let out = house.post("/sign-out", &cookie, "").await;
        assert_eq!(out.status, StatusCode::SEE_OTHER);
    }
    let clerk = house.play("clerk-1").await;
    assert_eq!(house.get("/", &clerk).await.status, StatusCode::OK);
    let sql = "SELECT COUNT(*) FROM trace_line WHERE action = 'session.place' AND decision = 0";
    let row = house.instance.db.fetch_one(sql, vec![]).await.unwrap();
    assert_eq!(
        row.unwrap().int(0).unwrap(),
        1,
        "one line for a terminal and minute"
    );
}
