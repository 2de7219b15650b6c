//! Databases for tests: a fresh SQLite file, and a fresh schema where PostgreSQL is at hand.

use std::path::Path;

use mimamori_kernel::id::ImportId;
use mimamori_kernel::random::Random;

use crate::{Db, Location, StorageError, Synchronous};

/// Names the PostgreSQL server of the test run; `./dev test` sets it.
pub const SERVER: &str = "MIMAMORI_TEST_PG";

/// The places that a test must run on: always SQLite, and PostgreSQL when the run has a server.
///
/// With `CI=true` a missing server is a failure, never a skip.
pub async fn locations(dir: &Path, random: &dyn Random) -> Result<Vec<Location>, StorageError> {
    let mut out = vec![Location::File {
        path: dir.join("register.db"),
        synchronous: Synchronous::Full,
    }];
    match std::env::var(SERVER) {
        Ok(url) => {
            let schema = format!("t_{}", ImportId::random(random));
            let open = Db::open(
                Location::Server {
                    url: url.clone(),
                    schema: "public".into(),
                },
                1,
            )
            .await?;
            let mut writer = open.writer().await?;
            writer.run(&format!("CREATE SCHEMA {schema}")).await?;
            writer.close().await?;
            open.close().await;
            out.push(Location::Server { url, schema });
        }
        Err(_) => {
            assert!(
                std::env::var("CI").is_err(),
                "{SERVER} is not set: with CI set, PostgreSQL is required"
            );
            #[expect(clippy::print_stderr, reason = "a case that cannot run says so")]
            {
                eprintln!(
                    "not run on PostgreSQL: {SERVER} is not set (./dev test starts a server)"
                );
            }
        }
    }
    Ok(out)
}
