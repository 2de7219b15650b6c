//! ファイル (files): what a user takes out in a file, ready for a spreadsheet and locked by a password.
//!
//! Promises: no cell begins a formula; a character that the file's encoding lacks is marked and told; a file with
//! personal information is an AES-256 ZIP that 7-Zip opens with its password (S1-54, FACTS F.2 S7); it is handed over
//! once, to the session that made it.
//! Never: who may take out what, or the count of it: those are the gate's.

mod locked;
mod shelf;
mod table;

pub use locked::{LockError, lock};
pub use shelf::{Contents, Parcel, Shelf};
pub use table::{Encoding, Table, codes, unmapped};
