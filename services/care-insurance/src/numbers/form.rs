//! What a handler states before a number is touched: purpose, case, reason.

use mimamori_gate::{Purpose, Reason};
use mimamori_pages::{Choice, FieldError};

/// The closed list of legal purposes (S0-13).
pub(super) const PURPOSES: [Purpose; 2] = [Purpose::CareInsurance, Purpose::CommunitySupport];

/// Longest case and reason, characters.
const LONGEST: usize = 100;

/// As it was typed.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Given {
    pub purpose: String,
    pub case: String,
    pub reason: String,
}

impl Given {
    /// Purpose and reason, or what is missing.
    pub fn read(&self) -> Result<(Purpose, Reason), Vec<FieldError>> {
        let mut errors = Vec::new();
        let purpose = PURPOSES.into_iter().find(|p| p.code() == self.purpose);
        if purpose.is_none() {
            errors.push(FieldError::new("purpose", "利用の目的を選んでください。"));
        }
        for (name, value, what) in [
            ("case", &self.case, "受付番号など、事件の番号"),
            ("reason", &self.reason, "理由"),
        ] {
            let length = value.trim().chars().count();
            if !(1..=LONGEST).contains(&length) {
                errors.push(FieldError::new(
                    name,
                    format!("{what}を{LONGEST}文字までで書いてください。"),
                ));
            } else if holds_number(value) {
                // Reasons are sealed, but a number belongs nowhere except in the room.
                errors.push(FieldError::new(
                    name,
                    "個人番号のような12桁の数字は書けません。",
                ));
            }
        }
        match purpose {
            Some(purpose) if errors.is_empty() => {
                let words = format!("事件 {}　理由 {}", self.case.trim(), self.reason.trim());
                Ok((purpose, Reason(words)))
            }
            _ => Err(errors),
        }
    }

    pub fn purposes(&self) -> Vec<Choice> {
        let first = std::iter::once(("", "選んでください"));
        let all = PURPOSES.iter().map(|p| (p.code(), p.japanese()));
        first
            .chain(all)
            .map(|(code, name)| Choice::new(code, name, &self.purpose))
            .collect()
    }
}

/// Twelve digits in a row, in any width, also with separators between them.
fn holds_number(text: &str) -> bool {
    let mut run = 0;
    for c in text.chars() {
        let digit = c.is_ascii_digit() || ('０'..='９').contains(&c);
        run = match c {
            _ if digit => run + 1,
            _ if !c.is_alphanumeric() || c == 'ー' => run,
            _ => 0,
        };
        if run >= 12 {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_not_written_into_a_reason() {
        for text in [
            "123456789018",
            "番号は１２３４ ５６７８ ９０１８です",
            "1234-5678-9018",
        ] {
            assert!(holds_number(text), "{text}");
        }
        for text in ["令和8年11月22日 第12345号", "03-1234-5678", "12345678901"] {
            assert!(!holds_number(text), "{text}");
        }
    }

    #[test]
    fn purpose_case_and_reason_are_all_needed() {
        let given = Given {
            purpose: "care-insurance".into(),
            case: "受付12".into(),
            reason: "資格の確認".into(),
        };
        assert!(given.read().is_ok());
        for broken in [
            Given {
                purpose: "audit".into(),
                ..given.clone()
            },
            Given {
                case: " ".into(),
                ..given.clone()
            },
            Given {
                reason: "あ".repeat(101),
                ..given.clone()
            },
        ] {
            assert_eq!(broken.read().unwrap_err().len(), 1);
        }
    }
}
