//! 点検 (monitoring): rules as data, and the job that runs them over the trace.

mod job;
pub mod rule;
mod rules;

pub use job::{MonitorError, Outcome, run};
pub use rules::{Kind, Rule, Rules, RulesError};
