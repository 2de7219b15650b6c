//! Qualifications and cards over HTTP: an officer's steps, and what others cannot do.

use axum::http::StatusCode;
use mimamori_care_insurance::CareInsurance;
use mimamori_care_insurance::eligibility::{Codes, Method, Numbering};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::PersonId;
use mimamori_server::web::Site;
use mimamori_sheets::{Fonts, Press};

use crate::house::{Answer, House, each_demo, encoded};

pub async fn person(house: &House, filter: &str) -> PersonId {
    let sql =
        format!("SELECT person FROM care_insurance_person WHERE {filter} ORDER BY person LIMIT 1");
    let rows = house.instance.db.fetch(&sql, vec![]).await.unwrap();
    PersonId::from_bytes(rows.first().expect(filter).array(0).unwrap())
}

pub async fn count(house: &House, from: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM {from}");
    house.instance.db.fetch(&sql, vec![]).await.unwrap()[0]
        .int(0)
        .unwrap()
}

/// Lines of the trace with this action.
async fn acts(house: &House, action: &str) -> i64 {
    count(house, &format!("trace_line WHERE action = '{action}'")).await
}

pub fn opens(answer: &Answer) {
    assert!(
        matches!(answer.status, StatusCode::OK | StatusCode::SEE_OTHER),
        "{} {}",
        answer.status,
        answer.body
    );
}

/// Opens a person's page with a reason; the version on it.
pub async fn reasoned(house: &House, cookie: &str, person: &PersonId) -> String {
    let path = format!("/insurance/persons/{person}");
    let form = format!("reason=question&note={}", encoded("窓口での確認"));
    opens(&house.post(&format!("{path}/reason"), cookie, &form).await);
    let page = house.get(&path, cookie).await;
    opens(&page);
    let (_, rest) = page
        .body
        .split_once("name=\"version\" value=\"")
        .expect("version");
    rest.split('"').next().unwrap().to_owned()
}

/// The address of the PDF that a page offers.
pub fn paper_of(page: &str) -> String {
    let (_, rest) = page.split_once("href=\"/insurance/papers/").expect(page);
    format!("/insurance/papers/{}", rest.split('"').next().unwrap())
}

#[tokio::test]
async fn a_qualification_is_cancelled_and_restored_with_reason_and_history() {
    each_demo(async |house| {
        let cookie = house.play("clerk-1").await;
        let who = person(&house, "category = 1 AND protected = 0").await;
        let path = format!("/insurance/persons/{who}");
        // Without a reason there is only the question for one.
        assert!(
            house
                .get(&path, &cookie)
                .await
                .body
                .contains("理由を記録して開く")
        );
        let version = reasoned(&house, &cookie, &who).await;
        let form = |what: &str, version: &str, note: &str| {
            format!(
                "what={what}&number=1&version={version}&note={}",
                encoded(note)
            )
        };
        let bare = house
            .post(&path, &cookie, &form("cancel", &version, ""))
            .await;
        assert_eq!(bare.status, StatusCode::BAD_REQUEST);
        opens(
            &house
                .post(&path, &cookie, &form("cancel", &version, "重複した登録"))
                .await,
        );
        let page = house.get(&path, &cookie).await.body;
        assert!(
            page.contains("資格1を取消") && page.contains("資格なし"),
            "{page}"
        );
        // Somebody who still sees the page of before is told so.
        let late = house
            .post(&path, &cookie, &form("restore", &version, "誤り"))
            .await;
        assert_eq!(late.status, StatusCode::CONFLICT);
        let version = reasoned(&house, &cookie, &who).await;
        let twice = house
            .post(&path, &cookie, &form("cancel", &version, "もう一度"))
            .await;
        assert_eq!(twice.status, StatusCode::BAD_REQUEST);
        opens(
            &house
                .post(&path, &cookie, &form("restore", &version, "取消の誤り"))
                .await,
        );
        assert_eq!(acts(&house, "qualification.decide").await, 2);
        // The next derivation leaves the hand decision alone.
        mimamori_server::insurance::derive(&house.instance)
            .await
            .unwrap();
        assert!(
            house
                .get(&path, &cookie)
                .await
                .body
                .contains("職権の決定あり")
        );
    })
    .await;
}

