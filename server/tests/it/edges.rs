//! Which room may import which, licences and sources of the crates.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn metadata(arguments: &[&str]) -> Vec<Value> {
    let out = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--format-version", "1"])
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let all: Value = serde_json::from_slice(&out.stdout).unwrap();
    all["packages"].as_array().unwrap().clone()
}

/// Crate name of a folder: the last part of its path.
fn package(folder: &str) -> String {
    match folder.rsplit('/').next().unwrap() {
        "server" => "mimamori".into(),
        name => format!("mimamori-{name}"),
    }
}

/// The table "Allowed edges" of `ARCHITECTURE.md`.
fn written() -> BTreeMap<String, BTreeSet<String>> {
    let text = read("ARCHITECTURE.md");
    let rows: Vec<(&str, &str)> = text
        .lines()
        .skip_while(|l| *l != "## Allowed edges")
        .take_while(|l| *l != "## Invariants")
        .filter_map(|l| {
            l.strip_prefix("| `")?
                .strip_suffix(" |")?
                .split_once("` | ")
        })
        .collect();
    let all: BTreeSet<String> = rows.iter().map(|(room, _)| package(room)).collect();
    // Programs of their own, which nobody imports.
    let ends = ["mimamori", "mimamori-verifier", "mimamori-atena-simulator"];
    rows.iter()
        .map(|(room, imports)| {
            let imports = match *imports {
                "nothing" => BTreeSet::new(),
                "every room above except the verifier" => all
                    .iter()
                    .filter(|n| !ends.contains(&n.as_str()))
                    .cloned()
                    .collect(),
                list => list.split(", ").map(package).collect(),
            };
            (package(room), imports)
        })
        .collect()
}

/// Names of the dependencies of a package, of these kinds.
fn dependencies(package: &Value, kinds: &[Option<&str>]) -> BTreeSet<String> {
    let all = package["dependencies"].as_array().unwrap().iter();
    all.filter(|d| kinds.contains(&d["kind"].as_str()))
        .map(|d| d["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn rooms_import_exactly_what_the_architecture_allows() {
    let real: BTreeMap<String, BTreeSet<String>> = metadata(&["--no-deps"])
        .iter()
        .map(|p| {
            let ours = dependencies(p, &[None, Some("build")])
                .into_iter()
                .filter(|n| n.starts_with("mimamori"))
                .collect();
            (p["name"].as_str().unwrap().to_owned(), ours)
        })
        .collect();
    assert!(real.len() >= 11);
    assert_eq!(real, written());
    assert!(!real["mimamori-residents"].contains("mimamori-storage"));
    assert!(real["mimamori-verifier"].is_empty());
}

#[test]
fn only_storage_knows_the_sql_driver_and_only_the_gate_knows_cedar() {
    for package in metadata(&["--no-deps"]) {
        let name = package["name"].as_str().unwrap();
        let all = dependencies(&package, &[None, Some("build"), Some("dev")]);
        for (driver, owner) in [
            ("sqlx", "mimamori-storage"),
            ("cedar-policy", "mimamori-gate"),
            ("clap", "mimamori"),
        ] {
            let programs = ["mimamori-verifier", "mimamori-atena-simulator"];
            let own = name == owner || driver == "clap" && programs.contains(&name);
            assert!(own || !all.contains(driver), "{name} depends on {driver}");
        }
        if name == "mimamori-verifier" {
            let ours: Vec<_> = all.iter().filter(|n| n.starts_with("mimamori")).collect();
            assert!(
                ours.is_empty(),
                "the verifier shares {ours:?} with the writer"
            );
        }
    }
}

/// The list of `THIRD_PARTY.md`.
fn allowed_licences() -> BTreeSet<String> {
    let text = read("THIRD_PARTY.md");
    let line = text
        .lines()
        .find_map(|l| l.strip_prefix("- Allowed licences: "));
    let list = line.unwrap().trim_end_matches('.').split(", ");
    list.map(str::to_owned).collect()
}

/// Splits at `word` outside parentheses.
fn split<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth == 0 && at >= start && text[at..].starts_with(word) => {
                parts.push(&text[start..at]);
                start = at + word.len();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Whether a licence expression can be met; AND binds tighter than OR.
fn satisfied(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let text = expression.trim();
    for (word, all) in [(" OR ", false), ("/", false), (" AND ", true)] {
        let parts = split(text, word);
        if parts.len() > 1 {
            let mut each = parts.iter().map(|p| satisfied(p, allowed));
            return if all {
                each.all(|x| x)
            } else {
                each.any(|x| x)
            };
        }
    }
    match text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        Some(inner) => satisfied(inner, allowed),
        None => allowed.contains(text),
    }
}

#[test]
fn licence_expressions_are_understood() {
    let allowed = allowed_licences();
    for good in [
        "MIT",
        "Unlicense/MIT",
        "GPL-3.0 OR MIT",
        "ISC AND (Apache-2.0 OR OpenSSL)",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(satisfied(good, &allowed), "{good}");
    }
    for bad in [
        "",
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "ISC AND (GPL-2.0 OR AGPL-3.0)",
    ] {
        assert!(!satisfied(bad, &allowed), "{bad}");
    }
}

#[test]
fn every_crate_comes_from_crates_io_under_an_allowed_licence() {
    let allowed = allowed_licences();
    let mut third = 0;
    for package in metadata(&["--locked", "--filter-platform", "x86_64-unknown-linux-gnu"]) {
        let name = package["name"].as_str().unwrap();
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(satisfied(licence, &allowed), "{name}: {licence}");
        match package["source"].as_str() {
            Some(source) => {
                third += 1;
                assert_eq!(
                    source, "registry+https://github.com/rust-lang/crates.io-index",
                    "{name}"
                );
            }
            None => assert!(name.starts_with("mimamori"), "{name} is from a folder"),
        }
    }
    assert!(third > 100, "{third} crates were looked at");
}
