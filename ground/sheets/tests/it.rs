//! Printed forms: what is on the page, what is reported, what cannot happen.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "it/characters.rs"]
mod characters;
#[path = "it/pages.rs"]
mod pages;

use mimamori_sheets::{Fonts, Layout, Printer};

pub(crate) const LETTER: Layout = Layout {
    name: "試験の様式",
    text: include_str!("it/letter.typ"),
};

pub(crate) fn printer() -> Printer {
    Printer::new(Fonts::system().unwrap())
}
