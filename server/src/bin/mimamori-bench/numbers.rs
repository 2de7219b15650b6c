//! Individual numbers: new keys for all of them while look-ups go on (S0-47, PROTECTION 3.3 G3.1).
//!
//! One look-up is what an officer's browser does: the form to the office's page, the line, the ticket, the room's frame;
//! for a search the number is typed into the frame. It counts as failed unless the right number, or the hit, is shown.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mimamori_kernel::check::individual_number_check;
use mimamori_kernel::id::PersonId;
use mimamori_storage::{Db, Location, Synchronous};

use super::client::{Client, FORM, between};
use super::figures::Figures;
use super::{Demo, program, settle};

/// Look-ups a second.
const RATE: u64 = 50;
/// What every act states.
const GIVEN: &str = "purpose=care-insurance&case=12&reason=a";

/// Somebody and the number that the file gave.
type Person = (PersonId, String);

struct Work {
    handler: Client,
    token: String,
    people: Vec<Person>,
}

fn number(n: usize) -> String {
    let eleven = format!("{:011}", 70_000_000_000 + n * 131);
    match individual_number_check(&eleven) {
        Ok(check) => format!("{eleven}{check}"),
        Err(_) => eleven,
    }
}

async fn rows(file: std::path::PathBuf, sql: &str) -> Vec<mimamori_storage::Row> {
    let location = Location::File {
        path: file,
        synchronous: Synchronous::Full,
    };
    let db = Db::open(location, 1).await.unwrap();
    let rows = db.fetch(sql, vec![]).await.unwrap();
    db.close().await;
    rows
}

/// The room's process among the demo's children.
fn room_of(demo: u32) -> Option<u32> {
    std::fs::read_dir("/proc")
        .ok()?
        .flatten()
        .find_map(|entry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let (_, after) = stat.rsplit_once(") ")?;
            let mut fields = after.split(' ');
            let state = fields.next()?;
            let parent: u32 = fields.next()?.parse().ok()?;
            (parent == demo && state != "Z").then_some(pid)
        })
}

