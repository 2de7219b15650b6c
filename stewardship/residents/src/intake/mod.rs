//! 取込みの画面: two files come in through the browser or from the inbox of the staging folder,
//! their columns are matched, looked at, and taken over.
//!
//! Promises: only who may `residents.import` comes here; a preview leaves its line before a value
//! is read; every end of an import is a line; what was stopped can be begun again.
//! Never: a value of a row in a list of errors, in the database or in a log.

mod draft;
mod form;
mod job;
mod page;
mod store;
mod upload;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::routing::{get, post};
use mimamori_kernel::id::ImportId;

use crate::Residents;
use crate::import::{Progress, Sheet};

/// The folder within staging where operators lay files that are too large for a browser.
const INBOX: &str = "inbox";
/// Bytes of one uploaded file; larger ones come through the inbox.
const UPLOAD_LIMIT: u64 = 512 << 20;

struct Inner {
    staging: PathBuf,
    sample_only: bool,
    running: Mutex<Option<(ImportId, Progress)>>,
}

/// Where files wait, and the import that runs.
#[derive(Clone)]
pub(crate) struct Intake(Arc<Inner>);

impl Intake {
    /// Files wait in `staging`; `sample_only` refuses everything but the sample town (S0-68).
    pub fn new(staging: PathBuf, sample_only: bool) -> Self {
        Self(Arc::new(Inner {
            staging,
            sample_only,
            running: Mutex::new(None),
        }))
    }

    fn inbox(&self) -> PathBuf {
        self.0.staging.join(INBOX)
    }

    /// The folder of one import.
    fn folder(&self, import: ImportId) -> PathBuf {
        self.0.staging.join(import.to_string())
    }

    /// The import that runs.
    fn running(&self) -> Option<(ImportId, Progress)> {
        self.0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes the one place for an import that runs; none when it is taken.
    fn begin(&self, import: ImportId) -> Option<Progress> {
        let mut running = self
            .0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if running.is_some() {
            return None;
        }
        let progress = Progress::default();
        *running = Some((import, progress.clone()));
        Some(progress)
    }

    /// Gives the place back, when it is still this import's.
    fn end(&self, import: ImportId) {
        let mut running = self
            .0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if running.as_ref().is_some_and(|(id, _)| *id == import) {
            *running = None;
        }
    }
}

fn file(folder: &Path, sheet: Sheet) -> PathBuf {
    folder.join(sheet.name())
}

/// The pages of imports; uploads stand apart because they may take long.
pub(crate) fn routes() -> Router<Residents> {
    Router::new()
        .route("/residents/imports", get(page::list))
        .route("/residents/imports/folder", post(page::from_inbox))
        .route(
            "/residents/imports/{import}",
            get(page::show).post(draft::act),
        )
        .route("/residents/imports/{import}/findings", get(page::download))
}

/// The route that takes files in.
pub(crate) fn uploads() -> Router<Residents> {
    Router::new().route("/residents/imports/files", post(page::receive))
}

pub(crate) use job::wake;
