//! The program itself: its certificates, its contract, its modes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mimamori_atena_simulator::{Contract, people};
use reqwest::{Certificate, Client, Identity};
use serde_json::{Value, json};

struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_atena-simulator"))
}

/// Starts it on free ports; the addresses of service and control.
fn start(certificates: &Path, folder: &Path) -> (Program, String, String) {
    let mut child = program()
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--control",
            "127.0.0.1:0",
            "--people",
            "3",
            "--certificates",
        ])
        .arg(certificates)
        .arg("--folder")
        .arg(folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    (Program(child), words[1].to_owned(), words[3].to_owned())
}

fn client(folder: &Path, name: &str) -> Client {
    let read = |file: String| std::fs::read(folder.join(file)).unwrap();
    let mut identity = read(format!("{name}.key"));
    identity.extend(read(format!("{name}.pem")));
    Client::builder()
        .tls_certs_only([Certificate::from_pem(&read("ca.pem".into())).unwrap()])
        .identity(Identity::from_pem(&identity).unwrap())
        .timeout(Duration::from_secs(5))
        .build()
        .unwrap()
}

#[tokio::test]
async fn the_program_keeps_the_contract_wants_a_certificate_and_changes_its_mode() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let dir = tempfile::tempdir().unwrap();
    let certificates = dir.path().join("certificates");
    assert!(
        program()
            .arg("certificates")
            .arg(&certificates)
            .stdout(Stdio::null())
            .status()
            .unwrap()
            .success()
    );
    let (_running, service, control) = start(&certificates, dir.path());
    let contract = Contract::read(include_str!("../../docs/api/atena.json")).unwrap();
    let known = client(&certificates, "client");
    let one = people(3, 1).remove(0);

    let stranger = client(&certificates, "stranger");
    assert!(
        stranger
            .post(format!("{service}/v1/list"))
            .json(&json!({"limit": 1}))
            .send()
            .await
            .is_err()
    );

    let key = "0".repeat(32);
    let ask = async |path: &str, body: &Value| {
        let request = known
            .post(format!("{service}{path}"))
            .header("idempotency-key", &key)
            .json(body);
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap();
        contract.answer(path, status, &body).unwrap();
        (status, body)
    };
    let person = json!({"address_number": one.address_number});
    assert_eq!(
        ask("/v1/inquire", &person).await.1["individual_number"],
        json!(one.individual_number)
    );
    let linked = ask("/v1/link", &json!(one)).await;
    assert_eq!(
        (linked.0, ask("/v1/link", &json!(one)).await),
        (200, linked.clone()),
        "the same key, the same answer"
    );
    let other = json!({"address_number": one.address_number, "individual_number": people(3, 1)[1].individual_number});
    assert_eq!(ask("/v1/link", &other).await.1["code"], "key-reused");
    let list = ask("/v1/list", &json!({"limit": 10})).await.1;
    assert_eq!((&list["total"], &list["next"]), (&json!(1), &Value::Null));
    for (path, wrong) in [
        ("/v1/link", json!({"address_number": one.address_number})),
        ("/v1/inquire", json!({"address_number": "1"})),
        ("/v1/list", json!({"limit": 0})),
        (
            "/v1/delete",
            json!({"address_number": one.address_number, "more": 1}),
        ),
    ] {
        assert_eq!(
            ask(path, &wrong).await,
            (400, ask("/v1/list", &json!({})).await.1),
            "{path}"
        );
    }

    let turn = async |mode: &str| {
        Client::new()
            .post(format!("{control}/mode/{mode}"))
            .send()
            .await
            .unwrap()
            .status()
    };
    assert_eq!(turn("sideways").await.as_u16(), 404);
    assert_eq!(turn("down").await.as_u16(), 204);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(
        known
            .post(format!("{service}/v1/list"))
            .json(&json!({"limit": 1}))
            .send()
            .await
            .is_err()
    );
    assert_eq!(turn("normal").await.as_u16(), 204);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(ask("/v1/list", &json!({"limit": 10})).await.0, 200);
    let state: Value = Client::new()
        .get(format!("{control}/state"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(state["applied"].as_array().unwrap().len(), 1);
    assert!(
        dir.path().join("in/list-00000001.end").exists(),
        "the day's list is laid down"
    );
}
