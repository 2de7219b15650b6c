//! One person alone never comes into the place of a second manager (S4-28, S4-74).

use axum::http::StatusCode;

use crate::house::{each_demo, encoded};
use crate::people::{decide, sign_in, slip, user, waiting};

/// Whoever comes to manage the system gets the password from the approver: the asker's slip, or a
/// password that the asker could have set with it, opens nothing (S4-28, S4-74).
#[tokio::test]
async fn nobody_makes_himself_a_second_manager_with_the_slip_of_a_registration_or_a_reset() {
    each_demo(async |house| {
        let (first, second) = (house.play("kanri-1").await, house.play("kanri-2").await);
        let kanri = user(&house, "kanri-2").await;
        let account = house.instance.identity.account(&kanri).await.unwrap();
        let org = account.unwrap().org.id;
        let form = format!(
            "login=kanri-9&name={}&org={org}&role=operations-manager&from=&until=&reason=x",
            encoded("管理 さくら"),
        );
        let asked = slip(&house.post("/operations/people/new", &first, &form).await);
        let request = waiting(&house).await;
        let at = format!("/operations/requests/{request}");
        let page = house.get(&at, &second).await.body;
        assert!(page.contains("初期パスワードがこの画面に一度だけ"));
        let given = slip(&decide(&house, &second, request, "approved").await);
        assert_ne!(asked, given);
        let old = sign_in(&house, "kanri-9", &asked).await;
        assert_eq!(old.status, StatusCode::BAD_REQUEST, "the asker's slip");
        let entered = sign_in(&house, "kanri-9", &given).await;
        assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.body);
        // The other way: a clerk's password reset alone, made an own one, and then the appointment.
        let (login, clerk) = (
            "office-9",
            format!("login=office-9&name=x&org={org}&role=clerk&from=&until=&reason=x"),
        );
        house.post("/operations/people/new", &first, &clerk).await;
        decide(&house, &second, waiting(&house).await, "approved").await;
        let at = format!("/operations/people/{}", user(&house, login).await);
        let to = format!("{at}/password");
        let reset = house.post(&to, &first, "checked=known&reason=x").await;
        let asked = slip(&reset);
        let cookie = sign_in(&house, login, &asked).await.cookie.unwrap();
        let own = "kawaranai-yama-17-umi";
        let token = house.token("/password", &cookie).await;
        let new = format!("csrf={token}&old={asked}&new={own}&again={own}");
        house.send("POST", "/password", &cookie, &new).await;
        let held = house
            .instance
            .identity
            .by_login(login)
            .await
            .unwrap()
            .unwrap();
        assert!(
            !held.password_initial,
            "the asker set a password of his own"
        );
        let to = format!("{at}/role/end");
        let ended = house.post(&to, &first, "role=clerk&reason=x").await;
        assert_eq!(ended.status, StatusCode::SEE_OTHER);
        let form = "role=auditor&from=&until=&reason=x";
        house.post(&format!("{at}/role"), &first, form).await;
        let given = slip(&decide(&house, &second, waiting(&house).await, "approved").await);
        let old = sign_in(&house, login, own).await;
        assert_eq!(old.status, StatusCode::BAD_REQUEST, "the asker's password");
        let entered = sign_in(&house, login, &given).await;
        assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.body);
    })
    .await;
}
