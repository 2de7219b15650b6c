use crate::StorageError;
use sqlx::{Column as _, TypeInfo as _, ValueRef as _};

/// One bound or fetched value. Nulls carry a type because PostgreSQL asks for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// A 64-bit integer (also instants in microseconds and booleans 0/1).
    Int(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A missing integer.
    NullInt,
    /// Missing text.
    NullText,
    /// Missing bytes.
    NullBytes,
}

impl From<i64> for Value {
    fn from(v: i64) -> Self {
        Self::Int(v)
    }
}
impl From<u32> for Value {
    fn from(v: u32) -> Self {
        Self::Int(i64::from(v))
    }
}
impl From<bool> for Value {
    fn from(v: bool) -> Self {
        Self::Int(i64::from(v))
    }
}
impl From<&str> for Value {
    fn from(v: &str) -> Self {
        Self::Text(v.to_owned())
    }
}
impl From<String> for Value {
    fn from(v: String) -> Self {
        Self::Text(v)
    }
}
impl From<Option<String>> for Value {
    fn from(v: Option<String>) -> Self {
        v.map_or(Self::NullText, Self::Text)
    }
}
impl From<Option<i64>> for Value {
    fn from(v: Option<i64>) -> Self {
        v.map_or(Self::NullInt, Self::Int)
    }
}
impl From<Vec<u8>> for Value {
    fn from(v: Vec<u8>) -> Self {
        Self::Bytes(v)
    }
}
impl From<&[u8]> for Value {
    fn from(v: &[u8]) -> Self {
        Self::Bytes(v.to_vec())
    }
}
impl<const N: usize> From<&[u8; N]> for Value {
    fn from(v: &[u8; N]) -> Self {
        Self::Bytes(v.to_vec())
    }
}

/// A fetched row: its values in the order of the select list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row(pub Vec<Value>);

impl Row {
    fn at(&self, column: usize) -> Result<&Value, StorageError> {
        self.0.get(column).ok_or(StorageError::Shape { column })
    }
    /// The integer at `column`.
    pub fn int(&self, column: usize) -> Result<i64, StorageError> {
        match self.at(column)? {
            Value::Int(v) => Ok(*v),
            _ => Err(StorageError::Shape { column }),
        }
    }
    /// The integer at `column`, or none.
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>, StorageError> {
        match self.at(column)? {
            Value::Int(v) => Ok(Some(*v)),
            Value::NullInt | Value::NullText | Value::NullBytes => Ok(None),
            _ => Err(StorageError::Shape { column }),
        }
    }
    /// The text at `column`.
    pub fn text(&self, column: usize) -> Result<&str, StorageError> {
        match self.at(column)? {
            Value::Text(v) => Ok(v),
            _ => Err(StorageError::Shape { column }),
        }
    }
    /// The text at `column`, or none.
    pub fn opt_text(&self, column: usize) -> Result<Option<&str>, StorageError> {
        match self.at(column)? {
            Value::Text(v) => Ok(Some(v)),
            Value::NullInt | Value::NullText | Value::NullBytes => Ok(None),
            _ => Err(StorageError::Shape { column }),
        }
    }
    /// The bytes at `column`.
    pub fn bytes(&self, column: usize) -> Result<&[u8], StorageError> {
        match self.at(column)? {
            Value::Bytes(v) => Ok(v),
            _ => Err(StorageError::Shape { column }),
        }
    }
    /// Exactly `N` bytes at `column`.
    pub fn array<const N: usize>(&self, column: usize) -> Result<[u8; N], StorageError> {
        self.bytes(column)?
            .try_into()
            .map_err(|_| StorageError::Shape { column })
    }
}

/// Decodes by the type of each value; the two engines differ in type names only.
fn decode<R>(row: &R, null: fn(&str) -> Value) -> Result<Row, StorageError>
where
    R: sqlx::Row,
    usize: sqlx::ColumnIndex<R>,
    for<'r> i64: sqlx::Decode<'r, R::Database>,
    for<'r> i32: sqlx::Decode<'r, R::Database>,
    for<'r> String: sqlx::Decode<'r, R::Database>,
    for<'r> Vec<u8>: sqlx::Decode<'r, R::Database>,
{
    let mut out = Vec::with_capacity(row.len());
    for i in 0..row.len() {
        let raw = row.try_get_raw(i)?;
        if raw.is_null() {
            out.push(null(row.column(i).type_info().name()));
            continue;
        }
        let info = raw.type_info();
        out.push(match info.name() {
            "INTEGER" | "INT8" => Value::Int(row.try_get_unchecked(i)?),
            "INT4" => Value::Int(i64::from(row.try_get_unchecked::<i32, _>(i)?)),
            "TEXT" | "VARCHAR" | "NAME" => Value::Text(row.try_get_unchecked(i)?),
            "BLOB" | "BYTEA" => Value::Bytes(row.try_get_unchecked(i)?),
            _ => return Err(StorageError::Shape { column: i }),
        });
    }
    Ok(Row(out))
}

fn sqlite_null(_: &str) -> Value {
    Value::NullText
}
fn pg_null(name: &str) -> Value {
    match name {
        "INT8" | "INT4" => Value::NullInt,
        "BYTEA" => Value::NullBytes,
        _ => Value::NullText,
    }
}

pub(crate) fn from_sqlite(row: &sqlx::sqlite::SqliteRow) -> Result<Row, StorageError> {
    decode(row, sqlite_null)
}
pub(crate) fn from_pg(row: &sqlx::postgres::PgRow) -> Result<Row, StorageError> {
    decode(row, pg_null)
}
