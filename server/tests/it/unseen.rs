//! "Not yours" never differs from "not there".

use axum::http::StatusCode;
use mimamori_gate::{Facts, Statement, subject_statement};
use mimamori_kernel::id::PersonId;

use crate::house::{each_demo, encoded};

#[tokio::test]
async fn not_yours_and_not_there_are_the_same_bytes() {
    each_demo(async |house| {
        let persons = house
            .persons("status = 1 AND insured = 1 AND protected = 0")
            .await;
        let hidden = house.persons("protected = 1").await;
        let nobody = PersonId::from_bytes([7; 16]).to_string();
        let ids = [
            nobody.clone(),
            "not-an-id".into(),
            "0".repeat(31),
            persons[1].0.to_string(),
            hidden[0].0.to_string(),
            // Not even the own record opens on the officers' page.
            persons[0].0.to_string(),
        ];
        for login in ["citizen-1", "vendor-1"] {
            let cookie = house.play(login).await;
            let first = house.get(&format!("/residents/{}", ids[0]), &cookie).await;
            assert_eq!(first.status, StatusCode::NOT_FOUND);
            for id in &ids {
                let answer = house.get(&format!("/residents/{id}"), &cookie).await;
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{login} {id}");
                assert_eq!(
                    answer.body.as_bytes(),
                    first.body.as_bytes(),
                    "{login} {id}"
                );
            }
        }
        let clerk = house.play("clerk-1").await;
        let missing = house.get(&format!("/residents/{nobody}"), &clerk).await;
        let wrong = house.get("/residents/not-an-id", &clerk).await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND);
        assert_eq!(
            (missing.status, missing.body.as_bytes()),
            (wrong.status, wrong.body.as_bytes())
        );
    })
    .await;
}

