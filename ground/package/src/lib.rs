//! 受渡しの封筒 (sealed packages): what goes to a contractor or a university, and what comes back.
//!
//! Promises: a package says by itself for which contract, purpose and legal ground which items were handed to whom and until
//! when, and who two officers were that approved exactly this; whoever opens it sees no row before all of that was checked;
//! the same manifest travels in an `age` file or in an AES-256 ZIP archive that 7-Zip opens; every refusal has its own code.
//! Never: a database, a policy, the wall clock, the network; a row in a name, a header or an error.
//!
//! `docs/package-format.md` describes the bytes.

mod approval;
mod archive;
mod canonical;
mod digest;
mod document;
mod error;
mod image;
mod manifest;
mod open;
mod passkey;
mod seal;
mod table;
mod trust;

pub use approval::{Approval, Proof, terminal_message};
pub use canonical::{from_canonical, to_canonical};
pub use digest::{Digester, LeakReport, RowDigest, trace_leak};
pub use document::{
    ErasedMedium, ErasureCertificate, OpeningReceipt, Signed, sign_document, verify_document,
};
pub use error::PackageError;
pub use image::{Image, ImageFile, compare_image, write_image};
pub use manifest::{
    Column, Contract, FORMAT, FileEntry, Item, Kind, Limits, Manifest, Party, SLIP, TracePosition,
    fingerprint,
};
pub use open::{Checks, Key, Opened, open};
pub use passkey::{Assertion, challenge_of};
pub use seal::{Envelope, Source, passphrase, seal};
pub use table::{read_rows, write_rows};
pub use trust::{Approver, Kit, Terminal, Trust};
