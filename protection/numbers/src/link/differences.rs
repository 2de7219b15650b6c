//! Differences between the two sides, and their settling by hand. None holds a number.

use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::NumberRef;
use mimamori_storage::{Db, Row, StorageError, Value, Writer};

use super::port::Held;
use super::sender::Connector;
use super::{ActKind, LinkError, outbox};

/// What is different.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    /// こちらだけにある.
    OnlyHere,
    /// 統合宛名だけにある.
    OnlyThere,
    /// 統合宛名番号が違う.
    OtherJoint,
    /// 個人番号が違う; which, nobody is told.
    OtherNumber,
    /// 別の人についての答え.
    OtherPerson,
    /// 統合宛名番号をほかの人が持っている.
    SharedJoint,
}

impl DifferenceKind {
    /// As stored.
    pub fn code(self) -> &'static str {
        match self {
            Self::OnlyHere => "only-here",
            Self::OnlyThere => "only-there",
            Self::OtherJoint => "other-joint",
            Self::OtherNumber => "other-number",
            Self::OtherPerson => "other-person",
            Self::SharedJoint => "shared-joint",
        }
    }

    /// As shown.
    pub fn label(self) -> &'static str {
        match self {
            Self::OnlyHere => "統合宛名の一覧にない",
            Self::OnlyThere => "統合宛名の一覧だけにある",
            Self::OtherJoint => "統合宛名番号が違う",
            Self::OtherNumber => "個人番号が違う",
            Self::OtherPerson => "別の人についての答えが返った",
            Self::SharedJoint => "同じ統合宛名番号をほかの人が持っている",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        let all = [
            Self::OnlyHere,
            Self::OnlyThere,
            Self::OtherJoint,
            Self::OtherNumber,
            Self::OtherPerson,
            Self::SharedJoint,
        ];
        all.into_iter().find(|kind| kind.code() == code)
    }

    /// Whether theirs can be taken with a click; what is only there is registered on the form.
    pub fn can_take_theirs(self) -> bool {
        matches!(
            self,
            Self::OtherJoint | Self::OtherNumber | Self::SharedJoint
        )
    }
}

/// What the officer decides.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// こちらを残し、もう一度送る.
    SendAgain,
    /// 統合宛名に合わせる.
    TakeTheirs,
    /// 保留する, with the reason, 1 to 200 characters.
    SetAside(String),
}

/// A difference on the screen.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Difference {
    /// Its number.
    pub id: i64,
    /// 32 hexadecimal digits of the reference, when it is one of ours.
    pub reference: Option<String>,
    /// 宛名番号.
    pub address: String,
    /// What.
    pub kind: DifferenceKind,
    /// 団体内統合宛名番号 here.
    pub ours: Option<String>,
    /// 団体内統合宛名番号 there.
    pub theirs: Option<String>,
    /// When it was found, microseconds UTC.
    pub found: i64,
    /// When it was settled.
    pub settled: Option<i64>,
    /// `send-again`, `take-theirs`, `set-aside`, `vanished`.
    pub decision: Option<String>,
    /// Why it was set aside.
    pub reason: Option<String>,
    /// 32 hexadecimal digits of the user.
    pub who: Option<String>,
    /// His line in the trace.
    pub line: Option<i64>,
}

/// A difference to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub reference: Option<NumberRef>,
    pub address: String,
    pub kind: DifferenceKind,
    /// Found in an answer, not in the list.
    pub by_answer: bool,
    pub ours: Option<String>,
    pub theirs: Option<String>,
}

const COLUMNS: &str =
    "id, reference, address, kind, ours, theirs, found, settled, decision, reason, who, line";

