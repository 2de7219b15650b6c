//! 対象者の選定 (selection): a rule set that is data, a judgement with a reason for each step, counts before anybody
//! is written to (S1-04; FACTS E).

mod dry_run;
mod judge;
mod rule;

pub use dry_run::{Count, DryRun, dry_run};
pub use judge::{Answer, Candidate, Clinic, Judgement, Missing, Said, Step, Verdict, judge};
pub use rule::{
    AgeRule, Exclusion, GlucoseRule, KidneyRule, RuleSet, RulesError, TreatmentRule, presets,
};

#[cfg(test)]
mod oracle;
