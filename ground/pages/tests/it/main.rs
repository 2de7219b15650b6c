//! One test binary; each file holds one part of the charter in README.md.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod csrf;
mod form;
mod headers;
mod markup;
mod problem;
mod scan;
mod style;
mod whole;
