//! What can be done with the office's own users, organisations and contracts.

use mimamori_gate::Action;
use mimamori_gate::Class::{Aggregate, Staff};

/// How many users there are, without names.
pub const OVERVIEW: Action = Action::new("people.overview", "利用者の数を確認", &[Aggregate]);
/// The list of users and the chart of duties.
pub const LIST: Action = Action::new("people.list", "利用者の一覧を閲覧", &[Staff]);
/// One user.
pub const OPEN: Action = Action::new("people.open", "利用者の登録を閲覧", &[Staff]);
/// Registers a user.
pub const REGISTER: Action = Action::new("people.register", "利用者を登録", &[Staff]);
/// Ends a user's account.
pub const STOP: Action = Action::new("people.stop", "利用を停止", &[Staff]);
/// A new initial password by the office.
pub const RESET: Action = Action::new("password.reset", "パスワードを再発行", &[Staff]);
/// Asks for a new initial password of somebody who manages or watches the system.
pub const RESET_PROPOSE: Action =
    Action::new("password.propose", "パスワードの再発行を申請", &[Staff]);
/// The certificate of registration on paper.
pub const CERTIFICATE: Action =
    Action::new("certificate.print", "登録済証を印刷", &[Staff]).way_out(1);
/// Asks for a role for somebody.
pub const ROLE_PROPOSE: Action = Action::new("role.propose", "任命を申請", &[Staff]);
/// Ends a role.
pub const ROLE_END: Action = Action::new("role.end", "任命を終了", &[Staff]);
/// Asks for other limits of somebody's rights.
pub const SCOPE_PROPOSE: Action = Action::new("scope.propose", "利用範囲の変更を申請", &[Staff]);
/// Asks to enter which resident a user is, and his household.
pub const RESIDENT_PROPOSE: Action =
    Action::new("resident.propose", "本人の宛名番号の登録を申請", &[Staff]);
/// Enters the staff list of an organisation for approval.
pub const BATCH_PROPOSE: Action = Action::new("batch.propose", "利用者の一括申請を入力", &[Staff]);
/// Declines a list, or takes the own one back.
pub const BATCH_DECLINE: Action =
    Action::new("batch.decline", "利用者の一括申請を却下・取下げ", &[Staff]);
/// Approves a list and prints slips and certificates in one document.
pub const BATCH_ISSUE: Action =
    Action::new("batch.issue", "利用者の一括申請を承認し印刷", &[Staff]).way_out(50);
/// What waits for a second person.
pub const REQUEST_LIST: Action = Action::new("request.list", "申請の一覧を閲覧", &[Staff]);
/// Approves or declines.
pub const REQUEST_DECIDE: Action =
    Action::new("request.decide", "申請を承認・却下", &[Staff]).granting();
/// The quarterly review.
pub const REVIEW_LIST: Action = Action::new("review.list", "権限の棚卸しを閲覧", &[Staff]);
/// Confirms one user in the review.
pub const REVIEW_ANSWER: Action = Action::new("review.answer", "権限の棚卸しに回答", &[Staff]);
/// Organisations.
pub const ORGANISATION_LIST: Action =
    Action::new("organisation.list", "所属・機関の一覧を閲覧", &[Staff]);
/// Enters or ends an organisation.
pub const ORGANISATION_CHANGE: Action =
    Action::new("organisation.change", "所属・機関を登録・終了", &[Staff]);
/// Contracts.
pub const CONTRACT_LIST: Action = Action::new("contract.list", "契約の一覧を閲覧", &[Staff]);
/// Asks for a contract.
pub const CONTRACT_PROPOSE: Action = Action::new("contract.propose", "契約の登録を申請", &[Staff]);
/// Ends a contract early.
pub const CONTRACT_END: Action = Action::new("contract.end", "契約を終了", &[Staff]);
/// Opens the registration of a passkey for somebody at the counter.
pub const PASSKEY_OPEN: Action =
    Action::new("passkey.open", "パスキーの登録を受付", &[Staff]).granting();
/// Revokes a passkey.
pub const PASSKEY_END: Action = Action::new("passkey.end", "パスキーを失効", &[Staff]);
/// Designated handlers.
pub const HANDLER_LIST: Action =
    Action::new("handler.list", "特定個人情報取扱者の一覧を閲覧", &[Staff]);
/// Asks for a designation.
pub const HANDLER_PROPOSE: Action = Action::new(
    "handler.propose",
    "特定個人情報取扱者の指定を申請",
    &[Staff],
);
/// Ends a designation.
pub const HANDLER_END: Action =
    Action::new("handler.end", "特定個人情報取扱者の指定を終了", &[Staff]);
/// Registered terminals.
pub const TERMINAL_LIST: Action = Action::new("terminal.list", "端末の一覧を閲覧", &[Staff]);
/// Asks to register a terminal.
pub const TERMINAL_PROPOSE: Action = Action::new("terminal.propose", "端末の登録を申請", &[Staff]);
/// Ends the registration of a terminal.
pub const TERMINAL_END: Action = Action::new("terminal.end", "端末の登録を終了", &[Staff]);
/// One's own registration.
pub const ACCOUNT_OWN: Action = Action::new("account.own", "自分の登録を確認", &[Staff]);
/// Asks for the end of one's own account.
pub const ACCOUNT_LEAVE: Action = Action::new("account.leave", "利用の終了を申し出", &[Staff]);

/// All of them.
pub const ALL: &[Action] = &[
    OVERVIEW,
    LIST,
    OPEN,
    REGISTER,
    STOP,
    RESET,
    RESET_PROPOSE,
    CERTIFICATE,
    ROLE_PROPOSE,
    ROLE_END,
    SCOPE_PROPOSE,
    RESIDENT_PROPOSE,
    BATCH_PROPOSE,
    BATCH_DECLINE,
    BATCH_ISSUE,
    REQUEST_LIST,
    REQUEST_DECIDE,
    REVIEW_LIST,
    REVIEW_ANSWER,
    ORGANISATION_LIST,
    ORGANISATION_CHANGE,
    CONTRACT_LIST,
    CONTRACT_PROPOSE,
    CONTRACT_END,
    PASSKEY_OPEN,
    PASSKEY_END,
    HANDLER_LIST,
    HANDLER_PROPOSE,
    HANDLER_END,
    TERMINAL_LIST,
    TERMINAL_PROPOSE,
    TERMINAL_END,
    ACCOUNT_OWN,
    ACCOUNT_LEAVE,
];
