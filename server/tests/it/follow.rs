//! What one room learns of another's change, over HTTP and on both engines.

use axum::http::StatusCode;
use mimamori_kernel::id::PersonId;
use mimamori_server::web::Site;

use crate::desk::{ALONE, Desk, IN_FORCE, body, typed};
use crate::house::{House, each_demo};

/// Enters somebody of this birth date on the screen; the address of the record.
async fn newcomer(house: &House, cookie: &str, number: &str, birth: &str) -> String {
    let fields = [
        ("kind", "転入"),
        ("event_day", "R081101"),
        ("notified_day", "R081102"),
        ("address_number", number),
        ("kanji", "新居 はるか"),
        ("kana", "ニイ ハルカ"),
        ("sex", "2"),
        ("birth", birth),
        ("foreigner", "0"),
        ("postal", "9990001"),
        ("address", "見守市桜町9丁目9番9号"),
        ("household_number", "9999999999"),
        ("relation", "世帯主"),
    ];
    let fields = fields.map(|(n, v)| (n.to_owned(), v.to_owned()));
    let done = house
        .post("/residents/enter", cookie, &body("write", &fields))
        .await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    done.location
}

#[tokio::test]
async fn a_newcomer_is_derived_soon_and_until_then_the_record_says_that_it_waits() {
    each_demo(async |house| {
        let insurance = Site::new(&house.instance).insurance.unwrap();
        let now = || house.instance.clock.now();
        assert_eq!(
            insurance.follow(now()).await.unwrap(),
            None,
            "nothing changed"
        );
        let cookie = house.play("clerk-1").await;
        let record = newcomer(&house, &cookie, "987654321098765", "S350401").await;
        let page = house.get(&record, &cookie).await.body;
        assert!(
            page.contains("資格の計算を待っています") && !page.contains("被保険者ではありません")
        );
        let person: PersonId = record.rsplit('/').next().unwrap().parse().unwrap();
        let theirs = format!("/insurance/persons/{person}");
        assert!(page.contains(&format!("href=\"{theirs}\"")), "{page}");
        let reason = format!("{theirs}/reason");
        house.post(&reason, &cookie, "reason=question").await;
        let waits = house.get(&theirs, &cookie).await;
        assert!(
            waits.body.contains("資格の計算を待っています"),
            "{}",
            waits.body
        );
        // Another process, as after a restart: what is due stands in the database.
        let again = Site::new(&house.instance).insurance.unwrap();
        let done = again.follow(now()).await.unwrap().expect("it is due");
        assert_eq!(done.changed, 1, "{done:?}");
        assert_eq!(insurance.follow(now()).await.unwrap(), None, "once");
        let page = house.get(&theirs, &cookie).await.body;
        assert!(page.contains("第1号（"), "{page}");
        assert!(page.contains(&format!("href=\"{record}\"")), "and back");
        let page = house.get(&record, &cookie).await.body;
        assert!(!page.contains("計算を待っています") && !page.contains("被保険者ではありません"));
        // Somebody of 40 is a member of a household, whatever is derived.
        let young = newcomer(&house, &cookie, "987654321098764", "S610401").await;
        let page = house.get(&young, &cookie).await.body;
        assert!(page.contains("被保険者ではありません"), "{page}");
        insurance.follow(now()).await.unwrap().expect("it is due");
        let path = young.replace("/residents/", "/insurance/persons/");
        let reason = format!("{path}/reason");
        house.post(&reason, &cookie, "reason=question").await;
        let none = house.get(&path, &cookie).await.body;
        assert!(
            none.contains("被保険者として扱う人ではありません"),
            "{none}"
        );
        // Only roles that may are led there.
        let care = house.play("care-1").await;
        let (insured, _) = house
            .persons("insured = 1 AND status = 1 AND protected = 0")
            .await[0]
            .clone();
        let desk = Desk {
            house: &house,
            cookie: care,
            person: insured,
        };
        let path = format!("/residents/{insured}/reason");
        house.post(&path, &desk.cookie, "channel=counter").await;
        let page = desk.record().await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(!page.body.contains("/insurance/"), "{}", page.body);
    })
    .await;
}

#[tokio::test]
async fn lists_mark_who_died_or_moved_out_and_not_whom_the_role_may_not_know() {
    each_demo(async |house| {
        let cookie = house.play("clerk-1").await;
        let list = async |number: &str| {
            let form = format!("number={number}&channel=counter");
            let found = house.post("/residents/search", &cookie, &form).await;
            house.get(&found.location, &cookie).await.body
        };
        for (state, word) in [(3, "死亡"), (2, "転出")] {
            let filter = format!("status = {state} AND protected = 0");
            let (_, [.., number]) = house.persons(&filter).await[0].clone();
            let page = list(&number).await;
            let badge = format!("badge-warning\">{word}</span>");
            assert!(page.contains(&badge), "{page}");
        }
        let (_, [.., number]) = house.persons(ALONE).await[0].clone();
        let page = list(&number).await;
        assert!(!page.contains(">死亡</span>") && !page.contains(">転出</span>"));
        let (person, [.., number]) = house.persons("protected = 1 AND status = 1").await[0].clone();
        let sql = format!("UPDATE residents_person SET status = 2 WHERE person = ? AND {IN_FORCE}");
        let step = mimamori_storage::Statement::new(sql, vec![person.bytes().into()]);
        house
            .instance
            .trace
            .upkeep(vec![step], false)
            .await
            .unwrap();
        assert!(
            !list(&number).await.contains(">転出</span>"),
            "the moves of a protected person"
        );
    })
    .await;
}

#[tokio::test]
async fn the_form_goes_on_naming_the_person_and_says_what_it_needs() {
    each_demo(async |house| {
        let (person, [kanji, ..]) = house.persons(ALONE).await[0].clone();
        let desk = Desk::open(&house, "clerk-1", person).await;
        let page = desk.form("move").await.body;
        let (_, head) = page.split_once("for=\"notified_day\"").unwrap();
        let head = head.split("</label>").next().unwrap();
        assert!(head.contains("必須"), "{head}");
        let days = [
            ("kind", "転居"),
            ("event_day", "R081102"),
            ("notified_day", "R081104"),
        ];
        let fields = typed(&page, &days);
        for (step, anew) in [("edit", &days[..]), ("write", &[("kind", "")])] {
            let fields: Vec<_> = fields
                .iter()
                .map(|(n, v)| {
                    let changed = anew.iter().find(|(name, _)| name == n);
                    (
                        n.clone(),
                        changed.map_or(v.clone(), |(_, v)| (*v).to_owned()),
                    )
                })
                .collect();
            let again = desk.send("move", step, &fields).await;
            assert!(
                again.body.contains(&format!("<p>{kanji}（")),
                "{step}: {}",
                again.body
            );
            assert!(again.body.contains("R081104"), "{step}: the input stays");
        }
    })
    .await;
}
