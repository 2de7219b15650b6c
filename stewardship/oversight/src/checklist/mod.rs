//! The checklist of document 001 (個人情報保護対策チェックリスト): 76 lines, each with ○ or -, evidence and a reviewer;
//! what the software enforces is looked at by the software (S1-33).

pub(crate) mod lines;
pub(crate) mod page;
pub(crate) mod probe;
pub(crate) mod store;

pub use probe::{Finding, Probe, Probes};
pub use store::Answer;
