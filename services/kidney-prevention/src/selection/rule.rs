//! Rule sets as data (選定ルール). Presets: `rules.toml`, all of them 仮.

use serde::{Deserialize, Serialize};

use crate::checkup::{Amount, Codes, Test};

/// Ages at the end of the fiscal year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgeRule {
    /// From.
    pub least: u16,
    /// To, included.
    pub most: u16,
}

/// What shows that somebody is treated for diabetes; one of them is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TreatmentRule {
    /// 服薬2（血糖）: はい.
    pub medication: bool,
    /// The family doctor says so.
    pub clinic: bool,
}

/// Blood sugar at or above one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlucoseRule {
    /// HbA1c (NGSP), %.
    pub hba1c: Option<Amount>,
    /// Ten hours after a meal, mg/dL.
    pub fasting: Option<Amount>,
    /// 3.5 to ten hours after a meal, mg/dL.
    pub casual: Option<Amount>,
}

/// Kidneys worse than one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KidneyRule {
    /// eGFR below, mL/min/1.73 m², compared unrounded.
    pub egfr_below: Option<Amount>,
    /// Dipstick answer from here on: 3 is +.
    pub protein_from: Option<u8>,
}

macro_rules! exclusions {
    ($($name:ident $id:literal $japanese:literal,)*) => {
        /// Why somebody who meets the rule is still not invited (除外).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs, reason = "each variant's Japanese words say what it is")]
        pub enum Exclusion { $(#[serde(rename = $id)] $name,)* }

        impl Exclusion {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Stable id.
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// Words on a screen.
            pub fn japanese(self) -> &'static str {
                match self { $(Self::$name => $japanese,)* }
            }
        }
    };
}

exclusions! {
    RenalReplacement "renal_replacement" "透析療法中または腎移植後（問診の「はい」を含む）",
    Type1 "type_1" "1型糖尿病",
    Gestational "gestational" "妊娠糖尿病",
    Cancer "cancer" "がん治療中",
    Dementia "dementia" "認知機能障害",
    Terminal "terminal" "終末期",
    Institution "institution" "長期入院または施設入所",
    LostQualification "lost_qualification" "国民健康保険の資格喪失（転出・死亡を含む）",
    SeventyFive "seventy_five" "事業の期間中に75歳になる（後期高齢者医療へ移る）",
    ClinicProgramme "clinic_programme" "医療機関の透析予防指導を受けている",
    DoctorRefuses "doctor_refuses" "かかりつけ医が不可とした",
    Refusal "refusal" "本人の辞退",
    Protected "protected" "支援措置の対象",
}

impl Exclusion {
    /// The exclusion of an id.
    pub fn of(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|e| e.id() == id)
    }
}

/// A whole rule. Its text in TOML is what is approved; a change is a new version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSet {
    /// Short id: letters, digits, hyphens.
    pub id: String,
    /// Name on screens; ends with （仮） while it is provisional.
    pub name: String,
    /// Whether nobody has confirmed the numbers yet.
    pub provisional: bool,
    /// Where the numbers come from.
    pub source: String,
    /// Ages.
    pub age: AgeRule,
    /// Treatment.
    pub treatment: TreatmentRule,
    /// Blood sugar.
    pub glucose: GlucoseRule,
    /// Kidneys.
    pub kidney: KidneyRule,
    /// A value that the health check lacks is taken from the family doctor when it lies so many days from it; 0: never.
    pub clinic_days: u16,
    /// Exclusions that apply.
    pub exclusions: Vec<Exclusion>,
}

