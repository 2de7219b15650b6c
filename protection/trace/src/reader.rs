//! What people read of the trace: a person's entries, and one line's sealed words.

use mimamori_encryption::{Secret, open};
use mimamori_kernel::clock::Instant;
use mimamori_storage::{Row, StorageError};

use crate::act::TraceError;
use crate::committer::Trace;
use crate::details::place;
use crate::leaf::Token;

/// One entry of a person's chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Place in the chain, from 1.
    pub sequence: u64,
    /// The line.
    pub line: LineView,
}

/// One line as an auditor or the person may read it: no values, no reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineView {
    /// Number.
    pub line: u64,
    /// When.
    pub time: Instant,
    /// User id, zeros for the system.
    pub actor: [u8; 16],
    /// Organisation id.
    pub org: [u8; 16],
    /// Role code.
    pub role: String,
    /// `noun.verb`.
    pub action: String,
    /// Purpose code.
    pub purpose: String,
    /// Data classes.
    pub classes: u32,
    /// Allowed or refused.
    pub allowed: bool,
    /// Policy ids.
    pub policy: String,
}

const VIEW: &str =
    "l.line, l.time, l.actor, l.org, l.role, l.action, l.purpose, l.classes, l.decision, l.policy";

fn view(row: &Row, at: usize) -> Result<LineView, StorageError> {
    Ok(LineView {
        line: u64::try_from(row.int(at)?).unwrap_or(0),
        time: Instant(row.int(at + 1)?),
        actor: row.array(at + 2)?,
        org: row.array(at + 3)?,
        role: row.text(at + 4)?.to_owned(),
        action: row.text(at + 5)?.to_owned(),
        purpose: row.text(at + 6)?.to_owned(),
        classes: u32::try_from(row.int(at + 7)?).unwrap_or(0),
        allowed: row.int(at + 8)? == 1,
        policy: row.text(at + 9)?.to_owned(),
    })
}

impl Trace {
    /// The newest entries of a person's chain, newest first, below `before` when given.
    pub async fn entries(
        &self,
        token: &Token,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Entry>, TraceError> {
        let before = before.map_or(i64::MAX, |b| i64::try_from(b).unwrap_or(i64::MAX));
        let rows = self
            .shared
            .db
            .fetch(
                &format!(
                    "SELECT f.sequence, {VIEW} FROM trace_leaf f JOIN trace_line l ON l.line = f.line \
                     WHERE f.token = ? AND f.sequence < ? ORDER BY f.sequence DESC LIMIT ?"
                ),
                vec![(&token.0).into(), before.into(), limit.into()],
            )
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Entry {
                    sequence: u64::try_from(row.int(0)?).unwrap_or(0),
                    line: view(row, 1)?,
                })
            })
            .collect::<Result<_, StorageError>>()
            .map_err(Into::into)
    }

    /// Number of entries in a person's chain so far.
    pub async fn count(&self, token: &Token) -> Result<u64, TraceError> {
        let row = self
            .shared
            .db
            .fetch_one(
                "SELECT count FROM trace_chain WHERE token = ?",
                vec![(&token.0).into()],
            )
            .await?;
        Ok(row
            .map(|r| r.int(0))
            .transpose()?
            .map_or(0, |n| u64::try_from(n).unwrap_or(0)))
    }

    /// The sealed words of a line; none when it has none or their key is gone.
    pub async fn details(&self, line: u64) -> Result<Option<String>, TraceError> {
        let rows = self
            .shared
            .db
            .fetch(
                "SELECT l.scope, l.details, k.wrapped FROM trace_line l JOIN trace_key k ON k.scope = l.scope \
                 WHERE l.line = ? AND k.wrapped IS NOT NULL",
                vec![i64::try_from(line).unwrap_or(i64::MAX).into()],
            )
            .await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let opened = open(
            &self.shared.wrapping,
            row.text(0)?.as_bytes(),
            row.bytes(2)?,
        )
        .ok()
        .and_then(|key| <[u8; 32]>::try_from(key).ok())
        .and_then(|key| open(&Secret::from_bytes(key), &place(line), row.bytes(1).ok()?).ok())
        .and_then(|text| String::from_utf8(text).ok());
        Ok(opened)
    }
}
