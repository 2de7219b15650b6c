use jiff::civil::Date;
use mimamori_gate::{Record, Statement, Value};
use mimamori_identity::{DesignationDays, Mark, Period, Role, Scope, Terms, Ties};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{OrgId, RequestId, UserId};

use super::rule::{Asked, Request, State};

/// Columns of a request.
pub(crate) const COLUMNS: [&str; 19] = [
    "id",
    "kind",
    "user_id",
    "org",
    "role",
    "first_day",
    "last_day",
    "read_mask",
    "write_mask",
    "subject",
    "purposes",
    "classes",
    "checked",
    "own_number",
    "household_numbers",
    "reason",
    "proposed_by",
    "proposed_at",
    "state",
];

fn text(day: Option<Date>) -> Value {
    day.map_or_else(String::new, |d| d.to_string()).into()
}

fn bytes(record: &Record, column: &str) -> Option<[u8; 16]> {
    record.bytes(column)?.try_into().ok()
}

fn bits(record: &Record, column: &str) -> Option<u32> {
    u32::try_from(record.int(column)?).ok()
}

fn ties(record: &Record) -> Ties {
    let numbers = |column| {
        let text = record.text(column).unwrap_or("");
        text.split(' ').filter(|n| !n.is_empty()).map(str::to_owned)
    };
    Ties {
        own: numbers("own_number").next(),
        household: numbers("household_numbers").collect(),
    }
}

fn asked(record: &Record) -> Option<Asked> {
    let user = || bytes(record, "user_id").map(UserId::from_bytes);
    let day = |column| record.text(column).and_then(|t| t.parse::<Date>().ok());
    Some(match record.text("kind")? {
        "role" => Asked::Role {
            user: user()?,
            role: Role::from_code(record.text("role")?)?,
            period: Period {
                from: day("first_day"),
                until: day("last_day"),
            },
            ties: ties(record),
        },
        "resident" => Asked::Resident {
            user: user()?,
            ties: ties(record),
        },
        "scope" => Asked::Scope {
            user: user()?,
            scope: Scope {
                read: bits(record, "read_mask")?,
                write: bits(record, "write_mask")?,
            },
        },
        "leave" => Asked::Leave { user: user()? },
        "handler" => Asked::Handler {
            user: user()?,
            days: DesignationDays {
                from: day("first_day")?,
                until: day("last_day")?,
                trained: day("checked")?,
            },
        },
        "terminal" => Asked::Terminal {
            mark: Mark::parse(record.text("checked")?)?,
            name: record.text("subject")?.to_owned(),
            place: record.text("purposes")?.to_owned(),
        },
        "password" => Asked::Password {
            user: user()?,
            checked: record.text("checked")?.to_owned(),
        },
        "contract" => Asked::Contract {
            org: OrgId::from_bytes(bytes(record, "org")?),
            subject: record.text("subject")?.to_owned(),
            terms: Terms {
                purposes: record
                    .text("purposes")?
                    .split(',')
                    .map(str::to_owned)
                    .collect(),
                classes: bits(record, "classes")?,
            },
            days: (day("first_day")?, day("last_day")?),
        },
        _ => return None,
    })
}

impl Request {
    /// Reads a row; none when this program does not know its kind.
    pub(crate) fn read(record: &Record) -> Option<Self> {
        let state = record.text("state")?;
        Some(Self {
            id: RequestId::from_bytes(bytes(record, "id")?),
            asked: asked(record)?,
            reason: record.text("reason")?.to_owned(),
            proposed_by: UserId::from_bytes(bytes(record, "proposed_by")?),
            proposed_at: record.int("proposed_at")?,
            state: State::ALL.into_iter().find(|s| s.code() == state)?,
        })
    }

    /// The write of a new request.
    pub(crate) fn write(&self) -> Statement {
        let (no_days, no_scope) = ((None, None), Scope { read: 0, write: 0 });
        let (kind, user, org, role, days, scope) = match &self.asked {
            Asked::Resident { user, .. } => ("resident", Some(*user), None, "", no_days, no_scope),
            Asked::Role {
                user, role, period, ..
            } => {
                let days = (period.from, period.until);
                ("role", Some(*user), None, role.code(), days, no_scope)
            }
            Asked::Scope { user, scope } => ("scope", Some(*user), None, "", no_days, *scope),
            Asked::Leave { user } => ("leave", Some(*user), None, "", no_days, no_scope),
            Asked::Password { user, .. } => ("password", Some(*user), None, "", no_days, no_scope),
            Asked::Handler { user, days } => {
                let days = (Some(days.from), Some(days.until));
                ("handler", Some(*user), None, "", days, no_scope)
            }
            Asked::Terminal { .. } => ("terminal", None, None, "", no_days, no_scope),
            Asked::Contract { org, days, .. } => {
                let days = (Some(days.0), Some(days.1));
                ("contract", None, Some(*org), "", days, no_scope)
            }
        };
        let (subject, purposes, classes) = match &self.asked {
            Asked::Contract { subject, terms, .. } => {
                (subject.clone(), terms.purposes.join(","), terms.classes)
            }
            Asked::Terminal { name, place, .. } => (name.clone(), place.clone(), 0),
            _ => (String::new(), String::new(), 0),
        };
        let ties = match &self.asked {
            Asked::Role { ties, .. } | Asked::Resident { ties, .. } => ties.clone(),
            _ => Ties::default(),
        };
        let checked = match &self.asked {
            Asked::Password { checked, .. } => checked.clone(),
            // Day of the training, mark of the terminal: what the approver compares.
            Asked::Handler { days, .. } => days.trained.to_string(),
            Asked::Terminal { mark, .. } => mark.text(),
            _ => String::new(),
        };
        Statement::new(
            "INSERT INTO operations_request (id, kind, user_id, org, role, first_day, last_day, read_mask, write_mask, \
             subject, purposes, classes, checked, own_number, household_numbers, reason, proposed_by, proposed_at, state, \
             decided_by, decided_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)",
            vec![
                self.id.bytes().into(),
                kind.into(),
                user.map_or(Value::NullBytes, |u: UserId| u.bytes().into()),
                org.map_or(Value::NullBytes, |o: OrgId| o.bytes().into()),
                role.into(),
                text(days.0),
                text(days.1),
                scope.read.into(),
                scope.write.into(),
                subject.into(),
                purposes.into(),
                classes.into(),
                checked.into(),
                ties.own.unwrap_or_default().into(),
                ties.household.join(" ").into(),
                self.reason.as_str().into(),
                self.proposed_by.bytes().into(),
                self.proposed_at.into(),
                self.state.code().into(),
            ],
        )
    }

    /// The write that settles it and forgets the numbers it carried; somebody else's earlier
    /// decision is a conflict.
    pub(crate) fn settle(&self, to: State, by: UserId, now: Instant) -> Statement {
        Statement::expecting(
            "UPDATE operations_request SET state = ?, decided_by = ?, decided_at = ?, own_number = '', household_numbers = '' \
             WHERE id = ? AND state = 'waiting'",
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
}

/// The write that settles what still waits for a user who was ended.
pub(crate) fn close_all_of(user: UserId, by: UserId, now: Instant) -> Statement {
    Statement::new(
        "UPDATE operations_request SET state = CASE WHEN kind = 'leave' THEN 'approved' ELSE 'declined' END, \
         decided_by = ?, decided_at = ?, own_number = '', household_numbers = '' WHERE user_id = ? AND state = 'waiting'",
        vec![by.bytes().into(), now.0.into(), user.bytes().into()],
    )
}
