//! New keys while people look numbers up (S0-47).

use std::time::{Duration, Instant};

use super::*;

/// Look-ups a second, whatever the answers do.
const RATE: u64 = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_thousand_numbers_get_new_keys_and_no_look_up_fails_meanwhile() {
    let limits = Limits {
        finds: 1_000_000,
        all_finds: 1_000_000,
        reveals: 1_000_000,
        all_reveals: 1_000_000,
        ..Limits::default()
    };
    let place = Arc::new(Place::new(limits).await);
    let all = Arc::new(people(3_000, 1));
    let load = place.sent(&all).await;
    assert!(place.ended(&load).await.contains("3000件を登録しました"));
    assert!(matches!(place.call(Call::Rotate).await, Reply::Done));
    let begin = Instant::now();
    let (mut asked, mut n) = (Vec::new(), 0u64);
    loop {
        let due = begin + Duration::from_micros(n * 1_000_000 / RATE);
        tokio::time::sleep_until(due.into()).await;
        let progress = place.room.0.vault.progress().await.unwrap();
        if !progress.running && n >= RATE {
            break;
        }
        let (place, all) = (place.clone(), all.clone());
        asked.push(tokio::spawn(async move {
            let (reference, number) = &all[usize::try_from(n).unwrap() * 37 % all.len()];
            match n % 2 {
                0 => assert_eq!(place.shown(*reference).await, *number),
                _ => assert!(place.searched(number).await.contains("1人が見つかりました")),
            }
        }));
        n += 1;
    }
    for one in asked {
        one.await.expect("no look-up fails");
    }
    let progress = place.room.0.vault.progress().await.unwrap();
    assert_eq!(
        (progress.version, progress.count, progress.old),
        (2, 3_000, 0)
    );
    let vault = &place.room.0.vault;
    assert_eq!(vault.whole().await.unwrap().count, 3_000);
    for (reference, number) in all.iter() {
        let held = vault.reveal(reference).await.unwrap().unwrap();
        assert_eq!(held.digits(), number.as_bytes());
        assert_eq!(vault.find(&held).await.unwrap(), Some(*reference));
    }
    let sql = "SELECT DISTINCT version FROM numbers_record";
    assert_eq!(vault.db().fetch(sql, vec![]).await.unwrap().len(), 1);
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
