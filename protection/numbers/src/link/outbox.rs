//! Acts that wait to be told, and what becomes of the other end's answers.

use std::time::Duration;

use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::NumberRef;
use mimamori_kernel::random::Random;
use mimamori_storage::{Db, Row, StorageError, Value, Writer};

use super::contract::is_fifteen;
use super::differences::{self, DifferenceKind, Found};
use super::port::Told;
use super::{LinkError, LinkState};

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActKind {
    /// 登録.
    Link,
    /// 訂正.
    Correct,
    /// 削除.
    Delete,
}

impl ActKind {
    /// As stored, and the last part of its address.
    pub fn code(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Correct => "correct",
            Self::Delete => "delete",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        [Self::Link, Self::Correct, Self::Delete]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

/// An act that is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waiting {
    pub act: i64,
    pub reference: NumberRef,
    pub address: String,
    pub kind: ActKind,
    pub key: String,
    pub attempts: i64,
}

/// The columns of [`Waiting`], in its order.
const COLUMNS: &str = "o.act, o.reference, o.address, o.kind, o.key, o.attempts";

impl Waiting {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            act: row.int(0)?,
            reference: NumberRef::from_bytes(row.array(1)?),
            address: row.text(2)?.to_owned(),
            kind: ActKind::from_code(row.text(3)?).ok_or(StorageError::Shape { column: 3 })?,
            key: row.text(4)?.to_owned(),
            attempts: row.int(5)?,
        })
    }
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// An answer.
    Told(Told),
    /// No, with the other end's word.
    Refused(String),
    /// The number is gone: a later act of the person says so.
    Gone,
    /// Nothing came of it; again later.
    Later(&'static str),
}

/// Puts an act into the outbox, inside the transaction that stores the number. `address` is the 宛名番号.
///
/// # Errors
/// [`LinkError::Address`], [`LinkError::Storage`].
pub async fn put(
    writer: &mut Writer,
    random: &dyn Random,
    now: Instant,
    reference: &NumberRef,
    address: &str,
    kind: ActKind,
) -> Result<(), LinkError> {
    if !is_fifteen(address) {
        return Err(LinkError::Address);
    }
    let rows = writer
        .fetch(
            "SELECT COALESCE(MAX(act), 0) + 1 FROM numbers_outbox",
            vec![],
        )
        .await?;
    let act = rows.first().map_or(Ok(1), |row| row.int(0))?;
    let mut key = [0u8; 16];
    random.fill(&mut key);
    let args: Vec<Value> = vec![
        act.into(),
        reference.bytes().into(),
        address.into(),
        kind.code().into(),
        hex::encode(key).into(),
        now.0.into(),
    ];
    let sql = "INSERT INTO numbers_outbox (act, reference, address, kind, key, made, attempts, next_try) VALUES (?, ?, ?, ?, ?, ?, 0, 0)";
    writer.execute(sql, args).await?;
    let sql = "INSERT INTO numbers_link (reference, address, state, since) VALUES (?, ?, 'waiting', ?) ON CONFLICT (reference) DO UPDATE SET address = excluded.address, since = CASE WHEN numbers_link.state = 'waiting' THEN numbers_link.since ELSE excluded.since END, state = 'waiting', code = NULL";
    let args: Vec<Value> = vec![reference.bytes().into(), address.into(), now.0.into()];
    writer.execute(sql, args).await?;
    Ok(())
}

/// Acts whose turn it is: due, in no file, and no earlier act of the same person open.
pub(super) async fn heads(db: &Db, now: Instant, limit: u32) -> Result<Vec<Waiting>, StorageError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM numbers_outbox o WHERE o.done IS NULL AND o.sequence IS NULL AND o.next_try <= ? AND NOT EXISTS (SELECT 1 FROM numbers_outbox e WHERE e.address = o.address AND e.act < o.act AND e.done IS NULL) ORDER BY o.act LIMIT ?"
    );
    let rows = db.fetch(&sql, vec![now.0.into(), limit.into()]).await?;
    rows.iter().map(Waiting::from_row).collect()
}

