use std::collections::HashMap;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::civil::Date;
use mimamori_gate::{Class, Classes};
use mimamori_kernel::date::parse_full;
use mimamori_kernel::fold::is_hidden;
use mimamori_pages::{Choice, FieldError, Frame, Term, html_with_status};

use super::{Cell, Table, nameable};
use crate::OperationsError;
use crate::error::answer;

/// Longest line that a field takes, characters.
const LONGEST: usize = 200;
/// Longest name of a person or an organisation, characters.
pub(crate) const NAME: usize = 60;

/// One box to tick.
pub(crate) struct Mark {
    pub(crate) name: String,
    pub(crate) label: &'static str,
    pub(crate) checked: bool,
}

/// One question of a form.
pub(crate) enum Field {
    Line {
        name: &'static str,
        label: &'static str,
        required: bool,
        value: String,
        hint: &'static str,
    },
    Choose {
        name: &'static str,
        label: &'static str,
        required: bool,
        choices: Vec<Choice>,
        hint: &'static str,
    },
    /// Several lines, filled with what was sent.
    Lines {
        name: &'static str,
        label: &'static str,
        value: String,
        hint: &'static str,
    },
    /// A file; the form is sent in parts then.
    File {
        name: &'static str,
        label: &'static str,
        hint: &'static str,
    },
    Marks {
        name: &'static str,
        legend: &'static str,
        hint: &'static str,
        marks: Vec<Mark>,
    },
}

/// What was sent, each name once; what is too long for every field is cut one character later, so that it is refused.
#[derive(Default)]
pub(crate) struct Sent {
    values: HashMap<String, String>,
    pub(crate) errors: Vec<FieldError>,
}

impl From<Vec<(String, String)>> for Sent {
    fn from(pairs: Vec<(String, String)>) -> Self {
        let values = pairs
            .into_iter()
            .filter(|(name, _)| name != "csrf")
            .map(|(name, value)| (name, value.trim().chars().take(LONGEST + 1).collect()))
            .collect();
        Self {
            values,
            errors: vec![],
        }
    }
}

