//! One person against a rule set: an answer and a sentence for each step, and what follows from them (判定).

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;
use mimamori_kernel::date::{PartialDate, age_on, day_age_is_reached, fiscal_year};

use super::rule::{Exclusion, RuleSet};
use crate::checkup::{
    Amount, Checkup, Codes, Glucose, Measured, Outcome, Sex, Subject, Test, best, glucose,
};
use crate::egfr::{Basis, Egfr, judged};

/// What a family doctor reported (かかりつけ医における検査結果).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Clinic {
    /// Day of the results.
    pub day: Date,
    /// Whether the person is treated for diabetes there; none when the doctor did not say.
    pub treated: Option<bool>,
    /// Results.
    pub results: BTreeMap<Test, Vec<Measured>>,
}

/// Everything the rule looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The office's id of the person; shown nowhere.
    pub person: String,
    /// Sex.
    pub sex: Sex,
    /// Birth date by the register.
    pub birth: Date,
    /// Day of the health check; its fiscal year is the year of the selection.
    pub day: Date,
    /// Results of the health check.
    pub results: BTreeMap<Test, Vec<Measured>>,
    /// The family doctor's newest report.
    pub clinic: Option<Clinic>,
    /// Exclusions that the office knows of.
    pub marks: BTreeSet<Exclusion>,
    /// Last day of the programme.
    pub until: Date,
}

/// A step of the rule, in the order of the document: treated, sugar, kidneys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// 年齢.
    Age,
    /// 糖尿病治療中.
    Treatment,
    /// 血糖.
    Glucose,
    /// 腎機能.
    Kidney,
    /// 除外に当たらない.
    Exclusion,
}

impl Step {
    /// All, in order.
    pub const ALL: [Self; 5] = [
        Self::Age,
        Self::Treatment,
        Self::Glucose,
        Self::Kidney,
        Self::Exclusion,
    ];

    /// The word on a screen.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Age => "年齢",
            Self::Treatment => "糖尿病の治療中",
            Self::Glucose => "血糖が基準以上",
            Self::Kidney => "腎機能が基準を超える",
            Self::Exclusion => "除外に当たらない",
        }
    }
}

/// An answer that may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Met.
    Yes,
    /// Not met, and nothing that is missing could change it.
    No,
    /// A value is missing that would decide.
    Unknown,
}

impl Answer {
    fn of(met: bool) -> Self {
        if met { Self::Yes } else { Self::No }
    }

    /// One of them is enough; a missing one leaves it open unless another is met.
    fn any(answers: impl IntoIterator<Item = Self>) -> Self {
        let mut found = Self::No;
        for answer in answers {
            match answer {
                Self::Yes => return Self::Yes,
                Self::Unknown => found = Self::Unknown,
                Self::No => {}
            }
        }
        found
    }
}

/// What is missing where nothing can be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Missing {
    /// Nobody said whether there is treatment.
    Treatment,
    /// No usable blood sugar.
    Glucose,
    /// Neither eGFR nor creatinine.
    Kidney,
    /// eGFR does not meet the rule and the dipstick is missing.
    Protein,
}

impl Missing {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Treatment, Self::Glucose, Self::Kidney, Self::Protein];

    /// 判定不能（…）.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Treatment => "判定不能（治療状況なし）",
            Self::Glucose => "判定不能（血糖なし）",
            Self::Kidney => "判定不能（腎機能なし）",
            Self::Protein => "判定不能（尿蛋白なし）",
        }
    }
}

/// What follows for the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// 対象.
    Selected,
    /// 対象外, by the first step that is not met.
    NotSelected(Step),
    /// Meets the rule as far as it is known, and is excluded.
    Excluded(Vec<Exclusion>),
    /// No step fails, but a value is missing.
    Undetermined(Missing),
}

impl Verdict {
    /// Words on a screen.
    pub fn japanese(&self) -> String {
        match self {
            Self::Selected => "対象".into(),
            Self::NotSelected(step) => format!("対象外（{}を満たさない）", step.japanese()),
            Self::Excluded(_) => "除外".into(),
            Self::Undetermined(missing) => missing.japanese().into(),
        }
    }
}

