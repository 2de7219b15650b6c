use mimamori_gate::{GateError, Hidden, OfficePermit, Record, Statement};
use mimamori_identity::{Period, Role};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{OrgId, RequestId, UserId};

use super::rule::Entry;
use crate::people::store::user;
use crate::request::State;

/// Columns of a list.
pub(crate) const COLUMNS: [&str; 10] = [
    "id",
    "org",
    "applicant",
    "reason",
    "refused",
    "proposed_by",
    "proposed_at",
    "state",
    "decided_by",
    "decided_at",
];
const ENTRY: [&str; 6] = ["login", "name", "role", "first_day", "last_day", "user_id"];

/// A staff list.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub id: RequestId,
    pub org: OrgId,
    pub applicant: String,
    pub reason: String,
    /// Rows that were left out.
    pub refused: i64,
    pub proposed_by: UserId,
    pub proposed_at: i64,
    pub state: State,
    pub decided_by: Option<UserId>,
    pub decided_at: Option<i64>,
}

impl Batch {
    pub fn read(record: &Record) -> Option<Self> {
        let bytes = |column| record.bytes(column)?.try_into().ok();
        let state = record.text("state")?;
        Some(Self {
            id: RequestId::from_bytes(bytes("id")?),
            org: OrgId::from_bytes(bytes("org")?),
            applicant: record.text("applicant")?.to_owned(),
            reason: record.text("reason")?.to_owned(),
            refused: record.int("refused")?,
            proposed_by: user(record, "proposed_by")?,
            proposed_at: record.int("proposed_at")?,
            state: State::ALL.into_iter().find(|s| s.code() == state)?,
            decided_by: user(record, "decided_by"),
            decided_at: record.int("decided_at"),
        })
    }

    /// The writes of a new list.
    pub fn write(&self, entries: &[Entry]) -> Vec<Statement> {
        let day = |day: Option<jiff::civil::Date>| day.map_or_else(String::new, |d| d.to_string());
        let mut out = vec![Statement::new(
            "INSERT INTO operations_batch (id, org, applicant, reason, refused, proposed_by, proposed_at, state, decided_by, decided_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)",
            vec![
                self.id.bytes().into(),
                self.org.bytes().into(),
                self.applicant.as_str().into(),
                self.reason.as_str().into(),
                self.refused.into(),
                self.proposed_by.bytes().into(),
                self.proposed_at.into(),
                self.state.code().into(),
            ],
        )];
        out.extend(entries.iter().zip(1i64..).map(|(e, number)| {
            Statement::new(
                "INSERT INTO operations_batch_entry (batch, number, login, name, role, first_day, last_day, user_id) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
                vec![
                    self.id.bytes().into(),
                    number.into(),
                    e.login.as_str().into(),
                    e.name.as_str().into(),
                    e.role.code().into(),
                    day(e.period.from).into(),
                    day(e.period.until).into(),
                ],
            )
        }));
        out
    }

    /// The write that settles it; somebody else's earlier decision is a conflict.
    pub fn settle(&self, to: State, by: UserId, now: Instant) -> Statement {
        Statement::expecting(
            "UPDATE operations_batch SET state = ?, decided_by = ?, decided_at = ? WHERE id = ? AND state = 'waiting'",
            vec![
                to.code().into(),
                by.bytes().into(),
                now.0.into(),
                self.id.bytes().into(),
            ],
            1,
            "request-decided",
        )
    }

    /// The write that says which account an entry, from 1, became.
    pub fn became(&self, number: i64, user: UserId) -> Statement {
        Statement::new(
            "UPDATE operations_batch_entry SET user_id = ? WHERE batch = ? AND number = ?",
            vec![user.bytes().into(), self.id.bytes().into(), number.into()],
        )
    }
}

fn entry(record: &Record) -> Option<(Entry, Option<UserId>)> {
    let day = |column| record.text(column).and_then(|t| t.parse().ok());
    let entry = Entry {
        login: record.text("login")?.to_owned(),
        name: record.text("name")?.to_owned(),
        role: Role::from_code(record.text("role")?)?,
        period: Period {
            from: day("first_day"),
            until: day("last_day"),
        },
    };
    Some((entry, user(record, "user_id")))
}

/// People of a list, and the account of each that was registered.
pub(crate) type Entries = Vec<(Entry, Option<UserId>)>;

/// A list with its people, before it is shown.
pub(crate) async fn one(
    permit: &OfficePermit,
    id: RequestId,
) -> Result<Hidden<(Option<Batch>, Entries)>, GateError> {
    let args = || vec![id.bytes().into()];
    let batch = permit
        .fetch("operations_batch", &COLUMNS, "id = ?", args())
        .await?;
    let entries = permit
        .fetch(
            "operations_batch_entry",
            &ENTRY,
            "batch = ? ORDER BY number",
            args(),
        )
        .await?;
    Ok(batch.and(entries).map(|(batch, entries)| {
        (
            batch.first().and_then(Batch::read),
            entries.iter().filter_map(entry).collect(),
        )
    }))
}
