use mimamori_kernel::error::Coded;
use mimamori_storage::StorageError;

/// Why the connector cannot do its work. Never holds a number.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The database.
    #[error("連携の記録を読み書きできません")]
    Storage(#[from] StorageError),
    /// The number could not be opened.
    #[error("個人番号を開けないため、連携できません")]
    Vault,
    /// Configuration of the connector.
    #[error("統合宛名との連携の設定が正しくありません（{what}）")]
    Config {
        /// Which setting, and what is wrong with it.
        what: String,
    },
    /// A file of the batch interface.
    #[error("連携ファイル {path} を使えません")]
    File {
        /// Which one.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The other end cannot be reached, or its answer cannot be used.
    #[error("統合宛名から答えが得られません（{0}）")]
    Away(String),
    /// The other end refuses.
    #[error("統合宛名が受け付けませんでした（{0}）")]
    Refused(String),
    /// What the batch interface cannot do.
    #[error("ファイル連携では、その場の照会はできません")]
    NotByFile,
    /// The difference was settled before, or never was.
    #[error("この相違は、すでに処理されています")]
    Settled,
    /// A decision that this kind of difference does not have.
    #[error("この相違には選べない処理です")]
    NotOffered,
    /// A reason is missing or too long.
    #[error("理由を200字以内で書いてください")]
    Reason,
    /// 宛名番号 of another form.
    #[error("宛名番号は15桁の数字です（想定）")]
    Address,
}

impl Coded for LinkError {
    fn code(&self) -> &'static str {
        match self {
            Self::Storage(error) => error.code(),
            Self::Vault => "LINK-VAULT",
            Self::Config { .. } => "LINK-CONFIG",
            Self::File { .. } => "LINK-FILE",
            Self::Away(_) => "LINK-AWAY",
            Self::Refused(_) => "LINK-REFUSED",
            Self::NotByFile => "LINK-NOT-BY-FILE",
            Self::Settled => "LINK-SETTLED",
            Self::NotOffered => "LINK-NOT-OFFERED",
            Self::Reason => "LINK-REASON",
            Self::Address => "LINK-ADDRESS",
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Storage(error) => error.advice(),
            Self::Vault | Self::Config { .. } | Self::File { .. } => {
                "システム管理者に連絡してください。"
            }
            Self::Away(_) => {
                "登録は未連携のまま残り、つながると自動で送られます。急ぐときは統合宛名の担当に確かめてください。"
            }
            Self::Refused(_) => "宛名番号と個人番号を確かめ、正しい内容で訂正してください。",
            Self::NotByFile => "統合宛名の画面で確かめ、登録の画面から入力してください。",
            Self::Settled => "一覧を開き直してください。",
            Self::NotOffered => {
                "画面に出ている処理から選んでください。統合宛名だけにある人は、登録の画面から登録してください。"
            }
            Self::Reason => "理由を入力してください。",
            Self::Address => "宛名番号を確かめてください。",
        }
    }
}
