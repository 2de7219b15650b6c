//! New keys while people look numbers up (S0-47).
#![allow(clippy::print_stdout, reason = "a test tells what it measured")]

use std::time::{Duration, Instant};

use super::*;

/// Look-ups a second, whatever the answers do.
const RATE: u64 = 50;

/// `MIMAMORI_FULL=1` takes the 93,000 of a town.
fn many() -> usize {
    match std::env::var_os("MIMAMORI_FULL").is_some_and(|v| v == "1") {
        true => 93_000,
        false => 3_000,
    }
}

/// Look-ups at their planned moments, by person and by number in turn, while `go` and at least for a second. Each must
/// show the right one. What was asked, with the latency from the planned moment, in words.
async fn looked(
    place: &Arc<Place>,
    all: &Arc<Vec<(NumberRef, String)>>,
    go: impl AsyncFn() -> bool,
) -> String {
    let begin = Instant::now();
    let (mut asked, mut n) = (Vec::new(), 0u64);
    while n < RATE || go().await {
        let due = begin + Duration::from_micros(n * 1_000_000 / RATE);
        tokio::time::sleep_until(due.into()).await;
        let (place, all) = (place.clone(), all.clone());
        asked.push(tokio::spawn(async move {
            let (reference, number) = &all[usize::try_from(n).unwrap() * 37 % all.len()];
            match n % 2 {
                0 => assert_eq!(place.shown(*reference).await, *number),
                _ => assert!(place.searched(number).await.contains("1人が見つかりました")),
            }
            due.elapsed()
        }));
        n += 1;
    }
    let mut took = Vec::new();
    for one in asked {
        took.push(one.await.expect("no look-up fails"));
    }
    took.sort();
    let at = |share: usize| took[(took.len() * share / 100).min(took.len() - 1)].as_millis();
    format!(
        "{n} look-ups, p50 {} ms, p99 {} ms, longest {} ms",
        at(50),
        at(99),
        at(100)
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_thousand_numbers_get_new_keys_and_no_look_up_fails_meanwhile() {
    let limits = Limits {
        finds: 1_000_000,
        all_finds: 1_000_000,
        reveals: 1_000_000,
        all_reveals: 1_000_000,
        ..Limits::default()
    };
    let many = many();
    let place = Arc::new(Place::new(limits).await);
    let all = Arc::new(people(many, 1));
    let load = place.sent(&all).await;
    let told = format!("{many}件を登録しました");
    assert!(place.ended(&load).await.contains(&told));
    let alone = looked(&place, &all, async || false).await;
    let begin = Instant::now();
    assert!(matches!(place.call(Call::Rotate).await, Reply::Done));
    let took = std::sync::OnceLock::new();
    let running = async || {
        let running = place.room.0.vault.rotating().await;
        if !running {
            took.get_or_init(|| begin.elapsed());
        }
        running
    };
    let during = looked(&place, &all, running).await;
    let took = took.get().unwrap().as_secs_f64();
    println!("alone: {alone}; while {many} numbers got new keys in {took:.1} s: {during}");
    let progress = place.room.0.vault.progress().await.unwrap();
    let count = i64::try_from(many).unwrap();
    assert_eq!(
        (progress.version, progress.count, progress.old),
        (2, count, 0)
    );
    let vault = &place.room.0.vault;
    assert_eq!(vault.whole().await.unwrap().count, count);
    for (reference, number) in all.iter() {
        let held = vault.reveal(reference).await.unwrap().unwrap();
        assert_eq!(held.digits(), number.as_bytes());
        assert_eq!(vault.find(&held).await.unwrap(), Some(*reference));
    }
    let sql = "SELECT DISTINCT version FROM numbers_record";
    assert_eq!(vault.db().fetch(sql, vec![]).await.unwrap().len(), 1);
    assert!(took < 60.0, "{took:.1} s");
}

#[tokio::test]
async fn a_form_that_was_open_over_a_rotation_is_filled_in_afterwards() {
    let place = Place::new(Limits::default()).await;
    let all = people(300, 1);
    let load = place.sent(&all).await;
    place.ended(&load).await;
    let (reference, first) = all[7].clone();
    let correct = place.ticket(order(Kind::Correct, Some(reference))).await;
    place.get(&format!("/entry/{correct}")).await;
    // Put back after a typing error, once before the new keys and once after.
    let wrong = async || {
        let (status, body) = place.typed(&correct, "123456789012").await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
    };
    wrong().await;
    assert!(matches!(place.call(Call::Rotate).await, Reply::Done));
    while place.room.0.vault.progress().await.unwrap().running {
        tokio::task::yield_now().await;
    }
    wrong().await;
    let (status, body) = place.typed(&correct, &number(900)).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(place.shown(reference).await, number(900));
    assert!(place.searched(&first).await.contains("見つかりません"));
    assert_eq!(place.room.0.vault.whole().await.unwrap().count, 300);
}
