//! What the trace promises, on both engines.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::sync::Arc;

use mimamori_encryption::{NoteSigner, Secret};
use mimamori_kernel::clock::{Clock, Instant, SystemClock, TestClock};
use mimamori_kernel::id::{PersonId, UserId};
use mimamori_kernel::random::SystemRandom;
use mimamori_storage::{Db, Location, Migration, Statement, Value, migrate, testing};
use mimamori_trace::{Act, Decision, Details, MIGRATIONS, Scope, Shown, Trace, TraceError};

/// The two tables of other rooms that the committer looks at.
const OTHERS: &[Migration] = &[Migration {
    id: "test-0001",
    ddl: "CREATE TABLE identity_user (id {blob} NOT NULL PRIMARY KEY, epoch {int} NOT NULL, active {int} NOT NULL);
          CREATE TABLE gate_subject (person {blob} NOT NULL PRIMARY KEY, version {int} NOT NULL);
          CREATE TABLE test_thing (n {int} NOT NULL)",
}];

async fn start(
    location: Location,
    dir: &Path,
    clock: Arc<dyn Clock>,
) -> Result<(Trace, Db), TraceError> {
    let db = Db::open(location, 4).await?;
    let steps = [MIGRATIONS, OTHERS].concat();
    migrate(&db, &steps).await?;
    let signer = NoteSigner::new("test.example/trace", &Secret::from_bytes([1; 32]));
    let trace = Trace::start(
        db.clone(),
        dir.join("trace"),
        clock,
        Arc::new(SystemRandom),
        signer,
        Secret::from_bytes([2; 32]),
        Secret::from_bytes([3; 32]),
    )
    .await?;
    Ok((trace, db))
}

async fn each(test: impl AsyncFn(Trace, Db, Location, &Path)) {
    let root = tempfile::tempdir().unwrap();
    for (i, location) in testing::locations(root.path(), &SystemRandom)
        .await
        .unwrap()
        .into_iter()
        .enumerate()
    {
        let dir = root.path().join(i.to_string());
        std::fs::create_dir_all(&dir).unwrap();
        let (trace, db) = start(location.clone(), &dir, Arc::new(SystemClock::new()))
            .await
            .unwrap();
        test(trace, db, location, &dir).await;
    }
}

fn person(n: u8) -> PersonId {
    PersonId::from_bytes([n; 16])
}

fn act(trace: &Trace, people: &[u8]) -> Act {
    let shown = people
        .iter()
        .map(|n| Shown {
            person: person(*n),
            token: trace.token(&person(*n)),
            version: 1,
        })
        .collect();
    Act {
        actor: Some(UserId::from_bytes([9; 16])),
        epoch: 1,
        org: None,
        role: "clerk".into(),
        action: "person.open",
        purpose: "care-insurance",
        classes: 3,
        decision: Decision::Allowed,
        policy: "P01".into(),
        shown,
        details: None,
        changes: vec![],
        ground: trace.ground(),
        touches_subjects: false,
        touches_accounts: false,
    }
}

/// An act of the system: an account that this test never made is not looked up.
fn system(trace: &Trace) -> Act {
    Act {
        actor: None,
        ..act(trace, &[])
    }
}

#[tokio::test]
async fn lines_become_chains_and_a_statement_and_open_only_with_their_key() {
    each(async |trace, _db, _location, _dir| {
        for _ in 0..20 {
            trace.record(act(&trace, &[1, 2, 3])).await.unwrap();
        }
        let details = Details {
            scope: Scope::Reason(trace.token(&person(1))),
            text: "窓口で本人から照会".into(),
        };
        let line = trace
            .record(Act {
                details: Some(details),
                ..act(&trace, &[1])
            })
            .await
            .unwrap()
            .line();
        assert_eq!(line, 21);
        let last = trace.map().await.unwrap();
        trace.checkpointed(last).await;
        let token = trace.token(&person(1));
        assert_eq!(trace.count(&token).await.unwrap(), 21);
        let entries = trace.entries(&token, None, 5).await.unwrap();
        assert_eq!(
            entries.iter().map(|e| e.sequence).collect::<Vec<_>>(),
            [21, 20, 19, 18, 17]
        );
        assert_eq!(
            trace.details(line).await.unwrap().as_deref(),
            Some("窓口で本人から照会")
        );
        assert_eq!(trace.details(1).await.unwrap(), None);
        let statement: serde_json::Value =
            serde_json::from_str(&trace.statement(&token).await.unwrap()).unwrap();
        assert_eq!(statement["entries"].as_array().unwrap().len(), 21);
    })
    .await;
}

