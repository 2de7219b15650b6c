//! Tickets for numbers end with what they were given for: the session, the designation (S0-46, S0-48).

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use mimamori_kernel::check::individual_number_check;
use mimamori_kernel::random::SystemRandom;
use mimamori_numbers::{Kek, KekSource, Room, Window, answer, bind};
use mimamori_server::config::Numbers;
use tower::ServiceExt as _;

use crate::house::{Answer, House, demo_with, encoded};
use crate::people::user;
use crate::verify::{face, register_nowhere};

const GIVEN: &str = "purpose=care-insurance&case=12&reason=a";
const HOW: &str = "acquired=R080401&method=application&proof=card";

/// The house with its numbers room, as the service and the room's process are.
struct Office {
    house: House,
    frames: Router,
    person: String,
}

impl Office {
    async fn open() -> Self {
        let house = demo_with(None, |config| {
            let origin = "http://localhost:8080".to_owned();
            config.numbers = Some(Numbers::new("127.0.0.1:8081".parse().unwrap(), origin));
        })
        .await;
        let dir = house.instance.dir.join("numbers");
        let key = dir.join("keys/kek.key");
        if !key.exists() {
            Kek::create(&key, &SystemRandom).unwrap();
        }
        let window = Window {
            port: 8081,
            cookie: "mimamori".into(),
            parents: vec!["http://localhost:8080".into()],
            tls: false,
            seconds: 30,
            proxies: vec![],
        };
        let limits = mimamori_numbers::Limits::default();
        let (clock, random) = (house.instance.clock.clone(), house.instance.random.clone());
        let (file, key) = (dir.join("numbers.db"), KekSource::File(key));
        let room = Room::open(&file, &key, window, limits, clock, random).await;
        let room = room.unwrap();
        tokio::spawn(answer(
            bind(&dir.join("control.sock")).unwrap(),
            room.clone(),
        ));
        register_nowhere(&house).await;
        let persons = house
            .persons("status = 1 AND insured = 1 AND protected = 0")
            .await;
        let office = Self {
            frames: room.router(),
            person: persons[0].0.to_string(),
            house,
        };
        let handler = office.handler().await;
        let form = office.form(&handler, "register", "5").await;
        assert_eq!(form.status(), StatusCode::OK);
        office
    }

    /// The handler, signed in and verified.
    async fn handler(&self) -> String {
        let cookie = self.house.play("handler-1").await;
        let done = face(&self.house, &cookie, "/").await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        cookie
    }

    /// The frame that an act's page shows.
    async fn frame(&self, cookie: &str, what: &str) -> String {
        let path = format!("/insurance/numbers/persons/{}/{what}", self.person);
        let page = self
            .house
            .post(&path, cookie, &format!("{GIVEN}&{HOW}"))
            .await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let (_, rest) = page.body.split_once("src=\"http://localhost:8081").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    async fn ask(
        &self,
        method: &str,
        path: &str,
        cookie: &str,
        form: &str,
    ) -> axum::response::Response {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::COOKIE, cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = request.body(Body::from(form.to_owned())).unwrap();
        self.frames.clone().oneshot(request).await.unwrap()
    }

    /// Types a number into the form of an act.
    async fn form(&self, cookie: &str, what: &str, eleven: &str) -> axum::response::Response {
        let frame = self.frame(cookie, what).await;
        assert_eq!(
            self.ask("GET", &frame, cookie, "").await.status(),
            StatusCode::OK
        );
        self.ask("POST", &frame, cookie, &typed(eleven)).await
    }
}

fn typed(eleven: &str) -> String {
    let eleven = format!("{eleven:0>11}");
    let number = format!("{eleven}{}", individual_number_check(&eleven).unwrap());
    format!("number={number}&again={number}")
}

/// Two tickets of the handler are open, the number and a form that waits to be filled in; then `ends` happens.
async fn after(office: &Office, soon: bool, ends: impl AsyncFn(&str) -> Answer) {
    let cookie = office.handler().await;
    let shown = office.frame(&cookie, "reveal").await;
    let form = office.frame(&cookie, "correct").await;
    let open = office.ask("GET", &form, &cookie, "").await;
    assert_eq!(open.status(), StatusCode::OK);
    let done = ends(&cookie).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    // What is told in the background is told within a moment.
    if soon {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    let shown = office.ask("GET", &shown, &cookie, "").await;
    assert_eq!(shown.status(), StatusCode::GONE);
    let sent = office.ask("POST", &form, &cookie, &typed("6")).await;
    assert_eq!(sent.status(), StatusCode::GONE);
}

#[tokio::test]
async fn an_open_ticket_ends_with_a_second_sign_in_a_sign_out_and_the_end_of_the_designation() {
    let office = Office::open().await;
    let house = &office.house;
    // Before the second session gets its cookie: nothing is waited for.
    after(&office, false, async |_| {
        let token = house.token("/demo", "").await;
        let form = format!("csrf={token}&login=handler-1");
        house.send("POST", "/demo/role", "", &form).await
    })
    .await;
    after(&office, true, async |cookie| {
        house.post("/sign-out", cookie, "").await
    })
    .await;
    let whom = user(house, "handler-1").await;
    let manager = house.play("kanri-2").await;
    after(&office, true, async |_| {
        let end = format!("reason={}", encoded("担当替え"));
        let path = format!("/operations/people/{whom}/handler/end");
        house.post(&path, &manager, &end).await
    })
    .await;
    // None of the forms wrote anything.
    let db = mimamori_storage::Db::open(
        mimamori_storage::Location::File {
            path: house.instance.dir.join("numbers/numbers.db"),
            synchronous: mimamori_storage::Synchronous::Full,
        },
        1,
    )
    .await
    .unwrap();
    let acts = "SELECT act FROM numbers_history";
    let acts = db.fetch(acts, vec![]).await.unwrap();
    assert_eq!((acts.len(), acts[0].text(0).unwrap()), (1, "register"));
    db.close().await;
}
