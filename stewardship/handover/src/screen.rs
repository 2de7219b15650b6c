//! The two shapes of this room's pages: a sheet that shows, and a form that asks.

use std::collections::HashMap;

use askama::Template;
use axum::Extension;
use axum::extract::FromRequestParts;
use axum::extract::rejection::ExtensionRejection;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use jiff::civil::Date;
use mimamori_identity::Visitor;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::date::{parse_full, wareki_with_western};
use mimamori_kernel::fold::is_hidden;
use mimamori_pages::{Choice, FieldError, Frame, NavLink, Term, html, html_with_status};

use crate::{Handover, HandoverError};

/// Longest line that a field takes, characters.
const LONGEST: usize = 300;

/// What every page begins with: the room, who asks, and the frame of the answer.
pub(crate) struct Desk(pub(crate) Handover, pub(crate) Visitor, pub(crate) Frame);

impl FromRequestParts<Handover> for Desk {
    type Rejection = ExtensionRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        room: &Handover,
    ) -> Result<Self, Self::Rejection> {
        let Extension(visitor) = Extension::from_request_parts(parts, room).await?;
        let Extension(frame) = Extension::from_request_parts(parts, room).await?;
        Ok(Self(room.clone(), visitor, frame))
    }
}

/// A day as the office writes it.
pub(crate) fn day(day: Date) -> String {
    wareki_with_western(day.into())
}

/// A moment (microseconds) as the office writes it.
pub(crate) fn moment(at: i64) -> String {
    let at = Instant(at);
    format!("{} {}", day(at.office_day()), at.office().strftime("%H:%M"))
}

/// One cell of a table.
pub(crate) enum Cell {
    Text(String),
    /// Address and words.
    Link(String, String),
    /// Kind of the look, and words that carry the meaning.
    Badge(&'static str, String),
}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

/// A table with its heading; `empty` is said when there are no rows.
pub(crate) struct Table {
    pub(crate) caption: &'static str,
    pub(crate) heads: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<Cell>>,
    pub(crate) empty: &'static str,
}

/// A page that shows.
#[derive(Template)]
#[template(path = "handover/sheet.html")]
pub(crate) struct SheetPage {
    frame: Frame,
    banners: Vec<(&'static str, String, String)>,
    intro: Vec<String>,
    terms: Vec<Term>,
    links: Vec<NavLink>,
    tables: Vec<Table>,
    line: u64,
}

impl SheetPage {
    pub(crate) fn new(frame: &Frame, title: &str, line: u64) -> Self {
        Self {
            frame: frame.clone().with_title(title).with_current("/handover"),
            banners: vec![],
            intro: vec![],
            terms: vec![],
            links: vec![],
            tables: vec![],
            line,
        }
    }

    pub(crate) fn banner(
        mut self,
        kind: &'static str,
        title: &str,
        text: impl Into<String>,
    ) -> Self {
        self.banners.push((kind, title.to_owned(), text.into()));
        self
    }

    pub(crate) fn words(mut self, words: impl Into<String>) -> Self {
        self.intro.push(words.into());
        self
    }

    pub(crate) fn terms(mut self, terms: Vec<Term>) -> Self {
        self.terms = terms;
        self
    }

    pub(crate) fn link(mut self, href: impl Into<String>, label: &str) -> Self {
        self.links.push(NavLink::new(href, label, false));
        self
    }

    pub(crate) fn table(mut self, table: Table) -> Self {
        self.tables.push(table);
        self
    }

    pub(crate) fn answer(self) -> Response {
        html(self)
    }
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
        choices: Vec<Choice>,
        hint: &'static str,
    },
    /// A file; the form is sent in parts then.
    File {
        name: &'static str,
        label: &'static str,
        hint: &'static str,
    },
    /// Several lines.
    Lines {
        name: &'static str,
        label: &'static str,
        value: String,
        hint: &'static str,
    },
}

/// What was sent, each name once; what is too long is cut one character later, so that it is refused.
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
            .map(|(name, value)| (name, value.trim().to_owned()))
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

