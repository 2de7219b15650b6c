//! 介護保険 (care-insurance): who is insured, since when, and the papers that say so.
//!
//! Promises: a qualification is worked out by the law from recorded facts, or the room says which
//! fact is missing; it never guesses a day.
//! Never: another service's tables; an individual number.

pub mod eligibility;
