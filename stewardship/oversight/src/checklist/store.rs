use mimamori_gate::{GateError, Hidden, OfficePermit, Record, Statement};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::UserId;

use crate::sheet::CaseId;
use crate::sheet::store::bytes;

/// The answer to one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Id of the line.
    pub line: String,
    /// ○ (対策が可能), or - (必要がない).
    pub possible: bool,
    /// What shows it.
    pub evidence: String,
    /// Who answered.
    pub answered_by: UserId,
    /// When, microseconds.
    pub answered_at: i64,
    /// Who looked at it.
    pub reviewed_by: Option<UserId>,
    /// When; 0 before.
    pub reviewed_at: i64,
}

const COLUMNS: [&str; 7] = [
    "line",
    "answer",
    "evidence",
    "answered_by",
    "answered_at",
    "reviewed_by",
    "reviewed_at",
];

impl Answer {
    fn read(record: &Record) -> Option<Self> {
        Some(Self {
            line: record.text("line")?.to_owned(),
            possible: record.text("answer")? == "possible",
            evidence: record.text("evidence")?.to_owned(),
            answered_by: UserId::from_bytes(bytes(record, "answered_by")?),
            answered_at: record.int("answered_at")?,
            reviewed_by: bytes(record, "reviewed_by").map(UserId::from_bytes),
            reviewed_at: record.int("reviewed_at")?,
        })
    }

    /// The sign on the paper.
    pub fn sign(&self) -> &'static str {
        if self.possible { "○" } else { "-" }
    }

    /// The write; a new answer has to be reviewed anew.
    pub fn write(&self, case: CaseId) -> Statement {
        let code = if self.possible { "possible" } else { "no-need" };
        Statement::new(
            "INSERT INTO oversight_answer (case_id, line, answer, evidence, answered_by, answered_at, reviewed_by, reviewed_at) \
             VALUES (?, ?, ?, ?, ?, ?, NULL, 0) ON CONFLICT (case_id, line) DO UPDATE SET answer = excluded.answer, \
             evidence = excluded.evidence, answered_by = excluded.answered_by, answered_at = excluded.answered_at, \
             reviewed_by = NULL, reviewed_at = 0",
            vec![
                case.bytes().into(),
                self.line.as_str().into(),
                code.into(),
                self.evidence.as_str().into(),
                self.answered_by.bytes().into(),
                self.answered_at.into(),
            ],
        )
    }

    /// The write of a review of exactly this answer; a newer answer is a conflict.
    pub fn review(&self, case: CaseId, by: UserId, now: Instant) -> Statement {
        Statement::expecting(
            "UPDATE oversight_answer SET reviewed_by = ?, reviewed_at = ? WHERE case_id = ? AND line = ? AND answered_at = ? AND reviewed_at = 0",
            vec![
                by.bytes().into(),
                now.0.into(),
                case.bytes().into(),
                self.line.as_str().into(),
                self.answered_at.into(),
            ],
            1,
            "answer-changed",
        )
    }
}

/// All answers of a case.
pub(crate) async fn answers(
    permit: &OfficePermit,
    case: CaseId,
) -> Result<Hidden<Vec<Answer>>, GateError> {
    let args = vec![case.bytes().into()];
    let rows = permit
        .fetch(
            "oversight_answer",
            &COLUMNS,
            "case_id = ? ORDER BY line",
            args,
        )
        .await?;
    Ok(rows.map(|rows| rows.iter().filter_map(Answer::read).collect()))
}
