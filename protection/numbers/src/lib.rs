//! 個人番号 (numbers): the only place where an individual number exists in clear.
//!
//! Promises: a number is stored encrypted under a key of its own record, found by a keyed index, and shown only
//! for a ticket that a permit stands behind. Never: a number in an address, a log line, an error or a cache; a
//! generic decryption.

#[cfg_attr(
    not(test),
    allow(dead_code, unused_imports, reason = "the room begins to call it")
)]
pub mod link;
mod number;

pub(crate) use number::Number;
