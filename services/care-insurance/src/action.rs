//! What can be done in this room.

use mimamori_gate::Action;
use mimamori_gate::Class::{
    Address, Aggregate, Identity, Insurance, Number, NumberRecord, RestrictedFlag,
};

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

/// Item ㊸ of one person without the number (P-43).
pub const NUMBER_OPEN: Action = Action::new(
    "number.open",
    "個人番号の管理情報を閲覧",
    &[NumberRecord, Identity, Insurance],
);

/// 照会: the number of one person.
pub const NUMBER_REVEAL: Action = Action::new("number.reveal", "個人番号を照会", &[Number]);

/// 検索: asking whose a number is.
pub const NUMBER_FIND: Action = Action::new("number.find", "個人番号で検索", &[Number]);

/// Whose it is.
pub const NUMBER_FOUND: Action = Action::new(
    "number.found",
    "個人番号の検索結果を表示",
    &[Number, Identity, Insurance],
);

/// 登録.
pub const NUMBER_REGISTER: Action = Action::new("number.register", "個人番号を登録", &[Number]);

/// 訂正.
pub const NUMBER_CORRECT: Action = Action::new("number.correct", "個人番号を訂正", &[Number]);

/// 削除.
pub const NUMBER_DELETE: Action = Action::new("number.delete", "個人番号を削除", &[Number]);

/// 一括登録 from a file.
pub const NUMBER_LOAD: Action = Action::new("number.load", "個人番号を一括登録", &[Number]);

/// References for those whom a load is about.
pub const NUMBER_PREPARE: Action = Action::new(
    "number.prepare",
    "個人番号の一括登録を準備",
    &[Aggregate, NumberRecord],
);

/// What the numbers room told, written down.
pub const NUMBER_OUTCOME: Action =
    Action::new("number.outcome", "個人番号の処理結果を記録", &[Aggregate]);

/// Whether a number is held of anybody outside the scope (S0-14).
pub const NUMBER_CHECK: Action = Action::new(
    "number.check",
    "個人番号の対象者を点検",
    &[Aggregate, NumberRecord],
);

/// Who that is.
pub const NUMBER_OUTSIDE: Action = Action::new(
    "number.outside",
    "個人番号の対象外の人を一覧",
    &[NumberRecord, Identity, Insurance],
);

/// New keys for the numbers.
pub const NUMBER_ROTATE: Action = Action::new("number.rotate", "個人番号の鍵を更新", &[Aggregate]);
