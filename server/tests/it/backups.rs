//! Backups of a whole instance: made while it works, stolen, restored, drilled (S0-28, S0-47).

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use mimamori_kernel::clock::Instant as Moment;
use mimamori_server::backup::{Keep, Maker, State, Weight, Without, drill, last_report, restore};
use mimamori_server::config::Backup;
use mimamori_server::instance::Instance;
use mimamori_server::web::Site;
use mimamori_storage::{Db, Location, Synchronous, Value};
use mimamori_verifier::trace::{Options, verify};

use crate::house::{House, demo};

/// The demo with a folder for backups; the private key lies outside the data directory.
pub async fn house(server: Option<String>) -> (House, PathBuf) {
    let mut house = demo(server).await;
    let root = house._dir.path().to_owned();
    let key = root.join("identity.txt");
    let made = std::process::Command::new("age-keygen")
        .arg("-o")
        .arg(&key)
        .output();
    let made = made.expect("age is installed by ./dev test");
    let told = String::from_utf8(made.stderr).unwrap();
    let public = told.trim().strip_prefix("Public key: ").unwrap();
    std::fs::write(root.join("recipients.txt"), public).unwrap();
    let setting = Backup {
        folder: "../backups".into(),
        recipients_file: "../recipients.txt".into(),
        journal: Some("../journal".into()),
        hour: 2,
        full_every: 3,
    };
    std::fs::create_dir(root.join("journal")).unwrap();
    let file = house.instance.dir.join("mimamori.toml");
    let mut text = std::fs::read_to_string(&file).unwrap();
    text += "\n[backup]\nfolder = \"../backups\"\nrecipients_file = \"../recipients.txt\"\njournal = \"../journal\"\nfull_every = 3\n";
    std::fs::write(file, text).unwrap();
    house.instance.config.backup = Some(setting);
    (house, key)
}

pub fn keep<'a>(
    identity: &'a Path,
    keys: &'a Path,
    journal: Result<&'a PathBuf, Without>,
) -> Keep<'a> {
    Keep {
        identity,
        keys,
        numbers_keys: None,
        journal: journal.map(PathBuf::as_path),
        postgres_url_file: None,
    }
}

pub async fn open(path: PathBuf) -> Db {
    let synchronous = Synchronous::Full;
    Db::open(Location::File { path, synchronous }, 1)
        .await
        .unwrap()
}

pub async fn one(db: &Db, sql: &str) -> Vec<Value> {
    db.fetch_one(sql, vec![]).await.unwrap().unwrap().0
}

