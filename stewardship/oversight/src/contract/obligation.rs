//! Obligations in their table.

use jiff::civil::Date;
use mimamori_gate::{GateError, Hidden, OfficePermit, Record, Statement};
use mimamori_identity::{Contract, last_day};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{ContractId, OrgId, RequestId, UserId};
use mimamori_kernel::random::Random;

use super::clause::{Clause, Word, all, find};
use super::due::{Span, Spans, Urgency, first};
use super::store::Entry;
use crate::sheet::store::bytes;

/// One thing that is owed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obligation {
    /// Id.
    pub id: RequestId,
    /// Contract.
    pub contract: ContractId,
    /// Number of the clause.
    pub clause: i64,
    /// Why it is owed: 契約 for what the contract itself brings, else what happened.
    pub cause: String,
    /// Due day.
    pub due: Date,
    /// What proves it; empty before.
    pub evidence: String,
    /// Day on which it was done, ISO; empty before.
    pub done: String,
    /// Who recorded that.
    pub done_by: Option<UserId>,
    /// When; 0 before.
    pub done_at: i64,
}

const COLUMNS: [&str; 9] = [
    "id", "contract", "clause", "cause", "due", "evidence", "done", "done_by", "done_at",
];

/// The cause of what the contract itself brings.
const BY_CONTRACT: &str = "契約";

impl Obligation {
    /// A new one.
    pub fn new(
        contract: ContractId,
        clause: i64,
        cause: &str,
        due: Date,
        random: &dyn Random,
    ) -> Self {
        Self {
            id: RequestId::random(random),
            contract,
            clause,
            cause: cause.to_owned(),
            due,
            evidence: String::new(),
            done: String::new(),
            done_by: None,
            done_at: 0,
        }
    }

    fn read(record: &Record) -> Option<Self> {
        Some(Self {
            id: RequestId::from_bytes(bytes(record, "id")?),
            contract: ContractId::from_bytes(bytes(record, "contract")?),
            clause: record.int("clause")?,
            cause: record.text("cause")?.to_owned(),
            due: record.text("due")?.parse().ok()?,
            evidence: record.text("evidence")?.to_owned(),
            done: record.text("done")?.to_owned(),
            done_by: bytes(record, "done_by").map(UserId::from_bytes),
            done_at: record.int("done_at")?,
        })
    }

    /// The write of a new one.
    pub fn write(&self) -> Statement {
        Statement::new(
            "INSERT INTO oversight_obligation (id, contract, clause, cause, due, evidence, done, done_by, done_at) \
             VALUES (?, ?, ?, ?, ?, '', '', NULL, 0)",
            vec![
                self.id.bytes().into(),
                self.contract.bytes().into(),
                self.clause.into(),
                self.cause.as_str().into(),
                self.due.to_string().into(),
            ],
        )
    }

    /// The write that says it was done; somebody's earlier word is a conflict.
    pub fn finish(&self, day: Date, evidence: &str, by: UserId, now: Instant) -> Statement {
        Statement::expecting(
            "UPDATE oversight_obligation SET evidence = ?, done = ?, done_by = ?, done_at = ? WHERE id = ? AND done_at = 0",
            vec![
                evidence.into(),
                day.to_string().into(),
                by.bytes().into(),
                now.0.into(),
                self.id.bytes().into(),
            ],
            1,
            "obligation-done",
        )
    }

    /// How near it is; none when it was done.
    pub fn urgency(&self, clause: &Clause, today: Date) -> Option<Urgency> {
        (self.done_at == 0).then(|| Urgency::of(clause, self.due, today))
    }
}

/// Obligations of one contract, by clause and due day.
pub(crate) async fn of_contract(
    permit: &OfficePermit,
    contract: ContractId,
) -> Result<Hidden<Vec<Obligation>>, GateError> {
    let args = vec![contract.bytes().into()];
    let filter = "contract = ? ORDER BY clause, due, id";
    let rows = permit
        .fetch("oversight_obligation", &COLUMNS, filter, args)
        .await?;
    Ok(rows.map(|rows| rows.iter().filter_map(Obligation::read).collect()))
}

/// What is open in all contracts, the next due first; 500 at most.
pub(crate) async fn open(permit: &OfficePermit) -> Result<Hidden<Vec<Obligation>>, GateError> {
    let filter = "done_at = 0 ORDER BY due, clause, id LIMIT 500";
    let rows = permit
        .fetch("oversight_obligation", &COLUMNS, filter, vec![])
        .await?;
    Ok(rows.map(|rows| rows.iter().filter_map(Obligation::read).collect()))
}

/// One obligation.
pub(crate) async fn one(
    permit: &OfficePermit,
    id: RequestId,
) -> Result<Hidden<Option<Obligation>>, GateError> {
    let args = vec![id.bytes().into()];
    let rows = permit
        .fetch("oversight_obligation", &COLUMNS, "id = ?", args)
        .await?;
    Ok(rows.map(|rows| rows.first().and_then(Obligation::read)))
}

