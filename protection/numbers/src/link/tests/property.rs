//! Whatever happens in between: both sides end equal, each act applied once and in order.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Duration;

use mimamori_atena_simulator::{Kind, Mode, people};
use mimamori_kernel::id::NumberRef;
use proptest::prelude::*;

use super::super::{ActKind, LinkState, counts, differences};
use super::{Office, Post, Town, both};

const PERSONS: u8 = 4;

/// Enough numbers for each act to have one of its own, made once.
static NUMBERS: LazyLock<Vec<String>> = LazyLock::new(|| {
    people(400, 3)
        .into_iter()
        .map(|p| p.individual_number)
        .collect()
});

#[derive(Debug, Clone)]
enum Step {
    /// The person registers, corrects or deletes, whichever is possible.
    Act(u8, bool),
    /// The other end behaves so from now on.
    Mode(Mode),
    /// A pass that is cut after so many turns.
    Cut(u16),
    Pass,
    Restart,
    /// Files only: the other end works.
    Answer,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let mode = prop_oneof![
        Just(Mode::Normal),
        Just(Mode::Down),
        Just(Mode::Duplicate),
        Just(Mode::OutOfOrder),
        Just(Mode::Errors),
    ];
    let step = prop_oneof![
        5 => (0..PERSONS, any::<bool>()).prop_map(|(n, delete)| Step::Act(n, delete)),
        2 => mode.prop_map(Step::Mode),
        2 => (1u16..60).prop_map(Step::Cut),
        2 => Just(Step::Pass),
        1 => Just(Step::Restart),
        3 => Just(Step::Answer),
    ];
    proptest::collection::vec(step, 1..24)
}

/// A future that is dropped after so many polls.
struct Cut<F>(Pin<Box<F>>, u16);

