//! 保健指導 (guidance): a plan of contacts with due dates, and the report that comes back (S1-05 to S1-09, S1-23 to 26).

mod plan;
mod report;

pub use plan::State;
pub use plan::{Closed, Contact, Mode, NoPlan, Plan, state};
pub use report::{FIELDS, Field, Fit, Given, Kind, check};
