//! An officer looks, the rules see it, an auditor answers, a report is signed and checked outside.

use axum::http::StatusCode;
use mimamori_server::init::system_act;
use mimamori_storage::Statement;
use mimamori_verifier::note::Key;
use mimamori_verifier::signed;

use crate::house::{House, each_demo, encoded};

async fn number(house: &House, sql: &str) -> i64 {
    let row = house.instance.db.fetch_one(sql, vec![]).await.unwrap();
    row.unwrap().int(0).unwrap()
}

/// The policy text of the newest allowed line of an action.
async fn mark(house: &House, action: &str) -> String {
    let sql = "SELECT policy FROM trace_line WHERE action = ? AND decision = 1 ORDER BY line DESC LIMIT 1";
    let row = house.instance.db.fetch_one(sql, vec![action.into()]);
    row.await.unwrap().unwrap().text(0).unwrap().to_owned()
}

#[tokio::test]
async fn a_look_hangs_on_todays_note_of_that_officer_and_person() {
    each_demo(async |house| {
        let all = house
            .persons("status = 1 AND insured = 1 AND protected = 0")
            .await;
        let (one, other) = (all[1].0, all[2].0);
        let clerk = house.play("clerk-1").await;
        let path = format!("/residents/{one}");
        let asked = house.get(&path, &clerk).await.body;
        assert!(asked.contains(&format!("{path}/note")), "{asked}");
        house
            .post(&format!("{path}/reason"), &clerk, "channel=counter")
            .await;
        let page = house.get(&path, &clerk).await.body;
        assert!(page.contains("受付票がありません"), "{page}");
        assert!(!mark(&house, "person.open").await.contains("case:"));

        let empty = house
            .post(
                &format!("{path}/note"),
                &clerk,
                "channel=counter&asker=self&matter=",
            )
            .await;
        assert_eq!(empty.status, StatusCode::BAD_REQUEST);
        let form = format!(
            "channel=counter&asker=self&matter={}",
            encoded("再交付の相談")
        );
        let written = house.post(&format!("{path}/note"), &clerk, &form).await;
        assert_eq!(written.location, path, "{}", written.body);
        let page = house.get(&path, &clerk).await.body;
        assert!(page.contains("窓口／本人: 再交付の相談"), "{page}");
        assert!(mark(&house, "person.open").await.ends_with("case:note"));

        // Neither for another person nor for another officer.
        let elsewhere = house.get(&format!("/residents/{other}"), &clerk).await.body;
        assert!(elsewhere.contains("閲覧の理由"), "{elsewhere}");
        let lead = house.play("lead-1").await;
        let theirs = house.get(&path, &lead).await.body;
        assert!(theirs.contains("閲覧の理由") && !theirs.contains("再交付の相談"));
    })
    .await;
}

/// Where the first alert about support measures is, on the list.
fn alert_of(list: &str) -> String {
    let told = list
        .split("href=\"")
        .filter(|part| part.contains("支援措置の対象者の閲覧"));
    let mut paths = told.filter_map(|part| part.split('"').next());
    let path = paths.find(|h| h.starts_with("/audit/alerts/"));
    path.expect(list).to_owned()
}

/// The form's hidden last line.
fn seen(page: &str) -> &str {
    let (_, rest) = page.split_once("name=\"seen\" value=\"").expect("a form");
    rest.split('"').next().unwrap()
}

