//! One data directory with a numbers room, and its process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use mimamori_kernel::check::individual_number_check;
use mimamori_kernel::id::{NumberRef, TicketId, UserId};
use mimamori_kernel::random::SystemRandom;
use mimamori_numbers::port::{Call, Kind, Obtained, Order, Outcome, Progress, Reply};
use mimamori_numbers::{Client, Kek};
use sha2::{Digest as _, Sha256};

/// What the browser sends as its cookie.
const COOKIE: &str = "a-secret";

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The real program.
pub fn mimamori(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mimamori"))
        .args(args)
        .output()
        .unwrap()
}

pub fn good(args: &[&str]) -> String {
    let out = mimamori(args);
    let (told, wrong) = (
        String::from_utf8_lossy(&out.stdout).into_owned(),
        String::from_utf8_lossy(&out.stderr).into_owned(),
    );
    assert!(out.status.success(), "{args:?}: {told}{wrong}");
    told
}

/// A sound number out of its first eleven digits.
pub fn number(n: usize) -> String {
    let eleven = format!("{n:011}");
    format!("{eleven}{}", individual_number_check(&eleven).unwrap())
}

/// Somebody's reference and number.
pub type Person = (NumberRef, String);

pub fn people(many: usize, from: usize) -> Vec<Person> {
    (from..from + many)
        .map(|n| (NumberRef::random(&SystemRandom), number(n)))
        .collect()
}

pub struct Office {
    root: tempfile::TempDir,
    port: u16,
}

impl Office {
    pub fn new() -> Self {
        // The client asks for a provider although it speaks plain HTTP here.
        drop(rustls::crypto::ring::default_provider().install_default());
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        let office = Self {
            root: tempfile::tempdir().unwrap(),
            port,
        };
        let data = office.data();
        good(&["init", "--data", text(&data), "--town", "test.example"]);
        let many = "[1000000, 1000000]";
        let setting = format!(
            "\n[numbers]\nlisten = \"127.0.0.1:{port}\"\nweb_origin = \"http://localhost:8080\"\nsearches_per_hour = {many}\n\
             reveals_per_hour = {many}\nregistrations_per_hour = {many}\nloads_per_hour = {many}\n"
        );
        office.set(&setting);
        Kek::create(&data.join("numbers/keys/kek.key"), &SystemRandom).unwrap();
        office
    }

    /// Adds to the configuration.
    pub fn set(&self, setting: &str) {
        let file = self.data().join("mimamori.toml");
        let before = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, before + setting).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub fn file(&self) -> PathBuf {
        self.data().join("numbers/numbers.db")
    }

