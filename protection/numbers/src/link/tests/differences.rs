//! The daily comparison, and what an officer decides.

use std::time::Duration;

use mimamori_atena_simulator::{Linked, Mode};

use super::super::{
    ActKind, Decision, DifferenceKind, LinkError, LinkState, calls, counts, differences, port::Held,
};
use super::{Town, person};

const WHO: [u8; 16] = [9; 16];

impl Town {
    async fn linked(people: u8) -> Self {
        let town = Self::new().await;
        for n in 0..people {
            let (reference, address, number) = person(n);
            town.office
                .act(reference, &address, ActKind::Link, Some(&number))
                .await;
        }
        town.office.connector.pass().await.unwrap();
        town.office.clock.pass(Duration::from_secs(60));
        town
    }

    async fn open(&self) -> Vec<(DifferenceKind, String)> {
        let open = differences(&self.office.db, false, 0).await.unwrap();
        open.into_iter().map(|d| (d.kind, d.address)).collect()
    }

    async fn settle(&self, kind: DifferenceKind, decision: &Decision) -> Result<(), LinkError> {
        let open = differences(&self.office.db, false, 0).await.unwrap();
        let one = open
            .iter()
            .find(|d| d.kind == kind)
            .expect("an open difference");
        let numbers = self.office.numbers.clone();
        let keep = async move |reference, held: Held| {
            let digits = String::from_utf8(held.number.digits().to_vec()).unwrap();
            numbers.lock().unwrap().insert(reference, digits);
            Ok(())
        };
        self.office
            .connector
            .settle(one.id, decision, WHO, 77, keep)
            .await
    }
}

/// Four persons: one only here, one with another number, one with another joint number, and a stranger only there.
async fn four() -> Town {
    let town = Town::linked(3).await;
    let there = town.world.linked();
    town.world.remove(&there[0].address_number);
    town.world.set(Linked {
        individual_number: person(5).2,
        ..there[1].clone()
    });
    town.world.set(Linked {
        integrated_number: "900000000000077".into(),
        ..there[2].clone()
    });
    let (_, address, number) = person(4);
    town.world.set(Linked {
        address_number: address,
        integrated_number: "900000000000088".into(),
        individual_number: number,
    });
    town
}

#[tokio::test]
async fn both_sides_are_compared_and_each_kind_of_difference_is_found_without_a_number() {
    let town = Town::linked(4).await;
    let done = town.office.connector.reconcile().await.unwrap().unwrap();
    assert_eq!((done.total, done.found), (4, 0));
    let town = four().await;
    let done = town.office.connector.reconcile().await.unwrap().unwrap();
    assert_eq!((done.total, done.found), (3, 4));
    let mut open = town.open().await;
    open.sort_by_key(|(_, address)| address.clone());
    let kinds: Vec<DifferenceKind> = open.iter().map(|(kind, _)| *kind).collect();
    use DifferenceKind::{OnlyHere, OnlyThere, OtherJoint, OtherNumber};
    assert_eq!(kinds, [OnlyHere, OtherNumber, OtherJoint, OnlyThere]);
    for n in 0..3 {
        assert_eq!(town.office.state(person(n).0).await, LinkState::Differs);
    }
    assert_eq!(counts(&town.office.db).await.unwrap().differences, 4);
    let told =
        serde_json::to_string(&differences(&town.office.db, false, 0).await.unwrap()).unwrap();
    for n in 0..6 {
        assert!(
            !told.contains(&person(n).2),
            "a number in the list of differences"
        );
    }
    // The next day finds the same four, not eight.
    town.office.clock.pass(Duration::from_secs(86_400));
    assert_eq!(
        town.office
            .connector
            .reconcile()
            .await
            .unwrap()
            .unwrap()
            .found,
        4
    );
    assert_eq!(town.open().await.len(), 4);
}

#[tokio::test]
async fn ours_is_kept_and_sent_again_until_both_sides_are_equal() {
    let town = four().await;
    town.office.connector.reconcile().await.unwrap();
    use DifferenceKind::{OnlyHere, OnlyThere, OtherNumber};
    for kind in [OnlyHere, OtherNumber, OnlyThere] {
        town.settle(kind, &Decision::SendAgain).await.unwrap();
    }
    town.office.passes(3).await;
    for n in 0..2 {
        let (reference, address, number) = person(n);
        assert_eq!(town.office.state(reference).await, LinkState::Linked);
        let there = town.world.linked();
        let there = there.iter().find(|l| l.address_number == address).unwrap();
        assert_eq!(there.individual_number, number);
    }
    assert!(
        town.world
            .linked()
            .iter()
            .all(|l| l.address_number != person(4).1),
        "the stranger's link ended"
    );
    let settled = differences(&town.office.db, true, 0).await.unwrap();
    assert_eq!(settled.len(), 3);
    assert!(
        settled
            .iter()
            .all(|d| d.decision.as_deref() == Some("send-again")
                && d.line == Some(77)
                && d.who == Some(hex::encode(WHO))
                && d.settled.is_some())
    );
    town.office.clock.pass(Duration::from_secs(60));
    assert_eq!(
        town.office
            .connector
            .reconcile()
            .await
            .unwrap()
            .unwrap()
            .found,
        1,
        "the joint number is left"
    );
}

