//! What the office refuses when it is asked for, and what it tells before it is too late.

use axum::http::StatusCode;

use crate::house::{House, each_demo, encoded};
use crate::people::{decide, sign_in, slip, user, waiting};

async fn at(house: &House, login: &str, page: &str) -> String {
    let user = user(house, login).await;
    format!("/operations/people/{user}/{page}")
}

async fn count(house: &House, sql: &str) -> i64 {
    let row = house.instance.db.fetch_one(sql, vec![]).await.unwrap();
    row.unwrap().int(0).unwrap()
}

#[tokio::test]
async fn of_two_managers_who_review_one_user_the_second_is_told_and_changes_nothing() {
    each_demo(async |house| {
        let (first, second) = (house.play("kanri-1").await, house.play("kanri-2").await);
        let path = format!("/operations/reviews/{}", user(&house, "clerk-1").await);
        let open = house.get(&path, &second).await;
        assert_eq!(open.status, StatusCode::OK);
        let kept = house.post(&path, &first, "answer=keep").await;
        assert_eq!(kept.status, StatusCode::SEE_OTHER, "{}", kept.body);
        for form in ["answer=end&note=x", "answer=change&note=x", "answer=keep"] {
            let late = house.post(&path, &second, form).await;
            assert_eq!(late.status, StatusCode::CONFLICT, "{form}");
            assert!(late.body.contains("先に確認しました"), "{}", late.body);
        }
        let kept = "SELECT COUNT(*) FROM operations_review WHERE answer = 'keep'";
        assert_eq!(count(&house, kept).await, 1);
        let active = "SELECT COUNT(*) FROM identity_user WHERE login = 'clerk-1' AND active = 1";
        assert_eq!(
            count(&house, active).await,
            1,
            "nobody was stopped by the second"
        );
    })
    .await;
}

#[tokio::test]
async fn a_role_that_cannot_be_is_refused_beside_its_field_when_it_is_asked_for() {
    each_demo(async |house| {
        let (first, second) = (house.play("kanri-1").await, house.play("kanri-2").await);
        for (login, form, says) in [
            ("system-1", "role=auditor&reason=x", "兼ねられません"),
            ("audit-1", "role=clerk&reason=x", "兼ねられません"),
            ("clerk-1", "role=clerk&reason=x", "もう就いています"),
            (
                "clerk-1",
                "role=clerk&until=R10.3.31&reason=x",
                "もう就いています",
            ),
            (
                "kanri-2",
                "role=operations-manager&reason=x",
                "もう就いています",
            ),
        ] {
            let asked = house
                .post(&at(&house, login, "role").await, &first, form)
                .await;
            assert_eq!(asked.status, StatusCode::BAD_REQUEST, "{login} {form}");
            assert!(asked.body.contains("id=\"role-error\""), "{}", asked.body);
            assert!(asked.body.contains(says), "{login} {form}");
        }
        assert_eq!(
            count(&house, "SELECT COUNT(*) FROM operations_request").await,
            0
        );
        // A term can be made longer, and that gives no new password to whoever has one.
        let org = house
            .instance
            .identity
            .by_login("kanri-2")
            .await
            .unwrap()
            .unwrap()
            .org
            .id;
        let form = format!(
            "login=kanri-9&name={}&org={org}&role=operations-manager&until=R10.3.31&reason=x",
            encoded("管理 さくら"),
        );
        house.post("/operations/people/new", &first, &form).await;
        let given = slip(&decide(&house, &second, waiting(&house).await, "approved").await);
        let role = at(&house, "kanri-9", "role").await;
        let gap = "role=operations-manager&from=R10.4.1&until=R11.3.31&reason=x";
        let gap = house.post(&role, &first, gap).await;
        assert!(gap.body.contains("id=\"from-error\""), "{}", gap.body);
        let longer = "role=operations-manager&until=R11.3.31&reason=x";
        let asked = house.post(&role, &first, longer).await;
        assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
        let done = decide(&house, &second, waiting(&house).await, "approved").await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "no slip: {}", done.body);
        let entered = sign_in(&house, "kanri-9", &given).await;
        assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.body);
        // Asked for twice, the second approval finds the role given.
        for _ in 0..2 {
            let form = "role=lead-officer&reason=x";
            let path = at(&house, "clerk-1", "role").await;
            house.post(&path, &first, form).await;
        }
        let sql = "SELECT id FROM operations_request WHERE state = 'waiting'";
        let rows = house.instance.db.fetch(sql, vec![]).await.unwrap();
        let ids: Vec<_> = rows
            .iter()
            .map(|r| mimamori_kernel::id::RequestId::from_bytes(r.array(0).unwrap()))
            .collect();
        let done = decide(&house, &second, ids[0], "approved").await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        let twice = decide(&house, &second, ids[1], "approved").await;
        assert_eq!(twice.status, StatusCode::CONFLICT);
        assert!(twice.body.contains("もう就いています"), "{}", twice.body);
    })
    .await;
}

