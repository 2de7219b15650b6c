use mimamori_storage::Migration;

/// The tables of this room, in order.
///
/// `valid_until` is the last office day as `yyyymmdd`; other times are microseconds in UTC.
/// `epoch` is what the committer compares just before it writes a line.
pub const MIGRATIONS: &[Migration] = &[Migration {
    id: "identity-0001",
    ddl: "CREATE TABLE identity_org (
    id {blob} NOT NULL PRIMARY KEY,
    kind {text} NOT NULL,
    name {text} NOT NULL,
    active {int} NOT NULL
) {clustered};
CREATE TABLE identity_user (
    id {blob} NOT NULL PRIMARY KEY,
    login {text} NOT NULL UNIQUE,
    name {text} NOT NULL,
    org {blob} NOT NULL REFERENCES identity_org (id),
    password {text} NOT NULL,
    password_initial {int} NOT NULL,
    initial_expires {int},
    epoch {int} NOT NULL,
    valid_until {int},
    active {int} NOT NULL,
    person {blob},
    created_at {int} NOT NULL,
    approved_by {blob}
) {clustered};
CREATE TABLE identity_user_role (
    user_id {blob} NOT NULL REFERENCES identity_user (id),
    role {text} NOT NULL,
    PRIMARY KEY (user_id, role)
) {clustered};
CREATE TABLE identity_bootstrap (
    step {int} NOT NULL PRIMARY KEY,
    user_id {blob} NOT NULL REFERENCES identity_user (id),
    at {int} NOT NULL
) {clustered};",
}];
