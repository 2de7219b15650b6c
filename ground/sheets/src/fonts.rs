//! Fonts of the machine. Nothing is shipped with the program.

use std::path::{Path, PathBuf};

use typst::foundations::Bytes;
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;

use crate::error::SheetError;

/// Files that are looked for, by name; the last one (文字情報基盤) is optional.
const FILES: [&str; 3] = ["ipaexm.ttf", "ipaexg.ttf", "ipamjm.ttf"];

/// Families that every layout may count on.
pub(crate) const NEEDED: [&str; 2] = ["IPAexMincho", "IPAexGothic"];

/// Deepest folder that is looked into.
const DEPTH: usize = 6;

/// The fonts that layouts may use, loaded once (about 15 MB, with IPAmj 45 MB).
pub struct Fonts {
    pub(crate) book: LazyHash<FontBook>,
    pub(crate) fonts: Vec<Font>,
}

impl Fonts {
    /// The fonts under `/usr/share/fonts` and `/usr/local/share/fonts`.
    ///
    /// # Errors
    /// [`SheetError::Font`] when IPAexMincho or IPAexGothic is missing.
    pub fn system() -> Result<Self, SheetError> {
        Self::under(&[
            Path::new("/usr/share/fonts"),
            Path::new("/usr/local/share/fonts"),
        ])
    }

    /// The fonts in these folders and below.
    ///
    /// # Errors
    /// [`SheetError::Font`] when IPAexMincho or IPAexGothic is missing.
    pub fn under(folders: &[&Path]) -> Result<Self, SheetError> {
        let mut found: Vec<(usize, PathBuf)> = Vec::new();
        for folder in folders {
            walk(folder, DEPTH, &mut found);
        }
        // In the order of `FILES` and by path, so that the same machine always prints the same bytes.
        found.sort();
        found.dedup_by_key(|(kind, _)| *kind);
        let fonts: Vec<Font> = found
            .iter()
            .filter_map(|(_, path)| std::fs::read(path).ok())
            .flat_map(|bytes| Font::iter(Bytes::new(bytes)).collect::<Vec<_>>())
            .collect();
        let book = FontBook::from_fonts(&fonts);
        for family in NEEDED {
            if !book.contains_family(&family.to_lowercase()) {
                return Err(SheetError::Font { family });
            }
        }
        Ok(Self {
            book: LazyHash::new(book),
            fonts,
        })
    }

    /// Whether some font has this character.
    pub fn has(&self, c: char) -> bool {
        self.fonts
            .iter()
            .any(|f| f.info().coverage.contains(u32::from(c)))
    }
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<(usize, PathBuf)>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if let Some(kind) = FILES.iter().position(|f| name == *f) {
            found.push((kind, path));
        } else if depth > 0 && entry.file_type().is_ok_and(|t| t.is_dir()) {
            walk(&path, depth - 1, found);
        }
    }
}