#[tokio::test]
async fn an_alert_is_answered_by_the_auditor_and_reported_with_a_signature() {
    each_demo(async |house| {
        let (person, names) = house.persons("protected = 1").await[0].clone();
        let clerk = house.play("clerk-1").await;
        let path = format!("/residents/{person}");
        let form = format!(
            "channel=telephone&asker=family&matter={}",
            encoded("問合せ")
        );
        house.post(&format!("{path}/note"), &clerk, &form).await;
        assert_eq!(house.get(&path, &clerk).await.status, StatusCode::OK);
        // A person's lines are found once they are in the tree.
        let last = number(&house, "SELECT MAX(line) FROM trace_line").await;
        let last = u64::try_from(last).unwrap();
        house.instance.trace.checkpointed(last).await;

        let auditor = house.play("audit-1").await;
        let ran = house.post("/audit/run", &auditor, "").await;
        assert!(
            ran.location.starts_with("/audit/alerts?new="),
            "{}",
            ran.body
        );
        let found = "SELECT COUNT(*) FROM audit_alert WHERE kind = 'protected'";
        assert_eq!(number(&house, found).await, 1);
        house.post("/audit/run", &auditor, "").await;
        assert_eq!(
            number(&house, found).await,
            1,
            "a second run finds nothing new"
        );

        let list = house.get("/audit/alerts", &auditor).await.body;
        assert!(list.contains("支援措置の対象者の閲覧"), "{list}");
        let alert = alert_of(&list);
        let page = house.get(&alert, &auditor).await;
        assert!(
            page.body.contains("介護 はな") && page.body.contains("受付票"),
            "{}",
            page.body
        );
        for body in [&list, &page.body] {
            for name in &names {
                assert!(!body.contains(name.as_str()), "an auditor sees {name}");
            }
        }
        assert!(
            !page.body.contains("サインイン</td>"),
            "what the rule did not count"
        );
        let seen = seen(&page.body);
        let none = format!("answer=fine&words=&seen={seen}");
        let none = house.post(&alert, &auditor, &none).await;
        assert_eq!(none.status, StatusCode::BAD_REQUEST);
        let form = format!(
            "seen={seen}&answer=fine&words={}",
            encoded("窓口の申出を受付簿で確かめた")
        );
        let done = house.post(&alert, &auditor, &form).await;
        assert_eq!(done.location, "/audit/alerts", "{}", done.body);
        let again = house.post(&alert, &auditor, &form).await;
        assert_eq!(
            again.status,
            StatusCode::BAD_REQUEST,
            "a closed alert stays closed"
        );
        assert!(again.body.contains("すでに回答があります"));
        // A later look opens it again; what was seen before it is no answer to it.
        house.get(&path, &clerk).await;
        house.post("/audit/run", &auditor, "").await;
        assert_eq!(number(&house, found).await, 1);
        let page = house.get(&alert, &auditor).await.body;
        for words in [
            "前の回答の後に、閲覧が増えました",
            "回答の後に増えた",
            "窓口の申出を受付簿で確かめた",
            "監査 きよし",
        ] {
            assert!(page.contains(words), "{words}: {page}");
        }
        let stale = house.post(&alert, &auditor, &form).await;
        assert_eq!(stale.status, StatusCode::BAD_REQUEST);
        assert!(
            stale.body.contains("表示した後に閲覧が増えました"),
            "{}",
            stale.body
        );
        let fresh = form.replace(
            &format!("seen={seen}&"),
            &format!("seen={}&", self::seen(&page)),
        );
        let done = house.post(&alert, &auditor, &fresh).await;
        assert_eq!(done.location, "/audit/alerts", "{}", done.body);
        let answers = "SELECT COUNT(*) FROM audit_answer WHERE looks > 0 AND last_line > 0";
        assert_eq!(
            number(&house, answers).await,
            2,
            "the earlier answer is kept"
        );

        let month = house
            .instance
            .clock
            .now()
            .office_day()
            .strftime("%Y-%m")
            .to_string();
        let made = house
            .post("/audit/reports", &auditor, &format!("month={month}"))
            .await;
        assert!(
            made.location.starts_with("/audit/reports/"),
            "{}",
            made.body
        );
        let form = format!("month={month}");
        let twice = house.post("/audit/reports", &auditor, &form).await;
        assert_eq!(twice.status, StatusCode::BAD_REQUEST);
        let link = format!("href=\"{}\"", made.location);
        assert!(
            twice.body.matches(&link).count() == 2,
            "told and linked: {}",
            twice.body
        );
        let form = format!("{form}&again=1");
        let second = house.post("/audit/reports", &auditor, &form).await;
        assert_ne!(second.location, made.location);
        assert!(second.location.starts_with("/audit/reports/"));
        let early = house
            .post("/audit/reports", &auditor, "month=2019-05")
            .await;
        assert_eq!(early.status, StatusCode::BAD_REQUEST);
        assert!(
            early.body.contains("証跡の行がありません"),
            "{}",
            early.body
        );
        let manager = house.play("kanri-1").await;
        let read = house.get(&made.location, &manager).await.body;
        for words in [
            "<dt>支援措置の対象者の閲覧</dt>",
            "1件（問題なし 1",
            "<dt>最後に署名された行</dt>",
            "許可された行",
        ] {
            assert!(read.contains(words), "{words}: {read}");
        }
        assert!(
            !read.contains("checkpoint "),
            "for people, not for machines: {read}"
        );
        let file = house
            .get(&format!("{}/file", made.location), &manager)
            .await
            .body;
        let key = std::fs::read(house.instance.dir.join("trace/key.pub")).unwrap();
        let key = Key::parse(&key).unwrap();
        let signed = signed::open(file.as_bytes(), &key).unwrap();
        assert!(
            signed
                .lines
                .iter()
                .any(|l| l.starts_with("checkpoint line "))
        );
        let forged = file.replace("問題なし 1", "問題なし 9");
        assert!(signed::open(forged.as_bytes(), &key).is_err());
        let future = house
            .post("/audit/reports", &auditor, "month=2999-01")
            .await;
        assert_eq!(future.status, StatusCode::BAD_REQUEST);
    })
    .await;
}

