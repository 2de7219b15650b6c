use mimamori_kernel::error::Coded;
use mimamori_kernel::id::{OrgId, PersonId, UserId};
use mimamori_storage::{Statement, StorageError};

use crate::details::Scope;
use crate::leaf::Token;

/// Whether the gate allowed the act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It was refused; the line says who asked.
    Refused,
    /// It was allowed.
    Allowed,
}

/// Words that belong to a line but are sealed: a reason, search terms.
#[derive(Debug, Clone)]
pub struct Details {
    /// Under which key.
    pub scope: Scope,
    /// The words.
    pub text: String,
}

/// One person whose data the act touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// The person.
    pub person: PersonId,
    /// The person's token in the trace.
    pub token: Token,
    /// Version of the facts that the gate decided on; checked again just before writing.
    pub version: i64,
}

/// What is about to be shown or done; becomes one line.
#[derive(Debug, Clone)]
pub struct Act {
    /// Who; none for the system.
    pub actor: Option<UserId>,
    /// The account's epoch at the time of the request; a revocation raises it.
    pub epoch: i64,
    /// The actor's organisation.
    pub org: Option<OrgId>,
    /// Role code in use.
    pub role: String,
    /// `noun.verb`.
    pub action: &'static str,
    /// Purpose code.
    pub purpose: &'static str,
    /// Bit mask of data classes.
    pub classes: u32,
    /// Allowed or refused.
    pub decision: Decision,
    /// Ids of the deciding policies.
    pub policy: String,
    /// Everyone shown, in the order of the page; empty for none.
    pub shown: Vec<Shown>,
    /// Sealed words.
    pub details: Option<Details>,
    /// Writes that belong to the line, in one transaction with it.
    pub changes: Vec<Statement>,
    /// Counter of [`crate::Trace::ground`] read before the request's reads.
    pub ground: crate::Ground,
    /// The changes touch subject facts.
    pub touches_subjects: bool,
    /// The changes touch accounts.
    pub touches_accounts: bool,
}

/// Proof that a line is durable. Only the committer makes one.
#[derive(Debug)]
pub struct Receipt {
    pub(crate) line: u64,
}

impl Receipt {
    /// The line's number.
    pub fn line(&self) -> u64 {
        self.line
    }
}

/// Why nothing may be shown or done.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The line could not be made durable.
    #[error("証跡を記録できません")]
    NotWritten(#[source] std::sync::Arc<StorageError>),
    /// The committer does not run.
    #[error("証跡の記録が止まっています")]
    Stopped,
    /// Too many lines wait for the tree.
    #[error("証跡の記録が混み合っています")]
    Busy,
    /// The account was revoked or changed since the request began.
    #[error("利用者の権限が変わりました")]
    AccountChanged,
    /// The facts about a person changed since the gate decided.
    #[error("表示する人の情報が変わりました")]
    SubjectChanged,
    /// Somebody else changed the record first.
    #[error("ほかの人が先に変更しました")]
    Conflict {
        /// Code of the expectation that failed.
        what: &'static str,
    },
    /// The written trace does not fit the register; the program must not run on it.
    #[error("証跡と台帳が一致しません: {0}")]
    Torn(String),
    /// A file of the trace cannot be read or written.
    #[error("証跡ファイルを読み書きできません")]
    File(#[from] std::io::Error),
}

impl From<StorageError> for TraceError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Conflict { what } => Self::Conflict { what },
            other => Self::NotWritten(std::sync::Arc::new(other)),
        }
    }
}

impl Coded for TraceError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotWritten(_) => "TRACE-NOT-WRITTEN",
            Self::Stopped => "TRACE-STOPPED",
            Self::Busy => "TRACE-BUSY",
            Self::AccountChanged => "TRACE-ACCOUNT-CHANGED",
            Self::SubjectChanged => "TRACE-SUBJECT-CHANGED",
            Self::Conflict { .. } => "TRACE-CONFLICT",
            Self::Torn(_) => "TRACE-TORN",
            Self::File(_) => "TRACE-FILE",
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::NotWritten(_) | Self::Stopped | Self::Busy | Self::File(_) => {
                "記録できないあいだは個人の情報を表示しません。少し待ってからもう一度お試しください。"
            }
            Self::AccountChanged => "もう一度サインインしてください。",
            Self::SubjectChanged | Self::Conflict { .. } => "画面を開き直してください。",
            Self::Torn(_) => {
                "起動を止めました。控えと書き出したチェックポイントを用意してシステム管理者に連絡してください。"
            }
        }
    }
}
