//! 統合宛名の模擬 (atena-simulator): the other end of the connector, with invented people, for tests and trials.
//!
//! Promises: it shares no code with the connector, only the contract `docs/api/atena.json`, against which it judges what
//! it is told and what it answers; everything is in memory. Never: real numbers; a network beyond the machine unless told.
//! No real 統合宛名 specification is public: interface and files are assumed (想定).

mod certificates;
mod contract;
mod folder;
mod http;
mod people;
mod world;

pub use certificates::write_certificates;
pub use contract::Contract;
pub use folder::Folder;
pub use http::{Addresses, Simulator, Tls};
pub use people::{Person, people};
pub use world::{Applied, Kind, Linked, Mode, World};