#[tokio::test]
async fn theirs_is_taken_where_that_can_be_and_refused_where_it_cannot() {
    let town = four().await;
    town.office.connector.reconcile().await.unwrap();
    use DifferenceKind::{OnlyHere, OnlyThere, OtherJoint, OtherNumber};
    for kind in [OnlyHere, OnlyThere] {
        let told = town.settle(kind, &Decision::TakeTheirs).await;
        assert!(matches!(told, Err(LinkError::NotOffered)), "{kind:?}");
    }
    town.settle(OtherJoint, &Decision::TakeTheirs)
        .await
        .unwrap();
    assert_eq!(
        town.office.status(person(2).0).await.joint.as_deref(),
        Some("900000000000077")
    );
    town.world.set_mode(Mode::WrongPerson);
    assert!(
        town.settle(OtherNumber, &Decision::TakeTheirs)
            .await
            .is_err(),
        "another person's number is not taken"
    );
    assert_eq!(
        town.office.numbers.lock().unwrap()[&person(1).0],
        person(1).2
    );
    town.world.set_mode(Mode::Normal);
    town.settle(OtherNumber, &Decision::TakeTheirs)
        .await
        .unwrap();
    assert_eq!(
        town.office.numbers.lock().unwrap()[&person(1).0],
        person(5).2
    );
    assert_eq!(town.office.state(person(1).0).await, LinkState::Linked);
    town.office.clock.pass(Duration::from_secs(60));
    assert_eq!(
        town.office
            .connector
            .reconcile()
            .await
            .unwrap()
            .unwrap()
            .found,
        2
    );
}

#[tokio::test]
async fn what_is_set_aside_has_a_reason_and_comes_back_only_when_it_changes() {
    let town = four().await;
    town.office.connector.reconcile().await.unwrap();
    let kind = DifferenceKind::OtherJoint;
    for reason in ["", "  ", &"あ".repeat(201)] {
        let told = town.settle(kind, &Decision::SetAside(reason.into())).await;
        assert!(matches!(told, Err(LinkError::Reason)));
    }
    let id = differences(&town.office.db, false, 0)
        .await
        .unwrap()
        .iter()
        .find(|d| d.kind == kind)
        .unwrap()
        .id;
    town.settle(kind, &Decision::SetAside("名寄せの途中".into()))
        .await
        .unwrap();
    assert_eq!(town.office.state(person(2).0).await, LinkState::Linked);
    let never = async |_, _| panic!("nothing to keep");
    let again = town
        .office
        .connector
        .settle(id, &Decision::SendAgain, WHO, 78, never)
        .await;
    assert!(matches!(again, Err(LinkError::Settled)));
    town.office.clock.pass(Duration::from_secs(86_400));
    town.office.connector.reconcile().await.unwrap();
    assert!(town.open().await.iter().all(|(found, _)| *found != kind));
    let there = town
        .world
        .linked()
        .into_iter()
        .find(|l| l.address_number == person(2).1)
        .unwrap();
    town.world.set(Linked {
        integrated_number: "900000000000099".into(),
        ..there
    });
    town.office.clock.pass(Duration::from_secs(86_400));
    town.office.connector.reconcile().await.unwrap();
    assert!(
        town.open().await.iter().any(|(found, _)| *found == kind),
        "it is another difference now"
    );
}

#[tokio::test]
async fn a_difference_that_is_gone_the_next_day_is_over_by_itself() {
    let town = four().await;
    let before = town.world.linked();
    town.office.connector.reconcile().await.unwrap();
    town.world.remove(&person(4).1);
    let (_, address, number) = person(0);
    let joint = town.office.status(person(0).0).await.joint.unwrap();
    town.world.set(Linked {
        address_number: address,
        integrated_number: joint,
        individual_number: number,
    });
    town.office.clock.pass(Duration::from_secs(86_400));
    assert_eq!(
        town.office
            .connector
            .reconcile()
            .await
            .unwrap()
            .unwrap()
            .found,
        2
    );
    assert_eq!(town.office.state(person(0).0).await, LinkState::Linked);
    let settled = differences(&town.office.db, true, 0).await.unwrap();
    assert!(
        settled
            .iter()
            .all(|d| d.decision.as_deref() == Some("vanished") && d.who.is_none())
    );
    assert_eq!((settled.len(), before.len()), (2, 3));
}

#[tokio::test]
async fn a_joint_number_of_somebody_else_is_a_difference_and_may_be_taken_by_hand() {
    let town = Town::new().await;
    let (first, first_address, number) = person(0);
    let (second, second_address, _) = person(1);
    town.office
        .act(first, &first_address, ActKind::Link, Some(&number))
        .await;
    town.office.connector.pass().await.unwrap();
    town.office
        .act(second, &second_address, ActKind::Link, Some(&number))
        .await;
    town.office.connector.pass().await.unwrap();
    let status = town.office.status(second).await;
    assert_eq!((status.state, status.joint), (LinkState::Differs, None));
    assert_eq!(
        town.open().await,
        [(DifferenceKind::SharedJoint, second_address)]
    );
    town.settle(DifferenceKind::SharedJoint, &Decision::TakeTheirs)
        .await
        .unwrap();
    let joint = town.office.status(first).await.joint;
    assert_eq!(town.office.status(second).await.joint, joint);
}

#[tokio::test]
async fn persons_with_an_act_under_way_are_left_out_and_a_broken_list_compares_nothing() {
    let town = Town::linked(2).await;
    let (reference, address, _) = person(0);
    town.office
        .act(reference, &address, ActKind::Correct, Some(&person(5).2))
        .await;
    assert_eq!(
        town.office
            .connector
            .reconcile()
            .await
            .unwrap()
            .unwrap()
            .found,
        0
    );
    town.world.set_mode(Mode::Errors);
    for _ in 0..5 {
        assert!(town.office.connector.reconcile().await.is_err());
        town.office.clock.pass(Duration::from_secs(1));
    }
    assert!(town.open().await.is_empty());
    let compared = counts(&town.office.db).await.unwrap().compared.unwrap();
    assert_ne!(compared.1, "ok");
    assert!(
        calls(&town.office.db, None, 100)
            .await
            .unwrap()
            .iter()
            .any(|l| l.what == "list" && l.code == "shape")
    );
}
