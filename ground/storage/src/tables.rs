//! Whole tables of a PostgreSQL schema, out to files and in again (COPY, text format).
//!
//! A file begins with the names of its columns, separated by commas; then each row is one line, in the order of the
//! primary key. A line feed inside a value is written as `\n` by COPY, so a line is always a whole row.

use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use futures_util::StreamExt as _;
use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::io::AsyncSeekExt as _;

use crate::db::pg_options;
use crate::writer::Conn;
use crate::{Db, Engine, Location, Row, StorageError, Value, Writer};

/// Why tables could not be copied.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A file.
    #[error("{path} を読み書きできません（{source}）")]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// It is not on a server.
    #[error("PostgreSQL のデータベースではありません")]
    Embedded,
    /// The schema to fill is not there, or a table is missing.
    #[error("表 {0} がありません")]
    Missing(String),
}

impl From<sqlx::Error> for TableError {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

fn file(path: &Path) -> impl FnOnce(std::io::Error) -> TableError + '_ {
    move |source| TableError::File {
        path: path.to_owned(),
        source,
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Db {
    /// Names of the tables, in order.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn tables(&self) -> Result<Vec<String>, StorageError> {
        let sql = match self.engine() {
            Engine::Sqlite => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
            }
            Engine::Postgres => TABLES,
        };
        let rows = self.fetch(sql, vec![]).await?;
        rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
    }
}

const TABLES: &str = "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE n.nspname = current_schema() AND c.relkind = 'r' ORDER BY c.relname::text COLLATE \"C\"";
const COLUMNS: &str = "SELECT a.attname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relname = ? \
    AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";
const KEY: &str = "SELECT a.attname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid \
    JOIN pg_namespace n ON n.oid = c.relnamespace \
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) \
    WHERE n.nspname = current_schema() AND c.relname = ? AND i.indisprimary \
    ORDER BY array_position(i.indkey::int2[], a.attnum)";
const REFERENCES: &str = "SELECT a.relname::text, b.relname::text FROM pg_constraint k \
    JOIN pg_class a ON a.oid = k.conrelid JOIN pg_class b ON b.oid = k.confrelid \
    JOIN pg_namespace n ON n.oid = a.relnamespace WHERE k.contype = 'f' AND n.nspname = current_schema()";

/// A schema as it stands at one moment, however long the reading takes.
#[derive(Debug)]
pub struct Snapshot(Writer);

impl Snapshot {
    /// Begins one; the moment is the first read.
    ///
    /// # Errors
    /// [`TableError::Embedded`], [`TableError::Storage`].
    pub async fn begin(location: &Location) -> Result<Self, TableError> {
        let mut writer = Writer::connect(location).await?;
        if writer.engine() != Engine::Postgres {
            return Err(TableError::Embedded);
        }
        writer.run("SET statement_timeout = 0").await?;
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        writer.run(begin).await?;
        Ok(Self(writer))
    }

    /// Rows of a query at that moment.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn fetch(&mut self, sql: &str, args: Vec<Value>) -> Result<Vec<Row>, StorageError> {
        self.0.fetch(sql, args).await
    }

    async fn names(&mut self, sql: &str, table: &str) -> Result<Vec<String>, StorageError> {
        let rows = self.0.fetch(sql, vec![table.into()]).await?;
        let names: Result<Vec<_>, _> = rows.iter().map(|r| r.text(0).map(quoted)).collect();
        names
    }

    /// Names of the tables, in order.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn tables(&mut self) -> Result<Vec<String>, StorageError> {
        let rows = self.0.fetch(TABLES, vec![]).await?;
        rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
    }

    /// Writes one table to a new file; its rows.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn write(&mut self, table: &str, path: &Path) -> Result<u64, TableError> {
        let columns = self.names(COLUMNS, table).await?;
        let mut key = self.names(KEY, table).await?;
        if columns.is_empty() {
            return Err(TableError::Missing(table.to_owned()));
        }
        if key.is_empty() {
            key.clone_from(&columns);
        }
        let (names, table) = (columns.join(","), quoted(table));
        let sql = format!(
            "COPY (SELECT {names} FROM {table} ORDER BY {}) TO STDOUT",
            key.join(",")
        );
        let Conn::Postgres(connection) = self.0.connection() else {
            return Err(TableError::Embedded);
        };
        let new = std::fs::File::create_new(path).map_err(file(path))?;
        let mut out = BufWriter::with_capacity(1 << 20, new);
        let mut rows = 0;
        writeln!(out, "{names}").map_err(file(path))?;
        let mut stream = connection.copy_out_raw(&sql).await?;
        while let Some(part) = stream.next().await {
            let part = part?;
            rows += part.iter().filter(|b| **b == b'\n').count() as u64;
            out.write_all(&part).map_err(file(path))?;
        }
        out.flush().map_err(file(path))?;
        Ok(rows)
    }

    /// Ends it.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn end(mut self) -> Result<(), StorageError> {
        self.0.rollback().await?;
        self.0.close().await
    }
}