/// Raises the limits of the hour and lets the room read them: it is started again by the demo.
async fn unlimited(dir: &Path, demo: u32) {
    let file = dir.join("mimamori.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut config: toml::Table = toml::from_str(&text).unwrap();
    let numbers = config["numbers"].as_table_mut().unwrap();
    for name in ["searches_per_hour", "reveals_per_hour"] {
        numbers.insert(name.into(), vec![1_000_000i64; 2].into());
    }
    std::fs::write(&file, toml::to_string(&config).unwrap()).unwrap();
    let room = room_of(demo).expect("the room runs").to_string();
    let _ = Command::new("kill").args(["-9", &room]).status();
    tokio::time::sleep(Duration::from_secs(3)).await;
}

async fn verified(client: &mut Client) -> String {
    client.get("/demo/face?to=/").await;
    let token = client.token().await;
    let form = format!("csrf={token}&to=/");
    let (status, body) = client.post("/demo/face", FORM, &form).await;
    assert_eq!(status, 303, "{body}");
    client.token().await
}

/// Port and path of the frame on a page of the office.
fn frame(page: &str) -> Option<(u16, String)> {
    let (_, rest) = page.split_once("<iframe")?;
    let source = between(rest, "src=\"http://", "\"")?;
    let (host, path) = source.split_once('/')?;
    let (_, port) = host.rsplit_once(':')?;
    Some((port.parse().ok()?, format!("/{path}")))
}

/// Loads a number for everybody; how many seconds it took.
async fn load(work: &mut Work, everybody: &[(String, String)]) -> f64 {
    let form = format!(
        "csrf={}&{GIVEN}&acquired=R080401&method=application&proof=card",
        work.token
    );
    let (_, page) = work
        .handler
        .post("/insurance/numbers/load", FORM, &form)
        .await;
    let (port, path) = frame(&page).expect("a frame for the file");
    let mut room = work.handler.at(port);
    room.get(&path).await;
    let mut file = String::from("宛名番号,個人番号\n");
    for (address, number) in everybody {
        file.push_str(&format!("{address},{number}\n"));
    }
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"rows\"\r\n\r\n{}\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n{file}\r\n--b--\r\n",
        everybody.len()
    );
    let started = Instant::now();
    let (status, told) = room
        .post(&path, "multipart/form-data; boundary=b", &body)
        .await;
    assert_eq!(status, 303, "{told}");
    loop {
        let page = room.get(&format!("{path}/state")).await;
        if page.contains("<h1>一括登録の結果") {
            return started.elapsed().as_secs_f64();
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// One look-up; why it failed, if it did.
async fn look(work: &Work, n: u64) -> Result<(), String> {
    let at = usize::try_from(n).unwrap_or(0) * 7_919 % work.people.len();
    let (person, number) = &work.people[at];
    let mut office = work.handler.sibling();
    let reveal = n.is_multiple_of(2);
    let path = match reveal {
        true => format!("/insurance/numbers/persons/{person}/reveal"),
        false => "/insurance/numbers/find".into(),
    };
    let form = format!("csrf={}&{GIVEN}", work.token);
    let (status, page) = office.post(&path, FORM, &form).await;
    let (port, path) = frame(&page).ok_or_else(|| format!("{status}: no frame"))?;
    let mut room = office.at(port);
    let shown = room.get(&path).await;
    if reveal {
        let grouped = format!("{} {} {}", &number[..4], &number[4..8], &number[8..]);
        return match shown.contains(&grouped) {
            true => Ok(()),
            false => Err(format!("no number: {shown}")),
        };
    }
    let (status, told) = room.post(&path, FORM, &format!("number={number}")).await;
    match told.contains("1人が見つかりました") {
        true => Ok(()),
        false => Err(format!("{status}: no hit: {told}")),
    }
}

/// Look-ups at their planned moments until `over`; latency from the planned moment.
async fn open_loop(name: &str, work: &Arc<Work>, from: u64, over: Arc<AtomicBool>) -> u64 {
    let begin = Instant::now() + Duration::from_millis(20);
    let (mut tasks, mut n) = (Vec::new(), 0);
    while !over.load(Ordering::Relaxed) {
        let due = begin + Duration::from_micros(n * 1_000_000 / RATE);
        tokio::time::sleep_until(due.into()).await;
        let work = work.clone();
        tasks.push(tokio::spawn(async move {
            let done = look(&work, from + n).await;
            ((from + n) % 2, done, due.elapsed())
        }));
        n += 1;
    }
    let (mut reveals, mut finds, mut failed) = (Figures::default(), Figures::default(), vec![]);
    for task in tasks {
        let (kind, done, took) = task.await.unwrap();
        match kind {
            0 => reveals.add(took),
            _ => finds.add(took),
        }
        failed.extend(done.err());
    }
    let first = failed.first().map_or("", String::as_str);
    println!(
        "{name}, open loop {RATE}/s: sent {n}, failed {} {first}",
        failed.len()
    );
    println!("  shown by person: {reveals}");
    println!("  found by number: {finds}");
    n
}

async fn stop_after(seconds: u64, over: Arc<AtomicBool>) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    over.store(true, Ordering::Relaxed);
}

/// Everything, with a demo of `people` in `root`.
pub async fn measure(root: &Path, people: u64, seconds: u64, port: u16) {
    let dir = root.join("demo");
    let child = Command::new(program())
        .args(["demo", "--people", &people.to_string(), "--port"])
        .args([&port.to_string(), "--data"])
        .arg(&dir)
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let demo = Demo(child);
    let mut clerk = loop {
        match Client::enter(port, "clerk-1").await {
            Some(client) => break client,
            None => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    while clerk.get("/").await.contains("id=\"import\"") {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    settle(demo.0.id()).await;
    unlimited(&dir, demo.0.id()).await;
    let sql = "SELECT person, address_number FROM residents_person WHERE status = 1 AND protected = 0 \
               AND generation = (SELECT generation FROM residents_state WHERE one = 1)";
    let mut everybody = Vec::new();
    let mut named = std::collections::HashMap::new();
    for (n, row) in rows(dir.join("register.db"), sql).await.iter().enumerate() {
        everybody.push((row.text(1).unwrap().to_owned(), number(n)));
        named.insert(row.array::<16>(0).unwrap(), number(n));
    }
    let mut handler = Client::enter(port, "handler-1").await.unwrap();
    let token = verified(&mut handler).await;
    let mut work = Work {
        handler,
        token,
        people: vec![],
    };
    let took = load(&mut work, &everybody).await;
    // References of everybody, and those of them that have a number.
    let known = rows(
        dir.join("register.db"),
        "SELECT reference, person FROM care_insurance_number WHERE ended = 0",
    );
    let held = rows(
        dir.join("numbers/numbers.db"),
        "SELECT reference FROM numbers_record",
    );
    let held: std::collections::HashSet<[u8; 16]> =
        held.await.iter().map(|row| row.array(0).unwrap()).collect();
    for row in known.await {
        let person: [u8; 16] = row.array(1).unwrap();
        if let Some(number) = named
            .get(&person)
            .filter(|_| held.contains(&row.array(0).unwrap()))
        {
            work.people
                .push((PersonId::from_bytes(person), number.clone()));
        }
    }
    let many = work.people.len();
    println!(
        "load of {} rows, {many} registered: {took:.1} s",
        everybody.len()
    );
    work.token = verified(&mut work.handler).await;
    let mut work = Arc::new(work);
    let over = Arc::new(AtomicBool::new(false));
    let (sent, ()) = tokio::join!(
        open_loop("look-ups alone", &work, 0, over.clone()),
        stop_after(seconds, over.clone())
    );
    if let Some(work) = Arc::get_mut(&mut work) {
        work.token = verified(&mut work.handler).await;
    }
    let mut system = Client::enter(port, "system-1").await.unwrap();
    let token = system.token().await;
    let over = Arc::new(AtomicBool::new(false));
    let rotation = async {
        let started = Instant::now();
        let form = format!("csrf={token}");
        let (status, _) = system.post("/insurance/numbers/keys", FORM, &form).await;
        assert_eq!(status, 303);
        while !system
            .get("/insurance/numbers/keys")
            .await
            .contains("更新は終わっています")
        {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        over.store(true, Ordering::Relaxed);
        started.elapsed().as_secs_f64()
    };
    let (during, took) = tokio::join!(
        open_loop("look-ups during the rotation", &work, sent, over.clone()),
        rotation
    );
    println!("new keys for {many} numbers: {took:.1} s");
    let over = Arc::new(AtomicBool::new(false));
    tokio::join!(
        open_loop("look-ups afterwards", &work, sent + during, over.clone()),
        stop_after(5, over.clone())
    );
    drop(demo);
}
