//! In this process, on the directory that the demo left: lines alone, and pages during a second import.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mimamori_residents::import::{Order, Progress, run};
use mimamori_server::instance::Instance;
use mimamori_server::web::Site;
use mimamori_trace::{Act, Decision, Shown};

use super::client::Client;
use super::figures::Figures;
use super::{find, open_loop};

/// One line about one person, as a record page writes it; nobody signed in.
fn act(instance: &Instance, n: u64) -> Act {
    let mut person = [0; 16];
    person[..8].copy_from_slice(&(n % 90_000).to_be_bytes());
    let person = mimamori_kernel::id::PersonId::from_bytes(person);
    Act {
        actor: None,
        epoch: 0,
        org: None,
        role: "bench".into(),
        action: "person.open",
        purpose: "operation",
        classes: 1,
        decision: Decision::Allowed,
        policy: "bench".into(),
        shown: vec![Shown {
            person,
            token: instance.trace.token(&person),
            version: 0,
        }],
        details: None,
        changes: vec![],
        ground: instance.trace.ground(),
        touches_subjects: false,
        touches_accounts: false,
    }
}

/// Durable lines, one person each, from `writers` tasks; then the time until the tree holds them.
async fn lines(instance: &Arc<Instance>, writers: u64, seconds: u64) {
    let started = Instant::now();
    let until = started + Duration::from_secs(seconds);
    let last = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..writers)
        .map(|w| {
            let (instance, last) = (instance.clone(), last.clone());
            tokio::spawn(async move {
                let (mut figures, mut n) = (Figures::default(), w * 7_919);
                while Instant::now() < until {
                    let asked = Instant::now();
                    let receipt = instance.trace.record(act(&instance, n)).await.unwrap();
                    figures.add(asked.elapsed());
                    last.fetch_max(receipt.line(), Ordering::SeqCst);
                    n += 1;
                }
                figures
            })
        })
        .collect();
    let mut figures = Figures::default();
    for task in tasks {
        figures.merge(task.await.unwrap());
    }
    let rate = figures.len() as f64 / started.elapsed().as_secs_f64();
    let behind = Instant::now();
    instance
        .trace
        .checkpointed(last.load(Ordering::SeqCst))
        .await;
    println!(
        "trace lines alone, {writers} writers: {rate:.0}/s durable, {figures}; all under a signed checkpoint {:.2} s later",
        behind.elapsed().as_secs_f64()
    );
}

/// Both measurements; `demo` is the directory of a demo that has ended.
pub async fn measure(demo: &Path, port: u16, seconds: u64) {
    let instance = Arc::new(Instance::open(demo).await.unwrap());
    for writers in [1, 64, 256] {
        lines(&instance, writers, seconds.min(10)).await;
    }
    let router = Site::new(&instance).router();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port))
        .await
        .unwrap();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    let mut clerk = Client::enter(port, "clerk-1").await.unwrap();
    let (records, _) = find(&mut clerk).await;
    let town = demo.join("sample-town");
    let back = instance.clone();
    let started = Instant::now();
    let import = tokio::spawn(async move {
        let action = mimamori_residents::action::IMPORT;
        let permit = back.gate.job(action, None).await.unwrap();
        let progress = Progress::default();
        let order = Order::folder(&town);
        run(&permit, &*back.random, &order, &progress)
            .await
            .unwrap();
        started.elapsed()
    });
    let mut rounds = 0;
    while !import.is_finished() {
        open_loop(
            "record page during a second import",
            &clerk,
            &records,
            50,
            5,
        )
        .await;
        rounds += 1;
    }
    println!(
        "second import of the whole town: {:.1} s, {rounds} rounds of pages meanwhile",
        import.await.unwrap().as_secs_f64()
    );
}
