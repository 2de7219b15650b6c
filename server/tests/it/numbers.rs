//! Number work from the office's pages through the numbers room, both ends in one process, on both engines.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use mimamori_care_insurance::CareInsurance;
use mimamori_care_insurance::eligibility::{Codes, Method, Numbering};
use mimamori_care_insurance::numbers::Numbers;
use mimamori_files::Shelf;
use mimamori_identity::{AuthLevel, DemoGrant, Visitor};
use mimamori_kernel::check::individual_number_check;
use mimamori_kernel::id::PersonId;
use mimamori_kernel::random::SystemRandom;
use mimamori_numbers::{Client, Kek, KekSource, Limits, Room, Window, answer, bind};
use mimamori_pages::Frame;
use mimamori_sheets::Press;
use tower::ServiceExt as _;

use crate::hand::{derive, write};
use crate::house::{House, each_demo, encoded};
use crate::insurance::count;

/// One office with its numbers room.
struct Office<'a> {
    house: &'a House,
    pages: Router,
    frames: Router,
    cookie: String,
    visitor: Visitor,
}

struct Page {
    status: StatusCode,
    body: String,
    policy: String,
}

/// A sound number out of eleven digits.
fn number(n: u64) -> String {
    let eleven = format!("{n:011}");
    format!("{eleven}{}", individual_number_check(&eleven).unwrap())
}

async fn asked(router: &Router, request: Request<Body>) -> Page {
    let answer = router.clone().oneshot(request).await.unwrap();
    let (head, body) = answer.into_parts();
    let text = |name| {
        head.headers
            .get(name)
            .map_or_else(String::new, |v| v.to_str().unwrap().to_owned())
    };
    let location = text(header::LOCATION);
    let body = body.collect().await.unwrap().to_bytes();
    Page {
        status: head.status,
        body: match location.is_empty() {
            true => String::from_utf8(body.to_vec()).unwrap(),
            false => location,
        },
        policy: text(header::CONTENT_SECURITY_POLICY),
    }
}

fn request(method: &str, path: &str, cookie: &str, form: Option<&str>) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost:8080");
    if !cookie.is_empty() {
        request = request.header(header::COOKIE, format!("mimamori={cookie}"));
    }
    if form.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    request
        .body(Body::from(form.unwrap_or_default().to_owned()))
        .unwrap()
}

/// What every act states.
const GIVEN: &str = "purpose=care-insurance&case=%E5%8F%97%E4%BB%9812&reason=%E8%B3%87%E6%A0%BC%E3%81%AE%E7%A2%BA%E8%AA%8D";
const HOW: &str = "acquired=R080401&method=application&proof=card";

