use mimamori_encryption::{KeyError, SealError};
use mimamori_kernel::error::Coded;
use mimamori_storage::StorageError;

/// Why the numbers room cannot do its work. Never holds a number.
#[derive(Debug, thiserror::Error)]
pub enum NumbersError {
    /// The database.
    #[error("個人番号のデータベースを読み書きできません")]
    Storage(#[from] StorageError),
    /// A key file.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The key file is damaged, or is no key file.
    #[error("鍵ファイル {path} の中身が正しくありません（{why}）")]
    KeyText {
        /// Which one.
        path: String,
        /// What is wrong with it; never the key.
        why: &'static str,
    },
    /// A sound key of another instance, or a wrong passphrase.
    #[error("この鍵は、この個人番号データベースの鍵ではありません")]
    OtherKey,
    /// Ciphertext that was moved, changed or put back.
    #[error("個人番号の暗号文が、その場所のものではありません（{0}）")]
    Moved(&'static str),
    /// The database is older than what the register knows of it.
    #[error(
        "個人番号のデータベースが古いものに置き換えられています（版 {found}、台帳が知る版 {known}）"
    )]
    Older {
        /// Epoch found.
        found: i64,
        /// Epoch known.
        known: i64,
    },
    /// The room's process does not answer.
    #[error("個人番号の部屋が止まっています")]
    Away,
    /// The session that asks has ended.
    #[error("この利用はもう終わっています")]
    Over,
    /// The other end said what cannot be.
    #[error("個人番号の部屋との通信が壊れています")]
    Speech,
    /// Files and sockets.
    #[error("{path} を使えません")]
    File {
        /// Which one.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl NumbersError {
    /// For `map_err` on what touches `path`.
    pub fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::File { path, source }
    }
}

impl From<SealError> for NumbersError {
    fn from(_: SealError) -> Self {
        Self::Moved("封印")
    }
}

impl Coded for NumbersError {
    fn code(&self) -> &'static str {
        match self {
            Self::Storage(_) => "NUMBERS-DB",
            Self::Key(error) => error.code(),
            Self::KeyText { .. } => "NUMBERS-KEY",
            Self::OtherKey => "NUMBERS-OTHER-KEY",
            Self::Moved(_) => "NUMBERS-MOVED",
            Self::Older { .. } => "NUMBERS-OLDER",
            Self::Away => "NUMBERS-AWAY",
            Self::Over => "NUMBERS-OVER",
            Self::Speech => "NUMBERS-SPEECH",
            Self::File { .. } => "NUMBERS-FILE",
        }
    }
    fn advice(&self) -> &'static str {
        match self {
            Self::Storage(_) | Self::Speech => "システム管理者に連絡してください。",
            Self::Key(error) => error.advice(),
            Self::KeyText { .. } | Self::OtherKey => {
                "鍵の控えから正しい鍵ファイルを戻してください。作り直すと個人番号は読めなくなります。"
            }
            Self::Moved(_) | Self::Older { .. } => {
                "使わずに、控えから台帳と個人番号のデータベースを一緒に戻してください。"
            }
            Self::Away => {
                "しばらく待ってから開き直してください。続くときはシステム管理者に連絡してください。"
            }
            Self::Over => "サインインし直してください。",
            Self::File { .. } => "場所と所有者を確かめてください。",
        }
    }
}