#[tokio::test]
async fn a_change_and_its_line_stand_or_fall_together() {
    each(async |trace, db, _location, _dir| {
        let insert = Statement::new("INSERT INTO test_thing (n) VALUES (?)", vec![Value::Int(7)]);
        let refuse = Statement::expecting(
            "UPDATE test_thing SET n = 8 WHERE n = 99",
            vec![],
            1,
            "thing-version",
        );
        let act = Act {
            changes: vec![insert.clone(), refuse],
            ..system(&trace)
        };
        assert!(matches!(
            trace.record(act).await,
            Err(TraceError::Conflict {
                what: "thing-version"
            })
        ));
        assert!(
            db.fetch("SELECT n FROM test_thing", vec![])
                .await
                .unwrap()
                .is_empty()
        );
        trace
            .record(Act {
                changes: vec![insert],
                ..system(&trace)
            })
            .await
            .unwrap();
        assert_eq!(
            db.fetch("SELECT n FROM test_thing", vec![])
                .await
                .unwrap()
                .len(),
            1
        );
        assert_eq!(
            db.fetch("SELECT line FROM trace_line", vec![])
                .await
                .unwrap()
                .len(),
            1
        );
    })
    .await;
}

#[tokio::test]
async fn no_look_after_a_revocation_or_a_changed_fact_even_in_one_group() {
    each(async |trace, _db, _location, _dir| {
        let user: &[u8] = &[9; 16];
        let make = Statement::new(
            "INSERT INTO identity_user (id, epoch, active) VALUES (?, 1, 1)",
            vec![user.into()],
        );
        let subject: &[u8] = &[1; 16];
        let known = Statement::new(
            "INSERT INTO gate_subject (person, version) VALUES (?, 1)",
            vec![subject.into()],
        );
        trace.upkeep(vec![make, known], true).await.unwrap();
        let look = act(&trace, &[1]);
        let raise = Statement::expecting(
            "UPDATE gate_subject SET version = 2 WHERE person = ?",
            vec![subject.into()],
            1,
            "s",
        );
        let change = Act {
            changes: vec![raise],
            touches_subjects: true,
            ..system(&trace)
        };
        let (changed, looked) = tokio::join!(trace.record(change), trace.record(look));
        changed.unwrap();
        assert!(matches!(looked, Err(TraceError::SubjectChanged)));
        let look = act(&trace, &[]);
        let revoke = Statement::expecting(
            "UPDATE identity_user SET epoch = 2 WHERE id = ?",
            vec![user.into()],
            1,
            "u",
        );
        let change = Act {
            changes: vec![revoke],
            touches_accounts: true,
            ..system(&trace)
        };
        let (changed, looked) = tokio::join!(trace.record(change), trace.record(look));
        changed.unwrap();
        assert!(matches!(looked, Err(TraceError::AccountChanged)));
    })
    .await;
}

#[tokio::test]
async fn a_clock_set_back_changes_no_order() {
    let root = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::at(Instant(1_800_000_000_000_000)));
    let location = Location::File {
        path: root.path().join("r.db"),
        synchronous: Default::default(),
    };
    let (trace, db) = start(location, root.path(), clock.clone()).await.unwrap();
    trace.record(system(&trace)).await.unwrap();
    clock.set_wall(Instant(1_000_000_000_000_000));
    trace.record(system(&trace)).await.unwrap();
    let rows = db
        .fetch("SELECT line, time FROM trace_line ORDER BY line", vec![])
        .await
        .unwrap();
    assert!(rows[0].int(1).unwrap() > rows[1].int(1).unwrap());
    assert_eq!((rows[0].int(0).unwrap(), rows[1].int(0).unwrap()), (1, 2));
}

