//! HTTPS: every way in which the other end behaves.

use std::collections::BTreeMap;
use std::time::Duration;

use mimamori_atena_simulator::{Kind, Mode};

use super::super::{ActKind, LinkState, calls, counts, differences};
use super::{NOW, Town, both, person};

#[tokio::test]
async fn a_person_is_linked_corrected_and_released_in_order_and_no_number_is_kept() {
    let town = Town::new().await;
    let (reference, address, number) = person(0);
    let (_, _, other) = person(1);
    town.office
        .act(reference, &address, ActKind::Link, Some(&number))
        .await;
    let waits = town.office.status(reference).await;
    assert_eq!((waits.state, waits.since), (LinkState::Waiting, NOW.0));
    town.office.clock.pass(Duration::from_secs(60));
    town.office.connector.pass().await.unwrap();
    let linked = town.office.status(reference).await;
    assert_eq!(
        (linked.state, linked.since),
        (LinkState::Linked, NOW.0 + 60_000_000)
    );
    assert_eq!(
        linked.joint,
        Some(town.world.linked()[0].integrated_number.clone())
    );
    assert_eq!(town.world.linked()[0].individual_number, number);

    town.office
        .act(reference, &address, ActKind::Correct, Some(&other))
        .await;
    town.office.connector.pass().await.unwrap();
    let corrected = town.office.status(reference).await;
    assert_eq!(corrected.state, LinkState::Linked);
    assert_ne!(
        corrected.joint, linked.joint,
        "another number is another person there"
    );
    assert_eq!(town.world.linked()[0].individual_number, other);

    town.office
        .act(reference, &address, ActKind::Delete, None)
        .await;
    town.office.connector.pass().await.unwrap();
    let released = town.office.status(reference).await;
    assert_eq!(
        (released.state, released.joint),
        (LinkState::Released, None)
    );
    assert!(town.world.linked().is_empty());
    let kinds: Vec<Kind> = town.world.applied().iter().map(|a| a.kind).collect();
    assert_eq!(kinds, [Kind::Link, Kind::Correct, Kind::Delete]);

    let lines = calls(&town.office.db, None, 10).await.unwrap();
    let told: Vec<(&str, &str)> = lines
        .iter()
        .map(|l| (l.what.as_str(), l.code.as_str()))
        .collect();
    assert_eq!(told, [("delete", "ok"), ("correct", "ok"), ("link", "ok")]);
    assert!(lines.iter().all(|l| l.sent > 30 && l.received > 60));
    for entry in std::fs::read_dir(town.office.dir.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for number in [&number, &other] {
            assert!(
                !bytes.windows(12).any(|w| w == number.as_bytes()),
                "a number in the database"
            );
        }
    }
}

#[tokio::test]
async fn when_nobody_is_there_everything_waits_and_goes_on_by_itself_in_order() {
    let town = Town::new().await;
    town.world.set_mode(Mode::Down);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (reference, address, number) = person(0);
    let (second, second_address, other) = person(1);
    town.office
        .act(reference, &address, ActKind::Link, Some(&number))
        .await;
    town.office
        .act(second, &second_address, ActKind::Link, Some(&other))
        .await;
    town.office.connector.pass().await.unwrap();
    let (_, _, third) = person(2);
    town.office
        .act(reference, &address, ActKind::Correct, Some(&third))
        .await;
    town.office.connector.pass().await.unwrap();
    let waits = town.office.status(reference).await;
    assert_eq!((waits.state, waits.since), (LinkState::Waiting, NOW.0));
    assert_eq!(
        (waits.code.as_deref(), waits.attempts),
        (Some("connection"), 1)
    );
    let counted = counts(&town.office.db).await.unwrap();
    assert_eq!((counted.waiting, counted.oldest), (2, Some(NOW.0)));
    assert_eq!(counted.last, Some((NOW.0, "connection".to_owned())));
    let tried = calls(&town.office.db, None, 100).await.unwrap().len();
    town.office.connector.pass().await.unwrap();
    assert_eq!(
        calls(&town.office.db, None, 100).await.unwrap().len(),
        tried,
        "it pauses"
    );

    town.world.set_mode(Mode::Normal);
    tokio::time::sleep(Duration::from_millis(100)).await;
    town.office.passes(4).await;
    assert_eq!(town.office.state(reference).await, LinkState::Linked);
    assert_eq!(town.office.state(second).await, LinkState::Linked);
    let addresses = BTreeMap::from([(reference, address.clone()), (second, second_address)]);
    let [ours, theirs] = both(&town.office, &town.world, &addresses);
    assert_eq!(ours, theirs);
    let of_first: Vec<Kind> = town
        .world
        .applied()
        .into_iter()
        .filter(|a| a.address_number == address)
        .map(|a| a.kind)
        .collect();
    assert_eq!(of_first, [Kind::Link, Kind::Correct]);
}