fn difference(row: &Row) -> Result<Difference, StorageError> {
    let text = |at: usize| row.opt_text(at).map(|t| t.map(ToOwned::to_owned));
    let id = |at: usize| match row.0.get(at) {
        Some(Value::Bytes(bytes)) => Some(hex::encode(bytes)),
        _ => None,
    };
    Ok(Difference {
        id: row.int(0)?,
        reference: id(1),
        address: row.text(2)?.to_owned(),
        kind: DifferenceKind::from_code(row.text(3)?).ok_or(StorageError::Shape { column: 3 })?,
        ours: text(4)?,
        theirs: text(5)?,
        found: row.int(6)?,
        settled: row.opt_int(7)?,
        decision: text(8)?,
        reason: text(9)?,
        who: id(10),
        line: row.opt_int(11)?,
    })
}

/// Differences after number `after`, oldest first, 200 at most: the open ones, or the settled ones.
///
/// # Errors
/// The database.
pub async fn differences(
    db: &Db,
    settled: bool,
    after: i64,
) -> Result<Vec<Difference>, StorageError> {
    let state = if settled { "IS NOT NULL" } else { "IS NULL" };
    let sql = format!(
        "SELECT {COLUMNS} FROM numbers_difference WHERE settled {state} AND id > ? ORDER BY id LIMIT 200"
    );
    db.fetch(&sql, vec![after.into()])
        .await?
        .iter()
        .map(difference)
        .collect()
}

/// Writes a difference down, unless it is open already, or was set aside as it is.
pub(super) async fn add(
    writer: &mut Writer,
    now: Instant,
    found: Found,
) -> Result<(), StorageError> {
    let args: Vec<Value> = vec![found.address.as_str().into(), found.kind.code().into()];
    let sql = "SELECT id, settled, theirs, ours FROM numbers_difference WHERE address = ? AND kind = ? AND (settled IS NULL OR decision = 'set-aside') ORDER BY id DESC LIMIT 1";
    if let Some(row) = writer.fetch(sql, args).await?.first() {
        let same = row.opt_text(2)? == found.theirs.as_deref()
            && row.opt_text(3)? == found.ours.as_deref();
        if same {
            return Ok(());
        }
        if row.opt_int(1)?.is_none() {
            let sql = "UPDATE numbers_difference SET ours = ?, theirs = ? WHERE id = ?";
            writer
                .execute(
                    sql,
                    vec![found.ours.into(), found.theirs.into(), row.int(0)?.into()],
                )
                .await?;
            return Ok(());
        }
    }
    let rows = writer
        .fetch(
            "SELECT COALESCE(MAX(id), 0) + 1 FROM numbers_difference",
            vec![],
        )
        .await?;
    let args = vec![
        rows.first().map_or(Ok(1), |row| row.int(0))?.into(),
        found
            .reference
            .map_or(Value::NullBytes, |r| r.bytes().into()),
        found.address.into(),
        found.kind.code().into(),
        if found.by_answer { "answer" } else { "list" }.into(),
        found.ours.into(),
        found.theirs.into(),
        now.0.into(),
    ];
    let sql = "INSERT INTO numbers_difference (id, reference, address, kind, origin, ours, theirs, found) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    writer.execute(sql, args).await?;
    Ok(())
}

/// Both sides agree about this 宛名番号: its open differences are over.
pub(super) async fn vanish(
    writer: &mut Writer,
    now: Instant,
    address: &str,
) -> Result<(), StorageError> {
    let sql = "UPDATE numbers_difference SET settled = ?, decision = 'vanished' WHERE address = ? AND settled IS NULL";
    writer
        .execute(sql, vec![now.0.into(), address.into()])
        .await?;
    Ok(())
}

impl Connector {
    /// What 統合宛名 holds for a 宛名番号, for registering from it; never by batch files.
    ///
    /// # Errors
    /// [`LinkError::Away`], [`LinkError::Refused`], [`LinkError::NotByFile`].
    pub async fn inquire(&self, address: &str) -> Result<Option<Held>, LinkError> {
        if !super::contract::is_fifteen(address) {
            return Err(LinkError::Address);
        }
        let held = self.port.inquire(address).await;
        self.flush().await?;
        held
    }