/// Open acts of a request file.
pub(super) async fn in_file(db: &Db, sequence: i64) -> Result<Vec<Waiting>, StorageError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM numbers_outbox o WHERE o.sequence = ? AND o.done IS NULL ORDER BY o.act"
    );
    db.fetch(&sql, vec![sequence.into()])
        .await?
        .iter()
        .map(Waiting::from_row)
        .collect()
}

/// The act with this key, and whether it is done.
pub(super) async fn by_key(
    writer: &mut Writer,
    key: &str,
) -> Result<Option<(Waiting, bool)>, StorageError> {
    let sql = format!("SELECT {COLUMNS}, o.done FROM numbers_outbox o WHERE o.key = ?");
    let rows = writer.fetch(&sql, vec![key.into()]).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    Ok(Some((Waiting::from_row(row)?, row.opt_int(6)?.is_some())))
}

/// Until the next attempt: 5 s, doubled each time, 10 minutes at most, up to a fifth more so that not all come at once.
pub(super) fn pause(attempts: i64, random: &dyn Random) -> Duration {
    let seconds = 5u64 << attempts.clamp(0, 7);
    let mut byte = [0];
    random.fill(&mut byte);
    let base = Duration::from_secs(seconds.min(600));
    base + base.mul_f64(f64::from(byte[0]) / 1_275.0)
}

/// Whether an act of this 宛名番号 is open, besides `act`.
pub(super) async fn is_open(
    writer: &mut Writer,
    address: &str,
    besides: i64,
) -> Result<bool, StorageError> {
    let sql =
        "SELECT 1 FROM numbers_outbox WHERE address = ? AND done IS NULL AND act <> ? LIMIT 1";
    Ok(!writer
        .fetch(sql, vec![address.into(), besides.into()])
        .await?
        .is_empty())
}

/// Writes down what came of an attempt, inside a transaction. An act that is done stays as it is, so that an answer that
/// comes twice has one effect.
pub(super) async fn apply(
    writer: &mut Writer,
    random: &dyn Random,
    now: Instant,
    act: &Waiting,
    outcome: Outcome,
) -> Result<(), StorageError> {
    let sql = "SELECT 1 FROM numbers_outbox WHERE act = ? AND done IS NULL";
    if writer.fetch(sql, vec![act.act.into()]).await?.is_empty() {
        return Ok(());
    }
    let later = is_open(writer, &act.address, act.act).await?;
    match outcome {
        Outcome::Told(told) => match judge(writer, act, &told).await? {
            Verdict::Fits => {
                let joint = told.joint.map_or(Value::NullText, Value::Text);
                let sql = "UPDATE numbers_link SET joint = ? WHERE reference = ?";
                writer
                    .execute(sql, vec![joint, act.reference.bytes().into()])
                    .await?;
                differences::vanish(writer, now, &act.address).await?;
                close(writer, now, act, "told").await?;
                let state = if act.kind == ActKind::Delete {
                    LinkState::Released
                } else {
                    LinkState::Linked
                };
                stand(
                    writer,
                    now,
                    act,
                    if later { LinkState::Waiting } else { state },
                    None,
                )
                .await
            }
            Verdict::Differs(found) => {
                let code = found.kind.code();
                differences::add(writer, now, found).await?;
                close(writer, now, act, code).await?;
                stand(
                    writer,
                    now,
                    act,
                    if later {
                        LinkState::Waiting
                    } else {
                        LinkState::Differs
                    },
                    Some(code),
                )
                .await
            }
            Verdict::Later(code) => again(writer, random, now, act, code).await,
        },
        Outcome::Later(code) => again(writer, random, now, act, code).await,
        // The number changed between two attempts: the later act says what it is now.
        Outcome::Refused(code) if later && code == "key-reused" => {
            close(writer, now, act, "overtaken").await
        }
        Outcome::Gone if later => close(writer, now, act, "overtaken").await,
        Outcome::Gone => {
            close(writer, now, act, "no-number").await?;
            stand(writer, now, act, LinkState::Refused, Some("no-number")).await
        }
        Outcome::Refused(code) => {
            close(writer, now, act, &code).await?;
            stand(
                writer,
                now,
                act,
                if later {
                    LinkState::Waiting
                } else {
                    LinkState::Refused
                },
                Some(&code),
            )
            .await
        }
    }
}

