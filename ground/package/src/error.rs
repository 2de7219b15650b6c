use mimamori_kernel::error::Coded;

/// Why a package, a document or an image was not made or not opened. Texts and codes hold no content.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// Reading or writing failed.
    #[error("読み書きができません（{0}）")]
    File(#[from] std::io::Error),
    /// Not the one text of a value.
    #[error("目録の書き方が決まりと違います")]
    Canonical,
    /// Another version of the format.
    #[error("この形式の版は読めません")]
    Version,
    /// A field of the manifest or a document is not what it must be.
    #[error("目録の「{0}」が正しくありません")]
    Field(&'static str),
    /// More than the limits allow.
    #[error("「{0}」が上限を超えています")]
    Limit(&'static str),
    /// Neither envelope.
    #[error("受渡しの封筒（ageまたはAES-256のZIP）ではありません")]
    NotAnEnvelope,
    /// The bytes are not those that were sealed, or end too early.
    #[error("封筒が壊れているか、変更されています")]
    Damaged,
    /// The key opens nothing here.
    #[error("この鍵では開けません")]
    WrongKey,
    /// The passphrase opens nothing here.
    #[error("パスワードが違います")]
    WrongPassphrase,
    /// A passphrase for a package to a key, or the other way round.
    #[error("この封筒の開け方（鍵・パスワード）が違います")]
    KeyKind,
    /// The manifest names another recipient.
    #[error("あて先が違います")]
    Recipient,
    /// The manifest names another contract.
    #[error("契約が違います")]
    Contract,
    /// The manifest names another sender.
    #[error("送り主が違います")]
    Sender,
    /// A delivery where a return was expected, or the other way round.
    #[error("受渡しの向きが違います")]
    Direction,
    /// The last moment has passed.
    #[error("開封の期限が過ぎています")]
    Expired,
    /// It was made in the future.
    #[error("作成日時が先の日時です")]
    Future,
    /// It was opened here before.
    #[error("すでに受け取った封筒です")]
    Replay,
    /// Not as many approvals as needed.
    #[error("承認の数が足りないか、多すぎます")]
    ApprovalCount,
    /// One person or one key approved twice.
    #[error("同じ人が二度承認しています")]
    SamePerson,
    /// Somebody approved whom the recipient does not know.
    #[error("承認者が登録されていません")]
    UnknownApprover,
    /// The approval is about something else.
    #[error("承認がこの目録についてのものではありません")]
    Challenge,
    /// The approval was given at another address.
    #[error("承認した画面の送信元が違います")]
    Origin,
    /// The device did not verify its user.
    #[error("承認のときに本人確認がされていません")]
    NotVerified,
    /// The approval's signature does not hold.
    #[error("承認の署名が正しくありません")]
    Signature,
    /// A form of approval that cannot be read.
    #[error("承認の記録が読めません")]
    ApprovalShape,
    /// Files are missing, more, or in another order.
    #[error("中のファイルが目録と違います")]
    Contents,
    /// A file has another length or SHA-256.
    #[error("中のファイルの内容が目録と違います")]
    Hash,
    /// A table has another number of rows, or cannot be read as a table.
    #[error("表の件数または形が目録と違います")]
    Rows,
    /// A table has other columns.
    #[error("表の見出しが目録と違います")]
    Columns,
    /// A column belongs to an item that the package does not name.
    #[error("目録にない項目の列があります")]
    Item,
    /// A signed document that does not hold.
    #[error("書面の署名が正しくありません")]
    DocumentSignature,
    /// No such file in the package.
    #[error("その名前のファイルはありません")]
    NoSuchFile,
    /// No image of a disc, or none that this program reads.
    #[error("媒体の像が読めません")]
    Image,
    /// What was read back differs from what was written.
    #[error("媒体の内容が書いたものと違います")]
    ReadBack,
}

impl Coded for PackageError {
    fn code(&self) -> &'static str {
        match self {
            Self::File(_) => "PACKAGE-FILE",
            Self::Canonical => "PACKAGE-CANONICAL",
            Self::Version => "PACKAGE-VERSION",
            Self::Field(_) => "PACKAGE-FIELD",
            Self::Limit(_) => "PACKAGE-LIMIT",
            Self::NotAnEnvelope => "PACKAGE-NOT-AN-ENVELOPE",
            Self::Damaged => "PACKAGE-DAMAGED",
            Self::WrongKey => "PACKAGE-WRONG-KEY",
            Self::WrongPassphrase => "PACKAGE-WRONG-PASSPHRASE",
            Self::KeyKind => "PACKAGE-KEY-KIND",
            Self::Recipient => "PACKAGE-RECIPIENT",
            Self::Contract => "PACKAGE-CONTRACT",
            Self::Sender => "PACKAGE-SENDER",
            Self::Direction => "PACKAGE-DIRECTION",
            Self::Expired => "PACKAGE-EXPIRED",
            Self::Future => "PACKAGE-FUTURE",
            Self::Replay => "PACKAGE-REPLAY",
            Self::ApprovalCount => "PACKAGE-APPROVAL-COUNT",
            Self::SamePerson => "PACKAGE-SAME-PERSON",
            Self::UnknownApprover => "PACKAGE-UNKNOWN-APPROVER",
            Self::Challenge => "PACKAGE-CHALLENGE",
            Self::Origin => "PACKAGE-ORIGIN",
            Self::NotVerified => "PACKAGE-NOT-VERIFIED",
            Self::Signature => "PACKAGE-SIGNATURE",
            Self::ApprovalShape => "PACKAGE-APPROVAL-SHAPE",
            Self::Contents => "PACKAGE-CONTENTS",
            Self::Hash => "PACKAGE-HASH",
            Self::Rows => "PACKAGE-ROWS",
            Self::Columns => "PACKAGE-COLUMNS",
            Self::Item => "PACKAGE-ITEM",
            Self::DocumentSignature => "PACKAGE-DOCUMENT-SIGNATURE",
            Self::NoSuchFile => "PACKAGE-NO-SUCH-FILE",
            Self::Image => "PACKAGE-IMAGE",
            Self::ReadBack => "PACKAGE-READ-BACK",
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::File(_) => "場所と空き容量を確かめて、もう一度お試しください。",
            Self::Version => "送り主と受け手のプログラムの版をそろえてください。",
            Self::Limit(_) => "分けて作り直すよう、送り主に依頼してください。",
            Self::NotAnEnvelope => "受け取ったファイルをそのまま選んでください。",
            Self::WrongKey => "この契約のために登録した鍵で開いてください。",
            Self::WrongPassphrase => "パスワード通知書の文字を一つずつ確かめてください。",
            Self::KeyKind => "鍵で開く封筒か、通知書のパスワードで開く封筒かを確かめてください。",
            Self::Expired => "開かずに、送り直しを依頼してください。",
            Self::Future => "この端末の日付と時刻を確かめてください。",
            Self::Replay => {
                "前に受け取った控えをお使いください。心当たりがなければ担当課へ連絡してください。"
            }
            Self::UnknownApprover => {
                "町の確認情報（town.json）が最新かを担当課に確かめてください。"
            }
            Self::NoSuchFile => "一覧にある名前を選んでください。",
            Self::Image | Self::ReadBack => "新しい媒体に作り直してください。",
            Self::Rows | Self::Columns | Self::Item | Self::Field(_) => {
                "作った人に、目録と表をそろえて作り直すよう依頼してください。"
            }
            Self::Recipient | Self::Contract | Self::Sender | Self::Direction => {
                "開かずに担当課へ連絡し、封筒を返してください。"
            }
            _ => "この封筒は使わずに、担当課へ連絡してください。",
        }
    }
}
