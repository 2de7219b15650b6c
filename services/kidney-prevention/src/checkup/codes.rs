//! The table of item codes, by fiscal year (項目コード表). Source: `codes.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::amount::Amount;
use super::test_item::Test;

/// A period of the programme with a code table of its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// `第4期`.
    pub name: String,
    /// First fiscal year.
    pub from: i16,
    /// Last fiscal year.
    pub until: i16,
}

/// One code of a test.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// 17 characters.
    pub code: String,
    /// How it was measured; empty when there is one way.
    #[serde(default)]
    pub method: String,
    from: Option<i16>,
    until: Option<i16>,
}

/// One answer of a coded test.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The number in the file.
    pub value: u8,
    /// What it means.
    pub name: String,
    from: Option<i16>,
    until: Option<i16>,
}

/// What is known of a test.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The test.
    pub test: Test,
    /// Japanese name.
    pub name: String,
    /// Unit on a screen; empty for answers.
    #[serde(default)]
    pub unit: String,
    /// Spellings of the unit in files.
    #[serde(default)]
    pub units: Vec<String>,
    /// Decimals that the item has; more are refused.
    #[serde(default)]
    pub decimals: u8,
    /// Least amount that is taken.
    pub low: Option<Amount>,
    /// Greatest amount that is taken.
    pub high: Option<Amount>,
    /// Answers; empty for amounts.
    #[serde(default)]
    pub choices: Vec<Choice>,
    /// Codes, the preferred one first.
    pub codes: Vec<Code>,
}

fn within(year: i16, from: Option<i16>, until: Option<i16>) -> bool {
    from.is_none_or(|f| f <= year) && until.is_none_or(|u| year <= u)
}

impl Entry {
    /// Whether it is an amount with a unit; otherwise an answer.
    pub fn is_amount(&self) -> bool {
        self.choices.is_empty()
    }

    /// What an answer means in a fiscal year; none when the year does not have it.
    pub fn choice(&self, value: u8, year: i16) -> Option<&str> {
        let known = |c: &&Choice| c.value == value && within(year, c.from, c.until);
        self.choices.iter().find(known).map(|c| c.name.as_str())
    }
}

/// Where a code leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known<'a> {
    /// The test, and the place of the code in the order of preference.
    Here(&'a Entry, usize),
    /// A code of this test, but not of this fiscal year.
    OtherYear(&'a Entry),
}

/// The file does not hold together.
#[derive(Debug, thiserror::Error)]
pub enum CodesError {
    /// Not TOML, or unknown fields.
    #[error("項目コード表を読めません。")]
    Toml(#[from] toml::de::Error),
    /// A test stands twice or not at all, or a code leads to two tests.
    #[error("項目コード表に、重なりか欠けがあります（{0}）。")]
    Broken(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    periods: Vec<Period>,
    test: Vec<Entry>,
}

/// All tests with their codes.
#[derive(Debug)]
pub struct Codes {
    periods: Vec<Period>,
    entries: BTreeMap<Test, Entry>,
    by_code: BTreeMap<String, (Test, usize)>,
}

static STANDARD: LazyLock<Codes> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the table is part of the program and tested"
    )]
    Codes::parse(include_str!("../../codes.toml")).expect("codes.toml")
});

