//! What follows entries and decisions in 資格管理: who finds whom, cards, files, the queue.

use axum::http::StatusCode;
use mimamori_server::web::Site;

use crate::desk::{ALONE, Desk, IN_FORCE, typed};
use crate::hand::{MEMBER, care_opens, derive, write};
use crate::house::{each_demo, encoded};
use crate::insurance::{count, opens, paper_of, person, reasoned};

/// S0-05: the care clerk finds who became insured by the derivation, and no longer who ceased to be.
#[tokio::test]
async fn the_care_clerk_finds_who_turned_65_and_no_longer_who_left() {
    each_demo(async |house| {
        let care = house.play("care-1").await;
        let (who, [.., number]) = house.persons(MEMBER).await[0].clone();
        let finds = async || {
            let form = format!("number={number}&channel=counter");
            let found = house.post("/residents/search", &care, &form).await;
            house.get(&found.location, &care).await.body.contains(&who.to_string())
        };
        assert!(!finds().await && !care_opens(&house, &care, &who).await);
        let today = house.instance.clock.now().office_day();
        let born = mimamori_kernel::date::parse_any(&format!("{}-{:02}-{:02}", today.year() - 65, today.month(), today.day()));
        let sql = format!("UPDATE residents_person SET birth = ? WHERE person = ? AND {IN_FORCE}");
        write(&house, &sql, vec![born.unwrap().to_iso().into(), who.bytes().into()]).await;
        derive(&house).await;
        assert!(finds().await && care_opens(&house, &care, &who).await);
        let left = format!(
            "INSERT INTO residents_history SELECT generation, person, 99, '転出', '2026-11-10', '2026-11-10', '', '', '', '' \
             FROM residents_person WHERE person = ? AND {IN_FORCE}"
        );
        let gone = format!("UPDATE residents_person SET status = 2 WHERE person = ? AND {IN_FORCE}");
        for sql in [left, gone] {
            write(&house, &sql, vec![who.bytes().into()]).await;
        }
        derive(&house).await;
        assert!(!care_opens(&house, &care, &who).await, "ceased to be insured");
        // By a decision on the screen as well, at once.
        let stays = person(&house, "category = 1 AND protected = 0 AND person IN (SELECT person FROM gate_subject WHERE mask = 17)").await;
        assert!(care_opens(&house, &care, &stays).await);
        let clerk = house.play("clerk-1").await;
        let version = reasoned(&house, &clerk, &stays).await;
        let form = format!("what=cancel&number=1&version={version}&note=a");
        opens(&house.post(&format!("/insurance/persons/{stays}"), &clerk, &form).await);
        assert!(!care_opens(&house, &care, &stays).await);
        derive(&house).await;
        assert!(!care_opens(&house, &care, &stays).await, "the derivation keeps the decision");
    })
    .await;
}

/// After a move the card that is out is called old, and the next one bears the new address even before
/// the derivation has run over the town.
#[tokio::test]
async fn after_a_move_the_old_card_is_told_and_the_new_one_is_fresh() {
    each_demo(async |house| {
        let filter = format!("{ALONE} AND insured = 1 AND person IN (SELECT person FROM care_insurance_card) \
            AND person IN (SELECT person FROM care_insurance_person WHERE category = 1)");
        let (who, _) = house.persons(&filter).await[0].clone();
        let desk = Desk::open(&house, "clerk-1", who).await;
        let version = reasoned(&house, &desk.cookie, &who).await;
        let path = format!("/insurance/persons/{who}");
        let card = format!("{path}/card");
        opens(&house.post(&card, &desk.cookie, &format!("what=order&why=lost&version={version}")).await);
        let page = desk.form("move").await.body;
        let moved = typed(&page, &[
            ("kind", "転居"), ("event_day", "R081101"), ("notified_day", "R081102"), ("postal", "9990001"),
            ("address", "見守市桜町8丁目8番8号"), ("building", ""),
        ]);
        let done = desk.send("move", "write", &moved).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        // Printed before anybody derived: the row is brought up to date first.
        let sql = "SELECT address, card_old FROM care_insurance_person WHERE person = ?";
        assert!(!house.one(sql, &who).await.text(0).unwrap().contains("8丁目8番"));
        house.get(&card, &desk.cookie).await;
        let row = house.one(sql, &who).await;
        assert!(row.text(0).unwrap().contains("桜町8丁目8番8号"), "{}", row.text(0).unwrap());
        assert_eq!(row.text(1).unwrap(), "住所");
        for page in [&path, &card] {
            let page = house.get(page, &desk.cookie).await.body;
            assert!(page.contains("被保険者証の再交付が必要です"), "{page}");
        }
        let queue = house.get("/insurance/queues/reissue", &desk.cookie).await.body;
        assert!(queue.contains(&who.to_string()) && queue.contains("証の住所が違います"), "{queue}");
        let print = house.post(&format!("{card}/print"), &desk.cookie, "note=a").await;
        assert_eq!(print.location, card, "{}", print.body);
        let page = house.get(&card, &desk.cookie).await.body;
        assert!(house.get(&paper_of(&page), &desk.cookie).await.body.starts_with("%PDF-"));
        assert!(!house.get(&path, &desk.cookie).await.body.contains("再交付が必要"));
        // A row that stays behind the register is refused, alone and in a batch.
        let behind = "UPDATE care_insurance_person SET seen = 0, card_wait = 1, batch = 'open', version = version + 1 WHERE person = ?";
        write(&house, behind, vec![who.bytes().into()]).await;
        write(&house, "UPDATE care_insurance_run SET mark = 'x'", vec![]).await;
        let cards = count(&house, "care_insurance_card").await;
        let waiting = Site::new(&house.instance).insurance.unwrap();
        assert!(waiting.waits().await.unwrap());
        let refused = house.post("/insurance/cards/print", &desk.cookie, "note=a").await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
        assert!(refused.body.contains("古い住所や氏名の証を出さない"), "{}", refused.body);
        assert_eq!(count(&house, "care_insurance_card").await, cards);
    })
    .await;
}

