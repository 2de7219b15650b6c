//! Promises of the whole house: what no single room can prove alone.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[path = "it/edges.rs"]
mod edges;
#[path = "it/oracle.rs"]
mod oracle;
#[path = "it/requests.rs"]
mod requests;
#[path = "it/rules.rs"]
mod rules;