enum Verdict {
    Fits,
    Differs(Found),
    Later(&'static str),
}

/// Holds an answer against what is known: another person's answer is never taken.
async fn judge(writer: &mut Writer, act: &Waiting, told: &Told) -> Result<Verdict, StorageError> {
    let sql = "SELECT joint FROM numbers_link WHERE reference = ?";
    let rows = writer
        .fetch(sql, vec![act.reference.bytes().into()])
        .await?;
    let ours = rows
        .first()
        .map(|row| row.opt_text(0))
        .transpose()?
        .flatten()
        .map(ToOwned::to_owned);
    let differs = |kind| {
        Verdict::Differs(Found {
            reference: Some(act.reference),
            address: act.address.clone(),
            kind,
            by_answer: true,
            ours: ours.clone(),
            theirs: told.joint.clone(),
        })
    };
    if told.address != act.address {
        return Ok(differs(DifferenceKind::OtherPerson));
    }
    let joint = match (act.kind, &told.joint) {
        (ActKind::Delete, None) => return Ok(Verdict::Fits),
        (ActKind::Delete, Some(_)) | (_, None) => return Ok(Verdict::Later("shape")),
        (_, Some(joint)) => joint,
    };
    let sql = "SELECT l.address, (SELECT COUNT(*) FROM numbers_outbox o WHERE o.address = l.address AND o.done IS NULL) FROM numbers_link l WHERE l.joint = ? AND l.address <> ? AND l.state <> 'released'";
    let others = writer
        .fetch(
            sql,
            vec![joint.as_str().into(), act.address.as_str().into()],
        )
        .await?;
    for other in &others {
        // Whoever has the number now may be about to lose it.
        if other.int(1)? > 0 {
            return Ok(Verdict::Later("shared-waits"));
        }
    }
    if !others.is_empty() {
        return Ok(differs(DifferenceKind::SharedJoint));
    }
    // A corrected number is another person's number at the other end, so its joint number may be another.
    if act.kind == ActKind::Link && ours.as_ref().is_some_and(|ours| ours != joint) {
        return Ok(differs(DifferenceKind::OtherJoint));
    }
    Ok(Verdict::Fits)
}

async fn close(
    writer: &mut Writer,
    now: Instant,
    act: &Waiting,
    result: &str,
) -> Result<(), StorageError> {
    let sql = "UPDATE numbers_outbox SET done = ?, result = ?, attempts = attempts + 1, code = NULL WHERE act = ?";
    writer
        .execute(sql, vec![now.0.into(), result.into(), act.act.into()])
        .await?;
    Ok(())
}

async fn again(
    writer: &mut Writer,
    random: &dyn Random,
    now: Instant,
    act: &Waiting,
    code: &str,
) -> Result<(), StorageError> {
    let next = now.plus(pause(act.attempts, random));
    let sql = "UPDATE numbers_outbox SET attempts = attempts + 1, next_try = ?, code = ?, sequence = NULL WHERE act = ?";
    writer
        .execute(sql, vec![next.0.into(), code.into(), act.act.into()])
        .await?;
    Ok(())
}

async fn stand(
    writer: &mut Writer,
    now: Instant,
    act: &Waiting,
    state: LinkState,
    code: Option<&str>,
) -> Result<(), StorageError> {
    let sql = "UPDATE numbers_link SET since = CASE WHEN state = ? THEN since ELSE ? END, state = ?, code = ? WHERE reference = ?";
    let args = vec![
        state.code().into(),
        now.0.into(),
        state.code().into(),
        code.map(ToOwned::to_owned).into(),
        act.reference.bytes().into(),
    ];
    writer.execute(sql, args).await?;
    Ok(())
}
