//! Names of the sample town (氏名).

mod given;
mod surnames;

use crate::draw::Draw;
use mimamori_kernel::fold::to_half_kana;

/// A name as the register holds it; kana in half width.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub kanji: String,
    pub kana: String,
}

/// 1 man, 2 woman, as in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sex {
    Man,
    Woman,
}

impl Sex {
    pub fn other(self) -> Self {
        match self {
            Self::Man => Self::Woman,
            Self::Woman => Self::Man,
        }
    }

    pub fn code(self) -> &'static str {
        match self {
            Self::Man => "1",
            Self::Woman => "2",
        }
    }
}

/// The tables, read once.
pub(crate) struct Names {
    surnames: Vec<Name>,
    weights: Vec<u32>,
    given: [Vec<Name>; 6],
    foreign: [Vec<Name>; 3],
}

fn table(text: &str) -> Vec<Name> {
    let read = |entry: &str| {
        let mut parts = entry.split('/');
        Some(Name {
            kanji: parts.next()?.to_owned(),
            kana: to_half_kana(parts.next()?),
        })
    };
    text.split_whitespace().filter_map(read).collect()
}

impl Names {
    pub fn load() -> Self {
        let weight = |entry: &str| entry.rsplit('/').next().and_then(|w| w.parse().ok());
        Self {
            surnames: table(surnames::SURNAMES),
            weights: surnames::SURNAMES
                .split_whitespace()
                .map(|entry| weight(entry).unwrap_or(1))
                .collect(),
            given: [
                table(given::MEN_OLD),
                table(given::MEN_MIDDLE),
                table(given::MEN_YOUNG),
                table(given::WOMEN_OLD),
                table(given::WOMEN_MIDDLE),
                table(given::WOMEN_YOUNG),
            ],
            foreign: [
                table(given::FOREIGN_FAMILY),
                table(given::FOREIGN_MEN),
                table(given::FOREIGN_WOMEN),
            ],
        }
    }

    /// A surname by weight.
    pub fn surname(&self, draw: &Draw) -> &Name {
        &self.surnames[draw.weighted(&self.weights)]
    }

    /// A whole Japanese name, fitting sex and year of birth.
    pub fn japanese(&self, draw: &Draw, surname: &Name, sex: Sex, born: i16) -> Name {
        let time = match born {
            ..=1945 => 0,
            1946..=1985 => 1,
            _ => 2,
        };
        let base = if sex == Sex::Man { 0 } else { 3 };
        // A tenth keeps the fashion of the parents.
        let time = if draw.percent(10) && time > 0 {
            time - 1
        } else {
            time
        };
        join(surname, draw.pick(&self.given[base + time]), "\u{3000}")
    }

    /// A family name of a foreign household.
    pub fn foreign_family(&self, draw: &Draw) -> &Name {
        draw.pick(&self.foreign[0])
    }

    /// A whole name in Latin letters with kana.
    pub fn foreign(&self, draw: &Draw, family: &Name, sex: Sex) -> Name {
        let given = &self.foreign[if sex == Sex::Man { 1 } else { 2 }];
        join(family, draw.pick(given), " ")
    }
}

fn join(family: &Name, given: &Name, space: &str) -> Name {
    Name {
        kanji: format!("{}{space}{}", family.kanji, given.kanji),
        kana: format!("{} {}", family.kana, given.kana),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_tables_are_as_large_as_promised_and_every_entry_is_whole() {
        let names = Names::load();
        assert!(names.surnames.len() >= 150, "{}", names.surnames.len());
        assert_eq!(names.surnames.len(), names.weights.len());
        for sex in names.given.chunks(3) {
            let distinct: HashSet<&Name> = sex.iter().flatten().collect();
            assert!(distinct.len() >= 120, "{}", distinct.len());
        }
        let all = names.surnames.iter().chain(names.given.iter().flatten());
        for name in all.chain(names.foreign.iter().flatten()) {
            assert!(!name.kanji.is_empty() && !name.kana.is_empty());
            let half = |c: char| matches!(c, '\u{ff61}'..='\u{ff9f}');
            assert!(name.kana.chars().all(half), "{}", name.kana);
        }
    }

    #[test]
    fn every_name_can_be_written_in_windows_31j() {
        let names = Names::load();
        for name in names.surnames.iter().chain(names.given.iter().flatten()) {
            let (_, _, lost) = encoding_rs::SHIFT_JIS.encode(&name.kanji);
            assert!(!lost, "{}", name.kanji);
        }
        assert!(names.surnames.iter().any(|n| n.kanji == "髙橋"));
    }
}
