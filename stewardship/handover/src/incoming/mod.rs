//! What comes in (受入れ): quarantine, scanner, opening, a preview without values, two who accept. PROTECTION T17.

mod examine;
mod page;
mod store;
mod take;

pub(crate) use page::{act, list, one};
pub(crate) use take::{page, submit};

/// Where a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Nobody examined it: two must release it.
    Unscanned,
    /// The scanner found nothing, or two released it.
    Released,
    /// Opened and found right; waits for two to accept.
    Opened,
    /// Accepted by two.
    Accepted,
    /// The scanner found something, or it is not what it should be.
    Refused,
}

impl State {
    const ALL: [Self; 5] = [
        Self::Unscanned,
        Self::Released,
        Self::Opened,
        Self::Accepted,
        Self::Refused,
    ];

    fn code(self) -> &'static str {
        match self {
            Self::Unscanned => "unscanned",
            Self::Released => "released",
            Self::Opened => "opened",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
        }
    }

    fn japanese(self) -> &'static str {
        match self {
            Self::Unscanned => "隔離中（検査なし）",
            Self::Released => "隔離中（検査済み）",
            Self::Opened => "開封済み（受入れ待ち）",
            Self::Accepted => "受入れ済み",
            Self::Refused => "受け入れない",
        }
    }
}
