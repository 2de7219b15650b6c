//! A page that somebody has seen is in the register, whatever happens to the machine.
//!
//! The tests run the real program, people open pages, and the program is killed, loses its
//! power or its disk space. Then the directory is started again and the verifier judges it.
//! `MIMAMORI_FULL=1` runs a thousand kills; `MIMAMORI_SEED` repeats a run.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says by a panic what failed, and tells what it counted"
)]

#[path = "durability/power.rs"]
mod power;
#[path = "durability/register.rs"]
mod register;
#[path = "durability/town.rs"]
mod town;

use std::hash::{BuildHasher as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use register::{inside_an_import, judge, missing, start_again};
use town::{Browser, Record, Seen, Server};

/// The parts share two cores with one another and measure moments: one at a time.
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn alone() -> std::sync::MutexGuard<'static, ()> {
    ALONE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn full() -> bool {
    std::env::var_os("MIMAMORI_FULL").is_some_and(|v| v == "1")
}

/// Moments that differ from run to run and can be repeated by the printed seed.
struct Moments(u64);

impl Moments {
    fn new() -> Self {
        let given = std::env::var("MIMAMORI_SEED")
            .ok()
            .and_then(|s| s.parse().ok());
        let seed = given.unwrap_or_else(|| std::hash::RandomState::new().build_hasher().finish());
        println!("MIMAMORI_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, limit: u64) -> Duration {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Duration::from_millis((z ^ (z >> 31)) % limit)
    }
}

fn after_the_load(server: &Server) -> Vec<String> {
    let browser = Browser::sign_in(server.port, "clerk-1").expect("sign in");
    server.loaded(&browser);
    let records = browser.people();
    assert!(
        records.len() > 50,
        "the search finds the town: {}",
        records.len()
    );
    records
}

#[test]
fn a_kill_loses_no_page_that_was_shown() {
    let _alone = alone();
    let mut moments = Moments::new();
    let (kills, mut pages, mut held) = (if full() { 1000 } else { 20 }, 0, 0);
    let mut inside = 0;
    for kill in 0..kills {
        let root = tempfile::tempdir().unwrap();
        let (dir, known) = (root.path().join("data"), root.path().join("known"));
        let mut server = Server::start(&dir, &[], &[]);
        let (records, limit) = match kill % 2 {
            0 => (vec![], 250),
            _ => (after_the_load(&server), 1000),
        };
        let seen = server.work_and_kill(&dir, &records, moments.below(limit), &known);
        start_again(&dir).unwrap();
        assert_eq!(missing(&dir, &seen), Vec::<u64>::new(), "kill {kill}");
        judge(&dir, &known);
        inside += usize::from(inside_an_import(&dir));
        pages += seen.len();
        held += usize::from(known.exists());
    }
    println!(
        "{kills} kills, {inside} of them inside an import, {pages} pages seen, {held} with a checkpoint from before"
    );
    assert!(inside > 0, "no kill fell inside an import");
    assert!(pages > kills, "people saw pages: {pages}");
    assert!(held * 2 >= kills, "most runs had a checkpoint: {held}");
}

#[test]
fn init_makes_the_names_of_its_keys_durable() {
    let _alone = alone();
    let tools = tempfile::tempdir().unwrap();
    let Some(library) = power::library(tools.path()) else {
        return;
    };
    let root = tempfile::tempdir().unwrap();
    let whole = root.path().canonicalize().unwrap();
    let (dir, journal) = (whole.join("data"), whole.join("journal"));
    let made = Command::new(env!("CARGO_BIN_EXE_mimamori"))
        .args(["init", "--town", "mimamori.example", "--data"])
        .arg(&dir)
        .env("LD_PRELOAD", &library)
        .env("MIMAMORI_POWER_DATA", &whole)
        .env("MIMAMORI_POWER_JOURNAL", &journal)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let folders = power::folders(&journal);
    for folder in [dir.join("keys"), dir.clone()] {
        assert!(
            folders.contains(&folder),
            "{} of {folders:?}",
            folder.display()
        );
    }
}

#[test]
fn a_directory_starts_after_init_whenever_it_ended() {
    let _alone = alone();
    let mut moments = Moments::new();
    for _ in 0..if full() { 200 } else { 8 } {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("data");
        let mut child = Command::new(env!("CARGO_BIN_EXE_mimamori"))
            .args(["init", "--town", "mimamori.example", "--data"])
            .arg(&dir)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Killed around its first line, or let to its own end.
        let since = Instant::now();
        while !dir.join("trace/leaves").exists() && since.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(moments.below(60));
        let _ = child.kill();
        child.wait().unwrap();
        start_again(&dir).unwrap();
        if dir.join("trace/checkpoint").exists() {
            judge(&dir, &root.path().join("none"));
        }
    }
}

struct Cut {
    root: tempfile::TempDir,
    seen: Seen,
    counts: power::Counts,
}

impl Cut {
    fn dir(&self) -> PathBuf {
        self.root.path().join("data")
    }

    fn known(&self) -> PathBuf {
        self.root.path().join("known")
    }
}

/// Works for a moment and cuts the power.
fn power_cut(library: &Path, more: &[&str], time: Duration) -> Cut {
    let root = tempfile::tempdir().unwrap();
    let whole = root.path().canonicalize().unwrap();
    let (dir, journal) = (whole.join("data"), whole.join("journal"));
    let environment = [
        ("LD_PRELOAD", library.to_owned()),
        ("MIMAMORI_POWER_DATA", dir.clone()),
        ("MIMAMORI_POWER_JOURNAL", journal.clone()),
    ];
    let mut server = Server::start(&dir, more, &environment);
    let records = after_the_load(&server);
    let seen = server.work_and_kill(&dir, &records, time, &whole.join("known"));
    assert!(!seen.is_empty(), "people saw pages");
    let counts = power::cut(&journal);
    println!("{} pages seen, {counts:?}", seen.len());
    assert!(
        counts.writes > 100,
        "the library sees the writes: {counts:?}"
    );
    let _ = std::fs::remove_file(dir.join("register.db-shm"));
    Cut { root, seen, counts }
}

#[test]
fn a_power_cut_loses_no_page_that_was_shown() {
    let _alone = alone();
    let tools = tempfile::tempdir().unwrap();
    let Some(library) = power::library(tools.path()) else {
        return;
    };
    let mut moments = Moments::new();
    for _ in 0..if full() { 100 } else { 3 } {
        let time = Duration::from_millis(300) + moments.below(1500);
        let cut = power_cut(&library, &[], time);
        assert!(cut.counts.syncs > 10, "the library sees the syncs");
        start_again(&cut.dir()).unwrap();
        assert_eq!(missing(&cut.dir(), &cut.seen), Vec::<u64>::new());
        judge(&cut.dir(), &cut.known());
    }
}

/// The test above would be worth nothing if it could not fail.
#[test]
fn without_syncs_the_power_cut_is_noticed() {
    let _alone = alone();
    let tools = tempfile::tempdir().unwrap();
    let Some(library) = power::library(tools.path()) else {
        return;
    };
    let more = ["--synchronous", "off-for-tests"];
    let cut = power_cut(&library, &more, Duration::from_millis(800));
    assert!(cut.counts.undone > 0);
    assert!(
        !missing(&cut.dir(), &cut.seen).is_empty(),
        "nothing was lost without syncs"
    );
}

/// A small file system of its own.
struct Small(PathBuf);

impl Small {
    fn mount(at: &Path) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let made = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64m", "mimamori-test"])
            .arg(at)
            .output();
        match made {
            Ok(out) if out.status.success() => Some(Self(at.to_owned())),
            Ok(out) => {
                let why = String::from_utf8_lossy(&out.stderr).into_owned();
                assert!(!full(), "the long run needs a tmpfs: {why}");
                println!(
                    "not run: the full disk needs the right to mount a tmpfs ({})",
                    why.trim()
                );
                None
            }
            Err(error) => {
                println!("not run: the full disk needs mount ({error})");
                None
            }
        }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn fill(path: &Path) {
    use std::io::Write as _;
    let mut options = std::fs::File::options();
    let mut file = options.create(true).append(true).open(path).unwrap();
    for size in [1 << 20, 4096, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

#[test]
fn a_full_disk_shows_nothing_and_passes() {
    let _alone = alone();
    let root = tempfile::tempdir().unwrap();
    let Some(small) = Small::mount(&root.path().join("small")) else {
        return;
    };
    let (dir, known, filler) = (
        small.0.join("data"),
        root.path().join("known"),
        small.0.join("filler"),
    );
    // The program's own log stands on the same disk, as it may in an office.
    let mut server = Server::start(&dir, &[], &[]);
    let records = after_the_load(&server);
    std::fs::copy(dir.join("trace/checkpoint"), &known).unwrap();
    let browser = Browser::sign_in(server.port, "clerk-1").expect("sign in");
    let records = [browser.people(), records].concat();
    let mut seen = Seen::new();
    let mut open = |at: usize| {
        let path = &records[at % 50];
        let Some(page) = browser.get(path) else {
            let told = std::fs::read_to_string(dir.with_extension("log")).unwrap_or_default();
            std::thread::sleep(Duration::from_millis(500));
            let end = told.len().saturating_sub(1000);
            panic!(
                "no answer; {}; {}",
                server.state(),
                String::from_utf8_lossy(&told.as_bytes()[end..])
            );
        };
        if let Some(line) = page.line().filter(|_| page.status == 200) {
            seen.insert(line, Some(Record::on(&page, path)));
        }
        page
    };

    fill(&filler);
    // The write-ahead log has room from before: some pages may still be written down and shown.
    let mut refused = 0;
    for at in 0..5000 {
        fill(&small.0.join("more"));
        let page = open(at);
        match page.status {
            200 => assert!(page.line().is_some()),
            503 => {
                assert!(
                    page.body.contains("記録できないため表示しません"),
                    "{}",
                    page.body
                );
                refused += 1;
            }
            other => panic!("status {other}: {}", page.body),
        }
        if refused == 20 {
            break;
        }
    }
    assert_eq!(refused, 20, "a full disk stops the pages");
    std::thread::sleep(Duration::from_secs(3));

    std::fs::remove_file(&filler).unwrap();
    std::fs::remove_file(small.0.join("more")).unwrap();
    let since = Instant::now();
    while open(0).status != 200 {
        assert!(
            since.elapsed() < Duration::from_secs(30),
            "no page 30 s after space came back"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    for at in 0..50 {
        assert_eq!(open(at).status, 200);
    }

    server.kill();
    start_again(&dir).unwrap();
    assert_eq!(missing(&dir, &seen), Vec::<u64>::new());
    judge(&dir, &known);
}
