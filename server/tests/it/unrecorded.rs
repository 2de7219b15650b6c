//! No session, no page; no line in the trace, no person on a page.

use axum::http::StatusCode;
use mimamori_server::demo::PLAYERS;
use mimamori_server::web::guard::PUBLIC;

use crate::house::{House, demo, each_demo, encoded, routes};

#[tokio::test]
async fn every_route_but_the_listed_public_ones_asks_for_a_session() {
    let house = demo(None).await;
    let mut public = Vec::new();
    for route in routes() {
        let path = route.path.replace(['{', '}'], "");
        for method in ["GET", "POST", "HEAD"] {
            for cookie in [
                "",
                "mimamori=",
                "mimamori=made-up",
                "other=1; mimamori=0000",
            ] {
                let answer = house.send(method, &path, cookie, "csrf=made-up").await;
                if PUBLIC.contains(&path.as_str()) {
                    assert_ne!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
                    public.push(path.clone());
                    continue;
                }
                assert_eq!(answer.status, StatusCode::SEE_OTHER, "{method} {path}");
                assert!(answer.location.starts_with("/sign-in"), "{method} {path}");
            }
        }
    }
    public.sort();
    public.dedup();
    let mut listed = PUBLIC.map(str::to_owned).to_vec();
    listed.sort();
    assert_eq!(
        public, listed,
        "a public page without a route, or the other way round"
    );
}

#[tokio::test]
async fn no_form_is_taken_without_its_token() {
    let house = demo(None).await;
    let cookie = house.play("clerk-1").await;
    for route in routes().iter().filter(|r| r.post) {
        let path = route.path.replace(['{', '}'], "");
        for form in ["", "csrf=", "csrf=made-up", "login=kanri-1"] {
            let answer = house.send("POST", &path, &cookie, form).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} with {form:?}");
        }
    }
    assert_eq!(house.get("/", &cookie).await.status, StatusCode::OK);
}

/// Somebody's session before the trace stops.
struct Session {
    login: &'static str,
    cookie: String,
    token: String,
    result: String,
}

async fn sessions(house: &House, kanji: &str, person: &str) -> Vec<Session> {
    let mut out = Vec::new();
    for (_, _, login, ..) in PLAYERS {
        let cookie = house.play(login).await;
        let token = house.token("/password", &cookie).await;
        let form = format!("kanji={}&channel=counter", encoded(kanji));
        let found = house.post("/residents/search", &cookie, &form).await;
        let mut result = "0".repeat(32);
        let officer = ["clerk-1", "handler-1", "lead-1", "care-1"].contains(&login);
        let reason = format!("/residents/{person}/reason");
        house.post(&reason, &cookie, "channel=counter").await;
        let record = house.get(&format!("/residents/{person}"), &cookie).await;
        if officer {
            assert_eq!(
                found.status,
                StatusCode::SEE_OTHER,
                "{login}: {}",
                found.body
            );
            let list = house.get(&found.location, &cookie).await;
            assert!(list.body.contains(kanji), "{login}: {}", list.body);
            assert!(record.body.contains(kanji), "{login}: {}", record.body);
            result = found.location.rsplit('/').next().unwrap().to_owned();
        } else {
            assert!(
                !found.body.contains(kanji) && !record.body.contains(kanji),
                "{login}"
            );
        }
        out.push(Session {
            login,
            cookie,
            token,
            result,
        });
    }
    out
}

