//! What the office's pages show of the connector.

use mimamori_kernel::id::NumberRef;
use mimamori_storage::{Db, StorageError};

/// Where a person's link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkState {
    /// 未連携: something waits to be told.
    Waiting,
    /// 連携済み.
    Linked,
    /// 相違: a human has to settle it.
    Differs,
    /// 差戻し: the other end said no.
    Refused,
    /// 連携解除: deleted here, and told.
    Released,
}

impl LinkState {
    /// As stored.
    pub fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Linked => "linked",
            Self::Differs => "differs",
            Self::Refused => "refused",
            Self::Released => "released",
        }
    }

    /// As shown.
    pub fn label(self) -> &'static str {
        match self {
            Self::Waiting => "未連携",
            Self::Linked => "連携済み",
            Self::Differs => "相違",
            Self::Refused => "差戻し",
            Self::Released => "連携解除",
        }
    }

    pub(super) fn from_code(code: &str) -> Option<Self> {
        let all = [
            Self::Waiting,
            Self::Linked,
            Self::Differs,
            Self::Refused,
            Self::Released,
        ];
        all.into_iter().find(|state| state.code() == code)
    }
}

/// A person's link.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Status {
    /// Where it stands.
    pub state: LinkState,
    /// Since when, microseconds UTC.
    pub since: i64,
    /// 団体内統合宛名番号, when it is known.
    pub joint: Option<String>,
    /// Why it is not linked, a word of the interface log.
    pub code: Option<String>,
    /// How often the act that waits was tried.
    pub attempts: i64,
}

/// The link of a reference; none when nothing was ever to be told about it.
///
/// # Errors
/// The database.
pub async fn status(db: &Db, reference: &NumberRef) -> Result<Option<Status>, StorageError> {
    let sql = "SELECT l.state, l.since, l.joint, o.code, l.code, o.attempts FROM numbers_link l LEFT JOIN numbers_outbox o ON o.address = l.address AND o.done IS NULL AND o.reference = l.reference WHERE l.reference = ? ORDER BY o.act LIMIT 1";
    let Some(row) = db.fetch_one(sql, vec![reference.bytes().into()]).await? else {
        return Ok(None);
    };
    let state = LinkState::from_code(row.text(0)?).ok_or(StorageError::Shape { column: 0 })?;
    let (waiting, settled) = (row.opt_text(3)?, row.opt_text(4)?);
    let code = if state == LinkState::Waiting {
        waiting
    } else {
        settled
    };
    Ok(Some(Status {
        state,
        since: row.int(1)?,
        joint: row.opt_text(2)?.map(ToOwned::to_owned),
        code: code.map(ToOwned::to_owned),
        attempts: row.opt_int(5)?.unwrap_or(0),
    }))
}

/// The operator's view.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    /// 未連携.
    pub waiting: i64,
    /// 連携済み.
    pub linked: i64,
    /// 相違.
    pub differs: i64,
    /// 差戻し.
    pub refused: i64,
    /// Since when the oldest act waits, microseconds UTC.
    pub oldest: Option<i64>,
    /// Differences that nobody settled.
    pub differences: i64,
    /// The last call: when, and its word.
    pub last: Option<(i64, String)>,
    /// The last comparison: when, and its word.
    pub compared: Option<(i64, String)>,
}

/// Counts for the operator's page.
///
/// # Errors
/// The database.
pub async fn counts(db: &Db) -> Result<Counts, StorageError> {
    let mut out = Counts::default();
    for row in db
        .fetch(
            "SELECT state, COUNT(*) FROM numbers_link GROUP BY state",
            vec![],
        )
        .await?
    {
        let slot = match LinkState::from_code(row.text(0)?) {
            Some(LinkState::Waiting) => &mut out.waiting,
            Some(LinkState::Linked) => &mut out.linked,
            Some(LinkState::Differs) => &mut out.differs,
            Some(LinkState::Refused) => &mut out.refused,
            Some(LinkState::Released) | None => continue,
        };
        *slot = row.int(1)?;
    }
    if let Some(row) = db
        .fetch_one(
            "SELECT MIN(made) FROM numbers_outbox WHERE done IS NULL",
            vec![],
        )
        .await?
    {
        out.oldest = row.opt_int(0)?;
    }
    if let Some(row) = db
        .fetch_one(
            "SELECT COUNT(*) FROM numbers_difference WHERE settled IS NULL",
            vec![],
        )
        .await?
    {
        out.differences = row.int(0)?;
    }
    for (sql, slot) in [
        (
            "SELECT at, code FROM numbers_call ORDER BY id DESC LIMIT 1",
            &mut out.last,
        ),
        (
            "SELECT at, code FROM numbers_reconciliation ORDER BY at DESC LIMIT 1",
            &mut out.compared,
        ),
    ] {
        if let Some(row) = db.fetch_one(sql, vec![]).await? {
            *slot = Some((row.int(0)?, row.text(1)?.to_owned()));
        }
    }
    Ok(out)
}
