//! The selection once more, written independently from what the rule says in words, and laws that it must keep.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::*;
use crate::checkup::{Amount, Limit, Measured, Outcome, Sex, Test};

/// A person in plain numbers.
#[derive(Debug, Clone)]
struct Plain {
    woman: bool,
    age_at_end: i16,
    medication: Option<u8>,
    hba1c_tenths: Option<i64>,
    glucose: Option<(i64, u8)>,
    egfr_tenths: Option<i64>,
    creatinine_hundredths: Option<i64>,
    protein: Option<u8>,
    history: Option<u8>,
    clinic: Option<(i64, Option<bool>, Option<i64>)>,
    marks: BTreeSet<Exclusion>,
}

const DAY: Date = date(2025, 7, 15);

fn plain() -> impl Strategy<Value = Plain> {
    let first = (
        any::<bool>(),
        36i16..80,
        prop::option::of(1u8..=2),
        prop::option::of(50i64..100),
    );
    let second = (
        prop::option::of((90i64..200, 2u8..=4)),
        prop::option::weighted(0.3, 150i64..1000),
        prop::option::weighted(0.6, 40i64..300),
        prop::option::of(1u8..=5),
    );
    let clinic = (
        -250i64..250,
        prop::option::of(any::<bool>()),
        prop::option::of(40i64..300),
    );
    let third = (
        prop::option::weighted(0.2, 1u8..=2),
        prop::option::weighted(0.4, clinic),
        prop::collection::btree_set(prop::sample::select(Exclusion::ALL), 0..2),
    );
    (first, second, third).prop_map(
        |((woman, age, medication, a1c), (sugar, egfr, cr, protein), (history, clinic, marks))| {
            Plain {
                woman,
                age_at_end: age,
                medication,
                hba1c_tenths: a1c,
                glucose: sugar,
                egfr_tenths: egfr,
                creatinine_hundredths: cr,
                protein,
                history,
                clinic,
                marks,
            }
        },
    )
}

fn candidate(person: &str, p: &Plain) -> Candidate {
    let mut results = BTreeMap::new();
    let mut put = |test, outcome| {
        results.insert(
            test,
            vec![Measured {
                code: String::new(),
                outcome,
            }],
        );
    };
    let amount = |n: i64| Outcome::Amount {
        amount: Amount::from_thousandths(n),
        limit: None,
    };
    if let Some(n) = p.medication {
        put(Test::MedicationGlucose, Outcome::Choice(n));
    }
    if let Some(n) = p.hba1c_tenths {
        put(Test::Hba1c, amount(n * 100));
    }
    if let Some((n, drawn)) = p.glucose {
        put(Test::GlucoseFasting, amount(n * 1000));
        put(Test::BloodDrawn, Outcome::Choice(drawn));
    }
    if let Some(n) = p.egfr_tenths {
        put(Test::Egfr, amount(n * 100));
    }
    if let Some(n) = p.creatinine_hundredths {
        put(Test::Creatinine, amount(n * 10));
    }
    if let Some(n) = p.protein {
        put(Test::UrineProtein, Outcome::Choice(n));
    }
    if let Some(n) = p.history {
        put(Test::HistoryKidney, Outcome::Choice(n));
    }
    let clinic = p.clinic.map(|(days, treated, creatinine)| Clinic {
        day: DAY.checked_add(days.days()).unwrap(),
        treated,
        results: creatinine
            .map(|n| {
                (
                    Test::Creatinine,
                    vec![Measured {
                        code: String::new(),
                        outcome: amount(n * 10),
                    }],
                )
            })
            .into_iter()
            .collect(),
    });
    Candidate {
        person: person.into(),
        sex: if p.woman { Sex::Woman } else { Sex::Man },
        // Born on 1 August: the age on any day is easy to say.
        birth: date(2025 - p.age_at_end, 8, 1),
        day: DAY,
        results,
        clinic,
        marks: p.marks.clone(),
        until: date(2026, 3, 31),
    }
}

