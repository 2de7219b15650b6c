//! What identity promises, on both engines.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[path = "it/accounts.rs"]
mod accounts;
#[path = "it/contracts.rs"]
mod contracts;
#[path = "it/designations.rs"]
mod designations;
#[path = "it/device.rs"]
mod device;
#[path = "it/office.rs"]
mod office;
#[path = "it/proofs.rs"]
mod proofs;
#[path = "it/sessions.rs"]
mod sessions;
#[path = "it/sign_in.rs"]
mod sign_in;
