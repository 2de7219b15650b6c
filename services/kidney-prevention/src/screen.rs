//! The one shape of this room's pages: parts, one below the other.

use std::collections::HashMap;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::extract::rejection::ExtensionRejection;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use axum::{Extension, response::IntoResponse as _, response::Redirect};
use jiff::civil::Date;
use mimamori_identity::Visitor;
use mimamori_kernel::date::{parse_full, wareki_with_western};
use mimamori_kernel::fold::is_hidden;
use mimamori_pages::{Choice, FieldError, Frame, NavLink, Pagination, Term, html_with_status};

use crate::error::{KidneyError, answer};
use crate::room::KidneyPrevention;

/// Longest line that a field takes, characters.
const LINE: usize = 200;
/// Longest text of several lines, characters.
const LINES: usize = 1000;

/// One cell of a table.
pub(crate) enum Cell {
    Text(String),
    /// Address and words.
    Link(String, String),
    /// Kind of the look, and words that carry the meaning.
    Badge(&'static str, String),
}

/// One question of a form.
pub(crate) enum Field {
    Hidden {
        name: &'static str,
        value: String,
    },
    Line {
        name: &'static str,
        label: &'static str,
        required: bool,
        value: String,
        hint: &'static str,
    },
    Lines {
        name: &'static str,
        label: &'static str,
        value: String,
        hint: &'static str,
    },
    Choose {
        name: &'static str,
        label: &'static str,
        choices: Vec<Choice>,
        hint: &'static str,
    },
    File {
        name: &'static str,
        label: &'static str,
        hint: &'static str,
    },
}

/// A form; its buttons send their value under the name `do`.
pub(crate) struct Form {
    pub action: String,
    pub fields: Vec<Field>,
    /// Value, words, kind.
    pub buttons: Vec<(&'static str, &'static str, &'static str)>,
}

impl Form {
    fn in_parts(&self) -> bool {
        self.fields.iter().any(|f| matches!(f, Field::File { .. }))
    }
}

/// One part of a page.
pub(crate) enum Part {
    Words(String),
    Heading(String),
    Banner(&'static str, String, String),
    Terms(Vec<Term>),
    Links(Vec<NavLink>),
    List(Vec<String>),
    /// SVG of our own making.
    Picture(String),
    Pages(Pagination),
    Table {
        caption: String,
        heads: Vec<&'static str>,
        rows: Vec<Vec<Cell>>,
        empty: &'static str,
    },
    Form(Form),
}

/// A page.
#[derive(Template)]
#[template(path = "kidney-prevention/page.html")]
pub(crate) struct Page {
    frame: Frame,
    errors: Vec<FieldError>,
    parts: Vec<Part>,
    /// The line of the look; 0 for counts alone.
    line: u64,
}

impl Page {
    pub fn new(frame: &Frame, title: &str) -> Self {
        Self {
            frame: frame.clone().with_title(title).with_current("/kidney"),
            errors: vec![],
            parts: vec![],
            line: 0,
        }
    }

