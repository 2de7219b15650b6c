//! Individual numbers are used hard in the real program, and then looked for everywhere (S0-47, PROTECTION T1, T14).
//!
//! Places: memory of the web process and of the numbers room, every file of the data directory, both logs, a backup and
//! what it restores to. Forms: UTF-8 (also in groups of four), UTF-16, packed decimals, 64-bit integers, base64, hexadecimal.
//! `MIMAMORI_FULL=1` shows each of the 10,000 numbers instead of 150.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says by a panic what failed, and tells what it counted"
)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use mimamori_kernel::check::individual_number_check;

const CANARIES: u64 = 10_000;

/// Sound numbers that nobody else would make.
fn canary(n: u64) -> String {
    let eleven = format!("{:011}", 70_123_000_007 + n * 2_900_417);
    format!("{eleven}{}", individual_number_check(&eleven).unwrap())
}

/// Every form in which a number could lie somewhere.
fn forms(number: &str) -> Vec<(&'static str, Vec<u8>)> {
    let digits = number.as_bytes();
    let value: u64 = number.parse().unwrap();
    let wide =
        |order: fn(u16) -> [u8; 2]| number.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let packed = digits
        .chunks(2)
        .map(|p| (p[0] - b'0') << 4 | (p[1] - b'0'))
        .collect();
    let mut out = vec![
        ("utf-8", digits.to_vec()),
        (
            "utf-8 in groups",
            format!("{} {} {}", &number[..4], &number[4..8], &number[8..]).into_bytes(),
        ),
        ("utf-16 le", wide(u16::to_le_bytes)),
        ("utf-16 be", wide(u16::to_be_bytes)),
        ("packed decimal", packed),
        ("integer le", value.to_le_bytes().to_vec()),
        ("integer be", value.to_be_bytes().to_vec()),
        (
            "hexadecimal",
            digits
                .iter()
                .flat_map(|d| format!("{d:02x}").into_bytes())
                .collect(),
        ),
    ];
    // Base64 at each of the three places that a text can begin at, without the letters that its neighbours share.
    for shift in 0..3 {
        let text = [vec![0; shift], digits.to_vec()].concat();
        let coded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(text);
        let first = (shift * 4).div_ceil(3);
        let last = (shift + digits.len()) * 4 / 3;
        out.push(("base64", coded.as_bytes()[first..last].to_vec()));
    }
    out
}

/// Looks for all numbers in all forms.
struct Hunter {
    search: AhoCorasick,
    names: Vec<&'static str>,
    zeros: Vec<u8>,
}

type Counts = BTreeMap<&'static str, usize>;

impl Hunter {
    fn new() -> Self {
        let all: Vec<_> = (0..CANARIES).flat_map(|n| forms(&canary(n))).collect();
        let search = AhoCorasick::builder()
            .kind(Some(aho_corasick::AhoCorasickKind::ContiguousNFA))
            .build(all.iter().map(|(_, bytes)| bytes))
            .unwrap();
        let names = all.into_iter().map(|(name, _)| name).collect();
        let zeros = vec![0; 1 << 20];
        Self {
            search,
            names,
            zeros,
        }
    }

    fn hunt(&self, bytes: &[u8], counts: &mut Counts) {
        for found in self.search.find_overlapping_iter(bytes) {
            *counts
                .entry(self.names[found.pattern().as_usize()])
                .or_default() += 1;
        }
    }