async fn rows(dir: &Path, table: &str) -> i64 {
    let path = dir.join("register.db");
    let synchronous = Synchronous::Full;
    let db = Db::open(Location::File { path, synchronous }, 1)
        .await
        .unwrap();
    let sql = format!("SELECT COUNT(*) FROM {table}");
    let count = db
        .fetch_one(&sql, vec![])
        .await
        .unwrap()
        .unwrap()
        .int(0)
        .unwrap();
    db.close().await;
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_made_while_people_work_is_restored_whole() {
    let (house, key) = house(None).await;
    let root = house._dir.path();
    let cookie = house.play("clerk-1").await;
    let stop = AtomicBool::new(false);
    let work = async {
        let mut searches = 0;
        while !stop.load(Ordering::Relaxed) {
            let found = house
                .post(
                    "/residents/search",
                    &cookie,
                    "channel=counter&kana=%E3%81%82",
                )
                .await;
            assert!(found.status.is_redirection(), "{}", found.body);
            searches += 1;
        }
        searches
    };
    let backups = async {
        let mut made = Vec::new();
        for _ in 0..4 {
            made.push(Maker::new(&house.instance).create(false).await.unwrap());
        }
        stop.store(true, Ordering::Relaxed);
        made
    };
    let (searches, made) = tokio::join!(work, backups);
    assert!(searches > 4, "{searches} searches");
    let bases: Vec<_> = made.iter().map(|g| g.base).collect();
    assert_eq!(bases, [None, Some(1), Some(2), None]);
    assert!(
        made[1].bytes * 2 < made[0].bytes,
        "{} {}",
        made[1].bytes,
        made[0].bytes
    );
    let mut opened = 0;
    for generation in &made {
        let report = drill(&house.instance.dir, Some(generation.number), &key)
            .await
            .unwrap();
        assert_eq!(
            report.findings,
            Vec::<String>::new(),
            "{}",
            generation.number
        );
        assert!(report.tables > 30, "{} tables", report.tables);
        opened = report.opened;
    }
    // The last one holds searches, whose words are sealed.
    assert!(opened > 0, "nothing was opened");
    assert_eq!(last_report(&house.instance.dir).unwrap().unwrap().number, 4);
    assert!(!house.instance.dir.join("staging/backup-drill").exists());

    let (from, keys, to) = (
        root.join("backups"),
        house.instance.dir.join("keys"),
        root.join("back"),
    );
    let journal = root.join("journal/journal");
    let keep = keep(&key, &keys, Ok(&journal));
    let manifest = restore(&from, None, &keep, &to).await.unwrap();
    assert_eq!(manifest.number, 4);
    let lines = rows(&to, "trace_line").await;
    assert_eq!(manifest.facts["rows/trace_line"], lines.to_string());
    assert_eq!(
        rows(&to, "residents_person").await,
        rows(&house.instance.dir, "residents_person").await
    );
    // A folder whose restore did not end is not opened, and what a killed backup left is removed.
    let unfinished = to.join("RESTORE-UNFINISHED");
    std::fs::write(&unfinished, "").unwrap();
    let refused = Instance::open(&to).await.err().unwrap().to_string();
    assert!(refused.contains("途中で止まった"), "{refused}");
    std::fs::remove_file(unfinished).unwrap();
    let left = to.join("staging/backup-drill/data");
    std::fs::create_dir_all(&left).unwrap();
    // The restored instance goes on: its trace takes a line, and the other program finds it whole.
    let back = Instance::open(&to).await.unwrap();
    let act = mimamori_server::init::system_act(&back, "test.restored", String::new(), vec![]);
    let line = back.trace.record(act).await.unwrap().line();
    assert!(line > u64::try_from(lines).unwrap());
    back.trace.checkpointed(line).await;
    let report = verify(&to.join("trace"), &Options::default()).unwrap();
    assert!(report.good(), "{:?}", report.findings);
    assert!(!left.exists());
    // A restored register does not go on in the list of the one that it came from.
    let more =
        mimamori_server::init::system_act(&house.instance, "test.more", String::new(), vec![]);
    let line = house.instance.trace.record(more).await.unwrap().line();
    house.instance.trace.checkpointed(line).await;
    Maker::new(&house.instance).create(false).await.unwrap();
    let error = Maker::new(&back).create(false).await.unwrap_err();
    assert!(error.to_string().contains("あとの証跡"), "{error}");
    // Somebody else's folder is left as it is.
    let busy = root.join("busy");
    std::fs::create_dir(&busy).unwrap();
    std::fs::write(busy.join("file"), "x").unwrap();
    let mode = |path: &Path| {
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).unwrap().permissions())
    };
    let before = mode(&busy);
    assert!(restore(&from, None, &keep, &busy).await.is_err());
    assert_eq!(mode(&busy), before);
}

