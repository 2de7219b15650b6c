//! 介護保険 (care-insurance): who is insured, since when, and the papers that say so.
//!
//! Promises: a qualification is worked out by the law from recorded facts, or the room says which
//! fact is missing; it never guesses a day.
//! Never: another service's tables; an individual number (the numbers room has them; here is only a reference).

pub mod action;
pub mod businesses;
pub mod cards;
pub mod eligibility;
mod home;
pub mod numbers;
mod room;
mod schema;

use mimamori_gate::Room;

pub use room::CareInsurance;
pub use schema::MIGRATIONS;

/// What the room brings to the gate.
pub const ROOM: Room = Room {
    name: "care-insurance",
    policies: include_str!("../policy/care-insurance.cedar"),
    items: include_str!("../items.toml"),
    actions: &[
        action::DERIVE,
        action::LIST,
        action::OPEN,
        action::DECIDE,
        action::DOWNLOAD,
        action::GATHER,
        action::CARD_LIST,
        action::PREVIEW,
        action::PRINT,
        action::BATCH,
        action::CHANGE,
        action::BUSINESSES,
        action::NUMBER_OPEN,
        action::NUMBER_REVEAL,
        action::NUMBER_FIND,
        action::NUMBER_FOUND,
        action::NUMBER_REGISTER,
        action::NUMBER_CORRECT,
        action::NUMBER_DELETE,
        action::NUMBER_LOAD,
        action::NUMBER_PREPARE,
        action::NUMBER_OUTCOME,
        action::NUMBER_CHECK,
        action::NUMBER_OUTSIDE,
        action::NUMBER_ROTATE,
    ],
    // Who was merged into another record gets no card and no qualification of his own.
    extracts: &[
        "residents_person",
        "residents_history",
        "residents_state",
        "residents_change",
        "residents_elsewhere",
        "gate_same",
    ],
};
