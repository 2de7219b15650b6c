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
    /// Passkeys are not set up on this instance.
    #[error("パスキーの設定（[passkeys] origin）がありません。")]
    NoPasskeys,
    /// The town has no face product, or its key is not set.
    #[error("顔認証の製品の設定がありません。")]
    NoFaceProduct,
    /// Nothing was begun in this session, or it is over, or it was used already.
    #[error("本人確認の期限（5分）が切れたか、もう使われています。")]
    NoCeremony,
    /// The enrolment's code is wrong, spent or too old: not told apart.
    #[error("受付の番号が正しくないか、期限（10分）が切れています。")]
    EnrolmentCode,
    /// What the browser or the face product sent does not prove anything.
    #[error("本人であることを確かめられませんでした。")]
    NotProved,
    /// The page was opened under another address than the passkey belongs to.
    #[error("開いているアドレスが、パスキーの登録先と違います。")]
    WrongOrigin,
    /// The device did not verify its user (no face, finger or PIN).
    #[error("機器が本人の確認（顔・指紋など）をしませんでした。")]
    NotVerified,
    /// The counter went back: perhaps a copy exists. The passkey is suspended.
    #[error("このパスキーは複製された疑いがあるため、使用を停止しました。")]
    Cloned,
    /// A passkey could not be written or read.
    #[error("パスキーを処理できません。")]
    Passkey,
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
            Self::NoPasskeys => "IDENTITY-NO-PASSKEYS",
            Self::NoFaceProduct => "IDENTITY-NO-FACE-PRODUCT",
            Self::NoCeremony => "IDENTITY-NO-CEREMONY",
            Self::EnrolmentCode => "IDENTITY-ENROLMENT-CODE",
            Self::NotProved => "IDENTITY-NOT-PROVED",
            Self::WrongOrigin => "IDENTITY-WRONG-ORIGIN",
            Self::NotVerified => "IDENTITY-NOT-VERIFIED",
            Self::Cloned => "IDENTITY-CLONED",
            Self::Passkey => "IDENTITY-PASSKEY",
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
            Self::NoPasskeys | Self::NoFaceProduct => {
                "システム管理者に、設定を確かめてもらってください。"
            }
            Self::NoCeremony => "この画面を開き直して、もう一度本人確認をしてください。",
            Self::EnrolmentCode => "窓口で、新しい受付の番号をもらってください。",
            Self::NotProved => {
                "もう一度お試しください。続けて失敗するときは、運営事務局に連絡してください。"
            }
            Self::WrongOrigin => {
                "画面に表示されたアドレスで開き直してください。心当たりのないアドレスなら、運営事務局に連絡してください。"
            }
            Self::NotVerified => "機器の設定で顔認証を使えるようにし、もう一度お試しください。",
            Self::Cloned => {
                "ほかのパスキーを使うか、運営事務局の窓口で登録し直してください。運営管理責任者の画面にも表示しました。"
            }
            Self::Passkey | Self::Kdf => "時間をおいてもう一度お試しください。",
            Self::Storage(e) => e.advice(),
        }
    }
}
