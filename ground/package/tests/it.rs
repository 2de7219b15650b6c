//! One test binary; its parts are in `it/`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "it/approvals.rs"]
mod approvals;
#[path = "it/canonical.rs"]
mod canonical;
#[path = "it/device.rs"]
mod device;
#[path = "it/documents.rs"]
mod documents;
#[path = "it/flips.rs"]
mod flips;
#[path = "it/images.rs"]
mod images;
#[path = "it/leaks.rs"]
mod leaks;
#[path = "it/opening.rs"]
mod opening;
#[path = "it/timing.rs"]
mod timing;
#[path = "it/tools.rs"]
mod tools;
#[path = "it/vector.rs"]
mod vector;
#[path = "it/world.rs"]
mod world;
