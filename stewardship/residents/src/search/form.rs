use jiff::civil::Date;
use mimamori_kernel::date::{PartialDate, parse_any};
use mimamori_kernel::fold::{address_key, kana_key, kanji_key};
use mimamori_pages::FieldError;

/// What the browser sends; everything optional but the reason.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Sent {
    pub kana: String,
    pub kanji: String,
    pub birth: String,
    pub sex: String,
    pub address: String,
    pub phone: String,
    pub number: String,
    pub channel: String,
    pub note: String,
}

/// Checked criteria, folded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Criteria {
    pub kana: Option<String>,
    pub kanji: Option<String>,
    pub birth: Option<PartialDate>,
    pub sex: Option<i64>,
    pub address: Option<String>,
    pub phone: Option<String>,
    pub number: Option<String>,
}

/// Channels by which somebody asks (受付の種類).
pub(crate) const CHANNELS: [(&str, &str); 4] = [
    ("counter", "窓口"),
    ("telephone", "電話"),
    ("letter", "文書"),
    ("office", "職権（事務処理）"),
];

/// Longest text of a field, in characters.
const LONGEST: usize = 100;

fn filled(text: &str) -> Option<&str> {
    Some(text.trim_matches(|c: char| c.is_whitespace() || c == '\u{3000}'))
        .filter(|t| !t.is_empty())
}

/// The reason in words, or what is missing.
pub(crate) fn reason(channel: &str, note: &str, errors: &mut Vec<FieldError>) -> Option<String> {
    let name = CHANNELS
        .iter()
        .find(|(code, _)| *code == channel)
        .map(|(_, name)| *name);
    if name.is_none() {
        errors.push(FieldError::new("channel", "受付の種類を選んでください。"));
    }
    let note = note.trim();
    if note.chars().count() > 200 {
        errors.push(FieldError::new(
            "note",
            "用件は200文字までで入力してください。",
        ));
        return None;
    }
    name.map(|n| {
        if note.is_empty() {
            n.to_owned()
        } else {
            format!("{n}: {note}")
        }
    })
}

