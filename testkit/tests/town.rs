//! The written town, read back from its files.
#![allow(clippy::unwrap_used, reason = "a failed test may stop")]

use jiff::civil::date;
use mimamori_kernel::date::{Age, age_on, parse_any};
use mimamori_testkit::{
    HOUSEHOLD_COLUMNS, RESIDENT_COLUMNS, TownArgs, TownCounts, TownError, write_town,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

fn args(people: u32, seed: u64) -> TownArgs {
    TownArgs {
        people,
        seed,
        ..TownArgs::default()
    }
}

fn bytes(folder: &Path) -> Vec<Vec<u8>> {
    ["residents.csv", "households.csv", "counts.json"]
        .map(|f| std::fs::read(folder.join(f)).unwrap())
        .into()
}

/// Header and rows of a CP932 file; fails on any byte that does not decode.
fn read(folder: &Path, file: &str) -> (Vec<String>, Vec<HashMap<String, String>>) {
    let raw = std::fs::read(folder.join(file)).unwrap();
    let text = encoding_rs::SHIFT_JIS
        .decode_without_bom_handling_and_without_replacement(&raw)
        .unwrap();
    let (again, _, lost) = encoding_rs::SHIFT_JIS.encode(&text);
    assert!(!lost && *again == raw[..], "{file} loses characters");
    assert!(text.ends_with("\r\n") && text.matches('\n').count() == text.matches("\r\n").count());
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header: Vec<String> = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    let rows = reader
        .records()
        .map(|r| {
            header
                .iter()
                .cloned()
                .zip(r.unwrap().iter().map(str::to_owned))
                .collect()
        })
        .collect();
    (header, rows)
}

fn town(people: u32, seed: u64) -> (tempfile::TempDir, TownCounts) {
    let folder = tempfile::tempdir().unwrap();
    let counts = write_town(&args(people, seed), folder.path()).unwrap();
    (folder, counts)
}

#[test]
fn the_same_arguments_write_the_same_bytes_and_another_seed_or_day_does_not() {
    let (a, counts) = town(700, 7);
    let (b, again) = town(700, 7);
    let (c, _) = town(700, 8);
    assert_eq!(counts, again);
    assert_eq!(bytes(a.path()), bytes(b.path()));
    assert_ne!(bytes(a.path())[0], bytes(c.path())[0]);
    let other = TownArgs {
        as_of: date(2026, 11, 22),
        ..args(700, 7)
    };
    write_town(&other, c.path()).unwrap();
    assert_ne!(bytes(a.path())[0], bytes(c.path())[0]);
}

#[test]
fn the_counts_are_exact_at_every_small_size_and_agree_with_the_files() {
    for people in [1, 2, 3, 10, 93, 100, 930] {
        let (folder, c) = town(people, 3);
        let (header, rows) = read(folder.path(), "residents.csv");
        assert_eq!(header, RESIDENT_COLUMNS);
        let latest: Vec<_> = rows.iter().filter(|r| r["最新フラグ"] == "1").collect();
        let count =
            |column: &str, value: &str| latest.iter().filter(|r| r[column] == value).count() as u32;
        assert_eq!((c.people, c.rows), (people, rows.len() as u32));
        assert_eq!(latest.len() as u32, people);
        assert_eq!(c.insured, (f64::from(people) * 75.0 / 93.0).round() as u32);
        assert_eq!(
            (c.insured, c.members),
            (count("資格", "1"), count("資格", "0"))
        );
        assert_eq!(
            (c.deceased, c.moved_out),
            (count("異動事由", "死亡"), count("異動事由", "転出"))
        );
        assert_eq!(
            (c.foreign, c.protected),
            (count("住民区分", "2"), count("支援措置", "1"))
        );
        assert_eq!(c.special_address, count("住所地特例", "1"));
        let unknown = latest
            .iter()
            .filter(|r| r["生年月日"].ends_with("00"))
            .count() as u32;
        assert_eq!(c.unknown_birth, unknown);
        let mut same: BTreeMap<&str, u32> = BTreeMap::new();
        for row in &latest {
            *same.entry(&row["氏名漢字"]).or_default() += 1;
        }
        assert_eq!(
            c.same_name_groups,
            same.values().filter(|n| **n > 1).count() as u32
        );
        assert!(people < 100 || c.same_name_same_birth_groups > 0);
        let (_, households) = read(folder.path(), "households.csv");
        assert_eq!(c.households, households.len() as u32);
        let json = std::fs::read(folder.path().join("counts.json")).unwrap();
        assert_eq!(serde_json::from_slice::<TownCounts>(&json).unwrap(), c);
    }
}

#[test]
fn numbers_are_text_with_their_leading_zeros() {
    let (folder, _) = town(500, 1);
    for row in read(folder.path(), "residents.csv").1 {
        for (column, length) in [("宛名番号", 15), ("世帯番号", 10), ("住所コード", 7)]
        {
            assert!(
                row[column].len() == length && row[column].bytes().all(|c| c.is_ascii_digit()),
                "{column}"
            );
        }
        assert!(row["宛名番号"].starts_with('0') && row["世帯番号"].starts_with('0'));
        let insured = &row["被保険者番号"];
        assert_eq!(
            row["資格"] == "1",
            insured.len() == 10 && insured.starts_with('0')
        );
        assert!(row["電話番号"].is_empty() || row["電話番号"].starts_with("0999-"));
        assert!(row["郵便番号"].starts_with("999-"));
    }
}

#[test]
fn every_household_has_its_head_among_its_own_people() {
    let (folder, _) = town(1_500, 2);
    let (header, households) = read(folder.path(), "households.csv");
    assert_eq!(header, HOUSEHOLD_COLUMNS);
    let (_, rows) = read(folder.path(), "residents.csv");
    let mut heads = HashMap::new();
    let mut present = HashMap::new();
    for row in rows.iter().filter(|r| r["最新フラグ"] == "1") {
        if row["続柄"] == "世帯主" {
            assert!(heads.insert(&row["世帯番号"], row).is_none(), "two heads");
        }
        let here = !matches!(row["異動事由"].as_str(), "死亡" | "転出");
        *present.entry(&row["世帯番号"]).or_insert(0) += u32::from(here);
    }
    assert_eq!(heads.len(), households.len());
    assert_eq!(present.len(), households.len());
    for house in &households {
        let head = heads[&house["世帯番号"]];
        assert_eq!(head["宛名番号"], house["世帯主宛名番号"]);
        assert_eq!(head["住所"], house["住所"]);
        assert_eq!(
            present[&house["世帯番号"]] == 0,
            !house["消除日"].is_empty()
        );
    }
}

#[test]
fn every_date_can_be_read_and_the_insured_are_65_by_law() {
    let (folder, _) = town(1_500, 5);
    let as_of = TownArgs::default().as_of;
    let mut days: HashMap<String, String> = HashMap::new();
    let mut serials: HashMap<String, u32> = HashMap::new();
    for row in read(folder.path(), "residents.csv").1 {
        let birth = parse_any(&row["生年月日"]).unwrap();
        assert_eq!(
            row["生年月日"].len(),
            if row["住民区分"] == "2" { 8 } else { 7 }
        );
        let age = age_on(birth, as_of);
        if birth.is_full() {
            assert_eq!(row["資格"] == "1", age.least() >= Some(65), "{age}");
        }
        assert_ne!(age, Age::NotBorn);
        let day = parse_any(&row["異動日"]).unwrap();
        let notice = parse_any(&row["届出日"]).unwrap();
        assert!(day <= notice && notice.full() <= Some(as_of));
        let person = row["宛名番号"].clone();
        let before = days.insert(person.clone(), row["異動日"].clone());
        assert!(
            before.is_none_or(|b| b <= row["異動日"]),
            "history goes back"
        );
        let serial = serials.entry(person).or_default();
        *serial += 1;
        assert!(*serial <= 4 && row["履歴番号"] == serial.to_string());
        let moved = matches!(row["異動事由"].as_str(), "転出" | "住所地特例");
        assert_eq!(moved, !row["転出先住所"].is_empty());
    }
}

#[test]
fn the_shares_of_a_large_town_are_the_promised_ones() {
    let (folder, c) = town(10_000, 1);
    let near = |n: u32, percent: f64| (f64::from(n) / 100.0 - percent).abs() < percent * 0.15;
    assert!(
        near(c.deceased, 3.0) && near(c.moved_out, 2.0) && near(c.foreign, 2.0),
        "{c:?}"
    );
    assert!(
        near(c.special_address, 0.6) && near(c.protected, 0.2) && near(c.unknown_birth, 0.3),
        "{c:?}"
    );
    assert!(c.same_name_same_birth_groups >= 19, "{c:?}");
    let (_, rows) = read(folder.path(), "residents.csv");
    for variant in ["髙橋", "渡邉", "山﨑", "齋藤", "濵田"] {
        assert!(
            rows.iter().any(|r| r["氏名漢字"].starts_with(variant)),
            "{variant}"
        );
    }
    assert!(
        rows.iter()
            .any(|r| r["住民区分"] == "2" && !r["通称"].is_empty())
    );
}

#[test]
fn impossible_arguments_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for people in [0, 2_000_001] {
        assert!(matches!(
            write_town(&args(people, 1), folder.path()),
            Err(TownError::People)
        ));
    }
    let early = TownArgs {
        as_of: date(2019, 4, 30),
        ..args(1, 1)
    };
    assert!(matches!(
        write_town(&early, folder.path()),
        Err(TownError::AsOf)
    ));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Run with `cargo test --release -- --ignored --nocapture` to see the time.
#[test]
#[ignore = "measures the time of the whole town"]
fn the_whole_town_is_written_within_three_seconds() {
    let start = std::time::Instant::now();
    let (_folder, counts) = town(93_000, 1);
    println!("{:?} {counts:#?}", start.elapsed());
    assert_eq!((counts.insured, counts.members), (75_000, 18_000));
    assert!(start.elapsed().as_secs() < 3);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_seed_size_and_day_writes_a_sound_town(people in 1u32..200, seed: u64, days in 0i32..29_000) {
        let as_of = date(2019, 5, 1).checked_add(jiff::Span::new().days(days)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let counts = write_town(&TownArgs { people, seed, as_of }, folder.path()).unwrap();
        prop_assert_eq!(counts.people, people);
        for row in read(folder.path(), "residents.csv").1 {
            let birth = parse_any(&row["生年月日"]);
            prop_assert!(birth.is_ok(), "{:?} {}", birth, &row["生年月日"]);
        }
    }
}