/// Tables in an order in which each comes after those that it refers to.
fn ordered<'t>(
    tables: &'t [(String, PathBuf)],
    needs: &[(String, String)],
) -> Vec<&'t (String, PathBuf)> {
    let mut out: Vec<&(String, PathBuf)> = Vec::new();
    while out.len() < tables.len() {
        let done = |name: &str| out.iter().any(|(n, _)| n == name);
        let free = |name: &str| {
            let mut own = needs.iter().filter(|(from, to)| from == name && to != name);
            !done(name) && own.all(|(_, to)| done(to))
        };
        // A circle cannot be resolved; the database says so then.
        let next = tables.iter().find(|(n, _)| free(n));
        let next = next.or_else(|| tables.iter().find(|(n, _)| !done(n)));
        out.extend(next);
    }
    out
}

/// Replaces the rows of these tables by those of files that [`Snapshot::write`] made: all of them or, after an error or
/// a kill, none. Rows written.
///
/// # Errors
/// [`TableError`].
pub async fn fill(location: &Location, tables: &[(String, PathBuf)]) -> Result<u64, TableError> {
    let Location::Server { url, schema } = location else {
        return Err(TableError::Embedded);
    };
    let mut connection = pg_options(url, schema)?.connect().await?;
    let rows = filled(&mut connection, tables).await?;
    connection.close().await?;
    Ok(rows)
}

async fn filled(
    connection: &mut PgConnection,
    tables: &[(String, PathBuf)],
) -> Result<u64, TableError> {
    let run = async |connection: &mut PgConnection, sql: String| {
        let text = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
        sqlx::Executor::execute(connection, text).await.map(drop)
    };
    run(connection, "SET statement_timeout = 0; BEGIN".into()).await?;
    let found = sqlx::raw_sql(REFERENCES);
    let found = sqlx::Executor::fetch_all(&mut *connection, found).await?;
    let pair = |row| {
        let row = crate::value::from_pg(row)?;
        Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()))
    };
    let needs: Result<Vec<_>, StorageError> = found.iter().map(pair).collect();
    let names: Vec<String> = tables.iter().map(|(name, _)| quoted(name)).collect();
    if !names.is_empty() {
        run(connection, format!("TRUNCATE {}", names.join(","))).await?;
    }
    let mut rows = 0;
    for (name, path) in ordered(tables, &needs?) {
        let source = std::fs::File::open(path).map_err(file(path))?;
        let mut columns = String::new();
        let head = BufReader::new(&source).read_line(&mut columns);
        let head = head.map_err(file(path))? as u64;
        let mut source = tokio::fs::File::from_std(source);
        let begin = std::io::SeekFrom::Start(head);
        source.seek(begin).await.map_err(file(path))?;
        let sql = format!("COPY {} ({}) FROM STDIN", quoted(name), columns.trim_end());
        let mut copy = connection.copy_in_raw(&sql).await?;
        match copy
            .read_from(tokio::io::BufReader::with_capacity(1 << 20, source))
            .await
        {
            Ok(_) => rows += copy.finish().await?,
            Err(error) => {
                copy.abort("the file ended").await?;
                return Err(error.into());
            }
        }
    }
    run(connection, "COMMIT".into()).await?;
    for name in names {
        run(connection, format!("ANALYZE {name}")).await?;
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_comes_after_what_it_refers_to() {
        let table = |name: &str| (name.to_owned(), PathBuf::new());
        let tables = ["c", "b", "a", "d"].map(table);
        let need = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        let needs = [need("c", "b"), need("b", "a"), need("a", "a")];
        let order: Vec<_> = ordered(&tables, &needs)
            .iter()
            .map(|(n, _)| n.as_str())
            .collect();
        assert_eq!(order, ["a", "b", "c", "d"]);
        let circle = [need("c", "b"), need("b", "c")];
        assert_eq!(ordered(&tables, &circle).len(), 4);
    }
}
