//! 糖尿病性腎症等重症化予防 (kidney-prevention): from health checks to guidance and what became of it (001).
//!
//! Promises: a person is selected by a rule that is data, with a reason for each step; a missing kidney value is told as
//! such and never taken for a good one; a value of the old HbA1c scale never meets a threshold of the new one.
//! Never: diagnosis; a row or a value of a file that disappears without a word; the wall clock, randomness.

pub mod action;
pub mod checkup;
mod choose;
pub mod egfr;
mod error;
pub mod evaluation;
pub mod guidance;
pub mod intake;
pub mod people;
mod room;
mod schema;
mod screen;
pub mod selection;

use mimamori_gate::Room;

pub use choose::{propose_preset, try_rule};
pub use error::KidneyError;
pub use room::KidneyPrevention;
pub use schema::MIGRATIONS;

/// What the room brings to the gate.
pub const ROOM: Room = Room {
    name: "kidney-prevention",
    policies: include_str!("../policy/kidney-prevention.cedar"),
    items: include_str!("../items.toml"),
    actions: action::ALL,
    // A health check is matched to its person by number, name and birth date; who was merged is left out.
    extracts: &["residents_person", "residents_state", "gate_same"],
};
