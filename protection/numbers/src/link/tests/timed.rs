//! 10,000 persons over both ways; the time is printed (`docs/figures.md`).

use std::time::Instant;

use mimamori_atena_simulator::people;
use mimamori_kernel::clock::Clock as _;
use mimamori_kernel::id::NumberRef;

use super::super::{ActKind, counts, put};
use super::{Office, Post, Town};

async fn fill(office: &Office, count: u32) {
    let mut writer = office.db.writer().await.unwrap();
    writer.begin().await.unwrap();
    for (n, person) in people(count, 1).into_iter().enumerate() {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&(n as u64).to_be_bytes());
        let reference = NumberRef::from_bytes(bytes);
        office
            .numbers
            .lock()
            .unwrap()
            .insert(reference, person.individual_number);
        put(
            &mut writer,
            &*office.random,
            office.clock.now(),
            &reference,
            &person.address_number,
            ActKind::Link,
        )
        .await
        .unwrap();
    }
    writer.commit().await.unwrap();
}

fn how_many() -> u32 {
    if std::env::var("MIMAMORI_FULL").is_ok() {
        10_000
    } else {
        500
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_persons_go_over_https_and_are_compared() {
    let (town, count) = (Town::new().await, how_many());
    fill(&town.office, count).await;
    let begun = Instant::now();
    town.office.connector.pass().await.unwrap();
    let told = begun.elapsed();
    assert_eq!(
        counts(&town.office.db).await.unwrap().linked,
        i64::from(count)
    );
    town.office.clock.pass(std::time::Duration::from_secs(1));
    let compared = town.office.connector.reconcile().await.unwrap().unwrap();
    assert_eq!((compared.total, compared.found), (count as usize, 0));
    println!(
        "https: {count} told in {told:?}, compared in {:?}",
        begun.elapsed() - told
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_persons_go_by_file_and_are_compared() {
    let (mut post, count) = (Post::new().await, how_many());
    fill(&post.office, count).await;
    let begun = Instant::now();
    post.round().await;
    let told = begun.elapsed();
    assert_eq!(
        counts(&post.office.db).await.unwrap().linked,
        i64::from(count)
    );
    post.office
        .clock
        .pass(std::time::Duration::from_secs(3_600));
    post.folder
        .lay_list(&post.world, post.office.clock.now())
        .unwrap();
    let compared = post.office.connector.reconcile().await.unwrap().unwrap();
    assert_eq!((compared.total, compared.found), (count as usize, 0));
    println!(
        "files: {count} told in {told:?}, compared in {:?}",
        begun.elapsed() - told
    );
}