    /// Starts the room; it answers when this returns.
    pub async fn start(&self) -> Room {
        let child = Command::new(env!("CARGO_BIN_EXE_mimamori"))
            .args(["numbers", "--data", text(&self.data())])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut room = Room {
            child,
            client: Client::new(self.data().join("numbers/control.sock")),
            http: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            port: self.port,
        };
        for _ in 0..2_000 {
            if room.client.call(Call::Hello).await.is_ok() {
                return room;
            }
            assert!(room.child.try_wait().unwrap().is_none(), "it ended");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the room does not answer");
    }

    /// Opens every number of a copy in a process of its own; how many there are.
    pub fn opened(&self) -> usize {
        let copy = self.path("copy.db");
        drop(std::fs::remove_file(&copy));
        mimamori_storage::copy_file(&self.file(), &copy).unwrap();
        let args = ["--copy", text(&copy), "--sample", "1000000"];
        let data = self.data();
        let told = good(&[&["numbers-drill", "--data", text(&data)], &args[..]].concat());
        for end in ["", "-wal", "-shm"] {
            drop(std::fs::remove_file(format!("{}{end}", copy.display())));
        }
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        let count = |name: &str| told["good"][name].as_u64().expect("a good copy");
        assert_eq!((count("rows"), count("wrong")), (count("opened"), 0));
        usize::try_from(count("opened")).unwrap()
    }
}

/// The room's process. Killed with the test.
pub struct Room {
    child: Child,
    pub client: Client,
    http: reqwest::Client,
    port: u16,
}

impl Drop for Room {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Room {
    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it in order, as the service does.
    pub fn end(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> Option<(u16, String)> {
        let request = request.header("cookie", format!("mimamori={COOKIE}"));
        let answer = request.send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    async fn get(&self, path: &str) -> Option<(u16, String)> {
        self.ask(self.http.get(self.url(path))).await
    }

    /// A ticket; none when the room is killed meanwhile.
    pub async fn ticket(&self, kind: Kind, reference: Option<NumberRef>) -> Option<TicketId> {
        let order = Order {
            kind,
            reference,
            user: UserId::from_bytes([1; 16]),
            session: hex_of(&Sha256::digest(COOKIE)),
            line: 7,
            obtained: Obtained::default(),
            address_number: String::new(),
        };
        match self.client.call(Call::Ticket(order)).await {
            Ok(Reply::Ticket(ticket)) => Some(ticket.parse().unwrap()),
            Ok(other) => panic!("{other:?}"),
            Err(_) => None,
        }
    }

    /// The page that shows a number.
    pub async fn shown(&self, reference: NumberRef) -> String {
        let ticket = self.ticket(Kind::Reveal, Some(reference)).await.unwrap();
        let (status, body) = self.get(&format!("/reveal/{ticket}")).await.unwrap();
        assert_eq!(status, 200, "{body}");
        match body.split("data-number>").nth(1) {
            Some(rest) => rest.split('<').next().unwrap().replace(' ', ""),
            None => body,
        }
    }

    /// What a registration says.
    pub async fn registered(&self, (reference, number): &Person) -> String {
        let ticket = self.ticket(Kind::Register, Some(*reference)).await.unwrap();
        let path = format!("/entry/{ticket}");
        assert_eq!(self.get(&path).await.unwrap().0, 200);
        let form = format!("number={number}&again={number}");
        let request = self
            .http
            .post(self.url(&path))
            .header("content-type", "application/x-www-form-urlencoded");
        self.ask(request.body(form)).await.unwrap().1
    }

    /// Sends a file of numbers; its ticket, as far as it came before the room was killed.
    pub async fn sent(&self, people: &[Person]) -> Option<TicketId> {
        let ticket = self.ticket(Kind::Load, None).await?;
        let known: BTreeMap<String, String> = people
            .iter()
            .enumerate()
            .map(|(n, (reference, _))| (n.to_string(), reference.to_string()))
            .collect();
        let call = Call::People {
            ticket: ticket.to_string(),
            people: known,
        };
        let sent = async {
            self.client.call(call).await.ok()?;
            let path = format!("/load/{ticket}");
            self.get(&path).await?;
            let mut file = String::from("宛名番号,個人番号\n");
            for (n, (_, number)) in people.iter().enumerate() {
                file.push_str(&format!("{n},{number}\n"));
            }
            let body = format!(
                "--b\r\nContent-Disposition: form-data; name=\"rows\"\r\n\r\n{}\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n{file}\r\n--b--\r\n",
                people.len()
            );
            let request = self
                .http
                .post(self.url(&path))
                .header("content-type", "multipart/form-data; boundary=b");
            self.ask(request.body(body)).await
        };
        drop(sent.await);
        Some(ticket)
    }

    /// Waits for the outcome of a load that nobody kills.
    pub async fn loaded(&self, people: &[Person]) -> Outcome {
        let ticket = self.sent(people).await.unwrap();
        loop {
            let told = self.outcomes().await;
            if let Some(outcome) = told.into_iter().find(|o| o.ticket == ticket) {
                return outcome;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What came of tickets, and says that it was written down.
    pub async fn outcomes(&self) -> Vec<Outcome> {
        let mut all = Vec::new();
        loop {
            let Reply::Outcomes(some) = self.client.call(Call::Outcomes).await.unwrap() else {
                panic!("no outcomes");
            };
            if some.is_empty() {
                return all;
            }
            let tickets = some.iter().map(|o| o.ticket.to_string()).collect();
            self.client.call(Call::Acknowledge(tickets)).await.unwrap();
            all.extend(some);
        }
    }

    pub async fn progress(&self) -> Progress {
        match self.client.call(Call::Hello).await.unwrap() {
            Reply::State { progress, .. } => progress,
            other => panic!("{other:?}"),
        }
    }

    /// References that have a number.
    pub async fn held(&self) -> Vec<NumberRef> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let Reply::Held(some) = self.client.call(Call::Held(after)).await.unwrap() else {
                panic!("no references");
            };
            if some.is_empty() {
                return all;
            }
            after = some.last().cloned();
            all.extend(some.iter().map(|r| r.parse::<NumberRef>().unwrap()));
        }
    }
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
