//! Backups that are made while lines are written at full speed: register, trace and numbers of each one fit together
//! (S0-28). On SQLite and, where the run has a server, on PostgreSQL.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use mimamori_gate::erasure;
use mimamori_kernel::id::ImportId;
use mimamori_kernel::random::SystemRandom;
use mimamori_server::backup::{Maker, drill, restore};
use mimamori_server::config::Config;
use mimamori_server::init::system_act;
use mimamori_server::instance::{Instance, database};
use mimamori_storage::{Value, testing};
use mimamori_verifier::trace::{Options, verify};

use crate::backups::{house, keep, one, open};
use crate::house::postgres;

fn id() -> [u8; 16] {
    *ImportId::random(&SystemRandom).bytes()
}

/// Lines whose change is a row beside them, until it is told to stop.
async fn lines(instance: &Instance, stop: &AtomicBool, written: &AtomicI64) {
    while !stop.load(Ordering::Relaxed) {
        let change = erasure("load", &id(), 1);
        let act = system_act(instance, "test.load", String::new(), vec![change]);
        instance.trace.record(act).await.unwrap();
        written.fetch_add(1, Ordering::Relaxed);
    }
}

/// First the line, then the number, as its room does.
async fn numbers(instance: &Instance, stop: &AtomicBool) {
    std::fs::create_dir(instance.dir.join("numbers")).unwrap();
    let db = open(instance.dir.join("numbers/numbers.db")).await;
    let mut writer = db.writer().await.unwrap();
    let table = "CREATE TABLE numbers_record (reference BLOB PRIMARY KEY, line INTEGER NOT NULL)";
    writer.run(table).await.unwrap();
    while !stop.load(Ordering::Relaxed) {
        let act = system_act(instance, "test.number", String::new(), vec![]);
        let line = instance.trace.record(act).await.unwrap().line();
        let args = vec![(&id()).into(), i64::try_from(line).unwrap().into()];
        let insert = "INSERT INTO numbers_record (reference, line) VALUES (?, ?)";
        writer.execute(insert, args).await.unwrap();
    }
}

fn count(values: &[Value]) -> i64 {
    match values {
        [Value::Int(n)] => *n,
        other => panic!("{other:?}"),
    }
}

async fn under_load(server: Option<String>) {
    let (house, key) = house(server.clone()).await;
    let (instance, root) = (&house.instance, house._dir.path());
    let (stop, written) = (AtomicBool::new(false), AtomicI64::new(0));
    let backups = async {
        let maker = Maker::new(instance);
        let mut made = Vec::new();
        for _ in 0..4 {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            let before = written.load(Ordering::Relaxed);
            made.push((before, maker.create(false).await.unwrap()));
        }
        stop.store(true, Ordering::Relaxed);
        made
    };
    let load = || lines(instance, &stop, &written);
    let (made, ..) = tokio::join!(backups, load(), load(), load(), numbers(instance, &stop));
    assert!(
        written.load(Ordering::Relaxed) > 500,
        "{written:?} lines: that is no load"
    );
    assert!(
        made[1].1.bytes < made[0].1.bytes,
        "the second one holds what changed"
    );
    let (from, keys) = (root.join("backups"), instance.dir.join("keys"));
    let journal = root.join("journal/journal");
    for (before, generation) in &made {
        let number = generation.number;
        let report = drill(&instance.dir, Some(number), &key).await.unwrap();
        assert_eq!(report.findings, Vec::<String>::new(), "{number}");
        let to = root.join(format!("back-{number}"));
        let url = match &server {
            Some(url) => Some(postgres(&house._dir, url).await),
            None => None,
        };
        let mut keep = keep(&key, &keys, Ok(&journal));
        keep.postgres_url_file = url.as_deref().map(std::path::Path::new);
        restore(&from, Some(number), &keep, &to).await.unwrap();
        let db = database(&to, &Config::load(&to).unwrap()).await.unwrap();
        let told = "SELECT COUNT(*) FROM trace_line WHERE action = 'test.load'";
        let told = count(&one(&db, told).await);
        let changed = "SELECT COUNT(*) FROM backup_erasure WHERE kind = 'load'";
        assert_eq!(
            count(&one(&db, changed).await),
            told,
            "{number}: a line without its change"
        );
        assert!(
            told >= *before,
            "{number}: {told} of {before} acknowledged lines"
        );
        let held = open(to.join("numbers/numbers.db")).await;
        let last = one(
            &held,
            "SELECT COUNT(*), COALESCE(MAX(line), 0) FROM numbers_record",
        )
        .await;
        let [Value::Int(rows), Value::Int(last)] = last[..] else {
            panic!("{last:?}");
        };
        held.close().await;
        let told = "SELECT COUNT(*) FROM trace_line WHERE action = 'test.number'";
        let told = count(&one(&db, told).await);
        let newest = count(&one(&db, "SELECT MAX(line) FROM trace_line").await);
        assert!(
            rows > 0 && rows <= told && last <= newest,
            "{number}: a number without its line"
        );
        db.close().await;
        // It goes on where it was, and the other program finds the trace whole.
        let back = Instance::open(&to).await.unwrap();
        let act = system_act(&back, "test.restored", String::new(), vec![]);
        let line = back.trace.record(act).await.unwrap().line();
        back.trace.checkpointed(line).await;
        let report = verify(&to.join("trace"), &Options::default()).unwrap();
        assert!(report.good(), "{number}: {:?}", report.findings);
        back.trace.close().await.unwrap();
        back.db.close().await;
    }
    // Full beside what is there already: refused, and nothing in clear is left.
    if let Some(url) = &server {
        let used = root.join("back-1/mimamori.toml");
        let used = Config::load(used.parent().unwrap())
            .unwrap()
            .postgres_url_file
            .unwrap();
        let mut keep = keep(&key, &keys, Ok(&journal));
        let to = root.join("again");
        let error = restore(&from, None, &keep, &to).await.unwrap_err();
        assert!(error.to_string().contains("--postgres-url-file"), "{error}");
        keep.postgres_url_file = Some(&used);
        let error = restore(&from, None, &keep, &to).await.unwrap_err();
        assert!(
            error.to_string().contains("空ではありません"),
            "{error}: {url}"
        );
        assert!(!to.exists());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_made_under_load_fits_on_sqlite() {
    under_load(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_made_under_load_fits_on_postgresql() {
    match std::env::var(testing::SERVER) {
        Ok(url) => under_load(Some(url)).await,
        Err(_) => eprintln!("not run on PostgreSQL: {} is not set", testing::SERVER),
    }
}
