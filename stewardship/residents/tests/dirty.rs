//! The import finds exactly what was planted, and takes over exactly who is without fault.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod place;

use std::collections::{BTreeMap, BTreeSet};

use mimamori_kernel::random::SystemRandom;
use mimamori_residents::import::{Accept, ImportError, Order, Outcome, Progress, run};
use mimamori_storage::Value;
use mimamori_testkit::{Dirty, TownArgs, write_dirty_town};
use place::{Place, each};

type Found = BTreeSet<(String, u64, String, String)>;

impl Place {
    fn dirty(&self, people: u32, seed: u64, huge: usize) -> (Dirty, Order) {
        let args = TownArgs {
            people,
            seed,
            ..TownArgs::default()
        };
        let dir = self.files.join("dirty");
        let dirty = write_dirty_town(&args, huge, &dir).unwrap();
        let mut order = Order::folder(&dir);
        order.layout.check_digit = true;
        order.sample_only = true;
        (dirty, order)
    }
    async fn order(&self, order: &Order) -> Result<Outcome, ImportError> {
        run(&self.permit, &SystemRandom, order, &Progress::default()).await
    }
    async fn number(&self, sql: &str) -> i64 {
        let row = self.db.fetch_one(sql, vec![]).await.unwrap();
        row.unwrap().int(0).unwrap()
    }
    /// Everything in force of each person, by 宛名番号, but the namesakes, who are counted anew.
    async fn persons(&self) -> BTreeMap<String, Vec<Vec<Value>>> {
        let mut out: BTreeMap<String, Vec<Vec<Value>>> = BTreeMap::new();
        for (columns, table, order) in [
            (
                "p.address_number, p.kanji, p.kana, p.birth, p.sex, p.household_number, p.status, p.status_day, p.insured_number, \
              p.protected, p.address, p.building, p.phone, p.relation",
                "residents_person",
                "",
            ),
            (
                "p.address_number, t.number, t.reason, t.event_day, t.notified_day, t.address",
                "residents_history",
                ", t.number",
            ),
            ("p.address_number, t.mask", "residents_fact", ""),
        ] {
            let sql = format!(
                "SELECT {columns} FROM residents_person p JOIN {table} t ON t.person = p.person AND t.generation = p.generation \
                 WHERE p.generation = (SELECT generation FROM residents_state WHERE one = 1) ORDER BY p.address_number{order}"
            );
            for row in self.db.fetch(&sql, vec![]).await.unwrap() {
                let number = row.text(0).unwrap().to_owned();
                out.entry(number).or_default().push(row.0);
            }
        }
        out
    }
}

fn found(findings: &[mimamori_residents::import::Finding]) -> Found {
    let one = |f: &mimamori_residents::import::Finding| {
        let code = f.fault.code().to_owned();
        (f.sheet.name().to_owned(), f.row, f.item().to_owned(), code)
    };
    findings.iter().map(one).collect()
}

fn planted(dirty: &Dirty) -> Found {
    let all = dirty.planted.iter();
    all.map(|p| (p.file.into(), p.row, p.item.into(), p.code.into()))
        .collect()
}

fn compare(seen: &Found, want: &Found) {
    let missed: Vec<_> = want.difference(seen).collect();
    let invented: Vec<_> = seen.difference(want).collect();
    assert!(
        missed.is_empty() && invented.is_empty(),
        "missed {missed:?}, invented {invented:?}"
    );
}

#[tokio::test]
async fn exactly_the_planted_list_is_found_and_nothing_comes_in() {
    each(async |place| {
        for seed in 1..=4 {
            let (dirty, order) = place.dirty(3_000, seed, 2_000_000);
            let want = planted(&dirty);
            assert!(want.len() > 55, "{}", want.len());
            let Err(ImportError::Refused(rows)) = place.order(&order).await else {
                panic!("came in")
            };
            compare(&found(&rows), &want);
        }
        let sql = "SELECT COUNT(*) FROM residents_person";
        assert_eq!(place.number(sql).await, 0);
    })
    .await;
}

