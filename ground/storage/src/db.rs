use std::path::PathBuf;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions as _};

use crate::sql::placeholders;
use crate::value::{from_pg, from_sqlite};
use crate::{Row, StorageError, Value, Writer};

/// Which database engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Embedded; the default for one office.
    Sqlite,
    /// For towns that outgrow one machine.
    Postgres,
}

/// How hard SQLite makes a commit durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// Every commit reaches the disk before it returns.
    #[default]
    Full,
    /// Nothing is promised. Exists so that the durability test can show that it notices.
    OffForTests,
}

/// Where the database is.
#[derive(Debug, Clone)]
pub enum Location {
    /// A file of the embedded engine.
    File {
        /// Path of the database file.
        path: PathBuf,
        /// Durability of commits.
        synchronous: Synchronous,
    },
    /// A PostgreSQL server; connection text as in libpq, and the schema to use.
    Server {
        /// `postgres://…`
        url: String,
        /// Schema name; plain identifier.
        schema: String,
    },
}

/// A database that can be read through a pool and written through one [`Writer`].
#[derive(Debug, Clone)]
pub struct Db {
    pool: Pool,
    location: Location,
}

#[derive(Debug, Clone)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

pub(crate) fn sqlite_options(path: &PathBuf, synchronous: Synchronous) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10))
        .disable_statement_logging()
        .statement_cache_capacity(200)
        // The writer's indexes are touched in random order: a small cache or a short log would write each page again and again.
        .pragma("cache_size", "-65536")
        .pragma("wal_autocheckpoint", "8000")
        .pragma("temp_store", "memory")
        .pragma("trusted_schema", "off")
        .synchronous(match synchronous {
            Synchronous::Full => SqliteSynchronous::Full,
            Synchronous::OffForTests => SqliteSynchronous::Off,
        })
}

pub(crate) fn pg_options(url: &str, schema: &str) -> Result<PgConnectOptions, StorageError> {
    let options: PgConnectOptions = url.parse().map_err(StorageError::from)?;
    Ok(options
        .options([("search_path", schema), ("statement_timeout", "60000")])
        .application_name("mimamori")
        .disable_statement_logging())
}

impl Db {
    /// Opens the database with `readers` connections for reading.
    pub async fn open(location: Location, readers: u32) -> Result<Self, StorageError> {
        let pool = match &location {
            Location::File { path, synchronous } => {
                // The first connection makes the file and the WAL; readers may only read.
                let writer = sqlite_options(path, *synchronous);
                writer.connect().await?;
                let options = sqlite_options(path, *synchronous)
                    .pragma("query_only", "on")
                    .pragma("cache_size", "-16384");
                Pool::Sqlite(
                    SqlitePoolOptions::new()
                        .max_connections(readers)
                        .min_connections(1)
                        .acquire_timeout(Duration::from_secs(10))
                        .test_before_acquire(false)
                        .connect_with(options)
                        .await?,
                )
            }
            Location::Server { url, schema } => Pool::Postgres(
                PgPoolOptions::new()
                    .max_connections(readers)
                    .acquire_timeout(Duration::from_secs(10))
                    .test_before_acquire(false)
                    .connect_with(pg_options(url, schema)?)
                    .await?,
            ),
        };
        Ok(Self { pool, location })
    }

    /// The engine.
    pub fn engine(&self) -> Engine {
        match self.pool {
            Pool::Sqlite(_) => Engine::Sqlite,
            Pool::Postgres(_) => Engine::Postgres,
        }
    }

    /// The place it was opened from.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// All rows of a query. Reads outside a writer's transaction see the last commit.
    pub async fn fetch(&self, sql: &str, args: Vec<Value>) -> Result<Vec<Row>, StorageError> {
        let text = AssertSqlSafe(placeholders(self.engine(), sql));
        match &self.pool {
            Pool::Sqlite(pool) => {
                let mut query = sqlx::query(text);
                for arg in args {
                    query = bind_sqlite(query, arg);
                }
                query
                    .fetch_all(pool)
                    .await?
                    .iter()
                    .map(from_sqlite)
                    .collect()
            }
            Pool::Postgres(pool) => {
                let mut query = sqlx::query(text);
                for arg in args {
                    query = bind_pg(query, arg);
                }
                query.fetch_all(pool).await?.iter().map(from_pg).collect()
            }
        }
    }

    /// The first row, if any.
    pub async fn fetch_one(
        &self,
        sql: &str,
        args: Vec<Value>,
    ) -> Result<Option<Row>, StorageError> {
        Ok(self.fetch(sql, args).await?.into_iter().next())
    }

    /// A connection of its own for writing.
    pub async fn writer(&self) -> Result<Writer, StorageError> {
        Writer::connect(&self.location).await
    }

    /// Closes the pool and waits for its connections.
    pub async fn close(&self) {
        match &self.pool {
            Pool::Sqlite(pool) => pool.close().await,
            Pool::Postgres(pool) => pool.close().await,
        }
    }
}

type SqliteQuery<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;
type PgQuery<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

pub(crate) fn bind_sqlite(query: SqliteQuery<'_>, value: Value) -> SqliteQuery<'_> {
    match value {
        Value::Int(v) => query.bind(v),
        Value::Text(v) => query.bind(v),
        Value::Bytes(v) => query.bind(v),
        Value::NullInt => query.bind(None::<i64>),
        Value::NullText => query.bind(None::<String>),
        Value::NullBytes => query.bind(None::<Vec<u8>>),
    }
}

pub(crate) fn bind_pg(query: PgQuery<'_>, value: Value) -> PgQuery<'_> {
    match value {
        Value::Int(v) => query.bind(v),
        Value::Text(v) => query.bind(v),
        Value::Bytes(v) => query.bind(v),
        Value::NullInt => query.bind(None::<i64>),
        Value::NullText => query.bind(None::<String>),
        Value::NullBytes => query.bind(None::<Vec<u8>>),
    }
}
