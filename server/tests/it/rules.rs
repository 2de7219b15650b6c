//! Demands, columns and the permission table: files that must say what the program does.

use std::collections::BTreeSet;
use std::path::Path;

use mimamori_gate::Rules;
use mimamori_server::instance::{FLOORS, ROOMS, migrations};
use mimamori_storage::{Db, Location, Synchronous, migrate};

use crate::edges::{read, root};

#[derive(serde::Deserialize)]
struct Mission {
    demand: Vec<Demand>,
}

#[derive(serde::Deserialize)]
struct Demand {
    id: String,
    document: String,
    state: String,
    screen: String,
    test: String,
}

fn mission() -> Vec<Demand> {
    toml::from_str::<Mission>(&read("mission.toml"))
        .unwrap()
        .demand
}

/// Every file below a folder with this ending, build results left out.
fn files(folder: &Path, ending: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if path.is_dir() {
            if !name.starts_with('.') && !["target", "node_modules"].contains(&&*name) {
                files(&path, ending, found);
            }
        } else if name.ends_with(ending) {
            found.push(std::fs::read_to_string(&path).unwrap());
        }
    }
}

pub fn sources(ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    files(&root(), ending, &mut found);
    assert!(!found.is_empty());
    found
}

#[test]
fn the_mission_holds_every_demand_of_the_five_documents_once() {
    let all = mission();
    let ids: BTreeSet<&str> = all.iter().map(|d| d.id.as_str()).collect();
    assert_eq!((all.len(), ids.len()), (372, 372));
    for demand in &all {
        assert!(
            ["000", "001", "002", "003", "004", "TK"].contains(&demand.document.as_str()),
            "{}",
            demand.id
        );
        // S4-55 belongs to document 004.
        let number = demand.id.split_once('-').map(|(first, _)| first).unwrap();
        let document = match number.strip_prefix('S') {
            Some(one) => format!("00{one}"),
            None => number.to_owned(),
        };
        assert_eq!(document, demand.document, "{}", demand.id);
    }
}

#[test]
fn no_demand_is_called_done_without_a_screen_and_a_test_that_exists() {
    let rust = sources(".rs");
    let mut browser = Vec::new();
    files(&root().join("browser-tests"), ".ts", &mut browser);
    files(&root().join("browser-tests"), ".js", &mut browser);
    files(&root().join("browser-tests"), ".mjs", &mut browser);
    for demand in mission() {
        match demand.state.as_str() {
            "open" => continue,
            "partly" | "done" => {}
            other => panic!("{}: state {other}", demand.id),
        }
        assert!(!demand.screen.is_empty(), "{}: no screen", demand.id);
        assert!(!demand.test.is_empty(), "{}: no test", demand.id);
        for test in demand.test.split([',', ' ']).filter(|t| !t.is_empty()) {
            let name = test.rsplit("::").next().unwrap();
            let heads = [format!("fn {name}()"), format!("fn {name}(")];
            let found = rust.iter().any(|t| heads.iter().any(|h| t.contains(h)))
                || browser.iter().any(|t| t.contains(test));
            assert!(found, "{}: the test {test} is nowhere", demand.id);
        }
    }
}

#[test]
fn every_policy_serves_a_known_demand() {
    let known: BTreeSet<String> = mission().into_iter().map(|d| d.id).collect();
    let mut seen = 0;
    for text in sources(".cedar") {
        for clauses in text.split("@mission(\"").skip(1) {
            for id in clauses.split('"').next().unwrap().split(',') {
                seen += 1;
                assert!(known.contains(id.trim()), "{id} is not in mission.toml");
            }
        }
    }
    assert!(seen >= 11, "{seen} ids");
}

#[tokio::test]
async fn every_column_has_a_class_and_no_class_is_without_a_column() {
    let dir = tempfile::tempdir().unwrap();
    let location = Location::File {
        path: dir.path().join("register.db"),
        synchronous: Synchronous::Full,
    };
    let db = Db::open(location, 1).await.unwrap();
    migrate(&db, &migrations()).await.unwrap();
    let mut built = BTreeSet::new();
    let sql = "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c \
               WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'";
    for row in db.fetch(sql, vec![]).await.unwrap() {
        // The storage's own list of migrations.
        if row.text(0).unwrap().starts_with("storage_") {
            continue;
        }
        built.insert((
            row.text(0).unwrap().to_owned(),
            row.text(1).unwrap().to_owned(),
        ));
    }
    let mut listed = BTreeSet::new();
    let mut catalogue = mimamori_gate::Catalogue::default();
    for items in ROOMS.iter().map(|r| r.items).chain(FLOORS) {
        catalogue.add(items).unwrap();
    }
    for item in catalogue.items() {
        for (what, text) in [
            ("item", &item.item),
            ("retention", &item.retention),
            ("erase", &item.erase),
        ] {
            assert!(
                !text.is_empty(),
                "{}.{}: no {what}",
                item.table,
                item.column
            );
        }
        listed.insert((item.table.clone(), item.column.clone()));
    }
    for table in ["identity_user", "identity_desk", "trace_line", "gate_out"] {
        assert!(built.iter().any(|(name, _)| name == table), "{table}");
    }
    assert_eq!(built, listed);
}

#[test]
fn the_permission_table_in_the_documents_is_what_the_policies_permit() {
    let now = mimamori_server::cli::table().unwrap();
    let path = root().join("docs/permission-table.txt");
    if std::env::var("MIMAMORI_BLESS").is_ok_and(|v| v == "1") {
        std::fs::write(&path, &now).unwrap();
    }
    let kept = read("docs/permission-table.txt");
    assert_eq!(
        kept, now,
        "rights changed: run ./dev bless and read the diff"
    );
}

#[test]
fn every_policy_has_a_sentence_and_the_rules_of_all_rooms_hold_together() {
    Rules::new(ROOMS).unwrap();
    for text in sources(".cedar") {
        let count = |word: &str| text.lines().filter(|l| l.starts_with(word)).count();
        let policies = count("permit (") + count("forbid (");
        for note in ["@id(", "@mission(", "@sentence("] {
            assert_eq!(count(note), policies, "{note} in {text}");
        }
    }
}

#[test]
fn every_demand_behind_a_policy_names_its_article() {
    let rules = Rules::new(ROOMS).unwrap();
    for text in sources(".cedar") {
        for clauses in text.split("@mission(\"").skip(1) {
            for id in clauses.split('"').next().unwrap().split(',') {
                let told = rules.basis(id.trim());
                assert!(
                    told.ends_with(&format!("（{}）", id.trim())),
                    "{told}: no article"
                );
            }
        }
    }
}
