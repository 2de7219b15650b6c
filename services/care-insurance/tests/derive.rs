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

/// The day of an event is corrected in the register: the qualification that followed from it is
/// cancelled and kept, the right one stands beside it, and the history tells of it.
#[tokio::test]
async fn a_corrected_day_of_an_event_corrects_the_qualification_and_keeps_the_old_one() {
    each(async |place| {
        let one = "(SELECT q.person FROM care_insurance_qualification q JOIN residents_history h ON h.person = q.person \
                   WHERE q.number = 1 AND q.gained = '12' AND q.until_day = '' AND h.reason = '転入' \
                   AND h.event_day = q.from_day AND 1 = (SELECT COUNT(*) FROM residents_history o WHERE o.person = q.person) \
                   ORDER BY q.person LIMIT 1)";
        let of = |count: &str| format!("SELECT COUNT(*) FROM {count} AND person = (SELECT person FROM residents_history WHERE notified_day = '2026-01-01')");
        place.derive().await;
        // Marked first, so that the test finds the person again.
        place.write(&format!("UPDATE residents_history SET notified_day = '' WHERE notified_day = '2026-01-01' AND person <> {one}")).await;
        place.write(&format!("UPDATE residents_history SET notified_day = '2026-01-01' WHERE person = {one}")).await;
        place
            .write("UPDATE residents_history SET event_day = '2025-12-24' WHERE notified_day = '2026-01-01'")
            .await;
        assert_eq!(place.derive().await.changed, 1);
        let entry = "care_insurance_qualification WHERE decided = 0";
        assert_eq!(place.count(&of(&format!("{entry} AND cancelled = 1 AND number = 1"))).await, 1, "kept, struck out");
        assert_eq!(place.count(&of(&format!("{entry} AND cancelled = 0 AND number = 2 AND from_day = '2025-12-24'"))).await, 1);
        assert_eq!(place.count(&of("care_insurance_event WHERE number = 2 AND words LIKE '%（資格2件）'")).await, 1);
    })
    .await;
}

/// The gate's fact follows the derivation: set for whoever turned 65, cleared for whoever left; a
/// second run writes nothing, and a household member stays one.
#[tokio::test]
async fn the_gate_knows_who_is_insured_as_soon_as_it_is_derived() {
    each(async |place| {
        place.derive().await;
        let holding = "SELECT COUNT(*) FROM care_insurance_person c JOIN gate_subject s ON s.person = c.person WHERE c.question = '' AND";
        assert_eq!(place.count(&format!("{holding} c.category <> 0 AND (s.mask & 16) = 0")).await, 0);
        assert_eq!(place.count(&format!("{holding} c.category = 0 AND (s.mask & 16) <> 0")).await, 0);
        let now = "generation = (SELECT generation FROM residents_state WHERE one = 1)";
        let today = place.today.office_day();
        let born = format!("{}-{:02}-{:02}", today.year() - 65, today.month(), today.day());
        let one = format!("(SELECT person FROM residents_person WHERE {now} AND status = 1 AND insured = 0 AND birth BETWEEN '1965-01-01' \
            AND '1985-12-31' ORDER BY person LIMIT 1)");
        let mask = "SELECT mask & 16 FROM gate_subject WHERE person = (SELECT person FROM residents_person WHERE kana = 'ロクジュウゴ')";
        place.write(&format!("UPDATE residents_person SET kana = 'ロクジュウゴ' WHERE person = {one}")).await;
        assert_eq!(place.count(mask).await, 0);
        place.write(&format!("UPDATE residents_person SET birth = '{born}' WHERE kana = 'ロクジュウゴ'")).await;
        place.derive().await;
        assert_eq!(place.count(mask).await, 16);
        assert_eq!(place.derive().await.changed, 0);
        let day = today.yesterday().unwrap();
        place
            .write(&format!(
                "INSERT INTO residents_history SELECT generation, person, 99, '転出', '{day}', '{day}', '', '', '', '' \
                 FROM residents_person WHERE kana = 'ロクジュウゴ'"
            ))
            .await;
        place.derive().await;
        assert_eq!(place.count(mask).await, 0);
    })
    .await;
}
