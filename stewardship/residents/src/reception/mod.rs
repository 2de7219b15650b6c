//! 受付票 (reception notes): who asked, how and about what; today's work on that person hangs on it.

mod form;
mod page;

pub(crate) use page::{COLUMNS, TODAY, note, write};

use mimamori_gate::Record;
use mimamori_kernel::clock::Instant;

/// A note of today on a page.
pub(crate) struct Note {
    pub time: String,
    pub words: String,
}

/// A note out of its row.
pub(crate) fn shown(record: &Record) -> Note {
    let at = Instant(record.int("written_at").unwrap_or(0));
    Note {
        time: at.office().strftime("%H:%M").to_string(),
        words: form::words(
            record.text("channel").unwrap_or(""),
            record.text("asker").unwrap_or(""),
            record.text("matter").unwrap_or(""),
        ),
    }
}
