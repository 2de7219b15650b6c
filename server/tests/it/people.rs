//! The office manages its users: two persons, slips, stops, limits, contracts, reviews.

use axum::http::StatusCode;
use mimamori_gate::{Class, Facts, GateError, Purpose, Reason};
use mimamori_identity::{DemoGrant, Scope, Visitor};
use mimamori_kernel::id::{RequestId, UserId};
use mimamori_residents::action::PERSON_OPEN;

use crate::house::{Answer, House, each_demo, encoded};

pub async fn user(house: &House, login: &str) -> UserId {
    let found = house.instance.identity.by_login(login).await.unwrap();
    found.expect(login).id
}

/// A visitor as the guard would hand it to a room.
pub async fn visitor(house: &House, login: &str) -> Visitor {
    let identity = &house.instance.identity;
    let account = identity.by_login(login).await.unwrap().unwrap();
    let grant = DemoGrant::from_environment("demo").unwrap();
    let role = account.roles[0];
    identity
        .open_for_demo(grant, &account, role)
        .unwrap()
        .visitor
}

/// The one request that waits.
pub async fn waiting(house: &House) -> RequestId {
    let sql = "SELECT id FROM operations_request WHERE state = 'waiting'";
    let rows = house.instance.db.fetch(sql, vec![]).await.unwrap();
    assert_eq!(rows.len(), 1, "requests that wait");
    RequestId::from_bytes(rows[0].array(0).unwrap())
}

pub async fn sign_in(house: &House, login: &str, password: &str) -> Answer {
    let token = house.token("/sign-in", "").await;
    let form = format!("csrf={token}&login={login}&password={password}");
    house.send("POST", "/sign-in", "", &form).await
}

pub fn slip(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let (_, rest) = answer
        .body
        .split_once("<dt>初期パスワード</dt><dd>")
        .expect("a slip");
    rest.split('<').next().unwrap().to_owned()
}

pub async fn decide(house: &House, cookie: &str, request: RequestId, word: &str) -> Answer {
    let path = format!("/operations/requests/{request}");
    house.post(&path, cookie, &format!("do={word}")).await
}

/// Actions of the office in the trace, in order, allowed ones.
pub async fn acts(house: &House) -> Vec<String> {
    let sql = "SELECT action FROM trace_line WHERE decision = 1 AND tokens = ? ORDER BY line";
    let rows = house.instance.db.fetch(sql, vec![vec![].into()]).await;
    let text = |r: &mimamori_storage::Row| r.text(0).unwrap().to_owned();
    rows.unwrap().iter().map(text).collect()
}

