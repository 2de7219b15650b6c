//! 評価 (evaluation): what became of those who took part, by next year's health check (FACTS E: HbA1c, eGFR slope,
//! visits, dialysis). Numbers describe; they prove no effect, since nobody was drawn by lot, and the screen says so.

mod plot;
mod slope;
mod summary;

pub use plot::{Plot, Series};
pub use slope::{Point, slope};
pub use summary::{Followed, Measure, Summary, summary};