impl Sent {
    pub(crate) fn get(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    pub(crate) fn refuse(&mut self, field: &str, message: &str) {
        self.errors.push(FieldError::new(field, message));
    }

    /// A line that must not be empty; 200 characters at most, none of them hidden.
    pub(crate) fn need(&mut self, name: &'static str, message: &str) -> String {
        let value = self.text(name);
        if value.is_empty() {
            self.refuse(name, message);
        }
        value
    }

    /// The name of a person or an organisation: as [`Sent::need`], 60 characters at most.
    pub(crate) fn need_name(&mut self, name: &'static str, message: &str) -> String {
        let value = self.get(name).to_owned();
        if value.is_empty() {
            self.refuse(name, message);
        }
        self.plain(name, &value, NAME);
        value
    }

    /// A line that may be empty; 200 characters at most, none of them hidden.
    pub(crate) fn text(&mut self, name: &'static str) -> String {
        let value = self.get(name).to_owned();
        self.plain(name, &value, LONGEST);
        value
    }

    fn plain(&mut self, name: &'static str, value: &str, most: usize) {
        if let Err(wrong) = plain(value, most) {
            self.refuse(name, &wrong);
        }
    }

    /// Nothing was refused.
    pub(crate) fn complete(&mut self) -> Result<(), OperationsError> {
        match self.errors.is_empty() {
            true => Ok(()),
            false => Err(self.refused()),
        }
    }

    /// What was refused, as an error.
    pub(crate) fn refused(&mut self) -> OperationsError {
        OperationsError::Input(std::mem::take(&mut self.errors))
    }

    /// A full date in any habit, or none when empty.
    pub(crate) fn day(&mut self, name: &'static str) -> Option<Date> {
        let text = self.get(name);
        if text.is_empty() {
            return None;
        }
        match parse_full(text) {
            Ok(day) => Some(day),
            Err(wrong) => {
                self.refuse(name, &wrong.told());
                None
            }
        }
    }

    /// One of the codes offered.
    pub(crate) fn one<T: Copy>(
        &mut self,
        name: &'static str,
        all: &[T],
        code: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let value = self.get(name);
        let found = all.iter().copied().find(|x| code(*x) == value);
        if found.is_none() {
            self.refuse(name, "選んでください。");
        }
        found
    }

    pub(crate) fn line(
        &self,
        name: &'static str,
        label: &'static str,
        required: bool,
        hint: &'static str,
    ) -> Field {
        Field::Line {
            name,
            label,
            required,
            value: self.get(name).to_owned(),
            hint,
        }
    }

    pub(crate) fn choose(
        &self,
        name: &'static str,
        label: &'static str,
        choices: impl IntoIterator<Item = (String, String)>,
        hint: &'static str,
    ) -> Field {
        let first = ("".to_owned(), "選んでください".to_owned());
        let current = self.get(name);
        Field::Choose {
            name,
            label,
            required: true,
            choices: std::iter::once(first)
                .chain(choices)
                .map(|(value, label)| Choice::new(value, label, current))
                .collect(),
            hint,
        }
    }
}

/// Whether a line is short enough and shows every character that it holds; else what is wrong, for beside its field.
pub(crate) fn plain(value: &str, most: usize) -> Result<(), String> {
    if value.chars().count() > most {
        return Err(format!("{most}文字までで入力してください。"));
    }
    match value.chars().any(is_hidden) {
        true => Err("改行や、目に見えない文字が入っています。入力し直してください。".into()),
        false => Ok(()),
    }
}

/// Boxes for the classes about residents, named `PREFIX-CODE`.
pub(crate) fn marks(prefix: &str, bits: u32) -> Vec<Mark> {
    nameable()
        .map(|class| Mark {
            name: format!("{prefix}-{}", class.code()),
            label: class.japanese(),
            checked: Classes::from_bits(bits).contains(class),
        })
        .collect()
}

/// The classes ticked under a prefix.
pub(crate) fn classes(sent: &Sent, prefix: &str) -> u32 {
    let ticked: Vec<Class> = nameable()
        .filter(|c| !sent.get(&format!("{prefix}-{}", c.code())).is_empty())
        .collect();
    Classes::of(&ticked).bits()
}

/// The codes ticked under a prefix.
pub(crate) fn ticked<'a>(sent: &Sent, prefix: &str, codes: &[&'a str]) -> Vec<&'a str> {
    codes
        .iter()
        .copied()
        .filter(|code| !sent.get(&format!("{prefix}-{code}")).is_empty())
        .collect()
}

/// The answer to a form that was sent: done, asked once more with what is wrong, or why not.
pub(crate) async fn settled(
    done: Result<Response, OperationsError>,
    again: impl AsyncFnOnce(Vec<FieldError>) -> Result<Response, OperationsError>,
) -> Response {
    match done {
        Ok(response) => response,
        Err(OperationsError::Input(errors)) => again(errors).await.unwrap_or_else(answer),
        Err(error) => answer(error),
    }
}

/// As [`settled`], for an act after which another page is shown.
pub(crate) async fn moved(
    done: Result<(), OperationsError>,
    to: &str,
    again: impl AsyncFnOnce(Vec<FieldError>) -> Result<Response, OperationsError>,
) -> Response {
    settled(done.map(|()| Redirect::to(to).into_response()), again).await
}