    pub fn part(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    pub fn words(self, words: impl Into<String>) -> Self {
        self.part(Part::Words(words.into()))
    }

    pub fn heading(self, words: impl Into<String>) -> Self {
        self.part(Part::Heading(words.into()))
    }

    pub fn banner(
        self,
        kind: &'static str,
        title: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        self.part(Part::Banner(kind, title.into(), text.into()))
    }

    pub fn links(self, links: &[(&str, &str)]) -> Self {
        let link = |(href, label): &(&str, &str)| NavLink::new(*href, *label, false);
        self.part(Part::Links(links.iter().map(link).collect()))
    }

    pub fn table(
        self,
        caption: &str,
        heads: &[&'static str],
        rows: Vec<Vec<Cell>>,
        empty: &'static str,
    ) -> Self {
        self.part(Part::Table {
            caption: caption.to_owned(),
            heads: heads.to_vec(),
            rows,
            empty,
        })
    }

    pub fn line(mut self, line: u64) -> Self {
        self.line = line;
        self
    }

    /// 200, or 400 with the errors of what was sent.
    pub fn answer(mut self, errors: Vec<FieldError>) -> Response {
        let status = if errors.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::BAD_REQUEST
        };
        self.errors = errors;
        html_with_status(status, self)
    }
}

/// A text cell.
pub(crate) fn text(text: impl Into<String>) -> Cell {
    Cell::Text(text.into())
}

/// A number as a cell.
pub(crate) fn count(n: impl std::fmt::Display) -> Cell {
    Cell::Text(n.to_string())
}

/// A kept day in words; what is no day stays as it is.
pub(crate) fn day(kept: &str) -> String {
    kept.parse::<Date>()
        .map_or_else(|_| kept.to_owned(), |d| wareki_with_western(d.into()))
}

/// What was sent, each name once.
#[derive(Default)]
pub(crate) struct Sent {
    values: HashMap<String, String>,
    pub errors: Vec<FieldError>,
}

impl From<Vec<(String, String)>> for Sent {
    fn from(pairs: Vec<(String, String)>) -> Self {
        let kept = pairs.into_iter().filter(|(name, _)| name != "csrf");
        let values = kept
            .map(|(n, v)| (n, v.trim().chars().take(LINES + 1).collect()))
            .collect();
        Self {
            values,
            errors: vec![],
        }
    }
}

impl Sent {
    pub fn get(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    pub fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.errors.push(FieldError::new(field, message));
    }

    fn kept(&mut self, name: &str, most: usize) -> String {
        let value = self.get(name).to_owned();
        if value.chars().count() > most {
            self.refuse(name, format!("{most}文字までで入力してください。"));
        }
        let hidden = |c: char| is_hidden(c) && !(most == LINES && matches!(c, '\n' | '\r'));
        if value.chars().any(hidden) {
            self.refuse(
                name,
                "目に見えない文字が入っています。入力し直してください。",
            );
        }
        value
    }

    /// A line that may be empty.
    pub fn line(&mut self, name: &str) -> String {
        self.kept(name, LINE)
    }

    /// Several lines that may be empty.
    pub fn lines(&mut self, name: &str) -> String {
        self.kept(name, LINES)
    }

    /// A line that must not be empty.
    pub fn need(&mut self, name: &str, message: &str) -> String {
        let value = self.line(name);
        if value.is_empty() {
            self.refuse(name, message);
        }
        value
    }

    /// A full day that is not after today.
    pub fn past(&mut self, name: &str, today: Date) -> Option<Date> {
        match parse_full(self.get(name)) {
            Ok(day) if day <= today => return Some(day),
            Ok(_) => self.refuse(name, "今日より後の日付です。"),
            Err(wrong) => self.refuse(name, wrong.to_string()),
        }
        None
    }

    /// Nothing was refused.
    pub fn complete(&mut self) -> Result<(), KidneyError> {
        match self.errors.is_empty() {
            true => Ok(()),
            false => Err(KidneyError::Input(std::mem::take(&mut self.errors))),
        }
    }
}

/// The answer to a form: on to another page, the form once more with what is wrong, or why not.
pub(crate) async fn moved(
    done: Result<String, KidneyError>,
    again: impl AsyncFnOnce(Vec<FieldError>) -> Result<Response, KidneyError>,
) -> Response {
    match done {
        Ok(to) => Redirect::to(&to).into_response(),
        Err(KidneyError::Input(errors)) => again(errors).await.unwrap_or_else(answer),
        Err(error) => answer(error),
    }
}

/// What every page begins with: the room, who asks, and the frame of the answer.
pub(crate) struct Desk(pub KidneyPrevention, pub Visitor, pub Frame);

impl FromRequestParts<KidneyPrevention> for Desk {
    type Rejection = ExtensionRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        room: &KidneyPrevention,
    ) -> Result<Self, Self::Rejection> {
        let Extension(visitor) = Extension::from_request_parts(parts, room).await?;
        let Extension(frame) = Extension::from_request_parts(parts, room).await?;
        Ok(Self(room.clone(), visitor, frame))
    }
}
