//! Cards go to living people with a qualification of their own, and to nobody twice.

use axum::http::StatusCode;
use mimamori_kernel::id::PersonId;
use mimamori_storage::{Statement, Value};

use crate::desk::{ALONE, Desk, IN_FORCE, typed};
use crate::house::{House, each_demo};
use crate::insurance::{count, opens, paper_of, person, reasoned};

const FREE: &str = "category = 1 AND protected = 0 AND insured_number <> ''";

/// The first persons of a filter.
async fn persons<const N: usize>(house: &House, filter: &str) -> [PersonId; N] {
    let sql = format!(
        "SELECT person FROM care_insurance_person WHERE {filter} ORDER BY person LIMIT {N}"
    );
    let rows = house.instance.db.fetch(&sql, vec![]).await.unwrap();
    std::array::from_fn(|at| PersonId::from_bytes(rows[at].array(0).unwrap()))
}

/// Writes what an earlier version, or another process, could have left.
async fn write(house: &House, sql: &str, persons: &[PersonId]) {
    let args: Vec<Value> = persons.iter().map(|p| p.bytes().into()).collect();
    let step = Statement::new(sql, args);
    house.instance.trace.upkeep(vec![step], true).await.unwrap();
}

/// So many more insured persons of this room, like one of them.
pub async fn crowd(house: &House, like: &PersonId, more: u16) {
    let columns = "insured_number, kanji, kana, kana_key, birth, sex, postal, address, building, address_key, protected, category, \
        since, until, due_age, due_moved, due_unknown, question, card_wait, card_reason, batch, version";
    let insert = format!(
        "INSERT INTO care_insurance_person (person, {columns}) SELECT ?, {columns} FROM care_insurance_person WHERE person = ?"
    );
    let mut steps = vec![];
    for n in 0..more {
        let mut id = [0xEE; 16];
        id[..2].copy_from_slice(&n.to_be_bytes());
        let args = vec![PersonId::from_bytes(id).bytes().into(), like.bytes().into()];
        steps.push(Statement::new(insert.clone(), args));
        let fact = "INSERT INTO gate_subject (person, mask, version) VALUES (?, 17, 1)";
        let args = vec![PersonId::from_bytes(id).bytes().into()];
        steps.push(Statement::new(fact, args));
    }
    house.instance.trace.upkeep(steps, true).await.unwrap();
}

/// Whether somebody stands in the open batch.
async fn gathered(house: &House, person: &PersonId) -> bool {
    let sql = "SELECT batch FROM care_insurance_person WHERE person = ?";
    house.one(sql, person).await.text(0).unwrap() == "open"
}

/// Nobody dead, moved out or without a qualification gets a card, alone or in a batch; what was
/// gathered before leaves the batch.
#[tokio::test]
async fn nobody_without_a_qualification_gets_a_card() {
    each_demo(async |house| {
        let lead = house.play("lead-1").await;
        let lost = "category = 0 AND due_age = '' AND since <> '' AND protected = 0 AND insured_number <> ''";
        let gone = person(&house, lost).await;
        let path = format!("/insurance/persons/{gone}/card");
        let version = reasoned(&house, &lead, &gone).await;
        assert!(house.get(&path, &lead).await.body.contains("いま資格のない人です"));
        let order = format!("what=order&why=lost&version={version}");
        let refused = house.post(&path, &lead, &order).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert!(refused.body.contains("資格のない人（死亡・転出・統合された人を含む）"), "{}", refused.body);
        // As an earlier version could leave them: ordered, and gathered.
        let [standing, died] = persons(&house, FREE).await;
        let waits = "UPDATE care_insurance_person SET card_wait = 1, batch = 'open' WHERE person IN (?, ?, ?)";
        write(&house, waits, &[gone, standing, died]).await;
        let dead = "UPDATE gate_subject SET mask = mask - (mask & 19) + 2, version = version + 1 WHERE person = ?";
        write(&house, dead, &[died]).await;
        let cards = count(&house, "care_insurance_card").await;
        let alone = house.post(&format!("{path}/print"), &lead, "note=a").await;
        assert_eq!(alone.status, StatusCode::CONFLICT, "{}", alone.body);
        let done = house.post("/insurance/cards/print", &lead, "note=a").await;
        assert_eq!(done.location, "/insurance/cards", "{}", done.body);
        let page = house.get("/insurance/cards", &lead).await.body;
        let pdf = house.get(&paper_of(&page), &lead).await;
        assert!(pdf.body.starts_with("%PDF-"), "{}", pdf.body);
        assert_eq!(count(&house, "care_insurance_card").await, cards + 1);
        assert_eq!(count(&house, "care_insurance_person WHERE batch = 'open'").await, 0);
        opens(&house.post("/insurance/cards", &lead, "").await);
        assert!(!gathered(&house, &gone).await && !gathered(&house, &died).await, "not gathered again");
    })
    .await;
}