impl<F: Future> Future for Cut<F> {
    type Output = Option<F::Output>;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.1 == 0 {
            return Poll::Ready(None);
        }
        self.1 -= 1;
        match self.0.as_mut().poll(context) {
            Poll::Ready(out) => Poll::Ready(Some(out)),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// What each person did: the acts in order.
#[derive(Default)]
struct Told {
    acts: BTreeMap<NumberRef, Vec<ActKind>>,
    next: usize,
}

fn who(n: u8) -> (NumberRef, String) {
    (NumberRef::from_bytes([n + 1; 16]), format!("{:015}", n + 1))
}

impl Told {
    async fn act(&mut self, office: &Office, n: u8, delete: bool) {
        let (reference, address) = who(n);
        let there = office.numbers.lock().unwrap().contains_key(&reference);
        let kind = match (there, delete) {
            (false, _) => ActKind::Link,
            (true, false) => ActKind::Correct,
            (true, true) => ActKind::Delete,
        };
        self.next += 1;
        let number = (kind != ActKind::Delete).then(|| NUMBERS[self.next % NUMBERS.len()].as_str());
        office.act(reference, &address, kind, number).await;
        self.acts.entry(reference).or_default().push(kind);
    }

    /// Both sides are equal, and what the other end did is in the order of what was asked, each key once.
    async fn judge(&self, office: &Office, world: &mimamori_atena_simulator::World) {
        let counted = counts(&office.db).await.unwrap();
        assert_eq!(
            (counted.waiting, counted.oldest),
            (0, None),
            "something waits"
        );
        assert!(
            differences(&office.db, false, 0).await.unwrap().is_empty(),
            "differences"
        );
        let addresses = (0..PERSONS).map(who).collect();
        let [ours, theirs] = both(office, world, &addresses);
        assert_eq!(ours, theirs);
        let sql = "SELECT key, kind, address, result FROM numbers_outbox ORDER BY act";
        let mut expected: BTreeMap<String, Vec<(String, Kind)>> = BTreeMap::new();
        for row in office.db.fetch(sql, vec![]).await.unwrap() {
            let kind = match row.text(1).unwrap() {
                "link" => Kind::Link,
                "correct" => Kind::Correct,
                _ => Kind::Delete,
            };
            let applied = world
                .applied()
                .iter()
                .filter(|a| a.key == row.text(0).unwrap())
                .count();
            match row.text(3).unwrap() {
                "told" => assert_eq!(applied, 1),
                // A later act made it needless; it may have arrived all the same.
                "overtaken" => assert!(applied <= 1),
                // A correction of what never arrived, because its number was gone before.
                "not-linked" => assert_eq!(applied, 0),
                other => panic!("{other}"),
            }
            if applied == 1 {
                let key = (row.text(0).unwrap().to_owned(), kind);
                expected
                    .entry(row.text(2).unwrap().to_owned())
                    .or_default()
                    .push(key);
            }
        }
        let mut found: BTreeMap<String, Vec<(String, Kind)>> = BTreeMap::new();
        for applied in world.applied() {
            found
                .entry(applied.address_number)
                .or_default()
                .push((applied.key, applied.kind));
        }
        assert_eq!(found, expected, "order");
        for reference in self.acts.keys() {
            let there = office.numbers.lock().unwrap().contains_key(reference);
            let state = office.state(*reference).await;
            assert_eq!(
                state,
                if there {
                    LinkState::Linked
                } else {
                    LinkState::Released
                }
            );
        }
    }
}

async fn over_https(steps: Vec<Step>) {
    let mut town = Town::new().await;
    let mut told = Told::default();
    for step in steps {
        match step {
            Step::Act(n, delete) => told.act(&town.office, n, delete).await,
            Step::Mode(mode) => town.world.set_mode(mode),
            Step::Cut(polls) => {
                let connector = town.office.connector.clone();
                let _ = Cut(Box::pin(connector.pass()), polls).await;
            }
            Step::Pass | Step::Answer => town.office.connector.pass().await.unwrap(),
            Step::Restart => town.office.restart(),
        }
        town.office.clock.pass(Duration::from_secs(200));
    }
    town.world.set_mode(Mode::Normal);
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        town.office.passes(1).await;
        if counts(&town.office.db).await.unwrap().oldest.is_none() {
            break;
        }
    }
    told.judge(&town.office, &town.world).await;
}

async fn over_files(steps: Vec<Step>) {
    let mut post = Post::new().await;
    let mut told = Told::default();
    for step in steps {
        match step {
            Step::Act(n, delete) => told.act(&post.office, n, delete).await,
            Step::Mode(mode) => post.world.set_mode(mode),
            Step::Cut(polls) => {
                let connector = post.office.connector.clone();
                let _ = Cut(Box::pin(connector.pass()), polls).await;
            }
            Step::Pass => post.office.connector.pass().await.unwrap(),
            Step::Answer => post.folder.step(&post.world).unwrap(),
            Step::Restart => post.office.restart(),
        }
        post.office.clock.pass(Duration::from_secs(200));
    }
    post.world.set_mode(Mode::Normal);
    for _ in 0..100 {
        post.round().await;
        if counts(&post.office.db).await.unwrap().oldest.is_none() {
            break;
        }
    }
    told.judge(&post.office, &post.world).await;
}

/// Cases: few by default, many with `MIMAMORI_FULL`.
fn cases() -> ProptestConfig {
    let full = std::env::var("MIMAMORI_FULL").is_ok();
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(if full { 1_000 } else { 40 })
    }
}

fn run(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work);
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_course_over_https_ends_with_both_sides_equal(steps in steps()) {
        run(over_https(steps));
    }

    #[test]
    fn any_course_over_files_ends_with_both_sides_equal(steps in steps()) {
        run(over_files(steps));
    }
}

#[test]
fn a_cut_pass_does_less_than_a_whole_one() {
    run(async {
        let town = Town::new().await;
        let mut told = Told::default();
        told.act(&town.office, 0, false).await;
        let connector: Arc<_> = town.office.connector.clone();
        assert!(Cut(Box::pin(connector.pass()), 1).await.is_none());
        assert!(town.world.applied().is_empty());
        connector.pass().await.unwrap();
        assert_eq!(town.world.applied().len(), 1);
    });
}
