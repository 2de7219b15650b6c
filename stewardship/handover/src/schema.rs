use mimamori_gate::Migration;

/// Tables of the room. Events and ledger only grow.
pub const MIGRATIONS: &[Migration] = &[FIRST];

const FIRST: Migration = Migration {
    id: "handover-0001",
    ddl: "
CREATE TABLE handover_package (
  id {blob} NOT NULL PRIMARY KEY,
  contract {blob} NOT NULL,
  title {text} NOT NULL,
  partner {text} NOT NULL,
  channel {text} NOT NULL,
  opening {text} NOT NULL,
  manifest {text} NOT NULL,
  rows_held {int} NOT NULL,
  items {text} NOT NULL,
  reason {text} NOT NULL,
  expires {int} NOT NULL,
  erase_by {text} NOT NULL,
  stage {text} NOT NULL,
  step {int} NOT NULL,
  medium {blob},
  file {text} NOT NULL,
  sha256 {text} NOT NULL);
CREATE TABLE handover_event (
  package {blob} NOT NULL,
  step {int} NOT NULL,
  kind {text} NOT NULL,
  happened_at {int} NOT NULL,
  by_user {blob} NOT NULL,
  carrier_1 {blob},
  carrier_2 {blob},
  minute {int} NOT NULL,
  words {text} NOT NULL,
  PRIMARY KEY (package, step)) {clustered};
CREATE TABLE handover_content (
  package {blob} NOT NULL PRIMARY KEY,
  sealed {blob} NOT NULL);
CREATE TABLE handover_slip (
  package {blob} NOT NULL PRIMARY KEY,
  sealed {blob} NOT NULL);
CREATE TABLE handover_digest (
  digest {blob} NOT NULL,
  package {blob} NOT NULL,
  PRIMARY KEY (digest, package)) {clustered};
CREATE TABLE handover_medium (
  id {blob} NOT NULL PRIMARY KEY,
  number {text} NOT NULL,
  kind {text} NOT NULL,
  serial {text} NOT NULL,
  capacity {text} NOT NULL,
  place {text} NOT NULL,
  state {text} NOT NULL,
  entered_by {blob} NOT NULL,
  entered_at {int} NOT NULL);
CREATE TABLE handover_ledger (
  id {blob} NOT NULL PRIMARY KEY,
  package {blob},
  entered_at {int} NOT NULL,
  entered_by {blob} NOT NULL,
  number {text} NOT NULL,
  kind {text} NOT NULL,
  serial {text} NOT NULL,
  capacity {text} NOT NULL,
  encryption {text} NOT NULL,
  purpose {text} NOT NULL,
  what {text} NOT NULL,
  minute {int} NOT NULL,
  handler_1 {text} NOT NULL,
  handler_2 {text} NOT NULL,
  counterpart {text} NOT NULL,
  place {text} NOT NULL,
  carriage {text} NOT NULL,
  content {text} NOT NULL,
  quantity {text} NOT NULL,
  file {text} NOT NULL,
  sha256 {text} NOT NULL,
  slip {text} NOT NULL,
  approvers {text} NOT NULL,
  returned {text} NOT NULL,
  erased {text} NOT NULL,
  scan {text} NOT NULL,
  note {text} NOT NULL);
CREATE TABLE handover_partner (
  contract {blob} NOT NULL PRIMARY KEY,
  recipient {text} NOT NULL,
  kit {text} NOT NULL,
  checked {text} NOT NULL,
  entered_by {blob} NOT NULL,
  entered_at {int} NOT NULL);
CREATE TABLE handover_incoming (
  id {blob} NOT NULL PRIMARY KEY,
  contract {blob} NOT NULL,
  file {text} NOT NULL,
  sha256 {text} NOT NULL,
  bytes {int} NOT NULL,
  taken_at {int} NOT NULL,
  taken_by {blob} NOT NULL,
  scan {text} NOT NULL,
  state {text} NOT NULL,
  package {text} NOT NULL,
  rows_held {int} NOT NULL,
  findings {text} NOT NULL,
  release_1 {blob},
  release_2 {blob},
  accept_1 {blob},
  accept_2 {blob});
CREATE INDEX handover_package_stage ON handover_package (stage);
CREATE INDEX handover_ledger_minute ON handover_ledger (minute);
CREATE UNIQUE INDEX handover_medium_number ON handover_medium (number);
CREATE INDEX handover_incoming_sha256 ON handover_incoming (sha256);
",
};
