//! Kills inside a rotation, a deletion and a load. Whatever was killed: the room opens, so its rows fit their sum; each
//! number is whole or gone; each order has one outcome.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use mimamori_kernel::id::NumberRef;
use mimamori_numbers::port::{Call, Kind};
use mimamori_storage::{Db, Location, Synchronous};

use crate::office::{Office, people};

fn kills() -> u32 {
    match std::env::var_os("MIMAMORI_FULL").is_some_and(|v| v == "1") {
        true => 200,
        false => 15,
    }
}

/// Moments from the first to a little after the last, in a mixed order.
fn moment(turn: u32, whole: Duration) -> Duration {
    let kills = kills();
    whole * (turn * 7919 % kills) * 11 / (kills * 10)
}

/// Ciphertext and index of a number as they stand in the file.
async fn bytes(office: &Office, reference: &NumberRef) -> Option<[Vec<u8>; 2]> {
    let location = Location::File {
        path: office.file(),
        synchronous: Synchronous::Full,
    };
    let db = Db::open(location, 1).await.unwrap();
    let sql = "SELECT sealed, ix FROM numbers_record WHERE reference = ?";
    let row = db.fetch_one(sql, vec![reference.bytes().into()]).await;
    db.close().await;
    row.unwrap()
        .map(|row| [0, 1].map(|at| row.bytes(at).unwrap().to_vec()))
}

/// Under how many versions of the keys the numbers stand.
async fn versions_of(office: &Office) -> i64 {
    let location = Location::File {
        path: office.file(),
        synchronous: Synchronous::Full,
    };
    let db = Db::open(location, 1).await.unwrap();
    let sql = "SELECT COUNT(DISTINCT version) FROM numbers_record";
    let row = db.fetch_one(sql, vec![]).await.unwrap().unwrap();
    db.close().await;
    row.int(0).unwrap()
}

