//! One test binary; each file holds one part of the charter in README.md.

mod csrf;
mod form;
mod headers;
mod markup;
mod problem;
mod scan;
mod style;
mod whole;