/// One human with two 宛名番号 is insured once, and the merged record does not hold the batch up.
#[tokio::test]
async fn a_merged_record_is_insured_no_more_and_leaves_the_batch() {
    each_demo(async |house| {
        let [kept, merged] = persons(&house, FREE).await;
        let waits = "UPDATE care_insurance_person SET card_wait = 1, batch = 'open' WHERE person IN (?, ?)";
        write(&house, waits, &[kept, merged]).await;
        let desk = Desk::open(&house, "lead-1", kept).await;
        let sql = "SELECT address_number FROM residents_person WHERE person = ? AND generation = (SELECT generation FROM residents_state WHERE one = 1)";
        let number = house.one(sql, &merged).await.text(0).unwrap().to_owned();
        let form = format!("step=write&number={number}&reason=duplicate");
        opens(&house.post(&format!("/residents/{kept}/merge"), &desk.cookie, &form).await);
        let cards = count(&house, "care_insurance_card").await;
        let done = house.post("/insurance/cards/print", &desk.cookie, "note=a").await;
        assert_eq!(done.location, "/insurance/cards", "{}", done.body);
        let page = house.get("/insurance/cards", &desk.cookie).await.body;
        let pdf = house.get(&paper_of(&page), &desk.cookie).await;
        assert!(pdf.body.starts_with("%PDF-"), "{}", pdf.body);
        assert_eq!(count(&house, "care_insurance_card").await, cards + 1, "one card for one human");
        assert!(!gathered(&house, &merged).await);
        opens(&house.post("/insurance/cards", &desk.cookie, "").await);
        assert!(!gathered(&house, &merged).await, "not gathered again");
        mimamori_server::insurance::derive(&house.instance).await.unwrap();
        let row = house.one("SELECT category FROM care_insurance_person WHERE person = ?", &merged).await;
        assert_eq!(row.int(0).unwrap(), 0);
        let open = "SELECT COUNT(*) FROM care_insurance_qualification WHERE cancelled = 0 AND person = ?";
        assert_eq!(house.one(open, &merged).await.int(0).unwrap(), 0, "closed");
        assert_eq!(house.one(open, &kept).await.int(0).unwrap(), 1);
        let why = "SELECT COUNT(*) FROM care_insurance_event WHERE words LIKE '%統合により取消%' AND person = ?";
        assert_eq!(house.one(why, &merged).await.int(0).unwrap(), 1, "with its reason");
    })
    .await;
}

/// The list of those who wait outside the batch follows the names: a place in the order of the
/// post would tell where a protected person lives.
#[tokio::test]
async fn the_order_of_the_list_tells_no_address_and_a_batch_holds_500() {
    each_demo(async |house| {
        let all = "UPDATE care_insurance_person SET card_wait = 1, batch = '', card_reason = '様式の切替え' WHERE category = 1";
        write(&house, all, &[]).await;
        let hide = "UPDATE care_insurance_person SET protected = 1 WHERE person IN (SELECT person FROM care_insurance_person \
                    WHERE category = 1 ORDER BY person LIMIT 12)";
        write(&house, hide, &[]).await;
        let cookie = house.play("clerk-1").await;
        let like = person(&house, FREE).await;
        crowd(&house, &like, 600).await;
        for _ in 0..2 {
            opens(&house.post("/insurance/cards", &cookie, "").await);
            assert_eq!(count(&house, "care_insurance_person WHERE batch = 'open'").await, 500);
        }
        let sql = "SELECT person FROM care_insurance_person WHERE category = 1 AND protected = 1 ORDER BY kana_key, person";
        let rows = house.instance.db.fetch(sql, vec![]).await.unwrap();
        let page = house.get("/insurance/cards", &cookie).await.body;
        let (_, aside) = page.split_once("1人ずつ印刷する人").unwrap();
        let place = |row: &mimamori_storage::Row| {
            let person = PersonId::from_bytes(row.array(0).unwrap());
            aside.find(&person.to_string()).unwrap()
        };
        let places: Vec<usize> = rows.iter().map(place).collect();
        assert!(places.len() > 1 && places.is_sorted(), "{places:?}");
    })
    .await;
}

/// FACTS B.2: lost on the day of the move itself when the other town counts from that day on; the
/// day is entered with the move and survives the next derivation.
#[tokio::test]
async fn who_is_a_resident_elsewhere_on_the_day_of_the_move_loses_on_that_day() {
    each_demo(async |house| {
        let sql = format!("{FREE} AND person IN (SELECT person FROM residents_person WHERE {IN_FORCE} AND {ALONE})");
        let movers: [PersonId; 2] = persons(&house, &sql).await;
        for (person, elsewhere, lost) in [
            (movers[0], "R081110", "2026-11-10"),
            (movers[1], "", "2026-11-11"),
        ] {
            let desk = Desk::open(&house, "clerk-1", person).await;
            let page = desk.form("move").await;
            let fields = [
                ("kind", "転出"),
                ("event_day", "R081110"),
                ("notified_day", "R081110"),
                ("moved_to", "別の市"),
                ("elsewhere", elsewhere),
            ];
            let early = [&fields[..4], &[("elsewhere", "R081109")]].concat();
            let wrong = desk.send("move", "check", &typed(&page.body, &early)).await;
            assert!(wrong.body.contains("異動日より前です"), "{}", wrong.body);
            let done = desk.send("move", "write", &typed(&page.body, &fields)).await;
            assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
            mimamori_server::insurance::derive(&house.instance).await.unwrap();
            let sql = "SELECT until FROM care_insurance_person WHERE person = ?";
            assert_eq!(house.one(sql, &person).await.text(0).unwrap(), lost);
        }
    })
    .await;
}

