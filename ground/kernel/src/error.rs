//! A code and an advice for every error that reaches a clerk (エラーの番号と対処).

/// An error with a stable code and a sentence that says what to do.
///
/// The `Display` text of such an error says what is wrong; neither text ever
/// holds the value that was typed, because values are personal data.
pub trait Coded {
    /// A stable code such as `DATE-ERA-END`; ASCII upper case letters and hyphens.
    fn code(&self) -> &'static str;
    /// One polite Japanese sentence: what the clerk does next.
    fn advice(&self) -> &'static str;
}

impl Coded for crate::id::NotAnId {
    fn code(&self) -> &'static str {
        "ID-SHAPE"
    }
    fn advice(&self) -> &'static str {
        "画面の一覧から選び直してください。"
    }
}
