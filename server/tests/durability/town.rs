//! The real program with a small town, and people in front of it.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A page that arrived whole.
pub struct Page {
    pub status: u16,
    pub location: String,
    pub cookie: Option<String>,
    pub body: String,
}

impl Page {
    /// The line that the page names.
    pub fn line(&self) -> Option<u64> {
        let (_, rest) = self.body.split_once("証跡の行 ")?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    }

    /// The 宛名番号 that the page shows.
    fn number(&self) -> Option<String> {
        let (_, rest) = self.body.split_once("<dt>宛名番号</dt><dd>")?;
        Some(rest.split('<').next()?.trim().to_owned())
    }

    fn csrf(&self) -> Option<&str> {
        let (_, rest) = self.body.split_once("name=\"csrf\" value=\"")?;
        rest.split('"').next()
    }

    fn records(&self) -> Vec<String> {
        let links = self.body.split("href=\"").skip(1);
        links
            .filter_map(|rest| rest.split('"').next())
            .filter(|l| l.starts_with("/residents/") && l.contains("?from="))
            .filter(|l| !l.starts_with("/residents/results"))
            .map(str::to_owned)
            .collect()
    }
}

/// One browser.
#[derive(Clone)]
pub struct Browser {
    port: u16,
    cookie: String,
}

impl Browser {
    fn ask(&self, method: &str, path: &str, form: &str) -> Option<Page> {
        let host = format!("127.0.0.1:{}", self.port);
        let mut stream = TcpStream::connect(&host).ok()?;
        stream
            .set_read_timeout(Some(Duration::from_secs(40)))
            .ok()?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            self.cookie,
            form.len()
        );
        stream.write_all(head.as_bytes()).ok()?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let field = |name: &str| {
            head.lines().find_map(|l| {
                let (n, value) = l.split_once(':')?;
                n.eq_ignore_ascii_case(name)
                    .then(|| value.trim().to_owned())
            })
        };
        // A page counts only when every byte that was announced has come.
        if field("content-length")?.parse() != Ok(body.len()) {
            return None;
        }
        Some(Page {
            status: head.split(' ').nth(1)?.parse().ok()?,
            location: field("location").unwrap_or_default(),
            cookie: field("set-cookie").and_then(|c| Some(c.split(';').next()?.to_owned())),
            body: body.to_owned(),
        })
    }

    pub fn get(&self, path: &str) -> Option<Page> {
        self.ask("GET", path, "")
    }

    pub fn sign_in(port: u16, login: &str) -> Option<Self> {
        let mut browser = Self {
            port,
            cookie: String::new(),
        };
        let page = browser.get("/demo")?;
        let form = format!("csrf={}&login={login}", page.csrf()?);
        browser.cookie = browser.ask("POST", "/demo/role", &form)?.cookie?;
        Some(browser)
    }

    /// A search; the page of its results.
    pub fn search(&self, kana: &str) -> Option<Page> {
        let page = self.get("/residents/search")?;
        let form = format!("csrf={}&channel=counter&kana={kana}", page.csrf()?);
        let answer = self.ask("POST", "/residents/search", &form)?;
        self.get(&answer.location)
    }

    /// Addresses of records, found by searching.
    pub fn people(&self) -> Vec<String> {
        // ア カ サ タ ナ ハ マ ヤ
        ["A2", "AB", "B5", "BF"]
            .map(|byte| format!("%E3%82%{byte}"))
            .iter()
            .chain(&["8A", "8F", "9E", "A4"].map(|byte| format!("%E3%83%{byte}")))
            .filter_map(|kana| self.search(kana))
            .flat_map(|page| page.records())
            .collect()
    }
}

/// A record that somebody saw.
#[derive(Debug)]
pub struct Record {
    /// The person asked for, 32 hex digits.
    pub person: String,
    /// 宛名番号 on the page.
    pub number: String,
}

impl Record {
    /// What a record's page showed; `path` is the one that was asked.
    pub fn on(page: &Page, path: &str) -> Self {
        let number = page.number().expect("a record shows its number");
        let person = path[11..43].to_owned();
        Self { person, number }
    }
}

