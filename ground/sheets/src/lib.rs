//! 帳票 (sheets): printed forms as PDF, and a picture of a page for the preview.
//!
//! Promises: values reach a layout as data, never as source text; a character that the fonts do
//! not have is printed as 〓, and it, an ordered glyph variant that they do not have and an invisible
//! character are all reported, never dropped silently; the same values give the same bytes.
//! Never: a file, a package or an address opened by a layout; a clock; knowledge of what a form means.

mod error;
mod fonts;
mod glyphs;
mod press;
mod print;
mod world;

pub use error::SheetError;
pub use fonts::Fonts;
pub use glyphs::{Place, Unprintable, Why, invisible};
pub use press::Press;
pub use print::{Layout, Printer, Sheet};
