use std::path::{Path, PathBuf};

use mimamori_kernel::error::Coded;

/// Why a backup could not be made, checked or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file or folder cannot be read or written.
    #[error("{path} を読み書きできません（{source}）")]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another backup is being made in the same folder.
    #[error("ほかの控えを作成しています")]
    Busy,
    /// No recipient or identity, or one that is none.
    #[error("{path} に控えの鍵がありません、または形が正しくありません")]
    Key {
        /// The file.
        path: PathBuf,
    },
    /// The identity opens none of the recipients' stanzas, or the file is damaged.
    #[error("{name} を開けません（鍵が違うか、壊れています）")]
    Closed {
        /// The file of the generation.
        name: String,
    },
    /// A generation is not what it should be.
    #[error("{name}: {what}")]
    Wrong {
        /// The file of the generation.
        name: String,
        /// What does not fit.
        what: &'static str,
    },
    /// There is no such generation.
    #[error("第{0}世代の控えはありません")]
    Unknown(u64),
    /// The folder to restore to holds something.
    #[error("{0} は空ではありません")]
    NotEmpty(PathBuf),
}

impl BackupError {
    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::File {
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn wrong(name: &str, what: &'static str) -> Self {
        Self::Wrong {
            name: name.to_owned(),
            what,
        }
    }
}

impl Coded for BackupError {
    fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "BACKUP-FILE",
            Self::Busy => "BACKUP-BUSY",
            Self::Key { .. } => "BACKUP-KEY",
            Self::Closed { .. } => "BACKUP-CLOSED",
            Self::Wrong { .. } => "BACKUP-WRONG",
            Self::Unknown(_) => "BACKUP-UNKNOWN",
            Self::NotEmpty(_) => "BACKUP-NOT-EMPTY",
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::File { .. } => "場所、空き容量、所有者を確かめてください。",
            Self::Busy => "終わるのを待って、もう一度お試しください。",
            Self::Key { .. } => "age-keygen が作った鍵ファイルを指定してください。",
            Self::Closed { .. } => {
                "正しい鍵か確かめてください。鍵が正しいときは、ほかの世代をお使いください。"
            }
            Self::Wrong { .. } => {
                "この世代は使えません。ほかの世代、または別の場所の控えをお使いください。"
            }
            Self::Unknown(_) => "控えの一覧にある番号を指定してください。",
            Self::NotEmpty(_) => "新しいフォルダを指定してください。",
        }
    }
}
