//! Backups beside `restic`, which runs in the same minutes on the same files: full, restore, and what a change costs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mimamori_storage::{Db, Location, Synchronous};

use crate::program;

/// An office with the sample town, stopped; a key of the backups; a password of the peer.
struct Office(PathBuf);

impl Office {
    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn run(&self, program: &Path, args: &[&str]) -> Duration {
        let started = Instant::now();
        let done = Command::new(program)
            .args(args)
            .current_dir(&self.0)
            .stdout(Stdio::null())
            .status();
        assert!(done.unwrap().success(), "{args:?}");
        started.elapsed()
    }

    fn ours(&self, args: &[&str]) -> Duration {
        self.run(&program(), args)
    }

    fn restic(&self, args: &[&str]) -> Duration {
        let (repository, password) = (self.path("restic"), self.path("password"));
        let own = ["-q", "-r", &repository, "--password-file", &password];
        self.run(Path::new("restic"), &[&own, args].concat())
    }

    fn made(root: &Path, people: u64) -> Self {
        let office = Self(root.to_owned());
        let (data, town, people) = (office.path("data"), office.path("town"), people.to_string());
        let made = Command::new("age-keygen")
            .args(["-o", &office.path("identity")])
            .output();
        let told = String::from_utf8(made.expect("age is installed").stderr).unwrap();
        let public = told.trim().strip_prefix("Public key: ").unwrap();
        std::fs::write(office.path("recipients"), public).unwrap();
        std::fs::write(office.path("password"), "nothing secret").unwrap();
        std::fs::create_dir(office.path("journal")).unwrap();
        office.ours(&["init", "--data", &data, "--town", "bench.example"]);
        office.ours(&["sample-town", "--people", &people, "--out", &town]);
        office.ours(&["import", "--data", &data, "--from", &town]);
        let config = office.path("data/mimamori.toml");
        let setting = std::fs::read_to_string(&config).unwrap()
            + "\n[backup]\nfolder = \"../backups\"\nrecipients_file = \"../recipients\"\njournal = \"../journal\"\nfull_every = 1000\n";
        std::fs::write(config, setting).unwrap();
        office
    }

    fn create(&self, full: bool) -> Duration {
        let data = self.path("data");
        let args = ["backup", "create", "--data", &data, "--full"];
        self.ours(&args[..if full { 5 } else { 4 }])
    }

    fn restore(&self, to: &str) -> Duration {
        self.ours(&[
            "backup",
            "restore",
            "--from",
            "backups",
            "--identity",
            "identity",
            "--keys",
            "data/keys",
            "--journal",
            "journal/journal",
            "--to",
            to,
        ])
    }

    /// Runs one statement on the register of the stopped office.
    async fn change(&self, sql: &str) -> (u64, i64) {
        let location = Location::File {
            path: self.0.join("data/register.db"),
            synchronous: Synchronous::Full,
        };
        let db = Db::open(location, 1).await.unwrap();
        let mut writer = db.writer().await.unwrap();
        let rows = writer.execute(sql, vec![]).await.unwrap();
        let pages = writer.fetch("PRAGMA page_count", vec![]).await.unwrap();
        let pages = pages[0].int(0).unwrap();
        writer.run("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
        writer.close().await.unwrap();
        db.close().await;
        (rows, pages)
    }
}

fn bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => bytes(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}

/// Smallest, middle and largest.
fn spread(mut all: Vec<f64>) -> String {
    all.sort_unstable_by(f64::total_cmp);
    let at = |n: usize| all.get(n).copied().unwrap_or(0.0);
    let last = all.len().saturating_sub(1);
    format!("{:.2} / {:.2} / {:.2}", at(0), at(last / 2), at(last))
}

fn told(what: &str, unit: &str, ours: Vec<f64>, peer: Vec<f64>) {
    println!(
        "{what}: {} {unit}; restic {} {unit} (min / median / max)",
        spread(ours),
        spread(peer)
    );
}

const CHANGE: &str = "UPDATE residents_history SET notified_day = \
    printf('2025-%02d-%02d', 1 + abs(random() % 12), 1 + abs(random() % 28)) WHERE abs(random() % ";

pub async fn measure(root: &Path, people: u64, rounds: u64) {
    let office = Office::made(root, people);
    let live = ["backup", "data/register.db", "data/trace"];
    let (mut full, mut back) = ((vec![], vec![]), (vec![], vec![]));
    // What is read into memory first serves both.
    for round in 0..rounds {
        let _ = std::fs::remove_dir_all(office.path("restic"));
        office.restic(&["init"]);
        let turn = |ours: &mut Vec<f64>,
                    peer: &mut Vec<f64>,
                    a: &dyn Fn() -> Duration,
                    b: &dyn Fn() -> Duration| {
            if round % 2 == 0 {
                ours.push(a().as_secs_f64());
                peer.push(b().as_secs_f64());
            } else {
                peer.push(b().as_secs_f64());
                ours.push(a().as_secs_f64());
            }
        };
        turn(&mut full.0, &mut full.1, &|| office.create(true), &|| {
            office.restic(&live)
        });
        let (one, two) = (office.path("back"), office.path("back-restic"));
        turn(&mut back.0, &mut back.1, &|| office.restore(&one), &|| {
            office.restic(&["restore", "latest", "--target", &two])
        });
        for to in [one, two] {
            std::fs::remove_dir_all(to).unwrap();
        }
    }
    println!(
        "register and trace: {:.1} MB",
        (bytes(&office.0.join("data/trace"))
            + std::fs::metadata(office.path("data/register.db"))
                .unwrap()
                .len()) as f64
            / 1e6
    );
    told("full backup", "s", full.0, full.1);
    told("restore", "s", back.0, back.1);
    let (history, pages) = office.change(&format!("{CHANGE} 1) = 0")).await;
    println!(
        "{history} rows of the history, {pages} pages of the register; all rewritten once before the changes below"
    );
    office.create(false);
    office.restic(&live);
    let scarce = history as i64 * 100 / pages;
    for (name, one_in) in [
        ("1 % of the history's rows, at random", 100),
        ("a row on 1 % of the pages, at random", scarce),
    ] {
        let (mut time, mut size) = ((vec![], vec![]), (vec![], vec![]));
        for _ in 0..rounds {
            let (rows, _) = office.change(&format!("{CHANGE} {one_in}) = 0")).await;
            let (folder, repository) = (office.0.join("backups"), office.0.join("restic"));
            let before = (bytes(&folder), bytes(&repository));
            time.0.push(office.create(false).as_secs_f64());
            time.1.push(office.restic(&live).as_secs_f64());
            size.0.push((bytes(&folder) - before.0) as f64 / 1e6);
            size.1.push((bytes(&repository) - before.1) as f64 / 1e6);
            assert!(rows > 0);
        }
        told(&format!("{name}: the next backup"), "s", time.0, time.1);
        told(&format!("{name}: growth"), "MB", size.0, size.1);
    }
}
