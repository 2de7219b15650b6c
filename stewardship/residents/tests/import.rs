//! What an import promises, on both engines.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
mod place;

use mimamori_kernel::error::Coded as _;
use mimamori_kernel::random::SystemRandom;
use mimamori_residents::import::{
    Accept, ImportError, Order, Outcome, Phase, Progress, RESIDENTS, Sheet, State, run,
};
use mimamori_storage::{Statement, Value, testing};
use mimamori_testkit::TownCounts;
use place::{Place, each, place};

impl Place {
    async fn import(&self) -> Result<Outcome, ImportError> {
        run(
            &self.permit,
            &SystemRandom,
            &Order::folder(&self.files),
            &Progress::default(),
        )
        .await
    }
    async fn number(&self, sql: &str) -> i64 {
        self.db
            .fetch_one(sql, vec![])
            .await
            .unwrap()
            .unwrap()
            .int(0)
            .unwrap()
    }
    /// Everything that an import may write, without the trace.
    async fn whole(&self) -> Vec<Vec<Value>> {
        let mut out = vec![];
        for (table, order) in [
            ("residents_state", "one"),
            ("residents_person", "generation, person"),
            ("residents_history", "generation, person, number"),
            ("residents_household", "generation, household_number"),
            ("residents_fact", "generation, person"),
            ("gate_subject", "person"),
            ("residents_number", "address_number"),
        ] {
            let rows = self
                .db
                .fetch(&format!("SELECT * FROM {table} ORDER BY {order}"), vec![])
                .await
                .unwrap();
            out.extend(rows.into_iter().map(|r| r.0));
        }
        out
    }
    async fn ids(&self) -> BTreeMap<String, Vec<u8>> {
        let rows = self
            .db
            .fetch(
                "SELECT address_number, person FROM residents_person",
                vec![],
            )
            .await
            .unwrap();
        rows.iter()
            .map(|r| (r.text(0).unwrap().to_owned(), r.bytes(1).unwrap().to_vec()))
            .collect()
    }
    /// Changes the text of the file of residents.
    fn edit(&self, change: impl FnOnce(&[String]) -> Vec<String>) {
        let path = self.files.join(RESIDENTS);
        let bytes = std::fs::read(&path).unwrap();
        let (text, ..) = encoding_rs::SHIFT_JIS.decode(&bytes);
        let lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
        let text = change(&lines)
            .iter()
            .map(|l| format!("{l}\r\n"))
            .collect::<String>();
        std::fs::write(path, encoding_rs::SHIFT_JIS.encode(&text).0).unwrap();
    }
}

fn same(o: &Outcome, c: &TownCounts) {
    assert_eq!(
        (o.persons, o.rows, o.households),
        (c.people.into(), c.rows.into(), c.households.into())
    );
    assert_eq!(
        (o.insured, o.members, o.protected),
        (c.insured.into(), c.members.into(), c.protected.into())
    );
    assert_eq!(
        (o.deceased, o.moved_out, o.findings.len()),
        (c.deceased.into(), c.moved_out.into(), 0)
    );
}

