//! The derivation over a register, on both engines.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::sync::Arc;

use mimamori_care_insurance::eligibility::{Codes, Derivation, Method, Numbering, run};
use mimamori_care_insurance::{MIGRATIONS, ROOM, action};
use mimamori_encryption::{NoteSigner, Secret};
use mimamori_gate::Gate;
use mimamori_kernel::clock::{Clock, Instant, SystemClock};
use mimamori_kernel::random::SystemRandom;
use mimamori_residents::import;
use mimamori_storage::{Db, Location, Statement, migrate, testing};
use mimamori_testkit::{TownArgs, write_town};
use mimamori_trace::Trace;

struct Place {
    db: Db,
    gate: Gate,
    trace: Trace,
    today: Instant,
}

/// A register of `people`, loaded as any town would be.
async fn place(location: Location, dir: &Path, people: u32) -> Place {
    let db = Db::open(location, 4).await.unwrap();
    let steps = [
        mimamori_identity::MIGRATIONS,
        mimamori_gate::MIGRATIONS,
        mimamori_trace::MIGRATIONS,
        mimamori_residents::MIGRATIONS,
        MIGRATIONS,
    ];
    migrate(&db, &steps.concat()).await.unwrap();
    let secret = |n| Secret::from_bytes([n; 32]);
    let signer = NoteSigner::new("test.example/trace", &secret(1));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let trace = Trace::start(
        db.clone(),
        dir.join("trace"),
        clock.clone(),
        Arc::new(SystemRandom),
        signer,
        secret(2),
        secret(3),
    )
    .await
    .unwrap();
    let gate = Gate::new(db.clone(), trace.clone(), &[mimamori_residents::ROOM, ROOM]).unwrap();
    let files = dir.join("town");
    let args = TownArgs {
        people,
        as_of: clock.now().office_day(),
        ..TownArgs::default()
    };
    write_town(&args, &files).unwrap();
    let permit = gate
        .job(mimamori_residents::action::IMPORT, None)
        .await
        .unwrap();
    import::run(
        &permit,
        &SystemRandom,
        &import::Order::folder(&files),
        &import::Progress::default(),
    )
    .await
    .unwrap();
    Place {
        db,
        gate,
        trace,
        today: clock.now(),
    }
}

async fn each(test: impl AsyncFn(Place)) {
    let root = tempfile::tempdir().unwrap();
    let all = testing::locations(root.path(), &SystemRandom)
        .await
        .unwrap();
    for (n, location) in all.into_iter().enumerate() {
        let dir = root.path().join(n.to_string());
        std::fs::create_dir_all(&dir).unwrap();
        test(place(location, &dir, 2500).await).await;
    }
}

impl Place {
    async fn derive(&self) -> Derivation {
        let permit = self.gate.job(action::DERIVE, None).await.unwrap();
        let numbering = Numbering {
            method: Method::RunningMod10,
            first: 1,
        };
        let codes = Codes::built_in().unwrap();
        run(&permit, &codes, &numbering, self.today).await.unwrap()
    }

    async fn count(&self, sql: &str) -> i64 {
        let rows = self.db.fetch(sql, vec![]).await.unwrap();
        rows[0].int(0).unwrap()
    }

    async fn write(&self, sql: &str) {
        self.trace
            .upkeep(vec![Statement::new(sql, vec![])], false)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn every_insured_person_of_the_register_gets_a_qualification_and_nobody_twice() {
    each(async |place| {
        let done = place.derive().await;
        assert!(done.persons > 1900, "{done:?}");
        assert_eq!((done.persons, done.doubled), (done.changed, 0));
        // A few people of the sample town have a partly unknown birth date.
        assert!(done.questions < 20, "{done:?}");
        // The register calls insured whoever is 65 and over; most of them hold today.
        let insured = place
            .count("SELECT COUNT(*) FROM residents_person WHERE insured = 1 AND status = 1")
            .await;
        let holding = place
            .count("SELECT COUNT(*) FROM care_insurance_person WHERE category = 1")
            .await;
        let asked = i64::try_from(done.questions).unwrap();
        assert!(holding <= insured && holding + asked >= insured, "{holding} of {insured}");
        let dead = "SELECT COUNT(*) FROM care_insurance_person c JOIN residents_person r ON r.person = c.person \
                    WHERE r.status <> 1 AND c.category <> 0";
        assert_eq!(place.count(dead).await, 0);
        let open = "SELECT COUNT(*) FROM (SELECT person FROM care_insurance_qualification WHERE cancelled = 0 AND until_day = '' \
                    GROUP BY person HAVING COUNT(*) > 1) AS twice";
        assert_eq!(place.count(open).await, 0);
        // Whoever reaches 65 by the end of next month has a number of our own and waits for a card.
        let due = place
            .count("SELECT COUNT(*) FROM care_insurance_person WHERE due_age <> ''")
            .await;
        assert!(due > 0);
        let numbered = "SELECT COUNT(*) FROM care_insurance_person WHERE due_age <> '' AND card_wait = 1 AND LENGTH(insured_number) = 10";
        assert_eq!(place.count(numbered).await, due);
    })
    .await;
}

#[tokio::test]
async fn a_second_run_changes_nothing_and_a_killed_one_is_finished_by_the_next() {
    each(async |place| {
        let first = place.derive().await;
        let again = place.derive().await;
        assert_eq!((again.changed, again.numbered), (0, 0));
        assert_eq!(again.persons, first.persons);
        // As if the first run had been killed after its first chunk.
        let half = "(SELECT person FROM care_insurance_person ORDER BY person LIMIT 700)";
        for table in ["qualification", "event", "card", "person"] {
            place
                .write(&format!(
                    "DELETE FROM care_insurance_{table} WHERE person NOT IN {half}"
                ))
                .await;
        }
        let rest = place.derive().await;
        assert_eq!(rest.changed, first.persons - 700);
        assert_eq!(place.derive().await.changed, 0);
    })
    .await;
}

#[tokio::test]
async fn a_move_out_in_the_register_ends_the_qualification_and_queues_the_card() {
    each(async |place| {
        place.derive().await;
        let before = place
            .count("SELECT COUNT(*) FROM care_insurance_person WHERE due_moved <> ''")
            .await;
        let one = "(SELECT person FROM care_insurance_person WHERE category = 1 AND protected = 0 ORDER BY person LIMIT 1)";
        let day = place.today.office_day().yesterday().unwrap();
        place
            .write(&format!(
                "INSERT INTO residents_history SELECT generation, person, 99, '転出', '{day}', '{day}', '', '', '', '' \
                 FROM residents_person WHERE person = {one}"
            ))
            .await;
        let done = place.derive().await;
        assert_eq!(done.changed, 1);
        let after = place
            .count("SELECT COUNT(*) FROM care_insurance_person WHERE due_moved <> ''")
            .await;
        assert_eq!(after, before + 1);
        let today = place.today.office_day();
        let lost = format!(
            "SELECT COUNT(*) FROM care_insurance_qualification WHERE until_day = '{today}' AND lost = '31'"
        );
        assert!(place.count(&lost).await >= 1);
        let events = "SELECT COUNT(*) FROM care_insurance_event WHERE number = 2";
        assert_eq!(place.count(events).await, 1);
    })
    .await;
}
