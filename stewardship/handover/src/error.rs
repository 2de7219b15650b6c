//! Why this room says no, and how it looks on the screen.

use axum::response::{IntoResponse as _, Response};
use mimamori_gate::GateError;
use mimamori_identity::IdentityError;
use mimamori_kernel::error::Coded;
use mimamori_package::PackageError;
use mimamori_pages::{FieldError, Problem, Refusal};
use mimamori_trace::TraceError;

use crate::course::Misstep;

/// Why an act did not happen.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    /// The gate refused, or nothing is there.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// Identity refused.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The package cannot be so.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The step does not fit.
    #[error(transparent)]
    Step(#[from] Misstep),
    /// Something was filled in that cannot stand.
    #[error("入力を確かめてください。")]
    Input(Vec<FieldError>),
    /// The paper does not open it; why, in words.
    #[error("{0}")]
    Paper(String),
    /// Nothing was written to the trace yet, so the manifest cannot name its position.
    #[error("証跡の位置がまだありません。")]
    NoPosition,
    /// A sealed value does not open, or a record cannot be read.
    #[error("保存された記録を読めません。")]
    Record,
    /// A folder cannot be used.
    #[error("受渡しのフォルダを使えません。")]
    Folder(#[source] std::io::Error),
    /// The file in the folder is not the one that was sealed.
    #[error("フォルダのファイルが、封入したものと違います。")]
    Changed,
    /// There is no way to verify an approval here.
    #[error("この環境では、承認の本人確認ができません。")]
    NoProof,
}

impl HandoverError {
    /// One refused field.
    pub(crate) fn field(name: &str, message: impl Into<String>) -> Self {
        Self::Input(vec![FieldError::new(name, message)])
    }
}

impl Coded for HandoverError {
    fn code(&self) -> &'static str {
        match self {
            Self::Gate(e) => e.code(),
            Self::Identity(e) => e.code(),
            Self::Package(e) => e.code(),
            Self::Step(_) => "HANDOVER-STEP",
            Self::Input(_) => "HANDOVER-INPUT",
            Self::Paper(_) => "HANDOVER-PAPER",
            Self::NoPosition => "HANDOVER-NO-POSITION",
            Self::Record => "HANDOVER-RECORD",
            Self::Folder(_) => "HANDOVER-FOLDER",
            Self::Changed => "HANDOVER-CHANGED",
            Self::NoProof => "HANDOVER-NO-PROOF",
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Gate(e) => e.advice(),
            Self::Identity(e) => e.advice(),
            Self::Package(e) => e.advice(),
            Self::Step(_) => "受渡しの画面を開き直して、いまの段階を確かめてください。",
            Self::Input(_) => "示された項目を直して、もう一度送ってください。",
            Self::Paper(_) => "付議書と契約を確かめるか、項目を減らして申請してください。",
            Self::NoPosition => "数秒おいて、もう一度お試しください。",
            Self::Record => "システム管理者に連絡してください。",
            Self::Folder(_) => "フォルダの設定と空き容量を、システム管理者に確かめてください。",
            Self::Changed => {
                "送らずに取り下げ、作り直してください。心当たりがなければ監査責任者に連絡してください。"
            }
            Self::NoProof => "パスキーの設定を、システム管理者に確かめてください。",
        }
    }
}

fn conflict(what: &str) -> &'static str {
    match what {
        "handover-moved" => "この受渡しは、ほかの人が先に進めました。",
        "medium-moved" => "この媒体は、ほかの受渡しで使われています。",
        "medium-known" => "この管理番号の媒体は、すでに登録されています。",
        "incoming-moved" => "このファイルは、ほかの人が先に処理しました。",
        _ => "ほかの人が先に変更しました。",
    }
}

/// The page for an error. Causes go to the log once, here.
pub(crate) fn answer(error: HandoverError) -> Response {
    let gate = match error {
        HandoverError::Gate(gate) => gate,
        HandoverError::Record | HandoverError::Folder(_) => {
            tracing::error!(code = error.code(), error = ?error, "a package could not be handled");
            return Problem::conflict(error.to_string())
                .with_next(error.advice())
                .into_response();
        }
        other => {
            let next = other.advice();
            return Problem::conflict(other.to_string())
                .with_next(next)
                .into_response();
        }
    };
    match gate {
        GateError::Refused(refused) => Problem::forbidden(Refusal {
            reason: refused.sentence,
            clauses: refused.clauses,
            policy: refused.policy,
            ask: "必要なときは、運営管理責任者に相談してください。".into(),
        })
        .into_response(),
        GateError::NotFound => Problem::not_found().into_response(),
        GateError::StepUp => Problem::step_up().into_response(),
        GateError::Trace(TraceError::AccountChanged) => Problem::account_changed().into_response(),
        GateError::Trace(TraceError::Conflict { what }) => {
            Problem::conflict(conflict(what)).into_response()
        }
        GateError::Trace(error) => {
            tracing::error!(code = error.code(), error = ?error, "nothing was shown or done");
            Problem::cannot_record(None).into_response()
        }
        error => {
            tracing::error!(code = error.code(), error = ?error, "the handover's records failed");
            Problem::internal(None).into_response()
        }
    }
}
