//! PROTECTION G5.1: every flipped bit of a package of 64 KiB, and every truncation, is refused before a row is shown.

use std::collections::BTreeMap;
use std::sync::Mutex;

use mimamori_kernel::random::SeededRandom;
use mimamori_package::*;

use crate::world::{World, code};

/// A package of at least 64 KiB, but hardly more.
fn package(world: &World) -> Vec<u8> {
    let rows = (1_200..1_700).find(|rows| {
        let table = write_rows(&World::columns(), &World::rows(*rows)).unwrap();
        table.len() > 60_600
    });
    let bytes = world.package(rows.unwrap());
    assert!((65_536..68_000).contains(&bytes.len()), "{}", bytes.len());
    bytes
}

#[test]
fn every_flipped_bit_of_a_package_of_64_kib_is_refused() {
    let full = std::env::var_os("MIMAMORI_FULL").is_some();
    let world = World::new();
    let bytes = package(&world);
    assert!(world.open(&bytes, |_| {}).is_ok());
    let all = bytes.len() * 8;
    // Every bit of the header, the nonce and the last block; of the rest a sample of 3,000 unless everything is asked for.
    let random = SeededRandom::new(64);
    let mut bits: Vec<usize> = (0..600 * 8).chain(all - 64 * 8..all).collect();
    match full {
        true => bits = (0..all).collect(),
        false => bits.extend((0..3_000).map(|_| random.below(all as u64) as usize)),
    }
    let began = std::time::Instant::now();
    let codes = Mutex::new(BTreeMap::<&str, usize>::new());
    std::thread::scope(|scope| {
        for part in bits.chunks(bits.len().div_ceil(2)) {
            let (world, bytes, codes) = (&world, &bytes, &codes);
            scope.spawn(move || {
                let mut mine = BTreeMap::<&str, usize>::new();
                let mut bytes = bytes.clone();
                for bit in part {
                    bytes[bit / 8] ^= 1 << (bit % 8);
                    *mine.entry(code(world.open(&bytes, |_| {}))).or_default() += 1;
                    bytes[bit / 8] ^= 1 << (bit % 8);
                }
                for (code, count) in mine {
                    *codes.lock().unwrap().entry(code).or_default() += count;
                }
            });
        }
    });
    let codes = codes.into_inner().unwrap();
    assert_eq!(codes.values().sum::<usize>(), bits.len());
    println!(
        "{} flips of {all} bits refused in {:.1} s: {codes:?}",
        bits.len(),
        began.elapsed().as_secs_f64()
    );
}

#[test]
fn a_package_that_ends_early_anywhere_is_refused() {
    let world = World::new();
    let bytes = world.package(6_000);
    // The header's length is not ours to know, but chunks end at multiples of 65,552 before the end of the last one.
    assert!(bytes.len() > 4 * 65_552, "{}", bytes.len());
    let mut ends: Vec<usize> = (0..1_000).collect();
    for chunk in 1..=bytes.len() / 65_552 {
        for header in 150..700 {
            ends.push(header + chunk * 65_552);
        }
    }
    ends.extend(bytes.len().saturating_sub(600)..bytes.len());
    ends.retain(|end| *end < bytes.len());
    let random = SeededRandom::new(65);
    // Each of them takes milliseconds in a debug build: the ends of the chunks are all within reach of a sample and
    // the full run takes all.
    if std::env::var_os("MIMAMORI_FULL").is_none() {
        ends.retain(|end| *end < 200 || bytes.len() - *end < 40 || random.below(20) == 0);
    }
    for end in ends {
        assert!(world.open(&bytes[..end], |_| {}).is_err(), "cut at {end}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(world.open(&longer, |_| {}).is_err(), "something follows");
}

#[test]
fn a_changed_zip_is_refused_or_is_still_what_was_approved() {
    let world = World::new();
    let words = "abcd-efgh-jkmn-pqrs-tuvw-xyz2-3456";
    let bytes = world.with_slip(40, &Envelope::Zip(words.into()));
    let rows = World::rows(40);
    let mut unchanged = 0;
    let (mut refused, mut broken) = (0, bytes.clone());
    for bit in 0..bytes.len() * 8 {
        // Each costs the derivation of a key twice; a hundredth of the bits is enough for every day.
        if std::env::var_os("MIMAMORI_FULL").is_none() && bit % 101 != 0 {
            continue;
        }
        broken[bit / 8] ^= 1 << (bit % 8);
        match world.open_by(&broken, &Key::Passphrase(words), |_| {}) {
            Err(_) => refused += 1,
            Ok(mut opened) => {
                unchanged += 1;
                let file = opened.file("people.csv").unwrap();
                assert_eq!(read_rows(&World::columns(), &file).unwrap(), rows);
            }
        }
        broken[bit / 8] ^= 1 << (bit % 8);
    }
    println!("{refused} flips refused, {unchanged} without a meaning");
    assert!(refused > 20 * unchanged);
    for end in (0..bytes.len()).step_by(97) {
        let cut = world.open_by(&bytes[..end], &Key::Passphrase(words), |_| {});
        assert!(cut.is_err(), "cut at {end}");
    }
}
