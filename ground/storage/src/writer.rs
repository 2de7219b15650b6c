use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use crate::db::{bind_pg, bind_sqlite, pg_options, sqlite_options};
use crate::sql::placeholders;
use crate::value::{from_pg, from_sqlite};
use crate::{Engine, Location, Row, StorageError, Value};

/// One write that a room hands over to be done inside a transaction.
#[derive(Debug, Clone)]
pub struct Statement {
    /// DML with `?` placeholders.
    pub sql: String,
    /// Its values.
    pub args: Vec<Value>,
    /// Rows it must touch, with the code of the expectation; `None` when any number is right.
    pub expect: Option<(u64, &'static str)>,
}

impl Statement {
    /// A statement that may touch any number of rows.
    pub fn new(sql: impl Into<String>, args: Vec<Value>) -> Self {
        Self {
            sql: sql.into(),
            args,
            expect: None,
        }
    }

    /// A statement that must touch exactly `rows` rows, or the change is refused with `what`.
    pub fn expecting(
        sql: impl Into<String>,
        args: Vec<Value>,
        rows: u64,
        what: &'static str,
    ) -> Self {
        Self {
            sql: sql.into(),
            args,
            expect: Some((rows, what)),
        }
    }
}

/// The one connection that writes.
#[derive(Debug)]
pub struct Writer(Conn);

#[derive(Debug)]
pub(crate) enum Conn {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Writer {
    pub(crate) async fn connect(location: &Location) -> Result<Self, StorageError> {
        Ok(Self(match location {
            Location::File { path, synchronous } => {
                Conn::Sqlite(sqlite_options(path, *synchronous).connect().await?)
            }
            Location::Server { url, schema } => {
                Conn::Postgres(pg_options(url, schema)?.connect().await?)
            }
        }))
    }

    /// The engine.
    pub fn engine(&self) -> Engine {
        match self.0 {
            Conn::Sqlite(_) => Engine::Sqlite,
            Conn::Postgres(_) => Engine::Postgres,
        }
    }

    /// Begins a transaction that holds the write lock from the start.
    pub async fn begin(&mut self) -> Result<(), StorageError> {
        match self.engine() {
            Engine::Sqlite => self.run("BEGIN IMMEDIATE").await,
            Engine::Postgres => self.run("BEGIN").await,
        }
    }

    /// Makes everything since `begin` durable.
    pub async fn commit(&mut self) -> Result<(), StorageError> {
        self.run("COMMIT").await
    }

    /// Forgets everything since `begin`.
    pub async fn rollback(&mut self) -> Result<(), StorageError> {
        self.run("ROLLBACK").await
    }

    /// Starts a part that can be undone alone.
    pub async fn savepoint(&mut self) -> Result<(), StorageError> {
        self.run("SAVEPOINT part").await
    }

    /// Keeps the part.
    pub async fn keep(&mut self) -> Result<(), StorageError> {
        self.run("RELEASE SAVEPOINT part").await
    }

    /// Undoes the part.
    pub async fn undo(&mut self) -> Result<(), StorageError> {
        self.run("ROLLBACK TO SAVEPOINT part").await?;
        self.keep().await
    }

    /// Runs one or several statements without values.
    pub async fn run(&mut self, sql: &str) -> Result<(), StorageError> {
        let text = AssertSqlSafe(sql.to_owned());
        match &mut self.0 {
            Conn::Sqlite(c) => {
                sqlx::Executor::execute(c, sqlx::raw_sql(text)).await?;
            }
            Conn::Postgres(c) => {
                sqlx::Executor::execute(c, sqlx::raw_sql(text)).await?;
            }
        }
        Ok(())
    }

    /// Runs one statement; rows touched.
    pub async fn execute(&mut self, sql: &str, args: Vec<Value>) -> Result<u64, StorageError> {
        let text = AssertSqlSafe(placeholders(self.engine(), sql));
        Ok(match &mut self.0 {
            Conn::Sqlite(c) => {
                let mut query = sqlx::query(text);
                for arg in args {
                    query = bind_sqlite(query, arg);
                }
                query.execute(c).await?.rows_affected()
            }
            Conn::Postgres(c) => {
                let mut query = sqlx::query(text);
                for arg in args {
                    query = bind_pg(query, arg);
                }
                query.execute(c).await?.rows_affected()
            }
        })
    }

    /// Runs a statement and checks its expectation.
    pub async fn apply(&mut self, statement: Statement) -> Result<(), StorageError> {
        let touched = self.execute(&statement.sql, statement.args).await?;
        match statement.expect {
            Some((rows, what)) if rows != touched => Err(StorageError::Conflict { what }),
            _ => Ok(()),
        }
    }

    /// All rows of a query, inside the transaction.
    pub async fn fetch(&mut self, sql: &str, args: Vec<Value>) -> Result<Vec<Row>, StorageError> {
        let text = AssertSqlSafe(placeholders(self.engine(), sql));
        match &mut self.0 {
            Conn::Sqlite(c) => {
                let mut query = sqlx::query(text);
                for arg in args {
                    query = bind_sqlite(query, arg);
                }
                query.fetch_all(c).await?.iter().map(from_sqlite).collect()
            }
            Conn::Postgres(c) => {
                let mut query = sqlx::query(text);
                for arg in args {
                    query = bind_pg(query, arg);
                }
                query.fetch_all(c).await?.iter().map(from_pg).collect()
            }
        }
    }

    pub(crate) fn connection(&mut self) -> &mut Conn {
        &mut self.0
    }

    /// Closes the connection.
    pub async fn close(self) -> Result<(), StorageError> {
        match self.0 {
            Conn::Sqlite(c) => c.close().await?,
            Conn::Postgres(c) => c.close().await?,
        }
        Ok(())
    }
}
