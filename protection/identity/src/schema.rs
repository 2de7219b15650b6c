use mimamori_storage::{Migration, Statement};

use crate::model::Org;

/// Every column of identity's tables: class, legal item name, retention, way of erasure.
pub const ITEMS: &str = include_str!("../items.toml");

/// Tables of identity.
pub const MIGRATIONS: &[Migration] = &[FIRST, PERIODS, DESKS, RESIDENTS];

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
