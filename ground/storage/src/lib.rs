//! 保管 (storage): one thin layer over SQLite (embedded) and PostgreSQL.
//!
//! Promises: one DML text with `?` placeholders runs on both engines; readers cannot
//! write; a write is durable when `commit` returns (WAL with `synchronous=FULL`, or
//! PostgreSQL's own default).
//! Never: a query that knows a person, a purpose or a policy. Rooms do not depend on
//! this crate; they read through a permit of the gate.

mod copy;
mod db;
mod error;
mod migrate;
mod sql;
mod tables;
pub mod testing;
mod value;
mod writer;

pub use copy::{CopyError, copy_file};
pub use db::{Db, Engine, Location, Synchronous};
pub use error::StorageError;
pub use migrate::{Migration, migrate, pending};
pub use tables::{Snapshot, TableError, fill};
pub use value::{Row, Value};
pub use writer::{Statement, Writer};
