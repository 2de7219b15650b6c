//! 糖尿病性腎症等重症化予防 (kidney-prevention): from health checks to guidance and what became of it (001).
//!
//! Promises: a person is selected by a rule that is data, with a reason for each step; a missing kidney value is told as
//! such and never taken for a good one; a value of the old HbA1c scale never meets a threshold of the new one.
//! Never: diagnosis; a row or a value of a file that disappears without a word; the wall clock, randomness.

pub mod checkup;
pub mod egfr;
pub mod evaluation;
pub mod guidance;
pub mod selection;
