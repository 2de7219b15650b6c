//! An import that is killed (SIGKILL) at any moment, and begun again, brings everybody in once.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mimamori_storage::{Db, Location};
use mimamori_testkit::{TownArgs, write_dirty_town};

const PEOPLE: u32 = 4_000;

fn mimamori(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mimamori"));
    command
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Persons and history in force, rows of other generations, persons without facts, facts without persons.
async fn state(data: &Path) -> [i64; 5] {
    let location = Location::File {
        path: data.join("register.db"),
        synchronous: mimamori_storage::Synchronous::Full,
    };
    let db = Db::open(location, 1).await.unwrap();
    let mut out = [0; 5];
    let now = "generation = (SELECT generation FROM residents_state WHERE one = 1)";
    for (at, sql) in [
        format!("SELECT COUNT(DISTINCT address_number) FROM residents_person WHERE {now}"),
        format!("SELECT COUNT(*) FROM residents_history WHERE {now}"),
        format!("SELECT COUNT(*) FROM residents_person WHERE NOT {now}"),
        format!("SELECT COUNT(*) FROM residents_person p WHERE p.{now} AND NOT EXISTS (SELECT 1 FROM gate_subject s WHERE s.person = p.person)"),
        "SELECT COUNT(*) FROM gate_subject s WHERE NOT EXISTS (SELECT 1 FROM residents_person p WHERE p.person = s.person)".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        let row = db.fetch_one(sql, vec![]).await.unwrap().unwrap();
        out[at] = row.int(0).unwrap();
    }
    db.close().await;
    out
}

/// Which person each 宛名番号 is so far; none unless an import was stopped between chunks.
async fn staged(data: &Path) -> Option<BTreeMap<String, Vec<u8>>> {
    let location = Location::File {
        path: data.join("register.db"),
        synchronous: mimamori_storage::Synchronous::Full,
    };
    let db = Db::open(location, 1).await.unwrap();
    let mark = "SELECT g.generation FROM residents_staging g, residents_state s WHERE g.generation > s.generation";
    let open = db.fetch(mark, vec![]).await.unwrap();
    let numbers = "SELECT address_number, person FROM residents_number";
    let rows = db.fetch(numbers, vec![]).await.unwrap();
    db.close().await;
    let pair =
        |r: &mimamori_storage::Row| (r.text(0).unwrap().to_owned(), r.bytes(1).unwrap().to_vec());
    (!open.is_empty()).then(|| rows.iter().map(pair).collect())
}

#[tokio::test]
async fn kills_leave_nothing_behind_and_nobody_twice() {
    let root = tempfile::tempdir().unwrap();
    let (town, data, whole) = (
        root.path().join("town"),
        root.path().join("data"),
        root.path().join("whole"),
    );
    let args = TownArgs {
        people: PEOPLE,
        ..TownArgs::default()
    };
    write_dirty_town(&args, 1 << 20, &town).unwrap();
    let from = town.to_str().unwrap();
    let import = |data: &Path| {
        let data = data.to_str().unwrap();
        mimamori(&["import", "--data", data, "--from", from, "--good-rows"])
    };
    for dir in [&data, &whole] {
        let dir = dir.to_str().unwrap();
        let init = mimamori(&["init", "--data", dir, "--town", "test.example"]).status();
        assert!(init.unwrap().success());
    }
    assert!(import(&whole).status().unwrap().success());
    let expected = state(&whole).await;
    assert!(expected[0] > i64::from(PEOPLE) - 200, "{expected:?}");
    let (mut inside, mut resumed) = (0, 0);
    let mut before: Option<BTreeMap<String, Vec<u8>>> = None;
    for turn in 0..8u32 {
        let start = state(&data).await[2];
        let mut child = import(&data).spawn().unwrap();
        // The first turns end it while it reads, the others once it wrote more rows than stood there.
        let patience = if turn < 2 { 300 } else { 60_000 };
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(patience)
            && child.try_wait().unwrap().is_none()
            && state(&data).await[2] == start
        {
            std::thread::sleep(Duration::from_millis(3));
        }
        std::thread::sleep(Duration::from_millis(u64::from(turn) * 25));
        let over = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        inside += u32::from(!over && state(&data).await[2] > 0);
        // The chunks of the kill before stand: nobody of them was given another id.
        let now = staged(&data).await;
        if let (Some(before), Some(now)) = (&before, &now) {
            let kept = before.iter().all(|(n, id)| now.get(n) == Some(id));
            assert!(kept, "turn {turn} began anew");
            resumed += u32::from(now.len() > before.len() && !before.is_empty());
        }
        before = now;
    }
    assert!(
        inside > 0,
        "no kill fell between the first row and the flip"
    );
    eprintln!("{inside} kills inside, {resumed} resumptions that went further");
    assert!(import(&data).status().unwrap().success());
    assert_eq!(state(&data).await, expected);
}
