//! `mimamori-bench`: load of the sample town, page times, the bare database beside it.
//!
//! Everything is measured over HTTP against the real program in a process of its own, with
//! its trace durable. The bare peer (one look-up and one durable insert, grouped commits)
//! runs in the same minutes. Latency of the open loop counts from the planned arrival.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on stops")]

mod backups;
mod bare;
mod client;
mod figures;
mod inside;
mod numbers;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use client::Client;
use figures::Figures;
use mimamori_storage::Location;

const HELP: &str = "mimamori-bench [--people 93000] [--seconds 20] [--port 8931]
Loads the sample town in a demo of its own under the folder for temporary files and measures it over HTTP.
--backups [--rounds 5]: instead of that, backups and restores beside `restic`, which must be installed.
--numbers [--people 101000]: instead of that, new keys for all individual numbers while 50 look-ups a second go on.
MIMAMORI_TEST_PG=postgres://... also measures a bare PostgreSQL as a peer (tables bench_person and bench_line in its schema public).";

struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn option(name: &str, otherwise: u64) -> u64 {
    let mut args = std::env::args();
    args.find(|a| a == name)
        .and_then(|_| args.next())
        .and_then(|v| v.parse().ok())
        .unwrap_or(otherwise)
}

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status
        .lines()
        .find(|l| l.starts_with("VmRSS:"))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(0)
}

/// Processor time that a process has used, in hundredths of a second.
fn processor(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let of = |n| fields.split_whitespace().nth(n);
    let times = [of(11), of(12)].into_iter().flatten();
    times.filter_map(|t| t.parse::<u64>().ok()).sum()
}

/// Waits until the demo has done what it does behind the pages after the load (qualification, the dirty variant).
async fn settle(pid: u32) {
    let mut quiet = 0;
    let mut before = processor(pid);
    while quiet < 4 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = processor(pid);
        quiet = if now - before <= 2 { quiet + 1 } else { 0 };
        before = now;
    }
}

/// Mean of 50 times 4 KiB and fdatasync, milliseconds: what the disk gives this hour.
fn disk(dir: &std::path::Path) -> f64 {
    use std::io::Write as _;
    let mut file = std::fs::File::create(dir.join("probe")).unwrap();
    let started = Instant::now();
    for _ in 0..50 {
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
    }
    started.elapsed().as_secs_f64() * 20.0
}

#[tokio::main]
async fn main() {
    if std::env::args().any(|a| a == "--help" || a == "-h") {
        println!("{HELP}");
        return;
    }
    let (people, seconds) = (option("--people", 93_000), option("--seconds", 20));
    let port = u16::try_from(option("--port", 8931)).unwrap();
    let root = std::env::temp_dir().join(format!("mimamori-bench-{}", std::process::id()));
    std::fs::create_dir_all(&root).unwrap();
    println!(
        "people {people}, {seconds} s each, fdatasync of 4 KiB {:.2} ms",
        disk(&root)
    );
    if std::env::args().any(|a| a == "--numbers") {
        numbers::measure(&root, option("--people", 101_000), seconds, port).await;
    } else if std::env::args().any(|a| a == "--backups") {
        backups::measure(&root, people, option("--rounds", 5)).await;
    } else {
        run(people, seconds, port, root.clone()).await;
    }
    println!("fdatasync of 4 KiB at the end {:.2} ms", disk(&root));
    let _ = std::fs::remove_dir_all(root);
}