#[tokio::test]
async fn a_new_user_works_only_after_a_second_person_approved_the_appointment() {
    each_demo(async |house| {
        let (first, second) = (house.play("kanri-1").await, house.play("kanri-2").await);
        let clerk = user(&house, "clerk-1").await;
        let org = house
            .instance
            .identity
            .account(&clerk)
            .await
            .unwrap()
            .unwrap()
            .org
            .id;
        let form = format!(
            "login=clerk-9&name={}&org={org}&role=clerk&from=&until=R10.3.31&reason={}",
            encoded("新人 さくら"),
            encoded("異動")
        );
        let wrong = house
            .post(
                "/operations/people/new",
                &first,
                &form.replace("=clerk&", "=auditor9&"),
            )
            .await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
        let password = slip(&house.post("/operations/people/new", &first, &form).await);
        let again = house.post("/operations/people/new", &first, &form).await;
        assert_eq!(again.status, StatusCode::BAD_REQUEST);
        assert!(again.body.contains("このIDは使われています"));
        let early = sign_in(&house, "clerk-9", &password).await;
        assert_eq!(early.status, StatusCode::BAD_REQUEST, "no role yet");
        let request = waiting(&house).await;
        let alone = decide(&house, &first, request, "approved").await;
        assert_eq!(alone.status, StatusCode::CONFLICT, "{}", alone.body);
        let page = house
            .get(&format!("/operations/requests/{request}"), &first)
            .await;
        assert!(page.body.contains("申請した人は承認できません"));
        assert!(!page.body.contains("value=\"approved\""));
        let done = decide(&house, &second, request, "approved").await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        let twice = decide(&house, &second, request, "approved").await;
        assert_eq!(twice.status, StatusCode::CONFLICT);
        let entered = sign_in(&house, "clerk-9", &password).await;
        assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.body);
        let cookie = entered.cookie.unwrap();
        assert_eq!(house.get("/", &cookie).await.location, "/password");
        let acts = acts(&house).await;
        for act in ["people.register", "request.decide"] {
            assert_eq!(acts.iter().filter(|a| *a == act).count(), 1, "{act}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_stopped_user_is_out_at_the_next_click_and_nobody_stops_himself() {
    each_demo(async |house| {
        let (manager, clerk) = (house.play("kanri-1").await, house.play("clerk-1").await);
        assert_eq!(
            house.get("/residents/search", &clerk).await.status,
            StatusCode::OK
        );
        let at = format!("/operations/people/{}/stop", user(&house, "clerk-1").await);
        let blank = house.post(&at, &manager, "why=&note=").await;
        assert_eq!(
            blank.status,
            StatusCode::BAD_REQUEST,
            "a stop needs a reason"
        );
        let form = format!("why=breach&note={}", encoded("規程第6条違反"));
        let done = house.post(&at, &manager, &form).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        let next = house.get("/residents/search", &clerk).await;
        assert_eq!(next.location, "/sign-in?ended=revoked");
        let twice = house.post(&at, &manager, &form).await;
        assert_eq!(twice.status, StatusCode::CONFLICT);
        let record = house.get(done.location.as_str(), &manager).await;
        assert!(
            record.body.contains("規程違反: 規程第6条違反"),
            "{}",
            record.body
        );
        let own = format!("/operations/people/{}/stop", user(&house, "kanri-1").await);
        let refused = house.post(&own, &manager, &form).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(refused.body.contains("O06"), "{}", refused.body);
        let other = house.play("kanri-2").await;
        let end = format!("/operations/people/{}", user(&house, "kanri-2").await);
        let known = format!("{form}&few-yes=1");
        house.post(&format!("{end}/stop"), &manager, &known).await;
        assert_eq!(
            house.get("/", &other).await.location,
            "/sign-in?ended=revoked"
        );
    })
    .await;
}

#[tokio::test]
async fn a_narrowed_user_sees_and_changes_less_than_the_role_permits() {
    each_demo(async |house| {
        let persons = house
            .persons("status = 1 AND insured = 1 AND protected = 0 AND phone <> ''")
            .await;
        let (person, [kanji, ..]) = persons[1].clone();
        let row = house.instance.db.fetch_one(
            "SELECT phone FROM residents_person WHERE person = ?",
            vec![person.bytes().into()],
        );
        let phone = row.await.unwrap().unwrap().text(0).unwrap().to_owned();
        let open = async |cookie: &str| {
            let path = format!("/residents/{person}");
            house
                .post(&format!("{path}/reason"), cookie, "channel=counter")
                .await;
            house.get(&path, cookie).await.body
        };
        let before = open(&house.play("clerk-1").await).await;
        assert!(before.contains(&kanji) && before.contains(&phone));
        let (first, second) = (house.play("kanri-1").await, house.play("kanri-2").await);
        let at = format!("/operations/people/{}/scope", user(&house, "clerk-1").await);
        let wider = "extent=narrow&read-identity=1&write-contact=1&reason=x";
        let refused = house.post(&at, &first, wider).await;
        assert_eq!(
            refused.status,
            StatusCode::BAD_REQUEST,
            "write without read"
        );
        let form = "extent=narrow&read-identity=1&read-address=1&write-address=1&reason=x";
        house.post(&at, &first, form).await;
        decide(&house, &second, waiting(&house).await, "approved").await;
        let after = open(&house.play("clerk-1").await).await;
        assert!(after.contains(&kanji), "{after}");
        assert!(
            !after.contains(&phone),
            "the telephone number is out of scope"
        );
        let clerk = visitor(&house, "clerk-1").await;
        let address = Class::Address;
        let rules = house.instance.gate.rules();
        let facts = Facts(Facts::RESIDENT | Facts::INSURED);
        let aim = Purpose::CareInsurance;
        assert!(rules.deciding(&clerk, PERSON_OPEN, aim, address, facts).0);
        let (open, why) = rules.deciding(&clerk, PERSON_OPEN, aim, Class::Contact, facts);
        assert_eq!((open, why), (false, vec!["F14".to_owned()]));
        // A scope never widens: a manager with every class still opens no record.
        let mut manager = visitor(&house, "kanri-1").await;
        manager.scope = Scope::WHOLE;
        assert!(
            !rules
                .deciding(&manager, PERSON_OPEN, aim, Class::Identity, facts)
                .0
        );
        // Reading is not changing.
        let mut reader = visitor(&house, "lead-1").await;
        reader.scope.write = 0;
        let reason = Some(Reason("x".into()));
        let gate = &house.instance.gate;
        let permit = gate.person(&reader, PERSON_OPEN, aim, person, reason).await;
        let change = permit.unwrap().change(vec![], None).await;
        match change {
            Err(GateError::Refused(refused)) => assert_eq!(refused.policy, "F14"),
            other => panic!("{other:?}"),
        }
        // A job changes many classes: nobody with a limit orders one.
        let job = gate
            .job(mimamori_residents::action::IMPORT, Some(&reader))
            .await;
        assert!(matches!(job, Err(GateError::Refused(_))));
    })
    .await;
}

#[tokio::test]
async fn two_users_of_one_role_with_different_limits_have_lists_of_their_own() {
    each_demo(async |house| {
        let mut narrow = visitor(&house, "clerk-1").await;
        narrow.scope.read = mimamori_gate::Classes::of(&[Class::Address]).bits();
        let whole = visitor(&house, "lead-1").await;
        let gate = &house.instance.gate;
        let action = mimamori_residents::action::PERSON_LIST;
        let aim = Purpose::CareInsurance;
        let mut wide = narrow.clone();
        wide.scope = whole.scope;
        for (visitor, seen) in [(&wide, true), (&narrow, false), (&wide, true)] {
            let permit = gate.list(visitor, action, aim).await.unwrap();
            let base = "p.generation = (SELECT generation FROM residents_state WHERE one = 1)";
            let condition = mimamori_gate::Condition {
                class: Class::Identity,
                sql: "1 = 1",
                args: vec![],
            };
            let found = permit
                .find("residents_person", base, &[condition], "p.kana_key", 1000)
                .await;
            assert_eq!(found.unwrap().count() > 0, seen);
            permit
                .searched(String::new(), house.instance.clock.now())
                .await
                .unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_contract_does_not_name_is_refused_to_its_people() {
    each_demo(async |house| {
        let mut vendor = visitor(&house, "vendor-1").await;
        let rules = house.instance.gate.rules();
        let facts = Facts(Facts::RESIDENT | Facts::INSURED);
        let why = |vendor: &Visitor, aim| {
            rules
                .deciding(vendor, PERSON_OPEN, aim, Class::Identity, facts)
                .1
        };
        assert_eq!(why(&vendor, Purpose::CareInsurance), ["F13", "F15"]);
        let named = mimamori_gate::Classes::of(&[Class::Identity]).bits();
        vendor.terms[0].classes = named;
        vendor.terms[0].purposes = vec!["care-insurance".into()];
        assert_eq!(why(&vendor, Purpose::CareInsurance), ["F13"]);
        assert_eq!(why(&vendor, Purpose::CareManagement), ["F13", "F15"]);
    })
    .await;
}

#[tokio::test]
async fn a_contract_is_asked_for_by_one_and_approved_by_another_and_its_end_ends_the_work() {
    each_demo(async |house| {
        let (first, second) = (house.play("kanri-1").await, house.play("kanri-2").await);
        let vendor = user(&house, "vendor-1").await;
        let org = house.instance.identity.account(&vendor).await.unwrap().unwrap().org.id;
        let form = |until: &str| {
            format!("org={org}&subject=s&purpose-operation=1&class-identity=1&from=&until={until}&reason=x")
        };
        let long = house
            .post("/operations/contracts/new", &first, &form("2040-03-31"))
            .await;
        assert_eq!(long.status, StatusCode::BAD_REQUEST, "over 31 March");
        let asked = house.post("/operations/contracts/new", &first, &form("")).await;
        assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
        decide(&house, &second, waiting(&house).await, "approved").await;
        let cookie = house.play("vendor-1").await;
        assert_eq!(house.get("/account", &cookie).await.status, StatusCode::OK);
        let rows = house.instance.db.fetch("SELECT id FROM identity_contract", vec![]).await;
        for row in rows.unwrap() {
            let id = RequestId::from_bytes(row.array(0).unwrap());
            let path = format!("/operations/contracts/{id}/end");
            let ended = house.post(&path, &first, "reason=x").await;
            assert_eq!(ended.status, StatusCode::SEE_OTHER, "{}", ended.body);
        }
        let next = house.get("/account", &cookie).await;
        assert_eq!(next.location, "/sign-in?ended=revoked");
        let account = house.instance.identity.account(&vendor).await.unwrap().unwrap();
        assert!(!account.usable(house.instance.clock.now().0));
    })
    .await;
}

#[tokio::test]
async fn every_user_is_looked_at_each_quarter_by_somebody_else() {
    each_demo(async |house| {
        let manager = house.play("kanri-1").await;
        let list = house.get("/operations/reviews", &manager).await;
        assert!(
            list.body.contains("11人のうち、残り11人です"),
            "{}",
            list.body
        );
        let of = async |login| format!("/operations/reviews/{}", user(&house, login).await);
        let own = house
            .post(&of("kanri-1").await, &manager, "answer=keep")
            .await;
        assert_eq!(own.status, StatusCode::FORBIDDEN);
        let kept = house
            .post(&of("clerk-1").await, &manager, "answer=keep")
            .await;
        assert_eq!(kept.status, StatusCode::SEE_OTHER, "{}", kept.body);
        let lead = house.play("lead-1").await;
        let silent = house
            .post(&of("lead-1").await, &manager, "answer=end")
            .await;
        assert_eq!(silent.status, StatusCode::BAD_REQUEST, "an end needs words");
        house
            .post(&of("lead-1").await, &manager, "answer=end&note=x")
            .await;
        assert_eq!(
            house.get("/", &lead).await.location,
            "/sign-in?ended=revoked"
        );
        let list = house.get("/operations/reviews", &manager).await.body;
        assert!(list.contains("残り9人です"), "{list}");
        assert!(list.contains("このまま続ける") && list.contains("運営 みどり"));
        let system = house.play("system-1").await;
        let counts = house.get("/operations/overview", &system).await;
        assert_eq!(counts.status, StatusCode::OK);
        assert!(counts.body.contains("<dd>9人</dd>") && !counts.body.contains("運営 みどり"));
        let names = house.get("/operations/people", &system).await;
        assert_eq!(names.status, StatusCode::FORBIDDEN);
    })
    .await;
}

#[tokio::test]
async fn a_password_is_given_anew_only_with_a_check_of_who_it_is() {
    each_demo(async |house| {
        let manager = house.play("kanri-1").await;
        let clerk = house.play("clerk-1").await;
        let at = format!(
            "/operations/people/{}/password",
            user(&house, "clerk-1").await
        );
        let unchecked = house.post(&at, &manager, "reason=x").await;
        assert_eq!(unchecked.status, StatusCode::BAD_REQUEST);
        let form = format!("checked=staff-card&reason={}", encoded("忘れた"));
        let password = slip(&house.post(&at, &manager, &form).await);
        assert_eq!(
            house.get("/", &clerk).await.location,
            "/sign-in?ended=revoked"
        );
        let entered = sign_in(&house, "clerk-1", &password).await;
        let cookie = entered.cookie.unwrap();
        assert_eq!(house.get("/", &cookie).await.location, "/password");
        let record = at.strip_suffix("/password").unwrap();
        let record = house.get(record, &manager).await.body;
        assert!(record.contains("職員証（顔写真つき）") && !record.contains(&password));
    })
    .await;
}

#[tokio::test]
async fn whoever_leaves_says_so_and_a_manager_ends_the_account() {
    each_demo(async |house| {
        let (clerk, manager) = (house.play("care-1").await, house.play("kanri-2").await);
        let said = house.post("/account", &clerk, "reason=moved").await;
        assert_eq!(said.status, StatusCode::SEE_OTHER, "{}", said.body);
        let twice = house.post("/account", &clerk, "reason=moved").await;
        assert_eq!(twice.status, StatusCode::BAD_REQUEST);
        decide(&house, &manager, waiting(&house).await, "approved").await;
        assert_eq!(
            house.get("/", &clerk).await.location,
            "/sign-in?ended=revoked"
        );
        let citizen = house.play("citizen-1").await;
        assert_eq!(
            house.get("/account", &citizen).await.status,
            StatusCode::NOT_FOUND
        );
        let list = house.get("/operations/people", &manager).await.body;
        assert!(list.contains("care-1") && !list.contains("citizen-1"));
    })
    .await;
}

#[tokio::test]
async fn the_chart_of_duties_names_who_holds_each_now() {
    each_demo(async |house| {
        let auditor = house.play("audit-1").await;
        let chart = house.get("/operations/structure", &auditor).await.body;
        let of = |role: &str| {
            let (_, rest) = chart.split_once(&format!("<h2>{role}</h2>")).expect(role);
            rest.split("<h2>").next().unwrap().to_owned()
        };
        assert!(of("監査責任者").contains("監査 きよし"));
        assert!(of("事業責任者").contains("任命されている人はいません"));
        let managers = of("運営管理責任者");
        assert!(managers.contains("運営 みどり") && managers.contains("運営 たかし"));
        let manager = house.play("kanri-1").await;
        let at = format!(
            "/operations/people/{}/role/end",
            user(&house, "kanri-2").await
        );
        let ended = house
            .post(&at, &manager, "role=operations-manager&reason=x&few-yes=1")
            .await;
        assert_eq!(ended.status, StatusCode::SEE_OTHER, "{}", ended.body);
        let after = house.get("/operations/structure", &auditor).await.body;
        assert!(after.contains("運営 みどり") && !after.contains("運営 たかし"));
    })
    .await;
}
