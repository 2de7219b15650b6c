use std::path::{Path, PathBuf};

use mimamori_kernel::check::individual_number_check;
use mimamori_kernel::clock::SystemClock;
use mimamori_kernel::random::SystemRandom;
use mimamori_storage::Writer;

use super::*;

struct Place {
    dir: tempfile::TempDir,
    kek: KekSource,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys/kek.key");
        Kek::create(&path, &SystemRandom).unwrap();
        Self {
            dir,
            kek: KekSource::File(path),
        }
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("numbers.db")
    }

    async fn open(&self) -> Result<Vault, NumbersError> {
        Vault::open(
            &self.file(),
            &self.kek,
            Arc::new(SystemClock::new()),
            Arc::new(SystemRandom),
        )
        .await
    }

    /// Changes the file behind the room's back.
    async fn tamper(&self, sql: &str) {
        let location = Location::File {
            path: self.file(),
            synchronous: Synchronous::Full,
        };
        let db = Db::open(location, 1).await.unwrap();
        let mut writer: Writer = db.writer().await.unwrap();
        writer.run(sql).await.unwrap();
        writer.close().await.unwrap();
        db.close().await;
    }
}

fn number(n: u64) -> Number {
    let eleven = format!("{n:011}");
    let check = individual_number_check(&eleven).unwrap();
    Number::parse(&format!("{eleven}{check}")).unwrap()
}

fn person(n: u8) -> NumberRef {
    NumberRef::from_bytes([n; 16])
}

async fn put(vault: &Vault, reference: NumberRef, number: &Number, again: bool) -> Told {
    let ticket = TicketId::random(&SystemRandom);
    let report = Report {
        ticket,
        kind: "register",
        line: 7,
    };
    let entry = Entry {
        reference,
        number,
        known: &Known::default(),
        address: Some(""),
    };
    match again {
        true => vault.correct(&report, &entry).await.unwrap(),
        false => vault.register(&report, &entry).await.unwrap(),
    }
}

/// The database and its log, moved or copied as a thief or a careless restore would.
fn copy(from: &Path, to: &Path) {
    for end in ["", "-wal", "-shm"] {
        let name = |p: &Path| PathBuf::from(format!("{}{end}", p.display()));
        if name(from).exists() {
            std::fs::copy(name(from), name(to)).unwrap();
        } else {
            drop(std::fs::remove_file(name(to)));
        }
    }
}

