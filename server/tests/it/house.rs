//! A whole instance with a small sample town, asked over HTTP without a network.

use std::io::{Cursor, Read as _};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use mimamori_identity::{NewUser, Org, OrgKind};
use mimamori_kernel::id::{ImportId, OrgId, PersonId};
use mimamori_kernel::random::SystemRandom;
use mimamori_residents::{action, import};
use mimamori_server::config::{Config, Environment, Zone};
use mimamori_server::demo::{PLAYERS, contract};
use mimamori_server::init::{enter, make, system_act};
use mimamori_server::instance::Instance;
use mimamori_server::web::Site;
use mimamori_storage::{Db, Location, Statement, testing};
use mimamori_testkit::{TownArgs, write_town};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::edges::read;

pub struct House {
    /// Lives as long as the house.
    pub _dir: TempDir,
    pub instance: Instance,
    pub router: Router,
}

pub struct Answer {
    pub status: StatusCode,
    pub location: String,
    pub cookie: Option<String>,
    pub body: String,
    pub bytes: Vec<u8>,
}

/// A route of the sources, with its methods.
pub struct Route {
    pub path: String,
    pub get: bool,
    pub post: bool,
}

/// Every `.route("…"` of the program, so that a new one cannot be forgotten.
pub fn routes() -> Vec<Route> {
    let mut out = Vec::new();
    for file in [
        "server/src/web/mod.rs",
        "stewardship/residents/src/lib.rs",
        "stewardship/residents/src/intake/mod.rs",
        "stewardship/operations/src/lib.rs",
        "stewardship/oversight/src/lib.rs",
        "stewardship/audit/src/lib.rs",
        "stewardship/handover/src/lib.rs",
        "services/care-insurance/src/room.rs",
        "services/kidney-prevention/src/room.rs",
    ] {
        for part in read(file).split(".route(").skip(1) {
            let part = part.split([';']).next().unwrap();
            let (get, post) = (part.contains("get("), part.contains("post("));
            assert!(get || post, "{part}");
            let path = part.split('"').nth(1).unwrap().to_owned();
            out.push(Route { path, get, post });
        }
    }
    assert!(out.len() >= 16, "{} routes", out.len());
    out
}

pub fn config(zone: Zone) -> Config {
    let environment = match zone {
        Zone::Demo => Environment::Demo,
        _ => Environment::Production,
    };
    let listen = "127.0.0.1:8080".parse().unwrap();
    let mut config = Config::new(zone, environment, "test.example", listen);
    config.synchronous = (zone == Zone::Demo).then(|| "off-for-tests".into());
    config
}

/// A new, empty database beside the one of the test run, and a file that names it.
pub async fn postgres(dir: &TempDir, url: &str) -> String {
    let name = format!("house_{}", ImportId::random(&SystemRandom));
    let place = |url: &str| Location::Server {
        url: url.into(),
        schema: "public".into(),
    };
    let db = Db::open(place(url), 1).await.unwrap();
    let mut writer = db.writer().await.unwrap();
    writer
        .run(&format!("CREATE DATABASE {name}"))
        .await
        .unwrap();
    writer.close().await.unwrap();
    db.close().await;
    let (before, options) = url
        .split_once('?')
        .map_or((url, None), |(b, o)| (b, Some(o)));
    let (server, _) = before.rsplit_once('/').unwrap();
    let options = options.map_or_else(String::new, |o| format!("?{o}"));
    let file = dir.path().join(format!("{name}.url"));
    std::fs::write(&file, format!("{server}/{name}{options}\n")).unwrap();
    file.to_str().unwrap().to_owned()
}

/// The demo with 300 people, on SQLite and, where the run has a server, on PostgreSQL.
pub async fn each_demo(test: impl AsyncFn(House)) {
    test(demo(None).await).await;
    match std::env::var(testing::SERVER) {
        Ok(url) => test(demo(Some(url)).await).await,
        Err(_) => eprintln!("not run on PostgreSQL: {} is not set", testing::SERVER),
    }
}

/// The demo with 300 people.
pub async fn demo(server: Option<String>) -> House {
    demo_with(server, |_| {}).await
}

/// The same with other settings.
pub async fn demo_with(server: Option<String>, settings: impl FnOnce(&mut Config)) -> House {
    let dir = TempDir::new().unwrap();
    let mut config = config(Zone::Demo);
    settings(&mut config);
    if let Some(url) = server {
        config.postgres_url_file = Some(postgres(&dir, &url).await.into());
    }
    let data = dir.path().join("data");
    make(&data, &config).await.unwrap();
    let instance = Instance::open(&data).await.unwrap();
    for (kind, office, login, name, role, _) in PLAYERS {
        let org = Org {
            id: OrgId::random(&SystemRandom),
            kind,
            name: format!("{office}-{login}"),
        };
        let user = NewUser {
            login: login.into(),
            name: name.into(),
            org: org.id,
            org_kind: kind,
            roles: vec![role],
            person: None,
            approved_by: None,
            until: None,
        };
        enter(&instance, &user, Some(&org)).await.unwrap();
        if kind == OrgKind::Contractor {
            contract(&instance, &org).await.unwrap();
        }
    }
    mimamori_server::demo::designate_handler(&instance, &[])
        .await
        .unwrap();
    let town = dir.path().join("town");
    std::fs::create_dir_all(&town).unwrap();
    let args = TownArgs {
        people: 300,
        ..TownArgs::default()
    };
    write_town(&args, &town).unwrap();
    let permit = instance.gate.job(action::IMPORT, None).await.unwrap();
    let progress = import::Progress::default();
    import::run(
        &permit,
        &SystemRandom,
        &import::Order::folder(&town),
        &progress,
    )
    .await
    .unwrap();
    mimamori_server::insurance::derive(&instance).await.unwrap();
    let router = Site::new(&instance).router();
    let house = House {
        _dir: dir,
        instance,
        router,
    };
    let own = house
        .persons("status = 1 AND insured = 1 AND protected = 0")
        .await;
    let link = Statement::expecting(
        "UPDATE identity_user SET epoch = epoch + 1, person = ? WHERE login = 'citizen-1'",
        vec![own[0].0.bytes().into()],
        1,
        "citizen",
    );
    let line = system_act(&house.instance, "account.link", "test".into(), vec![link]);
    house.instance.trace.record(line).await.unwrap();
    house
}

