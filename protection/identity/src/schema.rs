use mimamori_storage::{Migration, Statement};

use crate::model::Org;

/// Tables of identity.
pub const MIGRATIONS: &[Migration] = &[Migration {
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
}];

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
