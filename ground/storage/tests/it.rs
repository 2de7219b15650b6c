//! What storage promises, on both engines.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use mimamori_kernel::random::SystemRandom;
use mimamori_storage::{Db, Migration, Statement, StorageError, Value, migrate, pending, testing};

const STEPS: &[Migration] = &[Migration {
    id: "test-0001",
    ddl: "CREATE TABLE test_thing (id {blob} NOT NULL PRIMARY KEY, name {text} NOT NULL, n {int}) {clustered}",
}];

async fn each(test: impl AsyncFn(Db)) {
    let dir = tempfile::tempdir().unwrap();
    for location in testing::locations(dir.path(), &SystemRandom).await.unwrap() {
        let db = Db::open(location, 2).await.unwrap();
        migrate(&db, STEPS).await.unwrap();
        test(db).await;
    }
}

#[tokio::test]
async fn every_type_of_value_comes_back_as_it_went() {
    each(async |db| {
        let mut w = db.writer().await.unwrap();
        let sql = "INSERT INTO test_thing (id, name, n) VALUES (?, ?, ?)";
        w.execute(
            sql,
            vec![
                vec![1u8, 0, 255].into(),
                "髙橋 ｱｲｳ".into(),
                Value::Int(i64::MIN),
            ],
        )
        .await
        .unwrap();
        w.execute(sql, vec![vec![2u8].into(), "".into(), Value::NullInt])
            .await
            .unwrap();
        let rows = db
            .fetch("SELECT id, name, n FROM test_thing ORDER BY id", vec![])
            .await
            .unwrap();
        assert_eq!(rows[0].bytes(0).unwrap(), [1, 0, 255]);
        assert_eq!(rows[0].text(1).unwrap(), "髙橋 ｱｲｳ");
        assert_eq!(rows[0].int(2).unwrap(), i64::MIN);
        assert_eq!(rows[1].opt_int(2).unwrap(), None);
        assert!(matches!(
            rows[1].text(0),
            Err(StorageError::Shape { column: 0 })
        ));
    })
    .await;
}

#[tokio::test]
async fn a_reader_cannot_write_on_sqlite_and_text_sorts_by_bytes() {
    each(async |db| {
        let mut w = db.writer().await.unwrap();
        for (i, name) in ["b", "B", "a", "あ", "ア"].iter().enumerate() {
            let id = vec![u8::try_from(i).unwrap()];
            w.execute(
                "INSERT INTO test_thing (id, name, n) VALUES (?, ?, 1)",
                vec![id.into(), (*name).into()],
            )
            .await
            .unwrap();
        }
        let rows = db
            .fetch("SELECT name FROM test_thing ORDER BY name", vec![])
            .await
            .unwrap();
        let names: Vec<_> = rows.iter().map(|r| r.text(0).unwrap().to_owned()).collect();
        assert_eq!(names, ["B", "a", "b", "あ", "ア"]);
        if db.engine() == mimamori_storage::Engine::Sqlite {
            assert!(db.fetch("DELETE FROM test_thing", vec![]).await.is_err());
        }
    })
    .await;
}

#[tokio::test]
async fn a_part_can_be_undone_and_an_expectation_refuses() {
    each(async |db| {
        let mut w = db.writer().await.unwrap();
        w.begin().await.unwrap();
        w.execute(
            "INSERT INTO test_thing (id, name, n) VALUES (?, ?, 1)",
            vec![vec![1u8].into(), "kept".into()],
        )
        .await
        .unwrap();
        w.savepoint().await.unwrap();
        let refused = w
            .apply(Statement::expecting(
                "UPDATE test_thing SET n = 2 WHERE name = ?",
                vec!["nobody".into()],
                1,
                "thing-version",
            ))
            .await;
        assert!(matches!(
            refused,
            Err(StorageError::Conflict {
                what: "thing-version"
            })
        ));
        w.undo().await.unwrap();
        w.commit().await.unwrap();
        assert_eq!(
            db.fetch("SELECT n FROM test_thing", vec![])
                .await
                .unwrap()
                .len(),
            1
        );
    })
    .await;
}

#[tokio::test]
async fn a_newer_schema_and_a_rewritten_step_are_refused() {
    each(async |db| {
        assert!(pending(&db, STEPS).await.unwrap().is_empty());
        assert!(matches!(
            pending(&db, &[]).await,
            Err(StorageError::Newer { .. })
        ));
        let other = [Migration {
            id: "test-0001",
            ddl: "SELECT 1",
        }];
        assert!(matches!(
            migrate(&db, &other).await,
            Err(StorageError::Changed { .. })
        ));
    })
    .await;
}