impl Sent {
    /// Checks every field; the criteria and the reason, or the errors beside the fields.
    pub(crate) fn check(&self, today: Date) -> Result<(Criteria, String), Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut criteria = Criteria::default();
        for (name, text) in [
            ("kana", &self.kana),
            ("kanji", &self.kanji),
            ("birth", &self.birth),
            ("address", &self.address),
            ("phone", &self.phone),
            ("number", &self.number),
        ] {
            if text.chars().count() > LONGEST {
                errors.push(FieldError::new(
                    name,
                    format!("{LONGEST}文字までで入力してください。"),
                ));
            }
        }
        if errors.is_empty() {
            self.fields(today, &mut criteria, &mut errors);
        }
        let reason = reason(&self.channel, &self.note, &mut errors);
        match (errors.is_empty(), reason) {
            (true, Some(reason)) => Ok((criteria, reason)),
            _ => Err(errors),
        }
    }

    fn fields(&self, today: Date, criteria: &mut Criteria, errors: &mut Vec<FieldError>) {
        if let Some(kana) = filled(&self.kana) {
            let key = kana_key(kana);
            if key.is_empty()
                || key
                    .chars()
                    .any(|c| !matches!(c, 'ア'..='ヴ' | 'A'..='Z' | 'a'..='z' | '0'..='9'))
            {
                errors.push(FieldError::new("kana", "カナ氏名はカタカナかひらがなで入力してください。漢字は漢字氏名の欄に入力します。"));
            } else {
                criteria.kana = Some(key);
            }
        }
        criteria.kanji = filled(&self.kanji).map(kanji_key).filter(|k| !k.is_empty());
        if filled(&self.kanji).is_some() && criteria.kanji.is_none() {
            errors.push(FieldError::new("kanji", "漢字氏名を確かめてください。"));
        }
        if let Some(birth) = filled(&self.birth) {
            match parse_any(birth) {
                Ok(date) if date.earliest().is_some_and(|d| d > today) => {
                    errors.push(FieldError::new("birth", "生年月日が今日より後です。"));
                }
                Ok(date) => criteria.birth = Some(date),
                Err(error) => errors.push(FieldError::new("birth", error.to_string())),
            }
        }
        criteria.sex = match self.sex.as_str() {
            "1" => Some(1),
            "2" => Some(2),
            "" => None,
            _ => {
                errors.push(FieldError::new("sex", "性別を選び直してください。"));
                None
            }
        };
        if let Some(address) = filled(&self.address) {
            let key = address_key(address);
            if key.chars().count() < 2 {
                errors.push(FieldError::new(
                    "address",
                    "住所は2文字以上で入力してください。",
                ));
            } else {
                criteria.address = Some(key);
            }
        }
        let digits = |text: &str| -> String {
            text.chars()
                .filter_map(|c| {
                    char::from_u32(if ('０'..='９').contains(&c) {
                        c as u32 - 0xfee0
                    } else {
                        c as u32
                    })
                })
                .filter(|c| !"-‐−－ー―() 　".contains(*c))
                .collect()
        };
        if let Some(phone) = filled(&self.phone) {
            let phone = digits(phone);
            if phone.len() < 4 || !phone.bytes().all(|b| b.is_ascii_digit()) {
                errors.push(FieldError::new(
                    "phone",
                    "電話番号は数字4桁以上で入力してください。",
                ));
            } else {
                criteria.phone = Some(phone);
            }
        }
        if let Some(number) = filled(&self.number) {
            let number = digits(number);
            if !(1..=15).contains(&number.len())
                || !number.bytes().all(|b| b.is_ascii_alphanumeric())
            {
                errors.push(FieldError::new(
                    "number",
                    "被保険者番号（10桁）か宛名番号（15桁）を入力してください。",
                ));
            } else {
                criteria.number = Some(number);
            }
        }
        let named = [
            &criteria.kana,
            &criteria.kanji,
            &criteria.address,
            &criteria.phone,
            &criteria.number,
        ];
        if errors.is_empty() && criteria.birth.is_none() && named.iter().all(|c| c.is_none()) {
            errors.push(FieldError::new(
                "kana",
                "条件を一つ以上入力してください（性別だけでは検索できません）。",
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut Sent)) -> Result<(Criteria, String), Vec<FieldError>> {
        let mut sent = Sent {
            channel: "counter".into(),
            ..Sent::default()
        };
        change(&mut sent);
        sent.check(Date::constant(2026, 11, 21))
    }

    #[test]
    fn a_search_needs_a_criterion_and_a_reason() {
        assert_eq!(check(|_| {}).unwrap_err()[0].field, "kana");
        assert_eq!(check(|s| s.sex = "1".into()).unwrap_err()[0].field, "kana");
        let errors = check(|s| (s.kana, s.channel) = ("ヤマダ".into(), "spy".into())).unwrap_err();
        assert_eq!(errors[0].field, "channel");
    }

    #[test]
    fn every_habit_of_a_birth_date_is_one_criterion() {
        for habit in [
            "S150312",
            "昭和15年3月12日",
            "1940-03-12",
            "19400312",
            "3150312",
            "Ｓ１５．３．１２",
        ] {
            let (criteria, _) = check(|s| s.birth = habit.into()).unwrap();
            assert_eq!(criteria.birth.unwrap().to_iso(), "1940-03-12", "{habit}");
        }
        assert!(check(|s| s.birth = "S640108".into()).is_err());
        assert!(check(|s| s.birth = "R990101".into()).is_err());
    }

    #[test]
    fn hostile_and_huge_text_is_refused_beside_its_field() {
        assert_eq!(
            check(|s| s.kana = "ア".repeat(101)).unwrap_err()[0].field,
            "kana"
        );
        assert_eq!(
            check(|s| s.kana = "'; DROP TABLE--".into()).unwrap_err()[0].field,
            "kana"
        );
        assert_eq!(
            check(|s| s.number = "%%%%".into()).unwrap_err()[0].field,
            "number"
        );
        assert_eq!(
            check(|s| (s.kana, s.note) = ("ア".into(), "x".repeat(201))).unwrap_err()[0].field,
            "note"
        );
    }
}
