//! Input of the search: every field optional, checked beside itself.

use jiff::ToSpan as _;
use jiff::civil::Date;
use mimamori_gate::{AuditPermit, GateError, Purpose};
use mimamori_identity::Role;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::date::{parse_full, wareki_with_western};
use mimamori_kernel::id::PersonId;
use mimamori_pages::FieldError;
use mimamori_trace::{Query, Token};

use super::Search;
use crate::Audit;

/// Longest text of a field, in characters.
const LONGEST: usize = 100;

/// What the browser sends.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Sent {
    pub from: String,
    pub until: String,
    pub officer: String,
    pub office: String,
    pub role: String,
    pub action: String,
    pub purpose: String,
    pub decision: String,
    pub person: String,
    pub line: String,
}

/// Conditions that need no look into the register.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Checked {
    pub query: Query,
    pub words: Vec<(String, String)>,
}

/// Midnight of the office at the beginning of a day.
pub(crate) fn midnight(day: Date) -> Instant {
    let utc = jiff::tz::Offset::constant(9).to_timestamp(day.at(0, 0, 0, 0));
    Instant(utc.map_or(0, jiff::Timestamp::as_microsecond))
}

fn filled(text: &str) -> Option<&str> {
    Some(text.trim_matches(|c: char| c.is_whitespace() || c == '\u{3000}'))
        .filter(|t| !t.is_empty())
}

/// Digits in any width.
fn digits(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '０'..='９' => char::from_u32(c as u32 - 0xfee0),
            other => Some(other),
        })
        .filter(|c| !"-‐−－ー 　".contains(*c))
        .collect()
}