impl Codes {
    /// The table that comes with the program.
    pub fn standard() -> &'static Self {
        &STANDARD
    }

    /// Reads and checks a table.
    ///
    /// # Errors
    /// [`CodesError`] with the place that is wrong.
    pub fn parse(text: &str) -> Result<Self, CodesError> {
        let file: File = toml::from_str(text)?;
        let (mut entries, mut by_code) = (BTreeMap::new(), BTreeMap::new());
        for entry in file.test {
            let broken = || CodesError::Broken(entry.test.id().to_owned());
            for (place, code) in entry.codes.iter().enumerate() {
                let shaped =
                    code.code.len() == 17 && code.code.bytes().all(|b| b.is_ascii_alphanumeric());
                let old = by_code.insert(code.code.clone(), (entry.test, place));
                if !shaped || old.is_some() {
                    return Err(broken());
                }
            }
            if entry.codes.is_empty() || (entry.is_amount() && entry.units.is_empty()) {
                return Err(broken());
            }
            let (test, name) = (entry.test, broken());
            if entries.insert(test, entry).is_some() {
                return Err(name);
            }
        }
        if let Some(missing) = Test::ALL.iter().find(|t| !entries.contains_key(t)) {
            return Err(CodesError::Broken(missing.id().to_owned()));
        }
        Ok(Self {
            periods: file.periods,
            entries,
            by_code,
        })
    }

    /// What is known of a test.
    pub fn entry(&self, test: Test) -> &Entry {
        // `parse` refuses a table without it.
        &self.entries[&test]
    }

    /// Where a code leads in a fiscal year; none for a code that the table does not have.
    pub fn find(&self, code: &str, year: i16) -> Option<Known<'_>> {
        let (test, place) = self.by_code.get(code)?;
        let entry = self.entry(*test);
        let of_year = within(year, entry.codes[*place].from, entry.codes[*place].until);
        Some(if of_year {
            Known::Here(entry, *place)
        } else {
            Known::OtherYear(entry)
        })
    }

    /// The test of a code, in whatever year.
    pub fn test(&self, code: &str) -> Option<Test> {
        self.by_code.get(code).map(|(test, _)| *test)
    }

    /// The place of a code among those of its test; codes that are unknown come last.
    pub fn place(&self, code: &str) -> usize {
        self.by_code
            .get(code)
            .map_or(usize::MAX, |(_, place)| *place)
    }

    /// The period of a fiscal year.
    pub fn period(&self, year: i16) -> Option<&Period> {
        self.periods
            .iter()
            .find(|p| p.from <= year && year <= p.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_of_the_facts_lead_to_their_tests() {
        let codes = Codes::standard();
        let test = |code: &str| match codes.find(code, 2025) {
            Some(Known::Here(entry, _)) => Some(entry.test),
            _ => None,
        };
        for code in [
            "3D046000001906202",
            "3D046000001920402",
            "3D046000001927102",
            "3D046000001999902",
        ] {
            assert_eq!(test(code), Some(Test::Hba1c));
        }
        for (code, expected) in [
            ("3C015000002327101", Test::Creatinine),
            ("3C015000002399901", Test::Creatinine),
            ("8A065000002391901", Test::Egfr),
            ("1A010000000191111", Test::UrineProtein),
            ("1A010000000190111", Test::UrineProtein),
            ("9N706000000000011", Test::MedicationGlucose),
            ("9N141000000000011", Test::BloodDrawn),
            ("9A751000000000001", Test::Systolic),
            ("2A040000001930102", Test::Haematocrit),
        ] {
            assert_eq!(test(code), Some(expected), "{code}");
        }
        assert_eq!(test("3D046000001906203"), None);
    }

    #[test]
    fn the_old_scale_is_a_test_of_its_own_and_of_its_own_years() {
        let codes = Codes::standard();
        let old = "3D045000001906202";
        assert!(
            matches!(codes.find(old, 2012), Some(Known::Here(e, _)) if e.test == Test::Hba1cJds)
        );
        assert!(
            matches!(codes.find(old, 2013), Some(Known::OtherYear(e)) if e.test == Test::Hba1cJds)
        );
        assert!(matches!(
            codes.find("3D046000001906202", 2012),
            Some(Known::OtherYear(_))
        ));
    }

    #[test]
    fn answers_change_with_the_period() {
        let entry = Codes::standard().entry(Test::Smoking);
        assert_eq!(entry.choice(2, 2023), Some("いいえ"));
        assert!(
            entry
                .choice(2, 2024)
                .is_some_and(|n| n.starts_with("以前は"))
        );
        assert_eq!(
            (entry.choice(3, 2023), entry.choice(3, 2024)),
            (None, Some("いいえ"))
        );
        let names: Vec<_> = (2008..=2029)
            .filter_map(|y| Codes::standard().period(y))
            .collect();
        assert_eq!(names.len(), 22);
    }

    #[test]
    fn a_table_with_a_gap_or_an_overlap_is_refused() {
        let text = include_str!("../../codes.toml");
        let twice = text.replace("9N006000000000001", "9N001000000000001");
        assert!(matches!(Codes::parse(&twice), Err(CodesError::Broken(t)) if t == "weight"));
        let short = text.replace("9N006000000000001", "9N00600000000001");
        assert!(Codes::parse(&short).is_err());
        let cut = &text[..text.rfind("[[test]]").unwrap()];
        assert!(matches!(Codes::parse(cut), Err(CodesError::Broken(t)) if t == "guidance_level"));
    }

    #[test]
    fn every_group_but_the_last_is_an_item_of_the_sheet() {
        for test in Test::ALL {
            assert_eq!(Test::of(test.id()), Some(*test));
            let other = matches!(test, Test::Metabolic | Test::GuidanceLevel);
            assert_eq!(test.group().item().is_none(), other);
        }
    }
}
