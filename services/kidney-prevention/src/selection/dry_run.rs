//! What a rule set would do, in numbers, before anybody is written to (試行).

use std::collections::BTreeMap;

use super::judge::{Answer, Candidate, Judgement, Missing, Step, Verdict, judge};
use super::rule::{Exclusion, RuleSet};

/// What one step did to those who had met all steps before it, as far as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The step.
    pub step: Step,
    /// Persons who came to it.
    pub entered: u64,
    /// Met.
    pub yes: u64,
    /// Not met; they leave here.
    pub no: u64,
    /// Unknown; they go on, since a later step may decide.
    pub unknown: u64,
}

/// The result of a dry run.
#[derive(Debug, Clone, PartialEq)]
pub struct DryRun {
    /// Persons with a health check in the year.
    pub total: u64,
    /// Step by step.
    pub steps: Vec<Count>,
    /// 対象.
    pub selected: u64,
    /// 判定不能, by what is missing.
    pub undetermined: BTreeMap<Missing, u64>,
    /// 除外, by reason; one person may have several.
    pub exclusions: BTreeMap<Exclusion, u64>,
    /// 除外, persons.
    pub excluded: u64,
    /// 対象外, by the step that was not met.
    pub not_selected: BTreeMap<Step, u64>,
    /// One for each person, ordered by id.
    pub judgements: Vec<Judgement>,
}

/// Judges all candidates. The order in which they come changes nothing.
pub fn dry_run<'a>(rule: &RuleSet, candidates: impl IntoIterator<Item = &'a Candidate>) -> DryRun {
    let mut judgements: Vec<_> = candidates.into_iter().map(|c| judge(rule, c)).collect();
    judgements.sort_by(|a, b| a.person.cmp(&b.person));
    let mut run = DryRun {
        total: judgements.len() as u64,
        steps: Step::ALL
            .map(|step| Count {
                step,
                entered: 0,
                yes: 0,
                no: 0,
                unknown: 0,
            })
            .into(),
        selected: 0,
        undetermined: BTreeMap::new(),
        exclusions: BTreeMap::new(),
        excluded: 0,
        not_selected: BTreeMap::new(),
        judgements: vec![],
    };
    for judgement in &judgements {
        walk(&mut run.steps, judgement);
        match &judgement.verdict {
            Verdict::Selected => run.selected += 1,
            Verdict::NotSelected(step) => *run.not_selected.entry(*step).or_default() += 1,
            Verdict::Undetermined(missing) => *run.undetermined.entry(*missing).or_default() += 1,
            Verdict::Excluded(reasons) => {
                run.excluded += 1;
                for reason in reasons {
                    *run.exclusions.entry(*reason).or_default() += 1;
                }
            }
        }
    }
    run.judgements = judgements;
    run
}

fn walk(steps: &mut [Count], judgement: &Judgement) {
    for (count, said) in steps.iter_mut().zip(&judgement.steps) {
        count.entered += 1;
        match said.answer {
            Answer::Yes => count.yes += 1,
            Answer::Unknown => count.unknown += 1,
            Answer::No => {
                count.no += 1;
                return;
            }
        }
    }
}
