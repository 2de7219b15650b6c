//! Tests of a health check and the groups of the outsourcing sheet they belong to (検査項目; S1-17, S1-18).

use serde::{Deserialize, Serialize};

macro_rules! tests {
    ($($name:ident $id:literal $group:ident,)*) => {
        /// A test or question. Its codes, units and ranges are data, see `codes.toml`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs, reason = "the names are those of codes.toml")]
        pub enum Test { $($name,)* }

        impl Test {
            /// All, in the order of the groups.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Stable id, as in `codes.toml` and in tables.
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// The group of the sheet that names it.
            pub fn group(self) -> Group {
                match self { $(Self::$name => Group::$group,)* }
            }
        }
    };
}

tests! {
    Height "height" BodyMeasurement,
    Weight "weight" BodyMeasurement,
    Bmi "bmi" BodyMeasurement,
    Waist "waist" BodyMeasurement,
    Systolic "systolic" BloodPressure,
    Diastolic "diastolic" BloodPressure,
    TriglycerideFasting "triglyceride_fasting" Lipids,
    TriglycerideCasual "triglyceride_casual" Lipids,
    Hdl "hdl" Lipids,
    Ldl "ldl" Lipids,
    NonHdl "non_hdl" Lipids,
    Ast "ast" Liver,
    Alt "alt" Liver,
    GammaGt "gamma_gt" Liver,
    Hba1c "hba1c" BloodGlucose,
    Hba1cJds "hba1c_jds" BloodGlucose,
    GlucoseFasting "glucose_fasting" BloodGlucose,
    GlucoseCasual "glucose_casual" BloodGlucose,
    BloodDrawn "blood_drawn" BloodGlucose,
    UrineGlucose "urine_glucose" Urine,
    UrineProtein "urine_protein" Urine,
    UrineAlbumin "urine_albumin" Urine,
    Haemoglobin "haemoglobin" Anaemia,
    RedCells "red_cells" Anaemia,
    Haematocrit "haematocrit" Anaemia,
    Smoking "smoking" Smoking,
    Creatinine "creatinine" KidneyFunction,
    Egfr "egfr" KidneyFunction,
    MedicationPressure "medication_pressure" TreatmentState,
    MedicationGlucose "medication_glucose" TreatmentState,
    MedicationLipids "medication_lipids" TreatmentState,
    HistoryStroke "history_stroke" DiseaseNames,
    HistoryHeart "history_heart" DiseaseNames,
    HistoryKidney "history_kidney" DiseaseNames,
    Metabolic "metabolic" Other,
    GuidanceLevel "guidance_level" Other,
}

impl Test {
    /// The test of an id.
    pub fn of(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|t| t.id() == id)
    }
}

/// The groups in which the sheet of 001 names results, in its order; [`Group::Other`] may not leave the office.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// 身体測定結果.
    BodyMeasurement,
    /// 血圧測定.
    BloodPressure,
    /// 脂質検査.
    Lipids,
    /// 肝機能検査.
    Liver,
    /// 血糖検査.
    BloodGlucose,
    /// 尿検査.
    Urine,
    /// 貧血検査.
    Anaemia,
    /// 喫煙.
    Smoking,
    /// 腎機能検査.
    KidneyFunction,
    /// 傷病名.
    DiseaseNames,
    /// 治療状況.
    TreatmentState,
    /// Named by no sheet.
    Other,
}

impl Group {
    /// The id of the item in a sheet; none where no sheet names it.
    pub fn item(self) -> Option<&'static str> {
        Some(match self {
            Self::BodyMeasurement => "body_measurement",
            Self::BloodPressure => "blood_pressure",
            Self::Lipids => "lipids",
            Self::Liver => "liver",
            Self::BloodGlucose => "blood_glucose",
            Self::Urine => "urine",
            Self::Anaemia => "anaemia",
            Self::Smoking => "smoking",
            Self::KidneyFunction => "kidney_function",
            Self::DiseaseNames => "disease_names",
            Self::TreatmentState => "treatment_state",
            Self::Other => return None,
        })
    }
}