/// Pages that would show a person or a judgement about one: without a line they are 503.
fn must_fail(login: &str, method: &str, path: &str) -> bool {
    let officer = ["clerk-1", "handler-1", "lead-1", "care-1"].contains(&login);
    match (method, path) {
        ("POST", "/residents/search") | ("GET", "/residents/{person}") => true,
        ("GET", "/residents/search") | ("GET" | "POST", "/residents/{person}/note") => !officer,
        ("GET", "/audit") => login != "audit-1",
        ("GET", "/audit/out" | "/audit/alerts" | "/audit/alerts/{alert}" | "/audit/reports") => {
            true
        }
        ("POST", "/audit" | "/audit/run" | "/audit/reports") => true,
        ("GET", "/residents/results/{result}") => officer,
        (_, path) if path.starts_with("/residents/imports") => login != "lead-1",
        ("GET", "/me" | "/me/sheet" | "/me/statement") => login == "citizen-1",
        // Every page of the office begins with a decision; its ids lead nowhere, and that is a line too.
        ("GET", "/account" | "/passkeys") => true,
        ("GET", path) if path.starts_with("/operations/") => true,
        ("GET", path) if path.starts_with("/oversight") => true,
        ("POST", "/operations/people/new" | "/operations/organisations/new") => true,
        ("GET", "/insurance/queues/{queue}" | "/insurance/cards") => true,
        _ => false,
    }
}

#[tokio::test]
async fn when_no_line_can_be_written_no_page_shows_a_person() {
    each_demo(async |house| {
        let persons = house.persons("1 = 1").await;
        let one = house
            .persons("status = 1 AND insured = 1 AND protected = 0")
            .await;
        let (person, [kanji, ..]) = one[1].clone();
        let person = person.to_string();
        let sessions = sessions(&house, &kanji, &person).await;
        let lines = async || {
            let row = house
                .instance
                .db
                .fetch_one("SELECT COUNT(*) FROM trace_line", vec![]);
            row.await.unwrap().unwrap().int(0).unwrap()
        };
        house.instance.trace.stop();
        let before = lines().await;
        let mut all = routes();
        // These two end the session that the others need.
        all.sort_by_key(|r| ["/sign-out", "/lock"].contains(&r.path.as_str()));
        let (mut asked, mut refused) = (0, 0);
        for route in &all {
            for session in &sessions {
                let Session {
                    login,
                    cookie,
                    token,
                    result,
                } = session;
                let path = route
                    .path
                    .replace("{person}", &person)
                    .replace("{queue}", "moved")
                    .replace("{result}", result)
                    .replace(['{', '}'], "0");
                // Whatever an id of the office would be, this one is nobody's.
                let path = [
                    "0user0",
                    "0request0",
                    "0batch0",
                    "0organisation0",
                    "0contract0",
                    "0passkey0",
                    "0terminal0",
                    "0case0",
                    "0obligation0",
                    "0attachment0",
                ]
                .iter()
                .fold(path, |path, mark| path.replace(mark, &"0".repeat(32)));
                for method in ["GET", "POST"] {
                    if !(if method == "GET" {
                        route.get
                    } else {
                        route.post
                    }) {
                        continue;
                    }
                    let mut form =
                        format!("csrf={token}&channel=counter&kanji={}", encoded(&kanji));
                    // The form of a new person gives back what was typed, not what is kept.
                    if route.path == "/residents/enter" {
                        form = format!("csrf={token}");
                    }
                    let answer = house.send(method, &path, cookie, &form).await;
                    asked += 1;
                    for (_, names) in &persons {
                        for name in names {
                            assert!(
                                !answer.body.contains(name.as_str()),
                                "{login} {method} {path} shows {name}"
                            );
                        }
                    }
                    if must_fail(login, method, &route.path) {
                        refused += 1;
                        assert_eq!(
                            answer.status,
                            StatusCode::SERVICE_UNAVAILABLE,
                            "{login} {method} {path}: {}",
                            answer.body
                        );
                    }
                }
            }
        }
        assert_eq!(before, lines().await, "a line was written after the stop");
        assert!(
            asked > 100 && refused >= 25,
            "{asked} asked, {refused} refused"
        );
        let sign_in = house.token("/demo", "").await;
        let form = format!("csrf={sign_in}&login=clerk-1");
        let answer = house.send("POST", "/demo/role", "", &form).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.cookie, None, "a session opened without its line");
        house.instance.trace.resume();
        house.play("clerk-1").await;
    })
    .await;
}
