//! The test vector of `docs/package-format.md`: a package that was sealed once must open for ever.

use std::path::PathBuf;

use mimamori_package::*;

use crate::world::World;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors")
        .join(name)
}

/// SHA-256 of the vector's manifest without approvals.
const DIGEST: &str = "127c8033522cdfa7dc710ae941c9e7226f992148f22c147c098fbfd16b5ac0fc";

#[test]
fn the_package_of_the_format_page_opens_and_has_its_digest() {
    let world = World::new();
    if std::env::var_os("MIMAMORI_BLESS").is_some() {
        std::fs::create_dir_all(path("")).unwrap();
        std::fs::write(path("delivery.age"), world.package(3)).unwrap();
        std::fs::write(path("town.json"), world.trust.to_bytes().unwrap()).unwrap();
    }
    let bytes = std::fs::read(path("delivery.age")).unwrap();
    let trust = Trust::from_bytes(&std::fs::read(path("town.json")).unwrap()).unwrap();
    let mut opened = world.open(&bytes, |c| c.trust = &trust).unwrap();
    assert_eq!(hex::encode(opened.manifest().digest().unwrap()), DIGEST);
    let file = opened.file("people.csv").unwrap();
    assert_eq!(read_rows(&World::columns(), &file).unwrap(), World::rows(3));
}
