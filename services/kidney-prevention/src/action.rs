//! Actions of the room. Each is `noun.verb`, the same word in route, policy, trace and manual.

use mimamori_gate::Action;
use mimamori_gate::Class::{Address, Aggregate, Contact, Health, Identity, RestrictedFlag};

/// Files of health checks: read, looked at as counts, taken in or dropped.
pub const IMPORT: Action = Action::new("checkup.import", "健診結果を取り込む", &[Aggregate]);

/// Rule sets: proposed and approved.
pub const RULE: Action = Action::new("rule.decide", "選定ルールを決める", &[Aggregate]);

/// A rule set over all health checks of a year, as counts; the list is approved by another person.
pub const SELECT: Action = Action::new("selection.run", "対象者の選定を試す", &[Aggregate]);

/// Who was judged how, and who stands where in the programme.
pub const LIST: Action = Action::new(
    "candidate.list",
    "対象者の一覧を表示",
    &[Identity, Address, Health, RestrictedFlag],
);

/// One person's results, judgement and course.
pub const OPEN: Action = Action::new(
    "candidate.open",
    "対象者の記録を閲覧",
    &[Identity, Address, Contact, Health, RestrictedFlag],
);

/// The doctor's answer, calls, contacts, refusals, complaints.
pub const WRITE: Action = Action::new("candidate.write", "対象者の経過を記録", &[Identity, Health]);

/// Invitation letters.
pub const INVITE: Action = Action::new(
    "invitation.print",
    "参加勧奨の通知を印刷",
    &[Identity, Address, Health],
)
.way_out(500);

/// What became of the participants, in numbers.
pub const EVALUATE: Action = Action::new("evaluation.run", "事業の評価を集計", &[Aggregate]);

/// All of them.
pub(crate) const ALL: &[Action] = &[IMPORT, RULE, SELECT, LIST, OPEN, WRITE, INVITE, EVALUATE];