impl Sent {
    /// Checks what can be checked without the register.
    pub(crate) fn check(&self) -> Result<Checked, Vec<FieldError>> {
        let (mut errors, mut out) = (Vec::new(), Checked::default());
        for (name, text) in [
            ("from", &self.from),
            ("until", &self.until),
            ("officer", &self.officer),
            ("office", &self.office),
            ("person", &self.person),
            ("line", &self.line),
        ] {
            if text.chars().count() > LONGEST {
                let words = format!("{LONGEST}文字までで入力してください。");
                errors.push(FieldError::new(name, words));
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut day = |name: &str, label: &str, text: &str| match parse_full(filled(text)?) {
            Ok(date) => {
                let words = wareki_with_western(date.into());
                out.words.push((label.to_owned(), words));
                Some(date)
            }
            Err(wrong) => {
                errors.push(FieldError::new(name, wrong.told()));
                None
            }
        };
        let from = day("from", "期間の始め", &self.from);
        let until = day("until", "期間の終わり", &self.until);
        if from.zip(until).is_some_and(|(a, b)| a > b) {
            errors.push(FieldError::new("until", "期間の終わりが始めより前です。"));
        }
        out.query.from = from.map(midnight);
        out.query.until = until.map(|d| midnight(d.saturating_add(1.days())));
        self.codes(&mut out, &mut errors);
        if let Some(line) = filled(&self.line) {
            // A minus is no separator here: there is no line -1.
            let signed = line.contains(['-', '‐', '−', '－', 'ー', '+', '＋']);
            match digits(line).parse() {
                Ok(number) if !signed && number > 0 => {
                    out.query.line = Some(number);
                    out.words.push(("行の番号".into(), number.to_string()));
                }
                _ => errors.push(FieldError::new(
                    "line",
                    "行の番号は、1から始まる数字で入力してください。",
                )),
            }
        }
        if errors.is_empty() {
            Ok(out)
        } else {
            Err(errors)
        }
    }

    fn codes(&self, out: &mut Checked, errors: &mut Vec<FieldError>) {
        let mut code = |name: &str, label: &str, value: &str, word: Option<String>| match word {
            _ if value.is_empty() => None,
            Some(word) => {
                out.words.push((label.to_owned(), word));
                Some(value.to_owned())
            }
            None => {
                errors.push(FieldError::new(name, "選び直してください。"));
                None
            }
        };
        let role = match self.role.as_str() {
            "system" => Some("システム".to_owned()),
            other => Role::from_code(other).map(|r| r.japanese().to_owned()),
        };
        let purpose = Purpose::ALL.iter().find(|p| p.code() == self.purpose);
        // Codes of actions are words of our own; one that no line has simply finds nothing.
        let plain = self.action.len() <= 60
            && self
                .action
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b == b'.' || b == b'-');
        let decision = match self.decision.as_str() {
            "1" => Some("許可".to_owned()),
            "0" => Some("拒否".to_owned()),
            _ => None,
        };
        let role = code("role", "役割", &self.role, role);
        let action = code(
            "action",
            "操作",
            &self.action,
            plain.then(|| self.action.clone()),
        );
        let word = purpose.map(|p| p.japanese().to_owned());
        let purpose = code("purpose", "目的", &self.purpose, word);
        let decision = code("decision", "判定", &self.decision, decision);
        (out.query.role, out.query.action) = (role, action);
        (out.query.purpose, out.query.allowed) = (purpose, decision.map(|d| d == "1"));
    }

    /// Finds officer, organisation and person. A condition that nobody meets is an error beside its field.
    pub(crate) async fn resolve(
        &self,
        room: &Audit,
        permit: &mut AuditPermit,
        checked: Checked,
    ) -> Result<Result<Search, Vec<FieldError>>, GateError> {
        let mut errors = Vec::new();
        let mut search = Search {
            query: checked.query,
            person: None,
            words: checked.words,
        };
        if let Some(login) = filled(&self.officer) {
            search.query.actor = permit.user(&login.to_ascii_lowercase()).await?;
            match search.query.actor {
                Some(_) => search.words.push(("職員のID".into(), login.to_owned())),
                None => errors.push(FieldError::new("officer", "このIDの利用者はいません。")),
            }
        }
        if let Some(office) = filled(&self.office) {
            let orgs = permit.orgs(office).await?;
            if orgs.is_empty() {
                errors.push(FieldError::new("office", "この名前の所属はありません。"));
            }
            search.query.orgs = Some(orgs);
            search.words.push(("所属".into(), office.to_owned()));
        }
        if let Some(text) = filled(&self.person) {
            match find(permit, text).await? {
                Some(person) => {
                    search.person = Some(person);
                    search.query.token = Some(token(room, &person));
                    search.words.push(("対象者".into(), "宛名番号または内部の番号で指定した1人".into()));
                }
                None => errors.push(FieldError::new(
                    "person",
                    "該当する人がいません。宛名番号（15桁）か、内部の番号（32文字）を入力してください。氏名では探せません。",
                )),
            }
        }
        Ok(if errors.is_empty() {
            Ok(search)
        } else {
            Err(errors)
        })
    }
}

fn token(room: &Audit, person: &PersonId) -> Token {
    room.gate.trace().token(person)
}

/// The person with this number or opaque id; only the id comes back (S4-100: no names for auditors).
async fn find(permit: &mut AuditPermit, text: &str) -> Result<Option<PersonId>, GateError> {
    if let Ok(person) = text.parse::<PersonId>() {
        return Ok(permit.about(person).await?.then_some(person));
    }
    let number = digits(text);
    if number.is_empty() || number.len() > 15 || !number.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(None);
    }
    let found = permit
        .persons(
            "SELECT person FROM residents_person WHERE generation = (SELECT generation FROM residents_state WHERE one = 1) \
             AND address_number = ?",
            vec![format!("{number:0>15}").into()],
        )
        .await?;
    let Some(person) = found.first().copied() else {
        return Ok(None);
    };
    Ok(permit.about(person).await?.then_some(person))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut Sent)) -> Result<Checked, Vec<FieldError>> {
        let mut sent = Sent::default();
        change(&mut sent);
        sent.check()
    }

    #[test]
    fn a_period_is_office_days_with_both_ends() {
        let found =
            check(|s| (s.from, s.until) = ("R8.11.20".into(), "2026-11-20".into())).unwrap();
        let (from, until) = (found.query.from.unwrap(), found.query.until.unwrap());
        assert_eq!(from.office_text(), "2026-11-20 00:00:00");
        assert_eq!(until.0 - from.0, 86_400_000_000);
    }

    #[test]
    fn wrong_and_hostile_input_is_told_beside_its_field() {
        type Change = fn(&mut Sent);
        let cases: [(&str, Change); 11] = [
            ("from", |s| s.from = "昨日".into()),
            ("from", |s| s.from = "昭和15年".into()),
            ("until", |s| {
                (s.from, s.until) = ("2026-11-20".into(), "2026-11-19".into())
            }),
            ("line", |s| s.line = "1 OR 1=1".into()),
            ("line", |s| s.line = "-1".into()),
            ("line", |s| s.line = "－１".into()),
            ("line", |s| s.line = "0".into()),
            ("role", |s| s.role = "emperor".into()),
            ("action", |s| s.action = "' OR 1=1 --".into()),
            ("decision", |s| s.decision = "2".into()),
            ("person", |s| s.person = "あ".repeat(101)),
        ];
        for (field, change) in cases {
            assert_eq!(check(change).unwrap_err()[0].field, field);
        }
        assert_eq!(check(|_| {}).unwrap(), Checked::default());
        assert_eq!(
            check(|s| s.line = "１２".into()).unwrap().query.line,
            Some(12)
        );
    }

    #[test]
    fn a_day_that_is_not_there_is_told_as_what_it_is() {
        for (text, says) in [
            ("2027-02-29", "その月にない日付です"),
            ("R8.2.30", "その月にない日付です"),
            ("R1.4.1", "令和は令和元年5月1日から始まります"),
            ("昭和15年", "年月日のすべてが必要です"),
        ] {
            let wrong = check(|s| s.from = text.into()).unwrap_err();
            assert!(
                wrong[0].message.contains(says),
                "{text}: {}",
                wrong[0].message
            );
        }
    }
}
