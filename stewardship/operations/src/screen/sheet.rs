use askama::Template;
use axum::response::Response;
use mimamori_pages::{Frame, NavLink, Pagination, Term, html};

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
    pub(crate) caption: String,
    pub(crate) heads: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<Cell>>,
    pub(crate) empty: &'static str,
}

/// A page that shows.
#[derive(Template)]
#[template(path = "operations/sheet.html")]
pub(crate) struct SheetPage {
    frame: Frame,
    banners: Vec<(&'static str, String, String)>,
    intro: Vec<String>,
    terms: Vec<Term>,
    links: Vec<NavLink>,
    tables: Vec<Table>,
    pages: Option<Pagination>,
    line: u64,
}

impl SheetPage {
    pub(crate) fn new(frame: &Frame, title: &str, line: u64) -> Self {
        Self {
            frame: frame.clone().with_title(title),
            banners: vec![],
            intro: vec![],
            terms: vec![],
            links: vec![],
            tables: vec![],
            pages: None,
            line,
        }
    }

    pub(crate) fn current(mut self, href: &str) -> Self {
        self.frame = self.frame.with_current(href);
        self
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

    pub(crate) fn table(
        mut self,
        caption: impl Into<String>,
        heads: &[&'static str],
        rows: Vec<Vec<Cell>>,
        empty: &'static str,
    ) -> Self {
        self.tables.push(Table {
            caption: caption.into(),
            heads: heads.to_vec(),
            rows,
            empty,
        });
        self
    }

    pub(crate) fn pages(mut self, pages: Pagination) -> Self {
        self.pages = Some(pages);
        self
    }

    pub(crate) fn answer(self) -> Response {
        html(self)
    }
}
