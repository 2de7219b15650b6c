use mimamori_kernel::error::Coded;

/// What can go wrong below the rooms.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The database refused or failed; the cause is for the log, never for a screen.
    #[error("データベースの処理に失敗しました")]
    Database(#[source] sqlx::Error),
    /// No space left, or the file system is read-only.
    #[error("保存先の容量が足りないか、書き込めません")]
    Full(#[source] sqlx::Error),
    /// A statement touched another number of rows than it had to.
    #[error("ほかの人が先に変更しました")]
    Conflict {
        /// Which expectation failed, a short code chosen by the room.
        what: &'static str,
    },
    /// A column has another type than the code expects.
    #[error("保存されている値の形が正しくありません（{column}）")]
    Shape {
        /// Position of the column in the row, from 0.
        column: usize,
    },
    /// The schema is newer than this program.
    #[error("データベースはこのプログラムより新しい版で作られています（{id}）")]
    Newer {
        /// The first migration that this program does not know.
        id: String,
    },
    /// A migration that ran has another text now.
    #[error("適用済みの移行手順が書き換えられています（{id}）")]
    Changed {
        /// The migration.
        id: String,
    },
}

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        if let Some(db) = error.as_database_error() {
            // SQLITE_FULL 13, SQLITE_READONLY 8, SQLITE_IOERR 10 (and their extended codes);
            // PostgreSQL class 53 (insufficient resources).
            let code = db.code().unwrap_or_default();
            let primary = code.parse::<i32>().map(|c| c & 0xff);
            if matches!(primary, Ok(8 | 10 | 13)) && code.len() <= 4 || code.starts_with("53") {
                return Self::Full(error);
            }
        }
        Self::Database(error)
    }
}

impl Coded for StorageError {
    fn code(&self) -> &'static str {
        match self {
            Self::Database(_) => "STORAGE-DATABASE",
            Self::Full(_) => "STORAGE-FULL",
            Self::Conflict { .. } => "STORAGE-CONFLICT",
            Self::Shape { .. } => "STORAGE-SHAPE",
            Self::Newer { .. } => "STORAGE-NEWER",
            Self::Changed { .. } => "STORAGE-CHANGED",
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Database(_) | Self::Shape { .. } => {
                "時間をおいてもう一度お試しください。続くときはシステム管理者に障害番号をお知らせください。"
            }
            Self::Full(_) => "システム管理者に連絡し、保存先の空き容量を増やしてください。",
            Self::Conflict { .. } => "画面を開き直し、いまの内容を確かめてからやり直してください。",
            Self::Newer { .. } => "新しい版のプログラムで起動してください。",
            Self::Changed { .. } => "配布されたとおりのプログラムで起動してください。",
        }
    }
}