/// One step with its answer and the reason in Japanese.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The step.
    pub step: Step,
    /// The answer.
    pub answer: Answer,
    /// Why, with value, threshold and where the value comes from.
    pub reason: String,
}

/// The judgement of one person.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The office's id of the person.
    pub person: String,
    /// What follows.
    pub verdict: Verdict,
    /// All five steps.
    pub steps: Vec<Said>,
    /// The eGFR that was judged by.
    pub egfr: Option<Egfr>,
}

/// Judges one person. The same candidate and rule always give the same judgement.
///
/// The first step that is not met decides, even behind one that is unknown: a missing value is asked for only where it
/// could lead to an invitation.
pub fn judge(rule: &RuleSet, candidate: &Candidate) -> Judgement {
    let kidney = kidney(rule, candidate);
    let excluded = excluded(rule, candidate);
    let steps = vec![
        age(rule, candidate),
        treatment(rule, candidate),
        sugar(rule, candidate),
        kidney.said,
        exclusion(&excluded),
    ];
    let missing = |step| match step {
        Step::Age | Step::Treatment | Step::Exclusion => Missing::Treatment,
        Step::Glucose => Missing::Glucose,
        Step::Kidney if kidney.egfr.is_none() && rule.kidney.egfr_below.is_some() => {
            Missing::Kidney
        }
        Step::Kidney => Missing::Protein,
    };
    let first = |answer| steps.iter().find(|s| s.answer == answer).map(|s| s.step);
    let verdict = match (first(Answer::No), first(Answer::Unknown)) {
        (Some(Step::Exclusion), _) => Verdict::Excluded(excluded),
        (Some(step), _) => Verdict::NotSelected(step),
        (None, Some(step)) => Verdict::Undetermined(missing(step)),
        (None, None) => Verdict::Selected,
    };
    Judgement {
        person: candidate.person.clone(),
        verdict,
        steps,
        egfr: kidney.egfr,
    }
}

fn said(step: Step, answer: Answer, reason: String) -> Said {
    Said {
        step,
        answer,
        reason,
    }
}

fn age(rule: &RuleSet, candidate: &Candidate) -> Said {
    let end = Date::new(fiscal_year(candidate.day) + 1, 3, 31).unwrap_or(candidate.day);
    let (least, most) = (rule.age.least, rule.age.most);
    match age_on(PartialDate::from(candidate.birth), end).least() {
        Some(years) => {
            let answer = Answer::of((least..=most).contains(&years));
            said(
                Step::Age,
                answer,
                format!("年度末に{years}歳（基準 {least}～{most}歳）"),
            )
        }
        None => said(Step::Age, Answer::No, "生年月日が健診の年度より後".into()),
    }
}

fn treatment(rule: &RuleSet, candidate: &Candidate) -> Said {
    let mut answers = vec![];
    let mut reasons = vec![];
    if rule.treatment.medication {
        let (answer, reason) = match best(&candidate.results, Test::MedicationGlucose) {
            Some(Outcome::Choice(1)) => (Answer::Yes, "問診で血糖の薬を使用中"),
            Some(Outcome::Choice(_)) => (Answer::No, "問診で血糖の薬は使用していない"),
            _ => (Answer::Unknown, "血糖の薬の回答がない"),
        };
        answers.push(answer);
        reasons.push(reason);
    }
    if rule.treatment.clinic {
        // A doctor who has reported nothing is no missing value: most persons have none to report.
        let (answer, reason) = match candidate.clinic.as_ref().and_then(|c| c.treated) {
            Some(true) => (Answer::Yes, "かかりつけ医で治療中"),
            Some(false) => (Answer::No, "かかりつけ医で治療していない"),
            None if rule.treatment.medication => (Answer::No, "かかりつけ医の報告なし"),
            None => (Answer::Unknown, "かかりつけ医の報告なし"),
        };
        answers.push(answer);
        reasons.push(reason);
    }
    said(Step::Treatment, Answer::any(answers), reasons.join("、"))
}