/// The rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// Not TOML, or unknown fields.
    #[error("選定ルールの設定を読めません。")]
    Toml(#[from] toml::de::Error),
    /// A step without any criterion, ages in the wrong order, thresholds outside the range of the item.
    #[error("選定ルール「{name}」の{what}が正しくありません。")]
    Broken {
        /// The rule set.
        name: String,
        /// The part of it.
        what: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rule_set: Vec<RuleSet>,
}

/// The presets of `rules.toml`.
///
/// # Errors
/// [`RulesError`]; a test keeps it from happening.
pub fn presets() -> Result<Vec<RuleSet>, RulesError> {
    let file: File = toml::from_str(include_str!("../../rules.toml"))?;
    file.rule_set.iter().try_for_each(RuleSet::check)?;
    Ok(file.rule_set)
}

impl RuleSet {
    /// Reads and checks one rule set from its TOML.
    ///
    /// # Errors
    /// [`RulesError`].
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        let rule: Self = toml::from_str(text)?;
        rule.check()?;
        Ok(rule)
    }

    /// Whether it can be used at all.
    ///
    /// # Errors
    /// [`RulesError::Broken`] with the part.
    pub fn check(&self) -> Result<(), RulesError> {
        let codes = Codes::standard();
        let inside = |amount: Option<Amount>, test: Test| {
            let entry = codes.entry(test);
            amount.is_none_or(|a| {
                entry.low.is_none_or(|l| l <= a) && entry.high.is_none_or(|h| a <= h)
            })
        };
        let g = &self.glucose;
        let glucose = g.hba1c.is_some() || g.fasting.is_some() || g.casual.is_some();
        let k = &self.kidney;
        let kidney = k.egfr_below.is_some() || k.protein_from.is_some();
        let what = if self.id.is_empty()
            || !self
                .id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        {
            "番号"
        } else if self.provisional != self.name.ends_with("（仮）") {
            "名前（仮の印）"
        } else if self.age.least > self.age.most || self.age.least < 18 || self.age.most > 120 {
            "年齢"
        } else if !self.treatment.medication && !self.treatment.clinic {
            "治療の条件"
        } else if !glucose
            || !inside(g.hba1c, Test::Hba1c)
            || !inside(g.fasting, Test::GlucoseFasting)
            || !inside(g.casual, Test::GlucoseCasual)
        {
            "血糖の条件"
        } else if !kidney
            || !inside(k.egfr_below, Test::Egfr)
            || k.protein_from.is_some_and(|p| !(1..=5).contains(&p))
        {
            "腎機能の条件"
        } else {
            return Ok(());
        };
        Err(RulesError::Broken {
            name: self.name.clone(),
            what,
        })
    }

    /// The rule in short Japanese lines, for screens, approvals and letters to the council.
    pub fn lines(&self) -> Vec<String> {
        let or = |parts: Vec<Option<String>>| {
            parts
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join("、または")
        };
        let t = &self.treatment;
        let g = &self.glucose;
        let k = &self.kidney;
        let protein = k.protein_from.map(|p| {
            let name = Codes::standard()
                .entry(Test::UrineProtein)
                .choice(p, 2024)
                .unwrap_or_default();
            format!("尿蛋白{name}以上")
        });
        let mut lines = vec![
            format!(
                "年度末の年齢が{}歳から{}歳まで",
                self.age.least, self.age.most
            ),
            or(vec![
                t.medication.then(|| "問診で血糖の薬を使用中".to_owned()),
                t.clinic.then(|| "かかりつけ医で糖尿病を治療中".to_owned()),
            ]),
            or(vec![
                g.hba1c.map(|a| format!("HbA1c（NGSP）{a:.1}%以上")),
                g.fasting.map(|a| format!("空腹時血糖{a}mg/dL以上")),
                g.casual.map(|a| format!("随時血糖{a}mg/dL以上")),
            ]),
            or(vec![k.egfr_below.map(|a| format!("eGFR {a}未満")), protein]),
        ];
        if self.clinic_days > 0 {
            lines.push(format!(
                "健診にない値は、健診日から{}日以内のかかりつけ医の値を使う",
                self.clinic_days
            ));
        }
        let names: Vec<_> = self.exclusions.iter().map(|e| e.japanese()).collect();
        lines.push(format!("除外: {}", names.join("、")));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_presets_are_marked_as_provisional() {
        let sets = presets().unwrap();
        let told: Vec<_> = sets
            .iter()
            .map(|s| (s.glucose.hba1c.unwrap().to_string(), s.provisional))
            .collect();
        assert_eq!(told, [("7".to_owned(), true), ("6.5".to_owned(), true)]);
        assert!(
            sets.iter()
                .all(|s| s.name.ends_with("（仮）") && s.exclusions.len() == Exclusion::ALL.len())
        );
        assert_eq!(sets[0].lines()[2], "HbA1c（NGSP）7.0%以上");
        assert_eq!(sets[0].lines()[3], "eGFR 60未満、または尿蛋白＋以上");
    }

    #[test]
    fn a_rule_set_survives_its_own_text() {
        for set in presets().unwrap() {
            let text = toml::to_string(&set).unwrap();
            assert_eq!(RuleSet::parse(&text).unwrap(), set);
        }
    }

    #[test]
    fn rules_that_select_by_nothing_are_refused() {
        let set = || presets().unwrap().remove(0);
        let what = |set: RuleSet| match set.check() {
            Err(RulesError::Broken { what, .. }) => what,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            what(RuleSet {
                age: AgeRule {
                    least: 75,
                    most: 74
                },
                ..set()
            }),
            "年齢"
        );
        let none = TreatmentRule {
            medication: false,
            clinic: false,
        };
        assert_eq!(
            what(RuleSet {
                treatment: none,
                ..set()
            }),
            "治療の条件"
        );
        let none = GlucoseRule {
            hba1c: None,
            fasting: None,
            casual: None,
        };
        assert_eq!(
            what(RuleSet {
                glucose: none,
                ..set()
            }),
            "血糖の条件"
        );
        let high = GlucoseRule {
            hba1c: Some(Amount::from_thousandths(70_000)),
            ..none
        };
        assert_eq!(
            what(RuleSet {
                glucose: high,
                ..set()
            }),
            "血糖の条件"
        );
        let none = KidneyRule {
            egfr_below: None,
            protein_from: None,
        };
        assert_eq!(
            what(RuleSet {
                kidney: none,
                ..set()
            }),
            "腎機能の条件"
        );
        assert_eq!(
            what(RuleSet {
                provisional: false,
                ..set()
            }),
            "名前（仮の印）"
        );
    }
}