impl<'a> Office<'a> {
    /// A designated handler, verified, at a registered terminal.
    async fn open(house: &'a House, limits: Limits) -> Office<'a> {
        Self::open_at(house, limits, "numbers").await
    }

    /// The same over another folder with the same key.
    async fn open_at(house: &'a House, limits: Limits, folder: &str) -> Office<'a> {
        let dir = house.instance.dir.join(folder);
        let kek = house.instance.dir.join("numbers/keys/kek.key");
        if !kek.exists() {
            Kek::create(&kek, &SystemRandom).unwrap();
        }
        let window = Window {
            port: 9999,
            cookie: "mimamori".into(),
            parents: vec!["http://localhost:8080".into()],
            tls: false,
            seconds: 30,
            proxies: vec![],
        };
        let (clock, random) = (house.instance.clock.clone(), house.instance.random.clone());
        let file = dir.join("numbers.db");
        let room = Room::open(&file, &KekSource::File(kek), window, limits, clock, random)
            .await
            .unwrap();
        let socket = dir.join("s");
        tokio::spawn(answer(bind(&socket).unwrap(), room.clone()));
        let grant = DemoGrant::from_environment("demo").unwrap();
        let account = house
            .instance
            .identity
            .by_login("clerk-1")
            .await
            .unwrap()
            .unwrap();
        let signed = house
            .instance
            .identity
            .open_for_demo(grant, &account, account.roles[0])
            .unwrap();
        let visitor = Visitor {
            auth: AuthLevel::Verified,
            handler: true,
            terminal: true,
            verified: Some(house.instance.clock.steady()),
            ..signed.visitor
        };
        let mut office = Office {
            house,
            pages: Router::new(),
            frames: room.router(),
            cookie: signed.cookie,
            visitor: visitor.clone(),
        };
        office.pages = office.pages_for(visitor, &socket);
        office
    }

    fn pages_for(&self, visitor: Visitor, socket: &std::path::Path) -> Router {
        let instance = &self.house.instance;
        let numbering = Numbering {
            method: Method::Running,
            first: 1,
        };
        let desk = Numbers::new(Client::new(socket.to_owned()), None);
        let shelf = Shelf::new(instance.random.clone());
        let room = CareInsurance::new(
            instance.gate.clone(),
            instance.clock.clone(),
            Press::default(),
            None,
            Codes::built_in().unwrap(),
            numbering,
            shelf,
        )
        .with_numbers(desk);
        let routes = room.clone().routes().merge(room.long());
        routes
            .layer(axum::Extension(visitor))
            .layer(axum::Extension(Frame::sample()))
    }

    async fn get(&self, path: &str) -> Page {
        asked(&self.pages, request("GET", path, "", None)).await
    }

    async fn post(&self, path: &str, form: &str) -> Page {
        asked(&self.pages, request("POST", path, "", Some(form))).await
    }

    /// The address of the frame on a page of the office.
    fn frame(page: &Page) -> String {
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let source = page
            .body
            .split("<iframe")
            .nth(1)
            .unwrap()
            .split("src=\"")
            .nth(1)
            .unwrap();
        let source = source.split('"').next().unwrap();
        assert_eq!(page.policy, "", "the outer headers are the shell's");
        source
            .strip_prefix("http://localhost:9999")
            .unwrap()
            .to_owned()
    }

    async fn framed(&self, path: &str) -> Page {
        asked(&self.frames, request("GET", path, &self.cookie, None)).await
    }

    async fn typed(&self, path: &str, form: &str) -> Page {
        asked(
            &self.frames,
            request("POST", path, &self.cookie, Some(form)),
        )
        .await
    }

    /// Registers or corrects; what the frame said.
    async fn enter(&self, person: &PersonId, what: &str, number: &str) -> Page {
        let page = self
            .post(
                &format!("/insurance/numbers/persons/{person}/{what}"),
                &format!("{GIVEN}&{HOW}"),
            )
            .await;
        let frame = Self::frame(&page);
        assert_eq!(self.framed(&frame).await.status, StatusCode::OK);
        self.typed(&frame, &format!("number={number}&again={number}"))
            .await
    }

    /// The number that the frame shows of a person.
    async fn shown(&self, person: &PersonId) -> String {
        let page = self
            .post(
                &format!("/insurance/numbers/persons/{person}/reveal"),
                GIVEN,
            )
            .await;
        let frame = self.framed(&Self::frame(&page)).await;
        assert_eq!(frame.status, StatusCode::OK, "{}", frame.body);
        let text = frame.body.split("data-number>").nth(1).unwrap();
        text.split('<').next().unwrap().replace(' ', "")
    }

    /// Searches by a number; the page with whose it is.
    async fn found(&self, number: &str) -> Page {
        let page = self.post("/insurance/numbers/find", GIVEN).await;
        let frame = Self::frame(&page);
        self.framed(&frame).await;
        let told = self.typed(&frame, &format!("number={number}")).await;
        assert_eq!(told.status, StatusCode::OK, "{}", told.body);
        let ticket = frame.rsplit('/').next().unwrap();
        self.post(
            "/insurance/numbers/found",
            &format!("ticket={ticket}&purpose=care-insurance"),
        )
        .await
    }

    async fn lines(&self, action: &str) -> i64 {
        let sql = "SELECT COUNT(*) FROM trace_line WHERE action = ? AND decision = 1";
        let row = self
            .house
            .instance
            .db
            .fetch_one(sql, vec![action.into()])
            .await
            .unwrap();
        row.unwrap().int(0).unwrap()
    }
}

const INSURED: &str = "status = 1 AND insured = 1 AND protected = 0";

#[tokio::test]
async fn a_handler_registers_finds_shows_corrects_and_deletes_and_no_page_of_the_office_holds_a_number()
 {
    each_demo(async |house| {
        derive(&house).await;
        let office = Office::open(&house, Limits::default()).await;
        let persons = house.persons(INSURED).await;
        let (person, [kanji, ..]) = persons[0].clone();
        let (one, two) = (number(12_345_678_901), number(2_345_678_901));
        let home = format!("/insurance/numbers/persons/{person}");
        let before = office.get(&home).await;
        assert!(
            before.body.contains("登録なし") && before.body.contains(&kanji),
            "{}",
            before.body
        );
        assert!(
            office
                .enter(&person, "register", &one)
                .await
                .body
                .contains("書き込みました")
        );
        let after = office.get(&home).await.body;
        assert!(
            after.contains("登録あり") && after.contains("個人番号カード") && !after.contains(&one)
        );
        assert_eq!(office.shown(&person).await, one);
        let found = office.found(&one).await.body;
        assert!(found.contains(&kanji) && !found.contains(&one), "{found}");
        assert!(office.found(&two).await.body.contains("見つかりません"));
        let taken = office.enter(&persons[1].0, "register", &one).await;
        assert_eq!(
            (taken.status, taken.body.contains("別の人")),
            (StatusCode::CONFLICT, true)
        );
        assert!(
            office
                .enter(&person, "correct", &two)
                .await
                .body
                .contains("書き込みました")
        );
        assert_eq!(office.shown(&person).await, two);
        let page = office.get(&home).await.body;
        assert!(
            page.contains("訂正")
                && page.contains("照会の記録")
                && !page.contains("照会の記録はありません")
        );
        // Without the mark beside it nothing is deleted: there is no way back.
        let asked = office.get(&format!("{home}/delete")).await;
        assert!(asked.body.contains("元に戻せ") && asked.body.contains("name=\"sure\""));
        let unsure = office.post(&format!("{home}/delete"), GIVEN).await;
        assert_eq!(unsure.status, StatusCode::BAD_REQUEST);
        assert!(unsure.body.contains("まだ何も消していません"));
        assert_eq!(office.lines("number.delete").await, 0);
        assert!(office.get(&home).await.body.contains("登録あり"));
        let gone = office
            .post(&format!("{home}/delete"), &format!("{GIVEN}&sure=yes"))
            .await;
        assert_eq!(gone.status, StatusCode::SEE_OTHER, "{}", gone.body);
        assert!(office.get(&home).await.body.contains("削除"));
        for (action, least) in [
            ("number.open", 3),
            ("number.register", 2),
            ("number.reveal", 2),
            ("number.find", 2),
            ("number.found", 2),
            ("number.correct", 1),
            ("number.delete", 1),
            ("number.outcome", 3),
        ] {
            assert!(office.lines(action).await >= least, "{action}");
        }
        // Nothing of the register or its trace holds a number, in whatever column.
        for table in [
            "trace_line",
            "care_insurance_number_outcome",
            "care_insurance_number",
        ] {
            let rows = house
                .instance
                .db
                .fetch(&format!("SELECT * FROM {table}"), vec![])
                .await
                .unwrap();
            let text = format!("{rows:?}");
            assert!(!text.contains(&one) && !text.contains(&two), "{table}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_typed_wrongly_stays_in_the_frame_and_a_ticket_is_of_one_session() {
    let house = crate::house::demo(None).await;
    derive(&house).await;
    let office = Office::open(&house, Limits::default()).await;
    let (person, _) = house.persons(INSURED).await[0].clone();
    let path = format!("/insurance/numbers/persons/{person}/register");
    let missing = office
        .post(&path, "purpose=audit&case=&reason=123456789018")
        .await;
    assert_eq!(missing.status, StatusCode::BAD_REQUEST);
    for text in [
        "利用の目的を選んでください",
        "受付番号など",
        "12桁の数字は書けません",
        "取得日",
    ] {
        assert!(missing.body.contains(text), "{text}");
    }
    let page = office.post(&path, &format!("{GIVEN}&{HOW}")).await;
    let frame = Office::frame(&page);
    let other = asked(&office.frames, request("GET", &frame, "another", None)).await;
    assert_eq!(other.status, StatusCode::GONE, "another session");
    assert_eq!(office.framed(&frame).await.status, StatusCode::OK);
    assert_eq!(
        office.framed(&frame).await.status,
        StatusCode::GONE,
        "opened once"
    );
    let good = number(77);
    let cases = [
        ("123456789012", "123456789012", "検査数字"),
        ("000000000000", "000000000000", "すべて0"),
        ("12345", "12345", "12桁"),
        (good.as_str(), "123456789018", "2回の入力"),
        ("", "", "12桁"),
        ("<b>1</b>", "<b>1</b>", "12桁"),
    ];
    for (first, second, told) in cases {
        let answer = office
            .typed(
                &frame,
                &format!("number={}&again={}", encoded(first), encoded(second)),
            )
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{first}");
        assert!(answer.body.contains(told), "{first}: {}", answer.body);
        assert!(
            first.is_empty() || !answer.body.contains(&format!("\"{first}\"")),
            "what was typed is not shown again"
        );
        assert!(
            answer
                .policy
                .contains("frame-ancestors http://localhost:8080")
                && answer.policy.contains("default-src 'none'")
        );
        assert!(!answer.policy.contains("script-src"));
    }
    let wide = "１２３４　５６７８－９０１８";
    let done = office
        .typed(
            &frame,
            &format!(
                "number={}&again={}",
                encoded(wide),
                encoded("1234-5678-9018")
            ),
        )
        .await;
    assert!(done.body.contains("書き込みました"), "{}", done.body);
    assert_eq!(
        office.typed(&frame, "number=1&again=1").await.status,
        StatusCode::GONE,
        "used once"
    );
    assert_eq!(office.shown(&person).await, "123456789018");
}

#[tokio::test]
async fn only_a_verified_handler_at_a_registered_terminal_reaches_any_page_of_numbers() {
    each_demo(async |house| {
        derive(&house).await;
        let office = Office::open(&house, Limits::default()).await;
        let (person, _) = house.persons(INSURED).await[0].clone();
        office.enter(&person, "register", &number(5)).await;
        let socket = house.instance.dir.join("numbers/s");
        let home = format!("/insurance/numbers/persons/{person}");
        let whole = office.visitor.clone();
        let stale = house.instance.clock.steady() - mimamori_identity::FRESH - 1;
        let lacking = [
            (
                "no designation",
                Visitor {
                    handler: false,
                    ..whole.clone()
                },
                false,
            ),
            (
                "another terminal",
                Visitor {
                    terminal: false,
                    ..whole.clone()
                },
                false,
            ),
            (
                "password alone",
                Visitor {
                    auth: AuthLevel::Password,
                    ..whole.clone()
                },
                false,
            ),
            (
                "verified long ago",
                Visitor {
                    verified: Some(stale),
                    ..whole.clone()
                },
                true,
            ),
        ];
        for (what, visitor, opens) in lacking {
            let pages = office.pages_for(visitor, &socket);
            let tries = [
                ("GET", home.clone(), None),
                ("GET", "/insurance/numbers".into(), None),
                ("GET", "/insurance/numbers/find".into(), None),
                ("GET", "/insurance/numbers/load".into(), None),
                ("GET", "/insurance/numbers/check".into(), None),
                ("POST", format!("{home}/reveal"), Some(GIVEN.to_owned())),
                ("GET", format!("{home}/delete"), None),
                (
                    "POST",
                    format!("{home}/delete"),
                    Some(format!("{GIVEN}&sure=yes")),
                ),
                (
                    "POST",
                    format!("{home}/correct"),
                    Some(format!("{GIVEN}&{HOW}")),
                ),
                (
                    "POST",
                    "/insurance/numbers/find".into(),
                    Some(GIVEN.to_owned()),
                ),
                (
                    "POST",
                    "/insurance/numbers/load".into(),
                    Some(format!("{GIVEN}&{HOW}")),
                ),
            ];
            for (method, path, form) in tries {
                let answer = asked(&pages, request(method, &path, "", form.as_deref())).await;
                let expected = match method == "GET" && opens {
                    true => StatusCode::OK,
                    false => StatusCode::FORBIDDEN,
                };
                assert_eq!(answer.status, expected, "{what}: {method} {path}");
                assert!(!answer.body.contains("<iframe"), "{what}: {method} {path}");
            }
        }
        // The wrong road: without a session, with another session, from another site.
        let page = office.post(&format!("{home}/reveal"), GIVEN).await;
        let frame = Office::frame(&page);
        let mut elsewhere = request("GET", &frame, &office.cookie, None);
        elsewhere
            .headers_mut()
            .insert("sec-fetch-site", "cross-site".parse().unwrap());
        assert_eq!(
            asked(&office.frames, elsewhere).await.status,
            StatusCode::GONE
        );
        assert_eq!(
            asked(&office.frames, request("GET", &frame, "", None))
                .await
                .status,
            StatusCode::GONE
        );
    })
    .await;
}

#[tokio::test]
async fn the_hour_has_its_limit_and_a_room_that_is_away_shows_nothing() {
    let house = crate::house::demo(None).await;
    derive(&house).await;
    let limits = Limits {
        finds: 2,
        reveals: 2,
        ..Limits::default()
    };
    let office = Office::open(&house, limits).await;
    let (person, _) = house.persons(INSURED).await[0].clone();
    office.enter(&person, "register", &number(5)).await;
    for _ in 0..2 {
        assert_eq!(office.found(&number(6)).await.status, StatusCode::OK);
        office.shown(&person).await;
    }
    let many = office.post("/insurance/numbers/find", GIVEN).await;
    assert_eq!(many.status, StatusCode::TOO_MANY_REQUESTS, "{}", many.body);
    let path = format!("/insurance/numbers/persons/{person}/reveal");
    assert_eq!(
        office.post(&path, GIVEN).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    let away = office.pages_for(
        office.visitor.clone(),
        &house.instance.dir.join("numbers/nowhere"),
    );
    let home = format!("/insurance/numbers/persons/{person}");
    let answer = asked(&away, request("GET", &home, "", None)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.body.contains("止まっています"), "{}", answer.body);
}

#[tokio::test]
async fn a_database_that_was_put_back_is_not_used() {
    let house = crate::house::demo(None).await;
    derive(&house).await;
    let persons = house.persons(INSURED).await;
    let file = house.instance.dir.join("numbers/numbers.db");
    let old = house.instance.dir.join("old.db");
    {
        let office = Office::open(&house, Limits::default()).await;
        office.enter(&persons[0].0, "register", &number(5)).await;
        mimamori_storage::copy_file(&file, &old).unwrap();
        office.enter(&persons[1].0, "register", &number(6)).await;
        // The register is told of the second one.
        office
            .get(&format!("/insurance/numbers/persons/{}", persons[1].0))
            .await;
    }
    // As a machine would be that was put back, beside a register that went on.
    let back = house.instance.dir.join("back");
    std::fs::create_dir(&back).unwrap();
    std::fs::rename(&old, back.join("numbers.db")).unwrap();
    let office = Office::open_at(&house, Limits::default(), "back").await;
    let answer = office
        .get(&format!("/insurance/numbers/persons/{}", persons[0].0))
        .await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.body.contains("古いもの"), "{}", answer.body);
    let reveal = office
        .post(
            &format!("/insurance/numbers/persons/{}/reveal", persons[0].0),
            GIVEN,
        )
        .await;
    assert_eq!(reveal.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_file_is_loaded_with_its_rejects_and_who_leaves_the_scope_is_found() {
    each_demo(async |house| {
        derive(&house).await;
        let office = Office::open(&house, Limits::default()).await;
        let sql = "SELECT address_number, person FROM residents_person WHERE status = 1 AND insured = 1 \
                   AND generation = (SELECT generation FROM residents_state WHERE one = 1) ORDER BY address_number LIMIT 4";
        let people = house.instance.db.fetch(sql, vec![]).await.unwrap();
        let who = |n: usize| people[n].text(0).unwrap().to_owned();
        let mut file = String::from("宛名番号,個人番号\n");
        for n in 0..3 {
            file.push_str(&format!("{},{}\n", who(n), number(500 + n as u64)));
        }
        file.push_str(&format!("{},123456789012\n", who(3)));
        file.push_str(&format!("{},{}\n", who(3), number(500)));
        file.push_str(&format!("99999999999,{}\n", number(600)));
        file.push_str(&format!("{}\n", who(3)));
        let page = office.post("/insurance/numbers/load", &format!("{GIVEN}&{HOW}")).await;
        let frame = Office::frame(&page);
        assert!(office.framed(&frame).await.body.contains("一括登録"));
        let send = |rows: &str| {
            let body = format!(
                "--b\r\nContent-Disposition: form-data; name=\"rows\"\r\n\r\n{rows}\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n{file}\r\n--b--\r\n"
            );
            Request::builder()
                .method("POST")
                .uri(&frame)
                .header(header::COOKIE, format!("mimamori={}", office.cookie))
                .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b")
                .body(Body::from(body))
                .unwrap()
        };
        let wrong = asked(&office.frames, send("8")).await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
        assert!(wrong.body.contains("7件あり"), "{}", wrong.body);
        let sent = asked(&office.frames, send("7")).await;
        assert_eq!(sent.body, format!("{frame}/state"));
        let state = loop {
            let state = office.framed(&sent.body).await;
            if state.body.contains("<h1>一括登録の結果") {
                break state.body;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        };
        assert!(state.contains("3件を登録しました") && state.contains("断った行は4件"), "{state}");
        let rejects = office.typed(&format!("{frame}/rejects"), "").await.body;
        let rows: Vec<&str> = rejects.lines().skip(1).map(|l| l.split(',').next().unwrap()).collect();
        assert_eq!(rows, ["5", "6", "7", "8"], "{rejects}");
        assert!(!rejects.contains("123456789012") && !rejects.contains(&number(500)));
        let told = office.post("/insurance/numbers/check", "").await;
        assert_eq!(told.status, StatusCode::SEE_OTHER, "{}", told.body);
        assert_eq!(count(&house, "care_insurance_number_state WHERE held = 3 AND outside = 0 AND strange = 0").await, 1);
        // One of them is insured no more and lives with nobody who is.
        let gone = people[0].array::<16>(1).unwrap();
        write(&house, "UPDATE care_insurance_person SET category = 0 WHERE person = ?", vec![(&gone).into()]).await;
        write(&house, "UPDATE residents_person SET household_number = 'alone' WHERE person = ?", vec![(&gone).into()]).await;
        office.post("/insurance/numbers/check", "").await;
        assert_eq!(count(&house, "care_insurance_number_state WHERE held = 3 AND outside = 1").await, 1);
        let page = office.get("/insurance/numbers/check").await.body;
        assert!(page.contains(&format!("/insurance/numbers/persons/{}", PersonId::from_bytes(gone))), "{page}");
        let outside = office.post(&format!("/insurance/numbers/persons/{}/register", PersonId::from_bytes(gone)), &format!("{GIVEN}&{HOW}")).await;
        assert!(outside.body.contains("その世帯員だけ"), "{}", outside.body);
    })
    .await;
}

#[tokio::test]
async fn new_keys_are_ordered_on_the_screen_by_the_system_administrator_alone() {
    let house = crate::house::demo(None).await;
    derive(&house).await;
    let office = Office::open(&house, Limits::default()).await;
    let (person, _) = house.persons(INSURED).await[0].clone();
    office.enter(&person, "register", &number(5)).await;
    assert_eq!(
        office.get("/insurance/numbers/keys").await.status,
        StatusCode::FORBIDDEN
    );
    let grant = DemoGrant::from_environment("demo").unwrap();
    let account = house
        .instance
        .identity
        .by_login("system-1")
        .await
        .unwrap()
        .unwrap();
    let signed = house
        .instance
        .identity
        .open_for_demo(grant, &account, account.roles[0])
        .unwrap();
    let pages = office.pages_for(signed.visitor, &house.instance.dir.join("numbers/s"));
    assert_eq!(
        asked(
            &pages,
            request("POST", "/insurance/numbers/keys", "", Some(""))
        )
        .await
        .status,
        StatusCode::SEE_OTHER
    );
    let done = async {
        loop {
            let page = asked(&pages, request("GET", "/insurance/numbers/keys", "", None))
                .await
                .body;
            if page.contains("更新は終わっています") && page.contains("<dd>2</dd>") {
                return page;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), done)
        .await
        .unwrap();
    assert_eq!(office.shown(&person).await, number(5));
}

#[tokio::test]
async fn a_restored_room_erases_again_what_was_erased_and_says_so() {
    let house = crate::house::demo(None).await;
    derive(&house).await;
    let persons = house.persons(INSURED).await;
    let old = house.instance.dir.join("old.db");
    let list = {
        let office = Office::open(&house, Limits::default()).await;
        for (n, (person, _)) in persons.iter().take(2).enumerate() {
            office
                .enter(person, "register", &number(5 + n as u64))
                .await;
        }
        mimamori_storage::copy_file(&house.instance.dir.join("numbers/numbers.db"), &old).unwrap();
        let home = format!("/insurance/numbers/persons/{}", persons[0].0);
        assert_eq!(
            office
                .post(&format!("{home}/delete"), &format!("{GIVEN}&sure=yes"))
                .await
                .status,
            StatusCode::SEE_OTHER
        );
        let sql = "SELECT id FROM backup_erasure WHERE kind = 'number'";
        let rows = house.instance.db.fetch(sql, vec![]).await.unwrap();
        let id: [u8; 16] = rows[0].array(0).unwrap();
        // Another number of the same person has another reference: it is not erased with the first one.
        office.enter(&persons[0].0, "register", &number(7)).await;
        let kept = house
            .instance
            .db
            .fetch(
                "SELECT reference FROM care_insurance_number WHERE ended = 0",
                vec![],
            )
            .await
            .unwrap();
        assert!(kept.iter().all(|row| row.array::<16>(0).unwrap() != id) && kept.len() == 2);
        format!("{}\n", mimamori_kernel::id::NumberRef::from_bytes(id))
    };
    let back = house.instance.dir.join("back");
    std::fs::create_dir(&back).unwrap();
    std::fs::rename(&old, back.join("numbers.db")).unwrap();
    let kek = KekSource::File(house.instance.dir.join("numbers/keys/kek.key"));
    let window = Window {
        port: 1,
        cookie: "m".into(),
        parents: vec![],
        tls: false,
        seconds: 30,
        proxies: vec![],
    };
    let (clock, random) = (house.instance.clock.clone(), house.instance.random.clone());
    let room = Room::open(
        &back.join("numbers.db"),
        &kek,
        window,
        Limits::default(),
        clock,
        random,
    )
    .await
    .unwrap();
    let left = async || {
        let place = mimamori_storage::Location::File {
            path: back.join("numbers.db"),
            synchronous: mimamori_storage::Synchronous::Full,
        };
        let db = mimamori_storage::Db::open(place, 1).await.unwrap();
        let rows = db
            .fetch("SELECT COUNT(*) FROM numbers_record", vec![])
            .await
            .unwrap();
        db.close().await;
        rows[0].int(0).unwrap()
    };
    assert_eq!(left().await, 2, "the restored copy has it again");
    room.erase(&list).await.unwrap();
    room.erase(&list).await.unwrap();
    assert_eq!(left().await, 1);
}
