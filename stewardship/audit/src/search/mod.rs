//! 証跡の検索 (search over the trace) for the auditor.

mod file;
mod form;
mod page;

pub(crate) use file::file;
pub(crate) use page::{form_page, results, submit};

use mimamori_kernel::id::PersonId;
use mimamori_trace::Query;

/// A search that was asked; kept on the server, never in an address.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    pub query: Query,
    /// The person asked for; the auditor's own line then stands in that chain too.
    pub person: Option<PersonId>,
    /// The conditions in words, for the page.
    pub words: Vec<(String, String)>,
}

/// The first moment of an office day and of the next.
pub(crate) fn day_bounds(
    day: jiff::civil::Date,
) -> (
    mimamori_kernel::clock::Instant,
    mimamori_kernel::clock::Instant,
) {
    use jiff::ToSpan as _;
    let next = day.saturating_add(1.days());
    (form::midnight(day), form::midnight(next))
}