    pub(crate) fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.errors.push(FieldError::new(field, message));
    }

    /// A line that may be empty; 300 characters at most, none of them hidden.
    pub(crate) fn text(&mut self, name: &'static str) -> String {
        let value = self.get(name).to_owned();
        if value.chars().count() > LONGEST {
            self.refuse(name, "300文字までで入力してください。");
        } else if value.chars().any(is_hidden) {
            self.refuse(
                name,
                "改行や、目に見えない文字が入っています。入力し直してください。",
            );
        }
        value
    }

    /// A line that must not be empty.
    pub(crate) fn need(&mut self, name: &'static str, message: &str) -> String {
        let value = self.text(name);
        if value.is_empty() {
            self.refuse(name, message);
        }
        value
    }

    /// A full date in any habit.
    pub(crate) fn day(&mut self, name: &'static str, message: &str) -> Option<Date> {
        let text = self.get(name).to_owned();
        if text.is_empty() {
            self.refuse(name, message);
            return None;
        }
        match parse_full(&text) {
            Ok(day) => Some(day),
            Err(wrong) => {
                self.refuse(name, wrong.told());
                None
            }
        }
    }

    /// Day and time of day, as microseconds; the time is `9:05` or `0905`.
    pub(crate) fn minute(&mut self) -> Option<i64> {
        let day = self.day("day", "日付を入力してください。")?;
        let digits: String = self
            .get("time")
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        let parsed = match digits.len() {
            3 | 4 => digits.parse::<i64>().ok(),
            _ => None,
        };
        let parsed = parsed.filter(|t| t / 100 < 24 && t % 100 < 60);
        let Some(time) = parsed else {
            self.refuse("time", "時刻を 9:05 の形で入力してください。");
            return None;
        };
        let before = day.yesterday().ok()?;
        let midnight = Instant::after_office_day(before).0;
        Some(midnight + (time / 100 * 60 + time % 100) * 60_000_000)
    }

    /// One of the codes offered.
    pub(crate) fn one<T: Copy>(
        &mut self,
        name: &'static str,
        all: &[T],
        code: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let found = all.iter().copied().find(|x| code(*x) == self.get(name));
        if found.is_none() {
            self.refuse(name, "選んでください。");
        }
        found
    }

    /// Nothing was refused.
    pub(crate) fn complete(&mut self) -> Result<(), HandoverError> {
        match self.errors.is_empty() {
            true => Ok(()),
            false => Err(HandoverError::Input(std::mem::take(&mut self.errors))),
        }
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
        let first = (String::new(), "選んでください".to_owned());
        let current = self.get(name);
        Field::Choose {
            name,
            label,
            choices: std::iter::once(first)
                .chain(choices)
                .map(|(value, label)| Choice::new(value, label, current))
                .collect(),
            hint,
        }
    }
}

/// A page that asks.
#[derive(Template)]
#[template(path = "handover/form.html")]
pub(crate) struct FormPage {
    frame: Frame,
    intro: Vec<String>,
    terms: Vec<Term>,
    errors: Vec<FieldError>,
    action: String,
    fields: Vec<Field>,
    button: &'static str,
    back: String,
    /// Options of a passkey's question, as JSON; then the form waits for the device.
    passkey: Option<String>,
    /// Offers the demo's labelled face terminal.
    simulated: bool,
}

impl FormPage {
    pub(crate) fn new(
        frame: &Frame,
        title: &str,
        action: impl Into<String>,
        back: impl Into<String>,
    ) -> Self {
        Self {
            frame: frame.clone().with_title(title).with_current("/handover"),
            intro: vec![],
            terms: vec![],
            errors: vec![],
            action: action.into(),
            fields: vec![],
            button: "",
            back: back.into(),
            passkey: None,
            simulated: false,
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

    pub(crate) fn fields(mut self, fields: Vec<Field>) -> Self {
        self.fields = fields;
        self
    }

    pub(crate) fn button(mut self, label: &'static str) -> Self {
        self.button = label;
        self
    }

    pub(crate) fn passkey(mut self, options: Option<String>, simulated: bool) -> Self {
        self.passkey = options;
        self.simulated = simulated;
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
