//! The whole room with its connector: vault, outbox, other end.

use std::sync::Arc;
use std::time::Duration;

use mimamori_atena_simulator::{Addresses, Linked, World, people};
use mimamori_kernel::clock::SystemClock;
use mimamori_kernel::id::{NumberRef, UserId};
use mimamori_kernel::random::SystemRandom;

use super::super::{Decision, DifferenceKind, LinkAsk, LinkConfig, LinkState, LinkTold};
use super::{https_config, person, simulator};
use crate::port::{Call, Kind, Obtained, Order, Reply};
use crate::{Kek, KekSource, Limits, Room, Window};

async fn room(dir: &std::path::Path) -> Room {
    let key = dir.join("keys/kek.key");
    Kek::create(&key, &SystemRandom).unwrap();
    let window = Window {
        port: 1,
        cookie: "c".into(),
        parents: vec![],
        tls: true,
        seconds: 30,
        proxies: vec![],
    };
    let (clock, random) = (Arc::new(SystemClock::new()), Arc::new(SystemRandom));
    let file = dir.join("numbers.db");
    Room::open(
        &file,
        &KekSource::File(key),
        window,
        Limits::default(),
        clock,
        random,
    )
    .await
    .unwrap()
}

async fn ask(room: &Room, ask: LinkAsk) -> LinkTold {
    match room.call(Call::Link(ask)).await.unwrap() {
        Reply::Link(told) => told,
        other => panic!("{other:?}"),
    }
}

fn order(kind: Kind, reference: NumberRef, address: &str) -> Order {
    Order {
        kind,
        reference: Some(reference),
        user: UserId::from_bytes([3; 16]),
        session: String::new(),
        line: 5,
        obtained: Obtained::default(),
        address_number: address.to_owned(),
    }
}

async fn state(room: &Room, reference: NumberRef, wanted: LinkState) {
    for _ in 0..200 {
        if let LinkTold::Status(Some(status)) =
            ask(room, LinkAsk::Status(reference.to_string())).await
            && status.state == wanted
        {
            return;
        }
        room.0.connector.get().unwrap().nudge();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never {wanted:?}");
}

#[tokio::test]
async fn a_number_is_fetched_linked_compared_taken_and_released_and_nobody_sees_it() {
    let dir = tempfile::tempdir().unwrap();
    let world = Arc::new(World::new(people(20, 1)));
    let simulator = simulator(&world, Addresses::anywhere(), Duration::ZERO).await;
    let room = room(dir.path()).await;
    let (reference, address, number) = person(0);
    let fetch = LinkAsk::Fetch(order(Kind::Register, reference, &address));
    assert!(
        matches!(ask(&room, fetch.clone()).await, LinkTold::Failed { code, .. } if code == "LINK-CONFIG")
    );
    let config = LinkConfig::Https(https_config(simulator.addresses.service));
    room.connect(&config, dir.path()).unwrap();
    room.connect(&config, dir.path()).unwrap();

    let unknown = LinkAsk::Fetch(order(Kind::Register, reference, "000000000099999"));
    assert!(matches!(ask(&room, unknown).await, LinkTold::Fetched(told) if told == "unknown"));
    let told = ask(&room, fetch).await;
    assert!(matches!(&told, LinkTold::Fetched(told) if told == "done"));
    assert!(!serde_json::to_string(&told).unwrap().contains(&number));
    let held = room.0.vault.reveal(&reference).await.unwrap().unwrap();
    assert_eq!(held.digits().as_slice(), number.as_bytes());
    state(&room, reference, LinkState::Linked).await;
    assert_eq!(world.linked()[0].individual_number, number);

    // They get another number; theirs is taken by hand.
    let theirs = Linked {
        individual_number: person(7).2,
        ..world.linked().remove(0)
    };
    world.set(theirs);
    tokio::time::sleep(Duration::from_millis(5)).await;
    room.0.connector.get().unwrap().reconcile().await.unwrap();
    let LinkTold::Differences(open) = ask(
        &room,
        LinkAsk::Differences {
            settled: false,
            after: 0,
        },
    )
    .await
    else {
        panic!("no list")
    };
    assert_eq!((open.len(), open[0].kind), (1, DifferenceKind::OtherNumber));
    let settle = LinkAsk::Settle {
        id: open[0].id,
        decision: Decision::TakeTheirs,
        user: [3; 16],
        line: 9,
        day: "2026-11-22".into(),
    };
    assert!(matches!(ask(&room, settle.clone()).await, LinkTold::Done));
    assert!(
        matches!(ask(&room, settle).await, LinkTold::Failed { code, .. } if code == "LINK-SETTLED")
    );
    let held = room.0.vault.reveal(&reference).await.unwrap().unwrap();
    assert_eq!(held.digits().as_slice(), person(7).2.as_bytes());
    state(&room, reference, LinkState::Linked).await;

    let deleted = room
        .call(Call::Delete(reference.to_string(), 11))
        .await
        .unwrap();
    assert!(matches!(deleted, Reply::Done));
    state(&room, reference, LinkState::Released).await;
    assert!(world.linked().is_empty());
    let LinkTold::Counts { counts, connected } = ask(&room, LinkAsk::Counts).await else {
        panic!("no counts")
    };
    assert!(connected && counts.waiting == 0 && counts.differences == 0);
    let LinkTold::Calls(lines) = ask(
        &room,
        LinkAsk::Calls {
            before: None,
            limit: 50,
        },
    )
    .await
    else {
        panic!("no log")
    };
    assert!(lines.iter().any(|l| l.what == "inquire") && lines.iter().any(|l| l.what == "delete"));
}
