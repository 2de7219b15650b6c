//! From a layout and values to pages, PDF and pictures.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use typst::diag::SourceDiagnostic;
use typst::foundations::Smart;
use typst::utils::{LazyHash, Scalar};
use typst::{Library, LibraryExt as _, WorldExt as _};
use typst_layout::PagedDocument;
use typst_pdf::PdfOptions;
use typst_render::RenderOptions;

use crate::error::SheetError;
use crate::fonts::Fonts;
use crate::glyphs::{self, Unprintable, Why};
use crate::world::SheetWorld;

/// A form's layout: source text of a room, checked in, never made from input.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Name for messages, 様式名.
    pub name: &'static str,
    /// Its source; reads its values by `json("values.json")` and shared functions by `import "base.typ"`.
    pub text: &'static str,
}

/// Makes forms; one document at a time, because a document may use both cores.
pub struct Printer {
    fonts: Fonts,
    library: LazyHash<Library>,
    turn: Mutex<()>,
}

/// A finished form in memory.
pub struct Sheet {
    layout: Layout,
    document: PagedDocument,
    unprintable: Vec<Unprintable>,
}

/// Empties the typesetter's memory when a document is done, also after an error; it would keep every
/// person's values otherwise, and grow without end.
struct Forget;

impl Drop for Forget {
    fn drop(&mut self) {
        typst::comemo::evict(0);
    }
}

/// Most pages of one document.
const MOST_PAGES: usize = 2000;

/// Finest picture, pixels for each typographic point (1/72 inch).
const FINEST: f64 = 4.0;

impl Printer {
    /// A printer with these fonts.
    pub fn new(fonts: Fonts) -> Self {
        Self {
            fonts,
            library: LazyHash::new(Library::default()),
            turn: Mutex::new(()),
        }
    }

    /// The fonts.
    pub fn fonts(&self) -> &Fonts {
        &self.fonts
    }

    /// Sets a form. Takes milliseconds for a page and seconds for a batch: call it off the async threads.
    ///
    /// # Errors
    /// [`SheetError::Layout`] when the layout does not accept the values,
    /// [`SheetError::TooLong`] above 2,000 pages.
    pub fn sheet(&self, layout: Layout, values: &Value) -> Result<Sheet, SheetError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let _forget = Forget;
        let (mut document, mut unprintable) = self.compose(layout, values)?;
        if unprintable.iter().any(|u| u.why == Why::NoGlyph) {
            // Once more with 〓 in their place; what was found stays found.
            let shown = glyphs::replaced(values, &unprintable);
            document = self.compose(layout, &shown)?.0;
        }
        unprintable.extend(glyphs::in_values(values));
        Ok(Sheet {
            layout,
            document,
            unprintable,
        })
    }

    /// Sets the pages of these values, with what no font has.
    fn compose(
        &self,
        layout: Layout,
        values: &Value,
    ) -> Result<(PagedDocument, Vec<Unprintable>), SheetError> {
        let failed = |causes| SheetError::Layout {
            layout: layout.name,
            causes,
        };
        let bytes = serde_json::to_vec(values).map_err(|e| failed(vec![e.to_string()]))?;
        let world = SheetWorld::new(&self.library, &self.fonts, layout.text, bytes)
            .ok_or_else(|| failed(vec![]))?;
        let document: PagedDocument = typst::compile(&world)
            .output
            .map_err(|errors| failed(errors.iter().map(|e| cause(&world, e)).collect()))?;
        if document.pages().len() > MOST_PAGES {
            return Err(SheetError::TooLong { most: MOST_PAGES });
        }
        let mut unprintable = vec![];
        for (n, page) in document.pages().iter().enumerate() {
            glyphs::on_page(n + 1, &page.frame, &mut unprintable);
        }
        Ok((document, unprintable))
    }
}

/// Where in the layout something went wrong. The typesetter's own sentence may quote a value, so it is left out.
fn cause(world: &SheetWorld<'_>, error: &SourceDiagnostic) -> String {
    match world.range(error.span) {
        Some(range) => format!("bytes {}..{}", range.start, range.end),
        None => "no place".into(),
    }
}

impl Sheet {
    /// How many pages.
    pub fn pages(&self) -> usize {
        self.document.pages().len()
    }

    /// What paper cannot show; empty for most documents. Whoever prints decides, and says so.
    pub fn unprintable(&self) -> &[Unprintable] {
        &self.unprintable
    }

    /// The text of a page, from 1, in the order of drawing; none for a page that is not there.
    pub fn text(&self, page: usize) -> Option<String> {
        let page = self.document.pages().get(page.checked_sub(1)?)?;
        Some(glyphs::text(&page.frame))
    }

    /// The form as PDF; the same pages give the same bytes, no time of making is inside.
    ///
    /// # Errors
    /// [`SheetError::Layout`] when a font or picture cannot be embedded.
    pub fn pdf(&self) -> Result<Vec<u8>, SheetError> {
        let _forget = Forget;
        let options = PdfOptions {
            ident: Smart::Custom(self.layout.name.to_owned()),
            creator: Smart::Custom(Some("Mimamori".into())),
            timestamp: None,
            ..PdfOptions::default()
        };
        typst_pdf::pdf(&self.document, &options).map_err(|_| SheetError::Layout {
            layout: self.layout.name,
            causes: vec!["pdf".into()],
        })
    }

    /// A page, from 1, as PNG picture for the preview; `scale` in pixels for each point, at most 4.
    ///
    /// # Errors
    /// [`SheetError::NoPage`]; [`SheetError::Layout`] when the picture cannot be encoded.
    pub fn picture(&self, page: usize, scale: f64) -> Result<Vec<u8>, SheetError> {
        let _forget = Forget;
        let page = page
            .checked_sub(1)
            .and_then(|n| self.document.pages().get(n))
            .ok_or(SheetError::NoPage)?;
        let options = RenderOptions {
            pixel_per_pt: Scalar::new(scale.clamp(0.1, FINEST)),
            render_bleed: false,
        };
        typst_render::render(page, &options)
            .encode_png()
            .map_err(|_| SheetError::Layout {
                layout: self.layout.name,
                causes: vec!["png".into()],
            })
    }
}
