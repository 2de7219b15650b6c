//! Statements: good ones stand, everything left out or changed is refused.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mimamori_verifier::statement::{Report, verify};
use serde_json::{Value, json};

use crate::definition::{Hash, Random, leaf_hash, path};
use crate::samples::lines;
use crate::writer::{Lie, Line, Trace, build, entries, key_file, token};

/// The statement as of the end of the trace, whose last leaf is a map.
fn statement(trace: &Trace, person: u32) -> Value {
    let hashes: Vec<Hash> = trace.leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    let b64 = |path: Vec<Hash>| {
        path.iter()
            .map(|hash| STANDARD.encode(hash))
            .collect::<Vec<_>>()
    };
    let token = token(person);
    let own = |leaf: &[u8]| leaf[1] == 2 && leaf[leaf.len() - 72..leaf.len() - 40] == token;
    let shown: Vec<Value> = (0..hashes.len())
        .filter(|at| own(&trace.leaves[*at]))
        .map(|at| json!({"index": at, "leaf": STANDARD.encode(&trace.leaves[at]), "proof": b64(path(at, &hashes))}))
        .collect();
    let last = hashes.len() - 1;
    let position = trace.chains.keys().position(|t| *t == token).unwrap();
    json!({
        "format": "mimamori-statement-1", "key": key_file(),
        "checkpoint": String::from_utf8(trace.notes.last().unwrap().clone()).unwrap(),
        "token": hex::encode(token), "entries": shown,
        "map": {"index": last, "leaf": STANDARD.encode(&trace.leaves[last]), "proof": b64(path(last, &hashes)),
            "position": position, "entry_proof": b64(path(position, &entries(&trace.chains)))},
    })
}

fn judge(folder: &Path, bytes: impl AsRef<[u8]>) -> Report {
    let file = folder.join("statement.json");
    std::fs::write(&file, bytes).unwrap();
    verify(&file, None, None).unwrap()
}

fn sample(seed: u64) -> (Vec<Line>, Trace, u32) {
    let mut random = Random(seed);
    let mut lines = lines(&mut random, 40);
    lines
        .iter_mut()
        .step_by(7)
        .filter(|line| !line.map)
        .for_each(|line| line.persons = vec![90, 91]);
    let trace = build(&lines, Lie::None);
    (lines, trace, 90)
}

#[test]
fn a_good_statement_stands() {
    let scratch = tempfile::tempdir().unwrap();
    for seed in 0..20 {
        let (_, trace, person) = sample(seed);
        let good = statement(&trace, person);
        let report = judge(scratch.path(), good.to_string());
        assert_eq!(report.findings, []);
        let count = good["entries"].as_array().unwrap().len() as u64;
        assert_eq!((report.entries, report.proven), (count, count));
        let said = report.sentences();
        assert_eq!(
            said[0].en,
            format!(
                "{count} of {count} up to checkpoint {} (line 40).",
                trace.leaves.len()
            )
        );
    }
}

#[test]
fn a_statement_that_leaves_out_or_changes_anything_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let (lines, trace, person) = sample(3);
    let good = statement(&trace, person);
    let mut cases = 0;
    let mut refused = |what: &str, value: &Value| {
        assert!(!judge(scratch.path(), value.to_string()).good(), "{what}");
        cases += 1;
    };
    let shown = good["entries"].as_array().unwrap().len();
    for at in 0..shown {
        let mut value = good.clone();
        value["entries"].as_array_mut().unwrap().remove(at);
        refused("entry dropped", &value);
        let leaf = STANDARD
            .decode(good["entries"][at]["leaf"].as_str().unwrap())
            .unwrap();
        for byte in 0..leaf.len() {
            let mut changed = leaf.clone();
            changed[byte] ^= 1 << (byte % 8);
            let mut value = good.clone();
            value["entries"][at]["leaf"] = STANDARD.encode(changed).into();
            refused("entry byte changed", &value);
        }
        let mut value = good.clone();
        value["entries"]
            .as_array_mut()
            .unwrap()
            .swap(at, (at + 1) % shown);
        refused("entries reordered", &value);
    }
    let mut value = good.clone();
    value["token"] = hex::encode(token(91)).into();
    refused("wrong token", &value);
    value = statement(&trace, 91);
    value["token"] = good["token"].clone();
    refused("another person's entries", &value);
    // a stale map: the last map before the end, of the same tree
    let hashes: Vec<Hash> = trace.leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    for at in (0..trace.leaves.len() - 1).filter(|at| trace.leaves[*at][1] == 3) {
        let mut value = good.clone();
        value["map"]["index"] = at.into();
        value["map"]["leaf"] = STANDARD.encode(&trace.leaves[at]).into();
        value["map"]["proof"] = path(at, &hashes)
            .iter()
            .map(|hash| STANDARD.encode(hash))
            .collect();
        refused("stale map", &value);
    }
    // the map of an older tree, with all entries of that time, under the new checkpoint
    let older = lines[..lines.len() - 1]
        .iter()
        .rposition(|line| line.map)
        .unwrap();
    let mut value = statement(&build(&lines[..=older], Lie::None).signed(), person);
    value["checkpoint"] = good["checkpoint"].clone();
    refused("older tree under the new checkpoint", &value);
    value = statement(&build(&lines, Lie::OmitFromMap(lines.len() - 1)), person);
    value["map"]["position"] = 0.into();
    refused("map rebuilt without a person", &value);
    value = good.clone();
    value["entries"] = json!([]);
    refused("no entries", &value);
    println!("{cases} changed statements, all refused");
}

#[test]
fn no_byte_of_the_file_can_change_unnoticed() {
    let scratch = tempfile::tempdir().unwrap();
    let (_, trace, person) = sample(5);
    let good = statement(&trace, person).to_string().into_bytes();
    let mut random = Random(77);
    for _ in 0..1_500 {
        let mut bytes = good.clone();
        let at = random.below(bytes.len());
        bytes[at] ^= 1 + random.below(255) as u8;
        assert!(!judge(scratch.path(), &bytes).good(), "byte {at}");
    }
    for _ in 0..100 {
        assert!(!judge(scratch.path(), &good[..random.below(good.len())]).good());
    }
}

#[test]
fn a_known_checkpoint_of_the_same_size_must_agree() {
    let scratch = tempfile::tempdir().unwrap();
    let (mut lines, trace, person) = sample(6);
    let file = scratch.path().join("statement.json");
    let known = scratch.path().join("known");
    std::fs::write(&file, statement(&trace, person).to_string()).unwrap();
    std::fs::write(&known, trace.notes.last().unwrap()).unwrap();
    let report = verify(&file, Some(&known), None).unwrap();
    assert!(report.good() && report.compared);
    std::fs::write(&known, &trace.notes[0]).unwrap();
    let report = verify(&file, Some(&known), None).unwrap();
    assert!(report.good() && !report.compared);
    lines[2].time -= 1;
    std::fs::write(&known, build(&lines, Lie::None).notes.last().unwrap()).unwrap();
    assert!(!verify(&file, Some(&known), None).unwrap().good());
}
