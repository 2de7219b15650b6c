//! 分析報告 (analysis report): a month's monitoring in figures, signed (S1-55).

mod page;
mod rule;
mod store;

pub(crate) use page::{file, list, make, open};