    fn files(&self, root: &Path) -> (Counts, usize, u64) {
        let (mut counts, mut files, mut size) = (Counts::new(), 0, 0);
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.is_file() {
                    let bytes = std::fs::read(&path).unwrap();
                    (files, size) = (files + 1, size + bytes.len() as u64);
                    self.hunt(&bytes, &mut counts);
                }
            }
        }
        (counts, files, size)
    }

    /// Everything that the process could write to.
    fn memory(&self, pid: u32) -> (Counts, u64) {
        let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
        let mut memory = std::fs::File::open(format!("/proc/{pid}/mem")).unwrap();
        let (mut counts, mut size) = (Counts::new(), 0);
        for line in maps.lines() {
            let mut words = line.split_whitespace();
            let (range, rights) = (words.next().unwrap(), words.next().unwrap());
            if !rights.starts_with("rw") || line.ends_with("[vvar]") {
                continue;
            }
            let (from, to) = range.split_once('-').unwrap();
            let address = |text| u64::from_str_radix(text, 16).unwrap();
            let (mut at, to) = (address(from), address(to));
            // In parts that overlap by the longest form.
            while at < to {
                let end = to.min(at + (1 << 20));
                let mut bytes = vec![0; usize::try_from(end - at).unwrap()];
                memory.seek(SeekFrom::Start(at)).unwrap();
                // Most of what an allocator sets aside was never touched.
                if memory.read_exact(&mut bytes).is_ok() && bytes != self.zeros[..bytes.len()] {
                    size += bytes.len() as u64;
                    self.hunt(&bytes, &mut counts);
                }
                at = match end == to {
                    true => to,
                    false => end - 64,
                };
            }
        }
        (counts, size)
    }
}

#[test]
fn the_hunter_finds_every_form_at_every_place() {
    let hunter = Hunter::new();
    for n in [0, 4711, CANARIES - 1] {
        let number = canary(n);
        for (name, bytes) in forms(&number) {
            let mut counts = Counts::new();
            hunter.hunt(&[b"abc\0".as_slice(), &bytes, b"xyz"].concat(), &mut counts);
            assert!(counts.get(name).is_some_and(|n| *n > 0), "{name}");
        }
        for before in ["", "a", "ab", "abc"] {
            let text =
                base64::engine::general_purpose::STANDARD.encode(format!("{before}{number},x"));
            let mut counts = Counts::new();
            hunter.hunt(text.as_bytes(), &mut counts);
            assert!(counts.contains_key("base64"), "after {before:?}");
        }
    }
    let mut counts = Counts::new();
    hunter.hunt(b"123456789018 and 987654321093", &mut counts);
    assert!(counts.is_empty());
    // It can read memory: its own holds the numbers.
    let held: Vec<String> = (0..100).map(canary).collect();
    let (own, _) = hunter.memory(std::process::id());
    assert!(own["utf-8"] >= held.len(), "{own:?}");
}

/// The demo, ended with the test.
struct Demo {
    child: Child,
    port: u16,
    said: Arc<Mutex<String>>,
}

impl Drop for Demo {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// TCP ports on which a process listens, from Linux's own tables.
fn listening(process: u32) -> Vec<u16> {
    let at = format!("/proc/{process}");
    let held: Vec<String> = std::fs::read_dir(format!("{at}/fd"))
        .unwrap()
        .flatten()
        .filter_map(|fd| Some(std::fs::read_link(fd.path()).ok()?.to_str()?.to_owned()))
        .collect();
    let mut out = Vec::new();
    for table in ["tcp", "tcp6", "udp", "udp6"] {
        let text = std::fs::read_to_string(format!("{at}/net/{table}")).unwrap_or_default();
        for line in text.lines().skip(1) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let listens = words[3] == "0A" || table.starts_with("udp");
            if listens && held.contains(&format!("socket:[{}]", words[9])) {
                let port = words[1].rsplit(':').next().unwrap();
                out.push(u16::from_str_radix(port, 16).unwrap());
            }
        }
    }
    out.sort_unstable();
    out
}

impl Demo {
    fn start(dir: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut child = Command::new(env!("CARGO_BIN_EXE_mimamori"))
            .args([
                "demo",
                "--people",
                "11000",
                "--port",
                &port.to_string(),
                "--data",
            ])
            .arg(dir)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let pipes: [Box<dyn std::io::Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        for pipe in pipes {
            let said = said.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                    said.lock().unwrap().push_str(&format!("{line}\n"));
                }
            });
        }
        let demo = Self { child, port, said };
        for _ in 0..2400 {
            if demo.said.lock().unwrap().contains("取り込みが終わりました") {
                return demo;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the demo did not load: {}", demo.said.lock().unwrap());
    }

    /// The process of the numbers room.
    fn room(&self) -> u32 {
        let own = self.child.id().to_string();
        let children = std::fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter_map(|entry| {
                let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
                let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
                let parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.to_owned();
                (parent == own && !stat.contains(") Z ")).then_some(pid)
            });
        children.last().expect("the room runs")
    }
}

