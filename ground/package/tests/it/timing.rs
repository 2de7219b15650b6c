//! PROTECTION G5.2, beside the program `age` on the same file: `MIMAMORI_BENCH=1`.

use std::process::Command;
use std::time::Instant;

use mimamori_package::*;

use crate::tools::needs;
use crate::world::World;

#[test]
fn sealing_and_opening_are_timed_beside_age() {
    if std::env::var_os("MIMAMORI_BENCH").is_none() || !needs(&[("age", "age")]) {
        return;
    }
    let world = World::new();
    // 22 columns: the 19 of the sheet with some tests of several columns.
    let columns: Vec<Column> = (0..22)
        .map(|n| Column {
            item: "kidney_function".into(),
            name: format!("項目{n}"),
        })
        .collect();
    for count in [200usize, 19_000, 93_000] {
        let row = |n: usize| (0..22).map(|c| format!("値{:08}", n * 31 + c)).collect();
        let rows: Vec<Vec<String>> = (0..count).map(row).collect();
        let began = Instant::now();
        let table = write_rows(&columns, &rows).unwrap();
        let mut manifest = world.manifest(&table, count);
        manifest.files[0].columns = columns.clone();
        let manifest = world.approved(manifest);
        let envelope = Envelope::Key(world.identity.to_public());
        let bytes = world.seal(&manifest, &table, &envelope).unwrap();
        let sealed = began.elapsed();
        let began = Instant::now();
        let mut opened = world.open(&bytes, |_| {}).unwrap();
        let file = opened.file("people.csv").unwrap();
        let read = read_rows(&columns, &file).unwrap();
        let open = began.elapsed();
        assert_eq!(read.len(), count);
        let dir = tempfile::tempdir().unwrap();
        let (plain, out) = (dir.path().join("plain"), dir.path().join("out"));
        std::fs::write(&plain, &*table).unwrap();
        let began = Instant::now();
        let age = Command::new("age")
            .args(["-r", &world.identity.to_public().to_string(), "-o"])
            .arg(&out)
            .arg(&plain)
            .status()
            .unwrap();
        assert!(age.success());
        println!(
            "{count} rows, {:.1} MB: sealed {:.3} s, opened {:.3} s; age alone encrypts in {:.3} s",
            table.len() as f64 / 1e6,
            sealed.as_secs_f64(),
            open.as_secs_f64(),
            began.elapsed().as_secs_f64()
        );
    }
}
