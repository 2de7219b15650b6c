//! An officer is linked to a resident by two persons, and the rules see his own record and household.

use axum::http::StatusCode;
use mimamori_kernel::id::PersonId;

use crate::house::{House, each_demo, encoded};
use crate::people::{decide, user, waiting};

async fn ties(house: &House, login: &str) -> Vec<(String, i64)> {
    let sql = "SELECT r.address_number, r.own FROM identity_resident r JOIN identity_user u ON u.id = r.user_id \
               WHERE u.login = ? ORDER BY r.own DESC, r.address_number";
    let rows = house.instance.db.fetch(sql, vec![login.into()]).await;
    let pair = |r: &mimamori_storage::Row| (r.text(0).unwrap().to_owned(), r.int(1).unwrap());
    rows.unwrap().iter().map(pair).collect()
}

/// Opens a record with a reception note, as ordinary work does.
async fn work_on(house: &House, cookie: &str, person: PersonId) {
    let path = format!("/residents/{person}");
    let note = format!("channel=counter&asker=self&matter={}", encoded("相談"));
    let written = house.post(&format!("{path}/note"), cookie, &note).await;
    assert_eq!(written.location, path, "{}", written.body);
    let page = house.get(&path, cookie).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
}

#[tokio::test]
async fn an_officer_linked_by_two_persons_is_alerted_on_the_own_record_and_the_household() {
    each_demo(async |house| {
        let all = house
            .persons("status = 1 AND insured = 1 AND protected = 0 AND namesakes = 1")
            .await;
        let (own, [_, _, number]) = all[20].clone();
        let (declared, [_, _, theirs]) = all[40].clone();
        let stranger = all[60].0;
        let (first, second) = (house.play("kanri-1").await, house.play("kanri-2").await);
        let record = format!("/operations/people/{}", user(&house, "clerk-1").await);
        let at = format!("{record}/resident");
        let wrong = house.post(&at, &first, "own-number=12x&reason=x").await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
        assert!(wrong.body.contains("own-number-error"), "{}", wrong.body);
        // A number that nobody has gets the very same answer as one of the register.
        let unknown = "own-number=999999999999999&reason=x";
        let nobody = house.post(&at, &first, unknown).await;
        let request = waiting(&house).await;
        decide(&house, &first, request, "withdrawn").await;
        let form = format!("own-number={number}&household-numbers={theirs}&reason=x");
        let asked = house.post(&at, &first, &form).await;
        assert_eq!(
            (asked.status, &asked.location, &asked.body),
            (nobody.status, &nobody.location, &nobody.body)
        );
        let request = waiting(&house).await;
        let page = house.get(&format!("/operations/requests/{request}"), &second).await;
        assert!(page.body.contains(&number) && page.body.contains(&theirs));
        let alone = decide(&house, &first, request, "approved").await;
        assert_eq!(alone.status, StatusCode::CONFLICT, "two persons");
        assert_eq!(ties(&house, "clerk-1").await, []);
        let clerk = house.play("clerk-1").await;
        decide(&house, &second, request, "approved").await;
        assert_eq!(
            ties(&house, "clerk-1").await,
            [(number.clone(), 1), (theirs.clone(), 0)]
        );
        // The request forgets the numbers, the registration shows none, the session goes on.
        let page = house.get(&format!("/operations/requests/{request}"), &second).await;
        assert!(!page.body.contains(&number), "{}", page.body);
        let page = house.get(&record, &first).await;
        assert!(page.body.contains("登録あり（同じ世帯の人1人）"), "{}", page.body);
        assert!(!page.body.contains(&number));
        for person in [own, declared, stranger] {
            work_on(&house, &clerk, person).await;
        }
        let auditor = house.play("audit-1").await;
        house.post("/audit/run", &auditor, "").await;
        let sql = "SELECT a.kind, a.subject FROM audit_alert a WHERE a.kind IN ('own-record', 'kin') ORDER BY a.kind DESC";
        let rows = house.instance.db.fetch(sql, vec![]).await.unwrap();
        let found: Vec<(String, Vec<u8>)> = rows
            .iter()
            .map(|r| (r.text(0).unwrap().to_owned(), r.bytes(1).unwrap().to_vec()))
            .collect();
        let token = |p| house.instance.trace.token(p).0.to_vec();
        assert_eq!(
            found,
            [("own-record".to_owned(), token(&own)), ("kin".to_owned(), token(&declared))]
        );
        let alerts = house.get("/audit/alerts", &auditor).await.body;
        for words in ["職員自身の記録の閲覧", "登録がある利用者 1人（11人のうち）"] {
            assert!(alerts.contains(words), "{words}: {alerts}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_new_users_link_is_approved_with_the_appointment() {
    each_demo(async |house| {
        let (first, second) = (house.play("kanri-1").await, house.play("kanri-2").await);
        let clerk = user(&house, "clerk-1").await;
        let account = house.instance.identity.account(&clerk).await.unwrap();
        let form = format!(
            "login=clerk-9&name={}&org={}&role=clerk&from=&until=&reason=x&own-number={}",
            encoded("新人 さくら"),
            account.unwrap().org.id,
            encoded("１２３４"),
        );
        let done = house.post("/operations/people/new", &first, &form).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.body);
        assert_eq!(ties(&house, "clerk-9").await, []);
        let request = waiting(&house).await;
        let page = house
            .get(&format!("/operations/requests/{request}"), &second)
            .await;
        assert!(page.body.contains("000000000001234"), "{}", page.body);
        decide(&house, &second, request, "approved").await;
        assert_eq!(
            ties(&house, "clerk-9").await,
            [("000000000001234".to_owned(), 1)]
        );
    })
    .await;
}

#[tokio::test]
async fn the_room_offers_only_what_the_gate_permits_and_outsiders_learn_nothing() {
    each_demo(async |house| {
        let (manager, auditor) = (house.play("kanri-1").await, house.play("audit-1").await);
        let at = format!("/operations/people/{}", user(&house, "clerk-1").await);
        let waits = format!("{at}/resident");
        house.post(&waits, &manager, "own-number=7&reason=x").await;
        let request = format!("/operations/requests/{}", waiting(&house).await);
        for (page, link) in [
            ("/operations/people", "/operations/people/new"),
            (at.as_str(), "/stop"),
            ("/operations/organisations", "/organisations/new"),
            ("/operations/contracts", "/contracts/new"),
            (request.as_str(), "name=\"do\""),
        ] {
            let offered = house.get(page, &manager).await.body;
            assert!(offered.contains(link), "{page}: {offered}");
            let read = house.get(page, &auditor).await;
            assert_eq!(read.status, StatusCode::OK, "{page}");
            assert!(!read.body.contains(link), "{page}: {}", read.body);
        }
        // A form stands under its menu entry.
        for form in ["/operations/people/new", waits.as_str()] {
            let page = house.get(form, &manager).await.body;
            assert!(
                page.contains("href=\"/operations/people\" aria-current=\"page\""),
                "{form}: {page}"
            );
        }
        for login in ["vendor-1", "citizen-1"] {
            let cookie = house.play(login).await;
            let nowhere = house.get("/nowhere", &cookie).await;
            for path in [
                "/residents/search",
                "/residents/imports",
                "/residents/differences",
                "/insurance",
                "/audit",
                "/operations/people",
            ] {
                let answer = house.get(path, &cookie).await;
                assert_eq!(
                    (answer.status, &answer.body),
                    (StatusCode::NOT_FOUND, &nowhere.body),
                    "{login} {path}"
                );
            }
        }
    })
    .await;
}
