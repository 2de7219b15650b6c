//! What people read of the trace: a person's entries, and one line's sealed words.

use mimamori_encryption::{Secret, open};
use mimamori_kernel::clock::Instant;
use mimamori_storage::{Row, StorageError};

use crate::act::TraceError;
use crate::committer::Trace;
use crate::details::place;
use crate::leaf::{Leaf, Part, Token, sha256};
use crate::sequencer::{read_leaf, segment};
use crate::tree::{Hash, leaf_hash};

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
    /// Policy ids, and `case:KIND` when the look hangs on a case.
    pub policy: String,
    /// Persons on the line.
    pub persons: u32,
}

pub(crate) const VIEW: &str = "l.line, l.time, l.actor, l.org, l.role, l.action, l.purpose, l.classes, l.decision, l.policy, \
     CAST(LENGTH(l.tokens) / 32 AS BIGINT)";

pub(crate) fn view(row: &Row, at: usize) -> Result<LineView, StorageError> {
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
        persons: u32::try_from(row.int(at + 10)?).unwrap_or(0),
    })
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// The hash of the chain's leaf before, which a person's leaf ends with.
fn previous(leaf: &[u8]) -> Option<Hash> {
    leaf.last_chunk::<32>().copied()
}

/// The leaf as the register's line would make it.
fn told_leaf(
    token: &Token,
    entry: &Entry,
    row: &Row,
    kept: &[u8],
) -> Result<Vec<u8>, StorageError> {
    let tokens = row.bytes(14)?;
    let index = tokens.chunks(32).position(|t| t == token.0);
    let details = match row.opt_text(15)? {
        Some(_) => sha256(row.bytes(16)?),
        None => [0; 32],
    };
    let line = &entry.line;
    Ok(Leaf {
        line: line.line,
        index: index.map_or(u32::MAX, |i| u32::try_from(i).unwrap_or(u32::MAX)),
        count: u32::try_from(tokens.len() / 32).unwrap_or(u32::MAX),
        time: line.time.0,
        decision: line.allowed.into(),
        actor: line.actor,
        org: line.org,
        classes: line.classes,
        role: &line.role,
        action: &line.action,
        purpose: &line.purpose,
        policy: &line.policy,
        details,
        part: Part::Person {
            token: *token,
            sequence: entry.sequence,
            previous: previous(kept).unwrap_or_default(),
        },
    }
    .bytes())
}

impl Trace {
    /// The newest entries of a person's chain, newest first, below `before` when given. Each is
    /// held against its leaf in the trace's own files, and they must follow each other.
    ///
    /// Errors: [`TraceError::Torn`] when the register tells something else than the files.
    pub async fn entries(
        &self,
        token: &Token,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Entry>, TraceError> {
        let before = before.map_or(i64::MAX, |b| i64::try_from(b).unwrap_or(i64::MAX));
        let count = self.count(token).await?;
        let rows = self
            .shared
            .db
            .fetch(
                &format!(
                    "SELECT f.sequence, {VIEW}, f.leaf, f.place, l.tokens, l.scope, l.details, \
                     (SELECT c.count FROM trace_chain c WHERE c.token = f.token) FROM trace_leaf f JOIN trace_line l ON l.line = f.line \
                     WHERE f.token = ? AND f.sequence < ? ORDER BY f.sequence DESC LIMIT ?"
                ),
                vec![(&token.0).into(), before.into(), limit.into()],
            )
            .await?;
        // The count beside the rows is of the same moment; without rows the one read before them.
        let count = match rows.first() {
            Some(row) => row.opt_int(17)?.map_or(0, unsigned),
            None => count,
        };
        let mut expected = count.min(unsigned(before).saturating_sub(1));
        let mut follower: Option<Hash> = None;
        let mut out = Vec::with_capacity(rows.len());
        for row in &rows {
            let entry = Entry {
                sequence: unsigned(row.int(0)?),
                line: view(row, 1)?,
            };
            let path = segment(&self.shared.dir, unsigned(row.int(12)?));
            let kept = read_leaf(&path, unsigned(row.int(13)?))?;
            let told = told_leaf(token, &entry, row, &kept)?;
            let next = leaf_hash(&kept);
            if entry.sequence != expected || told != kept || follower.is_some_and(|h| h != next) {
                return Err(TraceError::Torn(format!(
                    "行 {} の閲覧記録が台帳と証跡のファイルで異なります",
                    entry.line.line
                )));
            }
            follower = previous(&kept);
            expected = expected.saturating_sub(1);
            out.push(entry);
        }
        if expected > 0 && out.len() < limit as usize {
            return Err(TraceError::Torn(format!(
                "閲覧記録の {expected} 件目がありません"
            )));
        }
        Ok(out)
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
