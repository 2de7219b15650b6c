//! Search for persons (検索): form, one line in the trace, results at an opaque address.

mod form;
mod page;
mod rule;

pub(crate) use form::reason;
pub(crate) use page::{
    COLUMNS, Line, NAMESAKES, channels, form_page, lines, purpose, results, sex, submit,
};
pub(crate) use rule::Search;
