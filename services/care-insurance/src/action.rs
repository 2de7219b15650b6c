//! What can be done in this room.

use mimamori_gate::Action;
use mimamori_gate::Class::{Address, Aggregate, Identity, Insurance, RestrictedFlag};

/// The nightly derivation over the register.
pub const DERIVE: Action = Action::new("eligibility.derive", "資格の計算", &[Aggregate]);

/// Search by insured-person number, and the queues.
pub const LIST: Action = Action::new(
    "qualification.list",
    "資格の一覧に表示",
    &[Identity, Address, Insurance, RestrictedFlag],
);

/// One person's qualifications.
pub const OPEN: Action = Action::new(
    "qualification.open",
    "資格を閲覧",
    &[Identity, Address, Insurance, RestrictedFlag],
);

/// Cancelling, restoring, ending a qualification by hand.
pub const DECIDE: Action =
    Action::new("qualification.decide", "資格を変更", &[Identity, Insurance]);

/// A queue as a file.
pub const DOWNLOAD: Action = Action::new(
    "qualification.download",
    "資格の一覧をファイルに出力",
    &[Identity, Address, Insurance],
)
.way_out(1000);

/// Choosing whose cards are printed next; shows counts only.
pub const GATHER: Action = Action::new("card.gather", "証の発行対象を集める", &[Aggregate]);

/// The cards of a batch on the screen.
pub const CARD_LIST: Action = Action::new(
    "card.list",
    "証の発行一覧に表示",
    &[Identity, Address, Insurance, RestrictedFlag],
);

/// A card as a picture on the screen.
pub const PREVIEW: Action = Action::new(
    "card.preview",
    "証を画面で確認",
    &[Identity, Address, Insurance, RestrictedFlag],
);

/// One card on paper.
pub const PRINT: Action = Action::new(
    "card.print",
    "証を印刷",
    &[Identity, Address, Insurance, RestrictedFlag],
)
.way_out(1);

/// A batch of cards on paper.
pub const BATCH: Action = Action::new(
    "card.batch",
    "証を一括印刷",
    &[Identity, Address, Insurance],
)
.way_out(500);

/// Ordering a card again, taking one back, pulling one out of a batch.
pub const CHANGE: Action = Action::new("card.change", "証の状態を変更", &[Identity, Insurance]);

/// The register of businesses.
pub const BUSINESSES: Action = Action::new("business.list", "登録業務台帳を表示", &[Aggregate]);
