//! Why this room says no, and how it looks on the screen.

use axum::response::{IntoResponse as _, Response};
use mimamori_gate::GateError;
use mimamori_kernel::error::Coded;
use mimamori_pages::{FieldError, Problem, Refusal};
use mimamori_sheets::SheetError;
use mimamori_trace::TraceError;

use crate::sheet::NoGrant;

/// Why an act of oversight did not happen.
#[derive(Debug, thiserror::Error)]
pub enum OversightError {
    /// The gate refused, or nothing is there.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// Something was filled in that cannot stand.
    #[error("入力を確かめてください。")]
    Input(Vec<FieldError>),
    /// Whoever wrote it tried to approve it.
    #[error("起案した人は承認できません。ほかの運営管理責任者か事業責任者が承認してください。")]
    SamePerson,
    /// Whoever answered a line of the checklist tried to review it.
    #[error("回答した人は、自分の回答を確かめられません。")]
    OwnAnswer,
    /// Something of the closing day is still open.
    #[error("まだ済んでいないことがあるため、この契約は閉じられません。")]
    NotClosed,
    /// There is no draft, or it was decided before.
    #[error("承認を待つ案はありません。ほかの人が先に処理したか、取り下げられました。")]
    Decided,
    /// No sheet opens anything.
    #[error(transparent)]
    NoGrant(#[from] NoGrant),
    /// The form could not be made.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// A stored row does not hold together.
    #[error("保存された記録が読めません。")]
    Broken,
}

impl OversightError {
    /// One refused field.
    pub(crate) fn field(name: &str, message: &str) -> Self {
        Self::Input(vec![FieldError::new(name, message)])
    }
}

impl Coded for OversightError {
    fn code(&self) -> &'static str {
        match self {
            Self::Gate(e) => e.code(),
            Self::Input(_) => "OVERSIGHT-INPUT",
            Self::SamePerson => "OVERSIGHT-SAME-PERSON",
            Self::OwnAnswer => "OVERSIGHT-OWN-ANSWER",
            Self::NotClosed => "OVERSIGHT-NOT-CLOSED",
            Self::Decided => "OVERSIGHT-DECIDED",
            Self::NoGrant(_) => "OVERSIGHT-NO-GRANT",
            Self::Sheet(e) => e.code(),
            Self::Broken => "OVERSIGHT-BROKEN",
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Gate(e) => e.advice(),
            Self::Input(_) => "示された項目を直して、もう一度送ってください。",
            Self::SamePerson => "ほかの承認者に依頼してください。",
            Self::OwnAnswer => "ほかの運営管理責任者か監査責任者に依頼してください。",
            Self::NotClosed => "赤い事項を済ませてから、もう一度閉じてください。",
            Self::Decided => "案件の画面を開き直してください。",
            Self::NoGrant(_) => "シートの版・期間と、契約台帳を確かめてください。",
            Self::Sheet(e) => e.advice(),
            Self::Broken => "運用の担当者に連絡してください。",
        }
    }
}

fn conflict(what: &str) -> &'static str {
    match what {
        "sheet-draft" => "ほかの人が先にこのシートの案を変えました。",
        "sheet-decided" => "この案は、ほかの人が先に処理しました。",
        "answer-changed" => "この回答は、変わったか、ほかの人が先に確かめました。",
        "person-ended" => "この人の従事は、すでに終わっています。",
        "obligation-done" => "この義務は、ほかの人が先に記録しました。",
        "contract-closed" => "この契約は、すでに閉じられています。",
        "contract-registered" => "この契約は、すでに契約台帳にあります。",
        _ => "ほかの人が先に変更しました。",
    }
}

/// The page for an error. Causes go to the log once, here.
pub(crate) fn answer(error: OversightError) -> Response {
    let gate = match error {
        OversightError::Gate(gate) => gate,
        OversightError::Broken => {
            tracing::error!(code = error.code(), "a stored row cannot be read");
            return Problem::internal(None).into_response();
        }
        other => {
            if let OversightError::Sheet(error) = &other {
                tracing::error!(code = error.code(), error = ?error, "no form");
            }
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
            tracing::error!(code = error.code(), error = ?error, "oversight's records failed");
            Problem::internal(None).into_response()
        }
    }
}
