//! How long an auditor waits for a search among 1,000,000 lines; asked for with `--run-ignored all`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;
use std::time::Instant as Clock;

use mimamori_encryption::{NoteSigner, Secret};
use mimamori_kernel::clock::{Instant, SystemClock};
use mimamori_kernel::id::{OrgId, UserId};
use mimamori_kernel::random::SystemRandom;
use mimamori_storage::{Db, Statement, Value, migrate, testing};
use mimamori_trace::{MIGRATIONS, Query, Token, Trace};

const LINES: i64 = 1_000_000;
/// Rows of one statement.
const ROWS: i64 = 100;
/// A second between two lines.
const STEP: i64 = 1_000_000;
const FIRST: i64 = 1_760_000_000_000_000;

/// One line in so many is by a rare officer, role, purpose or action, or refused.
const RARE: i64 = 50_000;

fn bytes<const N: usize>(n: i64) -> [u8; N] {
    let mut out = [0u8; N];
    out[..8].copy_from_slice(&n.to_be_bytes());
    out
}

fn line(n: i64) -> Vec<Value> {
    let rare = n % RARE == 7;
    let text = |usual: &str, rarely: &str| Value::from(if rare { rarely } else { usual });
    vec![
        n.into(),
        (FIRST + n * STEP).into(),
        (&bytes::<16>(if rare { 999 } else { n % 200 })).into(),
        (&bytes::<16>(if rare { 99 } else { n % 12 })).into(),
        text("clerk", "programme-director"),
        text("person.open", "person.merge"),
        text("care-insurance", "audit"),
        7i64.into(),
        (!rare).into(),
        "F01,F02".into(),
        bytes::<32>(n % 90_000).to_vec().into(),
        Value::NullText,
        Value::Bytes(vec![5; 60]),
    ]
}

fn insert(table: &str, columns: usize, rows: Vec<Vec<Value>>) -> Statement {
    let one = format!("({})", vec!["?"; columns].join(", "));
    let all = vec![one; rows.len()].join(", ");
    let args = rows.into_iter().flatten().collect();
    Statement::new(format!("INSERT INTO {table} VALUES {all}"), args)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: fills a database with 1,000,000 lines"]
async fn a_search_among_a_million_lines_answers_within_a_second() {
    let root = tempfile::tempdir().unwrap();
    for (at, location) in testing::locations(root.path(), &SystemRandom)
        .await
        .unwrap()
        .into_iter()
        .enumerate()
    {
        let db = Db::open(location, 2).await.unwrap();
        migrate(&db, MIGRATIONS).await.unwrap();
        let mut writer = db.writer().await.unwrap();
        for start in (1..=LINES).step_by(10_000) {
            let of = |from: i64, make: &dyn Fn(i64) -> Vec<Value>| {
                (from..from + ROWS).map(make).collect::<Vec<_>>()
            };
            let mut statements = vec![];
            for from in (start..start + 10_000).step_by(100) {
                statements.push(insert("trace_line", 13, of(from, &line)));
                let leaf = |n: i64| {
                    let token = bytes::<32>(n % 90_000);
                    vec![
                        (&token).into(),
                        (n / 90_000).into(),
                        n.into(),
                        n.into(),
                        n.into(),
                    ]
                };
                statements.push(insert("trace_leaf", 5, of(from, &leaf)));
            }
            writer.begin().await.unwrap();
            for statement in statements {
                writer.apply(statement).await.unwrap();
            }
            writer.commit().await.unwrap();
        }
        writer.close().await.unwrap();
        let trace = Trace::start(
            db.clone(),
            root.path().join(format!("trace-{at}")),
            Arc::new(SystemClock::new()),
            Arc::new(SystemRandom),
            NoteSigner::new("test.example/trace", &Secret::from_bytes([1; 32])),
            Secret::from_bytes([2; 32]),
            Secret::from_bytes([3; 32]),
        )
        .await
        .unwrap();
        let q = Query::default;
        let month = |from: i64| {
            (
                Some(Instant(FIRST + from * STEP)),
                Some(Instant(FIRST + (from + 86_400) * STEP)),
            )
        };
        let (from, until) = month(100_000);
        let cases = [
            ("newest page", q()),
            (
                "one officer",
                Query {
                    actor: Some(UserId::from_bytes(bytes(3))),
                    ..q()
                },
            ),
            (
                "a rare officer",
                Query {
                    actor: Some(UserId::from_bytes(bytes(999))),
                    ..q()
                },
            ),
            (
                "nobody's lines",
                Query {
                    actor: Some(UserId::from_bytes(bytes(5000))),
                    ..q()
                },
            ),
            (
                "a rare office",
                Query {
                    orgs: Some(vec![OrgId::from_bytes(bytes(99))]),
                    ..q()
                },
            ),
            (
                "a rare role",
                Query {
                    role: Some("programme-director".into()),
                    ..q()
                },
            ),
            (
                "a role without lines",
                Query {
                    role: Some("auditor".into()),
                    ..q()
                },
            ),
            (
                "a rare purpose",
                Query {
                    purpose: Some("audit".into()),
                    ..q()
                },
            ),
            (
                "refused",
                Query {
                    allowed: Some(false),
                    ..q()
                },
            ),
            (
                "a rare action",
                Query {
                    action: Some("person.merge".into()),
                    ..q()
                },
            ),
            (
                "one person",
                Query {
                    token: Some(Token(bytes(77))),
                    ..q()
                },
            ),
            ("a day long ago", Query { from, until, ..q() }),
            (
                "a rare role in a day",
                Query {
                    from,
                    until,
                    role: Some("programme-director".into()),
                    ..q()
                },
            ),
            (
                "an officer refused in a day",
                Query {
                    from,
                    until,
                    actor: Some(UserId::from_bytes(bytes(3))),
                    allowed: Some(false),
                    ..q()
                },
            ),
        ];
        let mut slowest = 0.0f64;
        for (name, query) in cases {
            let begin = Clock::now();
            let found = trace.search(&query, None, 50).await.unwrap().len();
            let took = begin.elapsed().as_secs_f64();
            slowest = slowest.max(took);
            println!("{name}: {found} lines in {:.0} ms", took * 1000.0);
        }
        println!("slowest of engine {at}: {:.0} ms", slowest * 1000.0);
        assert!(slowest < 1.0, "{slowest} s");
    }
}
