//! Vectors, trees, limits, hostile input, the command line and the speed.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use mimamori_verifier::finding::Problem;
use mimamori_verifier::format::{Body, Leaf};
use mimamori_verifier::note::{Checkpoint, Key};
use mimamori_verifier::{trace, tree};

use crate::definition::{Hash, Random, leaf_hash, path, root, sha};
use crate::samples::{SEGMENT, check, full, lines};
use crate::writer::{Lie, Line, build, key_file, records, sign};

fn vector(name: &str) -> Vec<u8> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors")
        .join(name);
    hex::decode(fs::read_to_string(file).unwrap().trim()).unwrap()
}

#[test]
fn the_hand_made_leaf_parses_and_hashes() {
    let bytes = vector("leaf-1.hex");
    let leaf = Leaf::parse(&bytes).unwrap();
    assert_eq!(
        (leaf.line, leaf.index, leaf.count, leaf.time, leaf.allowed),
        (1, 0, 1, 0, false)
    );
    assert_eq!(
        (leaf.role, leaf.action, leaf.purpose, leaf.policy),
        ("clerk", "person.open", "care", "default")
    );
    assert_eq!(leaf.body, Body::Nobody);
    assert_eq!(tree::leaf_hash(&bytes).to_vec(), vector("leaf-1.hash"));
}

#[test]
fn trees_and_paths_equal_the_definition() {
    let leaves: Vec<Hash> = (0..140u32).map(|n| sha(&[&n.to_be_bytes()])).collect();
    let mut frontier = tree::Frontier::default();
    for size in 0..leaves.len() {
        let all = &leaves[..size];
        assert_eq!(frontier.root(), root(all), "size {size}");
        for at in 0..size {
            let mut proof = path(at, all);
            let to = |leaf, at: usize, proof: &[Hash]| {
                tree::path_root(leaf, at as u64, size as u64, proof)
            };
            assert_eq!(to(leaves[at], at, &proof), Some(root(all)));
            assert_ne!(to(leaves[139], at, &proof), Some(root(all)));
            proof.push([0; 32]);
            assert_eq!(to(leaves[at], at, &proof), None);
            proof.truncate(proof.len().saturating_sub(2));
            assert!(size == 1 || to(leaves[at], at, &proof).is_none());
        }
        frontier.push(leaves[size]);
    }
}

#[test]
fn random_bytes_never_panic() {
    let mut random = Random(5);
    let key = Key::parse(key_file().as_bytes()).unwrap();
    let (leaf, note) = (vector("leaf-1.hex"), sign(3, &[4; 32], 2, 1));
    for round in 0..200_000 {
        let mut bytes: Vec<u8> = match round % 4 {
            0 => (0..random.below(400))
                .map(|_| random.next() as u8)
                .collect(),
            1 => key_file().into_bytes(),
            2 => note.clone(),
            _ => leaf.clone(),
        };
        for _ in 0..=random.below(4) {
            if bytes.is_empty() {
                break;
            }
            let at = random.below(bytes.len());
            match random.below(3) {
                0 => bytes[at] = random.next() as u8,
                1 => bytes.truncate(at),
                _ => bytes.insert(at, random.next() as u8),
            }
        }
        let _ = Leaf::parse(&bytes);
        let _ = Key::parse(&bytes);
        assert!(round % 4 == 2 && bytes == note || Checkpoint::open(&bytes, &key).is_err());
    }
}