    /// Settles a difference, by the user with these 16 bytes whose line in the trace is `line`. `keep` stores the number of
    /// 統合宛名 in the vault when theirs is taken; it runs before the difference is closed, so that a break in
    /// between leaves a difference that the next comparison closes.
    ///
    /// # Errors
    /// [`LinkError::Settled`], [`LinkError::NotOffered`], [`LinkError::Reason`], and what `inquire` and `keep` say.
    pub async fn settle(
        &self,
        id: i64,
        decision: &Decision,
        who: [u8; 16],
        line: i64,
        keep: impl AsyncFnOnce(NumberRef, Held) -> Result<(), LinkError>,
    ) -> Result<(), LinkError> {
        let _one = self.busy.lock().await;
        let sql =
            format!("SELECT {COLUMNS} FROM numbers_difference WHERE id = ? AND settled IS NULL");
        let row = self
            .db
            .fetch_one(&sql, vec![id.into()])
            .await?
            .ok_or(LinkError::Settled)?;
        let held = difference(&row)?;
        let reference = held
            .reference
            .is_some()
            .then(|| row.array(1))
            .transpose()?
            .map(NumberRef::from_bytes);
        if let Decision::SetAside(reason) = decision
            && (reason.trim().is_empty() || reason.chars().count() > 200)
        {
            return Err(LinkError::Reason);
        }
        let mut theirs = held.theirs.clone();
        if *decision == Decision::TakeTheirs {
            let known = reference
                .filter(|_| held.kind.can_take_theirs())
                .ok_or(LinkError::NotOffered)?;
            if held.kind == DifferenceKind::OtherNumber {
                let found = self.port.inquire(&held.address).await;
                self.flush().await?;
                let found = found?.ok_or(LinkError::Refused("unknown-address".into()))?;
                theirs = Some(found.joint.clone());
                keep(known, found).await?;
            }
        }
        let (now, random) = (self.clock.now(), self.random.clone());
        self.write(async |writer: &mut Writer| {
            let (word, reason) = match decision {
                Decision::SendAgain => ("send-again", None),
                Decision::TakeTheirs => ("take-theirs", None),
                Decision::SetAside(reason) => ("set-aside", Some(reason.trim().to_owned())),
            };
            let sql = "UPDATE numbers_difference SET settled = ?, decision = ?, reason = ?, who = ?, line = ? WHERE id = ? AND settled IS NULL";
            let args = vec![now.0.into(), word.into(), reason.into(), (&who).into(), line.into(), id.into()];
            if writer.execute(sql, args).await? != 1 {
                return Err(LinkError::Settled);
            }
            match decision {
                Decision::SendAgain => {
                    let kind = match held.kind {
                        DifferenceKind::OnlyThere => ActKind::Delete,
                        DifferenceKind::OtherNumber => ActKind::Correct,
                        _ => ActKind::Link,
                    };
                    // Nobody of ours: a reference of its own, which no record has.
                    let reference = reference.unwrap_or_else(|| NumberRef::random(&*random));
                    outbox::put(writer, &*random, now, &reference, &held.address, kind).await
                }
                Decision::TakeTheirs => {
                    let sql = "UPDATE numbers_link SET joint = ?, state = 'linked', since = ?, code = NULL WHERE address = ? AND state <> 'waiting'";
                    let args = vec![theirs.clone().into(), now.0.into(), held.address.as_str().into()];
                    writer.execute(sql, args).await?;
                    Ok(())
                }
                Decision::SetAside(_) => {
                    let sql = "UPDATE numbers_link SET state = 'linked', since = ?, code = 'set-aside' WHERE address = ? AND state = 'differs' AND joint IS NOT NULL AND NOT EXISTS (SELECT 1 FROM numbers_difference d WHERE d.address = numbers_link.address AND d.settled IS NULL)";
                    writer.execute(sql, vec![now.0.into(), held.address.as_str().into()]).await?;
                    Ok(())
                }
            }
        })
        .await?;
        self.nudge();
        Ok(())
    }
}
