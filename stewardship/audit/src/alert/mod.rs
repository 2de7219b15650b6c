//! 点検の結果 (alerts): each needs a named reviewer's answer, never the officer's own (S0-45).

mod page;
mod rule;
mod store;

pub(crate) use page::{answer, list, open, run};
pub(crate) use store::{counts, last_run};
