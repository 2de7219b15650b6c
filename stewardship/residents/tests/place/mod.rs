#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "a test that cannot go on fails; not every test needs all"
)]
//! A database with the rooms' tables, a trace and a town of 300 persons, for the import's tests.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mimamori_encryption::{NoteSigner, Secret};
use mimamori_gate::{Gate, JobPermit};
use mimamori_kernel::clock::SystemClock;
use mimamori_kernel::random::SystemRandom;
use mimamori_residents::action;
use mimamori_storage::{Db, Location, migrate, testing};
use mimamori_testkit::{TownArgs, TownCounts, write_town};
use mimamori_trace::Trace;

pub struct Place {
    pub db: Db,
    pub permit: JobPermit,
    pub files: PathBuf,
    pub counts: TownCounts,
}

pub async fn place(location: Location, dir: &Path, people: u32) -> Place {
    let db = Db::open(location, 4).await.unwrap();
    let steps = [
        mimamori_identity::MIGRATIONS,
        mimamori_gate::MIGRATIONS,
        mimamori_trace::MIGRATIONS,
        mimamori_residents::MIGRATIONS,
    ];
    migrate(&db, &steps.concat()).await.unwrap();
    let secret = |n| Secret::from_bytes([n; 32]);
    let signer = NoteSigner::new("test.example/trace", &secret(1));
    let (clock, random) = (Arc::new(SystemClock::new()), Arc::new(SystemRandom));
    let trace = Trace::start(
        db.clone(),
        dir.join("trace"),
        clock,
        random,
        signer,
        secret(2),
        secret(3),
    )
    .await
    .unwrap();
    let gate = Gate::new(db.clone(), trace, &[mimamori_residents::ROOM]).unwrap();
    let files = dir.join("town");
    let counts = write_town(
        &TownArgs {
            people,
            ..TownArgs::default()
        },
        &files,
    )
    .unwrap();
    Place {
        db,
        permit: gate.job(action::IMPORT, None).await.unwrap(),
        files,
        counts,
    }
}

pub async fn each(test: impl AsyncFn(Place)) {
    let root = tempfile::tempdir().unwrap();
    for (i, location) in testing::locations(root.path(), &SystemRandom)
        .await
        .unwrap()
        .into_iter()
        .enumerate()
    {
        let dir = root.path().join(i.to_string());
        std::fs::create_dir_all(&dir).unwrap();
        test(place(location, &dir, 300).await).await;
    }
}