/// The words of the rule, followed by hand; nothing of `judge` is used.
fn oracle(hba1c_from: i64, sugars: bool, p: &Plain) -> &'static str {
    if p.age_at_end < 40 || p.age_at_end > 74 {
        return "age";
    }
    let doctor = p.clinic.and_then(|c| c.1).unwrap_or(false);
    let treated = if p.medication == Some(1) || doctor {
        "yes"
    } else if p.medication.is_none() {
        "?"
    } else {
        "no"
    };
    let high_a1c = p.hba1c_tenths.map(|n| n >= hba1c_from);
    let high_sugar = match p.glucose {
        _ if !sugars => Some(false),
        None | Some((_, 4)) => None,
        Some((n, _)) => Some(n >= 126),
    };
    let sugar = match (high_a1c, high_sugar) {
        (Some(true), _) | (_, Some(true)) => "yes",
        (None, _) | (_, None) => "?",
        _ => "no",
    };
    let of_creatinine = |hundredths: i64, age: i16| {
        let log =
            194f64.ln() - 1.094 * (hundredths as f64 / 100.0).ln() - 0.287 * f64::from(age).ln();
        log.exp() * if p.woman { 0.739 } else { 1.0 }
    };
    let near = p.clinic.filter(|c| c.0.abs() <= 180);
    let value = if let Some(n) = p.egfr_tenths {
        Some(n as f64 / 10.0)
    } else if let Some(n) = p.creatinine_hundredths {
        // The birthday in August lies behind the day in July.
        Some(of_creatinine(n, p.age_at_end - 1))
    } else if let Some((days, _, Some(n))) = near {
        let day = DAY.checked_add(days.days()).unwrap();
        let birth_year = 2025 - p.age_at_end;
        let before = (day.month(), day.day()) < (8, 1);
        Some(of_creatinine(
            n,
            day.year() - birth_year - i16::from(before),
        ))
    } else {
        None
    };
    let bad_egfr = value.map(|v| v < 60.0);
    let bad_protein = p.protein.map(|n| n >= 3);
    let kidney = match (bad_egfr, bad_protein) {
        (Some(true), _) | (_, Some(true)) => "yes",
        (None, _) => "?egfr",
        (_, None) => "?protein",
        _ => "no",
    };
    if treated == "no" {
        return "treated";
    }
    if sugar == "no" {
        return "sugar";
    }
    if kidney == "no" {
        return "kidney";
    }
    if p.history == Some(1) || !p.marks.is_empty() {
        return "excluded";
    }
    match (treated, sugar, kidney) {
        ("?", _, _) => "?treated",
        (_, "?", _) => "?sugar",
        (_, _, "?egfr") => "?kidney",
        (_, _, "?protein") => "?protein",
        _ => "selected",
    }
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Selected => "selected",
        Verdict::Excluded(_) => "excluded",
        Verdict::NotSelected(Step::Age) => "age",
        Verdict::NotSelected(Step::Treatment) => "treated",
        Verdict::NotSelected(Step::Glucose) => "sugar",
        Verdict::NotSelected(Step::Kidney) => "kidney",
        Verdict::NotSelected(Step::Exclusion) => "never",
        Verdict::Undetermined(Missing::Treatment) => "?treated",
        Verdict::Undetermined(Missing::Glucose) => "?sugar",
        Verdict::Undetermined(Missing::Kidney) => "?kidney",
        Verdict::Undetermined(Missing::Protein) => "?protein",
    }
}

/// Somebody who is selected by both presets.
fn clear() -> Plain {
    Plain {
        woman: false,
        age_at_end: 66,
        medication: Some(1),
        hba1c_tenths: Some(74),
        glucose: None,
        egfr_tenths: Some(520),
        creatinine_hundredths: None,
        protein: Some(1),
        history: Some(2),
        clinic: None,
        marks: BTreeSet::new(),
    }
}

fn verdict(p: &Plain) -> Judgement {
    judge(&presets().unwrap()[0], &candidate("A", p))
}

#[test]
fn every_step_says_why_with_value_threshold_and_source() {
    let judgement = verdict(&Plain {
        egfr_tenths: None,
        creatinine_hundredths: Some(120),
        ..clear()
    });
    assert_eq!(judgement.verdict, Verdict::Selected);
    let reasons: Vec<_> = judgement.steps.iter().map(|s| s.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "年度末に66歳（基準 40～74歳）",
            "問診で血糖の薬を使用中、かかりつけ医の報告なし",
            "HbA1c 7.4%（健診、基準 7.0%以上）",
            "eGFR 47.95（健診のクレアチニン1.20と65歳から計算、基準 60未満）、尿蛋白 －（基準 ＋以上）",
            "除外に当たる記録なし",
        ]
    );
}

#[test]
fn a_missing_kidney_value_is_its_own_result() {
    let none = Plain {
        egfr_tenths: None,
        ..clear()
    };
    assert_eq!(
        verdict(&none).verdict,
        Verdict::Undetermined(Missing::Kidney)
    );
    assert_eq!(verdict(&none).verdict.japanese(), "判定不能（腎機能なし）");
    let protein = Plain {
        protein: Some(3),
        ..none
    };
    assert_eq!(verdict(&protein).verdict, Verdict::Selected);
    let good = Plain {
        egfr_tenths: Some(600),
        protein: None,
        ..clear()
    };
    assert_eq!(
        verdict(&good).verdict,
        Verdict::Undetermined(Missing::Protein)
    );
    let both = Plain {
        egfr_tenths: Some(600),
        ..clear()
    };
    assert_eq!(verdict(&both).verdict, Verdict::NotSelected(Step::Kidney));
}

