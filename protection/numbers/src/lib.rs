//! 個人番号 (numbers): the only place where an individual number exists in clear.
//!
//! Promises: a number is stored encrypted under a key of its own record, found by a keyed index, and shown only
//! for a ticket that a permit stands behind; the room runs in a process of its own, and the browser gets a number
//! from it alone. Never: a number in an address, a log line, an error or a cache; a generic decryption.

mod control;
mod desk;
mod error;
mod frames;
mod keys;
pub mod link;
mod number;
pub mod port;
mod room;
mod schema;
#[cfg(test)]
mod tests;
mod vault;

pub(crate) use number::Number;

pub use control::{Client, answer, bind};
pub use desk::Limits;
pub use error::NumbersError;
pub use keys::Kek;
pub use room::{Room, Window};
pub use schema::{ITEMS, MIGRATIONS};
pub use vault::{KekSource, Tried, asks_for};
