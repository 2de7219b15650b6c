//! What a layout can see: two source texts, the values, the fonts. Nothing else exists.

use std::path::PathBuf;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, World};

use crate::fonts::Fonts;

/// Functions that layouts share, `#import "base.typ": *`.
const BASE: &str = include_str!("../layouts/base.typ");

/// One document's world.
pub(crate) struct SheetWorld<'a> {
    pub(crate) library: &'a LazyHash<Library>,
    pub(crate) fonts: &'a Fonts,
    main: Source,
    base: Source,
    values: (FileId, Bytes),
}

/// The id of a file of this name. Names are few and fixed, so the interner stays small.
fn id(name: &str) -> Option<FileId> {
    let path = VirtualPath::new(name).ok()?;
    Some(RootedPath::new(VirtualRoot::Project, path).intern())
}

impl<'a> SheetWorld<'a> {
    /// A world around a layout's text and its values as JSON; none only if the fixed names were wrong.
    pub(crate) fn new(
        library: &'a LazyHash<Library>,
        fonts: &'a Fonts,
        text: &str,
        values: Vec<u8>,
    ) -> Option<Self> {
        Some(Self {
            library,
            fonts,
            main: Source::new(id("layout.typ")?, text.to_owned()),
            base: Source::new(id("base.typ")?, BASE.to_owned()),
            values: (id("values.json")?, Bytes::new(values)),
        })
    }
}

fn absent(id: FileId) -> FileError {
    FileError::NotFound(PathBuf::from(id.vpath().get_without_slash()))
}

impl World for SheetWorld<'_> {
    fn library(&self) -> &LazyHash<Library> {
        self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.fonts.book
    }

    fn main(&self) -> FileId {
        self.main.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        [&self.main, &self.base]
            .into_iter()
            .find(|s| s.id() == id)
            .cloned()
            .ok_or_else(|| absent(id))
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        match id == self.values.0 {
            true => Ok(self.values.1.clone()),
            false => Err(absent(id)),
        }
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.fonts.get(index).cloned()
    }

    /// Days are values of the form; a layout has no clock.
    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}
