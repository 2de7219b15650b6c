//! The contract register: clauses with due days, the checklist with its probes, the closing day.

use axum::http::StatusCode;
use mimamori_kernel::id::{ContractId, RequestId};
use mimamori_oversight::controls::CONTROLS;

use crate::handover::{TABLE, moved};
use crate::house::{House, each_demo, encoded};
use crate::oversight::case;
use crate::rules::sources;

async fn count(house: &House, sql: &str) -> i64 {
    let row = house.instance.db.fetch_one(sql, vec![]).await.unwrap();
    row.unwrap().int(0).unwrap()
}

/// The first open obligation of a clause.
async fn owed(house: &House, contract: ContractId, clause: i64) -> String {
    let sql = "SELECT id FROM oversight_obligation WHERE contract = ? AND clause = ? AND done_at = 0 ORDER BY due LIMIT 1";
    let args = vec![contract.bytes().into(), clause.into()];
    let row = house.instance.db.fetch_one(sql, args).await.unwrap();
    let id = RequestId::from_bytes(row.expect("owed").array(0).unwrap());
    format!("/oversight/obligations/{id}")
}

/// The row of a table that begins with these words.
fn row<'a>(body: &'a str, words: &str) -> &'a str {
    let at = body
        .find(words)
        .unwrap_or_else(|| panic!("{words}: {body}"));
    body[at..].split("</tr>").next().unwrap()
}

#[tokio::test]
async fn a_contract_in_the_register_owes_its_21_clauses_and_each_is_recorded_once() {
    each_demo(async |house| {
        let (_, contract) = case(&house).await;
        let first = house.play("kanri-1").await;
        let at = format!("/oversight/contracts/{contract}");
        let page = house.get(&at, &first).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        for words in [
            "1 基本的事項",
            "13 個人情報を取り扱う従事者の指定",
            "21 損害の賠償",
            "プライバシーマーク",
        ] {
            assert!(page.body.contains(words), "{words}: {}", page.body);
        }
        // What only happens is not owed before: 21 clauses, five of them such.
        let sql = "SELECT COUNT(*) FROM oversight_obligation";
        assert_eq!(count(&house, sql).await, 16);
        let pledge = owed(&house, contract, 2).await;
        let form = house.get(&pledge, &first).await.body;
        assert!(form.contains("契約の終了後も続きます"), "{form}");
        let done = format!("done=R8.4.1&evidence={}", encoded("誓約書 第1号"));
        let bare = house.post(&pledge, &first, "done=R8.4.1&evidence=").await;
        assert_eq!(bare.status, StatusCode::BAD_REQUEST);
        let late = house.post(&pledge, &first, "done=R99.4.1&evidence=x").await;
        assert!(late.body.contains("id=\"done-error\""), "{}", late.body);
        let ok = house.post(&pledge, &first, &done).await;
        assert_eq!(ok.status, StatusCode::SEE_OTHER, "{}", ok.body);
        let twice = house.post(&pledge, &first, &done).await;
        assert_eq!(twice.status, StatusCode::CONFLICT);
        assert!(
            house
                .get(&pledge, &first)
                .await
                .body
                .contains("誓約書 第1号")
        );
        // Something happens: the town's own words give the day.
        let words = "at-once=0&promptly=2&without-delay=10";
        let wrong = house
            .post(
                "/oversight/words",
                &first,
                "at-once=0&promptly=x&without-delay=1",
            )
            .await;
        assert!(
            wrong.body.contains("id=\"promptly-error\""),
            "{}",
            wrong.body
        );
        let set = house.post("/oversight/words", &first, words).await;
        assert_eq!(set.status, StatusCode::SEE_OTHER, "{}", set.body);
        let event = format!("{at}/enter/event");
        let form = format!(
            "clause=19&day=R8.11.20&cause={}",
            encoded("媒体の紛失のおそれ")
        );
        let told = house.post(&event, &first, &form).await;
        assert_eq!(told.status, StatusCode::SEE_OTHER, "{}", told.body);
        let sql =
            "SELECT COUNT(*) FROM oversight_obligation WHERE clause = 19 AND due = '2026-11-22'";
        assert_eq!(count(&house, sql).await, 1, "速やかに is 2 days now");
        // Clause 11 of document 003 begins with the contract's end alone.
        let no = form.replace("clause=19", "clause=11");
        let no = house.post(&event, &first, &no).await;
        assert!(no.body.contains("id=\"clause-error\""), "{}", no.body);
        // The auditor reads the queue and records nothing.
        let auditor = house.play("audit-1").await;
        let queue = house.get("/oversight/obligations", &auditor).await;
        assert!(
            queue.body.contains("19 事故発生時等における報告"),
            "{}",
            queue.body
        );
        let no = house
            .post(&owed(&house, contract, 1).await, &auditor, &done)
            .await;
        assert_eq!(no.status, StatusCode::FORBIDDEN);
    })
    .await;
}