/// The same at the size of a town, with a field of 50 MB; one engine, the list is the same.
#[test]
fn a_whole_dirty_town_is_read_with_its_list_equal() {
    let root = tempfile::tempdir().unwrap();
    let args = TownArgs::default();
    let dirty = write_dirty_town(&args, mimamori_testkit::HUGE, root.path()).unwrap();
    let mut order = Order::folder(root.path());
    order.layout.check_digit = true;
    let findings = mimamori_residents::import::examine(&order, &Progress::default()).unwrap();
    let want = planted(&dirty);
    assert!(want.len() > 500, "{}", want.len());
    compare(&found(&findings), &want);
    let list = std::fs::read_to_string(root.path().join("planted.csv")).unwrap();
    assert_eq!(list.lines().count(), want.len() + 1);
}

/// Every 宛名番号 that ends with 3 or 7 made one that nobody else has: the only quoted texts of 15 digits.
fn renumbered(text: &str) -> String {
    let anew = |cell: &str| {
        let number = cell.len() == 15 && cell.bytes().all(|b| b.is_ascii_digit());
        match number && cell.ends_with(['3', '7']) {
            true => format!("99{}", &cell[2..]),
            false => cell.to_owned(),
        }
    };
    text.split('"').map(anew).collect::<Vec<_>>().join("\"")
}

#[tokio::test]
async fn good_rows_come_in_and_everybody_else_stays_as_in_force() {
    each(async |place| {
        // The same people are in force, with another name of the town in every address; one number of
        // five is unknown.
        let old = TownArgs {
            people: 2_000,
            seed: 5,
            ..TownArgs::default()
        };
        let dir = place.files.join("old");
        mimamori_testkit::write_town(&old, &dir).unwrap();
        for file in ["residents.csv", "households.csv"] {
            let bytes = std::fs::read(dir.join(file)).unwrap();
            let (text, ..) = encoding_rs::SHIFT_JIS.decode(&bytes);
            let text = renumbered(&text.replace("見守市", "旧見守市"));
            let bytes = encoding_rs::SHIFT_JIS.encode(&text).0;
            std::fs::write(dir.join(file), bytes).unwrap();
        }
        place.order(&Order::folder(&dir)).await.unwrap();
        let before = place.persons().await;
        let (dirty, mut order) = place.dirty(2_000, 5, 100_000);
        order.accept = Accept::Good;
        let outcome = place.order(&order).await.unwrap();
        compare(&found(&outcome.findings), &planted(&dirty));
        let clean = place.files.join("clean");
        let args = TownArgs {
            people: 2_000,
            seed: 5,
            ..TownArgs::default()
        };
        mimamori_testkit::write_town(&args, &clean).unwrap();
        let partly = place.persons().await;
        let headless = "SELECT COUNT(*) FROM residents_household h WHERE h.generation = 2 AND NOT EXISTS \
                        (SELECT 1 FROM residents_person p WHERE p.generation = 2 AND p.person = h.person)";
        let homeless = "SELECT COUNT(*) FROM residents_person p WHERE p.generation = 2 AND NOT EXISTS \
                        (SELECT 1 FROM residents_household h WHERE h.generation = 2 AND h.household_number = p.household_number)";
        for sql in [headless, homeless] {
            assert_eq!(place.number(sql).await, 0, "{sql}");
        }
        let meant = Order { allow_fewer: true, ..Order::folder(&clean) };
        place.order(&meant).await.unwrap();
        let full = place.persons().await;
        let (mut taken, mut kept, mut warned) = (0, 0, 0);
        for (number, rows) in &partly {
            if full.get(number) == Some(rows) {
                taken += 1;
            } else if before.get(number) == Some(rows) {
                kept += 1;
            } else {
                // A wrong check digit or an office's own character comes in as it is.
                warned += 1;
            }
        }
        let warnings = outcome.findings.iter().filter(|f| f.fault.is_warning());
        assert_eq!((warned, warned > 0), (warnings.count(), true));
        assert_eq!(outcome.persons, partly.len() as u64);
        assert!(outcome.kept >= kept && kept > 50, "{} {kept}", outcome.kept);
        assert!(taken > 1_500, "{taken}");
        assert!(outcome.left_out > 0);
        // Left out are those whose rows named them, and those whose number could not be read.
        let missing = full.keys().filter(|n| !partly.contains_key(*n)).count() as u64;
        assert!(outcome.left_out <= missing && missing - outcome.left_out < 10);
    })
    .await;
}
