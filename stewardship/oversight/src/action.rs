//! What can be done with cases, sheets and the contract register. Nothing of it is about a resident.

use mimamori_gate::Action;
use mimamori_gate::Class::Staff;

/// The list of cases and contracts.
pub const CASE_LIST: Action = Action::new("council.list", "付議の案件と契約台帳を閲覧", &[Staff]);
/// One case with its sheets.
pub const CASE_OPEN: Action = Action::new("council.open", "付議の案件とシートを閲覧", &[Staff]);
/// Enters a case.
pub const CASE_ENTER: Action = Action::new("council.enter", "付議の案件を登録", &[Staff]);
/// Writes a version of a sheet.
pub const SHEET_DRAFT: Action = Action::new("sheet.draft", "シートを起案・取下げ", &[Staff]);
/// Approves a version of a sheet, or gives it back: what it names can leave the town from then on.
pub const SHEET_DECIDE: Action =
    Action::new("sheet.decide", "シートを承認・差戻し", &[Staff]).granting();
/// The sheets on paper.
pub const SHEET_PRINT: Action = Action::new("sheet.print", "シートを印刷", &[Staff]).way_out(1);
/// What a contract's sheet opens, and the answer to items.
pub const GRANT_READ: Action = Action::new("grant.read", "シートで認められた項目を確認", &[Staff]);
/// Binds a contract to a case.
pub const REGISTER_ENTER: Action = Action::new("register.enter", "契約台帳に登録", &[Staff]);

/// What is owed under all contracts.
pub const OBLIGATION_LIST: Action = Action::new("obligation.list", "契約上の義務を閲覧", &[Staff]);
/// Records that something was done or happened, people and certifications.
pub const OBLIGATION_RECORD: Action = Action::new(
    "obligation.record",
    "契約上の義務・担当者・認証を記録",
    &[Staff],
);
/// The checklist of a case.
pub const CHECKLIST_OPEN: Action = Action::new("checklist.open", "チェックリストを閲覧", &[Staff]);
/// Answers a line.
pub const CHECKLIST_ANSWER: Action =
    Action::new("checklist.answer", "チェックリストに回答", &[Staff]);
/// Looks at somebody else's answer.
pub const CHECKLIST_REVIEW: Action =
    Action::new("checklist.review", "チェックリストの回答を確認", &[Staff]);
/// The checklist on paper.
pub const CHECKLIST_PRINT: Action =
    Action::new("checklist.print", "チェックリストを印刷", &[Staff]).way_out(1);
/// The closing day and the renewal of a contract.
pub const CLOSING_OPEN: Action = Action::new("closing.open", "契約の終了日・更新を閲覧", &[Staff]);
/// Closes a contract.
pub const CLOSING_CONFIRM: Action = Action::new("closing.confirm", "契約を閉じる", &[Staff]);
/// Controls beside the guideline.
pub const CONTROL_LIST: Action =
    Action::new("control.list", "安全管理措置との対応を閲覧", &[Staff]);

/// All of them.
pub const ALL: &[Action] = &[
    CASE_LIST,
    CASE_OPEN,
    CASE_ENTER,
    SHEET_DRAFT,
    SHEET_DECIDE,
    SHEET_PRINT,
    GRANT_READ,
    REGISTER_ENTER,
    OBLIGATION_LIST,
    OBLIGATION_RECORD,
    CHECKLIST_OPEN,
    CHECKLIST_ANSWER,
    CHECKLIST_REVIEW,
    CHECKLIST_PRINT,
    CLOSING_OPEN,
    CLOSING_CONFIRM,
    CONTROL_LIST,
];
