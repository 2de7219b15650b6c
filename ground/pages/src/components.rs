//! Data that the component macros of `pages/components.html` take.

use crate::frame::Frame;
use askama::Template;

/// One entry of a list box or of radio buttons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Value that the form sends.
    pub value: String,
    /// Words shown.
    pub label: String,
    /// Whether it is chosen now.
    pub selected: bool,
}

impl Choice {
    /// A choice that is selected when `value` equals `current`.
    pub fn new(value: impl Into<String>, label: impl Into<String>, current: &str) -> Self {
        let value = value.into();
        let selected = value == current;
        Self {
            value,
            label: label.into(),
            selected,
        }
    }
}

/// One input error: which field, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Name (and id) of the field.
    pub field: String,
    /// What to do, in Japanese.
    pub message: String,
}

impl FieldError {
    /// An error of `field` with the sentence `message`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }

    /// The sentence for `field`, or an empty string: the `error` argument of the macros.
    pub fn of<'a>(errors: &'a [Self], field: &str) -> &'a str {
        errors
            .iter()
            .find(|error| error.field == field)
            .map_or("", |error| error.message.as_str())
    }
}

/// One line of a definition list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Name of the item.
    pub term: String,
    /// Its value.
    pub description: String,
}

impl Term {
    /// A line with the name `term`.
    pub fn new(term: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            term: term.into(),
            description: description.into(),
        }
    }
}

/// Where a list stands: page numbers count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pagination {
    /// Link up to and including `page=`, for example `/residents?page=`.
    pub base: String,
    /// Page shown, from 1 to `last`.
    pub current: u32,
    /// Last page, at least 1.
    pub last: u32,
    /// Number of entries on all pages.
    pub total: u64,
}

impl Pagination {
    /// Page `current` of `total` entries, `per_page` on each; out of range is clamped.
    pub fn new(base: impl Into<String>, current: u32, total: u64, per_page: u32) -> Self {
        let pages = total.div_ceil(u64::from(per_page.max(1))).max(1);
        let last = u32::try_from(pages).unwrap_or(u32::MAX);
        Self {
            base: base.into(),
            current: current.clamp(1, last),
            last,
            total,
        }
    }

    /// Link to page `number`.
    pub fn href(&self, number: u32) -> String {
        format!("{}{number}", self.base)
    }

    /// Whether `number` is the page shown.
    pub fn is_current(&self, number: u32) -> bool {
        self.current == number
    }

    /// Page numbers to show: up to two on each side of the current one.
    pub fn near(&self) -> std::ops::RangeInclusive<u32> {
        let first = self.current.saturating_sub(2).max(1);
        first..=self.current.saturating_add(2).min(self.last)
    }
}

/// Every component once, for tests, screenshots and the manual.
#[derive(Template, Debug, Clone)]
#[template(path = "pages/gallery.html")]
pub struct Gallery {
    frame: Frame,
    errors: Vec<FieldError>,
    choices: Vec<Choice>,
    terms: Vec<Term>,
    pages: Pagination,
    text: String,
}

impl Gallery {
    /// The gallery in `frame`; `text` is shown wherever free text can stand.
    pub fn new(frame: Frame, text: impl Into<String>) -> Self {
        Self {
            frame,
            errors: vec![
                FieldError::new("kana", "全角カナで入力してください。"),
                FieldError::new("level", "要介護度を選んでください。"),
            ],
            choices: vec![
                Choice::new("1", "要介護1", "2"),
                Choice::new("2", "要介護2", "2"),
            ],
            terms: vec![
                Term::new("有効期間", "令和7年4月1日（2025）から"),
                Term::new("担当", "介護保険課"),
            ],
            pages: Pagination::new("/residents?page=", 3, 120, 20),
            text: text.into(),
        }
    }

    /// The gallery with invented content.
    pub fn sample() -> Self {
        Self::new(Frame::sample(), "見本 太郎")
    }
}
