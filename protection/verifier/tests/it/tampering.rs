//! Generated tamperings: every one must be found.

use std::collections::BTreeMap;
use std::fs;

use crate::cases::Case;
use crate::definition::Random;
use crate::samples::{SEGMENT, check, full, lines};
use crate::writer::{Lie, Line, build, token};

const KINDS: [&str; 16] = [
    "edit a byte",
    "drop a leaf",
    "insert a leaf",
    "reorder leaves",
    "truncate a file",
    "drop a checkpoint",
    "reorder checkpoints",
    "files added or removed",
    "fork",
    "back-date",
    "older copy",
    "map omission",
    "chain gap",
    "chain link",
    "line gap or short list",
    "map count",
];

#[test]
fn every_generated_tampering_is_found() {
    let wanted = if full() { 10_000 } else { 2_000 };
    let scratch = tempfile::tempdir().unwrap();
    let (folder, known) = (scratch.path().join("trace"), scratch.path().join("known"));
    let mut random = Random(20_260_101);
    let mut found: BTreeMap<&str, u64> = BTreeMap::new();
    let mut total = 0;
    while total < wanted {
        let length = 12 + random.below(40);
        let lines = lines(&mut random, length);
        let good = build(&lines, Lie::None);
        if good.sizes.len() < 2 {
            continue;
        }
        good.write(&folder, SEGMENT);
        fs::write(&known, good.notes.last().unwrap()).unwrap();
        let report = check(&folder, std::slice::from_ref(&known));
        assert_eq!(report.findings, [], "the good trace");
        assert_eq!(
            (report.judged, report.size),
            (good.leaves.len() as u64, good.leaves.len() as u64)
        );
        let case = Case {
            folder: &folder,
            known: &known,
            lines: &lines,
            good: &good,
        };
        for (kind, name) in KINDS.iter().enumerate() {
            let seed = random.clone();
            if !case.apply(kind, &mut random) {
                continue;
            }
            let known = if (8..=10).contains(&kind) {
                vec![case.known.clone()]
            } else {
                Vec::new()
            };
            let report = check(&folder, &known);
            assert!(!report.good(), "not found: {name}, random state {}", seed.0);
            *found.entry(name).or_default() += 1;
            total += 1;
        }
    }
    for (name, count) in &found {
        println!("{count:6} {name}");
    }
    println!("{total} generated tamperings, all found");
    assert_eq!(found.len(), KINDS.len());
}

#[test]
fn findings_name_the_place() {
    let scratch = tempfile::tempdir().unwrap();
    let line = |persons: &[u32], checkpoint| Line {
        time: 5,
        action: "person.open".into(),
        persons: persons.to_vec(),
        map: false,
        checkpoint,
    };
    let lines = [
        line(&[1, 2], false),
        line(&[], false),
        line(&[2], false),
        line(&[1], true),
    ];
    build(&lines, Lie::ChainGap(2)).write(scratch.path(), SEGMENT);
    let report = check(scratch.path(), &[]);
    let short = hex::encode(&token(2)[..4]);
    let english: Vec<String> = report.findings.iter().map(|finding| finding.en()).collect();
    assert_eq!(
        english,
        [format!(
            "leaf 3 of line 3: chain of token {short}… jumps from 1 to 3"
        )]
    );
    assert_eq!(
        report.findings[0].ja(),
        format!("3 行目の葉 3：トークン {short}… の連鎖が 1 から 3 へ飛んでいます")
    );
}
