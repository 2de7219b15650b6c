//! Which column of a local CSV file is what (列の対応): layouts differ from town to town, so they are data.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::codes::Codes;

/// How the file writes its characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Windows-31J.
    Cp932,
    /// UTF-8, with or without a mark at its beginning.
    Utf8,
}

/// Columns that say who and when.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// 宛名番号.
    pub resident: Option<String>,
    /// Name in kana.
    pub kana: String,
    /// Birth date.
    pub birth: String,
    /// Sex.
    pub sex: String,
    /// 健診実施日.
    pub day: String,
    /// 受診券整理番号.
    pub ticket: Option<String>,
    /// 健診機関番号.
    pub facility: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ignored {
    columns: Vec<String>,
}

/// One kind of file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// Name on screens.
    pub name: String,
    /// Encoding.
    pub encoding: Encoding,
    /// Texts that mean 未実施.
    pub not_done: Vec<String>,
    /// Texts that mean 測定不能.
    pub unmeasurable: Vec<String>,
    /// Who and when.
    pub person: Person,
    /// Column to item code; several columns may hold codes of one test.
    pub columns: BTreeMap<String, String>,
    #[serde(default)]
    ignored: Ignored,
}

/// The layout cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// Not TOML, or unknown fields.
    #[error("列の対応の設定を読めません。")]
    Toml(#[from] toml::de::Error),
    /// A code that the table does not have.
    #[error("列「{0}」の項目コードは、項目コード表にありません。")]
    Code(String),
    /// One column for two things.
    #[error("列「{0}」が二つの項目に使われています。")]
    Twice(String),
}

impl Layout {
    /// Reads and checks a layout.
    ///
    /// # Errors
    /// [`LayoutError`] with the column that is wrong.
    pub fn parse(text: &str, codes: &Codes) -> Result<Self, LayoutError> {
        let layout: Self = toml::from_str(text)?;
        if let Some((column, _)) = layout
            .columns
            .iter()
            .find(|(_, code)| codes.place(code) == usize::MAX)
        {
            return Err(LayoutError::Code(column.clone()));
        }
        let mut seen = std::collections::BTreeSet::new();
        let all = layout
            .person_columns()
            .chain(layout.columns.keys())
            .chain(&layout.ignored.columns);
        if let Some(twice) = all.into_iter().find(|c| !seen.insert(c.as_str())) {
            return Err(LayoutError::Twice(twice.clone()));
        }
        Ok(layout)
    }

    /// The layout that the sample town's file has.
    ///
    /// # Errors
    /// [`LayoutError`]; a test keeps it from happening.
    pub fn sample(codes: &Codes) -> Result<Self, LayoutError> {
        Self::parse(include_str!("../../layouts/sample.toml"), codes)
    }

    /// Columns that say who and when.
    fn person_columns(&self) -> impl Iterator<Item = &String> {
        let p = &self.person;
        let needed = [&p.kana, &p.birth, &p.sex, &p.day];
        needed
            .into_iter()
            .chain(&p.resident)
            .chain(&p.ticket)
            .chain(&p.facility)
    }

    /// Whether a column is known, read or ignored by intent.
    pub(super) fn knows(&self, column: &str) -> bool {
        let ignored = self.ignored.columns.iter().any(|c| c == column);
        ignored || self.columns.contains_key(column) || self.person_columns().any(|c| c == column)
    }

    /// Every column that the file must have.
    pub(super) fn needed(&self) -> impl Iterator<Item = &String> {
        self.person_columns().chain(self.columns.keys())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = include_str!("../../layouts/sample.toml");

    #[test]
    fn the_sample_layout_holds_together() {
        let layout = Layout::sample(Codes::standard()).unwrap();
        assert_eq!(layout.encoding, Encoding::Cp932);
        assert!(layout.knows("住所") && layout.knows("eGFR") && !layout.knows("電話"));
        let of_one_test = layout
            .columns
            .values()
            .filter(|c| c.starts_with("3D046"))
            .count();
        assert_eq!(of_one_test, 3);
    }

    #[test]
    fn a_wrong_layout_names_the_column() {
        let codes = Codes::standard();
        let unknown = TEXT.replace("8A065000002391901", "8A065000002391902");
        assert!(matches!(Layout::parse(&unknown, codes), Err(LayoutError::Code(c)) if c == "eGFR"));
        let twice = TEXT.replace("\"氏名漢字\"", "\"eGFR\"");
        assert!(matches!(Layout::parse(&twice, codes), Err(LayoutError::Twice(c)) if c == "eGFR"));
        assert!(Layout::parse(&format!("{TEXT}\nmore = 1"), codes).is_err());
    }
}