/// Nobody takes the first thousand for all: page and file say that there are more.
#[tokio::test]
async fn a_queue_of_more_than_a_thousand_says_so_on_the_page_and_in_the_file() {
    each_demo(async |house| {
        let cookie = house.play("clerk-1").await;
        let form = "encoding=utf-8&note=a";
        let told = "1000件を超えています。";
        let page = house.get("/insurance/queues/moved", &cookie).await.body;
        let file = house.post("/insurance/queues/moved", &cookie, form).await;
        let file = String::from_utf8(house.unlocked(&file, &cookie).await).unwrap();
        assert!(!page.contains(told) && !file.contains(told));
        let like = person(&house, "due_moved <> '' AND protected = 0").await;
        crowd(&house, &like, 1001).await;
        let page = house.get("/insurance/queues/moved", &cookie).await.body;
        assert!(page.contains(told), "{page}");
        let file = house.post("/insurance/queues/moved", &cookie, form).await;
        let file = String::from_utf8(house.unlocked(&file, &cookie).await).unwrap();
        let last = file.lines().last().unwrap();
        assert!(last.contains("出力番号") && last.contains(told), "{last}");
        assert_eq!(file.lines().count(), 1002);
    })
    .await;
}

/// A printed card is an entry of the office: whoever may only read prints none, alone or in a batch.
#[tokio::test]
async fn whoever_may_only_read_prints_no_card() {
    each_demo(async |house| {
        let person = person(&house, FREE).await;
        let wait =
            "UPDATE care_insurance_person SET card_wait = 1, batch = 'open' WHERE person = ?";
        write(&house, wait, &[person]).await;
        let narrow =
            "UPDATE identity_user SET write_scope = 0, epoch = epoch + 1 WHERE login = 'clerk-1'";
        house
            .instance
            .trace
            .upkeep(vec![Statement::new(narrow, vec![])], true)
            .await
            .unwrap();
        let clerk = house.play("clerk-1").await;
        let path = format!("/insurance/persons/{person}/card");
        reasoned(&house, &clerk, &person).await;
        let before = count(&house, "care_insurance_card").await;
        for way in [format!("{path}/print"), "/insurance/cards/print".into()] {
            let refused = house.post(&way, &clerk, "note=a").await;
            assert_eq!(
                refused.status,
                StatusCode::FORBIDDEN,
                "{way}: {}",
                refused.body
            );
        }
        assert_eq!(count(&house, "care_insurance_card").await, before);
        // What may only be read may be taken out as a list: nothing is entered with it.
        let list = house
            .post("/insurance/queues/moved", &clerk, "note=a")
            .await;
        assert_eq!(list.status, StatusCode::SEE_OTHER, "{}", list.body);
        // Nobody else's reason is kept before the gate was asked.
        let citizen = house.play("citizen-1").await;
        let form = "reason=question&note=";
        let told = house
            .post(
                &format!("/insurance/persons/{person}/reason"),
                &citizen,
                form,
            )
            .await;
        assert!(told.status.is_client_error(), "{}", told.status);
    })
    .await;
}

/// A look at somebody who stands in a queue has that as its case; at anybody else it has none (S0-45).
#[tokio::test]
async fn a_look_from_a_queue_carries_it_and_another_look_does_not() {
    each_demo(async |house| {
        let clerk = house.play("clerk-1").await;
        let waiting = "due_moved <> '' AND protected = 0 AND card_wait = 0";
        let settled = "category = 1 AND protected = 0 AND due_age = '' AND due_moved = '' AND due_unknown = '' \
                       AND card_old = '' AND card_wait = 0";
        for (filter, queued) in [(waiting, true), (settled, false)] {
            let person = person(&house, filter).await;
            reasoned(&house, &clerk, &person).await;
            let line = "SELECT policy FROM trace_line WHERE action = 'qualification.open' AND decision = 1 \
                        ORDER BY line DESC LIMIT 1";
            let row = house.instance.db.fetch_one(line, vec![]).await.unwrap().unwrap();
            let policy = row.text(0).unwrap();
            assert_eq!(policy.ends_with("case:queue"), queued, "{filter}: {policy}");
        }
    })
    .await;
}