#[tokio::test]
async fn a_town_comes_in_once_however_often_it_is_imported() {
    each(async |place| {
        let progress = Progress::default();
        let first = run(&place.permit, &SystemRandom, &Order::folder(&place.files), &progress).await.unwrap();
        assert_eq!((progress.state(), progress.phase()), (State::Done, Phase::Finished));
        same(&first, &place.counts);
        let ids = place.ids().await;
        let people = i64::from(place.counts.people);
        let second = place.import().await.unwrap();
        same(&second, &place.counts);
        assert!(second.line > first.line);
        assert_eq!(place.ids().await, ids);
        for (table, count) in [
            ("residents_person", people),
            ("residents_history", place.counts.rows.into()),
            ("residents_household", place.counts.households.into()),
            ("residents_fact", people),
            ("gate_subject WHERE version = 1", people),
            ("trace_line WHERE action = 'residents.import'", 2),
            ("residents_person p JOIN gate_subject s ON s.person = p.person AND p.generation = 2", people),
            ("gate_subject WHERE (mask & 8) <> 0", i64::from(place.counts.protected) + i64::try_from(first.beside_protected).unwrap()),
            ("residents_number", people),
            ("residents_person p JOIN residents_number n ON n.person = p.person AND n.address_number = p.address_number", people),
        ] {
            assert_eq!(place.number(&format!("SELECT COUNT(*) FROM {table}")).await, count, "{table}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_broken_row_is_named_and_nothing_changes() {
    each(async |place| {
        place.import().await.unwrap();
        let before = place.whole().await;
        place.edit(|lines| {
            let mut lines = lines.to_vec();
            lines[4] = lines[4]
                .replacen("\"1\"", "\"7\"", 9)
                .replacen("\"0\"", "\"7\"", 9);
            lines
        });
        let progress = Progress::default();
        let error = run(
            &place.permit,
            &SystemRandom,
            &Order::folder(&place.files),
            &progress,
        )
        .await
        .unwrap_err();
        assert_eq!(error.code(), "IMPORT-ROWS");
        assert_eq!(progress.state(), State::Failed(error.to_string()));
        let ImportError::Refused(rows) = error else {
            panic!("{error:?}")
        };
        assert!(
            rows.iter()
                .all(|r| (r.sheet, r.row) == (Sheet::Residents, 5)),
            "{rows:?}"
        );
        assert!(
            rows.iter()
                .any(|r| r.item() == "最新フラグ" && r.fault.code() == "IMPORT-CHOICE"),
            "{rows:?}"
        );
        assert_eq!(place.whole().await, before);
        std::fs::remove_file(place.files.join(RESIDENTS)).unwrap();
        assert_eq!(place.import().await.unwrap_err().code(), "IMPORT-FILE");
        assert_eq!(place.whole().await, before);
    })
    .await;
}

#[tokio::test]
async fn what_a_killed_import_left_is_removed() {
    each(async |place| {
        place.import().await.unwrap();
        let (whole, fresh) = (place.whole().await, vec![Value::Bytes(vec![0xee; 16])]);
        let left = [
            "INSERT INTO residents_fact (generation, person, mask) VALUES (2, ?, 1)",
            "INSERT INTO gate_subject (person, mask, version) VALUES (?, 1, 1)",
            "INSERT INTO residents_number (address_number, person, generation) VALUES ('999999999999999', ?, 2)",
            "INSERT INTO residents_household VALUES (3, '0000000001', ?, '', '', '')",
            "INSERT INTO residents_history VALUES (7, ?, 1, '', '', '', '', '', '', '')",
        ];
        let mut steps: Vec<Statement> = left.iter().map(|sql| Statement::new(*sql, fresh.clone())).collect();
        let sql = "INSERT INTO residents_fact SELECT 2, person, mask FROM residents_fact WHERE generation = 1";
        steps.push(Statement::new(sql, vec![]));
        place.permit.stage(steps).await.unwrap();
        place.import().await.unwrap();
        assert_eq!(place.whole().await.len(), whole.len());
        assert_eq!(place.number("SELECT generation FROM residents_state").await, 8);
        let subjects = "SELECT COUNT(*) FROM gate_subject WHERE version = 1";
        assert_eq!(place.number(subjects).await, i64::from(place.counts.people));
    })
    .await;
}

#[tokio::test]
async fn facts_follow_the_file_and_others_stay() {
    each(async |place| {
        place.import().await.unwrap();
        let ids = place.ids().await;
        // An objection of everyone, which an import must not forget.
        place
            .permit
            .stage(vec![Statement::new(
                "UPDATE gate_subject SET mask = mask + 32",
                vec![],
            )])
            .await
            .unwrap();
        let mut gone = String::new();
        place.edit(|lines| {
            // A household member who is no head leaves the file.
            let rows: Vec<Vec<&str>> = lines.iter().map(|l| l.split("\",\"").collect()).collect();
            let leaver = rows
                .iter()
                .skip(1)
                .find(|r| r[10] != "世帯主" && r[2] == "1" && r[17] != "死亡" && r[17] != "転出")
                .unwrap();
            gone = leaver[0].trim_start_matches('"').to_owned();
            let mut kept: Vec<String> = lines
                .iter()
                .filter(|l| !l.contains(&gone))
                .cloned()
                .collect();
            // And another one is protected from now on.
            let other = kept[1][1..16].to_owned();
            for line in kept.iter_mut().filter(|l| l.contains(&other)) {
                // 支援措置, with 転出先住所 and the sample's mark behind it.
                let at = line.rmatch_indices("\",\"").nth(1).unwrap().0;
                line.replace_range(at - 1..at, "1");
            }
            kept
        });
        let outcome = place.import().await.unwrap();
        assert_eq!(outcome.persons + 1, u64::from(place.counts.people));
        assert!(outcome.protected >= 1);
        let sql = "SELECT mask, version FROM gate_subject WHERE person = ?";
        let row = place
            .db
            .fetch_one(sql, vec![Value::Bytes(ids[&gone].clone())])
            .await
            .unwrap()
            .unwrap();
        assert_eq!((row.int(0).unwrap() & 17, row.int(1).unwrap()), (0, 2));
        let count = |filter: &str| format!("SELECT COUNT(*) FROM gate_subject WHERE {filter}");
        assert_eq!(
            place.number(&count("mask >= 32")).await,
            i64::from(place.counts.people)
        );
        // The one who left and the one now protected; nobody else was touched.
        assert_eq!(place.number(&count("version = 2")).await, 2);
    })
    .await;
}

/// Run by hand: `cargo test --release -p mimamori-residents --test import -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "a measurement, not a check"]
async fn a_whole_town_in_seconds() {
    let root = tempfile::tempdir().unwrap();
    for (i, location) in testing::locations(root.path(), &SystemRandom)
        .await
        .unwrap()
        .into_iter()
        .enumerate()
    {
        let dir = root.path().join(i.to_string());
        std::fs::create_dir_all(&dir).unwrap();
        let place = place(location, &dir, 93_000).await;
        for turn in ["first", "second"] {
            let begin = std::time::Instant::now();
            let progress = Progress::default();
            let view = progress.clone();
            let watch = tokio::spawn(async move {
                let mut seen = vec![];
                while view.state() != State::Done {
                    if seen.last().map(|s: &(Phase, f64)| s.0) != Some(view.phase()) {
                        seen.push((view.phase(), begin.elapsed().as_secs_f64()));
                    }
                    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
                }
                seen
            });
            let outcome = run(
                &place.permit,
                &SystemRandom,
                &Order::folder(&place.files),
                &progress,
            )
            .await
            .unwrap();
            println!(
                "{:?} {turn}: {:?}, {outcome:?}",
                place.db.engine(),
                begin.elapsed()
            );
            println!("{:?}", watch.await.unwrap());
        }
    }
}

#[tokio::test]
async fn whoever_lives_with_a_protected_person_is_protected_too() {
    each(async |place| {
        let told = place.import().await.unwrap();
        assert!(told.protected > 0 && told.beside_protected > 0);
        let now = "generation = (SELECT generation FROM residents_state)";
        let open = format!(
            "SELECT COUNT(*) FROM residents_person p JOIN gate_subject s ON s.person = p.person WHERE p.{now} AND (s.mask & 8) = 0 \
             AND EXISTS (SELECT 1 FROM residents_person k WHERE k.{now} AND k.protected = 1 AND k.household_number = p.household_number)"
        );
        assert_eq!(place.number(&open).await, 0);
        let marked = format!("SELECT COUNT(*) FROM residents_person WHERE {now} AND protected = 2");
        assert_eq!(place.number(&marked).await, i64::try_from(told.beside_protected).unwrap());
        // Nobody else: without a protected person in household or address the mask stays open.
        let other = format!(
            "SELECT COUNT(*) FROM residents_person p WHERE p.{now} AND p.protected = 2 AND NOT EXISTS \
             (SELECT 1 FROM residents_person k WHERE k.{now} AND k.protected = 1 \
             AND (k.household_number = p.household_number OR k.address_key = p.address_key))"
        );
        assert_eq!(place.number(&other).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_file_with_far_fewer_persons_changes_nothing_unless_it_is_meant() {
    each(async |place| {
        place.import().await.unwrap();
        let before = place.whole().await;
        let all = std::fs::read(place.files.join(RESIDENTS)).unwrap();
        place.edit(|lines| lines[..1].to_vec());
        std::fs::write(
            place.files.join("households.csv"),
            std::fs::read(place.files.join("households.csv"))
                .unwrap()
                .split_inclusive(|b| *b == b'\n')
                .next()
                .unwrap(),
        )
        .unwrap();
        let error = place.import().await.unwrap_err();
        assert!(
            matches!(error, ImportError::Fewer { after: 0, .. }),
            "{error:?}"
        );
        assert_eq!(place.whole().await, before);
        let meant = Order {
            allow_fewer: true,
            ..Order::folder(&place.files)
        };
        let told = run(&place.permit, &SystemRandom, &meant, &Progress::default()).await;
        assert_eq!(told.unwrap().persons, 0);
        let gone = "SELECT COUNT(*) FROM gate_subject WHERE (mask & 17) <> 0";
        assert_eq!(place.number(gone).await, 0);
        std::fs::write(place.files.join(RESIDENTS), all).unwrap();
    })
    .await;
}

#[tokio::test]
async fn who_was_missing_in_one_file_comes_back_as_the_same_person() {
    each(async |place| {
        place.import().await.unwrap();
        let ids = place.ids().await;
        let all = std::fs::read(place.files.join(RESIDENTS)).unwrap();
        // A person who is nobody's head of household, so that the households still fit.
        let mut gone = String::new();
        place.edit(|lines| {
            let column = |line: &str, at: usize| {
                line.split(',')
                    .nth(at)
                    .unwrap()
                    .trim_matches('"')
                    .to_owned()
            };
            let numbers: Vec<String> = lines[1..]
                .iter()
                .filter(|l| column(l, 2) == "1" && column(l, 10) == "子")
                .map(|l| column(l, 0))
                .collect();
            gone = numbers.first().unwrap().clone();
            let rest = lines.iter().filter(|l| column(l, 0) != gone);
            rest.cloned().collect()
        });
        place.import().await.unwrap();
        assert!(!place.ids().await.contains_key(&gone));
        std::fs::write(place.files.join(RESIDENTS), all).unwrap();
        place.import().await.unwrap();
        assert_eq!(place.ids().await, ids);
    })
    .await;
}

/// The rows of a generation, by numbers of the files instead of our own ids.
const CONTENT: [&str; 3] = [
    "SELECT p.address_number, p.household_number, p.kanji, p.kana_key, p.namesakes, p.status, p.protected, p.address, \
     p.version, f.mask, g.mask FROM residents_person p JOIN residents_fact f ON f.person = p.person AND \
     f.generation = p.generation JOIN gate_subject g ON g.person = p.person WHERE p.generation = ? ORDER BY p.address_number",
    "SELECT p.address_number, h.number, h.reason, h.event_day, h.address, h.moved_to FROM residents_history h \
     JOIN residents_person p ON p.person = h.person AND p.generation = h.generation WHERE h.generation = ? \
     ORDER BY p.address_number, h.number",
    "SELECT h.household_number, p.address_number, h.address, h.founded, h.ended FROM residents_household h \
     JOIN residents_person p ON p.person = h.person AND p.generation = h.generation WHERE h.generation = ? \
     ORDER BY h.household_number",
];

impl Place {
    async fn content(&self, generation: i64) -> Vec<Vec<Value>> {
        let mut out = vec![];
        for sql in CONTENT {
            let rows = self.db.fetch(sql, vec![generation.into()]).await.unwrap();
            assert!(!rows.is_empty(), "{sql}");
            out.extend(rows.into_iter().map(|r| r.0));
        }
        out
    }

    async fn numbers(&self) -> BTreeMap<String, Vec<u8>> {
        let sql = "SELECT address_number, person FROM residents_number";
        let rows = self.db.fetch(sql, vec![]).await.unwrap();
        rows.iter()
            .map(|r| (r.text(0).unwrap().to_owned(), r.bytes(1).unwrap().to_vec()))
            .collect()
    }

    /// Begins an import and drops it after its first chunk of persons.
    async fn cut_off(&self) {
        let (order, progress) = (Order::folder(&self.files), Progress::default());
        let chunk = async {
            while progress.phase() != Phase::Staging || progress.done() == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            over = run(&self.permit, &SystemRandom, &order, &progress) => panic!("{over:?}"),
            () = chunk => {}
        }
    }
}

#[tokio::test]
async fn an_import_that_was_cut_off_goes_on_after_its_last_chunk_to_the_same_end() {
    each(async |place| {
        place.cut_off().await;
        let left = place.numbers().await;
        assert_eq!(left.len(), 250, "one chunk");
        assert_eq!(
            place.number("SELECT generation FROM residents_state").await,
            0
        );
        let outcome = place.import().await.unwrap();
        same(&outcome, &place.counts);
        let after = place.numbers().await;
        // Whoever was staged before kept the id that was made then: the chunk was not done again.
        assert!(
            left.iter()
                .all(|(number, id)| after.get(number) == Some(id))
        );
        assert_eq!(
            place.number("SELECT COUNT(*) FROM residents_staging").await,
            0
        );
        let resumed = place.content(1).await;
        place.import().await.unwrap();
        assert_eq!(resumed, place.content(2).await, "as if never cut off");
    })
    .await;
}

#[tokio::test]
async fn other_settings_begin_anew_after_a_cut_and_leave_nothing_of_before() {
    each(async |place| {
        place.cut_off().await;
        let left = place.numbers().await;
        let other = Order {
            accept: Accept::Good,
            ..Order::folder(&place.files)
        };
        let done = run(&place.permit, &SystemRandom, &other, &Progress::default()).await;
        same(&done.unwrap(), &place.counts);
        let after = place.numbers().await;
        assert!(left.iter().all(|(number, id)| after.get(number) != Some(id)));
        let orphans = "SELECT COUNT(*) FROM gate_subject g WHERE NOT EXISTS (SELECT 1 FROM residents_person p WHERE p.person = g.person)";
        assert_eq!(place.number(orphans).await, 0);
    })
    .await;
}
