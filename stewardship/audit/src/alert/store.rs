//! Alerts and answers in their tables.

use jiff::civil::Date;
use mimamori_gate::{AuditPermit, GateError, Hidden, Row, Statement};
use mimamori_identity::Visitor;
use mimamori_kernel::clock::Instant;
use mimamori_trace::{Query, Token};

use super::rule::Answer;
use crate::monitor::Kind;
use crate::search::day_bounds;

/// One alert.
#[derive(Debug, Clone)]
pub(crate) struct Alert {
    pub id: [u8; 16],
    pub kind: Option<Kind>,
    pub actor: [u8; 16],
    pub day: Date,
    pub subject: Option<Token>,
    pub looks: i64,
    pub first: i64,
    pub last: i64,
    /// The lines that were counted; empty when an earlier version found it.
    pub lines: Vec<u64>,
    pub rules: String,
    pub due: Date,
    pub state: String,
}

/// One answer.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub number: i64,
    pub answer: Option<Answer>,
    pub words: String,
    pub reviewer: [u8; 16],
    pub at: Instant,
    /// Looks and last line as they were when it was given.
    pub looks: i64,
    pub last: i64,
}

const COLUMNS: &str =
    "id, kind, actor, day, subject, looks, first_line, last_line, rules, due, state, lines";

fn alert(row: &Row) -> Option<Alert> {
    Some(Alert {
        id: row.array(0).ok()?,
        kind: Kind::from_code(row.text(1).ok()?),
        actor: row.array(2).ok()?,
        day: row.text(3).ok()?.parse().ok()?,
        subject: row.array(4).ok().map(Token),
        looks: row.int(5).ok()?,
        first: row.int(6).ok()?,
        last: row.int(7).ok()?,
        rules: row.text(8).ok()?.to_owned(),
        due: row.text(9).ok()?.parse().ok()?,
        state: row.text(10).ok()?.to_owned(),
        lines: row
            .text(11)
            .ok()?
            .split(' ')
            .filter_map(|n| n.parse().ok())
            .collect(),
    })
}

fn given(row: &Row) -> Option<Given> {
    Some(Given {
        number: row.int(0).ok()?,
        answer: Answer::from_code(row.text(1).ok()?),
        words: row.text(2).ok()?.to_owned(),
        reviewer: row.array(3).ok()?,
        at: Instant(row.int(4).ok()?),
        looks: row.int(5).ok()?,
        last: row.int(6).ok()?,
    })
}

/// A page of alerts, those that need an answer by their due day, or all by day.
pub(crate) async fn page(
    permit: &AuditPermit,
    open: bool,
    skip: u32,
    limit: u32,
) -> Result<Hidden<Vec<Alert>>, GateError> {
    let (filter, order) = match open {
        true => ("state IN ('open', 'again', 'inquiry')", "due, day, id"),
        false => ("1 = 1", "day DESC, id"),
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM audit_alert WHERE {filter} ORDER BY {order} LIMIT ? OFFSET ?"
    );
    let rows = permit.rows(&sql, vec![limit.into(), skip.into()]).await?;
    Ok(rows.map(|rows| rows.iter().filter_map(alert).collect()))
}

/// Number of alerts, of open ones, and of open ones past their due day.
pub(crate) async fn counts(
    permit: &AuditPermit,
    today: Date,
) -> Result<Hidden<[u64; 3]>, GateError> {
    let sql = "SELECT state, due FROM audit_alert WHERE state IN ('open', 'again', 'inquiry')";
    let open = permit.rows(sql, vec![]).await?;
    let all = permit
        .rows("SELECT COUNT(*) FROM audit_alert", vec![])
        .await?;
    Ok(open.and(all).map(|(open, all)| {
        let today = today.to_string();
        let late = open
            .iter()
            .filter(|r| r.text(1).is_ok_and(|due| *due < *today))
            .count();
        let all = all.first().and_then(|r| r.int(0).ok()).unwrap_or(0);
        [
            u64::try_from(all).unwrap_or(0),
            open.len() as u64,
            late as u64,
        ]
    }))
}

