//! The whole room as the web process and a browser see it.

mod loads;
mod rotation;
mod tickets;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use mimamori_kernel::check::individual_number_check;
use mimamori_kernel::clock::SystemClock;
use mimamori_kernel::id::{NumberRef, TicketId, UserId};
use mimamori_kernel::random::SystemRandom;
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;

use crate::port::{Call, Kind, Obtained, Order, Outcome, Reply};
use crate::{Kek, KekSource, Limits, Room, Window};

/// What a browser sends as its cookie.
const COOKIE: &str = "secret";

/// A room over a folder; `restart` stands for a process that was killed and started again.
struct Place {
    _dir: tempfile::TempDir,
    file: PathBuf,
    kek: KekSource,
    limits: Limits,
    room: Room,
}

fn window() -> Window {
    Window {
        port: 1,
        cookie: "c".into(),
        parents: vec![],
        tls: false,
        seconds: 30,
        proxies: vec![],
    }
}

async fn opened(file: &std::path::Path, kek: &KekSource, limits: Limits) -> Room {
    let (clock, random) = (Arc::new(SystemClock::new()), Arc::new(SystemRandom));
    Room::open(file, kek, window(), limits, clock, random)
        .await
        .unwrap()
}

/// A sound number out of its first eleven digits.
fn number(n: usize) -> String {
    let eleven = format!("{n:011}");
    format!("{eleven}{}", individual_number_check(&eleven).unwrap())
}

fn user(n: u8) -> UserId {
    UserId::from_bytes([n; 16])
}

fn session() -> String {
    hex::encode(Sha256::digest(COOKIE))
}

fn order(kind: Kind, reference: Option<NumberRef>) -> Order {
    Order {
        kind,
        reference,
        user: user(1),
        session: session(),
        line: 7,
        obtained: Obtained::default(),
        address_number: String::new(),
    }
}

impl Place {
    async fn new(limits: Limits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (file, key) = (
            dir.path().join("numbers.db"),
            dir.path().join("keys/kek.key"),
        );
        Kek::create(&key, &SystemRandom).unwrap();
        let kek = KekSource::File(key);
        let room = opened(&file, &kek, limits).await;
        Self {
            _dir: dir,
            file,
            kek,
            limits,
            room,
        }
    }

    async fn restart(&mut self) {
        self.room.close().await;
        self.room = opened(&self.file, &self.kek, self.limits).await;
    }

    async fn call(&self, call: Call) -> Reply {
        self.room.call(call).await.unwrap()
    }

    async fn ticket(&self, order: Order) -> TicketId {
        match self.call(Call::Ticket(order)).await {
            Reply::Ticket(ticket) => ticket.parse().unwrap(),
            other => panic!("{other:?}"),
        }
    }

    async fn ask(&self, request: Request<Body>) -> (StatusCode, String) {
        let answer = self.room.router().oneshot(request).await.unwrap();
        let (head, body) = answer.into_parts();
        let body = to_bytes(body, 1 << 24).await.unwrap();
        let location = head.headers.get(header::LOCATION);
        let text = location.map_or(&body[..], |l| l.as_bytes());
        (head.status, String::from_utf8(text.to_vec()).unwrap())
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        self.ask(with_cookie("GET", path).body(Body::empty()).unwrap())
            .await
    }

    async fn post(&self, path: &str, form: &str) -> (StatusCode, String) {
        let request = with_cookie("POST", path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.ask(request.body(Body::from(form.to_owned())).unwrap())
            .await
    }

    /// Types a number into the form of a ticket.
    async fn typed(&self, ticket: &TicketId, number: &str) -> (StatusCode, String) {
        let path = format!("/entry/{ticket}");
        self.post(&path, &format!("number={number}&again={number}"))
            .await
    }

    async fn registered(&self, reference: NumberRef, number: &str) {
        let ticket = self.ticket(order(Kind::Register, Some(reference))).await;
        assert_eq!(
            self.get(&format!("/entry/{ticket}")).await.0,
            StatusCode::OK
        );
        let (status, body) = self.typed(&ticket, number).await;
        assert_eq!(status, StatusCode::OK, "{body}");
    }

    /// The number that the room shows for a reference.
    async fn shown(&self, reference: NumberRef) -> String {
        let ticket = self.ticket(order(Kind::Reveal, Some(reference))).await;
        let (status, body) = self.get(&format!("/reveal/{ticket}")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let text = body.split("data-number>").nth(1).expect(&body);
        text.split('<').next().unwrap().replace(' ', "")
    }

    /// What a search by number said.
    async fn searched(&self, number: &str) -> String {
        let ticket = self.ticket(order(Kind::Find, None)).await;
        self.get(&format!("/entry/{ticket}")).await;
        let (status, body) = self.typed(&ticket, number).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body
    }

    /// Sends a file of first numbers; the ticket of the load.
    async fn sent(&self, people: &[(NumberRef, String)]) -> TicketId {
        let ticket = self.ticket(order(Kind::Load, None)).await;
        let named = people.iter().enumerate();
        let known: BTreeMap<String, String> = named
            .map(|(n, (reference, _))| (format!("{n}"), reference.to_string()))
            .collect();
        let call = Call::People {
            ticket: ticket.to_string(),
            people: known,
        };
        assert!(matches!(self.call(call).await, Reply::Done));
        let path = format!("/load/{ticket}");
        assert_eq!(self.get(&path).await.0, StatusCode::OK);
        let mut file = String::from("宛名番号,個人番号\n");
        for (n, (_, number)) in people.iter().enumerate() {
            file.push_str(&format!("{n},{number}\n"));
        }
        let body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"rows\"\r\n\r\n{}\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n{file}\r\n--b--\r\n",
            people.len()
        );
        let request = with_cookie("POST", &path)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b")
            .body(Body::from(body));
        let (status, told) = self.ask(request.unwrap()).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{told}");
        ticket
    }

    /// The page of a load that has ended.
    async fn ended(&self, ticket: &TicketId) -> String {
        loop {
            let (_, body) = self.get(&format!("/load/{ticket}/state")).await;
            if body.contains("<h1>一括登録の結果") {
                return body;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    async fn outcomes(&self) -> Vec<Outcome> {
        match self.call(Call::Outcomes).await {
            Reply::Outcomes(outcomes) => outcomes,
            other => panic!("{other:?}"),
        }
    }

    async fn outcome(&self, ticket: &TicketId) -> Outcome {
        let all = self.outcomes().await;
        let mut own = all.into_iter().filter(|o| o.ticket == *ticket);
        let found = own.next().expect("an outcome");
        assert!(own.next().is_none(), "one outcome");
        found
    }
}

fn with_cookie(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::COOKIE, format!("c={COOKIE}"))
}

fn people(many: usize, from: usize) -> Vec<(NumberRef, String)> {
    (from..from + many)
        .map(|n| (NumberRef::random(&SystemRandom), number(n)))
        .collect()
}
