use mimamori_storage::Migration;

/// Every column of the numbers room's own database: class, legal item name, retention, way of erasure.
pub const ITEMS: &str = include_str!("../items.toml");

/// Steps of the schema of `numbers.db`, which is a database of its own.
pub const MIGRATIONS: &[Migration] = &[FIRST, ORDERS];

const FIRST: Migration = Migration {
    id: "numbers-0001",
    ddl: "
CREATE TABLE numbers_state (
  one {int} NOT NULL PRIMARY KEY,
  kek {text} NOT NULL,
  salt {blob} NOT NULL,
  wrapped {blob} NOT NULL,
  epoch {int} NOT NULL,
  count {int} NOT NULL,
  sum {blob} NOT NULL,
  mark {blob} NOT NULL);
CREATE TABLE numbers_key (
  version {int} NOT NULL PRIMARY KEY,
  data {blob} NOT NULL,
  ix {blob} NOT NULL,
  made {int} NOT NULL);
CREATE TABLE numbers_record (
  reference {blob} NOT NULL PRIMARY KEY,
  version {int} NOT NULL,
  revision {int} NOT NULL,
  sealed {blob} NOT NULL,
  ix {blob} NOT NULL,
  acquired {text} NOT NULL,
  method {text} NOT NULL,
  proof {text} NOT NULL,
  registered {int} NOT NULL,
  changed {int} NOT NULL) {clustered};
CREATE UNIQUE INDEX numbers_record_ix ON numbers_record (version, ix);
CREATE TABLE numbers_history (
  reference {blob} NOT NULL,
  number {int} NOT NULL,
  act {text} NOT NULL,
  at {int} NOT NULL,
  line {int} NOT NULL,
  acquired {text} NOT NULL,
  method {text} NOT NULL,
  proof {text} NOT NULL,
  PRIMARY KEY (reference, number)) {clustered};
CREATE TABLE numbers_outcome (
  ticket {blob} NOT NULL PRIMARY KEY,
  kind {text} NOT NULL,
  outcome {text} NOT NULL,
  line {int} NOT NULL,
  reference {blob} NOT NULL,
  rows {int} NOT NULL,
  refused {int} NOT NULL,
  at {int} NOT NULL);
",
};

/// `marks` says what the sum over all rows is made of; `numbers_order` keeps each ticket until its hour is over.
const ORDERS: Migration = Migration {
    id: "numbers-0002",
    ddl: "
ALTER TABLE numbers_state ADD COLUMN marks {int} NOT NULL DEFAULT 1;
CREATE TABLE numbers_order (
  ticket {blob} NOT NULL PRIMARY KEY,
  kind {text} NOT NULL,
  who {blob} NOT NULL,
  reference {blob} NOT NULL,
  line {int} NOT NULL,
  ordered {int} NOT NULL,
  rows {int} NOT NULL,
  refused {int} NOT NULL,
  open {int} NOT NULL);
CREATE INDEX numbers_order_open ON numbers_order (open, ordered);
",
};
