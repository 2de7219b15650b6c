//! An institution's staff list is put in at once by one and approved by another (S4-52).

use axum::http::StatusCode;

use crate::house::{Answer, House, each_demo, encoded};

/// An organisation to which the list belongs.
async fn institution(house: &House, manager: &str) -> String {
    let form = format!("name={}&kind=institution", encoded("見守の里"));
    let done = house
        .post("/operations/organisations/new", manager, &form)
        .await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    let sql = "SELECT id FROM identity_org WHERE kind = 'institution'";
    let rows = house.instance.db.fetch(sql, vec![]).await.unwrap();
    mimamori_kernel::id::OrgId::from_bytes(rows[0].array(0).unwrap()).to_string()
}

async fn list(house: &House, cookie: &str, org: &str, mode: &str, file: &[u8]) -> Answer {
    let token = house.token("/operations/batches/new", cookie).await;
    let parts = [
        ("org", org.as_bytes()),
        ("applicant", "施設長".as_bytes()),
        ("reason", "利用開始".as_bytes()),
        ("mode", mode.as_bytes()),
        ("lines", b"".as_slice()),
        ("file", file),
    ];
    house
        .upload("/operations/batches/new", cookie, &token, &parts)
        .await
}

async fn count(house: &House, sql: &str) -> i64 {
    let row = house.instance.db.fetch_one(sql, vec![]).await.unwrap();
    row.unwrap().int(0).unwrap()
}

const GOOD: &str = "ID,氏名,役割,最初の日,最後の日\r\nsato-1,見守 はな,業務利用者,,\r\nsato-2,見守 太郎,利用機関管理責任者,,R20.3.31\r\n";
const USERS: &str = "SELECT COUNT(*) FROM identity_user WHERE login LIKE 'sato-%'";

#[tokio::test]
async fn a_staff_list_becomes_accounts_slips_and_certificates_when_a_second_manager_approves() {
    each_demo(async |house| {
        let (first, second) = (house.play("kanri-1").await, house.play("kanri-2").await);
        let template = house.get("/operations/batches/template", &first).await;
        assert_eq!(template.body, "\u{feff}ID,氏名,役割,最初の日,最後の日\r\n");
        let org = institution(&house, &first).await;
        let given = list(&house, &first, &org, "all", GOOD.as_bytes()).await;
        assert_eq!(given.status, StatusCode::SEE_OTHER, "{}", given.body);
        let at = given.location;
        assert_eq!(count(&house, USERS).await, 0, "nobody before the approval");
        let own = house.get(&at, &first).await.body;
        assert!(own.contains("入力した人は承認できません") && !own.contains("value=\"approved\""));
        let alone = house.post(&at, &first, "do=approved").await;
        assert_eq!(alone.status, StatusCode::CONFLICT, "{}", alone.body);
        let page = house.get(&at, &second).await.body;
        assert!(page.contains("見守 はな") && page.contains("value=\"approved\""), "{page}");
        let paper = house.post(&at, &second, "do=approved").await;
        assert!(paper.body.starts_with("%PDF-"), "{}", paper.body);
        assert_eq!(count(&house, USERS).await, 2);
        let roles = "SELECT COUNT(*) FROM identity_user_role r JOIN identity_user u ON u.id = r.user_id \
                     WHERE u.login LIKE 'sato-%' AND u.password_initial = 1 AND r.role IN ('institution', 'institution-manager')";
        assert_eq!(count(&house, roles).await, 2);
        let issued = "SELECT COUNT(*) FROM trace_line WHERE action = 'batch.issue' AND decision = 1";
        assert_eq!(count(&house, issued).await, 1);
        let out = "SELECT records FROM gate_out";
        assert_eq!(count(&house, out).await, 2, "two users left on paper");
        let twice = house.post(&at, &second, "do=approved").await;
        assert_eq!(twice.status, StatusCode::CONFLICT);
        let after = house.get(&at, &first).await.body;
        assert!(after.contains("運営 たかし") && !after.contains("value=\"approved\""), "{after}");
    })
    .await;
}

#[tokio::test]
async fn wrong_rows_are_told_by_row_item_and_reason_and_nothing_or_the_good_goes_in() {
    each_demo(async |house| {
        let manager = house.play("kanri-1").await;
        let org = institution(&house, &manager).await;
        let mixed = format!("{GOOD}clerk-1,使われたID,業務利用者,,\r\nsato-4,,業務利用者,,\r\nsato-5,監査 人,監査責任者,,\r\n");
        let (cp932, _, _) = encoding_rs::SHIFT_JIS.encode(&mixed);
        let all = list(&house, &manager, &org, "all", &cp932).await;
        assert_eq!(all.status, StatusCode::BAD_REQUEST);
        for told in ["4行目 ID: このIDは使われています", "5行目 氏名", "6行目 役割"] {
            assert!(all.body.contains(told), "{told}: {}", all.body);
        }
        assert_eq!(count(&house, "SELECT COUNT(*) FROM operations_batch").await, 0);
        let good = list(&house, &manager, &org, "good", &cp932).await;
        assert_eq!(good.status, StatusCode::OK, "{}", good.body);
        assert!(good.body.contains("正しい行の2人を申請しました") && good.body.contains("4行目"));
        let entries = "SELECT COUNT(*) FROM operations_batch_entry";
        assert_eq!(count(&house, entries).await, 2);
        for (file, told) in [
            (b"".as_slice(), "名簿のファイルを選ぶか"),
            (b"\xff\xff\x81".as_slice(), "文字を読み取れません"),
            (b"ID,\xe6\xb0\x8f\xe5\x90\x8d\n".as_slice(), "名簿に人がいません"),
        ] {
            let refused = list(&house, &manager, &org, "all", file).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST);
            assert!(refused.body.contains(told), "{told}: {}", refused.body);
        }
        let huge = list(&house, &manager, &org, "all", &vec![b'a'; 300 * 1024]).await;
        assert_eq!(huge.status, StatusCode::PAYLOAD_TOO_LARGE);
        for login in ["clerk-1", "audit-1", "system-1"] {
            let cookie = house.play(login).await;
            for path in ["/operations/batches/new", "/operations/batches/template"] {
                let answer = house.get(path, &cookie).await;
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{login} {path}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_list_that_was_overtaken_registers_nobody_and_is_declined_or_taken_back() {
    each_demo(async |house| {
        let (first, second) = (house.play("kanri-1").await, house.play("kanri-2").await);
        let org = institution(&house, &first).await;
        let at = list(&house, &first, &org, "all", GOOD.as_bytes())
            .await
            .location;
        let same = list(&house, &first, &org, "all", GOOD.as_bytes())
            .await
            .location;
        let done = house.post(&at, &second, "do=approved").await;
        assert!(done.body.starts_with("%PDF-"), "{}", done.body);
        let late = house.post(&same, &second, "do=approved").await;
        assert_eq!(late.status, StatusCode::CONFLICT);
        assert!(late.body.contains("合わなくなりました"), "{}", late.body);
        assert_eq!(count(&house, USERS).await, 2);
        let own = house.post(&same, &first, "do=declined").await;
        assert_eq!(
            own.status,
            StatusCode::CONFLICT,
            "one takes back, another declines"
        );
        let back = house.post(&same, &first, "do=withdrawn").await;
        assert_eq!(back.status, StatusCode::SEE_OTHER, "{}", back.body);
    })
    .await;
}
