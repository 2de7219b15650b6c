//! The rules over a real trace, on both engines.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mimamori_audit::monitor::{Outcome, Rules, run};
use mimamori_encryption::{NoteSigner, Secret};
use mimamori_gate::{Case, Gate, GateError, Purpose, Reason, case_statement};
use mimamori_identity::{
    AuthLevel, Kdf, NewUser, Org, OrgKind, Role, Scope, Visitor, new_user, org_statement,
};
use mimamori_kernel::clock::{Clock as _, Instant, TestClock};
use mimamori_kernel::id::{OrgId, PersonId};
use mimamori_kernel::random::SystemRandom;
use mimamori_residents::{action, import};
use mimamori_storage::{Db, Location, Statement, Value, migrate, testing};
use mimamori_testkit::{TownArgs, write_town};
use mimamori_trace::Trace;

/// Friday 2026-11-20 10:00 in Japan.
const FRIDAY: Instant = Instant(1_795_136_400_000_000);
const DAY: Duration = Duration::from_secs(86_400);

struct Office {
    db: Db,
    gate: Gate,
    trace: Trace,
    clock: Arc<TestClock>,
    clerk: Visitor,
    lead: Visitor,
}

async fn office(location: Location, dir: &Path) -> Office {
    let db = Db::open(location, 4).await.unwrap();
    let steps = [
        mimamori_identity::MIGRATIONS,
        mimamori_gate::MIGRATIONS,
        mimamori_trace::MIGRATIONS,
        mimamori_residents::MIGRATIONS,
        mimamori_audit::MIGRATIONS,
    ];
    migrate(&db, &steps.concat()).await.unwrap();
    let secret = |n| Secret::from_bytes([n; 32]);
    let clock = Arc::new(TestClock::at(FRIDAY));
    let trace = Trace::start(
        db.clone(),
        dir.join("trace"),
        clock.clone(),
        Arc::new(SystemRandom),
        NoteSigner::new("test.example/trace", &secret(1)),
        secret(2),
        secret(3),
    )
    .await
    .unwrap();
    let rooms = [mimamori_residents::ROOM, mimamori_audit::ROOM];
    let gate = Gate::new(db.clone(), trace.clone(), &rooms).unwrap();
    let files = dir.join("town");
    let args = TownArgs {
        people: 300,
        ..TownArgs::default()
    };
    write_town(&args, &files).unwrap();
    let permit = gate.job(action::IMPORT, None).await.unwrap();
    import::run(
        &permit,
        &SystemRandom,
        &import::Order::folder(&files),
        &import::Progress::default(),
    )
    .await
    .unwrap();
    let org = Org {
        id: OrgId::random(&SystemRandom),
        kind: OrgKind::Department,
        name: "介護保険課".into(),
    };
    trace
        .upkeep(vec![org_statement(&org)], false)
        .await
        .unwrap();
    let mut visitors = Vec::new();
    for (login, name, role) in [
        ("clerk-1", "九十九里 はな", Role::Clerk),
        ("lead-1", "守屋 まこと", Role::LeadOfficer),
    ] {
        let user = NewUser {
            login: login.into(),
            name: name.into(),
            org: org.id,
            org_kind: org.kind,
            roles: vec![role],
            person: None,
            approved_by: None,
            until: None,
        };
        let kdf = Kdf {
            memory: 64,
            passes: 1,
        };
        let (id, _, writes) = new_user(&user, kdf, FRIDAY, 1, &SystemRandom).unwrap();
        trace.upkeep(writes, false).await.unwrap();
        visitors.push(Visitor {
            user: id,
            name: name.into(),
            org: org.id,
            org_name: org.name.clone(),
            org_kind: org.kind,
            role,
            epoch: 1,
            auth: AuthLevel::Password,
            person: None,
            session: [7; 32],
            handler: false,
            terminal: false,
            verified: None,
            scope: Scope::WHOLE,
            terms: vec![],
        });
    }
    let lead = visitors.pop().unwrap();
    let clerk = visitors.pop().unwrap();
    Office {
        db,
        gate,
        trace,
        clock,
        clerk,
        lead,
    }
}

async fn each(test: impl AsyncFn(Office)) {
    let root = tempfile::tempdir().unwrap();
    let all = testing::locations(root.path(), &SystemRandom)
        .await
        .unwrap();
    for (i, location) in all.into_iter().enumerate() {
        let dir = root.path().join(i.to_string());
        std::fs::create_dir_all(&dir).unwrap();
        test(office(location, &dir).await).await;
    }
}

impl Office {
    async fn persons(&self, filter: &str) -> Vec<PersonId> {
        let sql = format!(
            "SELECT person FROM residents_person WHERE status = 1 AND insured = 1 AND {filter} ORDER BY kana_key, address_number"
        );
        let rows = self.db.fetch(&sql, vec![]).await.unwrap();
        rows.iter()
            .map(|r| PersonId::from_bytes(r.array(0).unwrap()))
            .collect()
    }

