//! 被保険者証 (cards): preview, print, batch in delivery order, reissue, return.

mod rule;

pub use rule::{CARD, Card, Insurer, REASONS, RETURNS, values};