#[tokio::test]
async fn another_visitors_search_is_not_there() {
    each_demo(async |house| {
        let (_, [kanji, ..]) = house
            .persons("status = 1 AND insured = 1 AND protected = 0")
            .await[1]
            .clone();
        let clerk = house.play("clerk-1").await;
        let form = format!("kanji={}&channel=telephone", encoded(&kanji));
        let found = house.post("/residents/search", &clerk, &form).await;
        assert_eq!(
            house.get(&found.location, &clerk).await.status,
            StatusCode::OK
        );
        let lead = house.play("lead-1").await;
        let theirs = house.get(&found.location, &lead).await;
        for path in [
            format!("/residents/results/{}", PersonId::from_bytes([7; 16])),
            "/residents/results/not-an-id".into(),
            "/nowhere".into(),
        ] {
            let answer = house.get(&path, &lead).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
            assert_eq!(answer.body.as_bytes(), theirs.body.as_bytes(), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn who_comes_under_support_measures_leaves_a_search_by_address_that_is_still_open() {
    each_demo(async |house| {
        let (person, [kanji, ..]) = house
            .persons("status = 1 AND insured = 1 AND protected = 0 AND namesakes = 1")
            .await[0]
            .clone();
        let row = house.instance.db.fetch_one(
            "SELECT p.address, p.birth, s.mask FROM residents_person p JOIN gate_subject s ON s.person = p.person \
             WHERE p.person = ?",
            vec![person.bytes().into()],
        );
        let row = row.await.unwrap().unwrap();
        let form = format!(
            "address={}&birth={}&channel=telephone",
            encoded(row.text(0).unwrap()),
            row.text(1).unwrap()
        );
        let clerk = house.play("clerk-1").await;
        let found = house.post("/residents/search", &clerk, &form).await;
        let page = house.get(&found.location, &clerk).await;
        assert!(page.body.contains(&kanji), "{}", page.body);
        let facts = Facts(row.int(2).unwrap() | Facts::PROTECTED);
        let change = vec![subject_statement(&person, facts)];
        house.instance.trace.upkeep(change, true).await.unwrap();
        let page = house.get(&found.location, &clerk).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(!page.body.contains(&kanji), "{}", page.body);
    })
    .await;
}

#[tokio::test]
async fn the_history_of_a_protected_person_is_not_there_for_a_clerk_not_even_its_length() {
    each_demo(async |house| {
        let (person, _) = house.persons("protected = 1").await[0].clone();
        for (login, seen) in [("clerk-1", false), ("lead-1", true)] {
            let cookie = house.play(login).await;
            let path = format!("/residents/{person}");
            house
                .post(&format!("{path}/reason"), &cookie, "channel=counter")
                .await;
            let page = house.get(&path, &cookie).await;
            assert_eq!(page.status, StatusCode::OK, "{login}");
            let (_, history) = page.body.split_once("<h2>異動と住所の履歴</h2>").unwrap();
            assert_eq!(history.contains("<tbody>"), seen, "{login}: {history}");
            assert_eq!(history.contains("履歴は表示していません"), !seen, "{login}");
            let rule = "住所・電話番号・世帯・異動は、担当責任者と本人だけが見られます";
            assert_eq!(page.body.contains(rule), !seen, "{login}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_search_is_a_reason_only_for_whom_it_found() {
    each_demo(async |house| {
        let persons = house
            .persons("status = 1 AND protected = 0 AND namesakes = 1")
            .await;
        let [(one, [kanji, ..]), (other, [unseen, ..]), ..] = persons.as_slice() else {
            panic!("too few people");
        };
        let clerk = house.play("clerk-1").await;
        let form = format!("kanji={}&channel=telephone", encoded(kanji));
        let found = house.post("/residents/search", &clerk, &form).await;
        let result = found.location.rsplit('/').next().unwrap();
        house.get(&found.location, &clerk).await;
        let page = house
            .get(&format!("/residents/{one}?from={result}"), &clerk)
            .await;
        assert!(page.body.contains(kanji), "{}", page.body);
        let page = house
            .get(&format!("/residents/{other}?from={result}"), &clerk)
            .await;
        assert!(page.body.contains("/reason"), "{}", page.body);
        assert!(!page.body.contains(unseen), "{}", page.body);
    })
    .await;
}

#[tokio::test]
async fn the_household_list_does_not_tell_where_a_protected_person_lives() {
    each_demo(async |house| {
        let shared = "protected = 2 AND status = 1 AND household_number IN (SELECT h.household_number \
            FROM residents_person h WHERE h.protected = 1 AND h.generation = residents_person.generation)";
        let (person, _) = house.persons(shared).await[0].clone();
        let row = house.instance.db.fetch_one(
            "SELECT household_number FROM residents_person WHERE person = ?",
            vec![person.bytes().into()],
        );
        let number = row.await.unwrap().unwrap().text(0).unwrap().to_owned();
        let filter = format!("protected = 1 AND household_number = '{number}'");
        let (_, [hidden, ..]) = house.persons(&filter).await[0].clone();
        for (login, seen) in [("clerk-1", false), ("lead-1", true)] {
            let cookie = house.play(login).await;
            let path = format!("/residents/{person}");
            house.post(&format!("{path}/reason"), &cookie, "channel=counter").await;
            let page = house.get(&path, &cookie).await;
            assert_eq!(page.status, StatusCode::OK, "{login}");
            assert_eq!(page.body.contains(&hidden), seen, "{login}: {hidden}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_care_clerk_is_not_told_of_namesakes_who_are_only_household_members() {
    each_demo(async |house| {
        let alone = "status = 1 AND protected = 0 AND namesakes = 1";
        let (one, [kanji, _, number]) =
            house.persons(&format!("{alone} AND insured = 1")).await[0].clone();
        let (member, _) = house.persons(&format!("{alone} AND insured = 0")).await[0].clone();
        // The member takes the insured person's name; the register counts both.
        let same = "UPDATE residents_person SET namesakes = 2, \
            kanji_key = (SELECT n.kanji_key FROM residents_person n WHERE n.person = ?), \
            kana_key = (SELECT n.kana_key FROM residents_person n WHERE n.person = ?) \
            WHERE person IN (?, ?)";
        let args = [&one, &one, &one, &member]
            .map(|p| p.bytes().into())
            .to_vec();
        let change = vec![Statement::expecting(same, args, 2, "test")];
        house.instance.trace.upkeep(change, false).await.unwrap();
        let told = async |login: &str| {
            let cookie = house.play(login).await;
            let form = format!("number={number}&channel=counter");
            let found = house.post("/residents/search", &cookie, &form).await;
            let list = house.get(&found.location, &cookie).await.body;
            let result = found.location.rsplit('/').next().unwrap().to_owned();
            let record = house
                .get(&format!("/residents/{one}?from={result}"), &cookie)
                .await
                .body;
            assert!(
                list.contains(&kanji) && record.contains(&kanji),
                "{login}: {record}"
            );
            let many = record.contains("同じ氏名の人が2人います");
            assert_eq!(many, record.contains("同姓同名"), "{login}: {record}");
            (list.contains("同姓同名"), many)
        };
        assert_eq!(told("clerk-1").await, (true, true));
        assert_eq!(told("care-1").await, (false, false));
        // Once the other is insured too, the care clerk may find both, and is warned.
        let sql = "SELECT mask FROM gate_subject WHERE person = ?";
        let row = house
            .instance
            .db
            .fetch_one(sql, vec![member.bytes().into()]);
        let mask = row.await.unwrap().unwrap().int(0).unwrap();
        let change = vec![subject_statement(&member, Facts(mask | Facts::INSURED))];
        house.instance.trace.upkeep(change, true).await.unwrap();
        assert_eq!(told("care-1").await, (true, true));
    })
    .await;
}