/// Numbers of the lines on a page, in their order.
fn rows(page: &str) -> Vec<i64> {
    let cells = page.split("<th scope=\"row\">").skip(1);
    let numbers = cells.filter_map(|c| c.split('<').next()?.parse().ok());
    numbers.collect()
}

#[tokio::test]
async fn an_alert_shows_exactly_the_lines_it_counts_from_the_first_on_fifty_a_page() {
    each_demo(async |house| {
        let person = house.persons("protected = 1").await[0].0;
        let other = house
            .persons("status = 1 AND insured = 1 AND protected = 0")
            .await[1]
            .0;
        let clerk = house.play("clerk-1").await;
        let note = format!("channel=visit&asker=family&matter={}", encoded("問合せ"));
        for person in [&person, &other] {
            let path = format!("/residents/{person}");
            house.post(&format!("{path}/note"), &clerk, &note).await;
            house.get(&path, &clerk).await;
        }
        for _ in 0..54 {
            house.get(&format!("/residents/{person}"), &clerk).await;
        }
        let auditor = house.play("audit-1").await;
        house.post("/audit/run", &auditor, "").await;
        let sql = "SELECT lines FROM audit_alert WHERE kind = 'protected'";
        let row = house
            .instance
            .db
            .fetch_one(sql, vec![])
            .await
            .unwrap()
            .unwrap();
        let counted = row.text(0).unwrap().split(' ');
        let counted: Vec<i64> = counted.map(|n| n.parse().unwrap()).collect();
        assert!(counted.len() >= 55 && counted.len() < 100, "{counted:?}");
        let path = alert_of(&house.get("/audit/alerts", &auditor).await.body);
        let first = house.get(&path, &auditor).await.body;
        assert_eq!(rows(&first), counted[..50]);
        assert!(
            first.contains(&format!("href=\"{path}?page=2\"")),
            "{first}"
        );
        let second = house.get(&format!("{path}?page=2"), &auditor).await.body;
        assert_eq!(rows(&second), counted[50..]);
        let beyond = house.get(&format!("{path}?page=99"), &auditor).await.body;
        assert_eq!(rows(&beyond), counted[50..]);
        // All of the officer's day is one step away, as a search that leaves its own line.
        let field = |name: &str| {
            let (_, rest) = first
                .split_once(&format!("name=\"{name}\" value=\""))
                .expect(name);
            rest.split('"').next().unwrap().to_owned()
        };
        let (from, until, officer) = (field("from"), field("until"), field("officer"));
        let form = format!("from={from}&until={until}&officer={officer}");
        let found = house.post("/audit", &auditor, &form).await;
        let found = house.get(&found.location, &auditor).await.body;
        assert!(found.contains("<dd>clerk-1</dd>"), "{found}");
        assert_eq!(
            rows(&found).len(),
            50,
            "the newest of more than the alert counts"
        );
    })
    .await;
}

