//! Choosing whom to invite (対象者の選定): rule sets with two persons' eyes, trials in numbers, one approved list.

mod page;
mod rule;
mod run;

pub use rule::propose_preset;
pub use run::try_rule;

pub(crate) use page::{decide_rule, decide_run, home, propose, rules, run_page, runs, start};
pub(crate) use run::{VERDICTS, verdict_words};