/// What is kept of the last run of the rules.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LastRun {
    /// When; the epoch when never.
    pub at: Instant,
    /// Users who are no citizens and not stopped.
    pub officers: i64,
    /// Of them, those whose own 宛名番号 is entered.
    pub linked: i64,
    /// Entered numbers that nobody in the register has.
    pub unknown: i64,
}

impl LastRun {
    /// How far the rules about the own record and relatives reach, in words.
    pub fn reach(&self) -> String {
        let known = format!(
            "本人の宛名番号の登録がある利用者 {}人（{}人のうち）",
            self.linked, self.officers
        );
        match self.unknown {
            0 => known,
            n => format!("{known}。登録された宛名番号のうち、住民記録にないもの {n}件"),
        }
    }
}

/// The last run of the rules.
pub(crate) async fn last_run(permit: &AuditPermit) -> Result<Hidden<LastRun>, GateError> {
    let sql = "SELECT run_at, officers, linked, unknown FROM audit_state WHERE one = 1";
    let rows = permit.rows(sql, vec![]).await?;
    Ok(rows.map(|rows| {
        let int = |at| rows.first().and_then(|r| r.int(at).ok()).unwrap_or(0);
        LastRun {
            at: Instant(int(0)),
            officers: int(1),
            linked: int(2),
            unknown: int(3),
        }
    }))
}

/// One alert with its answers.
pub(crate) async fn one(
    permit: &AuditPermit,
    id: &[u8; 16],
) -> Result<Hidden<(Option<Alert>, Vec<Given>)>, GateError> {
    let sql = format!("SELECT {COLUMNS} FROM audit_alert WHERE id = ?");
    let rows = permit.rows(&sql, vec![id.into()]).await?;
    let answers = permit
        .rows(
            "SELECT number, answer, words, reviewer, answered_at, looks, last_line FROM audit_answer WHERE alert = ? ORDER BY number",
            vec![id.into()],
        )
        .await?;
    Ok(rows.and(answers).map(|(rows, answers)| {
        (
            rows.first().and_then(alert),
            answers.iter().filter_map(given).collect(),
        )
    }))
}

/// A page of the lines that an alert counts, from 1, or the officer's lines of that day when an earlier version found it.
pub(crate) fn lines_of(alert: &Alert, page: u32, size: u32) -> Query {
    let at = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    if let Some(lines) = alert.lines.chunks(at(size)).nth(at(page - 1)) {
        return Query {
            lines: Some(lines.to_vec()),
            ..Query::default()
        };
    }
    let (from, until) = day_bounds(alert.day);
    Query {
        from: Some(from),
        until: Some(until),
        actor: Some(mimamori_kernel::id::UserId::from_bytes(alert.actor)),
        token: alert.subject,
        allowed: Some(true),
        ..Query::default()
    }
}

/// The writes of an answer; somebody else's answer, or more looks, in between make it fail.
pub(crate) fn answered(
    alert: &Alert,
    earlier: &[Given],
    answer: Answer,
    words: &str,
    due: Option<Date>,
    reviewer: &Visitor,
    at: Instant,
) -> Vec<Statement> {
    let number = earlier.iter().map(|g| g.number).max().unwrap_or(0) + 1;
    let given: Vec<Option<Answer>> = earlier.iter().map(|g| g.answer).collect();
    vec![
        Statement::expecting(
            "UPDATE audit_alert SET state = ?, due = ? WHERE id = ? AND state = ? AND looks = ? AND last_line = ?",
            vec![
                answer.state(&given).code().into(),
                due.unwrap_or(alert.due).to_string().into(),
                (&alert.id).into(),
                alert.state.as_str().into(),
                alert.looks.into(),
                alert.last.into(),
            ],
            1,
            "alert-state",
        ),
        Statement::new(
            "INSERT INTO audit_answer (alert, number, answer, words, reviewer, answered_at, looks, last_line) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            vec![
                (&alert.id).into(),
                number.into(),
                answer.code().into(),
                words.into(),
                reviewer.user.bytes().into(),
                at.0.into(),
                alert.looks.into(),
                alert.last.into(),
            ],
        ),
    ]
}
