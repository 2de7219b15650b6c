//! Which column of a town's file is which of our items (列の対応).

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::fault::Sheet;

/// What a file of residents tells, in our order; also the header of our own form.
pub(super) const RESIDENT_ITEMS: [&str; 25] = [
    "宛名番号",
    "履歴番号",
    "最新フラグ",
    "世帯番号",
    "氏名漢字",
    "氏名カナ",
    "通称",
    "通称カナ",
    "性別",
    "生年月日",
    "続柄",
    "郵便番号",
    "住所コード",
    "住所",
    "方書",
    "電話番号",
    "住民区分",
    "異動事由",
    "異動日",
    "届出日",
    "資格",
    "被保険者番号",
    "住所地特例",
    "支援措置",
    "転出先住所",
];
/// What a file of households tells.
pub(super) const HOUSEHOLD_ITEMS: [&str; 5] =
    ["世帯番号", "世帯主宛名番号", "住所", "成立日", "消除日"];
/// Items that may stay without a column.
const OPTIONAL: [&str; 14] = [
    "通称",
    "通称カナ",
    "続柄",
    "郵便番号",
    "住所コード",
    "方書",
    "電話番号",
    "届出日",
    "資格",
    "被保険者番号",
    "住所地特例",
    "転出先住所",
    "成立日",
    "消除日",
];
/// The column that the sample town carries, and what it says in each row.
pub const SAMPLE_MARK: (&str, &str) = ("見本データ", "架空");

/// Whether an item must have a column.
pub fn is_required(item: &str) -> bool {
    !OPTIONAL.contains(&item)
}

/// A form of export that is known beforehand: header names and code tables, as data.
#[derive(Debug, Deserialize)]
pub struct Preset {
    /// Short name, stable.
    pub code: String,
    /// Name on the screen.
    pub name: String,
    /// What is assumed about it; shown on the screen.
    pub note: String,
    /// Header names for each item; several are joined without a space.
    pub columns: HashMap<String, Vec<String>>,
    /// Codes of the file for ours, for each item.
    #[serde(default)]
    pub codes: HashMap<String, HashMap<String, String>>,
}

/// The forms that the product knows; the first is its own.
pub static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    [
        include_str!("../../presets/own.toml"),
        include_str!("../../presets/standard.toml"),
    ]
    .into_iter()
    .filter_map(|text| toml::from_str(text).ok())
    .collect()
});

/// The columns of an import, chosen by the user, and the code table they go through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// Code of the [`Preset`] whose code tables hold.
    pub preset: String,
    /// Header names for each item of the residents' file; none: the file does not tell it.
    pub residents: Vec<Vec<String>>,
    /// The same for households.
    pub households: Vec<Vec<String>>,
    /// Whether insured numbers end with a modulus 10 digit (FACTS B.1).
    pub check_digit: bool,
}

impl Layout {
    /// The columns of a preset; the product's own for an unknown code.
    pub fn of(code: &str) -> Self {
        let preset = PRESETS.iter().find(|p| p.code == code);
        let columns = |items: &[&str]| -> Vec<Vec<String>> {
            let own = |item: &str| vec![item.to_owned()];
            let of = |item: &&str| match preset {
                Some(preset) => preset.columns.get(*item).cloned().unwrap_or_default(),
                None => own(item),
            };
            items.iter().map(of).collect()
        };
        Self {
            preset: preset.map_or("own", |p| p.code.as_str()).to_owned(),
            residents: columns(&RESIDENT_ITEMS),
            households: columns(&HOUSEHOLD_ITEMS),
            check_digit: false,
        }
    }

    /// The preset with the most columns in a residents' header.
    pub fn guess(header: &[String]) -> Self {
        let hits = |preset: &&Preset| {
            let layout = Self::of(&preset.code);
            let found = |names: &&Vec<String>| {
                !names.is_empty() && names.iter().all(|n| header.contains(n))
            };
            layout.residents.iter().filter(found).count()
        };
        // Of equals the last wins: our own form.
        let best = PRESETS.iter().rev().max_by_key(hits);
        let mut layout = Self::of(best.map_or("own", |p| p.code.as_str()));
        // The sample town numbers its insured with a check digit.
        layout.check_digit = header.iter().any(|h| h == SAMPLE_MARK.0);
        layout
    }

    /// The header names of one sheet's items.
    pub fn columns(&self, sheet: Sheet) -> &[Vec<String>] {
        match sheet {
            Sheet::Residents => &self.residents,
            Sheet::Households => &self.households,
        }
    }

    /// The code tables of one sheet's items, in their order.
    pub(super) fn codes(&self, sheet: Sheet) -> Vec<Option<&'static HashMap<String, String>>> {
        let preset = PRESETS.iter().find(|p| p.code == self.preset);
        sheet
            .items()
            .iter()
            .map(|item| preset.and_then(|p| p.codes.get(*item)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_name_our_items_only_and_all_that_is_required() {
        assert_eq!(PRESETS.len(), 2);
        for preset in PRESETS.iter() {
            let known = |item: &String| {
                RESIDENT_ITEMS.contains(&item.as_str()) || HOUSEHOLD_ITEMS.contains(&item.as_str())
            };
            assert!(preset.columns.keys().all(known), "{}", preset.code);
            assert!(preset.codes.keys().all(known), "{}", preset.code);
            for item in RESIDENT_ITEMS.iter().filter(|i| is_required(i)) {
                assert!(preset.columns.contains_key(*item), "{} {item}", preset.code);
            }
        }
    }

    #[test]
    fn the_preset_is_guessed_from_the_header() {
        let header = |code: &str| -> Vec<String> {
            Layout::of(code).residents.into_iter().flatten().collect()
        };
        for preset in PRESETS.iter() {
            assert_eq!(Layout::guess(&header(&preset.code)).preset, preset.code);
        }
        assert_eq!(Layout::guess(&[]).preset, "own");
        let marked = [header("own"), vec![SAMPLE_MARK.0.into()]].concat();
        assert!(Layout::guess(&marked).check_digit && !Layout::of("own").check_digit);
    }
}