async fn run(people: u64, seconds: u64, port: u16, root: PathBuf) {
    let started = Instant::now();
    let child = Command::new(program())
        .args([
            "demo",
            "--people",
            &people.to_string(),
            "--port",
            &port.to_string(),
            "--data",
        ])
        .arg(root.join("demo"))
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let demo = Demo(child);
    let first = loop {
        match Client::enter(port, "clerk-1").await {
            Some(client) => break client,
            None => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    };
    println!(
        "cold start to a signed-in page: {:.2} s",
        started.elapsed().as_secs_f64()
    );
    let mut page = Figures::default();
    let mut clerk = first;
    loop {
        let asked = Instant::now();
        let home = clerk.get("/").await;
        page.add(asked.elapsed());
        if !home.contains("id=\"import\"") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!(
        "load of the town (made, read, checked, staged, reconciled, in force): {:.1} s",
        started.elapsed().as_secs_f64()
    );
    println!("home page during the import: {page}");
    settle(demo.0.id()).await;
    println!(
        "quiet behind the pages (qualification derived, dirty variant written): {:.1} s",
        started.elapsed().as_secs_f64()
    );
    println!(
        "memory after the import: {} MiB",
        resident_kib(demo.0.id()) / 1024
    );

    let (records, lists) = find(&mut clerk).await;
    println!(
        "record pages known {}, lists of up to 50 known {}",
        records.len(),
        lists.len()
    );
    if records.is_empty() || lists.is_empty() {
        println!("too few people for the load; take --people 20000 or more");
        return;
    }
    open_loop("record page", &clerk, &records, 50, seconds).await;
    open_loop("list of 50", &clerk, &lists, 50, seconds).await;
    for clients in [1, 8, 32] {
        let ours = saturate("record page", &clerk, &records, clients, seconds).await;
        let mut peers = vec![("SQLite", bare::file(&root))];
        if let Ok(url) = std::env::var("MIMAMORI_TEST_PG") {
            let schema = "public".to_owned();
            peers.push(("PostgreSQL", Location::Server { url, schema }));
        }
        for (name, place) in peers {
            let peer = bare::look_and_insert(place, clients, seconds).await;
            println!(
                "  bare {name}, look-up and durable insert, {clients} clients: {peer:.0}/s; ratio {:.2}",
                ours / peer
            );
        }
    }
    for clients in [8, 32] {
        saturate("list of 50", &clerk, &lists, clients, seconds).await;
    }
    println!(
        "memory after the load: {} MiB",
        resident_kib(demo.0.id()) / 1024
    );
    drop(demo);
    at_rest(&root.join("demo"), port).await;
    inside::measure(&root.join("demo"), port, seconds).await;
}

pub(crate) fn program() -> PathBuf {
    std::env::current_exe().unwrap().with_file_name("mimamori")
}

/// Memory of `serve` on the register that the demo left: the same files, started anew, one page given.
async fn at_rest(demo: &Path, port: u16) {
    let file = demo.join("mimamori.toml");
    let kept = std::fs::read_to_string(&file).unwrap();
    let served = kept
        .replace("environment = \"demo\"", "environment = \"production\"")
        .replace("zone = \"demo\"", "zone = \"number\"");
    std::fs::write(&file, served).unwrap();
    let started = Instant::now();
    let mut serving = Command::new(program());
    serving.args(["serve", "--data"]).arg(demo);
    let serving = Demo(serving.stdout(Stdio::null()).spawn().unwrap());
    while !client::answers(port).await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let took = started.elapsed().as_secs_f64();
    settle(serving.0.id()).await;
    println!(
        "served anew: first page after {took:.2} s, {} MiB at rest",
        resident_kib(serving.0.id()) / 1024
    );
    drop(serving);
    std::fs::write(&file, kept).unwrap();
}

/// Addresses of record pages and of full lists.
async fn find(clerk: &mut Client) -> (Vec<String>, Vec<String>) {
    let (mut records, mut lists) = (Vec::new(), Vec::new());
    for kana in [
        "さとうあ",
        "すすきか",
        "たかはし か",
        "たなかま",
        "いとうし",
        "わたなへ か",
        "やまもとさ",
        "なかむらた",
    ] {
        let result = clerk.search(kana).await;
        let html = clerk.get(&result).await;
        let found = client::links(&html);
        if found.len() >= 40 {
            lists.push(result);
        }
        records.extend(found);
    }
    (records, lists)
}

/// `rate` requests a second, whatever the answers do; latency from the planned moment.
async fn open_loop(name: &str, clerk: &Client, paths: &[String], rate: u64, seconds: u64) {
    let planned = rate * seconds;
    let begin = Instant::now() + Duration::from_millis(50);
    let mut tasks = Vec::new();
    for n in 0..planned {
        let due = begin + Duration::from_micros(n * 1_000_000 / rate);
        let (mut client, path) = (
            clerk.sibling(),
            paths[usize::try_from(n).unwrap() * 31 % paths.len()].clone(),
        );
        tasks.push(tokio::spawn(async move {
            tokio::time::sleep_until(due.into()).await;
            let good = client.get(&path).await.contains("証跡の行");
            (good, due.elapsed())
        }));
    }
    let (mut figures, mut sent, mut errors) = (Figures::default(), 0, 0);
    for task in tasks {
        let (good, took) = task.await.unwrap();
        sent += 1;
        errors += u64::from(!good);
        figures.add(took);
    }
    println!(
        "{name}, open loop {rate}/s: planned {planned}, sent {sent}, errors {errors}, {figures}"
    );
}

/// As fast as `clients` connections can ask; requests a second.
async fn saturate(
    name: &str,
    clerk: &Client,
    paths: &[String],
    clients: usize,
    seconds: u64,
) -> f64 {
    let until = Instant::now() + Duration::from_secs(seconds);
    let started = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|c| {
            let (mut client, paths) = (clerk.sibling(), paths.to_vec());
            tokio::spawn(async move {
                let (mut figures, mut errors, mut n) = (Figures::default(), 0u64, c * 7);
                while Instant::now() < until {
                    let asked = Instant::now();
                    let good = client
                        .get(&paths[n % paths.len()])
                        .await
                        .contains("証跡の行");
                    figures.add(asked.elapsed());
                    errors += u64::from(!good);
                    n += 1;
                }
                (figures, errors)
            })
        })
        .collect();
    let (mut figures, mut errors) = (Figures::default(), 0);
    for task in tasks {
        let (one, bad) = task.await.unwrap();
        figures.merge(one);
        errors += bad;
    }
    let rate = figures.len() as f64 / started.elapsed().as_secs_f64();
    println!("{name}, {clients} clients at saturation: {rate:.0}/s, errors {errors}, {figures}");
    rate
}