#[test]
fn limits_and_work_in_progress() {
    let scratch = tempfile::tempdir().unwrap();
    let trace = build(&lines(&mut Random(9), 30), Lie::None);
    let segments = trace.leaves.len().div_ceil(SEGMENT);
    let last = scratch
        .path()
        .join(format!("leaves/{:04}.seg", segments - 1));
    let with = |extra: &[u8]| {
        trace.write(scratch.path(), SEGMENT);
        fs::write(&last, [fs::read(&last).unwrap(), extra.to_vec()].concat()).unwrap();
        check(scratch.path(), &[])
    };
    assert!(
        trace.leaves.len() % SEGMENT < SEGMENT - 3,
        "room for three more leaves"
    );
    let record = records(&[vec![1; 40]]);
    let report = with(&record[..20]);
    assert_eq!((report.good(), report.unfinished), (true, 20));
    let report = with(&record);
    assert!(matches!(report.findings[0].problem, Problem::Leaf(_)));
    assert!(with(&[0, 0]).good());
    for length in [0, 4_097, u32::MAX] {
        let report = with(&length.to_be_bytes());
        assert!(matches!(report.findings[0].problem, Problem::RecordLength(_, l) if l == length));
    }
    trace.write(scratch.path(), SEGMENT);
    let log = [records(&trace.notes), u32::MAX.to_be_bytes().to_vec()].concat();
    fs::write(scratch.path().join("checkpoints.log"), log).unwrap();
    assert!(!check(scratch.path(), &[]).good());
    trace.write(scratch.path(), SEGMENT);
    fs::write(scratch.path().join("checkpoint"), vec![b'a'; 20_000]).unwrap();
    assert!(!check(scratch.path(), &[]).good());
}

#[test]
fn the_command_line_tells_by_its_exit_code() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("trace");
    let mut few = lines(&mut Random(1), 8);
    build(&few, Lie::None).write(&folder, 1 << 20);
    let known = scratch.path().join("known");
    fs::copy(folder.join("checkpoint"), &known).unwrap();
    let run = |arguments: &[&str]| {
        let folder = scratch.path();
        let out = Command::new(env!("CARGO_BIN_EXE_mimamori-verify"))
            .args(arguments)
            .current_dir(folder)
            .output();
        let out = out.unwrap();
        (
            out.status.code().unwrap(),
            String::from_utf8(out.stdout).unwrap(),
        )
    };
    let (code, said) = run(&["trace", "."]);
    assert_eq!(code, 0, "{said}");
    for part in [
        "only as trustworthy as the folder",
        "rollback",
        "巻き戻し",
        "件を確認しました（チェックポイント",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let (code, said) = run(&[
        "trace",
        "trace",
        "--known",
        "known",
        "--key",
        "trace/key.pub",
    ]);
    assert!(
        code == 0 && !said.contains("trustworthy") && !said.contains("rollback"),
        "{said}"
    );
    few[3].time -= 60_000_000;
    build(&few, Lie::None).write(&folder, 1 << 20);
    assert_eq!(run(&["trace", "trace"]).0, 0);
    let (code, said) = run(&["trace", "trace", "--known", "known"]);
    assert!(
        code == 1 && said.contains("WRONG: known checkpoint known: root is not"),
        "{said}"
    );
    for wrong in [
        &["trace", "nowhere"][..],
        &["trace", "trace", "--known", "no"],
        &["statement", "no"],
        &["other"],
    ] {
        assert_eq!(run(wrong).0, 2);
    }
    fs::write(scratch.path().join("junk"), "{").unwrap();
    assert_eq!(run(&["statement", "junk", "--ja"]).0, 1);
}

#[test]
fn a_million_leaves() {
    if !full() && std::env::var_os("MIMAMORI_BENCH").is_none() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let lines: Vec<Line> = (0..1_000_000u32)
        .map(|n| Line {
            time: i64::from(n),
            action: "person.open".into(),
            persons: if n % 10_000 == 9_999 {
                Vec::new()
            } else {
                vec![(leaf_hash(&n.to_be_bytes())[0] as u32) * 100 + n % 97]
            },
            map: n % 10_000 == 9_999,
            checkpoint: n % 1_000 == 999,
        })
        .collect();
    let trace = build(&lines, Lie::None);
    trace.write(scratch.path(), 1_048_576);
    let bytes: usize = trace.leaves.iter().map(Vec::len).sum();
    drop(lines);
    let began = Instant::now();
    let report = trace::verify(scratch.path(), &trace::Options::default()).unwrap();
    let took = began.elapsed();
    assert_eq!((report.findings, report.judged), (Vec::new(), 1_000_000));
    println!(
        "1,000,000 leaves of {} bytes, {} persons, 100 maps, {} checkpoints: {took:?}",
        bytes / 1_000_000,
        report.persons,
        report.checkpoints,
    );
}
