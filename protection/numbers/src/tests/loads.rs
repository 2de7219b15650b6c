//! Files of first numbers: two at once, and one whose session ends.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_loads_at_once_register_each_number_once() {
    let place = Place::new(Limits::default()).await;
    // Half of the rows stand in both files.
    let all = people(1_500, 1);
    let (one, two) = tokio::join!(place.sent(&all[..1_000]), place.sent(&all[500..]));
    let pages = tokio::join!(place.ended(&one), place.ended(&two));
    for page in [&pages.0, &pages.1] {
        assert!(page.contains("1000件のうち1000件を確かめ"), "{page}");
    }
    let (one, two) = (place.outcome(&one).await, place.outcome(&two).await);
    assert_eq!(
        (one.outcome.as_str(), two.outcome.as_str()),
        ("done", "done")
    );
    assert_eq!(
        (one.rows + two.rows, one.refused + two.refused),
        (1_500, 500)
    );
    let vault = &place.room.0.vault;
    assert_eq!(vault.whole().await.unwrap().count, 1_500);
    for (reference, number) in &all {
        let held = vault.reveal(reference).await.unwrap().unwrap();
        assert_eq!(held.digits(), number.as_bytes());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_whose_session_ends_stops_and_says_how_far_it_came() {
    let place = Place::new(Limits::default()).await;
    let all = people(20_000, 1);
    let load = place.sent(&all).await;
    while place.room.0.vault.held(None).await.unwrap().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    place.call(Call::ForgetSession(session())).await;
    let page = place.ended(&load).await;
    assert!(page.contains("途中で止まりました"), "{page}");
    let outcome = place.outcome(&load).await;
    let held = place.room.0.vault.whole().await.unwrap().count;
    assert_eq!((outcome.outcome.as_str(), outcome.rows), ("stopped", held));
    assert!((1..20_000).contains(&held), "{held}");
}
