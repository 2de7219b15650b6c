use mimamori_kernel::error::Coded;
use mimamori_storage::StorageError;

/// Why identity says no.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Unknown user, wrong password, inactive or expired: not told apart (S4-72).
    #[error("IDまたはパスワードが正しくありません。")]
    WrongPair,
    /// Too many tries.
    #[error("続けて失敗したため、しばらく受け付けません。{seconds}秒後にもう一度お試しください。")]
    TooMany {
        /// Seconds to wait.
        seconds: u32,
    },
    /// The initial password is too old.
    #[error("初期パスワードの期限が切れています。窓口で再発行を受けてください。")]
    InitialExpired,
    /// The new password breaks a rule; the sentence says which.
    #[error("{0}")]
    WeakPassword(&'static str),
    /// The user does not hold the role.
    #[error("この役割では利用できません。")]
    NoSuchRole,
    /// Login is taken or badly formed.
    #[error("このIDは使えません。半角の英数字とハイフン、3〜40文字で決めてください。")]
    Login,
    /// Somebody appointed himself, or roles that must stay apart would meet.
    #[error("{0}")]
    Separation(&'static str),
    /// The password function failed.
    #[error("パスワードを処理できません。")]
    Kdf,
    /// Below.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Coded for IdentityError {
    fn code(&self) -> &'static str {
        match self {
            Self::WrongPair => "IDENTITY-WRONG-PAIR",
            Self::TooMany { .. } => "IDENTITY-TOO-MANY",
            Self::InitialExpired => "IDENTITY-INITIAL-EXPIRED",
            Self::WeakPassword(_) => "IDENTITY-WEAK-PASSWORD",
            Self::NoSuchRole => "IDENTITY-ROLE",
            Self::Login => "IDENTITY-LOGIN",
            Self::Separation(_) => "IDENTITY-SEPARATION",
            Self::Kdf => "IDENTITY-KDF",
            Self::Storage(e) => e.code(),
        }
    }
    fn advice(&self) -> &'static str {
        match self {
            Self::WrongPair => {
                "忘れたときは、窓口で再発行を受けてください（画面からは再発行できません）。"
            }
            Self::TooMany { .. } => "心当たりがないときは、運営事務局に連絡してください。",
            Self::InitialExpired => {
                "運営事務局の窓口に、本人を確かめられるものを持って申し出てください。"
            }
            Self::WeakPassword(_) => "別のパスワードを決めてください。",
            Self::NoSuchRole | Self::Separation(_) => "運営管理責任者に相談してください。",
            Self::Login => "別のIDを決めてください。",
            Self::Kdf => "時間をおいてもう一度お試しください。",
            Self::Storage(e) => e.advice(),
        }
    }
}
