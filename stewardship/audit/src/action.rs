//! What can be done in the audit room.

use mimamori_gate::Action;
use mimamori_gate::Class::{AccessLog, Aggregate};

/// Lines that may leave in one file.
const LINES: u32 = 5_000;

/// Search over the trace.
pub const TRACE_SEARCH: Action = Action::new("trace.search", "証跡を検索", &[AccessLog]);

/// Lines of the trace as a file.
pub const TRACE_EXPORT: Action =
    Action::new("trace.export", "証跡をファイルに出力", &[AccessLog]).way_out(LINES);

/// What each user took out on a day.
pub const OUT_LIST: Action = Action::new("out.list", "出力の集計を一覧に表示", &[AccessLog]);

/// A run of the monitoring rules.
pub const MONITOR_RUN: Action = Action::new("monitor.run", "証跡を規則で点検", &[Aggregate]);

/// Alerts of the rules.
pub const ALERT_LIST: Action = Action::new("alert.list", "点検の結果を一覧に表示", &[AccessLog]);

/// One alert with its lines.
pub const ALERT_OPEN: Action = Action::new("alert.open", "点検の結果を閲覧", &[AccessLog]);

/// A reviewer's answer.
pub const ALERT_ANSWER: Action = Action::new("alert.answer", "点検の結果に回答", &[AccessLog]);

/// Making and signing a report.
pub const REPORT_MAKE: Action = Action::new("report.make", "分析報告を作成", &[Aggregate]);

/// Reading a report.
pub const REPORT_OPEN: Action = Action::new("report.open", "分析報告を閲覧", &[Aggregate]);

/// What the system did on a day, without anybody's data.
pub const OPERATION_OPEN: Action = Action::new("operation.open", "運転記録を閲覧", &[Aggregate]);