#[tokio::test]
async fn stolen_backups_tell_nothing_and_wrong_keys_open_nothing() {
    let (house, key) = house(None).await;
    let root = house._dir.path();
    Maker::new(&house.instance).create(false).await.unwrap();
    let mut read = 0;
    let people = house.persons("1 = 1").await;
    let mut names: Vec<Vec<u8>> = Vec::new();
    for (_, texts) in &people {
        for text in texts.iter().filter(|t| t.len() >= 9) {
            names.push(text.as_bytes().to_vec());
            names.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
        }
    }
    names.retain(|n| n.len() >= 8);
    assert!(names.len() > 500, "{} names", names.len());
    for entry in std::fs::read_dir(root.join("backups")).unwrap().flatten() {
        let bytes = std::fs::read(entry.path()).unwrap();
        read += bytes.len();
        let starts: std::collections::HashSet<&[u8]> = bytes.windows(8).collect();
        for name in &names {
            assert!(!starts.contains(&name[..8]), "{:?}", entry.path());
        }
    }
    assert!(read > 500_000, "{read} bytes");
    // The same search finds the names where they are in clear.
    let mut bytes = std::fs::read(house.instance.dir.join("register.db")).unwrap();
    bytes.extend(std::fs::read(house.instance.dir.join("register.db-wal")).unwrap());
    let starts: std::collections::HashSet<&[u8]> = bytes.windows(8).collect();
    assert!(names.iter().any(|n| starts.contains(&n[..8])));

    let stranger = root.join("stranger.txt");
    let made = std::process::Command::new("age-keygen")
        .arg("-o")
        .arg(&stranger)
        .output();
    assert!(made.unwrap().status.success());
    let (from, keys) = (root.join("backups"), house.instance.dir.join("keys"));
    let journal = root.join("journal/journal");
    let foreign = keep(&stranger, &keys, Ok(&journal));
    let error = restore(&from, None, &foreign, &root.join("a"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("開けません"), "{error}");
    let other = root.join("other-keys");
    mimamori_encryption::Keys::create(&other, &mimamori_kernel::random::SystemRandom).unwrap();
    let without = keep(&key, &other, Err(Without::Exercise));
    let error = restore(&from, None, &without, &root.join("b"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("この町の署名"), "{error}");
}

#[tokio::test]
async fn a_drill_says_what_does_not_fit() {
    let (house, key) = house(None).await;
    let made = Maker::new(&house.instance).create(false).await.unwrap();
    let file = house._dir.path().join("backups").join(made.file);
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(file, bytes).unwrap();
    let report = drill(&house.instance.dir, None, &key).await.unwrap();
    assert_eq!(report.findings.len(), 1);
    assert_eq!(last_report(&house.instance.dir).unwrap().unwrap(), report);
}

#[tokio::test]
async fn without_settings_there_is_no_backup_and_the_sentence_says_so() {
    let house = demo(None).await;
    let error = Maker::new(&house.instance).create(false).await.unwrap_err();
    assert!(error.to_string().contains("[backup]"), "{error}");
}

#[tokio::test]
async fn each_night_has_its_backup_and_the_operator_sees_when_it_or_the_drill_is_missing() {
    let (mut house, key) = house(None).await;
    house.router = Site::new(&house.instance).router();
    let dir = house.instance.dir.clone();
    let hour = 3_600_000_000;
    let state = |now| {
        State::of(&dir, &house.instance.config, now)
            .unwrap()
            .unwrap()
    };
    // 02:30 in the office.
    let midnight = Moment::after_office_day(house.instance.clock.now().office_day());
    let night = Moment(midnight.0 + 2 * hour + hour / 2);
    assert_eq!(state(night).weight, Weight::Bad, "nothing was ever made");
    let maker = Maker::new(&house.instance);
    let early = Moment(midnight.0 + hour);
    assert!(
        maker.nightly(early).await.unwrap().is_none(),
        "before its hour"
    );
    let made = maker.nightly(night).await.unwrap().unwrap();
    let told = state(Moment(made.at));
    assert_eq!(
        told.weight,
        Weight::Bad,
        "it was never tried: {}",
        told.text
    );
    drill(&dir, None, &key).await.unwrap();
    let told = state(Moment(made.at + hour / 60));
    assert_eq!(told.weight, Weight::Good, "{}", told.text);
    let late = state(Moment(made.at + hour / 10));
    assert_eq!(late.weight, Weight::Bad, "the journal stopped");
    assert!(late.text.contains("5分以上前"), "{}", late.text);
    std::fs::remove_file(house._dir.path().join("journal/journal")).unwrap();
    let none = state(Moment(made.at + hour / 60));
    assert!(none.text.contains("写せていません"), "{}", none.text);
    assert!(told.text.contains("第1世代"), "{}", told.text);
    assert_eq!(
        state(Moment(made.at + 27 * hour)).weight,
        Weight::Bad,
        "a night was missed"
    );
    // The home page says the same to whoever operates, and to nobody else.
    let operator = house.play("kanri-1").await;
    assert!(house.get("/", &operator).await.body.contains("復元訓練"));
    let clerk = house.play("clerk-1").await;
    assert!(!house.get("/", &clerk).await.body.contains("復元訓練"));
}
