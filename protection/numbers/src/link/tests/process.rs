//! The other end as a program of its own, that is killed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mimamori_atena_simulator::{Addresses, Mode, World, people};

use super::super::{ActKind, Decision, DifferenceKind, LinkConfig, LinkState, differences};
use super::{CERTIFICATES, Office, https_config, person, simulator};

const PORT: &str = "MIMAMORI_TEST_ATENA";

/// Not a test: the program that the tests below start. It ends when its input ends.
#[test]
#[ignore = "started by other tests as a process"]
fn the_other_end() {
    let Ok(place) = std::env::var(PORT) else {
        return;
    };
    let (address, mode) = place.split_once('/').unwrap();
    let address: SocketAddr = address.parse().unwrap();
    let mode = mode.to_owned();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let world = std::sync::Arc::new(World::new(people(20, 1)));
        world.set_mode(Mode::from_name(&mode).unwrap());
        let addresses = Addresses {
            service: address,
            control: None,
        };
        let running = simulator(&world, addresses, Duration::from_secs(30)).await;
        println!("listening {}", running.addresses.service);
        std::io::stdout().flush().unwrap();
        let gone = tokio::task::spawn_blocking(|| std::io::stdin().lines().count());
        let _ = gone.await;
    });
}

struct Other(Child);

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the program; the certificates are those of this process, so it is told where they are.
fn start(address: SocketAddr, mode: &str) -> (Other, SocketAddr) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "link::tests::process::the_other_end",
            "--nocapture",
        ])
        .env(PORT, format!("{address}/{mode}"))
        .env(super::FOLDER, CERTIFICATES.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let other = Other(child);
    let told = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let (_, address) = line.split_once("listening ")?;
        address.trim().parse().ok()
    });
    std::thread::spawn(move || lines.count());
    (other, told.expect("it listens"))
}

#[tokio::test]
async fn the_other_end_is_killed_while_it_answers_and_loses_everything_and_all_comes_back() {
    let (other, address) = start(SocketAddr::from(([127, 0, 0, 1], 0)), "normal");
    let office = Office::new(|_| LinkConfig::Https(https_config(address))).await;
    for n in 0..5 {
        let (reference, number_of_person, number) = person(n);
        office
            .act(reference, &number_of_person, ActKind::Link, Some(&number))
            .await;
    }
    office.connector.pass().await.unwrap();
    assert_eq!(office.state(person(4).0).await, LinkState::Linked);
    drop(other);

    // Killed in the middle of an answer.
    let (slow, _) = start(address, "slow");
    let (reference, number_of_person, number) = person(6);
    office
        .act(reference, &number_of_person, ActKind::Link, Some(&number))
        .await;
    let connector = office.connector.clone();
    let pass = tokio::spawn(async move { connector.pass().await });
    tokio::time::sleep(Duration::from_millis(700)).await;
    drop(slow);
    pass.await.unwrap().unwrap();
    let waits = office.status(reference).await;
    assert_eq!(
        (waits.state, waits.code.as_deref()),
        (LinkState::Waiting, Some("connection"))
    );

    let (_again, _) = start(address, "normal");
    office.clock.pass(Duration::from_secs(800));
    office.passes(3).await;
    assert_eq!(office.state(reference).await, LinkState::Linked);
    // It forgot the first five: the comparison says so, and they are sent again.
    office.clock.pass(Duration::from_secs(60));
    assert_eq!(
        office.connector.reconcile().await.unwrap().unwrap().found,
        5
    );
    for one in differences(&office.db, false, 0).await.unwrap() {
        assert_eq!(one.kind, DifferenceKind::OnlyHere);
        let never = async |_, _| panic!("nothing to keep");
        office
            .connector
            .settle(one.id, &Decision::SendAgain, [1; 16], 5, never)
            .await
            .unwrap();
    }
    office.passes(3).await;
    office.clock.pass(Duration::from_secs(60));
    let last = office.connector.reconcile().await.unwrap().unwrap();
    assert_eq!((last.total, last.found), (6, 0));
}
