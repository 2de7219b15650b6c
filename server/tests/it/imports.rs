//! Import on the screen: from the upload to the list of errors, and who may not come near.

use std::collections::BTreeSet;
use std::path::PathBuf;

use axum::http::StatusCode;
use mimamori_kernel::random::SystemRandom;
use mimamori_residents::Residents;
use mimamori_storage::Value;
use mimamori_testkit::{Dirty, TownArgs, write_dirty_town, write_town};

use crate::house::{Answer, House, demo, each_demo, encoded};

const PEOPLE: u32 = 3_000;

struct Files {
    dir: tempfile::TempDir,
    dirty: Dirty,
}

fn files() -> Files {
    let dir = tempfile::tempdir().unwrap();
    let args = TownArgs {
        people: PEOPLE,
        ..TownArgs::default()
    };
    let dirty = write_dirty_town(&args, 50_000, dir.path()).unwrap();
    Files { dir, dirty }
}

impl Files {
    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.dir.path().join(name)).unwrap()
    }
}

impl House {
    async fn staged(&self, cookie: &str, files: &[(&str, &[u8])]) -> Answer {
        let token = self.token("/residents/imports", cookie).await;
        self.upload("/residents/imports/files", cookie, &token, files)
            .await
    }

    /// Looks until the import ended.
    async fn ended(&self, path: &str, cookie: &str) -> Answer {
        for _ in 0..600 {
            let page = self.get(path, cookie).await;
            assert_eq!(page.status, StatusCode::OK, "{}", page.body);
            if !page.body.contains("進み具合") {
                return page;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("the import does not end");
    }

    async fn lines(&self, action: &str) -> i64 {
        let sql = "SELECT COUNT(*) FROM trace_line WHERE action = ?";
        let row = self.instance.db.fetch_one(sql, vec![action.into()]).await;
        row.unwrap().unwrap().int(0).unwrap()
    }

    async fn in_force(&self) -> i64 {
        let sql = "SELECT COUNT(*) FROM residents_person WHERE generation = (SELECT generation FROM residents_state WHERE one = 1)";
        let row = self.instance.db.fetch_one(sql, vec![]).await;
        row.unwrap().unwrap().int(0).unwrap()
    }
}

/// The rows of a download: file, row, item, code.
fn downloaded(body: &str) -> BTreeSet<(String, u64, String, String)> {
    let rows = body.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        let row = cells[1].parse().unwrap();
        (cells[0].into(), row, cells[2].into(), cells[4].into())
    });
    rows.collect()
}