/// What a contract brings from its first day: the writes when it enters the register.
pub fn opening(
    entry: &Entry,
    contract: &Contract,
    spans: Spans,
    random: &dyn Random,
) -> Vec<Statement> {
    let from = last_day(contract.from + 1);
    let started = entry.started.parse().unwrap_or(from);
    let until = last_day(contract.until);
    let mut out = Vec::new();
    for clause in all(entry.variant) {
        for due in first(clause, started, until, spans) {
            let one = Obligation::new(entry.contract, clause.number, BY_CONTRACT, due, random);
            out.push(one.write());
        }
    }
    out
}

/// The town's spans of the words; the assumed ones where nothing was set.
pub(crate) async fn spans(permit: &OfficePermit) -> Result<Hidden<Spans>, GateError> {
    let names = ["word", "days", "office"];
    let rows = permit
        .fetch("oversight_span", &names, "1 = 1", vec![])
        .await?;
    Ok(rows.map(|rows| {
        let mut spans = Spans::default();
        for (word, span) in Word::ALL.into_iter().zip(&mut spans.0) {
            let found = rows.iter().find(|r| r.text("word") == Some(word.code()));
            if let Some(row) = found {
                *span = Span {
                    days: row.int("days").unwrap_or(span.days),
                    office: row.int("office") == Some(1),
                };
            }
        }
        spans
    }))
}

/// The write of a word's span.
pub(crate) fn set_span(word: Word, span: Span) -> Statement {
    Statement::new(
        "INSERT INTO oversight_span (word, days, office) VALUES (?, ?, ?) \
         ON CONFLICT (word) DO UPDATE SET days = excluded.days, office = excluded.office",
        vec![word.code().into(), span.days.into(), span.office.into()],
    )
}

/// A certification of a partner (プライバシーマーク, ISO27001; S0-52).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certification {
    /// Id.
    pub id: RequestId,
    /// Partner.
    pub org: OrgId,
    /// Name.
    pub name: String,
    /// Number.
    pub number: String,
    /// Last day.
    pub until: Date,
    /// Who entered it.
    pub entered_by: UserId,
    /// When, microseconds.
    pub entered_at: i64,
}

const CERTIFICATION: [&str; 7] = [
    "id",
    "org",
    "name",
    "number",
    "until_day",
    "entered_by",
    "entered_at",
];

impl Certification {
    fn read(record: &Record) -> Option<Self> {
        Some(Self {
            id: RequestId::from_bytes(bytes(record, "id")?),
            org: OrgId::from_bytes(bytes(record, "org")?),
            name: record.text("name")?.to_owned(),
            number: record.text("number")?.to_owned(),
            until: record.text("until_day")?.parse().ok()?,
            entered_by: UserId::from_bytes(bytes(record, "entered_by")?),
            entered_at: record.int("entered_at")?,
        })
    }

    /// The write of a new one.
    pub fn write(&self) -> Statement {
        Statement::new(
            "INSERT INTO oversight_certification (id, org, name, number, until_day, entered_by, entered_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            vec![
                self.id.bytes().into(),
                self.org.bytes().into(),
                self.name.as_str().into(),
                self.number.as_str().into(),
                self.until.to_string().into(),
                self.entered_by.bytes().into(),
                self.entered_at.into(),
            ],
        )
    }

    /// How near its end is: 60 days before it asks for the renewal (想定).
    pub fn badge(&self, today: Date) -> (&'static str, &'static str) {
        use jiff::ToSpan as _;
        match () {
            () if self.until < today => ("danger", "期限切れ"),
            () if self.until <= today.saturating_add(60.days()) => ("warning", "60日以内に期限"),
            () => ("success", "有効"),
        }
    }
}

/// All certifications, the latest end of each name first.
pub(crate) async fn certifications(
    permit: &OfficePermit,
) -> Result<Hidden<Vec<Certification>>, GateError> {
    let filter = "1 = 1 ORDER BY org, name, until_day DESC, entered_at DESC LIMIT 500";
    let rows = permit
        .fetch("oversight_certification", &CERTIFICATION, filter, vec![])
        .await?;
    Ok(rows.map(|rows| {
        let mut out: Vec<Certification> = Vec::new();
        for one in rows.iter().filter_map(Certification::read) {
            // A renewal takes the place of the one before it.
            if !out.iter().any(|o| o.org == one.org && o.name == one.name) {
                out.push(one);
            }
        }
        out
    }))
}

/// The clause of an obligation of an entry.
pub(crate) fn clause_of(entry: &Entry, obligation: &Obligation) -> Option<&'static Clause> {
    find(entry.variant, obligation.clause)
}
