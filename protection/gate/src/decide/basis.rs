//! 根拠: which article or section stands behind a demand, as a refusal prints it.

use std::collections::BTreeMap;

use crate::error::GateError;

const TEXT: &str = include_str!("../../policy/basis.toml");

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    document: BTreeMap<String, String>,
    basis: BTreeMap<String, String>,
}

/// Articles by mission id.
#[derive(Debug)]
pub(super) struct Bases(BTreeMap<String, String>);

impl Bases {
    /// Those of `policy/basis.toml`.
    pub fn built_in() -> Result<Self, GateError> {
        let file: File = toml::from_str(TEXT).map_err(|e| GateError::Rules(e.to_string()))?;
        let mut out = BTreeMap::new();
        for (id, text) in file.basis {
            let place = text.split_once(' ');
            let (title, section) = place
                .and_then(|(key, section)| Some((file.document.get(key)?, section)))
                .ok_or_else(|| GateError::Rules(format!("{id}: {text} names no document")))?;
            let told = format!("{title} {section}（{id}）");
            out.insert(id, told);
        }
        Ok(Self(out))
    }

    /// The article with the demand's id behind it; the bare id when none is known.
    pub fn of(&self, mission: &str) -> String {
        let known = self.0.get(mission);
        known.map_or_else(|| mission.to_owned(), Clone::clone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_stands_before_the_number_of_its_demand() {
        let bases = Bases::built_in().unwrap();
        assert_eq!(
            bases.of("S4-76"),
            "笠間市介護・健診ネットワーク運用管理規程（未定稿） 6.2 ID等の失効（S4-76）"
        );
        assert_eq!(bases.of("S9-99"), "S9-99");
    }
}
