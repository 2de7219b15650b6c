//! Restores that do revocations and erasures again, and the journal that tells them (S0-28, S0-47).

use mimamori_encryption::Keys;
use mimamori_server::backup::{
    Copies, Journal, Maker, State, Weight, Without, checked, drill, restore,
};
use mimamori_server::instance::Instance;
use mimamori_storage::{Statement, Value};

use crate::backups::{house, keep, one, open};

/// Runs a change with a line of the system, as a room would.
async fn change(instance: &Instance, sql: &str, args: Vec<Value>) {
    let write = Statement::expecting(sql, args, 1, "test");
    let act =
        mimamori_server::init::system_act(instance, "test.change", String::new(), vec![write]);
    let line = instance.trace.record(act).await.unwrap().line();
    instance.trace.checkpointed(line).await;
}

const SCOPES: &str = "SELECT COUNT(*) FROM trace_key WHERE wrapped IS NULL";
const ACCOUNTS: &str = "SELECT a.active, a.epoch, b.password_initial, b.initial_expires, r.valid_until, c.ended \
    FROM identity_user a, identity_user b, identity_user_role r, identity_contract c \
    WHERE a.login = 'clerk-1' AND b.login = 'care-1' AND r.role = 'lead-officer'";
const AGAIN: &str = "SELECT COUNT(*) FROM trace_line WHERE action = 'backup.again'";

#[tokio::test]
async fn a_restore_does_revocations_and_erasures_again_before_it_serves() {
    let (house, key) = house(None).await;
    let (root, instance) = (house._dir.path(), &house.instance);
    let numbers = instance.dir.join("numbers/numbers.db");
    std::fs::create_dir(instance.dir.join("numbers")).unwrap();
    let db = open(numbers.clone()).await;
    let mut writer = db.writer().await.unwrap();
    let table = "CREATE TABLE numbers_record (reference BLOB PRIMARY KEY, sealed BLOB)";
    writer.run(table).await.unwrap();
    for n in 1..=3u8 {
        let insert = "INSERT INTO numbers_record (reference, sealed) VALUES (?, ?)";
        let args = vec![(&[n; 16]).into(), (&[7; 40]).into()];
        writer.execute(insert, args).await.unwrap();
    }
    writer.close().await.unwrap();
    let cookie = house.play("clerk-1").await;
    let found = house
        .post(
            "/residents/search",
            &cookie,
            "channel=counter&kana=%E3%81%82",
        )
        .await;
    assert!(found.status.is_redirection());
    let mut copies = Copies::new(instance).unwrap();
    assert!(copies.look().await.unwrap(), "the first one is due");
    let (journal, old) = (root.join("journal/journal"), root.join("old"));
    std::fs::copy(&journal, &old).unwrap();
    let made = Maker::new(instance).create(false).await.unwrap();
    assert_eq!(made.facts["numbers/numbers_record"], "3");
    let report = drill(&instance.dir, None, &key).await.unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
    assert!(copies.look().await.is_ok());
    assert!(!copies.look().await.unwrap(), "nothing happened");

    // Everything that must not come back.
    change(
        instance,
        "UPDATE identity_user SET active = 0, epoch = epoch + 1 WHERE login = ?",
        vec!["clerk-1".into()],
    )
    .await;
    change(
        instance,
        "UPDATE identity_user SET password = 'new', epoch = epoch + 1 WHERE login = ?",
        vec!["care-1".into()],
    )
    .await;
    change(
        instance,
        "UPDATE identity_user_role SET valid_until = 5 WHERE role = ?",
        vec!["lead-officer".into()],
    )
    .await;
    change(
        instance,
        "UPDATE identity_contract SET ended = ? WHERE ended IS NULL",
        vec![6i64.into()],
    )
    .await;
    change(
        instance,
        "UPDATE trace_key SET wrapped = NULL WHERE scope LIKE ?",
        vec!["search/%".into()],
    )
    .await;
    let erased = mimamori_gate::erasure(mimamori_gate::ERASED_NUMBER, &[2; 16], 9);
    change(instance, &erased.sql, erased.args).await;
    assert!(
        copies.look().await.unwrap(),
        "it does not wait for a minute"
    );
    let live = one(&instance.db, ACCOUNTS).await;

    let (from, keys) = (root.join("backups"), instance.dir.join("keys"));
    let to = root.join("refused");
    let error = restore(&from, None, &keep(&key, &keys, Ok(&old)), &to)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("古い"), "{error}");
    assert!(!to.exists(), "the register in clear is left");
    let to = root.join("back");
    restore(&from, None, &keep(&key, &keys, Ok(&journal)), &to)
        .await
        .unwrap();
    // The state of before, until it is opened.
    let db = open(to.join("register.db")).await;
    assert_eq!(one(&db, ACCOUNTS).await[0], Value::Int(1));
    assert_eq!(one(&db, SCOPES).await, [Value::Int(0)]);
    db.close().await;
    let mark = to.join("RESTORE-JOURNAL");
    let note = std::fs::read(&mark).unwrap();
    for turn in 1..3 {
        let back = Instance::open(&to).await.unwrap();
        let now = one(&back.db, ACCOUNTS).await;
        assert_eq!(now[..2], live[..2], "clerk-1 is revoked");
        assert_eq!(
            now[2..4],
            [Value::Int(1), Value::Int(0)],
            "the old password of care-1 is worth nothing"
        );
        assert_eq!(now[4..], [Value::Int(5), Value::Int(6)]);
        assert_eq!(one(&back.db, SCOPES).await, [Value::Int(1)]);
        assert_eq!(one(&back.db, AGAIN).await, [Value::Int(turn)]);
        assert_eq!(
            one(&back.db, "SELECT COUNT(*) FROM backup_erasure").await,
            [Value::Int(1)]
        );
        assert!(!mark.exists());
        let db = open(to.join("numbers/numbers.db")).await;
        let left = db
            .fetch(
                "SELECT reference FROM numbers_record ORDER BY reference",
                vec![],
            )
            .await
            .unwrap();
        let left: Vec<_> = left.iter().map(|r| r.bytes(0).unwrap()[0]).collect();
        assert_eq!(left, [1, 3]);
        db.close().await;
        // Killed after the writes and before the mark was taken away: it is done again, and nothing else changes.
        back.trace.close().await.unwrap();
        back.db.close().await;
        std::fs::write(&mark, &note).unwrap();
    }
    // A changed journal keeps the instance closed.
    let mut bad = note.clone();
    bad[40] ^= 1;
    std::fs::write(&mark, bad).unwrap();
    let error = Instance::open(&to).await.err().unwrap();
    assert!(error.to_string().contains("RESTORE-JOURNAL"), "{error}");
}