/// An amount of the health check, else of the family doctor when it is near enough; with where it comes from.
fn amount(rule: &RuleSet, candidate: &Candidate, test: Test) -> Option<(Amount, Date, String)> {
    let of = |results| match best(results, test) {
        Some(Outcome::Amount { amount, .. }) => Some(amount),
        _ => None,
    };
    if let Some(amount) = of(&candidate.results) {
        return Some((amount, candidate.day, "健診".into()));
    }
    let clinic = near(rule, candidate)?;
    of(&clinic.results).map(|a| (a, clinic.day, format!("かかりつけ医 {}", clinic.day)))
}

/// The family doctor's report, when it lies near enough to the health check.
fn near<'a>(rule: &RuleSet, candidate: &'a Candidate) -> Option<&'a Clinic> {
    let clinic = candidate.clinic.as_ref()?;
    let reach = i64::from(rule.clinic_days).days();
    let (first, last) = (
        candidate.day.checked_sub(reach).ok()?,
        candidate.day.checked_add(reach).ok()?,
    );
    (rule.clinic_days > 0 && (first..=last).contains(&clinic.day)).then_some(clinic)
}

fn sugar(rule: &RuleSet, candidate: &Candidate) -> Said {
    let mut answers = vec![];
    let mut reasons = vec![];
    if let Some(threshold) = rule.glucose.hba1c {
        match amount(rule, candidate, Test::Hba1c) {
            Some((value, _, from)) => {
                answers.push(Answer::of(value >= threshold));
                reasons.push(format!(
                    "HbA1c {value:.1}%（{from}、基準 {threshold:.1}%以上）"
                ));
            }
            None => {
                answers.push(Answer::Unknown);
                let jds = candidate.results.contains_key(&Test::Hba1cJds);
                let why = if jds {
                    "HbA1cはJDS値のみのため使わない"
                } else {
                    "HbA1cの値がない"
                };
                reasons.push(why.into());
            }
        }
    }
    let seen = glucose(&as_checkup(candidate));
    for (threshold, name, fasting) in [
        (rule.glucose.fasting, "空腹時血糖", true),
        (rule.glucose.casual, "随時血糖", false),
    ] {
        let Some(threshold) = threshold else { continue };
        // One sample is either fasting or casual: the criterion of the other kind is not a missing value.
        let (answer, reason) = match (seen, fasting) {
            (Glucose::Fasting(value), true) | (Glucose::Casual(value), false) => (
                Answer::of(value >= threshold),
                format!("{name} {value}mg/dL（基準 {threshold}mg/dL以上）"),
            ),
            (Glucose::Fasting(_), false) | (Glucose::Casual(_), true) => continue,
            (Glucose::TooSoon, _) => (
                Answer::Unknown,
                "血糖は食後3.5時間未満などのため使わない".to_owned(),
            ),
            (Glucose::Missing, _) => (Answer::Unknown, format!("{name}の値がない")),
        };
        answers.push(answer);
        reasons.push(reason);
    }
    if answers.is_empty() {
        // The rule asks for one kind alone and the sample is of the other.
        answers.push(Answer::Unknown);
        reasons.push("基準に合う採血時間の血糖がない".into());
    }
    said(Step::Glucose, Answer::any(answers), reasons.join("、"))
}

fn as_checkup(candidate: &Candidate) -> Checkup {
    let subject = Subject {
        resident: None,
        kana: String::new(),
        birth: candidate.birth,
        sex: candidate.sex,
        ticket: None,
    };
    Checkup {
        subject,
        day: candidate.day,
        facility: None,
        results: candidate.results.clone(),
    }
}

struct Kidneys {
    said: Said,
    egfr: Option<Egfr>,
}

