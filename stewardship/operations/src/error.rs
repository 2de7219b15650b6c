//! Why this room says no, and how it looks on the screen.

use axum::response::{IntoResponse as _, Response};
use mimamori_gate::GateError;
use mimamori_identity::IdentityError;
use mimamori_kernel::error::Coded;
use mimamori_pages::{FieldError, Problem, Refusal};
use mimamori_sheets::SheetError;
use mimamori_trace::TraceError;

/// Why an act of the office did not happen.
#[derive(Debug, thiserror::Error)]
pub enum OperationsError {
    /// The gate refused, or nothing is there.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// Identity refused: separation of duties, a login that cannot be.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Something was filled in that cannot stand.
    #[error("入力を確かめてください。")]
    Input(Vec<FieldError>),
    /// The person who asked, or whom it is about, tried to approve it.
    #[error(
        "申請した人と本人は承認できません。ほかの運営管理責任者か事業責任者が承認してください。"
    )]
    SamePerson,
    /// Somebody decided it before.
    #[error("この申請は、もう処理されています。")]
    Decided,
    /// Who asked may not ask any more.
    #[error("申請した人が、もう運営管理責任者ではありません。")]
    AskerGone,
    /// The role was given in the meantime.
    #[error("この人は、この役割にもう就いています。")]
    Held,
    /// The account was ended before.
    #[error("この利用者は、もう停止されています。")]
    Stopped,
    /// The account's password is given anew by two persons.
    #[error("管理・監査の役割の人のパスワードは、申請する人と承認する人の二人で再発行します。")]
    NeedsTwo,
    /// What a list says does not fit any more: an ID was given away, the organisation or contract ended.
    #[error(
        "名簿の内容が、いまの登録と合わなくなりました（使われたID、過ぎた任期、終了した所属や契約）。"
    )]
    Overtaken,
    /// Nobody without a duty has a certificate of registration.
    #[error("この利用者には有効な任命がないため、登録済証を出せません。")]
    NoDuty,
    /// The form could not be made.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// The machine could not make a password.
    #[error("初期パスワードを作れません。")]
    Machine,
}

impl OperationsError {
    /// One refused field.
    pub(crate) fn field(name: &str, message: &str) -> Self {
        Self::Input(vec![FieldError::new(name, message)])
    }
}

impl Coded for OperationsError {
    fn code(&self) -> &'static str {
        match self {
            Self::Gate(e) => e.code(),
            Self::Identity(e) => e.code(),
            Self::Input(_) => "OPERATIONS-INPUT",
            Self::SamePerson => "OPERATIONS-SAME-PERSON",
            Self::Decided => "OPERATIONS-DECIDED",
            Self::AskerGone => "OPERATIONS-ASKER-GONE",
            Self::Held => "OPERATIONS-HELD",
            Self::Stopped => "OPERATIONS-STOPPED",
            Self::NeedsTwo => "OPERATIONS-NEEDS-TWO",
            Self::Overtaken => "OPERATIONS-OVERTAKEN",
            Self::NoDuty => "OPERATIONS-NO-DUTY",
            Self::Sheet(e) => e.code(),
            Self::Machine => "OPERATIONS-MACHINE",
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Gate(e) => e.advice(),
            Self::Identity(e) => e.advice(),
            Self::Input(_) => "示された項目を直して、もう一度送ってください。",
            Self::SamePerson => "ほかの承認者に依頼してください。",
            Self::Decided => "申請の一覧を開き直してください。",
            Self::AskerGone => "申請を却下し、いまの運営管理責任者が申請し直してください。",
            Self::Held => "この申請を却下してください。",
            Self::Stopped => "利用者の一覧を開き直してください。",
            Self::NeedsTwo => "再発行の画面を開き直して、申請してください。",
            Self::Overtaken => "却下して、直した名簿で申請し直してください。",
            Self::NoDuty => "任命が承認されてから印刷してください。",
            Self::Sheet(e) => e.advice(),
            Self::Machine => "時間をおいてもう一度お試しください。",
        }
    }
}

fn conflict(what: &str) -> &'static str {
    match what {
        "last-manager" => {
            "最後の運営管理責任者は、停止も終了もできません。先に後任を任命してください。任命を承認できる人がほかにいないときは、サーバーを管理する人が mimamori reissue-manager で、前からいる運営管理責任者の初期パスワードを出し直せます。"
        }
        "review-answered" => {
            "この利用者は、ほかの運営管理責任者が先に確認しました。あなたの結果は記録していません。棚卸しの一覧で、その結果を確かめてください。"
        }
        "terminal-known" => "この端末は、すでに登録されています。",
        "terminal-ended" => "この端末の登録は、すでに終わっています。",
        "designation-ended" => "この人に、終了できる指定はありません。",
        "passkey-ended" => "このパスキーは、すでに失効しています。",
        "request-decided" => "この申請は、ほかの人が先に処理しました。",
        _ => "ほかの人が先に変更しました。",
    }
}

/// The page for an error. Causes go to the log once, here.
pub(crate) fn answer(error: OperationsError) -> Response {
    let gate = match error {
        OperationsError::Gate(gate) => gate,
        OperationsError::Machine => return Problem::internal(None).into_response(),
        OperationsError::Sheet(error) => {
            tracing::error!(code = error.code(), error = ?error, "no form");
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
            tracing::error!(code = error.code(), error = ?error, "the office's records failed");
            Problem::internal(None).into_response()
        }
    }
}