#[tokio::test]
async fn a_stopped_trace_refuses_and_a_restart_goes_on_with_the_same_tree() {
    each(async |trace, _db, location, dir| {
        let line = trace.record(act(&trace, &[1])).await.unwrap().line();
        trace.checkpointed(line).await;
        trace.stop();
        assert!(matches!(
            trace.record(act(&trace, &[1])).await,
            Err(TraceError::Stopped)
        ));
        drop(trace);
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let (trace, _db) = start(location, dir, Arc::new(SystemClock::new()))
            .await
            .unwrap();
        assert_eq!(trace.checkpoint_line(), line);
        trace.record(act(&trace, &[1])).await.unwrap();
        let last = trace.map().await.unwrap();
        trace.checkpointed(last).await;
        assert_eq!(trace.count(&trace.token(&person(1))).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_register_restored_from_an_older_copy_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let location = Location::File {
        path: root.path().join("r.db"),
        synchronous: Default::default(),
    };
    let (trace, db) = start(location.clone(), root.path(), Arc::new(SystemClock::new()))
        .await
        .unwrap();
    let line = trace.record(act(&trace, &[1])).await.unwrap().line();
    trace.checkpointed(line).await;
    let mut writer = db.writer().await.unwrap();
    writer.run("DELETE FROM trace_tree; DELETE FROM trace_chain; DELETE FROM trace_leaf; DELETE FROM trace_line").await.unwrap();
    drop(trace);
    let again = start(location, root.path(), Arc::new(SystemClock::new())).await;
    assert!(matches!(again, Err(TraceError::Torn(_))));
}

fn notes(dir: &Path) -> Vec<String> {
    let bytes = std::fs::read(dir.join("trace/checkpoints.log")).unwrap();
    let (mut rest, mut out) = (bytes.as_slice(), vec![]);
    while let Some((length, more)) = rest.split_first_chunk::<4>() {
        let (note, later) = more.split_at(u32::from_be_bytes(*length) as usize);
        out.push(String::from_utf8(note.to_vec()).unwrap());
        rest = later;
    }
    out
}

async fn ended(trace: Trace) {
    drop(trace);
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
}

#[tokio::test]
async fn a_stop_in_order_ends_under_a_signed_checkpoint_and_takes_nothing_more() {
    each(async |trace, db, location, dir| {
        for _ in 0..30 {
            trace.record(act(&trace, &[1, 2])).await.unwrap();
        }
        let line = trace.close().await.unwrap();
        assert_eq!((line, trace.checkpoint_line()), (31, 31));
        let newest = notes(dir).pop().unwrap();
        assert_eq!(
            newest.lines().nth(1),
            Some("61"),
            "30 lines of two and the stop"
        );
        assert_eq!(newest.lines().nth(3), Some("line 31"));
        let more = trace.record(act(&trace, &[1])).await;
        assert!(matches!(more, Err(TraceError::Stopped)));
        let sql = "SELECT action FROM trace_line ORDER BY line DESC LIMIT 1";
        let last = db.fetch_one(sql, vec![]).await.unwrap().unwrap();
        assert_eq!(last.text(0).unwrap(), "trace.stop");
        // The next start goes on behind it.
        ended(trace).await;
        let (trace, _db) = start(location, dir, Arc::new(SystemClock::new()))
            .await
            .unwrap();
        let next = trace.record(act(&trace, &[1])).await.unwrap();
        assert_eq!(next.line(), 32);
    })
    .await;
}

#[tokio::test]
async fn lost_or_older_checkpoints_are_noticed_at_the_start() {
    each(async |trace, _db, location, dir| {
        let first = trace.record(act(&trace, &[1])).await.unwrap().line();
        trace.checkpointed(first).await;
        let names = ["trace/checkpoint", "trace/checkpoints.log"].map(|n| dir.join(n));
        let old = names.clone().map(|n| std::fs::read(n).unwrap());
        for _ in 0..2 {
            let line = trace.record(act(&trace, &[1])).await.unwrap().line();
            trace.checkpointed(line).await;
        }
        ended(trace).await;
        for (name, bytes) in names.iter().zip(&old) {
            std::fs::write(name, bytes).unwrap();
        }
        let older = start(location.clone(), dir, Arc::new(SystemClock::new())).await;
        assert!(matches!(older, Err(TraceError::Torn(_))));
        for name in &names {
            std::fs::remove_file(name).unwrap();
        }
        let lost = start(location, dir, Arc::new(SystemClock::new())).await;
        assert!(matches!(lost, Err(TraceError::Torn(_))));
    })
    .await;
}

#[tokio::test]
async fn a_map_that_was_not_signed_in_time_is_signed_before_the_tree_grows() {
    each(async |trace, db, location, dir| {
        let first = trace.record(act(&trace, &[1])).await.unwrap().line();
        trace.checkpointed(first).await;
        let names = ["trace/checkpoint", "trace/checkpoints.log"].map(|n| dir.join(n));
        let old = names.clone().map(|n| std::fs::read(n).unwrap());
        let map = trace.map().await.unwrap();
        trace.checkpointed(map).await;
        ended(trace).await;
        // As after a power cut between the register's commit and the signature, with a line waiting.
        let columns = "actor, org, role, action, purpose, classes, decision, policy, tokens, scope, details";
        let mut writer = db.writer().await.unwrap();
        let sql = format!(
            "INSERT INTO trace_line (line, time, {columns}) SELECT 3, time, {columns} FROM trace_line WHERE line = 1"
        );
        assert_eq!(writer.execute(&sql, vec![]).await.unwrap(), 1);
        for (name, bytes) in names.iter().zip(&old) {
            std::fs::write(name, bytes).unwrap();
        }
        let (trace, _db) = start(location, dir, Arc::new(SystemClock::new()))
            .await
            .unwrap();
        trace.checkpointed(3).await;
        let sizes: Vec<String> = notes(dir)
            .iter()
            .map(|note| note.lines().nth(1).unwrap().to_owned())
            .collect();
        assert_eq!(sizes, ["1", "2", "3"]);
    })
    .await;
}

#[tokio::test]
async fn entries_that_the_register_tells_otherwise_than_the_files_are_not_shown() {
    each(async |trace, db, _location, _dir| {
        for people in [&[1][..], &[1, 2], &[1]] {
            let line = trace.record(act(&trace, people)).await.unwrap().line();
            trace.checkpointed(line).await;
        }
        let token = trace.token(&person(1));
        let good = trace.entries(&token, None, 10).await.unwrap();
        assert_eq!(good.len(), 3);
        assert_eq!(trace.entries(&token, Some(3), 10).await.unwrap().len(), 2);
        let mut writer = db.writer().await.unwrap();
        for (wrong, right) in [
            (
                "UPDATE trace_line SET role = 'citizen' WHERE line = 2",
                "UPDATE trace_line SET role = 'clerk' WHERE line = 2",
            ),
            (
                "UPDATE trace_leaf SET sequence = 9 WHERE line = 2",
                "UPDATE trace_leaf SET sequence = 2 WHERE line = 2 AND sequence = 9",
            ),
            (
                "UPDATE trace_chain SET count = count - 1",
                "UPDATE trace_chain SET count = count + 1",
            ),
        ] {
            writer.run(wrong).await.unwrap();
            let told = trace.entries(&token, None, 10).await;
            assert!(matches!(told, Err(TraceError::Torn(_))), "{wrong}");
            writer.run(right).await.unwrap();
            assert_eq!(trace.entries(&token, None, 10).await.unwrap(), good);
        }
        writer
            .run("DELETE FROM trace_leaf WHERE line = 2")
            .await
            .unwrap();
        let told = trace.statement(&token).await;
        assert!(matches!(told, Err(TraceError::Torn(_))));
    })
    .await;
}
