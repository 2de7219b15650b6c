//! Backups, restores, drills and first starts that are killed (SIGKILL) at any moment.
//!
//! Whatever was killed: the repository verifies, the next generation is made, what was acknowledged is there, a half
//! restore is not opened, and the service starts. `MIMAMORI_FULL=1` kills more often.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use mimamori_backup::{Check, Repository};
use mimamori_kernel::id::ImportId;
use mimamori_kernel::random::SystemRandom;
use mimamori_server::config::Config;
use mimamori_storage::{Db, Location, Synchronous, testing};
use mimamori_testkit::{TownArgs, write_town};

fn kills() -> u32 {
    match std::env::var_os("MIMAMORI_FULL").is_some_and(|v| v == "1") {
        true => 400,
        false => 50,
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn mimamori(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mimamori"));
    command
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn good(args: &[&str]) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = mimamori(args).output().unwrap();
    let told = String::from_utf8(stdout).unwrap();
    assert!(
        status.success(),
        "{args:?}: {told}{}",
        String::from_utf8_lossy(&stderr)
    );
    told
}

/// One office: data, backups, journal, keys of the backups; the register on PostgreSQL where a server is named.
struct Office {
    root: tempfile::TempDir,
    server: Option<String>,
}

impl Office {
    async fn new(server: Option<String>) -> Self {
        let office = Self {
            root: tempfile::tempdir().unwrap(),
            server,
        };
        let made = Command::new("age-keygen")
            .arg("-o")
            .arg(office.path("identity"))
            .output();
        let told = String::from_utf8(made.expect("age is installed by ./dev test").stderr).unwrap();
        let public = told.trim().strip_prefix("Public key: ").unwrap();
        std::fs::write(office.path("recipients"), public).unwrap();
        std::fs::create_dir(office.path("journal")).unwrap();
        let (data, town) = (office.path("data"), office.path("town"));
        let init = ["init", "--data", text(&data), "--town", "test.example"];
        match office.database("live").await {
            None => good(&init),
            Some(url) => good(&[&init[..], &["--postgres-url-file", text(&url)]].concat()),
        };
        let config = data.join("mimamori.toml");
        let setting = std::fs::read_to_string(&config).unwrap()
            + "\n[backup]\nfolder = \"../backups\"\nrecipients_file = \"../recipients\"\njournal = \"../journal\"\n\
               [contact]\noffice = \"test\"\ntelephone = \"1\"\n";
        std::fs::write(config, setting).unwrap();
        let args = TownArgs {
            people: 2_000,
            ..TownArgs::default()
        };
        std::fs::create_dir(&town).unwrap();
        write_town(&args, &town).unwrap();
        good(&["import", "--data", text(&data), "--from", text(&town)]);
        office.create();
        office
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// A new, empty database on the server, and the file that names it; none without a server.
    async fn database(&self, name: &str) -> Option<PathBuf> {
        let url = self.server.as_ref()?;
        let (before, _) = url.split_once('?').unwrap_or((url, ""));
        let (host, _) = before.rsplit_once('/').unwrap();
        let own = ImportId::random(&SystemRandom);
        let place = Location::Server {
            url: url.clone(),
            schema: "public".into(),
        };
        let db = Db::open(place, 1).await.unwrap();
        let mut writer = db.writer().await.unwrap();
        let create = format!("CREATE DATABASE killed_{own}");
        writer.run(&create).await.unwrap();
        writer.close().await.unwrap();
        db.close().await;
        let file = self.path(&format!("{name}-{own}.url"));
        std::fs::write(&file, url.replace(before, &format!("{host}/killed_{own}"))).unwrap();
        Some(file)
    }

    fn create(&self) {
        good(&["backup", "create", "--data", text(&self.path("data"))]);
    }

    fn restore(&self, to: &Path) -> Command {
        mimamori(&[
            "backup",
            "restore",
            "--from",
            text(&self.path("backups")),
            "--identity",
            text(&self.path("identity")),
            "--keys",
            text(&self.path("data/keys")),
            "--journal",
            text(&self.path("journal/journal")),
            "--to",
            text(to),
        ])
    }

    fn drill(&self) -> Command {
        let (data, identity) = (self.path("data"), self.path("identity"));
        mimamori(&[
            "backup",
            "drill",
            "--data",
            text(&data),
            "--identity",
            text(&identity),
        ])
    }

    fn generations(&self) -> Vec<u64> {
        let found = Repository::at(&self.path("backups")).check().unwrap();
        for (generation, check) in &found {
            assert_eq!(*check, Check::Good, "{}", generation.number);
        }
        let unlisted = Repository::at(&self.path("backups")).unlisted().unwrap();
        assert_eq!(unlisted, Vec::<String>::new());
        found.iter().map(|(g, _)| g.number).collect()
    }
}

/// Whether it ended before it was killed.
fn killed(mut child: Child, after: Duration) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < after {
        if child.try_wait().unwrap().is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let over = child.try_wait().unwrap().is_some();
    child.kill().unwrap();
    child.wait().unwrap();
    over
}

/// How long it takes when nobody kills it.
fn whole(mut command: Command) -> Duration {
    let begin = Instant::now();
    let done = command.output().unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    begin.elapsed()
}

/// Moments from the first to a little after the last, in a mixed order.
fn moments(whole: Duration) -> impl Iterator<Item = Duration> {
    let kills = kills();
    (0..kills).map(move |n| whole * (n * 7919 % kills) * 11 / (kills * 10))
}

async fn count(dir: &Path, sql: &str) -> i64 {
    let location = Config::load(dir).unwrap().location(dir).unwrap();
    let db = Db::open(location, 1).await.unwrap();
    let row = db.fetch_one(sql, vec![]).await.unwrap().unwrap();
    db.close().await;
    row.int(0).unwrap()
}

const PEOPLE: &str = "SELECT COUNT(*) FROM residents_person";
const LINES: &str = "SELECT COUNT(*) FROM trace_line";
const STAFF: &str = "SELECT COUNT(*) FROM identity_user WHERE active = 1";
const AGAIN: &str = "SELECT COUNT(*) FROM trace_line WHERE action = 'backup.again'";

/// `serve` listens.
fn starts(data: &Path) {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = free.local_addr().unwrap();
    drop(free);
    let config = data.join("mimamori.toml");
    let setting = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, setting.replace("127.0.0.1:8080", &at.to_string())).unwrap();
    let mut child = mimamori(&["serve", "--data", text(data)]).spawn().unwrap();
    let begin = Instant::now();
    while std::net::TcpStream::connect(at).is_err() {
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "it does not listen"
        );
        assert!(child.try_wait().unwrap().is_none(), "it ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn a_backup_killed_at_any_moment_leaves_the_others_whole() {
    killed_backups(Office::new(None).await).await;
}

#[tokio::test]
async fn a_backup_of_postgresql_killed_at_any_moment_leaves_the_others_whole() {
    match std::env::var(testing::SERVER) {
        Ok(url) => killed_backups(Office::new(Some(url)).await).await,
        Err(_) => eprintln!("not run on PostgreSQL: {} is not set", testing::SERVER),
    }
}

async fn killed_backups(office: Office) {
    let data = office.path("data");
    let create = || mimamori(&["backup", "create", "--data", text(&data)]);
    let whole = whole(create());
    let people = count(&data, PEOPLE).await;
    let (mut inside, mut told) = (0, office.generations());
    let mut lines = count(&data, LINES).await;
    for (turn, after) in moments(whole).enumerate() {
        let over = killed(create().spawn().unwrap(), after);
        inside += u32::from(!over);
        let now = office.generations();
        // What was there is there, and what was acknowledged was added.
        assert!(
            now.starts_with(&told),
            "turn {turn}: {now:?} after {told:?}"
        );
        assert!(now.len() >= told.len() + usize::from(over), "turn {turn}");
        assert!(now.len() <= told.len() + 1, "turn {turn}");
        told = now;
        let after = count(&data, LINES).await;
        assert!(after >= lines, "turn {turn}: lines were lost");
        lines = after;
        if turn % 10 == 9 {
            office.create();
            assert_eq!(office.generations().len(), told.len() + 1);
            told = office.generations();
        }
    }
    assert!(inside * 2 > kills(), "{inside} kills were inside");
    office.create();
    assert!(
        !data.join("staging/backup").exists(),
        "a register in clear is left"
    );
    let to = office.path("back");
    let mut restore = office.restore(&to);
    if let Some(url) = office.database("back").await {
        restore.arg("--postgres-url-file").arg(url);
    }
    assert!(restore.status().unwrap().success());
    assert_eq!(count(&to, PEOPLE).await, people);
    starts(&data);
}

#[tokio::test]
async fn a_restore_killed_at_any_moment_is_whole_or_refused() {
    let office = Office::new(None).await;
    let to = office.path("back");
    let time = whole(office.restore(&to));
    let people = count(&to, PEOPLE).await;
    let (mut inside, mut refused) = (0, 0);
    for (turn, after) in moments(time).enumerate() {
        std::fs::remove_dir_all(&to).unwrap();
        let over = killed(office.restore(&to).spawn().unwrap(), after);
        inside += u32::from(!over);
        let opened = mimamori(&["doctor", "--data", text(&to)]).output().unwrap();
        let empty = std::fs::read_dir(&to).map_or(0, Iterator::count) == 0;
        let again = office.restore(&to).output().unwrap();
        assert!(
            opened.status.success() || !over,
            "turn {turn}: it was told that it is whole"
        );
        match opened.status.success() {
            // It opens only whole, with all that was revoked; nobody overwrites it.
            true => {
                let told = String::from_utf8_lossy(&opened.stdout).into_owned();
                assert!(told.contains("証跡        開けます"), "turn {turn}: {told}");
                assert_eq!(count(&to, PEOPLE).await, people, "turn {turn}");
                assert_eq!(count(&to, AGAIN).await, 1, "turn {turn}");
                assert!(!again.status.success(), "turn {turn}");
            }
            // What is half is never filled up: it is removed and begun anew.
            false => {
                refused += 1;
                assert_eq!(again.status.success(), empty, "turn {turn}");
                if !empty {
                    assert!(to.join("RESTORE-UNFINISHED").exists(), "turn {turn}");
                }
            }
        }
        if !to.exists() {
            std::fs::create_dir(&to).unwrap();
        }
    }
    assert!(inside * 2 > kills() && refused > 10, "{inside} {refused}");
    std::fs::remove_dir_all(&to).unwrap();
    assert!(office.restore(&to).status().unwrap().success());
    starts(&to);
}

#[tokio::test]
async fn a_first_start_killed_at_any_moment_does_everything_again_before_it_serves() {
    let office = Office::new(None).await;
    let data = office.path("data");
    // The one account of the office is revoked after the backup.
    assert_eq!(count(&data, STAFF).await, 1);
    good(&[
        "reissue-manager",
        "--data",
        text(&data),
        "--login",
        "kanri-1",
    ]);
    let location = Location::File {
        path: data.join("register.db"),
        synchronous: Synchronous::Full,
    };
    let db = Db::open(location, 1).await.unwrap();
    let mut writer = db.writer().await.unwrap();
    let revoke = "UPDATE identity_user SET active = 0, epoch = epoch + 1";
    writer.begin().await.unwrap();
    assert_eq!(writer.execute(revoke, vec![]).await.unwrap(), 1);
    writer.commit().await.unwrap();
    writer.close().await.unwrap();
    db.close().await;
    let generation = office.generations().len();
    office.create();
    let number = generation.to_string();
    let to = office.path("back");
    let restore = || {
        let mut command = office.restore(&to);
        command.args(["--number", &number]);
        assert!(command.status().unwrap().success());
    };
    let open = || mimamori(&["doctor", "--data", text(&to)]);
    restore();
    assert_eq!(count(&to, STAFF).await, 1);
    let time = whole(open());
    let mut waiting = 0;
    for (turn, after) in moments(time).enumerate() {
        std::fs::remove_dir_all(&to).unwrap();
        restore();
        killed(open().spawn().unwrap(), after);
        waiting += u32::from(to.join("RESTORE-JOURNAL").exists());
        let done = open().output().unwrap();
        assert!(String::from_utf8_lossy(&done.stdout).contains("証跡        開けます"));
        assert_eq!(count(&to, STAFF).await, 0, "turn {turn}");
        assert!(count(&to, AGAIN).await >= 1, "turn {turn}");
        assert!(!to.join("RESTORE-JOURNAL").exists());
    }
    assert!(waiting > 10, "{waiting} were killed before they were done");
    starts(&to);
}

#[tokio::test]
async fn a_drill_killed_at_any_moment_leaves_nothing_in_clear_and_changes_nothing() {
    let office = Office::new(None).await;
    let data = office.path("data");
    let time = whole(office.drill());
    let (lines, mut inside, mut left) = (count(&data, LINES).await, 0, 0);
    for (turn, after) in moments(time).enumerate() {
        inside += u32::from(!killed(office.drill().spawn().unwrap(), after));
        left += u32::from(data.join("staging/backup-drill").exists());
        office.generations();
        if turn % 10 == 9 {
            assert!(office.drill().status().unwrap().success(), "turn {turn}");
            assert!(!data.join("staging/backup-drill").exists());
        }
    }
    assert!(inside * 2 > kills() && left > 10, "{inside} {left}");
    // The next start sweeps what a killed drill left.
    let scratch = data.join("staging/backup-drill/data");
    std::fs::create_dir_all(&scratch).unwrap();
    starts(&data);
    assert!(!scratch.exists());
    assert!(count(&data, LINES).await >= lines);
}