#[tokio::test]
async fn a_lead_officer_sees_every_planted_error_and_takes_the_good_rows() {
    each_demo(async |house| {
        let files = files();
        // The files' people are others than the demo's: nobody has the number of one of them.
        for table in ["residents_person", "residents_number"] {
            let anew =
                format!("UPDATE {table} SET address_number = '99' || SUBSTR(address_number, 3)");
            let step = mimamori_storage::Statement::new(anew, vec![]);
            house
                .instance
                .trace
                .upkeep(vec![step], false)
                .await
                .unwrap();
        }
        let lead = house.play("lead-1").await;
        let (residents, households) = (files.read("residents.csv"), files.read("households.csv"));
        let sent = [
            ("residents", residents.as_slice()),
            ("households", &households),
        ];
        let answer = house.staged(&lead, &sent).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        let here = answer.location.clone();
        let draft = house.get(&here, &lead).await;
        assert!(
            draft.body.contains("<option value=\"cp932\" selected>"),
            "{}",
            draft.body
        );
        assert!(
            draft
                .body
                .contains("<option value=\"0\" selected>1列 宛名番号</option>")
        );
        assert!(
            draft
                .body
                .contains("id=\"check-digit\" name=\"check-digit\" value=\"yes\" checked")
        );

        // The preview shows names, after its line.
        let before = house.lines("import.preview").await;
        let keep = format!(
            "check-digit=yes&mode=all&keep-name={}&act=keep",
            encoded("住基の月次")
        );
        assert_eq!(
            house.post(&here, &lead, &keep).await.status,
            StatusCode::SEE_OTHER
        );
        let look = house
            .post(&here, &lead, "check-digit=yes&mode=all&act=preview")
            .await;
        assert_eq!(
            (look.status, house.lines("import.preview").await),
            (StatusCode::OK, before + 1)
        );
        assert!(look.body.contains("世帯主"), "{}", look.body);
        let draft = house.get(&here, &lead).await;
        assert!(
            draft.body.contains("<option value=\"住基の月次\">"),
            "{}",
            draft.body
        );

        // All or nothing: nothing.
        let start = house
            .post(&here, &lead, "check-digit=yes&mode=all&act=start")
            .await;
        assert_eq!(start.location, here, "{}", start.body);
        let page = house.ended(&here, &lead).await;
        assert!(
            page.body.contains("誤りがあり、取り込みませんでした"),
            "{}",
            page.body
        );
        assert_eq!(house.in_force().await, 300);
        let list = house.get(&format!("{here}/findings?as=utf8"), &lead).await;
        let planted = files
            .dirty
            .planted
            .iter()
            .map(|p| (p.file.into(), p.row, p.item.into(), p.code.into()));
        assert_eq!(downloaded(&list.body), planted.collect());

        // Good rows only.
        let again = house
            .post(&here, &lead, "check-digit=yes&mode=good&act=start")
            .await;
        assert_eq!(again.location, here, "{}", again.body);
        let page = house.ended(&here, &lead).await;
        assert!(page.body.contains("取り込みました"), "{}", page.body);
        assert!(house.in_force().await > i64::from(PEOPLE) - 200);
        let folder = house.instance.dir.join("staging");
        let folder = folder.join(here.rsplit('/').next().unwrap());
        for _ in 0..100 {
            if !folder.exists() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert!(!folder.exists(), "the files of a town stay");
        let history = house.get("/residents/imports", &lead).await;
        assert!(history.body.contains("取り込みました"), "{}", history.body);
    })
    .await;
}

#[tokio::test]
async fn nobody_else_comes_near_and_a_missing_import_is_like_any_missing_page() {
    let house = demo(None).await;
    let (lead, clerk) = (house.play("lead-1").await, house.play("clerk-1").await);
    let sent = house
        .staged(&lead, &[("residents", b"a,b\r\n1,2\r\n")])
        .await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    let tail = ["", "/findings"];
    for path in tail.map(|t| format!("{}{t}", sent.location)) {
        let refused = house.get(&path, &clerk).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
    }
    let token = house.token("/password", &clerk).await;
    let upload = house
        .upload(
            "/residents/imports/files",
            &clerk,
            &token,
            &[("residents", b"a\r\n")],
        )
        .await;
    assert_eq!(upload.status, StatusCode::FORBIDDEN);
    let forged = house
        .upload(
            "/residents/imports/files",
            &lead,
            "made-up",
            &[("residents", b"a\r\n")],
        )
        .await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    let missing = house
        .get("/residents/imports/0123456789abcdef0123456789abcdef", &lead)
        .await;
    let nothing = house.get("/residents/imports/not-an-id", &lead).await;
    assert_eq!(
        (missing.status, &missing.body),
        (StatusCode::NOT_FOUND, &nothing.body)
    );
    let empty = house.staged(&lead, &[("households", b"a\r\n")]).await;
    assert!(
        empty.body.contains("住民のファイルを選んでください"),
        "{}",
        empty.body
    );
    let outside = house
        .post("/residents/imports/folder", &lead, "folder=..")
        .await;
    assert!(
        outside.body.contains("受入フォルダから選んでください"),
        "{}",
        outside.body
    );
}

#[tokio::test]
async fn a_demo_takes_the_sample_from_its_inbox_and_no_real_town() {
    let house = demo(None).await;
    let lead = house.play("lead-1").await;
    let inbox: PathBuf = house.instance.dir.join("staging/inbox/sample");
    let args = TownArgs {
        people: 300,
        ..TownArgs::default()
    };
    write_town(&args, &inbox).unwrap();
    let chosen = house
        .post("/residents/imports/folder", &lead, "folder=sample")
        .await;
    assert_eq!(chosen.status, StatusCode::SEE_OTHER, "{}", chosen.body);
    house
        .post(&chosen.location, &lead, "act=start&mode=all")
        .await;
    let page = house.ended(&chosen.location, &lead).await;
    assert!(page.body.contains("取り込みました"), "{}", page.body);
    assert_eq!(house.in_force().await, 300);
    let bytes = std::fs::read(inbox.join("residents.csv")).unwrap();
    let (text, ..) = encoding_rs::SHIFT_JIS.decode(&bytes);
    let real = text.replace("見本データ", "備考");
    let sent = house.staged(&lead, &[("residents", real.as_bytes())]).await;
    house
        .post(&sent.location, &lead, "act=start&mode=good")
        .await;
    let page = house.ended(&sent.location, &lead).await;
    assert!(page.body.contains("IMPORT-NOT-SAMPLE"), "{}", page.body);
    assert_eq!(house.in_force().await, 300);
    let gone = house.post(&sent.location, &lead, "act=discard").await;
    assert_eq!(gone.location, "/residents/imports");
}

#[tokio::test]
async fn what_a_stop_of_the_program_left_is_marked_and_can_be_begun_again() {
    let house = demo(None).await;
    let lead = house.play("lead-1").await;
    let inbox = house.instance.dir.join("staging/inbox/sample");
    let args = TownArgs {
        people: 300,
        ..TownArgs::default()
    };
    write_town(&args, &inbox).unwrap();
    let chosen = house
        .post("/residents/imports/folder", &lead, "folder=sample")
        .await;
    let mut writer = house.instance.db.writer().await.unwrap();
    writer
        .run("UPDATE residents_import SET stand = 'running'")
        .await
        .unwrap();
    writer.close().await.unwrap();
    let (gate, clock) = (house.instance.gate.clone(), house.instance.clock.clone());
    let room = Residents::new(gate, clock, std::sync::Arc::new(SystemRandom));
    room.wake().await.unwrap();
    let page = house.get(&chosen.location, &lead).await;
    assert!(page.body.contains("途中で止まりました"), "{}", page.body);
    house
        .post(&chosen.location, &lead, "act=start&mode=all")
        .await;
    let page = house.ended(&chosen.location, &lead).await;
    assert!(page.body.contains("取り込みました"), "{}", page.body);
    assert_eq!(house.in_force().await, 300);
    let sql = "SELECT COUNT(*) FROM residents_import WHERE stand = ?";
    let row = house
        .instance
        .db
        .fetch_one(sql, vec![Value::from("done")])
        .await;
    assert_eq!(row.unwrap().unwrap().int(0).unwrap(), 1);
}
