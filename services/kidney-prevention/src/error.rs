//! Why the room says no, and how it looks on the screen.

use axum::response::{IntoResponse as _, Response};
use mimamori_gate::{GateError, StorageError};
use mimamori_kernel::error::Coded;
use mimamori_pages::{FieldError, Problem};
use mimamori_sheets::SheetError;

use crate::checkup::{ArchiveError, LayoutError, MappedError};
use crate::selection::RulesError;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum KidneyError {
    /// The gate refused, or nothing is there.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// Something was filled in that cannot stand.
    #[error("入力を確かめてください。")]
    Input(Vec<FieldError>),
    /// The archive is not read at all.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The CSV file is not read at all.
    #[error(transparent)]
    Mapped(#[from] MappedError),
    /// The layout of the file.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The rule set.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// The form could not be made.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// Neither an archive nor a CSV file came, or the sending broke off.
    #[error("ファイルの送信が途中で切れたか、ファイルが選ばれていません。")]
    NoFile,
    /// More bytes than are taken.
    #[error("ファイルが大きすぎます（256MiBまで）。")]
    TooLarge,
    /// It was decided before, or something newer stands.
    #[error("もう処理されたか、新しい試行があります。一覧を開き直してください。")]
    Overtaken,
    /// Who made it may not approve it.
    #[error("申請・試行した人は承認できません。ほかの職員が承認してください。")]
    SamePerson,
    /// The list was made with a rule that nobody approved.
    #[error("承認されていない選定ルールでの試行です。先にルールの承認を受けてください。")]
    RuleOpen,
    /// Something kept in the database cannot be read.
    #[error("保存された記録を読めません。")]
    Kept,
}

impl From<StorageError> for KidneyError {
    fn from(error: StorageError) -> Self {
        Self::Gate(error.into())
    }
}

impl From<serde_json::Error> for KidneyError {
    fn from(_: serde_json::Error) -> Self {
        Self::Kept
    }
}

impl KidneyError {
    /// One refused field.
    pub(crate) fn field(name: &str, message: impl Into<String>) -> Self {
        Self::Input(vec![FieldError::new(name, message)])
    }
}

impl Coded for KidneyError {
    fn code(&self) -> &'static str {
        match self {
            Self::Gate(error) => error.code(),
            Self::Input(_) => "KIDNEY-INPUT",
            Self::Archive(_) => "KIDNEY-ARCHIVE",
            Self::Mapped(_) => "KIDNEY-CSV",
            Self::Layout(_) => "KIDNEY-LAYOUT",
            Self::Rules(_) => "KIDNEY-RULE",
            Self::Sheet(error) => error.code(),
            Self::NoFile => "KIDNEY-NO-FILE",
            Self::TooLarge => "KIDNEY-TOO-LARGE",
            Self::Overtaken => "KIDNEY-OVERTAKEN",
            Self::SamePerson => "KIDNEY-SAME-PERSON",
            Self::RuleOpen => "KIDNEY-RULE-OPEN",
            Self::Kept => "KIDNEY-KEPT",
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Gate(error) => error.advice(),
            Self::Sheet(error) => error.advice(),
            Self::Archive(_) | Self::Mapped(_) | Self::NoFile | Self::TooLarge => {
                "健診機関から受け取ったファイルを確かめて、もう一度送ってください。"
            }
            Self::Layout(_) => "運用の担当者に、列の対応の設定を確かめるよう頼んでください。",
            Self::Kept => "運用の担当者に知らせてください。",
            Self::Input(_)
            | Self::Rules(_)
            | Self::Overtaken
            | Self::SamePerson
            | Self::RuleOpen => "画面を確かめて、もう一度操作してください。",
        }
    }
}

/// The page for an error. Causes go to the log once, here.
pub(crate) fn answer(error: KidneyError) -> Response {
    match error {
        KidneyError::Gate(error) => mimamori_residents::answer(error),
        KidneyError::Overtaken | KidneyError::SamePerson | KidneyError::RuleOpen => {
            Problem::conflict(error.to_string()).into_response()
        }
        KidneyError::Kept => {
            tracing::error!(code = error.code(), "a kept record cannot be read");
            Problem::internal(None).into_response()
        }
        other => Problem::bad_request(other.to_string()).into_response(),
    }
}
