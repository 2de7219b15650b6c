//! 基礎 (kernel): ids, time, 和暦 and partly unknown dates, name folding, check digits.
//!
//! Promises: pure functions and small types that every room shares.
//! Never: input or output, async, knowledge of a person, a policy or a database.

pub mod check;
pub mod clock;
pub mod date;
pub mod error;
pub mod fold;
pub mod id;
pub mod random;
