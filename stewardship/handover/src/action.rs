//! What can be done with packages, their ledger and their media.

use mimamori_gate::Action;
use mimamori_gate::Class::{Aggregate, Staff};

/// The list of packages, and one of them without its content.
pub const LIST: Action = Action::new("handover.list", "受渡しの一覧を閲覧", &[Staff]);
/// Asks for a package.
pub const REQUEST: Action = Action::new("handover.request", "受渡しを申請", &[Staff]);
/// Approves a manifest by one's own passkey.
pub const APPROVE: Action = Action::new("handover.approve", "受渡しの目録を承認", &[Staff]);
/// Seals an approved package, or takes back one that has not left.
pub const SEAL: Action = Action::new("handover.seal", "封筒に封入・取下げ", &[Staff]);
/// Carriers, handing over, receipt, opening, return.
pub const CARRY: Action = Action::new("handover.carry", "受渡し・受領・返却を記録", &[Staff]);
/// Hands over the slip.
pub const SLIP: Action = Action::new("handover.slip", "パスワード通知書を引渡し", &[Staff]);
/// Erasure certificate and the end.
pub const CONFIRM: Action = Action::new(
    "handover.confirm",
    "消去証明書を確認・受渡しを完了",
    &[Staff],
);
/// The media ledger.
pub const LEDGER: Action = Action::new("ledger.list", "記録媒体利用管理簿を閲覧", &[Staff]);
/// The register of media.
pub const MEDIA: Action = Action::new("medium.list", "記録媒体の一覧を閲覧", &[Staff]);
/// Enters a medium.
pub const MEDIUM: Action = Action::new("medium.enter", "記録媒体を登録", &[Staff]);
/// Keys of a partner.
pub const PARTNER: Action = Action::new("partner.enter", "相手方の鍵を登録", &[Staff]);
/// What came in.
pub const INCOMING: Action =
    Action::new("incoming.list", "受け入れたファイルの一覧を閲覧", &[Staff]);
/// Takes a file into quarantine and has it examined.
pub const TAKE: Action = Action::new("incoming.take", "ファイルを隔離して検査", &[Staff]);
/// Releases or accepts what came in, two persons each.
pub const ACCEPT: Action = Action::new("incoming.accept", "受け入れを確認", &[Staff]);
/// Finds the packages that held leaked rows.
pub const LEAK: Action = Action::new("leak.trace", "漏えい元の受渡しを照合", &[Staff]);

/// Counts what is out under a contract, for its closing day.
pub const COUNT: Action = Action::new("handover.count", "契約ごとの未返却の数を集計", &[Aggregate]);

/// All of them.
pub const ALL: &[Action] = &[
    LIST, REQUEST, APPROVE, SEAL, CARRY, SLIP, CONFIRM, LEDGER, MEDIA, MEDIUM, PARTNER, INCOMING,
    TAKE, ACCEPT, LEAK, COUNT,
];