#[tokio::test]
async fn a_line_that_the_software_enforces_is_red_while_it_does_not_hold_and_the_lost_line_is_told()
{
    each_demo(async |house| {
        let (case, contract) = case(&house).await;
        let (first, second) = (house.play("kanri-1").await, house.play("kanri-2").await);
        let at = format!("{case}/checklist");
        let page = house.get(&at, &first).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        assert!(
            page.body.contains("○ 76、- 0、未回答 0（全76行）"),
            "{}",
            page.body
        );
        assert!(row(&page.body, ">I2-S1<").contains("原文欠落"));
        // No TLS and no backup in this house; people and clauses are in the register.
        assert!(row(&page.body, ">K1-S3<").contains("badge-danger"));
        assert!(row(&page.body, ">K1-S9<").contains("badge-danger"));
        assert!(row(&page.body, ">K1-S8<").contains("badge-success"));
        assert!(row(&page.body, ">I1-U3<").contains("badge-success"));
        assert!(
            !row(&page.body, ">I2-U3<").contains("badge"),
            "no program sees the partner's side"
        );
        // The handler leaves: the line turns red.
        let sql = "SELECT id FROM oversight_person WHERE duty = 'handler'";
        let found = house.instance.db.fetch_one(sql, vec![]).await.unwrap();
        let person = RequestId::from_bytes(found.unwrap().array(0).unwrap());
        let people = format!("/oversight/contracts/{contract}/people");
        let ended = house
            .post(&people, &first, &format!("person={person}"))
            .await;
        assert_eq!(ended.status, StatusCode::SEE_OTHER, "{}", ended.body);
        let again = house
            .post(&people, &first, &format!("person={person}"))
            .await;
        assert_eq!(again.status, StatusCode::NOT_FOUND);
        let page = house.get(&at, &first).await.body;
        assert!(row(&page, ">I1-U3<").contains("badge-danger"), "{page}");
        let person = format!("/oversight/contracts/{contract}/enter/person");
        let form = format!("duty=handler&name={}&trained=R8.11.1", encoded("見本 二郎"));
        house.post(&person, &first, &form).await;
        let page = house.get(&at, &first).await.body;
        assert!(row(&page, ">I1-U3<").contains("badge-success"), "{page}");
        // Answered by one, looked at by another; a new answer is looked at anew.
        let line = format!("{at}/I1-U8");
        let form = format!(
            "do=answer&answer=no-need&evidence={}",
            encoded("紙を扱わない")
        );
        assert_eq!(
            house
                .post(&line, &first, "do=answer&answer=x&evidence=")
                .await
                .status,
            StatusCode::BAD_REQUEST
        );
        house.post(&line, &first, &form).await;
        let own = house.post(&line, &first, "do=review").await;
        assert_eq!(own.status, StatusCode::CONFLICT);
        assert!(own.body.contains("自分の回答"), "{}", own.body);
        let seen = house.post(&line, &second, "do=review").await;
        assert_eq!(seen.status, StatusCode::SEE_OTHER, "{}", seen.body);
        let reviewed = "SELECT COUNT(*) FROM oversight_answer WHERE reviewed_at > 0";
        assert_eq!(count(&house, reviewed).await, 1);
        house.post(&line, &first, &form).await;
        assert_eq!(count(&house, reviewed).await, 0);
        let pdf = house.post(&at, &first, "do=print").await;
        assert!(pdf.body.starts_with("%PDF-"), "{}", pdf.body);
        for wrong in ["I2-S12", "K1-U6", "x"] {
            let none = house.get(&format!("{at}/{wrong}"), &first).await;
            assert_eq!(none.status, StatusCode::NOT_FOUND, "{wrong}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_closing_day_is_red_until_everything_is_true_and_a_renewal_shows_what_differs() {
    each_demo(async |house| {
        let (_, contract) = case(&house).await;
        let first = house.play("kanri-1").await;
        let at = format!("/oversight/contracts/{contract}/closing");
        let page = house.get(&at, &first).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        // The handover counts what is out; a package that was asked for stands in the way until it is closed.
        assert!(!page.body.contains("未確認"), "{}", page.body);
        assert!(page.body.contains("閉じていない受渡しはありません"));
        let clerk = house.play("clerk-1").await;
        moved(&house.ask(&clerk, ("medium", "slip"), TABLE).await);
        let page = house.get(&at, &first).await;
        assert!(
            page.body.contains("閉じていない受渡しが1件あります"),
            "{}",
            page.body
        );
        assert!(row(&page.body, "返還と消去証明書の提出").contains("badge-danger"));
        assert!(!page.body.contains("契約を閉じる</button>"));
        let no = house.post(&at, &first, "do=close").await;
        assert_eq!(no.status, StatusCode::CONFLICT);
        assert!(no.body.contains("まだ済んでいない"), "{}", no.body);
        assert_eq!(
            count(&house, "SELECT COUNT(*) FROM oversight_closing").await,
            0
        );
        for clause in [11, 12] {
            let path = owed(&house, contract, clause).await;
            house.post(&path, &first, "done=R8.11.20&evidence=x").await;
        }
        let page = house.get(&at, &first).await.body;
        assert!(
            row(&page, "返還と消去証明書の提出").contains("badge-success"),
            "{page}"
        );
        let renewal = format!("/oversight/contracts/{contract}/renewal");
        let page = house.get(&renewal, &first).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        for words in [
            "令和9年4月1日",
            "次の契約",
            "業務委託シート",
            "委託先の取扱責任者 見本 責任（見本）",
            "認証 ISO27001",
        ] {
            assert!(page.body.contains(words), "{words}: {}", page.body);
        }
        let clerk = house.play("clerk-1").await;
        assert_eq!(house.get(&at, &clerk).await.status, StatusCode::FORBIDDEN);
    })
    .await;
}

#[tokio::test]
async fn the_control_table_names_tests_that_exist() {
    let rust = sources(".rs");
    for control in CONTROLS.iter().filter(|c| !c.test.is_empty()) {
        let head = format!("fn {}(", control.test);
        assert!(
            rust.iter().any(|t| t.contains(&head)),
            "{}: {}",
            control.measure,
            control.test
        );
    }
    let house = crate::house::demo(None).await;
    let auditor = house.play("audit-1").await;
    let page = house.get("/oversight/controls", &auditor).await;
    assert!(page.body.contains("ソフトウェアが守る"), "{}", page.body);
}
