//! What an auditor reads: lines of many persons and officers, counts of a period, signed reports.

use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{OrgId, UserId};
use mimamori_storage::{StorageError, Value};

use crate::act::TraceError;
use crate::committer::Trace;
use crate::leaf::Token;
use crate::reader::{LineView, VIEW, view};

/// First line of a signed report; a checkpoint begins with the signer's name instead, so that
/// neither can be taken for the other.
pub const REPORT: &str = "mimamori-report-1";

/// Which lines; every condition that is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// At this time or later.
    pub from: Option<Instant>,
    /// Before this time.
    pub until: Option<Instant>,
    /// By this user.
    pub actor: Option<UserId>,
    /// From one of these organisations.
    pub orgs: Option<Vec<OrgId>>,
    /// Role code.
    pub role: Option<String>,
    /// `noun.verb`.
    pub action: Option<String>,
    /// Purpose code.
    pub purpose: Option<String>,
    /// Allowed, or refused.
    pub allowed: Option<bool>,
    /// On this person; found once the line's leaves are in the tree, about a second later.
    pub token: Option<Token>,
    /// This line alone.
    pub line: Option<u64>,
    /// These lines alone; a page of them.
    pub lines: Option<Vec<u64>>,
}

/// Lines of one action in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// `noun.verb`.
    pub action: String,
    /// Allowed or refused.
    pub allowed: bool,
    /// Number of lines.
    pub lines: u64,
}

fn number(line: u64) -> Value {
    i64::try_from(line).unwrap_or(i64::MAX).into()
}

impl Query {
    /// `FROM` and `WHERE` with their values.
    fn sql(&self) -> (String, Vec<Value>) {
        let mut args: Vec<Value> = Vec::new();
        let mut sql = match &self.token {
            Some(token) => {
                args.push((&token.0).into());
                "FROM trace_leaf f JOIN trace_line l ON l.line = f.line WHERE f.token = ?"
            }
            None => "FROM trace_line l WHERE 1 = 1",
        }
        .to_owned();
        let mut add = |part: &str, value: Option<Value>| {
            if let Some(value) = value {
                sql.push_str(part);
                args.push(value);
            }
        };
        add(" AND l.line = ?", self.line.map(number));
        add(" AND l.time >= ?", self.from.map(|t| t.0.into()));
        add(" AND l.time < ?", self.until.map(|t| t.0.into()));
        add(" AND l.actor = ?", self.actor.map(|a| a.bytes().into()));
        add(" AND l.role = ?", self.role.clone().map(Value::Text));
        add(" AND l.action = ?", self.action.clone().map(Value::Text));
        add(" AND l.purpose = ?", self.purpose.clone().map(Value::Text));
        add(" AND l.decision = ?", self.allowed.map(Value::from));
        let mut one_of = |column: &str, values: Vec<Value>| match values.len() {
            0 => sql.push_str(" AND 1 = 0"),
            n => {
                sql.push_str(&format!(" AND l.{column} IN ({})", vec!["?"; n].join(",")));
                args.extend(values);
            }
        };
        if let Some(orgs) = &self.orgs {
            one_of("org", orgs.iter().map(|o| o.bytes().into()).collect());
        }
        if let Some(lines) = &self.lines {
            one_of("line", lines.iter().copied().map(number).collect());
        }
        (sql, args)
    }
}

impl Trace {
    /// Lines that meet `query`, newest first, below `before` when given, `limit` at most.
    pub async fn search(
        &self,
        query: &Query,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<LineView>, TraceError> {
        let Some((first, last)) = self.bounds(query).await? else {
            return Ok(vec![]);
        };
        let (from, mut args) = query.sql();
        let below = before.and_then(|b| i64::try_from(b).ok());
        let last = below.map_or(last, |b| last.min(b.saturating_sub(1)));
        args.extend([first.into(), last.into(), limit.into()]);
        let sql = format!(
            "SELECT {VIEW} {from} AND l.line >= ? AND l.line <= ? ORDER BY l.line DESC LIMIT ?"
        );
        let rows = self.shared.db.fetch(&sql, args).await?;
        rows.iter()
            .map(|row| view(row, 0))
            .collect::<Result<_, StorageError>>()
            .map_err(Into::into)
    }

    /// First and last line of the query's period; none when it holds no line. Times may go back, so
    /// all of the period is asked, from the index alone. With the lines known the engine walks
    /// backwards from the newest of them and stops at the page.
    async fn bounds(&self, query: &Query) -> Result<Option<(i64, i64)>, TraceError> {
        if query.from.is_none() && query.until.is_none() {
            return Ok(Some((0, i64::MAX)));
        }
        let args = vec![
            query.from.map_or(i64::MIN, |t| t.0).into(),
            query.until.map_or(i64::MAX, |t| t.0).into(),
        ];
        let sql = "SELECT MIN(line), MAX(line) FROM trace_line WHERE time >= ? AND time < ?";
        let row = self.shared.db.fetch_one(sql, args).await?;
        let Some(row) = row else {
            return Ok(None);
        };
        Ok(row.opt_int(0)?.zip(row.opt_int(1)?))
    }

    /// Number of lines by action and decision, from `from` until before `until`.
    pub async fn totals(&self, from: Instant, until: Instant) -> Result<Vec<Total>, TraceError> {
        let rows = self
            .shared
            .db
            .fetch(
                "SELECT action, decision, COUNT(*) FROM trace_line WHERE time >= ? AND time < ? \
                 GROUP BY action, decision ORDER BY action, decision",
                vec![from.0.into(), until.0.into()],
            )
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Total {
                    action: row.text(0)?.to_owned(),
                    allowed: row.int(1)? == 1,
                    lines: u64::try_from(row.int(2)?).unwrap_or(0),
                })
            })
            .collect::<Result<_, StorageError>>()
            .map_err(Into::into)
    }

    /// The newest signed checkpoint as a note; none before the first.
    pub fn newest_checkpoint(&self) -> Result<Option<String>, TraceError> {
        match std::fs::read_to_string(self.shared.dir.join("checkpoint")) {
            Ok(note) => Ok(Some(note)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A report as a signed note under the checkpoint key; `body` follows the line [`REPORT`].
    /// Empty lines of `body` are left out: in a note they end the text.
    pub fn sign_report(&self, body: &str) -> String {
        let lines = body.lines().filter(|l| !l.trim().is_empty());
        let text: String = std::iter::once(REPORT)
            .chain(lines)
            .flat_map(|l| [l, "\n"])
            .collect();
        self.shared.signer.sign(&text)
    }

    /// The clock's time now.
    pub fn now(&self) -> Instant {
        self.shared.clock.now()
    }

    /// The clock's steady time, microseconds.
    pub fn steady(&self) -> i64 {
        self.shared.clock.steady()
    }
}