/// Places where the database or its log still holds one of these texts.
fn left(office: &Office, texts: &[&[u8]]) -> usize {
    let search = aho_corasick::AhoCorasick::new(texts).unwrap();
    let files = ["", "-wal"].map(|end| format!("{}{end}", office.file().display()));
    let files = files.iter().filter_map(|file| std::fs::read(file).ok());
    files.map(|file| search.find_iter(&file).count()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_killed_at_any_moment_leaves_every_number_readable_and_goes_on() {
    let office = Office::new();
    let all = people(2_000, 1);
    let room = office.start().await;
    assert_eq!(room.loaded(&all).await.rows, 2_000);
    let whole = {
        let begin = Instant::now();
        room.client.call(Call::Rotate).await.unwrap();
        while room.progress().await.running {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        begin.elapsed()
    };
    room.end();
    let (mut inside, mut versions) = (0, HashSet::new());
    for turn in 0..kills() {
        let room = office.start().await;
        room.client.call(Call::Rotate).await.unwrap();
        tokio::time::sleep(moment(turn, whole)).await;
        room.kill();
        inside += u32::from(versions_of(&office).await == 2);
        assert_eq!(office.opened(), all.len(), "turn {turn}");
        let room = office.start().await;
        for n in 0..5 {
            let (reference, number) = &all[(turn as usize * 131 + n * 397) % all.len()];
            assert_eq!(room.shown(*reference).await, *number, "turn {turn}");
        }
        versions.insert(room.progress().await.version);
        room.kill();
    }
    assert!(inside > 3, "{inside} kills were inside");
    let room = office.start().await;
    while room.progress().await.running {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let end = room.progress().await;
    assert_eq!((end.count, end.old), (2_000, 0));
    assert!(versions.len() > 3, "{versions:?}");
    for (reference, number) in all.iter().step_by(20) {
        assert_eq!(room.shown(*reference).await, *number);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_whose_deletion_is_killed_is_fully_there_or_fully_gone() {
    const PORTION: usize = 30;
    let office = Office::new();
    let all = people(PORTION * (kills() as usize + 1), 1);
    let mut room = office.start().await;
    room.loaded(&all).await;
    let mut portions = all.chunks(PORTION);
    // How long it takes when nobody kills it.
    let begin = Instant::now();
    for (reference, _) in portions.next().unwrap() {
        let delete = Call::Delete(reference.to_string(), 9);
        room.client.call(delete).await.unwrap();
    }
    let whole = begin.elapsed();
    room.outcomes().await;
    let (mut there, mut gone) = (0, 0);
    for (turn, portion) in (0..kills()).zip(portions) {
        let mut stood = Vec::new();
        for (reference, _) in portion {
            stood.push(bytes(&office, reference).await.unwrap());
        }
        assert!(
            left(&office, &[&stood[0][0]]) > 0,
            "what is looked for is found"
        );
        let (client, references) = (room.client.clone(), portion.to_vec());
        let deleting = tokio::spawn(async move {
            for (reference, _) in references {
                let delete = Call::Delete(reference.to_string(), 9);
                if client.call(delete).await.is_err() {
                    break;
                }
            }
        });
        tokio::time::sleep(moment(turn, whole)).await;
        room.kill();
        deleting.abort();
        room = office.start().await;
        let told = room.outcomes().await;
        let mut wiped = Vec::new();
        for ((reference, number), stood) in portion.iter().zip(&stood) {
            let outcomes: Vec<_> = told
                .iter()
                .filter(|o| o.kind == "delete" && o.reference == Some(*reference))
                .collect();
            match bytes(&office, reference).await {
                Some(now) => {
                    there += 1;
                    assert!(outcomes.is_empty() && now == *stood, "turn {turn}");
                    assert_eq!(room.shown(*reference).await, *number, "turn {turn}");
                }
                None => {
                    gone += 1;
                    assert_eq!(outcomes.len(), 1, "turn {turn}");
                    assert_eq!(
                        (outcomes[0].outcome.as_str(), outcomes[0].line),
                        ("done", 9)
                    );
                    wiped.extend(stood.iter().map(Vec::as_slice));
                    let shown = room.shown(*reference).await;
                    assert!(shown.contains("登録がありません"), "{shown}");
                }
            }
        }
        assert_eq!(left(&office, &wiped), 0, "turn {turn}: bytes are left");
        // Nothing is written under a reference that is gone; its number is free for another.
        let (first, number) = portion[0].clone();
        if !room.held().await.contains(&first) {
            let again = room.registered(&(first, number.clone())).await;
            assert!(!again.contains("書き込みました"), "{again}");
            let other = room.registered(&(people(1, 1)[0].0, number)).await;
            assert!(other.contains("書き込みました"), "{other}");
        }
        room.outcomes().await;
    }
    assert!(there > 20 && gone > 20, "{there} there, {gone} gone");
    drop(room);
    office.opened();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_killed_at_any_moment_leaves_an_outcome_that_says_how_many_were_registered() {
    const ROWS: usize = 1_600;
    let office = Office::new();
    let room = office.start().await;
    let begin = Instant::now();
    room.loaded(&people(ROWS, 1)).await;
    let whole = begin.elapsed();
    room.kill();
    let (mut cut, mut before) = (0, ROWS);
    for turn in 0..kills() {
        let all = people(ROWS, 1 + before);
        let room = office.start().await;
        room.outcomes().await;
        let kill = tokio::time::sleep(moment(turn, whole));
        let sending = async {
            let ticket = room.sent(&all).await;
            kill.await;
            ticket
        };
        // An order that nothing comes of.
        let idle = room.ticket(Kind::Reveal, Some(all[0].0)).await.unwrap();
        let ticket = sending.await.unwrap();
        let mut told = room.outcomes().await;
        room.kill();
        let room = office.start().await;
        told.extend(room.outcomes().await);
        let of = |ticket| told.iter().filter(move |o| o.ticket == ticket);
        assert_eq!(of(idle).count(), 1, "turn {turn}");
        assert_eq!(of(idle).next().unwrap().outcome, "void");
        assert_eq!(of(ticket).count(), 1, "turn {turn}: {told:?}");
        let outcome = of(ticket).next().unwrap();
        let held = room.held().await.len() - before;
        assert_eq!(usize::try_from(outcome.rows).unwrap(), held, "turn {turn}");
        let code = outcome.outcome.as_str();
        match held {
            ROWS => assert!(["done", "stopped"].contains(&code), "turn {turn}: {code}"),
            0 => assert_eq!(code, "void", "turn {turn}"),
            _ => assert_eq!(code, "stopped", "turn {turn}"),
        }
        cut += u32::from(held > 0 && held < ROWS);
        // The same file again registers the rest.
        let again = room.loaded(&all).await;
        assert_eq!(usize::try_from(again.rows).unwrap(), ROWS - held);
        assert_eq!(usize::try_from(again.refused).unwrap(), held);
        before += ROWS;
        room.kill();
    }
    assert!(cut > 1, "{cut} loads were cut in the middle");
    assert_eq!(office.opened(), before);
}
