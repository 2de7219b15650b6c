use mimamori_gate::{GateError, Hidden, OfficePermit, Record, Statement};
use mimamori_kernel::id::UserId;

use crate::sheet::store::{COLUMNS as VERSION, TABLE, bytes, versions};
use crate::sheet::{CaseId, Version};

/// A legal ground, the old ordinance beside the rule of today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// What it is the ground of.
    pub matter: String,
    /// Clause of the old ordinance.
    pub old_clause: String,
    /// Clause of today.
    pub clause: String,
}

/// An earlier decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// Meeting.
    pub meeting: String,
    /// Decision.
    pub decision: String,
}

/// A case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Id.
    pub id: CaseId,
    /// 件名.
    pub subject: String,
    /// Council.
    pub meeting: String,
    /// 担当部課.
    pub owners: String,
    /// Who entered it.
    pub entered_by: UserId,
    /// When, microseconds.
    pub entered_at: i64,
    /// Legal grounds.
    pub grounds: Vec<Ground>,
    /// Earlier decisions.
    pub history: Vec<Past>,
}

const COLUMNS: [&str; 6] = [
    "id",
    "subject",
    "meeting",
    "owners",
    "entered_by",
    "entered_at",
];

impl Case {
    /// Reads a row of the list, without grounds and history.
    fn read(record: &Record) -> Option<Self> {
        Some(Self {
            id: CaseId::from_bytes(bytes(record, "id")?),
            subject: record.text("subject")?.to_owned(),
            meeting: record.text("meeting")?.to_owned(),
            owners: record.text("owners")?.to_owned(),
            entered_by: UserId::from_bytes(bytes(record, "entered_by")?),
            entered_at: record.int("entered_at")?,
            grounds: vec![],
            history: vec![],
        })
    }

    /// Grounds of today in one line.
    pub fn ground_words(&self) -> String {
        let mut out: Vec<&str> = Vec::new();
        for ground in &self.grounds {
            if !out.contains(&ground.clause.as_str()) {
                out.push(&ground.clause);
            }
        }
        out.join("、")
    }

    /// The writes of a new case.
    pub fn write(&self) -> Vec<Statement> {
        let id = || self.id.bytes().into();
        let mut out = vec![Statement::new(
            "INSERT INTO oversight_case (id, subject, meeting, owners, entered_by, entered_at) VALUES (?, ?, ?, ?, ?, ?)",
            vec![
                id(),
                self.subject.as_str().into(),
                self.meeting.as_str().into(),
                self.owners.as_str().into(),
                self.entered_by.bytes().into(),
                self.entered_at.into(),
            ],
        )];
        for (number, ground) in (1i64..).zip(&self.grounds) {
            out.push(Statement::new(
                "INSERT INTO oversight_ground (case_id, number, matter, old_clause, clause) VALUES (?, ?, ?, ?, ?)",
                vec![
                    id(),
                    number.into(),
                    ground.matter.as_str().into(),
                    ground.old_clause.as_str().into(),
                    ground.clause.as_str().into(),
                ],
            ));
        }
        for (number, past) in (1i64..).zip(&self.history) {
            out.push(Statement::new(
                "INSERT INTO oversight_history (case_id, number, meeting, decision) VALUES (?, ?, ?, ?)",
                vec![
                    id(),
                    number.into(),
                    past.meeting.as_str().into(),
                    past.decision.as_str().into(),
                ],
            ));
        }
        out
    }
}

/// All cases, the newest first.
pub(crate) async fn cases(permit: &OfficePermit) -> Result<Hidden<Vec<Case>>, GateError> {
    let filter = "1 = 1 ORDER BY entered_at DESC, id LIMIT 200";
    let rows = permit
        .fetch("oversight_case", &COLUMNS, filter, vec![])
        .await?;
    Ok(rows.map(|rows| rows.iter().filter_map(Case::read).collect()))
}

/// The grounds of today of the case with this filter on `case_id`, in words.
pub(crate) fn grounds(rows: &[Record]) -> Vec<Ground> {
    let text = |r: &Record, column| r.text(column).unwrap_or_default().to_owned();
    let ground = |r: &Record| Ground {
        matter: text(r, "matter"),
        old_clause: text(r, "old_clause"),
        clause: text(r, "clause"),
    };
    rows.iter().map(ground).collect()
}

/// Columns of a ground.
pub(crate) const GROUND: [&str; 3] = ["matter", "old_clause", "clause"];

/// One case with all versions of its sheets, the newest first.
pub(crate) async fn whole(
    permit: &OfficePermit,
    case: CaseId,
) -> Result<Hidden<Option<(Case, Vec<Version>)>>, GateError> {
    let args = || vec![case.bytes().into()];
    let head = permit
        .fetch("oversight_case", &COLUMNS, "id = ?", args())
        .await?;
    let filter = "case_id = ? ORDER BY number";
    let found = permit
        .fetch("oversight_ground", &GROUND, filter, args())
        .await?;
    let past = ["meeting", "decision"];
    let history = permit
        .fetch("oversight_history", &past, filter, args())
        .await?;
    let rows = permit
        .fetch(
            TABLE,
            &VERSION,
            "case_id = ? ORDER BY sheet, number DESC",
            args(),
        )
        .await?;
    let all = head.and(found).and(history).and(rows);
    Ok(all.map(|(((head, found), history), rows)| {
        let case = head.first().and_then(Case::read)?;
        let text = |r: &Record, column| r.text(column).unwrap_or_default().to_owned();
        let past = |r: &Record| Past {
            meeting: text(r, "meeting"),
            decision: text(r, "decision"),
        };
        let case = Case {
            grounds: grounds(&found),
            history: history.iter().map(past).collect(),
            ..case
        };
        Some((case, versions(&rows)?))
    }))
}
