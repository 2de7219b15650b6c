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
];