#[tokio::test]
async fn a_number_is_registered_found_shown_matched_corrected_and_deleted() {
    let place = Place::new();
    let vault = place.open().await.unwrap();
    let (one, two) = (number(12_345_678_901), number(2_345_678_901));
    assert_eq!(put(&vault, person(1), &one, false).await, Told::Done);
    assert_eq!(put(&vault, person(1), &one, false).await, Told::Same);
    assert_eq!(put(&vault, person(1), &two, false).await, Told::Exists);
    assert_eq!(put(&vault, person(2), &one, false).await, Told::Taken);
    assert_eq!(put(&vault, person(2), &two, true).await, Told::Missing);
    assert_eq!(vault.find(&one).await.unwrap(), Some(person(1)));
    assert_eq!(vault.find(&two).await.unwrap(), None);
    assert!(vault.reveal(&person(1)).await.unwrap().unwrap().same(&one));
    assert!(vault.reveal(&person(2)).await.unwrap().is_none());
    assert_eq!(put(&vault, person(1), &two, true).await, Told::Done);
    assert_eq!(
        vault.find(&one).await.unwrap(),
        None,
        "the old number is free"
    );
    assert_eq!(put(&vault, person(2), &one, false).await, Told::Done);
    let report = Report {
        ticket: TicketId::random(&SystemRandom),
        kind: "delete",
        line: 9,
    };
    assert_eq!(vault.delete(&report, &person(1)).await.unwrap(), Told::Done);
    assert!(vault.reveal(&person(1)).await.unwrap().is_none());
    let history = vault.management(&person(1)).await.unwrap().history;
    let acts: Vec<&str> = history.iter().map(|p| p.act.as_str()).collect();
    assert_eq!(acts, ["delete", "correct", "register"]);
    assert_eq!(vault.held(None).await.unwrap(), [person(2)]);
    assert_eq!(vault.whole().await.unwrap().count, 1);
    let told = vault.outcomes().await.unwrap();
    assert_eq!(told.len(), 8, "each act has an outcome, refused ones too");
    let tickets: Vec<_> = told.iter().map(|o| o.ticket).collect();
    vault.acknowledge(&tickets).await.unwrap();
    assert!(vault.outcomes().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_text_that_was_moved_or_put_back_is_refused() {
    let place = Place::new();
    let vault = place.open().await.unwrap();
    let (one, two, three) = (number(1), number(2), number(3));
    put(&vault, person(1), &one, false).await;
    put(&vault, person(2), &two, false).await;
    place
        .tamper("CREATE TABLE old AS SELECT * FROM numbers_record")
        .await;
    put(&vault, person(1), &three, true).await;
    let cases = [
        (
            "another row",
            "UPDATE numbers_record SET sealed = (SELECT sealed FROM old WHERE reference = X'02020202020202020202020202020202') WHERE reference = X'01010101010101010101010101010101'",
        ),
        (
            "another field",
            "UPDATE numbers_record SET ix = sealed WHERE reference = X'01010101010101010101010101010101'",
        ),
        (
            "an older text",
            "UPDATE numbers_record SET sealed = (SELECT sealed FROM old WHERE reference = X'01010101010101010101010101010101') WHERE reference = X'01010101010101010101010101010101'",
        ),
        (
            "another version",
            "UPDATE numbers_record SET version = 2 WHERE reference = X'01010101010101010101010101010101'",
        ),
        (
            "an older whole row",
            "DELETE FROM numbers_record WHERE reference = X'01010101010101010101010101010101'; INSERT INTO numbers_record SELECT * FROM old WHERE reference = X'01010101010101010101010101010101'",
        ),
        (
            "how it was proved",
            "UPDATE numbers_record SET proof = 'card' WHERE reference = X'02020202020202020202020202020202'",
        ),
        (
            "when it was obtained",
            "UPDATE numbers_record SET acquired = '2020-01-01' WHERE reference = X'02020202020202020202020202020202'",
        ),
        (
            "when it was registered",
            "UPDATE numbers_record SET registered = registered - 1 WHERE reference = X'02020202020202020202020202020202'",
        ),
        (
            "marks that leave out how it was obtained",
            "UPDATE numbers_state SET marks = 1",
        ),
        (
            "a row removed",
            "DELETE FROM numbers_record WHERE reference = X'02020202020202020202020202020202'",
        ),
        (
            "a count changed",
            "UPDATE numbers_state SET count = count + 1",
        ),
        (
            "an epoch put back",
            "UPDATE numbers_state SET epoch = epoch - 1",
        ),
    ];
    vault.close().await;
    drop(vault);
    let sound = place.dir.path().join("sound.db");
    place.tamper("PRAGMA wal_checkpoint(TRUNCATE)").await;
    copy(&place.file(), &sound);
    place.open().await.unwrap().close().await;
    for (what, sql) in cases {
        copy(&sound, &place.file());
        place.tamper(sql).await;
        assert!(
            matches!(place.open().await, Err(NumbersError::Moved(_))),
            "{what}"
        );
    }
}

#[tokio::test]
async fn a_text_moved_while_the_room_is_open_is_not_shown() {
    let place = Place::new();
    let vault = place.open().await.unwrap();
    put(&vault, person(1), &number(1), false).await;
    put(&vault, person(2), &number(2), false).await;
    place.tamper("UPDATE numbers_record SET sealed = (SELECT sealed FROM numbers_record WHERE reference = X'02020202020202020202020202020202') WHERE reference = X'01010101010101010101010101010101'").await;
    assert!(matches!(
        vault.reveal(&person(1)).await,
        Err(NumbersError::Moved(_))
    ));
    assert!(matches!(vault.whole().await, Err(NumbersError::Moved(_))));
}

#[tokio::test]
async fn another_key_opens_nothing_and_a_new_wrapping_key_everything() {
    let place = Place::new();
    let vault = place.open().await.unwrap();
    put(&vault, person(1), &number(1), false).await;
    let next = place.dir.path().join("keys/next.key");
    Kek::create(&next, &SystemRandom).unwrap();
    let next = KekSource::File(next);
    let open = |kek: KekSource| {
        let file = place.file();
        async move {
            Vault::open(
                &file,
                &kek,
                Arc::new(SystemClock::new()),
                Arc::new(SystemRandom),
            )
            .await
        }
    };
    assert!(matches!(
        open(next.clone()).await,
        Err(NumbersError::OtherKey)
    ));
    vault.rewrap(&next).await.unwrap();
    vault.close().await;
    assert!(
        matches!(place.open().await, Err(NumbersError::OtherKey)),
        "the old key is useless now"
    );
    let again = open(next).await.unwrap();
    assert!(
        again
            .reveal(&person(1))
            .await
            .unwrap()
            .unwrap()
            .same(&number(1))
    );
}

#[tokio::test]
async fn a_rotation_leaves_every_number_findable_at_every_moment() {
    let place = Place::new();
    let vault = place.open().await.unwrap();
    let many: Vec<_> = (0..1000u64)
        .map(|n| {
            (
                NumberRef::from_bytes(u128::from(n).to_be_bytes()),
                number(n + 1),
            )
        })
        .collect();
    let known = Known::default();
    let entries: Vec<_> = many
        .iter()
        .map(|(reference, number)| Entry {
            reference: *reference,
            number,
            known: &known,
            address: Some(""),
        })
        .collect();
    assert!(
        vault
            .load(&TicketId::random(&SystemRandom), 1, &entries, 0)
            .await
            .unwrap()
            .iter()
            .all(|t| *t == Told::Done)
    );
    assert_eq!(vault.begin_rotation().await.unwrap(), 2);
    assert_eq!(
        vault.begin_rotation().await.unwrap(),
        2,
        "not a second one while one runs"
    );
    let rotating = tokio::spawn({
        let vault = vault.clone();
        async move {
            while vault.rotate_portion().await.unwrap() {
                tokio::task::yield_now().await;
            }
        }
    });
    let mut looked = 0;
    while !rotating.is_finished() || looked < 100 {
        let (reference, number) = &many[(looked * 37) % many.len()];
        assert_eq!(vault.find(number).await.unwrap(), Some(*reference));
        assert!(vault.reveal(reference).await.unwrap().unwrap().same(number));
        looked += 1;
    }
    rotating.await.unwrap();
    let progress = vault.progress().await.unwrap();
    assert_eq!(
        (
            progress.version,
            progress.old,
            progress.count,
            progress.running
        ),
        (2, 0, 1000, false)
    );
    assert_eq!(vault.whole().await.unwrap().count, 1000);
    let keys = vault
        .0
        .db
        .fetch("SELECT version FROM numbers_key", vec![])
        .await
        .unwrap();
    assert_eq!(keys.len(), 1, "the old keys are gone");
    vault.close().await;
    let again = place.open().await.unwrap();
    assert!(
        again
            .reveal(&many[5].0)
            .await
            .unwrap()
            .unwrap()
            .same(&many[5].1)
    );
}

#[tokio::test]
async fn an_act_on_a_number_and_what_is_told_of_it_stand_or_fall_together() {
    let place = Place::new();
    let vault = place.open().await.unwrap();
    let address = "000000000000001";
    let report = |kind| Report {
        ticket: TicketId::random(&SystemRandom),
        kind,
        line: 7,
    };
    let (known, first, second) = (
        Known::default(),
        number(12_345_678_901),
        number(2_345_678_901),
    );
    let entry = |number, address| Entry {
        reference: person(1),
        number,
        known: &known,
        address,
    };
    let told = async || {
        let sql = "SELECT kind, address FROM numbers_outbox ORDER BY act";
        let rows = vault.db().fetch(sql, vec![]).await.unwrap();
        let text = |row: &mimamori_storage::Row, at| row.text(at).unwrap().to_owned();
        rows.iter()
            .map(|row| (text(row, 0), text(row, 1)))
            .collect::<Vec<_>>()
    };
    let done = vault
        .register(&report("register"), &entry(&first, Some(address)))
        .await
        .unwrap();
    assert_eq!(done, Told::Done);
    // What changes nothing is not told.
    let same = vault
        .register(&report("register"), &entry(&first, Some(address)))
        .await
        .unwrap();
    assert_eq!((same, told().await.len()), (Told::Same, 1));
    // Taken from the other side: nothing to tell.
    assert_eq!(
        vault
            .correct(&report("correct"), &entry(&second, None))
            .await
            .unwrap(),
        Told::Done
    );
    assert_eq!(
        vault
            .correct(&report("correct"), &entry(&first, Some("")))
            .await
            .unwrap(),
        Told::Done
    );
    assert_eq!(
        vault.delete(&report("delete"), &person(1)).await.unwrap(),
        Told::Done
    );
    let kinds: Vec<String> = told().await.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["link", "correct", "delete"]);
    assert!(told().await.iter().all(|(_, known)| known == address));
    // A 宛名番号 that 統合宛名 cannot know stops no registration.
    let odd = Entry {
        reference: person(2),
        ..entry(&first, Some("A-1"))
    };
    assert_eq!(
        vault.register(&report("register"), &odd).await.unwrap(),
        Told::Done
    );
    assert_eq!(told().await.len(), 3);
}

/// Writes the sum as it was made before it held every column.
async fn put_back_to_first_marks(vault: &Vault) {
    let mut writer = vault.0.writer.lock().await;
    let ring = vault.0.ring.read().await;
    let sql = format!("SELECT {} FROM numbers_record", state::COLUMNS);
    let (mut sum, mut count) = ([0; 32], 0);
    for row in writer.fetch(&sql, vec![]).await.unwrap() {
        let mark = crate::keys::Marked {
            reference: &NumberRef::from_bytes(row.array(0).unwrap()),
            version: row.int(1).unwrap(),
            revision: row.int(2).unwrap(),
            sealed: row.bytes(3).unwrap(),
            index: row.bytes(4).unwrap(),
            known: [""; 3],
            times: [0; 2],
        };
        sum = crate::keys::plus(&sum, &mark.first(&ring.state));
        count += 1;
    }
    let mark = crate::keys::state_mark(&ring.state, true, 9, count, &sum);
    let sql = "UPDATE numbers_state SET epoch = 9, count = ?, sum = ?, mark = ?, marks = 1";
    let args = vec![count.into(), (&sum).into(), (&mark).into()];
    writer.execute(sql, args).await.unwrap();
}

#[tokio::test]
async fn a_sum_that_left_columns_out_is_proved_and_then_made_to_hold_them() {
    let place = Place::new();
    let vault = place.open().await.unwrap();
    put(&vault, person(1), &number(1), false).await;
    put(&vault, person(2), &number(2), false).await;
    put_back_to_first_marks(&vault).await;
    vault.close().await;
    drop(vault);
    place.tamper("PRAGMA wal_checkpoint(TRUNCATE)").await;
    let old = place.dir.path().join("old.db");
    copy(&place.file(), &old);
    let vault = place.open().await.unwrap();
    let whole = vault.whole().await.unwrap();
    assert_eq!((whole.epoch, whole.count), (10, 2), "one epoch later");
    vault.close().await;
    drop(vault);
    place
        .tamper("UPDATE numbers_record SET method = 'office'")
        .await;
    let refused = |told| matches!(told, Err(NumbersError::Moved(_)));
    assert!(refused(place.open().await), "the new sum holds it");
    // What does not fit the old sum is not blessed by a new one.
    copy(&old, &place.file());
    place.tamper("UPDATE numbers_record SET revision = revision + 1 WHERE reference = X'02020202020202020202020202020202'").await;
    assert!(refused(place.open().await));
    assert!(refused(place.open().await), "nor at the second try");
}

#[tokio::test]
async fn a_copy_is_proved_by_opening_some_of_its_numbers_and_counts_alone_come_out() {
    let place = Place::new();
    let vault = place.open().await.unwrap();
    let many: Vec<_> = (0..80u64)
        .map(|n| (NumberRef::random(&SystemRandom), number(n + 1)))
        .collect();
    for (reference, number) in &many {
        put(&vault, *reference, number, false).await;
    }
    vault.close().await;
    drop(vault);
    let tried = async |sample| {
        let (clock, random) = (Arc::new(SystemClock::new()), Arc::new(SystemRandom));
        Vault::tried(&place.file(), &place.kek, sample, clock, random).await
    };
    let told = |opened| Tried {
        rows: 80,
        opened,
        wrong: 0,
    };
    assert_eq!(tried(50).await.unwrap(), told(50));
    assert_eq!(tried(500).await.unwrap(), told(80));
    place.tamper("UPDATE numbers_record SET ix = zeroblob(32) WHERE reference = (SELECT MIN(reference) FROM numbers_record)").await;
    assert!(matches!(tried(50).await, Err(NumbersError::Moved(_))));
}