fn kidney(rule: &RuleSet, candidate: &Candidate) -> Kidneys {
    let (egfr, source) = judged_egfr(rule, candidate);
    let mut answers = vec![];
    let mut reasons = vec![];
    if let Some(below) = rule.kidney.egfr_below {
        match egfr {
            Some(egfr) => {
                answers.push(Answer::of(egfr.value < below.to_f64()));
                reasons.push(format!(
                    "eGFR {}（{source}、基準 {below}未満）",
                    shown(egfr)
                ));
            }
            None => {
                answers.push(Answer::Unknown);
                reasons.push("eGFRもクレアチニンもない".into());
            }
        }
    }
    if let Some(from) = rule.kidney.protein_from {
        let year = fiscal_year(candidate.day);
        let name = |n| {
            Codes::standard()
                .entry(Test::UrineProtein)
                .choice(n, year)
                .unwrap_or_default()
        };
        match best(&candidate.results, Test::UrineProtein) {
            Some(Outcome::Choice(value)) => {
                answers.push(Answer::of(value >= from));
                reasons.push(format!("尿蛋白 {}（基準 {}以上）", name(value), name(from)));
            }
            _ => {
                answers.push(Answer::Unknown);
                reasons.push("尿蛋白の結果がない".into());
            }
        }
    }
    let said = said(Step::Kidney, Answer::any(answers), reasons.join("、"));
    Kidneys { said, egfr }
}

/// The eGFR to judge by: reported by the health check, calculated from it, then the same of the family doctor.
fn judged_egfr(rule: &RuleSet, candidate: &Candidate) -> (Option<Egfr>, String) {
    let of = |results: &BTreeMap<Test, Vec<Measured>>, day| {
        let amount = |test| match best(results, test) {
            Some(Outcome::Amount { amount, .. }) => Some(amount),
            _ => None,
        };
        judged(
            amount(Test::Egfr),
            amount(Test::Creatinine),
            candidate.sex,
            candidate.birth,
            day,
        )
    };
    if let Some(egfr) = of(&candidate.results, candidate.day) {
        return (Some(egfr), basis("健診", egfr));
    }
    match near(rule, candidate).and_then(|c| of(&c.results, c.day).map(|e| (e, c.day))) {
        Some((egfr, day)) => (Some(egfr), basis(&format!("かかりつけ医 {day}"), egfr)),
        None => (None, String::new()),
    }
}

fn basis(from: &str, egfr: Egfr) -> String {
    match egfr.basis {
        Basis::Reported => format!("{from}の報告値"),
        Basis::Calculated { age, creatinine } => {
            format!("{from}のクレアチニン{creatinine:.2}と{age}歳から計算")
        }
    }
}

/// A reported value as it stands; a calculated one cut to two decimals, so that 59.996 is not shown as 60.
fn shown(egfr: Egfr) -> String {
    match egfr.basis {
        Basis::Reported => format!("{}", egfr.value),
        Basis::Calculated { .. } => format!("{:.2}", (egfr.value * 100.0).floor() / 100.0),
    }
}

/// Exclusions of the rule that apply: those the office knows of, and those that follow from age and answers.
fn excluded(rule: &RuleSet, candidate: &Candidate) -> Vec<Exclusion> {
    let day_75 = day_age_is_reached(PartialDate::from(candidate.birth), 75);
    let kidneys_failed = best(&candidate.results, Test::HistoryKidney) == Some(Outcome::Choice(1));
    let applies = |e: Exclusion| match e {
        Exclusion::SeventyFive => {
            day_75.is_some_and(|d| d <= candidate.until) || candidate.marks.contains(&e)
        }
        Exclusion::RenalReplacement => kidneys_failed || candidate.marks.contains(&e),
        other => candidate.marks.contains(&other),
    };
    Exclusion::ALL
        .iter()
        .copied()
        .filter(|e| rule.exclusions.contains(e) && applies(*e))
        .collect()
}

fn exclusion(excluded: &[Exclusion]) -> Said {
    if excluded.is_empty() {
        return said(Step::Exclusion, Answer::Yes, "除外に当たる記録なし".into());
    }
    let names: Vec<_> = excluded.iter().map(|e| e.japanese()).collect();
    said(Step::Exclusion, Answer::No, names.join("、"))
}