/// A list as a file: what CP932 lacks is told by person and in all, zeros stay, and the last row says who, when and why.
#[tokio::test]
async fn a_list_as_a_file_tells_what_is_lost_and_keeps_zeros() {
    each_demo(async |house| {
        let cookie = house.play("clerk-1").await;
        let who = person(
            &house,
            "due_moved <> '' AND protected = 0 AND insured_number <> ''",
        )
        .await;
        write(
            &house,
            "UPDATE care_insurance_person SET kanji = '𠮷田 花子' WHERE person = ?",
            vec![who.bytes().into()],
        )
        .await;
        let page = house.get("/insurance/queues/moved", &cookie).await.body;
        assert!(
            page.contains("1人の氏名・住所などにCP932にない文字があります（U+20BB7）"),
            "{page}"
        );
        let note = encoded("月次の確認");
        let file = house
            .post(
                "/insurance/queues/moved",
                &cookie,
                &format!("encoding=utf-8&zeros=sheet&note={note}"),
            )
            .await;
        let file = String::from_utf8(house.unlocked(&file, &cookie).await).unwrap();
        let number = house
            .one(
                "SELECT insured_number FROM care_insurance_person WHERE person = ?",
                &who,
            )
            .await;
        let cell = format!("\"=\"\"{}\"\"\"", number.text(0).unwrap());
        assert!(file.contains(&cell), "{file}");
        let last = file.trim_end().lines().last().unwrap();
        for word in [
            "出力番号",
            "介護 はな",
            "目的: 介護保険に関する事務",
            "理由: 月次の確認",
            "1種類 1人（U+20BB7）",
        ] {
            assert!(last.contains(word), "{word}: {last}");
        }
        let row = file.lines().find(|l| l.contains("𠮷田")).unwrap();
        assert!(row.ends_with("\"U+20BB7\""), "{row}");
        let plain = house
            .post(
                "/insurance/queues/moved",
                &cookie,
                &format!("encoding=cp932&zeros=plain&note={note}"),
            )
            .await;
        let plain = house.unlocked(&plain, &cookie).await;
        let plain = String::from_utf8_lossy(&plain).into_owned();
        assert!(
            plain.contains(&format!("\"{}\"", number.text(0).unwrap())) && !plain.contains("=\"\""),
            "{plain}"
        );
    })
    .await;
}

/// What an officer decided against the register is asked about once, not for ever.
#[tokio::test]
async fn a_decision_against_the_register_is_settled_and_leaves_the_queue() {
    each_demo(async |house| {
        let cookie = house.play("clerk-1").await;
        let free = "category = 1 AND protected = 0 AND question = '' AND until = ''";
        let who = person(&house, free).await;
        let path = format!("/insurance/persons/{who}");
        let version = reasoned(&house, &cookie, &who).await;
        let queue = async || {
            let rows = house
                .one(
                    "SELECT due_unknown, settled FROM care_insurance_person WHERE person = ?",
                    &who,
                )
                .await;
            (
                !rows.text(0).unwrap().is_empty(),
                !rows.text(1).unwrap().is_empty(),
            )
        };
        let none = format!("what=settle&version={version}&note=a");
        assert_eq!(
            house.post(&path, &cookie, &none).await.status,
            StatusCode::CONFLICT,
            "there is nothing to settle"
        );
        let cancel = format!("what=cancel&number=1&version={version}&note=a");
        assert_eq!(
            house.post(&path, &cookie, &cancel).await.status,
            StatusCode::SEE_OTHER
        );
        assert_eq!(queue().await, (true, false));
        let page = house.get(&path, &cookie).await.body;
        assert!(page.contains("確かめたので処理待ちから外す"), "{page}");
        let (_, rest) = page.split_once("name=\"version\" value=\"").unwrap();
        let version: i64 = rest.split('"').next().unwrap().parse().unwrap();
        let bare = house
            .post(
                &path,
                &cookie,
                &format!("what=settle&version={version}&note="),
            )
            .await;
        assert_eq!(bare.status, StatusCode::BAD_REQUEST);
        assert!(bare.body.contains("id=\"note-0-error\""), "{}", bare.body);
        let form = format!("what=settle&version={version}&note=a");
        assert_eq!(
            house.post(&path, &cookie, &form).await.status,
            StatusCode::SEE_OTHER
        );
        assert_eq!(queue().await, (false, true));
        mimamori_server::insurance::derive(&house.instance)
            .await
            .unwrap();
        assert_eq!(queue().await, (false, true), "the night leaves it");
        let page = house.get(&path, &cookie).await.body;
        assert!(
            page.contains("確かめた記録があります") && page.contains("処理待ちから外す"),
            "{page}"
        );
    })
    .await;
}
