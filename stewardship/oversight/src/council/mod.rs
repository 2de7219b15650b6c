//! Council cases (付議・諮問の案件): subject, meeting, legal grounds old and new side by side, history (S1-01, S1-10).

pub(crate) mod enter;
pub(crate) mod page;
pub(crate) mod store;

pub use store::{Case, Ground, Past};