/// One browser.
struct Browser {
    client: reqwest::Client,
    port: u16,
    cookie: String,
}

struct Page {
    status: u16,
    cookie: Option<String>,
    body: String,
}

impl Browser {
    async fn ask(&self, method: &str, url: &str, form: Option<(&str, Vec<u8>)>) -> Page {
        let url = match url.starts_with("http") {
            true => url.to_owned(),
            false => format!("http://127.0.0.1:{}{url}", self.port),
        };
        let origin = url.split('/').take(3).collect::<Vec<_>>().join("/");
        let mut request = self
            .client
            .request(method.parse().unwrap(), &url)
            .header("origin", origin);
        if !self.cookie.is_empty() {
            request = request.header("cookie", &self.cookie);
        }
        if let Some((kind, body)) = form {
            request = request.header("content-type", kind).body(body);
        }
        let answer = request.send().await.unwrap();
        let text = |name: &str| {
            answer
                .headers()
                .get(name)
                .map(|v| v.to_str().unwrap().to_owned())
        };
        Page {
            status: answer.status().as_u16(),
            cookie: text("set-cookie").map(|c| c.split(';').next().unwrap().to_owned()),
            body: answer.text().await.unwrap(),
        }
    }

    async fn get(&self, url: &str) -> Page {
        self.ask("GET", url, None).await
    }

    /// Posts to the office's pages with the token of the session.
    async fn post(&self, path: &str, form: &str) -> Page {
        let token = between(
            &self.get("/password").await.body,
            "name=\"csrf\" value=\"",
            "\"",
        );
        self.form(path, &format!("csrf={token}&{form}")).await
    }

    async fn form(&self, url: &str, form: &str) -> Page {
        let kind = "application/x-www-form-urlencoded";
        self.ask("POST", url, Some((kind, form.as_bytes().to_vec())))
            .await
    }

    async fn sign_in(port: u16, login: &str) -> Self {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let mut browser = Self {
            client,
            port,
            cookie: String::new(),
        };
        let token = between(
            &browser.get("/demo").await.body,
            "name=\"csrf\" value=\"",
            "\"",
        );
        let page = browser
            .form("/demo/role", &format!("csrf={token}&login={login}"))
            .await;
        browser.cookie = page.cookie.expect(login);
        browser
    }

    /// Stands before the simulated face terminal.
    async fn verify(&mut self) {
        self.get("/demo/face?to=/").await;
        let page = self.post("/demo/face", "to=/").await;
        assert_eq!(page.status, 303, "{}", page.body);
        if let Some(cookie) = page.cookie {
            self.cookie = cookie;
        }
    }

    async fn framed(&self, path: &str, form: &str) -> String {
        let page = self.post(path, form).await;
        assert_eq!(page.status, 200, "{}", page.body);
        between(
            page.body.split("<iframe").nth(1).expect("a frame"),
            "src=\"",
            "\"",
        )
    }
}

fn between(text: &str, before: &str, after: &str) -> String {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split(after).next().unwrap().to_owned()
}

const GIVEN: &str = "purpose=care-insurance&case=12&reason=a";
const HOW: &str = "acquired=R080401&method=application&proof=card";

