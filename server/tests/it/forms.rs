//! Forms that take something out: a missing reason is told beside its field, and the input stays.

use axum::http::StatusCode;

use crate::house::{Answer, each_demo, encoded};

/// The page tells `words` at `field` and still holds `input`.
fn told(answer: &Answer, field: &str, input: &str) {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
    let beside = format!("id=\"{field}-error\"");
    assert!(answer.body.contains(&beside), "{field}: {}", answer.body);
    assert!(
        answer.body.contains(&format!("href=\"#{field}\"")),
        "{field}"
    );
    assert!(answer.body.contains(input), "{input}: {}", answer.body);
}

#[tokio::test]
async fn a_missing_reason_is_told_beside_its_field_and_the_input_stays() {
    each_demo(async |house| {
        let cookie = house.play("clerk-1").await;
        let sql = "SELECT person FROM care_insurance_person WHERE category = 1 AND protected = 0 AND insured_number <> '' \
                   AND person IN (SELECT person FROM care_insurance_card) ORDER BY person LIMIT 14";
        let rows = house.instance.db.fetch(sql, vec![]).await.unwrap();
        let all: Vec<[u8; 16]> = rows.iter().map(|r| r.array(0).unwrap()).collect();
        for person in &all[..2] {
            let order = "UPDATE care_insurance_person SET card_wait = 1, card_reason = '様式の切替え' WHERE person = ?";
            let step = mimamori_storage::Statement::new(order, vec![person.as_slice().into()]);
            house.instance.trace.upkeep(vec![step], false).await.unwrap();
        }
        let who = mimamori_kernel::id::PersonId::from_bytes(all[0]);
        let path = format!("/insurance/persons/{who}");
        house.post(&format!("{path}/reason"), &cookie, "reason=question").await;
        let long = "あ".repeat(201);
        let note = format!("note={}", encoded(&long));
        // Print one, order again, take back.
        let print = format!("{path}/card/print");
        told(&house.post(&print, &cookie, "note=").await, "note", "印刷の理由");
        told(&house.post(&print, &cookie, &note).await, "note", &long);
        let card = format!("{path}/card");
        let order = house.post(&card, &cookie, "what=order&why=&version=1").await;
        told(&order, "why", "再交付の理由を選んでください");
        let back = house.post(&card, &cookie, "what=return&why=&number=1&version=1").await;
        told(&back, "returned-why", "<option value=\"1\" selected>");
        // A decision: what was typed for the day stays too.
        let end = format!("what=end&number=1&version=1&until={}&lost=31", encoded("R8.11.1"));
        let bare = house.post(&path, &cookie, &end).await;
        told(&bare, "note-1", "value=\"R8.11.1\"");
        assert!(bare.body.contains("<option value=\"31\" selected>"), "{}", bare.body);
        let wrong = "what=end&number=1&version=1&until=x&lost=31&note=a";
        told(&house.post(&path, &cookie, wrong).await, "until-1", "value=\"x\"");
        // The batch and the files.
        house.post("/insurance/cards", &cookie, "").await;
        let batch = house.post("/insurance/cards/print", &cookie, &note).await;
        told(&batch, "note", &long);
        let queue = format!("encoding=cp932&{note}");
        let file = house.post("/insurance/queues/moved", &cookie, &queue).await;
        told(&file, "note", &long);
        assert!(file.body.contains("<option value=\"cp932\" selected>"), "{}", file.body);
        let auditor = house.play("audit-1").await;
        let found = house.post("/audit", &auditor, "").await;
        let csv = format!("reason={}&encoding=cp932", encoded(&long));
        let path = format!("{}/file", found.location);
        let csv = house.post(&path, &auditor, &csv).await;
        told(&csv, "reason", &long);
        assert!(csv.body.contains("value=\"cp932\" checked"), "{}", csv.body);
        let taken = "SELECT COUNT(*) FROM trace_line WHERE action IN ('card.print', 'card.batch', 'qualification.download', 'trace.export')";
        let rows = house.instance.db.fetch(taken, vec![]).await.unwrap();
        assert_eq!(rows[0].int(0).unwrap(), 0, "nothing went out");
    })
    .await;
}

#[tokio::test]
async fn the_home_of_the_lead_officer_leads_to_entries_and_differences() {
    each_demo(async |house| {
        let cookie = house.play("lead-1").await;
        let page = house.get("/", &cookie).await.body;
        let (_, main) = page.split_once("<main").unwrap();
        for href in ["/residents/enter", "/residents/differences"] {
            assert!(main.contains(&format!("href=\"{href}\"")), "{href}");
        }
    })
    .await;
}
