//! 画面 — the room every screen stands in.
//!
//! Promises: one layout with the office and user always in sight, a closed list
//! of accessible components, own style sheet and idle lock, the security headers
//! of every response, cross-site request tokens, strict forms, and one error
//! page for each status in polite short Japanese.
//!
//! Never: inline script or style, anything from another site, a word of the
//! request echoed in an error, a difference between "not yours" and "not there",
//! a clock, a random number, storage, or a decision about who may see what.

#![forbid(unsafe_code)]

mod assets;
mod components;
mod csrf;
mod form;
mod frame;
mod parts;
mod problem;
mod problem_list;
mod render;
mod security;

pub use assets::{asset_names, asset_path, routes};
pub use components::{Choice, FieldError, Gallery, Pagination, Term};
pub use csrf::Csrf;
pub use form::{FORM_LIMIT_BYTES, LimitedForm};
pub use frame::{Frame, NavLink};
pub use parts::{LimitedParts, PARTS_LIMIT_BYTES};
pub use problem::{Problem, Refusal};
pub use render::{html, html_with_status, pdf, png};
pub use security::{CONTENT_SECURITY_POLICY, Framing, Shell, protect, security_headers};