#[tokio::test]
async fn a_card_is_shown_printed_once_and_returned() {
    each_demo(async |house| {
        let cookie = house.play("clerk-1").await;
        let who = person(
            &house,
            "category = 1 AND protected = 0 AND insured_number <> ''",
        )
        .await;
        let path = format!("/insurance/persons/{who}/card");
        let version = reasoned(&house, &cookie, &who).await;
        let print = format!("{path}/print");
        let note = format!("note={}", encoded("窓口で再交付"));
        // Nothing was ordered: nothing leaves, and no card is written down.
        let cards = count(&house, "care_insurance_card").await;
        assert_eq!(
            house.post(&print, &cookie, &note).await.status,
            StatusCode::CONFLICT
        );
        assert_eq!(count(&house, "care_insurance_card").await, cards);
        let order = format!("what=order&why=lost&version={version}");
        opens(&house.post(&path, &cookie, &order).await);
        let page = house.get(&path, &cookie).await.body;
        assert!(page.contains("紛失による再交付") && page.contains("様式は想定です"));
        let picture = house.get(&format!("{path}/picture"), &cookie).await;
        assert!(picture.body.contains("PNG"));
        let done = house.post(&print, &cookie, &note).await;
        assert_eq!(done.location, path, "{}", done.body);
        assert_eq!(count(&house, "care_insurance_card").await, cards + 1);
        // The page shows the issue and fetches the PDF by itself, once; the link is good for one file.
        let page = house.get(&path, &cookie).await.body;
        let paper = paper_of(&page);
        assert!(page.contains("http-equiv=\"refresh\"") && page.contains("交付の指示がないため"));
        assert_eq!(
            page.matches("紛失による再交付").count(),
            2,
            "the issue and the choice: {page}"
        );
        assert!(
            !page.contains(&house.instance.clock.now().office_day().to_string()),
            "no ISO date"
        );
        assert!(!house.get(&path, &cookie).await.body.contains("http-equiv"));
        let other = house.play("lead-1").await;
        assert_eq!(house.get(&paper, &other).await.status, StatusCode::CONFLICT);
        let pdf = house.get(&paper, &cookie).await;
        assert!(pdf.body.starts_with("%PDF-"), "{}", pdf.body);
        assert_eq!(
            house.get(&paper, &cookie).await.status,
            StatusCode::CONFLICT
        );
        assert!(
            !house
                .get(&path, &cookie)
                .await
                .body
                .contains("/insurance/papers/")
        );
        assert_eq!(
            house.post(&print, &cookie, &note).await.status,
            StatusCode::CONFLICT
        );
        for action in ["card.preview", "card.print", "card.change"] {
            assert!(acts(&house, action).await > 0, "{action}");
        }
        let version = reasoned(&house, &cookie, &who).await;
        let back = format!("what=return&why=replaced&number=1&version={version}");
        opens(&house.post(&path, &cookie, &back).await);
        assert!(
            house
                .get(&path, &cookie)
                .await
                .body
                .contains("再交付による差替え")
        );
    })
    .await;
}

