use mimamori_storage::Migration;

/// Every column of the connector's tables: class, legal item name, retention, way of erasure.
pub const LINK_ITEMS: &str = include_str!("../../link-items.toml");

/// Steps of the connector's part of `numbers.db`.
pub const LINK_MIGRATIONS: &[Migration] = &[FIRST];

/// No column holds an individual number. The order of a person's acts is the order of `act` for one 宛名番号, because that
/// is the other end's name for a person.
const FIRST: Migration = Migration {
    id: "numbers-link-0001",
    ddl: "
CREATE TABLE numbers_link (
  reference {blob} NOT NULL PRIMARY KEY,
  address {text} NOT NULL,
  joint {text},
  state {text} NOT NULL CHECK (state IN ('waiting', 'linked', 'differs', 'refused', 'released')),
  since {int} NOT NULL,
  code {text});
CREATE INDEX numbers_link_address ON numbers_link (address);
CREATE INDEX numbers_link_joint ON numbers_link (joint);
CREATE TABLE numbers_outbox (
  act {int} NOT NULL PRIMARY KEY,
  reference {blob} NOT NULL,
  address {text} NOT NULL,
  kind {text} NOT NULL CHECK (kind IN ('link', 'correct', 'delete')),
  key {text} NOT NULL UNIQUE,
  made {int} NOT NULL,
  attempts {int} NOT NULL,
  next_try {int} NOT NULL,
  sequence {int},
  code {text},
  done {int},
  result {text});
CREATE INDEX numbers_outbox_open ON numbers_outbox (act) WHERE done IS NULL;
CREATE INDEX numbers_outbox_address ON numbers_outbox (address, act);
CREATE TABLE numbers_difference (
  id {int} NOT NULL PRIMARY KEY,
  reference {blob},
  address {text} NOT NULL,
  kind {text} NOT NULL,
  origin {text} NOT NULL CHECK (origin IN ('answer', 'list')),
  ours {text},
  theirs {text},
  found {int} NOT NULL,
  settled {int},
  decision {text},
  reason {text},
  who {blob},
  line {int});
CREATE INDEX numbers_difference_open ON numbers_difference (address) WHERE settled IS NULL;
CREATE TABLE numbers_reconciliation (
  at {int} NOT NULL PRIMARY KEY,
  total {int} NOT NULL,
  found {int} NOT NULL,
  code {text} NOT NULL);
CREATE TABLE numbers_file (
  kind {text} NOT NULL PRIMARY KEY,
  last {int} NOT NULL,
  digest {text});
CREATE TABLE numbers_file_out (
  sequence {int} NOT NULL PRIMARY KEY,
  made {int} NOT NULL,
  written {int});
CREATE TABLE numbers_call (
  id {int} NOT NULL PRIMARY KEY,
  at {int} NOT NULL,
  what {text} NOT NULL,
  code {text} NOT NULL,
  sent {int} NOT NULL,
  received {int} NOT NULL,
  records {int} NOT NULL,
  micros {int} NOT NULL);
",
};
