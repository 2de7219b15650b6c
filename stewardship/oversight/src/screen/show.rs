use askama::Template;
use axum::response::Response;
use mimamori_pages::{Frame, NavLink, Term, html};

use crate::sheet::Piece;

/// One cell of a table.
pub(crate) enum Cell {
    Text(String),
    /// Address and words.
    Link(String, String),
    /// Kind of the look, and words that carry the meaning.
    Badge(&'static str, String),
    /// Lines in pieces, those that changed marked; words that are gone.
    Lines(Vec<Vec<Piece>>, Vec<String>),
}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

/// A table with its heading; `empty` is said when there are no rows. `by_row`: the first cell of a row is its heading.
pub(crate) struct Table {
    pub(crate) caption: String,
    pub(crate) heads: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<Cell>>,
    pub(crate) empty: &'static str,
    pub(crate) by_row: bool,
}

/// A row of a regenerated sheet: label, lines in pieces, words that are gone.
pub(crate) type Marked = (&'static str, Vec<Vec<Piece>>, Vec<String>);

/// A button under the content: address, hidden name and value, words, look.
pub(crate) struct Press {
    action: String,
    value: (&'static str, String),
    label: String,
    kind: &'static str,
}

/// A page that shows.
#[derive(Template)]
#[template(path = "oversight/show.html")]
pub(crate) struct ShowPage {
    frame: Frame,
    banners: Vec<(&'static str, String, String)>,
    intro: Vec<String>,
    terms: Vec<Term>,
    links: Vec<NavLink>,
    tables: Vec<Table>,
    presses: Vec<Press>,
    line: u64,
}

/// The menu entry under which the room stands.
pub(crate) const MENU: &str = "/oversight";

impl ShowPage {
    pub(crate) fn new(frame: &Frame, title: &str, line: u64) -> Self {
        Self {
            frame: frame.clone().with_title(title).with_current(MENU),
            banners: vec![],
            intro: vec![],
            terms: vec![],
            links: vec![],
            tables: vec![],
            presses: vec![],
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

    /// A button that posts `name` = `value` to `action`.
    pub(crate) fn press(
        mut self,
        action: impl Into<String>,
        value: (&'static str, String),
        label: impl Into<String>,
        kind: &'static str,
    ) -> Self {
        self.presses.push(Press {
            action: action.into(),
            value,
            label: label.into(),
            kind,
        });
        self
    }

    pub(crate) fn table(
        self,
        caption: impl Into<String>,
        heads: &[&'static str],
        rows: Vec<Vec<Cell>>,
        empty: &'static str,
    ) -> Self {
        self.push(Table {
            caption: caption.into(),
            heads: heads.to_vec(),
            rows,
            empty,
            by_row: false,
        })
    }

    pub(crate) fn push(mut self, table: Table) -> Self {
        self.tables.push(table);
        self
    }

    pub(crate) fn answer(self) -> Response {
        html(self)
    }
}
