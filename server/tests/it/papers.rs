//! Papers that the office gives out, and passwords of those who manage the system.

use axum::http::StatusCode;
use mimamori_server::init::reissue;

use crate::house::{House, each_demo, encoded};
use crate::people::{acts, decide, sign_in, slip, user, waiting};

async fn lines(house: &House, action: &str) -> i64 {
    let sql = "SELECT COUNT(*) FROM trace_line WHERE decision = 1 AND action = ?";
    let row = house.instance.db.fetch_one(sql, vec![action.into()]);
    row.await.unwrap().unwrap().int(0).unwrap()
}

#[tokio::test]
async fn a_certificate_of_registration_is_looked_at_printed_with_a_reason_and_counted() {
    each_demo(async |house| {
        let manager = house.play("kanri-1").await;
        let record = format!("/operations/people/{}", user(&house, "clerk-1").await);
        let at = format!("{record}/certificate");
        let page = house.get(&at, &manager).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        assert!(page.body.contains(&format!("{at}/picture")) && page.body.contains("様式は想定"));
        let picture = house.get(&format!("{at}/picture"), &manager).await;
        assert!(picture.body.contains("PNG"), "{}", picture.body);
        let bare = house.post(&at, &manager, "reason=").await;
        assert_eq!(bare.status, StatusCode::BAD_REQUEST);
        assert_eq!(lines(&house, "certificate.print").await, 0);
        let form = format!("reason={}", encoded("新しい利用者への交付"));
        let paper = house.post(&at, &manager, &form).await;
        assert!(paper.body.starts_with("%PDF-"), "{}", paper.body);
        assert_eq!(lines(&house, "certificate.print").await, 1);
        let history = house.get(&record, &manager).await.body;
        assert!(history.contains("登録済証の交付") && history.contains("新しい利用者への交付"));
        // Nobody prints the own one, nobody else prints any.
        let own = format!(
            "/operations/people/{}/certificate",
            user(&house, "kanri-1").await
        );
        for (cookie, path) in [(&manager, &own), (&house.play("clerk-1").await, &at)] {
            for answer in [
                house.get(path, cookie).await,
                house.get(&format!("{path}/picture"), cookie).await,
                house.post(path, cookie, &form).await,
            ] {
                assert_eq!(
                    answer.status,
                    StatusCode::FORBIDDEN,
                    "{path}: {}",
                    answer.body
                );
            }
        }
        // Who was stopped is not registered any more.
        let stop = format!("why=left&note={}", encoded("退職"));
        house.post(&format!("{record}/stop"), &manager, &stop).await;
        let late = house.post(&at, &manager, &form).await;
        assert_eq!(late.status, StatusCode::CONFLICT);
        assert!(late.body.contains("有効な任命がない"), "{}", late.body);
        assert_eq!(lines(&house, "certificate.print").await, 1);
    })
    .await;
}

#[tokio::test]
async fn the_person_takes_one_sheet_home_and_it_is_an_entry_itself() {
    each_demo(async |house| {
        let citizen = house.play("citizen-1").await;
        let before = lines(&house, "statement.own").await;
        let paper = house.get("/me/sheet.pdf", &citizen).await;
        assert!(paper.body.starts_with("%PDF-"), "{}", paper.body);
        assert_eq!(lines(&house, "statement.own").await, before + 1);
        let page = house.get("/me/sheet", &citizen).await.body;
        assert!(page.contains("見せていない記録: 0件") && page.contains("/me/sheet.pdf"));
        let clerk = house.play("clerk-1").await;
        let other = house.get("/me/sheet.pdf", &clerk).await;
        assert_eq!(other.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn the_password_of_who_manages_or_watches_is_given_anew_by_two_persons() {
    each_demo(async |house| {
        let (first, second) = (house.play("kanri-1").await, house.play("kanri-2").await);
        let record = format!("/operations/people/{}", user(&house, "audit-1").await);
        let at = format!("{record}/password");
        let page = house.get(&at, &first).await.body;
        assert!(
            page.contains("再発行を申請する") && !page.contains("value=\"reset\""),
            "{page}"
        );
        let form = format!("checked=call-back&reason={}", encoded("忘れた"));
        let alone = house.post(&at, &first, &format!("do=reset&{form}")).await;
        assert_eq!(alone.status, StatusCode::CONFLICT, "{}", alone.body);
        let unchecked = house.post(&at, &first, "do=propose&reason=x").await;
        assert_eq!(unchecked.status, StatusCode::BAD_REQUEST);
        let asked = house.post(&at, &first, &format!("do=propose&{form}")).await;
        assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
        let request = waiting(&house).await;
        let same = decide(&house, &first, request, "approved").await;
        assert_eq!(same.status, StatusCode::CONFLICT, "{}", same.body);
        let auditor = house.play("audit-1").await;
        let given = decide(&house, &second, request, "approved").await;
        let password = slip(&given);
        assert_eq!(
            house.get("/", &auditor).await.location,
            "/sign-in?ended=revoked"
        );
        let entered = sign_in(&house, "audit-1", &password).await;
        assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.body);
        let cookie = entered.cookie.unwrap();
        assert_eq!(house.get("/", &cookie).await.location, "/password");
        let history = house.get(&record, &second).await.body;
        assert!(
            history.contains("所属の代表電話へ折り返して確認"),
            "{history}"
        );
        assert!(!history.contains(&password));
        let acts = acts(&house).await;
        for act in ["password.propose", "request.decide"] {
            assert_eq!(acts.iter().filter(|a| *a == act).count(), 1, "{act}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_machine_gives_a_manager_a_new_initial_password_and_nobody_else() {
    each_demo(async |house| {
        let cookie = house.play("kanri-2").await;
        for login in ["clerk-1", "audit-1", "nobody-1"] {
            assert!(reissue(&house.instance, login).await.is_err(), "{login}");
        }
        assert_eq!(lines(&house, "administrator.reissue").await, 0);
        let password = reissue(&house.instance, "kanri-2").await.unwrap();
        assert_eq!(lines(&house, "administrator.reissue").await, 1);
        assert_ne!(house.get("/", &cookie).await.status, StatusCode::OK);
        let entered = sign_in(&house, "kanri-2", &password).await;
        assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.body);
        let cookie = entered.cookie.unwrap();
        assert_eq!(house.get("/", &cookie).await.location, "/password");
    })
    .await;
}