/// What people saw: line, and the record, or nothing for a list.
pub type Seen = BTreeMap<u64, Option<Record>>;

/// The running program.
pub struct Server {
    child: Child,
    pub port: u16,
}

impl Server {
    /// Starts a demo in `dir`; what it says goes to a file beside it.
    pub fn start(dir: &Path, more: &[&str], environment: &[(&str, PathBuf)]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|l| l.local_addr())
            .unwrap()
            .port();
        let log = std::fs::File::create(dir.with_extension("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_mimamori"))
            .args(["demo", "--people", "600", "--port", &port.to_string()])
            .arg("--data")
            .arg(dir)
            .args(more)
            .envs(environment.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut server = Self { child, port };
        let since = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let told = || std::fs::read_to_string(dir.with_extension("log")).unwrap_or_default();
            assert!(server.alive(), "the program ended: {}", told());
            assert!(since.elapsed() < Duration::from_secs(60), "{}", told());
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    /// Running, or how it ended.
    pub fn state(&mut self) -> String {
        match self.child.try_wait() {
            Ok(None) => "the program runs".into(),
            Ok(Some(status)) => format!("the program ended: {status}"),
            Err(error) => error.to_string(),
        }
    }

    pub fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until the town is loaded.
    pub fn loaded(&self, browser: &Browser) {
        let since = Instant::now();
        loop {
            let page = browser.get("/demo").expect("the demo answers");
            assert!(
                !page.body.contains("取り込みに失敗しました"),
                "{}",
                page.body
            );
            if !page.body.contains("<progress") && !page.body.contains("いまも画面は使えます")
            {
                return;
            }
            assert!(
                since.elapsed() < Duration::from_secs(120),
                "the import takes too long"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until the import has begun to write, or is over already.
    fn writes_the_import(&self, browser: &Browser) {
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(60) {
            let page = browser.get("/demo").expect("the demo answers");
            let before = [
                "見本の町を作っています",
                "待機中",
                "ファイルの読取り",
                "途中データの削除",
            ];
            if !before.iter().any(|phase| page.body.contains(phase)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        panic!("the import does not begin");
    }

    /// Four people work for `time`, then the program is killed in the middle of it.
    /// Before the town is loaded they search; afterwards they open records.
    /// With no `records` the time begins when the import has begun to write.
    /// A checkpoint seen on the way is kept in `known`.
    pub fn work_and_kill(
        &mut self,
        dir: &Path,
        records: &[String],
        time: Duration,
        known: &Path,
    ) -> Seen {
        let (seen, over) = (Mutex::new(Seen::new()), AtomicBool::new(false));
        let browser = Browser::sign_in(self.port, "clerk-1").expect("sign in");
        std::thread::scope(|scope| {
            for worker in 0..4usize {
                let (seen, over, browser) = (&seen, &over, browser.clone());
                scope.spawn(move || {
                    // The list's address carries the search of the session that found it: searching again gives a reason.
                    let mut own: Vec<String> = Vec::new();
                    let mut at = worker;
                    while !over.load(Ordering::Relaxed) {
                        let (page, path) = if own.is_empty() {
                            let page = browser.search("%E3%82%AB");
                            if let (Some(page), false) = (&page, records.is_empty()) {
                                own = page.records();
                            }
                            (page, None)
                        } else {
                            let path = own[at % own.len()].clone();
                            at += 4;
                            (browser.get(&path), Some(path))
                        };
                        let Some(page) = page else { continue };
                        if let Some(line) = page.line().filter(|_| page.status == 200) {
                            let record = path.map(|path| Record::on(&page, &path));
                            seen.lock().unwrap().insert(line, record);
                        }
                    }
                });
            }
            if records.is_empty() {
                self.writes_the_import(&browser);
            }
            let since = Instant::now();
            while since.elapsed() < time {
                if !known.exists() {
                    let _ = std::fs::copy(dir.join("trace/checkpoint"), known);
                }
                std::thread::sleep(Duration::from_millis(5).min(time));
            }
            self.kill();
            over.store(true, Ordering::Relaxed);
        });
        seen.into_inner().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
