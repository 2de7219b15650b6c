//! A printer as rooms hold it: shared, perhaps missing, off the threads that answer requests.

use std::sync::Arc;

use serde_json::Value;

use crate::error::SheetError;
use crate::fonts::Fonts;
use crate::print::{Layout, Printer, Sheet};

/// A shared printer. Without fonts it says so instead of printing. Cheap to clone.
#[derive(Clone, Default)]
pub struct Press(Option<Arc<Printer>>);

impl Press {
    /// A press with these fonts; [`Press::default`] has none.
    pub fn new(fonts: Fonts) -> Self {
        Self(Some(Arc::new(Printer::new(fonts))))
    }

    /// Whether it can print.
    pub fn ready(&self) -> bool {
        self.0.is_some()
    }

    fn printer(&self) -> Result<&Arc<Printer>, SheetError> {
        self.0.as_ref().ok_or(SheetError::Font {
            family: crate::fonts::NEEDED[0],
        })
    }

    /// Its fonts.
    ///
    /// # Errors
    /// [`SheetError::Font`] without fonts.
    pub fn fonts(&self) -> Result<&Fonts, SheetError> {
        Ok(self.printer()?.fonts())
    }

    /// Sets a form beside the async threads.
    ///
    /// # Errors
    /// Those of [`Printer::sheet`]; [`SheetError::Font`] without fonts; [`SheetError::Stopped`].
    pub async fn set(&self, layout: Layout, values: Value) -> Result<Sheet, SheetError> {
        let printer = self.printer()?.clone();
        tokio::task::spawn_blocking(move || printer.sheet(layout, &values))
            .await
            .map_err(|_| SheetError::Stopped)?
    }
}