#[tokio::test]
async fn a_batch_is_gathered_in_delivery_order_pulled_and_printed_without_protected_persons() {
    each_demo(async |house| {
        let cookie = house.play("clerk-1").await;
        // A dozen: setting a page takes its time without optimisation.
        let order = "UPDATE care_insurance_person SET card_wait = 1, card_reason = '様式の切替え' WHERE category = 1 AND \
                     (protected = 1 OR person IN (SELECT person FROM care_insurance_person WHERE category = 1 ORDER BY person LIMIT 12))";
        let step = mimamori_storage::Statement::new(order, vec![]);
        house.instance.trace.upkeep(vec![step], false).await.unwrap();
        opens(&house.post("/insurance/cards", &cookie, "").await);
        let hidden = "care_insurance_person WHERE batch = 'open' AND protected = 1";
        assert_eq!(count(&house, hidden).await, 0);
        assert!(count(&house, "care_insurance_person WHERE protected = 1 AND card_wait = 1").await > 0);
        let gathered = count(&house, "care_insurance_person WHERE batch = 'open'").await;
        assert!(gathered > 5);
        let page = house.get("/insurance/cards", &cookie).await.body;
        let sql = "SELECT insured_number FROM care_insurance_person WHERE batch = 'open' ORDER BY postal, address_key, kana_key, person";
        let rows = house.instance.db.fetch(sql, vec![]).await.unwrap();
        let places: Vec<usize> = rows.iter().map(|r| page.find(r.text(0).unwrap()).unwrap()).collect();
        assert!(places.is_sorted(), "delivery order");
        let one = person(&house, "batch = 'open'").await;
        opens(&house.post(&format!("/insurance/cards/pull/{one}"), &cookie, "").await);
        let again = house.post(&format!("/insurance/cards/pull/{one}"), &cookie, "").await;
        assert_eq!(again.status, StatusCode::CONFLICT);
        // Who comes under support measures after the gathering is not printed.
        let late = person(&house, "batch = 'open'").await;
        let mark = mimamori_storage::Statement::new(
            "UPDATE gate_subject SET mask = mask + 8, version = version + 1 WHERE person = ?",
            vec![late.bytes().into()],
        );
        house.instance.trace.upkeep(vec![mark], true).await.unwrap();
        let cards = count(&house, "care_insurance_card").await;
        let note = format!("note={}", encoded("定期の発送"));
        let done = house.post("/insurance/cards/print", &cookie, &note).await;
        assert_eq!(done.location, "/insurance/cards", "{}", done.body);
        let page = house.get("/insurance/cards", &cookie).await.body;
        let pdf = house.get(&paper_of(&page), &cookie).await;
        assert!(pdf.body.starts_with("%PDF-"), "{}", pdf.body);
        assert_eq!(count(&house, "care_insurance_card").await, cards + gathered - 2);
        let aside = "care_insurance_person WHERE card_wait = 2 AND batch = '' AND person IN (SELECT person FROM gate_subject WHERE (mask & 8) <> 0)";
        assert_eq!(count(&house, aside).await, 1);
        let batch = "trace_line WHERE action = 'card.batch' AND decision = 1";
        assert_eq!(count(&house, batch).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_protected_card_is_the_lead_officers_alone() {
    each_demo(async |house| {
        let who = person(&house, "category = 1 AND protected = 1").await;
        let path = format!("/insurance/persons/{who}/card");
        let clerk = house.play("clerk-1").await;
        reasoned(&house, &clerk, &who).await;
        let page = house.get(&path, &clerk).await.body;
        assert!(
            page.contains("支援措置の対象者です（同じ世帯・住所の人を含む）")
                && !page.contains("/card/picture")
        );
        for answer in [
            house.get(&format!("{path}/picture"), &clerk).await,
            house.post(&format!("{path}/print"), &clerk, "note=a").await,
            house
                .post(&path, &clerk, "what=order&why=lost&version=1")
                .await,
        ] {
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
        }
        let lead = house.play("lead-1").await;
        let version = reasoned(&house, &lead, &who).await;
        opens(
            &house
                .post(
                    &path,
                    &lead,
                    &format!("what=order&why=lost&version={version}"),
                )
                .await,
        );
        assert!(house.get(&path, &lead).await.body.contains("/card/picture"));
        opens(&house.post(&format!("{path}/print"), &lead, "note=a").await);
        let page = house.get(&path, &lead).await.body;
        let pdf = house.get(&paper_of(&page), &lead).await;
        assert!(pdf.body.starts_with("%PDF-"), "{}", pdf.body);
    })
    .await;
}

#[tokio::test]
async fn queues_and_files_are_counted_and_the_register_of_businesses_is_shown() {
    each_demo(async |house| {
        let cookie = house.play("clerk-1").await;
        for code in ["age", "moved", "unknown"] {
            opens(&house.get(&format!("/insurance/queues/{code}"), &cookie).await);
        }
        assert_eq!(house.get("/insurance/queues/other", &cookie).await.status, StatusCode::NOT_FOUND);
        let bare = house.post("/insurance/queues/moved", &cookie, "encoding=utf-8").await;
        assert_eq!(bare.status, StatusCode::BAD_REQUEST);
        let form = format!("encoding=utf-8&note={}", encoded("月次の確認"));
        let file = house.post("/insurance/queues/moved", &cookie, &form).await;
        let table = String::from_utf8(house.unlocked(&file, &cookie).await).unwrap();
        assert!(table.starts_with("\u{FEFF}\"被保険者番号\"") && table.contains("出力番号"), "{table}");
        assert_eq!(acts(&house, "qualification.download").await, 1);
        let page = house.get("/insurance/businesses", &cookie).await.body;
        assert!(page.contains("資格管理") && page.matches("台帳のみ").count() == 17);
        let number = house
            .instance
            .db
            .fetch("SELECT insured_number FROM care_insurance_person WHERE insured_number <> '' LIMIT 1", vec![])
            .await
            .unwrap()[0]
            .text(0)
            .unwrap()
            .to_owned();
        let found = house.post("/insurance", &cookie, &format!("number={number}")).await;
        assert!(found.body.contains("/insurance/persons/"), "{}", found.body);
        let bare = number.trim_start_matches('0');
        let found = house.post("/insurance", &cookie, &format!("number={bare}")).await;
        assert!(found.body.contains("/insurance/persons/"), "{}", found.body);
        let wrong = house.post("/insurance", &cookie, "number=12x").await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    })
    .await;
}

#[tokio::test]
async fn the_server_derives_each_night_and_the_lead_officer_when_needed() {
    each_demo(async |house| {
        let site = Site::new(&house.instance);
        let insurance = site.insurance.clone().unwrap();
        let runs = async || count(&house, "care_insurance_run").await;
        assert_eq!(runs().await, 1, "the house was derived when it was built");
        let today = house.instance.clock.now().office_day();
        let at = |days: i64, hour: i64| {
            let midnight = Instant::after_office_day(today).0 - 24 * 3_600_000_000;
            Instant(midnight + (24 * days + hour) * 3_600_000_000)
        };
        // Done today; tomorrow not before its hour, then once; a night that was missed is caught up.
        for (days, hour, runs_after) in [(0, 23, 1), (1, 1, 1), (1, 2, 2), (1, 3, 2), (4, 9, 3)] {
            let done = insurance.nightly(2, at(days, hour)).await.unwrap();
            assert_eq!(runs().await, runs_after, "day {days} hour {hour}");
            assert_eq!(done.is_some(), (hour == 2) || days == 4);
        }
        // Its lines name nobody.
        let alone =
            "trace_line WHERE action = 'eligibility.derive' AND decision = 1 AND actor NOT IN (SELECT id FROM identity_user)";
        assert!(count(&house, alone).await >= 3);
        let path = "/insurance/derivation";
        let clerk = house.play("clerk-1").await;
        assert_eq!(house.get(path, &clerk).await.status, StatusCode::FORBIDDEN);
        assert_eq!(
            house.post(path, &clerk, "").await.status,
            StatusCode::FORBIDDEN
        );
        let lead = house.play("lead-1").await;
        assert!(house.get("/insurance", &lead).await.body.contains(path));
        assert!(
            house
                .get(path, &lead)
                .await
                .body
                .contains("まだ計算していません")
        );
        opens(&house.post(path, &lead, "").await);
        for _ in 0..600 {
            if house.get(path, &lead).await.body.contains("終わった日時") {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        let page = house.get(path, &lead).await.body;
        assert!(
            page.contains("終わった日時") && page.contains("いま計算する"),
            "{page}"
        );
        assert_eq!(runs().await, 4);
        let ordered =
            "trace_line WHERE action = 'eligibility.derive' AND decision = 1 AND actor IN (SELECT id FROM identity_user WHERE login = 'lead-1')";
        assert!(count(&house, ordered).await >= 1);
    })
    .await;
}

#[tokio::test]
async fn without_the_insurers_settings_no_card_is_shown_printed_or_counted() {
    each_demo(async |mut house| {
        let mut site = Site::new(&house.instance);
        site.insurance = Some(CareInsurance::new(
            house.instance.gate.clone(),
            house.instance.clock.clone(),
            Press::new(Fonts::system().unwrap()),
            None,
            Codes::built_in().unwrap(),
            Numbering {
                method: Method::Manual,
                first: 1,
            },
            site.shelf.clone(),
        ));
        house.router = site.router();
        let cookie = house.play("clerk-1").await;
        let who = person(
            &house,
            "category = 1 AND protected = 0 AND insured_number <> ''",
        )
        .await;
        let path = format!("/insurance/persons/{who}/card");
        let version = reasoned(&house, &cookie, &who).await;
        let order = format!("what=order&why=lost&version={version}");
        opens(&house.post(&path, &cookie, &order).await);
        let cards = count(&house, "care_insurance_card").await;
        let page = house.get(&path, &cookie).await.body;
        assert!(
            page.contains("[care_insurance]") && page.contains("insurer_number"),
            "{page}"
        );
        assert!(!page.contains("/card/picture"), "nothing to look at");
        let note = format!("note={}", encoded("窓口で再交付"));
        opens(&house.post("/insurance/cards", &cookie, "").await);
        for path in [format!("{path}/print"), "/insurance/cards/print".into()] {
            let answer = house.post(&path, &cookie, &note).await;
            assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.body);
            assert!(answer.body.contains("insurer_name"), "{}", answer.body);
        }
        assert_eq!(count(&house, "care_insurance_card").await, cards);
        for action in ["card.print", "card.batch"] {
            assert_eq!(acts(&house, action).await, 0, "{action}");
        }
    })
    .await;
}
