use mimamori_kernel::error::Coded;
use mimamori_storage::StorageError;
use mimamori_trace::TraceError;

/// A refusal with its reason; its line is already in the trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// One sentence in Japanese for the screen.
    pub sentence: String,
    /// Mission ids or articles.
    pub clauses: Vec<String>,
    /// Policy ids; `default` when nothing permitted it.
    pub policy: String,
}

/// Why the gate did not open.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The policies refuse.
    #[error("{}", .0.sentence)]
    Refused(Refused),
    /// No such person, or not one of the visitor's: not told apart.
    #[error("見つかりません")]
    NotFound,
    /// Only a fresh verification is missing; its refusal is already in the trace.
    #[error("この操作の前に、本人確認が必要です。")]
    StepUp,
    /// More persons than may leave at once.
    #[error("一度に出力できるのは{cap}人までです。")]
    TooMany {
        /// The cap.
        cap: u32,
    },
    /// The line could not be written.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// Below the gate.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A policy, schema or catalogue of a room does not hold together.
    #[error("規則の定義が正しくありません: {0}")]
    Rules(String),
}

impl GateError {
    /// What a statement expected in vain, in the room's own word; none for any other error.
    pub fn conflict(&self) -> Option<&'static str> {
        match self {
            Self::Trace(TraceError::Conflict { what }) => Some(what),
            _ => None,
        }
    }
}

impl Coded for GateError {
    fn code(&self) -> &'static str {
        match self {
            Self::Refused(_) => "GATE-REFUSED",
            Self::NotFound => "GATE-NOT-FOUND",
            Self::StepUp => "GATE-STEP-UP",
            Self::TooMany { .. } => "GATE-TOO-MANY",
            Self::Trace(e) => e.code(),
            Self::Storage(e) => e.code(),
            Self::Rules(_) => "GATE-RULES",
        }
    }
    fn advice(&self) -> &'static str {
        match self {
            Self::Refused(_) => "業務に必要なときは所属の管理者に相談してください。",
            Self::NotFound => "番号や条件を確かめ、もう一度検索してください。",
            Self::StepUp => "「本人確認をする」を押し、済んだらもう一度操作してください。",
            Self::TooMany { .. } => "条件をしぼり、何回かに分けて出力してください。",
            Self::Trace(e) => e.advice(),
            Self::Storage(e) => e.advice(),
            Self::Rules(_) => "配布されたとおりの規則ファイルに戻してください。",
        }
    }
}