#[tokio::test]
async fn a_sender_that_stops_between_telling_and_storing_tells_once() {
    let mut town = Town::new().await;
    town.world.set_mode(Mode::Slow);
    let (reference, address, number) = person(0);
    town.office
        .act(reference, &address, ActKind::Link, Some(&number))
        .await;
    let connector = town.office.connector.clone();
    let cut = tokio::time::timeout(town.late / 4, connector.pass()).await;
    assert!(
        cut.is_err() && town.world.applied().len() == 1,
        "told there, not stored here"
    );
    assert_eq!(town.office.state(reference).await, LinkState::Waiting);
    town.world.set_mode(Mode::Normal);
    town.office.restart();
    town.office.connector.pass().await.unwrap();
    assert_eq!(town.office.state(reference).await, LinkState::Linked);
    assert_eq!(town.world.applied().len(), 1);
}

#[tokio::test]
async fn a_number_that_changes_between_two_attempts_ends_as_what_it_is_now() {
    let mut town = Town::new().await;
    town.world.set_mode(Mode::Slow);
    let (reference, address, number) = person(0);
    let (_, _, other) = person(1);
    town.office
        .act(reference, &address, ActKind::Link, Some(&number))
        .await;
    let connector = town.office.connector.clone();
    assert!(
        tokio::time::timeout(town.late / 4, connector.pass())
            .await
            .is_err()
    );
    town.office
        .act(reference, &address, ActKind::Correct, Some(&other))
        .await;
    town.world.set_mode(Mode::Normal);
    town.office.restart();
    town.office.passes(4).await;
    assert_eq!(town.office.state(reference).await, LinkState::Linked);
    assert_eq!(town.world.linked()[0].individual_number, other);
    assert_eq!(town.world.applied().len(), 2);
}

#[tokio::test]
async fn slow_answers_within_the_time_are_taken_and_later_ones_are_not_waited_for() {
    let town = Town::new().await;
    town.world.set_mode(Mode::Slow);
    let (reference, address, number) = person(0);
    town.office
        .act(reference, &address, ActKind::Link, Some(&number))
        .await;
    town.office.connector.pass().await.unwrap();
    assert_eq!(town.office.state(reference).await, LinkState::Linked);
    let hasty = super::HttpsConfig {
        total_seconds: 1,
        ..super::https_config(town.simulator.addresses.service)
    };
    let office = super::Office::new(|_| super::LinkConfig::Https(hasty)).await;
    office
        .act(reference, &address, ActKind::Link, Some(&number))
        .await;
    office.connector.pass().await.unwrap();
    let waits = office.status(reference).await;
    assert_eq!(
        (waits.state, waits.code.as_deref()),
        (LinkState::Waiting, Some("timeout"))
    );
}

#[tokio::test]
async fn requests_that_arrive_twice_and_answers_of_another_act_have_one_effect_for_the_right_person()
 {
    for mode in [Mode::Duplicate, Mode::OutOfOrder] {
        let town = Town::new().await;
        town.world.set_mode(mode);
        let mut addresses = BTreeMap::new();
        for n in 0..6 {
            let (reference, address, number) = person(n);
            town.office
                .act(reference, &address, ActKind::Link, Some(&number))
                .await;
            addresses.insert(reference, address);
        }
        town.office.passes(20).await;
        town.world.set_mode(Mode::Normal);
        town.office.passes(20).await;
        let [ours, theirs] = both(&town.office, &town.world, &addresses);
        assert_eq!(ours, theirs, "{mode:?}");
        assert_eq!(town.world.applied().len(), 6, "{mode:?}");
        for (linked, reference) in town.world.linked().iter().zip(addresses.keys()) {
            let status = town.office.status(*reference).await;
            assert_eq!(
                (status.state, status.joint.as_ref()),
                (LinkState::Linked, Some(&linked.integrated_number))
            );
        }
        if mode == Mode::OutOfOrder {
            let lines = calls(&town.office.db, None, 1_000).await.unwrap();
            assert!(
                lines.iter().any(|l| l.code == "ok") && lines.len() > 6,
                "answers were out of order"
            );
        }
    }
}