/// Loads all numbers from a file; how many were registered.
async fn load(browser: &Browser, dir: &Path) -> u64 {
    let town = std::fs::read(dir.join("sample-town/residents.csv")).unwrap();
    let (text, ..) = encoding_rs::SHIFT_JIS.decode(&town);
    let heads: Vec<&str> = text
        .lines()
        .next()
        .unwrap()
        .split(',')
        .map(|h| h.trim_matches('"'))
        .collect();
    let column = |name: &str| heads.iter().position(|h| *h == name).unwrap();
    let (address, newest) = (column("宛名番号"), column("最新フラグ"));
    let cells = text.lines().skip(1).map(|l| {
        l.split(',')
            .map(|c| c.trim_matches('"'))
            .collect::<Vec<_>>()
    });
    let people = cells
        .filter(|c| c.get(newest) == Some(&"1"))
        .map(|c| c[address].to_owned());
    let mut file = String::from("宛名番号,個人番号\n");
    let mut rows = 0;
    for (n, person) in (0..CANARIES).zip(people) {
        file.push_str(&format!("{person},{}\n", canary(n)));
        rows += 1;
    }
    let frame = browser
        .framed("/insurance/numbers/load", &format!("{GIVEN}&{HOW}"))
        .await;
    assert_eq!(browser.get(&frame).await.status, 200);
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"rows\"\r\n\r\n{rows}\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n{file}\r\n--b--\r\n"
    );
    let page = browser
        .ask(
            "POST",
            &frame,
            Some(("multipart/form-data; boundary=b", body.into_bytes())),
        )
        .await;
    assert_eq!(page.status, 303, "{}", page.body);
    loop {
        let state = browser.get(&format!("{frame}/state")).await.body;
        if state.contains("<h1>一括登録の結果") {
            return between(&state, "確かめ、", "件を登録").parse().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Finds, shows and now and then corrects; numbers shown.
async fn use_hard(browser: &mut Browser, times: u64) -> u64 {
    let mut shown = 0;
    for n in 0..times {
        if n % 50 == 0 {
            browser.verify().await;
        }
        let number = canary(n * CANARIES / times);
        let frame = browser.framed("/insurance/numbers/find", GIVEN).await;
        browser.get(&frame).await;
        browser.form(&frame, &format!("number={number}")).await;
        let ticket = frame.rsplit('/').next().unwrap();
        let found = browser
            .post(
                "/insurance/numbers/found",
                &format!("ticket={ticket}&purpose=care-insurance"),
            )
            .await;
        // Some rows of the file were of people outside the scope.
        let Some((_, rest)) = found.body.split_once("/insurance/numbers/persons/") else {
            continue;
        };
        let person = rest.split('"').next().unwrap();
        let frame = browser
            .framed(
                &format!("/insurance/numbers/persons/{person}/reveal"),
                GIVEN,
            )
            .await;
        let page = browser.get(&frame).await.body;
        assert!(
            page.contains(&format!(
                "{} {} {}",
                &number[..4],
                &number[4..8],
                &number[8..]
            )),
            "{page}"
        );
        shown += 1;
        if n % 10 == 0 {
            let frame = browser
                .framed(
                    &format!("/insurance/numbers/persons/{person}/correct"),
                    &format!("{GIVEN}&{HOW}"),
                )
                .await;
            browser.get(&frame).await;
            browser
                .form(&frame, &format!("number={number}&again={number}"))
                .await;
        }
    }
    shown
}

fn mimamori(args: &[&str]) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_mimamori"))
        .args(args)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success(), "{args:?}: {told}");
    told
}

