use mimamori_storage::{Migration, Statement};

use crate::model::Org;

/// Every column of identity's tables: class, legal item name, retention, way of erasure.
pub const ITEMS: &str = include_str!("../items.toml");

/// Tables of identity.
pub const MIGRATIONS: &[Migration] = &[FIRST, PERIODS, DESKS, RESIDENTS, PROOFS];

const FIRST: Migration = Migration {
    id: "identity-0001",
    ddl: "
CREATE TABLE identity_org (
  id {blob} NOT NULL PRIMARY KEY,
  kind {text} NOT NULL,
  name {text} NOT NULL);
CREATE TABLE identity_user (
  id {blob} NOT NULL PRIMARY KEY,
  login {text} NOT NULL UNIQUE,
  name {text} NOT NULL,
  org {blob} NOT NULL REFERENCES identity_org (id),
  password {text} NOT NULL,
  password_initial {int} NOT NULL,
  initial_expires {int} NOT NULL,
  epoch {int} NOT NULL,
  active {int} NOT NULL,
  valid_until {int},
  person {blob},
  approved_by {blob});
CREATE TABLE identity_user_role (
  user_id {blob} NOT NULL REFERENCES identity_user (id),
  role {text} NOT NULL,
  PRIMARY KEY (user_id, role));
",
};

/// Ends of organisations, periods of roles, narrowed rights, contracts (S0-64, S4-28).
const PERIODS: Migration = Migration {
    id: "identity-0002",
    ddl: "
ALTER TABLE identity_org ADD COLUMN ended {int};
ALTER TABLE identity_user ADD COLUMN read_scope {int};
ALTER TABLE identity_user ADD COLUMN write_scope {int};
ALTER TABLE identity_user_role ADD COLUMN valid_from {int};
ALTER TABLE identity_user_role ADD COLUMN valid_until {int};
CREATE TABLE identity_contract (
  id {blob} NOT NULL PRIMARY KEY,
  org {blob} NOT NULL REFERENCES identity_org (id),
  subject {text} NOT NULL,
  purposes {text} NOT NULL,
  classes {int} NOT NULL,
  valid_from {int} NOT NULL,
  valid_until {int} NOT NULL,
  ended {int});
CREATE INDEX identity_contract_org ON identity_contract (org);
",
};

/// Where a login was used before, as a digest of both (decision 0018).
const DESKS: Migration = Migration {
    id: "identity-0003",
    ddl: "
CREATE TABLE identity_desk (
  desk {blob} NOT NULL PRIMARY KEY,
  seen {int} NOT NULL);
CREATE INDEX identity_desk_seen ON identity_desk (seen);
",
};

/// Which residents users of the office are, for the monitoring rules alone (S0-45, decision 0026).
const RESIDENTS: Migration = Migration {
    id: "identity-0004",
    ddl: "
CREATE TABLE identity_resident (
  user_id {blob} NOT NULL REFERENCES identity_user (id),
  address_number {text} NOT NULL,
  own {int} NOT NULL,
  PRIMARY KEY (user_id, address_number)) {clustered};
",
};

/// Passkeys, enrolments at the counter, designated handlers and registered terminals (S0-46, S0-48, decision 0028).
/// A handler's organisation is bound to his own and its kind, and only a department passes: not even a statement by
/// hand makes a contractor one (S0-59).
const PROOFS: Migration = Migration {
    id: "identity-0005",
    ddl: "
CREATE TABLE identity_passkey (
  id {blob} NOT NULL PRIMARY KEY,
  user_id {blob} NOT NULL REFERENCES identity_user (id),
  name {text} NOT NULL,
  credential {blob} NOT NULL UNIQUE,
  data {text} NOT NULL,
  counter {int} NOT NULL,
  created {int} NOT NULL,
  used {int},
  suspended {int},
  ended {int},
  ended_by {blob});
CREATE INDEX identity_passkey_user ON identity_passkey (user_id);
CREATE TABLE identity_enrolment (
  id {blob} NOT NULL PRIMARY KEY,
  user_id {blob} NOT NULL REFERENCES identity_user (id),
  code {blob} NOT NULL,
  opened {int} NOT NULL,
  expires {int} NOT NULL,
  document {text} NOT NULL,
  checked {text} NOT NULL,
  opened_by {blob} NOT NULL REFERENCES identity_user (id),
  used {int},
  CHECK (opened_by <> user_id));
CREATE INDEX identity_enrolment_user ON identity_enrolment (user_id);
CREATE UNIQUE INDEX identity_org_kind ON identity_org (id, kind);
CREATE UNIQUE INDEX identity_user_org ON identity_user (id, org);
CREATE TABLE identity_handler (
  id {blob} NOT NULL PRIMARY KEY,
  user_id {blob} NOT NULL,
  org {blob} NOT NULL,
  org_kind {text} NOT NULL CHECK (org_kind = 'department'),
  valid_from {int} NOT NULL,
  valid_until {int} NOT NULL,
  trained {int} NOT NULL,
  trained_until {int} NOT NULL,
  requested_by {blob} NOT NULL,
  approved_by {blob} NOT NULL,
  ended {int},
  FOREIGN KEY (user_id, org) REFERENCES identity_user (id, org),
  FOREIGN KEY (org, org_kind) REFERENCES identity_org (id, kind),
  CHECK (requested_by <> approved_by AND approved_by <> user_id AND requested_by <> user_id));
CREATE INDEX identity_handler_user ON identity_handler (user_id);
CREATE TABLE identity_terminal (
  id {blob} NOT NULL PRIMARY KEY,
  kind {text} NOT NULL CHECK (kind IN ('address', 'certificate')),
  mark {text} NOT NULL,
  name {text} NOT NULL,
  place {text} NOT NULL,
  approved_by {blob} NOT NULL,
  entered {int} NOT NULL,
  ended {int});
CREATE UNIQUE INDEX identity_terminal_mark ON identity_terminal (mark) WHERE ended IS NULL;
",
};

/// The write that enters an organisation.
pub fn org_statement(org: &Org) -> Statement {
    Statement::new(
        "INSERT INTO identity_org (id, kind, name) VALUES (?, ?, ?)",
        vec![
            org.id.bytes().into(),
            org.kind.code().into(),
            org.name.as_str().into(),
        ],
    )
}
