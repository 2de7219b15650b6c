//! The numbers room as a process of its own: killed (SIGKILL) at any moment, and its copies tried by the drill.
//!
//! `MIMAMORI_FULL=1` kills more often.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[path = "numbers_process/drill.rs"]
mod drill;
#[path = "numbers_process/kills.rs"]
mod kills;
#[path = "numbers_process/office.rs"]
mod office;