/// A page that asks.
#[derive(Template)]
#[template(path = "operations/form.html")]
pub(crate) struct FormPage {
    frame: Frame,
    intro: Vec<String>,
    terms: Vec<Term>,
    /// Address and words of a picture.
    picture: Option<(String, &'static str)>,
    errors: Vec<FieldError>,
    action: String,
    fields: Vec<Field>,
    tables: Vec<Table>,
    buttons: Vec<(&'static str, &'static str, &'static str)>,
    back: String,
}

/// The menu entry under which a form of the room stands.
fn menu(action: &str) -> &'static str {
    match action {
        "/account" => "/account",
        _ => "/operations/people",
    }
}

impl FormPage {
    pub(crate) fn new(frame: &Frame, title: &str, action: impl Into<String>, back: &str) -> Self {
        let action = action.into();
        Self {
            frame: frame.clone().with_title(title).with_current(menu(&action)),
            intro: vec![],
            terms: vec![],
            picture: None,
            errors: vec![],
            action,
            fields: vec![],
            tables: vec![],
            buttons: vec![],
            back: back.to_owned(),
        }
    }

    pub(crate) fn words(mut self, words: impl Into<String>) -> Self {
        self.intro.push(words.into());
        self
    }

    pub(crate) fn terms(mut self, terms: Vec<Term>) -> Self {
        self.terms = terms;
        self
    }

    pub(crate) fn picture(mut self, address: String, words: &'static str) -> Self {
        self.picture = Some((address, words));
        self
    }

    pub(crate) fn fields(mut self, fields: Vec<Field>) -> Self {
        self.fields = fields;
        self
    }

    pub(crate) fn table(mut self, table: Table) -> Self {
        self.tables.push(table);
        self
    }

    fn in_parts(&self) -> bool {
        self.fields.iter().any(|f| matches!(f, Field::File { .. }))
    }

    /// A button that sends `value` under the name `do`.
    pub(crate) fn button(
        mut self,
        value: &'static str,
        label: &'static str,
        kind: &'static str,
    ) -> Self {
        self.buttons.push((value, label, kind));
        self
    }

    /// 200, or 400 with the errors of what was sent.
    pub(crate) fn answer(mut self, errors: Vec<FieldError>) -> Response {
        let status = match errors.is_empty() {
            true => StatusCode::OK,
            false => StatusCode::BAD_REQUEST,
        };
        self.errors = errors;
        html_with_status(status, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(value: &str) -> Sent {
        Sent::from(vec![("name".to_owned(), value.to_owned())])
    }

    #[test]
    fn a_name_has_60_characters_a_line_200_and_neither_hides_one() {
        let name = |value: &str| {
            let mut sent = sent(value);
            sent.need_name("name", "入力してください。");
            sent.errors
        };
        let line = |value: &str| {
            let mut sent = sent(value);
            sent.need("name", "入力してください。");
            sent.errors
        };
        assert!(name(&"見".repeat(60)).is_empty() && line(&"見".repeat(200)).is_empty());
        assert!(
            name("葛\u{e0100}城 花子").is_empty(),
            "a name may need a selector"
        );
        for wrong in [
            "見".repeat(61),
            "見守\u{200b} 花子".into(),
            "花子\u{202e}".into(),
            "花\n子".into(),
        ] {
            assert_eq!(name(&wrong).len(), 1, "{wrong:?}");
        }
        for wrong in ["見".repeat(201), "見".repeat(3000), "件名\u{2066}".into()] {
            assert_eq!(line(&wrong).len(), 1, "{}", wrong.len());
        }
        assert_eq!((name("").len(), line("").len()), (1, 1));
    }

    #[test]
    fn a_day_that_is_not_there_is_told_as_what_it_is() {
        for (text, says) in [
            ("2027-02-29", "その月にない日付です"),
            ("R8.2.30", "その月にない日付です"),
            ("R1.4.1", "令和は令和元年5月1日から始まります"),
            ("R9.3", "年月日のすべてが必要です"),
            ("昨日", "日付の形として読めません"),
        ] {
            let mut sent = sent(text);
            assert_eq!(sent.day("name"), None);
            let said = &sent.errors[0].message;
            assert!(said.contains(says), "{text}: {said}");
        }
    }
}