#[tokio::test]
async fn an_answer_about_another_person_is_never_taken() {
    let town = Town::new().await;
    town.world.set_mode(Mode::WrongPerson);
    let (reference, address, number) = person(0);
    town.office
        .act(reference, &address, ActKind::Link, Some(&number))
        .await;
    town.office.connector.pass().await.unwrap();
    let status = town.office.status(reference).await;
    assert_eq!(
        (status.state, status.joint, status.code.as_deref()),
        (LinkState::Differs, None, Some("other-person"))
    );
    let open = differences(&town.office.db, false, 0).await.unwrap();
    assert_eq!(
        (open.len(), open[0].address.as_str()),
        (1, address.as_str())
    );
    assert_eq!(counts(&town.office.db).await.unwrap().differences, 1);
}

#[tokio::test]
async fn errors_of_every_kind_leave_the_act_waiting_with_their_word() {
    let town = Town::new().await;
    town.world.set_mode(Mode::Errors);
    let (reference, address, number) = person(0);
    town.office
        .act(reference, &address, ActKind::Link, Some(&number))
        .await;
    let mut codes = std::collections::BTreeSet::new();
    for _ in 0..5 {
        town.office.connector.pass().await.unwrap();
        let status = town.office.status(reference).await;
        assert_eq!(status.state, LinkState::Waiting);
        codes.extend(status.code);
        town.office.clock.pass(Duration::from_secs(800));
    }
    let all: Vec<&str> = codes.iter().map(String::as_str).collect();
    assert_eq!(all, ["busy", "server", "shape", "status", "too-long"]);
    town.world.set_mode(Mode::Normal);
    town.office.passes(2).await;
    assert_eq!(town.office.state(reference).await, LinkState::Linked);
    assert_eq!(town.world.applied().len(), 1);
}

#[tokio::test]
async fn what_the_other_end_refuses_is_told_and_a_correction_may_follow() {
    let town = Town::new().await;
    let (reference, address, number) = person(0);
    town.office
        .act(reference, &address, ActKind::Correct, Some(&number))
        .await;
    town.office.connector.pass().await.unwrap();
    let refused = town.office.status(reference).await;
    assert_eq!(
        (refused.state, refused.code.as_deref()),
        (LinkState::Refused, Some("not-linked"))
    );
    town.office
        .act(reference, &address, ActKind::Link, Some(&number))
        .await;
    town.office.connector.pass().await.unwrap();
    assert_eq!(town.office.state(reference).await, LinkState::Linked);
}

#[tokio::test]
async fn an_inquiry_tells_what_is_held_and_nothing_about_anybody_else() {
    let town = Town::new().await;
    let (_, address, number) = person(3);
    let held = town
        .office
        .connector
        .inquire(&address)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(held.number.digits().as_slice(), number.as_bytes());
    assert!(
        town.office
            .connector
            .inquire("000000000099999")
            .await
            .unwrap()
            .is_none()
    );
    assert!(town.office.connector.inquire("1' OR").await.is_err());
    town.world.set_mode(Mode::WrongPerson);
    assert!(town.office.connector.inquire(&address).await.is_err());
    town.world.set_mode(Mode::Down);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(town.office.connector.inquire(&address).await.is_err());
    let lines = calls(&town.office.db, None, 100).await.unwrap();
    assert!(lines.iter().all(|l| l.what == "inquire"));
    assert_eq!(
        lines.iter().filter(|l| l.code == "connection").count(),
        3,
        "asked three times"
    );
}

#[tokio::test]
async fn the_loop_tells_when_it_is_nudged_and_compares_once_a_day() {
    let town = Town::new().await;
    let connector = town.office.connector.clone();
    let running = tokio::spawn(async move { connector.run().await });
    let compared = async |times: i64| {
        for _ in 0..300 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let sql = "SELECT COUNT(*) FROM numbers_reconciliation";
            let rows = town.office.db.fetch(sql, vec![]).await.unwrap();
            if rows[0].int(0).unwrap() >= times {
                return;
            }
            town.office.connector.nudge();
        }
        panic!("not compared {times} times");
    };
    compared(1).await;
    let (reference, address, number) = person(0);
    town.office
        .act(reference, &address, ActKind::Link, Some(&number))
        .await;
    town.office.connector.nudge();
    for _ in 0..300 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        if town.office.state(reference).await == LinkState::Linked {
            break;
        }
    }
    assert_eq!(town.office.state(reference).await, LinkState::Linked);
    let lists = async || {
        calls(&town.office.db, None, 100)
            .await
            .unwrap()
            .iter()
            .filter(|l| l.what == "list")
            .count()
    };
    assert_eq!(lists().await, 1, "once a day");
    town.office.clock.pass(Duration::from_secs(86_400));
    compared(2).await;
    assert_eq!(lists().await, 2);
    running.abort();
}
