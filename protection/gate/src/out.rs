//! Counted ways out on site: paper and files that leave a screen (S1-53, S4-92).
//!
//! Each one is counted for its user and office day in `gate_out`, in the transaction of its line;
//! what would pass the day's cap does not leave.

use mimamori_identity::Visitor;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::UserId;
use mimamori_storage::{Migration, Row, Statement};
use mimamori_trace::{Act, Decision, TraceError};

use crate::case::office_day_number;
use crate::decide::{Action, Gate};
use crate::error::{GateError, Refused};

/// What each user took out on each office day.
pub(crate) const OUT: Migration = Migration {
    id: "gate-0004",
    ddl: "
CREATE TABLE gate_out (
  taker {blob} NOT NULL,
  day {int} NOT NULL,
  documents {int} NOT NULL,
  records {int} NOT NULL,
  PRIMARY KEY (taker, day)) {clustered};
CREATE INDEX gate_out_day ON gate_out (day);
",
};

/// What one user may take out on one office day; a setting of the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DailyCap {
    /// Prints and files.
    pub documents: u32,
    /// Persons (for lines of the trace: lines) in them, all together.
    pub records: u32,
}

impl Default for DailyCap {
    /// 想定: a year's batch of cards (5,000) and the day's own work fit in.
    fn default() -> Self {
        Self {
            documents: 200,
            records: 6000,
        }
    }
}

/// What one user took out on one office day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    /// Prints and files.
    pub documents: u32,
    /// Persons or lines in them.
    pub records: u32,
}

impl Taken {
    /// Reads the two counts from `column` on.
    pub(crate) fn read(row: &Row, column: usize) -> Result<Self, GateError> {
        let count = |at| Ok::<_, GateError>(u32::try_from(row.int(at)?).unwrap_or(u32::MAX));
        Ok(Self {
            documents: count(column)?,
            records: count(column + 1)?,
        })
    }
}

const SPENT: &str = "ways-out";
/// Word in a refusal's line: the verification was too old, or there was none.
pub(crate) const STEP_UP: &str = "step-up";

impl Gate {
    /// The cap of every user's day.
    pub fn daily_cap(&self) -> DailyCap {
        self.daily
    }

    /// What `user` took out on the office day of `at`.
    pub async fn taken(&self, user: &UserId, at: Instant) -> Result<Taken, GateError> {
        let sql = "SELECT documents, records FROM gate_out WHERE taker = ? AND day = ?";
        let args = vec![user.bytes().into(), office_day_number(at).into()];
        let row = self.db.fetch_one(sql, args).await?;
        row.map_or_else(|| Ok(Taken::default()), |row| Taken::read(&row, 0))
    }

    /// Records the line of something that leaves, counts it and gives the stamp.
    ///
    /// Errors: [`GateError::Refused`] beyond the day's cap, after the refusal's line; nothing of
    /// `line` is done then.
    pub(crate) async fn record_out(
        &self,
        visitor: &Visitor,
        mut line: Act,
        records: u32,
        at: Instant,
    ) -> Result<Stamp, GateError> {
        let refusal = Act {
            decision: Decision::Refused,
            policy: "daily-cap".into(),
            shown: vec![],
            changes: vec![],
            touches_subjects: false,
            touches_accounts: false,
            ..line.clone()
        };
        if self.stale(visitor) {
            let policy = STEP_UP.into();
            self.trace.record(Act { policy, ..refusal }).await?;
            return Err(GateError::StepUp);
        }
        let taken = self.taken(&visitor.user, at).await?;
        let fits = taken.documents < self.daily.documents
            && taken.records.saturating_add(records) <= self.daily.records;
        if fits {
            line.changes.push(self.count(visitor, records, at));
            match self.trace.record(line).await {
                Ok(receipt) => return Ok(Stamp::new(visitor, receipt.line(), records, at)),
                // Another print of the same user came first.
                Err(TraceError::Conflict { what: SPENT }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.trace.record(refusal).await?;
        let taken = self.taken(&visitor.user, at).await?;
        Err(GateError::Refused(self.spent(taken, records)))
    }

    /// The write that counts; it meets no row when the cap would be passed.
    fn count(&self, visitor: &Visitor, records: u32, at: Instant) -> Statement {
        Statement::expecting(
            "INSERT INTO gate_out (taker, day, documents, records) VALUES (?, ?, 1, ?) \
             ON CONFLICT (taker, day) DO UPDATE SET documents = gate_out.documents + 1, \
             records = gate_out.records + excluded.records \
             WHERE gate_out.documents < ? AND gate_out.records + excluded.records <= ?",
            vec![
                visitor.user.bytes().into(),
                office_day_number(at).into(),
                records.into(),
                self.daily.documents.into(),
                self.daily.records.into(),
            ],
            1,
            SPENT,
        )
    }

    fn spent(&self, taken: Taken, records: u32) -> Refused {
        let DailyCap {
            documents,
            records: most,
        } = self.daily;
        Refused {
            sentence: format!(
                "印刷とファイルの出力は、1人の利用者につき1日{documents}回・{most}件までです（想定）。\
                 きょうは{}回・{}件を出力しました。この出力は{records}件です。",
                taken.documents, taken.records
            ),
            clauses: vec![self.rules().basis("S4-92")],
            policy: "daily-cap".into(),
        }
    }
}

/// Who took out what and when; stands on every page of a print and in the last row of a file, so
/// that a sheet found later leads to its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Line of the trace; the running number of the output.
    pub line: u64,
    /// Persons in it.
    pub persons: u32,
    /// Organisation and user.
    pub taken_by: String,
    /// Time in the office zone, to the minute.
    pub taken_at: String,
}

impl Stamp {
    pub(crate) fn new(visitor: &Visitor, line: u64, persons: u32, at: Instant) -> Self {
        Self {
            line,
            persons,
            taken_by: format!("{} {}", visitor.org_name, visitor.name),
            taken_at: at.office().strftime("%Y-%m-%d %H:%M").to_string(),
        }
    }
}

impl std::fmt::Display for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            line,
            persons,
            taken_by,
            taken_at,
        } = self;
        write!(f, "出力番号 {line}　{persons}人　{taken_by}　{taken_at}")
    }
}

pub(crate) fn on_screen(action: Action) -> Result<(), GateError> {
    match action.cap() {
        None => Ok(()),
        Some(_) => Err(GateError::Rules(format!("{} is a way out", action.code()))),
    }
}

pub(crate) fn within_cap(action: Action, persons: u32) -> Result<(), GateError> {
    match action.cap() {
        Some(cap) if persons <= cap => Ok(()),
        Some(cap) => Err(GateError::TooMany { cap }),
        None => Err(GateError::Rules(format!("{} is no way out", action.code()))),
    }
}