#[tokio::test]
async fn the_trace_is_searched_by_number_without_a_name_and_taken_out_with_a_reason() {
    each_demo(async |house| {
        let all = house
            .persons("status = 1 AND insured = 1 AND protected = 0")
            .await;
        let (person, [kanji, kana, address_number]) = all[1].clone();
        let clerk = house.play("clerk-1").await;
        let path = format!("/residents/{person}");
        house
            .post(&format!("{path}/reason"), &clerk, "channel=counter")
            .await;
        house.get(&path, &clerk).await;
        let last = number(&house, "SELECT MAX(line) FROM trace_line").await;
        house
            .instance
            .trace
            .checkpointed(u64::try_from(last).unwrap())
            .await;

        let auditor = house.play("audit-1").await;
        let short = address_number.trim_start_matches('0');
        let form = format!("person={short}&officer=clerk-1&decision=1");
        let before = number(
            &house,
            "SELECT COUNT(*) FROM trace_line WHERE action = 'trace.search'",
        )
        .await;
        let found = house.post("/audit", &auditor, &form).await;
        assert!(
            found.location.starts_with("/audit/results/"),
            "{}",
            found.body
        );
        let page = house.get(&found.location, &auditor).await;
        assert!(
            page.body.contains("記録を閲覧") && page.body.contains("clerk-1"),
            "{}",
            page.body
        );
        for name in [&kanji, &kana, &address_number] {
            assert!(!page.body.contains(name.as_str()), "{name}");
        }
        let after = number(
            &house,
            "SELECT COUNT(*) FROM trace_line WHERE action = 'trace.search'",
        )
        .await;
        assert_eq!(
            after,
            before + 2,
            "the search and the page of results are lines"
        );

        let file = format!("{}/file", found.location);
        let without = house.post(&file, &auditor, "reason=&encoding=utf-8").await;
        assert_eq!(without.status, StatusCode::BAD_REQUEST);
        let reason = encoded("定期監査");
        let csv = house
            .post(&file, &auditor, &format!("reason={reason}&encoding=utf-8"))
            .await;
        let csv = String::from_utf8(house.unlocked(&csv, &auditor).await).unwrap();
        assert!(
            csv.starts_with("\u{feff}\"行\",\"日時\",\"職員\"") && csv.contains("\r\n"),
            "{csv}"
        );
        assert!(csv.lines().last().unwrap().contains("出力番号"), "{csv}");

        let unknown = house
            .post("/audit", &auditor, "person=999999999999999")
            .await;
        assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
        let by_name = house
            .post("/audit", &auditor, &format!("person={}", encoded(&kanji)))
            .await;
        assert_eq!(by_name.status, StatusCode::BAD_REQUEST, "no search by name");
        let missing = house
            .get("/audit/alerts/00000000000000000000000000000007", &auditor)
            .await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND);

        for (login, status) in [
            ("clerk-1", StatusCode::FORBIDDEN),
            ("system-1", StatusCode::FORBIDDEN),
            ("kanri-1", StatusCode::FORBIDDEN),
            ("citizen-1", StatusCode::NOT_FOUND),
            ("vendor-1", StatusCode::NOT_FOUND),
        ] {
            let cookie = house.play(login).await;
            for page in ["/audit", "/audit/alerts"] {
                let answer = house.get(page, &cookie).await;
                assert_eq!(answer.status, status, "{login} {page}");
            }
            let theirs = house.get(&found.location, &cookie).await;
            assert_eq!(theirs.status, StatusCode::NOT_FOUND, "{login}");
        }
    })
    .await;
}

/// S0-72.
#[tokio::test]
async fn a_contractor_reads_what_the_system_did_and_nobodys_data() {
    each_demo(async |house| {
        let all = house
            .persons("status = 1 AND insured = 1 AND protected = 0")
            .await;
        let (person, names) = all[0].clone();
        let clerk = house.play("clerk-1").await;
        let path = format!("/residents/{person}");
        house
            .post(&format!("{path}/reason"), &clerk, "channel=counter")
            .await;
        house.get(&path, &clerk).await;
        for login in ["vendor-1", "system-1", "audit-1"] {
            let cookie = house.play(login).await;
            let page = house.get("/audit/operation", &cookie).await;
            assert_eq!(page.status, StatusCode::OK, "{login}: {}", page.body);
            let main = page.body.split("<main").nth(1).unwrap();
            assert!(main.contains("person.open"), "{main}");
            for other in ["clerk-1", "介護 はな", &person.to_string()] {
                assert!(!main.contains(other), "{other}");
            }
            assert!(!names.iter().any(|name| main.contains(name.as_str())));
            let day = house.get("/audit/operation?day=2999-01-01", &cookie).await;
            assert_eq!(day.status, StatusCode::BAD_REQUEST);
        }
        for login in ["clerk-1", "lead-1", "kanri-1"] {
            let cookie = house.play(login).await;
            let page = house.get("/audit/operation", &cookie).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{login}");
        }
        // Only while the contract holds, and only with what it names.
        let vendor = house.play("vendor-1").await;
        assert_eq!(
            house.get("/audit", &vendor).await.status,
            StatusCode::NOT_FOUND
        );
        let change = Statement::new("UPDATE identity_contract SET purposes = 'audit'", vec![]);
        let line = system_act(&house.instance, "contract.end", "test".into(), vec![change]);
        house.instance.trace.record(line).await.unwrap();
        let vendor = house.play("vendor-1").await;
        let page = house.get("/audit/operation", &vendor).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
    })
    .await;
}
