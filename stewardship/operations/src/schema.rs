use mimamori_gate::Migration;

/// Tables of the room. Accounts, organisations and contracts themselves are identity's.
pub const MIGRATIONS: &[Migration] = &[FIRST, CHECKED, RESIDENTS, BATCHES];

const FIRST: Migration = Migration {
    id: "operations-0001",
    ddl: "
CREATE TABLE operations_request (
  id {blob} NOT NULL PRIMARY KEY,
  kind {text} NOT NULL,
  user_id {blob},
  org {blob},
  role {text} NOT NULL,
  first_day {text} NOT NULL,
  last_day {text} NOT NULL,
  read_mask {int} NOT NULL,
  write_mask {int} NOT NULL,
  subject {text} NOT NULL,
  purposes {text} NOT NULL,
  classes {int} NOT NULL,
  reason {text} NOT NULL,
  proposed_by {blob} NOT NULL,
  proposed_at {int} NOT NULL,
  state {text} NOT NULL,
  decided_by {blob},
  decided_at {int});
CREATE INDEX operations_request_state ON operations_request (state);
CREATE INDEX operations_request_user ON operations_request (user_id);
CREATE TABLE operations_event (
  id {blob} NOT NULL PRIMARY KEY,
  user_id {blob} NOT NULL,
  happened_at {int} NOT NULL,
  kind {text} NOT NULL,
  by_user {blob} NOT NULL,
  reason {text} NOT NULL,
  checked {text} NOT NULL);
CREATE INDEX operations_event_user ON operations_event (user_id);
CREATE TABLE operations_review (
  quarter {text} NOT NULL,
  user_id {blob} NOT NULL,
  answer {text} NOT NULL,
  reviewer {blob} NOT NULL,
  answered_at {int} NOT NULL,
  note {text} NOT NULL,
  PRIMARY KEY (quarter, user_id)) {clustered};
",
};

/// How identity was checked before a request (本人確認), for passwords of those who manage the system.
const CHECKED: Migration = Migration {
    id: "operations-0002",
    ddl: "
ALTER TABLE operations_request ADD COLUMN checked {text} NOT NULL DEFAULT '';
",
};

/// Which resident a user declared to be, until the request is settled (S0-45).
const RESIDENTS: Migration = Migration {
    id: "operations-0003",
    ddl: "
ALTER TABLE operations_request ADD COLUMN own_number {text} NOT NULL DEFAULT '';
ALTER TABLE operations_request ADD COLUMN household_numbers {text} NOT NULL DEFAULT '';
",
};

/// Staff lists of organisations (一括申請, S4-52).
const BATCHES: Migration = Migration {
    id: "operations-0004",
    ddl: "
CREATE TABLE operations_batch (
  id {blob} NOT NULL PRIMARY KEY,
  org {blob} NOT NULL,
  applicant {text} NOT NULL,
  reason {text} NOT NULL,
  refused {int} NOT NULL,
  proposed_by {blob} NOT NULL,
  proposed_at {int} NOT NULL,
  state {text} NOT NULL,
  decided_by {blob},
  decided_at {int});
CREATE INDEX operations_batch_state ON operations_batch (state);
CREATE TABLE operations_batch_entry (
  batch {blob} NOT NULL,
  number {int} NOT NULL,
  login {text} NOT NULL,
  name {text} NOT NULL,
  role {text} NOT NULL,
  first_day {text} NOT NULL,
  last_day {text} NOT NULL,
  user_id {blob},
  PRIMARY KEY (batch, number)) {clustered};
",
};