    /// Opens a record as the officer's page does; whether the gate saw a case.
    async fn open(&self, who: &Visitor, person: PersonId) -> bool {
        let reason = Some(Reason("窓口".into()));
        let permit = self
            .gate
            .person(
                who,
                action::PERSON_OPEN,
                Purpose::CareInsurance,
                person,
                reason,
            )
            .await
            .unwrap();
        let linked = permit.case().is_some();
        let record = permit
            .fetch("residents_person", &["kanji"], "1 = 1", vec![])
            .await
            .unwrap();
        permit.reveal(record).await.unwrap();
        linked
    }

    async fn note(&self, who: &Visitor, person: PersonId) {
        let link = case_statement(&person, &who.user, self.clock.now(), Case::Note);
        self.trace.upkeep(vec![link], false).await.unwrap();
    }

    async fn run(&self) -> Outcome {
        let permit = self
            .gate
            .job(mimamori_audit::action::MONITOR_RUN, None)
            .await
            .unwrap();
        run(
            &permit,
            &self.trace,
            &Rules::built_in().unwrap(),
            &SystemRandom,
            self.clock.now(),
        )
        .await
        .unwrap()
    }

    /// Kind, day, looks of all alerts.
    async fn alerts(&self) -> Vec<(String, String, i64)> {
        let sql = "SELECT kind, day, looks FROM audit_alert ORDER BY kind, day, looks";
        let rows = self.db.fetch(sql, vec![]).await.unwrap();
        rows.iter()
            .map(|r| {
                (
                    r.text(0).unwrap().into(),
                    r.text(1).unwrap().into(),
                    r.int(2).unwrap(),
                )
            })
            .collect()
    }
}

impl Office {
    /// State, day of the answer and counted lines of the only alert.
    async fn alert(&self) -> (String, String, Vec<String>) {
        let sql = "SELECT state, due, lines FROM audit_alert";
        let row = self.db.fetch_one(sql, vec![]).await.unwrap().unwrap();
        let text = |at| row.text(at).unwrap().to_owned();
        let lines = text(2).split(' ').map(str::to_owned).collect();
        (text(0), text(1), lines)
    }
}

fn one(kind: &str, day: &str, looks: i64) -> (String, String, i64) {
    (kind.into(), day.into(), looks)
}

#[tokio::test]
async fn a_look_without_a_note_is_an_alert_once_the_day_is_over() {
    each(async |office| {
        let all = office.persons("protected = 0").await;
        let (linked, later, never) = (all[0], all[1], all[2]);
        office.note(&office.clerk, linked).await;
        assert!(office.open(&office.clerk, linked).await);
        assert!(!office.open(&office.clerk, later).await);
        assert!(!office.open(&office.clerk, never).await);
        assert!(!office.open(&office.clerk, never).await);
        assert!(
            !office.open(&office.lead, linked).await,
            "the clerk's note is not the lead officer's"
        );
        office.note(&office.clerk, later).await;
        office.note(&office.lead, linked).await;
        let today = office.run().await;
        assert_eq!((today.looks, today.days, today.findings), (5, 1, 0));
        // 14 hours on, the day is over.
        office.clock.pass(Duration::from_secs(14 * 3600));
        let next = office.run().await;
        assert_eq!((next.looks, next.findings, next.new), (5, 1, 1));
        assert_eq!(office.alerts().await, [one("no-case", "2026-11-20", 2)]);
        let after = office.run().await;
        assert_eq!((after.looks, after.new), (0, 0), "nothing is judged twice");
        // A note of yesterday does not hold today.
        office.clock.pass(DAY * 2);
        assert!(!office.open(&office.clerk, linked).await);
    })
    .await;
}