#[tokio::test]
async fn ten_thousand_numbers_used_hard_are_found_nowhere_outside_their_room() {
    // The client asks for a provider although it speaks plain HTTP here.
    drop(rustls::crypto::ring::default_provider().install_default());
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("demo");
    let mut demo = Demo::start(&dir);
    // The limits of the hour would end the hunt; a room that is started again reads them anew.
    let file = dir.join("mimamori.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut config: toml::Table = toml::from_str(&text).unwrap();
    let numbers = config["numbers"].as_table_mut().unwrap();
    for name in [
        "searches_per_hour",
        "reveals_per_hour",
        "registrations_per_hour",
    ] {
        numbers.insert(name.into(), vec![100_000i64, 100_000].into());
    }
    std::fs::write(&file, toml::to_string(&config).unwrap()).unwrap();
    let first = demo.room();
    assert!(
        Command::new("kill")
            .args(["-9", &first.to_string()])
            .status()
            .unwrap()
            .success()
    );
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_ne!(demo.room(), first, "a room that stopped is started again");

    // S0-73: nothing listens but the pages and the numbers room, so there is no way in for a maintainer.
    let listening: Vec<_> = [demo.child.id(), demo.room()].map(listening).into();
    assert_eq!(listening[0], [demo.port], "the pages");
    assert_eq!(listening[1].len(), 1, "the room: {listening:?}");

    let mut browser = Browser::sign_in(demo.port, "handler-1").await;
    browser.verify().await;
    let loaded = load(&browser, &dir).await;
    let times = if std::env::var_os("MIMAMORI_FULL").is_some_and(|v| v == "1") {
        CANARIES
    } else {
        150
    };
    let shown = use_hard(&mut browser, times).await;
    let system = Browser::sign_in(demo.port, "system-1").await;
    assert_eq!(system.post("/insurance/numbers/keys", "").await.status, 303);
    loop {
        let page = system.get("/insurance/numbers/keys").await.body;
        if page.contains("更新は終わっています") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!("{loaded} numbers loaded, {shown} of {times} found and shown, keys rotated");
    assert!(loaded > CANARIES * 9 / 10 && shown > times * 9 / 10);

    let hunter = Hunter::new();
    let (web, size) = hunter.memory(demo.child.id());
    println!("memory of the web process, {} MiB: {web:?}", size >> 20);
    let (room, size) = hunter.memory(demo.room());
    println!("memory of the numbers room, {} MiB: {room:?}", size >> 20);
    let (live, files, size) = hunter.files(&dir);
    println!(
        "data directory while it runs, {files} files, {} MiB: {live:?}",
        size >> 20
    );

    let pid = demo.child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    demo.child.wait().unwrap();
    let said = demo.said.lock().unwrap().clone();
    let mut logs = Counts::new();
    hunter.hunt(said.as_bytes(), &mut logs);
    println!("logs, {} bytes: {logs:?}", said.len());

    let (folder, key) = (root.path().join("backups"), root.path().join("age.key"));
    let recipients = root.path().join("recipients");
    let made = Command::new("age-keygen")
        .arg("-o")
        .arg(&key)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let told = String::from_utf8(made.stderr).unwrap();
    let recipient = told
        .split_whitespace()
        .find(|w| w.starts_with("age1"))
        .expect("a recipient");
    std::fs::write(&recipients, format!("{recipient}\n")).unwrap();
    let mut backup = toml::Table::new();
    backup.insert("folder".into(), text_of(&folder).into());
    backup.insert("recipients_file".into(), text_of(&recipients).into());
    config.insert("backup".into(), backup.into());
    std::fs::write(&file, toml::to_string(&config).unwrap()).unwrap();
    mimamori(&["backup", "create", "--data", &text_of(&dir)]);
    let (sealed, files, size) = hunter.files(&folder);
    println!("backup, {files} files, {} MiB: {sealed:?}", size >> 20);
    let back = root.path().join("back");
    let (from, keys, to) = (text_of(&folder), text_of(&dir.join("keys")), text_of(&back));
    mimamori(&[
        "backup",
        "restore",
        "--from",
        &from,
        "--identity",
        &text_of(&key),
        "--keys",
        &keys,
        "--to",
        &to,
        "--without-journal",
        "exercise",
    ]);
    assert!(back.join("numbers/numbers.db").exists() && !back.join("numbers/keys").exists());
    let (open, files, size) = hunter.files(&back);
    println!(
        "what the backup holds, opened, {files} files, {} MiB: {open:?}",
        size >> 20
    );
    let (after, ..) = hunter.files(&dir);
    for (place, counts) in [
        ("web process", web),
        ("files", live),
        ("files after the end", after),
        ("logs", logs),
        ("backup", sealed),
        ("opened backup", open),
    ] {
        assert!(counts.is_empty(), "{place}: {counts:?}");
    }
}

fn text_of(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
