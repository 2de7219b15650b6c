//! The health checks of the sample town, read back: every planted defect is found and nothing else.
#![allow(clippy::unwrap_used, reason = "a failed test may stop")]

use std::collections::BTreeSet;
use std::fs::File;

use mimamori_kidney_prevention::checkup::{
    Codes, Layout, Limits, Outcome, Read, Test, gather, read_archive, read_mapped,
};
use mimamori_testkit::TownArgs;
use mimamori_testkit::checkups::{CheckupArgs, CheckupCounts, PlantedCheckup, write_checkups};

type Found = BTreeSet<(String, String, String, String)>;

struct Sample {
    counts: CheckupCounts,
    planted: Vec<PlantedCheckup>,
    rows: Vec<Read>,
    documents: Vec<Read>,
}

fn sample(people: u32, checks: u32) -> Sample {
    let folder = tempfile::tempdir().unwrap();
    let town = TownArgs {
        people,
        ..TownArgs::default()
    };
    let today = town.as_of;
    let (counts, planted) = write_checkups(&CheckupArgs { town, checks }, folder.path()).unwrap();
    let codes = Codes::standard();
    let layout = Layout::sample(codes).unwrap();
    let open = |name: &str| File::open(folder.path().join(name)).unwrap();
    let mut rows = vec![];
    let mapped = read_mapped(open("checkups.csv"), &layout, codes, today, |r| {
        rows.push(r)
    })
    .unwrap();
    assert_eq!(
        (mapped.rows, mapped.unknown.len()),
        (u64::from(counts.rows), 0)
    );
    let mut documents = vec![];
    let archive = read_archive(open("checkups.zip"), Limits::STANDARD, codes, today, |r| {
        documents.push(r)
    })
    .unwrap();
    assert!(archive.agrees() && archive.documents == u64::from(counts.documents));
    Sample {
        counts,
        planted,
        rows: gather(rows),
        documents: gather(documents),
    }
}

fn found(file: &str, reads: &[Read]) -> Found {
    let of = |r: &Read| -> Vec<_> {
        let told = r.defects.iter().map(|d| {
            (
                file.to_owned(),
                r.place.clone(),
                d.item.clone(),
                d.reason.code().to_owned(),
            )
        });
        told.collect()
    };
    reads.iter().flat_map(of).collect()
}

#[test]
fn every_planted_defect_is_found_and_nothing_else() {
    let sample = sample(6_000, 4_000);
    assert_eq!(sample.counts.checks, 4_000);
    let mut all = found("checkups.csv", &sample.rows);
    all.extend(found("checkups.zip", &sample.documents));
    // Who the person is, only the register can say: that is found when residents are matched.
    let planted: Found = sample
        .planted
        .iter()
        .filter(|p| p.code != "CHECKUP-NOBODY")
        .map(|p| {
            (
                p.file.to_owned(),
                p.place.clone(),
                p.item.clone(),
                p.code.to_owned(),
            )
        })
        .collect();
    let codes: BTreeSet<_> = planted.iter().map(|p| p.3.as_str()).collect();
    assert!(codes.len() >= 13, "{codes:?}");
    assert_eq!(all, planted);
}

#[test]
fn what_was_read_is_what_was_counted() {
    let sample = sample(6_000, 4_000);
    let refused: BTreeSet<_> = ["DATE", "SEX", "QUOTE", "DOCUMENT", "XML", "REPEATED"]
        .map(|c| format!("CHECKUP-{c}"))
        .into();
    let all = || sample.rows.iter().chain(&sample.documents);
    let taken = all().filter(|r| r.checkup.is_some()).count();
    let kept_back: u32 = sample
        .counts
        .planted
        .iter()
        .filter(|(c, _)| refused.contains(*c))
        .map(|(_, n)| n)
        .sum();
    let again = sample
        .counts
        .planted
        .get("CHECKUP-REPEATED")
        .copied()
        .unwrap_or(0)
        / 2;
    assert_eq!(taken as u32, sample.counts.checks - kept_back + again);
    let lacks = |r: &&Read| {
        let has = |test| {
            matches!(
                r.checkup.as_ref().and_then(|c| c.outcome(test)),
                Some(Outcome::Amount { .. })
            )
        };
        r.checkup.is_some() && !has(Test::Creatinine) && !has(Test::Egfr)
    };
    let without = all().filter(lacks).count() as u32;
    let share = f64::from(without) / f64::from(sample.counts.checks);
    assert!((0.25..0.40).contains(&share), "{share}");
    assert!(without <= sample.counts.without_kidney);
}

#[test]
fn the_same_arguments_give_the_same_bytes() {
    let bytes = |seed| {
        let folder = tempfile::tempdir().unwrap();
        let town = TownArgs {
            people: 800,
            seed,
            ..TownArgs::default()
        };
        write_checkups(&CheckupArgs { town, checks: 300 }, folder.path()).unwrap();
        [
            "checkups.csv",
            "checkups.zip",
            "checkups-planted.csv",
            "checkups.json",
        ]
        .map(|f| std::fs::read(folder.path().join(f)).unwrap())
    };
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1)[0], bytes(2)[0]);
}
