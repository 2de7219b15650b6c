//! 被保険者証 (cards): preview, print, batch in delivery order, reissue, return.

mod batch;
mod page;
mod print;
mod rule;

pub(crate) use batch::{batch, gather, print_batch, pull};
pub(crate) use page::{change, page, picture};
pub(crate) use print::{paper, print};
pub use rule::{CARD, Card, Insurer, Paper, REASONS, RETURNS, values};
