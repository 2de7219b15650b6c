use super::super::{LINK_ITEMS, LINK_MIGRATIONS, openapi};
use super::contract_file;
use crate::{ITEMS, MIGRATIONS};

#[test]
fn the_contract_checked_in_is_the_one_that_is_spoken() {
    let path = contract_file();
    if std::env::var("MIMAMORI_BLESS").is_ok() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, openapi()).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap();
    assert!(
        found == openapi(),
        "docs/api/atena.json is old: MIMAMORI_BLESS=1 writes it anew"
    );
    for said in [
        "/v1/link",
        "/v1/correct",
        "/v1/delete",
        "/v1/inquire",
        "/v1/list",
        "想定",
    ] {
        assert!(found.contains(said), "{said}");
    }
    // A number of a person is in no address.
    assert!(!found.contains("\"in\": \"path\"") && !found.contains("\"in\": \"query\""));
}

#[tokio::test]
async fn every_column_of_the_numbers_database_has_a_class() {
    let office = super::Post::new().await.office;
    mimamori_storage::migrate(&office.db, &[LINK_MIGRATIONS, MIGRATIONS].concat())
        .await
        .unwrap();
    let mut told = std::collections::BTreeSet::new();
    let (mut table, mut class) = (String::new(), 0);
    for line in ITEMS.lines().chain(LINK_ITEMS.lines()) {
        if let Some(name) = line.strip_prefix("table = ") {
            table = name.trim_matches('"').to_owned();
        }
        if let Some(name) = line.strip_prefix("column = ") {
            assert!(
                told.insert((table.clone(), name.trim_matches('"').to_owned())),
                "{table}.{name} twice"
            );
        }
        class += usize::from(line.starts_with("class = "));
    }
    assert_eq!(class, told.len());
    let mut found = std::collections::BTreeSet::new();
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'numbers_%'";
    for row in office.db.fetch(tables, vec![]).await.unwrap() {
        let table = row.text(0).unwrap().to_owned();
        let columns = office
            .db
            .fetch(
                &format!("SELECT name FROM pragma_table_info('{table}')"),
                vec![],
            )
            .await
            .unwrap();
        found.extend(
            columns
                .iter()
                .map(|c| (table.clone(), c.text(0).unwrap().to_owned())),
        );
    }
    assert_eq!(found, told);
    assert_eq!(LINK_MIGRATIONS[0].id, "numbers-link-0001");
}