#[test]
fn the_family_doctor_fills_what_the_health_check_lacks_within_reach() {
    let with = |days| Plain {
        egfr_tenths: None,
        clinic: Some((days, None, Some(130))),
        ..clear()
    };
    let judgement = verdict(&with(180));
    assert_eq!(judgement.verdict, Verdict::Selected);
    assert!(
        judgement.steps[3]
            .reason
            .contains("かかりつけ医 2026-01-11のクレアチニン1.30")
    );
    assert_eq!(
        verdict(&with(181)).verdict,
        Verdict::Undetermined(Missing::Kidney)
    );
}

#[test]
fn an_old_scale_value_never_meets_the_threshold() {
    let mut jds = candidate(
        "A",
        &Plain {
            hba1c_tenths: None,
            ..clear()
        },
    );
    let outcome = Outcome::Amount {
        amount: Amount::from_thousandths(9000),
        limit: Some(Limit::OrMore),
    };
    jds.results.insert(
        Test::Hba1cJds,
        vec![Measured {
            code: String::new(),
            outcome,
        }],
    );
    let judgement = judge(&presets().unwrap()[0], &jds);
    assert_eq!(judgement.verdict, Verdict::Undetermined(Missing::Glucose));
    assert_eq!(judgement.steps[2].reason, "HbA1cはJDS値のみのため使わない");
}

#[test]
fn who_turns_75_within_the_programme_is_excluded() {
    let mut last = candidate("A", &clear());
    last.until = date(2034, 7, 31);
    assert_eq!(
        judge(&presets().unwrap()[0], &last).verdict,
        Verdict::Excluded(vec![Exclusion::SeventyFive])
    );
    last.until = date(2034, 7, 30);
    assert_eq!(
        judge(&presets().unwrap()[0], &last).verdict,
        Verdict::Selected
    );
}

fn verdicts(run: &DryRun) -> Vec<(String, Verdict)> {
    run.judgements
        .iter()
        .map(|j| (j.person.clone(), j.verdict.clone()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_rule_and_the_words_of_the_rule_agree(p in plain()) {
        let sets = presets().unwrap();
        let person = candidate("A", &p);
        prop_assert_eq!(word(&judge(&sets[0], &person).verdict), oracle(70, false, &p));
        prop_assert_eq!(word(&judge(&sets[1], &person).verdict), oracle(65, true, &p));
    }

    #[test]
    fn who_the_stricter_preset_selects_the_wider_one_selects(p in plain()) {
        let sets = presets().unwrap();
        let person = candidate("A", &p);
        if judge(&sets[0], &person).verdict == Verdict::Selected {
            prop_assert_eq!(judge(&sets[1], &person).verdict, Verdict::Selected);
        }
    }

    #[test]
    fn a_missing_value_never_turns_into_a_no(p in plain()) {
        // Whatever the value would have been: without it, the answer is not "not selected by the kidneys".
        let without = Plain { egfr_tenths: None, creatinine_hundredths: None, clinic: None, ..p };
        let word = word(&verdict(&without).verdict);
        prop_assert!(word != "kidney", "{}", word);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn counts_add_up_and_the_order_changes_nothing(people in prop::collection::vec(plain(), 0..60), turn in 0usize..60) {
        let rule = &presets().unwrap()[1];
        let all: Vec<_> = people.iter().enumerate().map(|(n, p)| candidate(&format!("{n:03}"), p)).collect();
        let run = dry_run(rule, &all);
        let undetermined: u64 = run.undetermined.values().sum();
        let left: u64 = run.not_selected.values().sum();
        prop_assert_eq!(run.selected + undetermined + run.excluded + left, run.total);
        prop_assert_eq!(run.steps[0].entered, run.total);
        for pair in run.steps.windows(2) {
            prop_assert_eq!(pair[0].yes + pair[0].unknown, pair[1].entered);
        }
        for step in &run.steps {
            prop_assert_eq!(step.yes + step.no + step.unknown, step.entered);
        }
        let last = run.steps[4];
        prop_assert_eq!(last.no, run.excluded);
        prop_assert_eq!(last.yes, run.selected + undetermined);
        let mut other: Vec<_> = all.iter().collect();
        other.rotate_left(turn.min(all.len()));
        prop_assert_eq!(verdicts(&dry_run(rule, other)), verdicts(&run));
    }
}