#[tokio::test]
async fn whoever_leaves_one_to_approve_is_told_and_says_that_he_knows() {
    each_demo(async |house| {
        let (first, second) = (house.play("kanri-1").await, house.play("kanri-2").await);
        let stop = at(&house, "kanri-2", "stop").await;
        let end = at(&house, "kanri-2", "role/end").await;
        let review = format!("/operations/reviews/{}", user(&house, "kanri-2").await);
        for path in [&stop, &format!("{end}?role=operations-manager")] {
            let page = house.get(path, &first).await.body;
            assert!(page.contains("承認できる人が1人だけ"), "{path}: {page}");
        }
        let others = house
            .get(&at(&house, "clerk-1", "stop").await, &first)
            .await;
        assert!(!others.body.contains("承認できる人が1人だけ"));
        for (path, form) in [
            (&stop, "why=left&note=x"),
            (&end, "role=operations-manager&reason=x"),
            (&review, "answer=end&note=x"),
        ] {
            let silent = house.post(path, &first, form).await;
            assert_eq!(silent.status, StatusCode::BAD_REQUEST, "{path}");
            assert!(silent.body.contains("id=\"few-error\""), "{}", silent.body);
        }
        // The own wish to leave asks the approver the same, and waits in sight of who said it.
        let none = house.get("/account", &second).await.body;
        assert!(!none.contains("承認待ち"), "{none}");
        let said = house.post("/account", &second, "reason=moved").await;
        assert_eq!(said.location, "/account", "{}", said.body);
        let own = house.get("/account", &second).await.body;
        assert!(
            own.contains("承認待ち") && own.contains("利用の終了を申し出ました"),
            "{own}"
        );
        let request = waiting(&house).await;
        let path = format!("/operations/requests/{request}");
        let silent = house.post(&path, &first, "do=approved").await;
        assert_eq!(silent.status, StatusCode::BAD_REQUEST);
        assert!(silent.body.contains("id=\"few-error\""), "{}", silent.body);
        let declined = house.post(&path, &first, "do=declined").await;
        assert_eq!(declined.status, StatusCode::SEE_OTHER, "{}", declined.body);
        let own = house.get("/account", &second).await.body;
        assert!(
            own.contains("却下（") && own.contains("利用の終了を申し出る"),
            "{own}"
        );
        let done = house.post(&stop, &first, "why=left&note=x&few-yes=1").await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    })
    .await;
}

#[tokio::test]
async fn a_system_administrator_is_told_whose_duty_an_approval_is() {
    each_demo(async |house| {
        let clerk = house.play("care-1").await;
        house.post("/account", &clerk, "reason=moved").await;
        let system = house.play("system-1").await;
        let no = decide(&house, &system, waiting(&house).await, "approved").await;
        assert_eq!(no.status, StatusCode::FORBIDDEN);
        assert!(
            no.body
                .contains("利用者の登録・申請・承認は、運営管理責任者"),
            "{}",
            no.body
        );
        assert!(!no.body.contains("個人の記録の中身"), "{}", no.body);
    })
    .await;
}
