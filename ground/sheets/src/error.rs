//! Why a form could not be made.

use mimamori_kernel::error::Coded;

/// Why a form could not be made. Never holds a value of the form.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// One of the two fonts that every layout uses is not installed.
    #[error("印刷に使う書体「{family}」がこのサーバーにありません。")]
    Font {
        /// Family name.
        family: &'static str,
    },
    /// The layout did not accept the values; the text names the place in the layout.
    #[error("帳票「{layout}」を組めませんでした。")]
    Layout {
        /// Name of the layout.
        layout: &'static str,
        /// Messages of the typesetter, for the program log; positions and rules, no values.
        causes: Vec<String>,
    },
    /// More pages than one file may have.
    #[error("1つのファイルに収まるのは{most}ページまでです。")]
    TooLong {
        /// The most pages.
        most: usize,
    },
    /// There is no such page.
    #[error("そのページはありません。")]
    NoPage,
    /// The typesetter's thread ended.
    #[error("帳票を組む処理が止まりました。")]
    Stopped,
}

impl Coded for SheetError {
    fn code(&self) -> &'static str {
        match self {
            Self::Font { .. } => "SHEET-FONT",
            Self::Layout { .. } => "SHEET-LAYOUT",
            Self::TooLong { .. } => "SHEET-TOO-LONG",
            Self::NoPage => "SHEET-NO-PAGE",
            Self::Stopped => "SHEET-STOPPED",
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Font { .. } => {
                "運用の担当者に、パッケージ fonts-ipaexfont を入れるよう頼んでください。"
            }
            Self::Layout { .. } => "帳票の番号を添えて、運用の担当者に連絡してください。",
            Self::TooLong { .. } => "対象を分けて印刷してください。",
            Self::NoPage => "ページの番号を確かめてください。",
            Self::Stopped => "時間をおいてもう一度お試しください。",
        }
    }
}
