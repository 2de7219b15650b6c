use std::collections::HashMap;

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use mimamori_kernel::date::parse_full;
use mimamori_kernel::fold::is_hidden;
use mimamori_pages::{Choice, FieldError, Frame, Term, html_with_status};

use super::show::MENU;
use super::{Cell, Table};
use crate::OversightError;
use crate::error::answer;

/// Longest line that a field takes, characters.
const LINE: usize = 200;
/// Longest text of several lines, characters.
pub(crate) const TEXT: usize = 2_000;

/// One box to tick.
pub(crate) struct Mark {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) checked: bool,
}

/// One question of a form.
pub(crate) enum Field {
    Line {
        name: String,
        label: String,
        required: bool,
        value: String,
        hint: &'static str,
    },
    Lines {
        name: String,
        label: String,
        required: bool,
        value: String,
        hint: &'static str,
    },
    Choose {
        name: String,
        label: String,
        choices: Vec<Choice>,
        hint: &'static str,
    },
    Marks {
        name: &'static str,
        legend: &'static str,
        hint: &'static str,
        marks: Vec<Mark>,
    },
    /// A file; the form is sent in parts then.
    File {
        name: &'static str,
        label: &'static str,
        hint: &'static str,
        accept: &'static str,
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
        let clean = |value: String| {
            let value = value.replace("\r\n", "\n");
            value.trim().chars().take(TEXT + 1).collect()
        };
        let values = pairs
            .into_iter()
            .filter(|(name, _)| name != "csrf")
            .map(|(name, value)| (name, clean(value)))
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

    pub(crate) fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.values.insert(name.into(), value.into());
    }

    pub(crate) fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.errors.push(FieldError::new(field, message.into()));
    }

    fn check(&mut self, name: &str, value: &str, most: usize) {
        if value.chars().count() > most {
            self.refuse(name, format!("{most}文字までで入力してください。"));
        } else if value.split('\n').flat_map(str::chars).any(is_hidden)
            || most == LINE && value.contains('\n')
        {
            let message = "改行や、目に見えない文字が入っています。入力し直してください。";
            self.refuse(name, message);
        }
    }

    /// A line that may be empty; 200 characters at most, none of them hidden.
    pub(crate) fn text(&mut self, name: &str) -> String {
        let value = self.get(name).to_owned();
        self.check(name, &value, LINE);
        value
    }

    /// A line that must not be empty.
    pub(crate) fn need(&mut self, name: &str, message: &str) -> String {
        let value = self.text(name);
        if value.is_empty() {
            self.refuse(name, message);
        }
        value
    }

    /// Several lines, 2,000 characters at most; `message` when they must not be empty.
    pub(crate) fn lines(&mut self, name: &str, message: Option<&str>) -> String {
        let value = self.get(name).to_owned();
        self.check(name, &value, TEXT);
        if let (Some(message), true) = (message, value.is_empty()) {
            self.refuse(name, message);
        }
        value
    }

    /// A full date in any habit, or none when empty.
    pub(crate) fn day(&mut self, name: &str) -> Option<Date> {
        let text = self.get(name);
        if text.is_empty() {
            return None;
        }
        match parse_full(text) {
            Ok(day) => Some(day),
            Err(wrong) => {
                self.refuse(name, wrong.told());
                None
            }
        }
    }

    /// A full date that must be there.
    pub(crate) fn need_day(&mut self, name: &str, message: &str) -> Option<Date> {
        if self.get(name).is_empty() {
            self.refuse(name, message);
        }
        self.day(name)
    }

    /// One of the codes offered.
    pub(crate) fn one<'a>(&mut self, name: &str, codes: &[&'a str]) -> Option<&'a str> {
        let value = self.get(name);
        let found = codes.iter().copied().find(|c| *c == value);
        if found.is_none() {
            self.refuse(name, "選んでください。");
        }
        found
    }

    pub(crate) fn ticked(&self, name: &str) -> bool {
        !self.get(name).is_empty()
    }

    /// Nothing was refused.
    pub(crate) fn complete(&mut self) -> Result<(), OversightError> {
        match self.errors.is_empty() {
            true => Ok(()),
            false => Err(OversightError::Input(std::mem::take(&mut self.errors))),
        }
    }

    pub(crate) fn line_field(
        &self,
        name: &str,
        label: &str,
        required: bool,
        hint: &'static str,
    ) -> Field {
        Field::Line {
            name: name.to_owned(),
            label: label.to_owned(),
            required,
            value: self.get(name).to_owned(),
            hint,
        }
    }

    pub(crate) fn lines_field(
        &self,
        name: &str,
        label: &str,
        required: bool,
        hint: &'static str,
    ) -> Field {
        Field::Lines {
            name: name.to_owned(),
            label: label.to_owned(),
            required,
            value: self.get(name).to_owned(),
            hint,
        }
    }

    pub(crate) fn choose_field(
        &self,
        name: &str,
        label: &str,
        choices: impl IntoIterator<Item = (String, String)>,
        hint: &'static str,
    ) -> Field {
        let first = (String::new(), "選んでください".to_owned());
        let current = self.get(name);
        Field::Choose {
            name: name.to_owned(),
            label: label.to_owned(),
            choices: std::iter::once(first)
                .chain(choices)
                .map(|(value, label)| Choice::new(value, label, current))
                .collect(),
            hint,
        }
    }
}

/// The answer to a form that was sent: done, asked once more with what is wrong, or why not.
pub(crate) async fn again(
    done: Result<Response, OversightError>,
    ask: impl AsyncFnOnce(Vec<FieldError>) -> Result<Response, OversightError>,
) -> Response {
    match done {
        Ok(response) => response,
        Err(OversightError::Input(errors)) => ask(errors).await.unwrap_or_else(answer),
        Err(error) => answer(error),
    }
}

/// A page that asks.
#[derive(Template)]
#[template(path = "oversight/form.html")]
pub(crate) struct FormPage {
    frame: Frame,
    intro: Vec<String>,
    terms: Vec<Term>,
    tables: Vec<Table>,
    errors: Vec<FieldError>,
    action: String,
    fields: Vec<Field>,
    buttons: Vec<(&'static str, &'static str, &'static str)>,
    back: String,
}

impl FormPage {
    pub(crate) fn new(frame: &Frame, title: &str, action: impl Into<String>, back: &str) -> Self {
        Self {
            frame: frame.clone().with_title(title).with_current(MENU),
            intro: vec![],
            terms: vec![],
            tables: vec![],
            errors: vec![],
            action: action.into(),
            fields: vec![],
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

    pub(crate) fn table(mut self, table: Table) -> Self {
        self.tables.push(table);
        self
    }

    pub(crate) fn fields(mut self, fields: Vec<Field>) -> Self {
        self.fields.extend(fields);
        self
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

    fn in_parts(&self) -> bool {
        self.fields.iter().any(|f| matches!(f, Field::File { .. }))
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

    #[test]
    fn a_line_has_no_break_and_a_text_keeps_its_own() {
        let mut sent = Sent::from(vec![
            ("a".to_owned(), "一\r\n二".to_owned()),
            ("b".to_owned(), "x".repeat(2_001)),
            ("c".to_owned(), "見守り\u{202e}".to_owned()),
        ]);
        assert_eq!(sent.lines("a", None), "一\n二");
        assert!(sent.errors.is_empty());
        for (name, count) in [("a", 1), ("b", 2), ("c", 3)] {
            sent.text(name);
            assert_eq!(sent.errors.len(), count, "{name}");
        }
    }
}