#[tokio::test]
async fn own_record_kin_protected_and_nights_are_found_and_the_line_tells_only_counts() {
    each(async |office| {
        let (all, protected) = (
            office.persons("protected = 0").await,
            office.persons("protected = 1").await,
        );
        let (own, neighbour) = (all[0], all[1]);
        let link = |sql: &str, args: Vec<Value>| Statement::new(sql.to_owned(), args);
        let moved = vec![
            link(
                "INSERT INTO identity_resident (user_id, address_number, own) \
                 SELECT u.id, p.address_number, 1 FROM identity_user u, residents_person p \
                 WHERE u.login = 'clerk-1' AND p.person = ?",
                vec![own.bytes().into()],
            ),
            // A number that nobody has is counted, and found by nobody.
            link(
                "INSERT INTO identity_resident (user_id, address_number, own) \
                 SELECT u.id, '999999999999999', 1 FROM identity_user u WHERE u.login = 'lead-1'",
                vec![],
            ),
            // Two numbers of one block, and nobody else there.
            link(
                "UPDATE residents_person SET address = '試験町一丁目２番３号' WHERE person = ?",
                vec![own.bytes().into()],
            ),
            link(
                "UPDATE residents_person SET address = '試験町1-2-9' WHERE person = ?",
                vec![neighbour.bytes().into()],
            ),
        ];
        office.trace.upkeep(moved, false).await.unwrap();
        for person in [own, neighbour, protected[0]] {
            office.note(&office.clerk, person).await;
            office.open(&office.clerk, person).await;
        }
        office.note(&office.lead, protected[0]).await;
        office.open(&office.lead, protected[0]).await;
        office.clock.pass(Duration::from_secs(12 * 3600));
        office.note(&office.lead, all[5]).await;
        office.open(&office.lead, all[5]).await;
        let outcome = office.run().await;
        let friday = "2026-11-20";
        let expected = [
            one("kin", friday, 1),
            one("out-of-hours", friday, 1),
            one("own-record", friday, 1),
            one("protected", friday, 1),
        ];
        assert_eq!(office.alerts().await, expected);
        assert_eq!((outcome.findings, outcome.new), (4, 4));
        assert_eq!(
            (outcome.officers, outcome.linked, outcome.unknown),
            (2, 2, 1)
        );
        let sql = "SELECT policy, tokens FROM trace_line WHERE line = ?";
        let rows = office
            .db
            .fetch(sql, vec![i64::try_from(outcome.line).unwrap().into()])
            .await
            .unwrap();
        assert!(
            rows[0]
                .text(0)
                .unwrap()
                .contains("rules=2026-11 days=1 looks=5 findings=4")
        );
        assert!(rows[0].bytes(1).unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn looks_after_an_answer_open_the_alert_again_and_an_inquiry_grows() {
    each(async |office| {
        let person = office.persons("protected = 1").await[0];
        office.note(&office.clerk, person).await;
        office.open(&office.clerk, person).await;
        office.run().await;
        office.open(&office.clerk, person).await;
        office.run().await;
        assert_eq!(
            office.alerts().await,
            [one("protected", "2026-11-20", 2)],
            "open: brought up to date"
        );
        for (answer, left, new) in [
            ("fine", "again", 1),
            ("inquiry", "inquiry", 0),
            ("incident", "again", 1),
        ] {
            let sql = "UPDATE audit_alert SET due = '2026-11-01', state = ?";
            let given = Statement::new(sql, vec![answer.into()]);
            office.trace.upkeep(vec![given], false).await.unwrap();
            let before = office.alert().await;
            assert_eq!(office.run().await.new, 0);
            assert_eq!(office.alert().await, before, "no later look, no change");
            office.open(&office.clerk, person).await;
            assert_eq!(office.run().await.new, new, "{answer}");
            let after = office.alert().await;
            assert_eq!(
                (after.0.as_str(), after.2.len()),
                (left, before.2.len() + 1),
                "{answer}"
            );
            assert_eq!(
                after.2[..before.2.len()],
                before.2,
                "the earlier lines stay counted"
            );
            // Whoever was asked keeps the day; what was closed gets a new one.
            let due = if answer == "inquiry" {
                "2026-11-01"
            } else {
                "2026-11-27"
            };
            assert_eq!(after.1, due, "{answer}");
        }
        assert_eq!(office.alerts().await, [one("protected", "2026-11-20", 5)]);
    })
    .await;
}

#[tokio::test]
async fn a_clerk_gets_no_permit_for_the_trace_and_an_audit_reads_no_record() {
    each(async |office| {
        let search = mimamori_audit::action::TRACE_SEARCH;
        let refused = office
            .gate
            .audit(&office.clerk, search, Purpose::Audit)
            .await;
        assert!(matches!(refused, Err(GateError::Refused(_))));
        let wrong = office
            .gate
            .audit(&office.clerk, action::PERSON_OPEN, Purpose::Audit)
            .await;
        assert!(
            matches!(wrong, Err(GateError::Rules(_))),
            "an audit is of the access log alone"
        );
        let auditor = Visitor {
            role: Role::Auditor,
            ..office.lead.clone()
        };
        let permit = office
            .gate
            .audit(&auditor, search, Purpose::Audit)
            .await
            .unwrap();
        let names = permit
            .rows("SELECT kanji FROM residents_person", vec![])
            .await;
        assert!(
            matches!(names, Err(GateError::Rules(_))),
            "extracts are not for pages"
        );
        let secrets = permit
            .persons("SELECT id FROM identity_contract", vec![])
            .await;
        assert!(matches!(secrets, Err(GateError::Rules(_))));
    })
    .await;
}