impl House {
    /// Persons in force with kanji, kana and number, for the test's own eyes.
    pub async fn persons(&self, filter: &str) -> Vec<(PersonId, [String; 3])> {
        let sql = format!(
            "SELECT person, kanji, kana, address_number FROM residents_person \
             WHERE generation = (SELECT generation FROM residents_state WHERE one = 1) AND {filter} \
             ORDER BY kana_key, address_number"
        );
        let rows = self.instance.db.fetch(&sql, vec![]).await.unwrap();
        assert!(!rows.is_empty(), "nobody: {filter}");
        rows.iter()
            .map(|r| {
                let text = |i| r.text(i).unwrap().to_owned();
                let person = PersonId::from_bytes(r.array(0).unwrap());
                (person, [text(1), text(2), text(3)])
            })
            .collect()
    }

    /// Sends one request as a browser on this machine would.
    pub async fn send(&self, method: &str, path: &str, cookie: &str, form: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost:8080")
            .header(header::ORIGIN, "http://localhost:8080")
            .header(header::COOKIE, cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = request.body(Body::from(form.to_owned())).unwrap();
        answer(self.router.clone().oneshot(request).await.unwrap()).await
    }

    pub async fn get(&self, path: &str, cookie: &str) -> Answer {
        self.send("GET", path, cookie, "").await
    }

    /// The form token that this session (or nobody) gets on a page.
    pub async fn token(&self, page: &str, cookie: &str) -> String {
        let body = self.get(page, cookie).await.body;
        let (_, rest) = body.split_once("name=\"csrf\" value=\"").expect(page);
        rest.split('"').next().unwrap().to_owned()
    }

    /// Posts a form with the token of the session.
    pub async fn post(&self, path: &str, cookie: &str, form: &str) -> Answer {
        let token = self.token("/password", cookie).await;
        self.send("POST", path, cookie, &format!("csrf={token}&{form}"))
            .await
    }

    /// The file that was taken out: fetched from its page, opened with the password that stands there.
    pub async fn unlocked(&self, made: &Answer, cookie: &str) -> Vec<u8> {
        assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
        let page = self.get(&made.location, cookie).await.body;
        let (_, rest) = page.split_once("<code>").expect("a password");
        let password = rest.split('<').next().unwrap();
        let archive = self.get(&format!("{}/file", made.location), cookie).await;
        assert_eq!(archive.status, StatusCode::OK, "{}", archive.body);
        let mut archive = zip::ZipArchive::new(Cursor::new(archive.bytes)).unwrap();
        assert!(archive.by_index(0).is_err(), "it opens without a password");
        let mut file = archive.by_index_decrypt(0, password.as_bytes()).unwrap();
        let mut out = Vec::new();
        file.read_to_end(&mut out).unwrap();
        out
    }

    /// Sends files as a browser does; the token stands first.
    pub async fn upload(
        &self,
        path: &str,
        cookie: &str,
        token: &str,
        files: &[(&str, &[u8])],
    ) -> Answer {
        let mut body =
            format!("--cut\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{token}\r\n")
                .into_bytes();
        for (name, bytes) in files {
            body.extend(
                format!(
                    "--cut\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"x.csv\"\r\n\
                     Content-Type: text/csv\r\n\r\n"
                )
                .bytes(),
            );
            body.extend_from_slice(bytes);
            body.extend(b"\r\n");
        }
        body.extend(b"--cut--\r\n");
        let request = Request::builder()
            .method("POST")
            .uri(path)
            .header(header::HOST, "localhost:8080")
            .header(header::ORIGIN, "http://localhost:8080")
            .header(header::COOKIE, cookie)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=cut");
        let request = request.body(Body::from(body)).unwrap();
        answer(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// Chooses a role of the demo; the cookie.
    pub async fn play(&self, login: &str) -> String {
        let token = self.token("/demo", "").await;
        let form = format!("csrf={token}&login={login}");
        let answer = self.send("POST", "/demo/role", "", &form).await;
        assert_eq!(
            answer.status,
            StatusCode::SEE_OTHER,
            "{login}: {}",
            answer.body
        );
        answer.cookie.unwrap()
    }
}

async fn answer(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let header = |name| {
        let value = parts.headers.get(name);
        value.map(|v: &header::HeaderValue| v.to_str().unwrap().to_owned())
    };
    let body = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        location: header(header::LOCATION).unwrap_or_default(),
        cookie: header(header::SET_COOKIE).map(|c| c.split(';').next().unwrap().to_owned()),
        body: String::from_utf8_lossy(&body).into_owned(),
        bytes: body.to_vec(),
    }
}

/// Text for a form field.
pub fn encoded(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02X}")).collect()
}