#[tokio::test]
async fn a_restore_without_a_journal_is_told_until_somebody_answers() {
    let (house, key) = house(None).await;
    let root = house._dir.path();
    Maker::new(&house.instance).create(false).await.unwrap();
    let (from, keys, to) = (
        root.join("backups"),
        house.instance.dir.join("keys"),
        root.join("back"),
    );
    restore(&from, None, &keep(&key, &keys, Err(Without::Lost)), &to)
        .await
        .unwrap();
    let back = Instance::open(&to).await.unwrap();
    let told = "SELECT policy FROM trace_line WHERE action = 'backup.without-journal'";
    assert_eq!(
        one(&back.db, told).await,
        [Value::Text("generation 1 reason lost".into())]
    );
    let red = |back: &Instance| {
        let state = State::of(&back.dir, &back.config, back.clock.now())
            .unwrap()
            .unwrap();
        state
            .text
            .contains("失効の記録なしで")
            .then_some(state.weight)
    };
    assert_eq!(red(&back), Some(Weight::Bad));
    checked(&back).await.unwrap();
    assert_eq!(red(&back), None);
    let told = "SELECT COUNT(*) FROM trace_line WHERE action = 'backup.checked'";
    assert_eq!(one(&back.db, told).await, [Value::Int(1)]);
    assert!(
        checked(&back).await.is_err(),
        "there is nothing left to answer"
    );
    // The journal of the original goes further than the restored register: it is not overwritten.
    change(
        &house.instance,
        "UPDATE identity_user SET epoch = epoch + 1 WHERE login = ?",
        vec!["care-1".into()],
    )
    .await;
    let mut copies = Copies::new(&house.instance).unwrap();
    for _ in 0..5 {
        change(
            &house.instance,
            "UPDATE identity_user SET epoch = epoch + 1 WHERE login = ?",
            vec!["care-1".into()],
        )
        .await;
    }
    copies.now().await.unwrap();
    let error = Copies::new(&back).unwrap().now().await.unwrap_err();
    assert!(error.to_string().contains("あとの証跡"), "{error}");
    let loaded = Journal::load(&root.join("journal/journal"), &Keys::load(&keys).unwrap()).unwrap();
    assert!(loaded.size() > 0);
}
