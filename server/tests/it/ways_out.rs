//! What leaves on paper or in files is counted by user and day, up to a cap.

use axum::http::StatusCode;
use mimamori_audit::action::TRACE_EXPORT;
use mimamori_gate::{DailyCap, Gate, GateError, Hidden, Purpose, Reason, Refused, Taken};
use mimamori_identity::{DemoGrant, Role, Visitor};
use mimamori_kernel::clock::Instant;
use mimamori_server::web::Site;

use crate::house::{House, each_demo, encoded};

async fn auditor(house: &House) -> Visitor {
    let identity = &house.instance.identity;
    let account = identity.by_login("audit-1").await.unwrap().unwrap();
    let grant = DemoGrant::from_environment("demo").unwrap();
    let signed = identity.open_for_demo(grant, &account, Role::Auditor);
    signed.unwrap().visitor
}

/// Takes out so many lines; the stamp's own number of them.
async fn take(gate: &Gate, visitor: &Visitor, records: u32, at: Instant) -> Result<u32, GateError> {
    let permit = gate.audit(visitor, TRACE_EXPORT, Purpose::Audit).await?;
    let why = Reason("定期監査".into());
    let taken = permit.take_out(Hidden::nothing(), |()| records, why, at);
    Ok(taken.await?.1.persons)
}

fn refused(answer: Result<u32, GateError>) -> Refused {
    match answer {
        Err(GateError::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_a_user_takes_out_is_counted_by_day_and_nothing_leaves_beyond_the_cap() {
    each_demo(async |house| {
        let cap = DailyCap {
            documents: 3,
            records: 10,
        };
        let gate = house.instance.gate.clone().with_daily_cap(cap);
        let visitor = auditor(&house).await;
        let now = house.instance.clock.now();
        let taken = async || gate.taken(&visitor.user, now).await.unwrap();
        let counts = |documents, records| Taken { documents, records };
        assert_eq!(taken().await, Taken::default());
        assert_eq!(take(&gate, &visitor, 4, now).await.unwrap(), 4);
        assert_eq!(taken().await, counts(1, 4));
        // Too many persons: told so, with a line, and not counted.
        let sql = "SELECT COUNT(*) FROM trace_line WHERE action = 'trace.export' AND decision = 0 \
                   AND policy = 'daily-cap'";
        let lines = async || {
            let row = house.instance.db.fetch_one(sql, vec![]).await.unwrap();
            row.unwrap().int(0).unwrap()
        };
        let told = refused(take(&gate, &visitor, 7, now).await);
        for part in [
            "1日3回・10件まで",
            "きょうは1回・4件",
            "この出力は7件",
            "想定",
        ] {
            assert!(told.sentence.contains(part), "{}", told.sentence);
        }
        assert!(told.clauses[0].ends_with("（S4-92）"), "{told:?}");
        assert_eq!((taken().await, lines().await), (counts(1, 4), 1));
        // Two at the same time of which one fits.
        let (one, two) = tokio::join!(take(&gate, &visitor, 5, now), take(&gate, &visitor, 5, now));
        assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);
        refused(one.and(two));
        assert_eq!((taken().await, lines().await), (counts(2, 9), 2));
        // Too many documents.
        take(&gate, &visitor, 0, now).await.unwrap();
        refused(take(&gate, &visitor, 0, now).await);
        assert_eq!(taken().await, counts(3, 9));
        // The first print of a day is judged too; the day is the office's.
        let tomorrow = Instant::after_office_day(now.office_day());
        refused(take(&gate, &visitor, 11, tomorrow).await);
        take(&gate, &visitor, 10, tomorrow).await.unwrap();
        assert_eq!(taken().await, counts(3, 9));
    })
    .await;
}

#[tokio::test]
async fn the_user_sees_the_own_count_and_the_auditor_everybodys() {
    each_demo(async |mut house| {
        let cap = DailyCap {
            documents: 1,
            records: 1000,
        };
        house.instance.gate = house.instance.gate.clone().with_daily_cap(cap);
        house.router = Site::new(&house.instance).router();
        let cookie = house.play("audit-1").await;
        let home = house.get("/", &cookie).await.body;
        assert!(!home.contains("きょうのあなたの出力"), "{home}");
        let empty = house.get("/audit/out", &cookie).await.body;
        assert!(empty.contains("この日の出力はありません"), "{empty}");
        let found = house.post("/audit", &cookie, "action=session.open").await;
        let page = house.get(&found.location, &cookie).await.body;
        assert!(
            page.contains("きょうのあなたの出力: 0回・0件（1日1回・1000件まで）"),
            "{page}"
        );
        let file = format!("{}/file", found.location);
        let form = format!("reason={}&encoding=utf-8", encoded("定期監査"));
        let csv = house.post(&file, &cookie, &form).await;
        let table = String::from_utf8(house.unlocked(&csv, &cookie).await).unwrap();
        // Rows of the file without its heading and its stamp.
        let rows = table.lines().count() - 2;
        let second = house.post(&file, &cookie, &form).await;
        assert_eq!(second.status, StatusCode::FORBIDDEN);
        for part in [
            "1日1回・1000件まで".to_owned(),
            format!("きょうは1回・{rows}件"),
            "運用管理規程（未定稿） 7.2(1) 情報の複製と持出し（S4-92）".into(),
        ] {
            assert!(second.body.contains(&part), "{part}: {}", second.body);
        }
        let told = format!("きょうのあなたの出力（印刷・ファイル）: 1回・{rows}件");
        let home = house.get("/", &cookie).await.body;
        assert!(home.contains(&told), "{told}: {home}");
        let list = house.get("/audit/out", &cookie).await.body;
        for part in [
            "audit-1".to_owned(),
            format!("<td>1</td><td>{rows}</td>"),
            "上限".into(),
        ] {
            assert!(list.contains(&part), "{part}: {list}");
        }
        let before = house.get("/audit/out?day=2020-01-01", &cookie).await.body;
        assert!(before.contains("この日の出力はありません"), "{before}");
        for day in ["2999-01-01", "yesterday"] {
            let answer = house.get(&format!("/audit/out?day={day}"), &cookie).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{day}");
        }
        let clerk = house.play("clerk-1").await;
        let answer = house.get("/audit/out", &clerk).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    })
    .await;
}

#[tokio::test]
async fn a_file_is_locked_handed_over_once_and_to_the_session_that_made_it() {
    each_demo(async |house| {
        let cookie = house.play("audit-1").await;
        let found = house.post("/audit", &cookie, "action=session.open").await;
        let form = format!("reason={}&encoding=utf-8", encoded("定期監査"));
        let path = format!("{}/file", found.location);
        let made = house.post(&path, &cookie, &form).await;
        // Somebody else finds neither the page nor the file, and takes nothing away.
        let other = house.play("citizen-1").await;
        for path in [made.location.clone(), format!("{}/file", made.location)] {
            let told = house.get(&path, &other).await;
            assert_eq!(told.status, StatusCode::CONFLICT, "{path}");
            assert!(!told.body.contains("<dt>パスワード"), "{}", told.body);
        }
        let table = house.unlocked(&made, &cookie).await;
        assert!(table.starts_with(&[0xEF, 0xBB, 0xBF]));
        let again = house.get(&format!("{}/file", made.location), &cookie).await;
        assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.body);
        let page = house.get(&made.location, &cookie).await.body;
        assert!(
            page.contains("<dt>パスワード") && page.contains("保存しました"),
            "{page}"
        );
    })
    .await;
}
