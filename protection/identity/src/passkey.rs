//! Passkeys of users as the database keeps them: public keys, never a secret, never a picture of a face (S0-48).

use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{PasskeyId, UserId};
use mimamori_kernel::random::{Random, readable};
use mimamori_storage::{Db, Row, Statement, StorageError};
use webauthn_rs::prelude::Passkey;

use crate::change::AccountChange;
use crate::error::IdentityError;
use crate::model::{Account, OrgKind};

/// How long the code of an enrolment works, microseconds.
pub const ENROLMENT: i64 = 10 * 60 * 1_000_000;

/// A passkey as the office and its user see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPasskey {
    /// Id.
    pub id: PasskeyId,
    /// The user's own word for it, for example 庁内端末.
    pub name: String,
    /// When it was registered, microseconds.
    pub created: i64,
    /// When it last proved something, microseconds.
    pub used: Option<i64>,
    /// How often the device says that it signed; 0 where it does not count.
    pub counter: i64,
    /// When a counter went back, microseconds: perhaps a copy exists.
    pub suspended: Option<i64>,
    /// When it was revoked, microseconds.
    pub ended: Option<i64>,
}

const SHOWN: &str = "id, name, created, used, counter, suspended, ended";

fn known(row: &Row) -> Result<KnownPasskey, StorageError> {
    Ok(KnownPasskey {
        id: PasskeyId::from_bytes(row.array(0)?),
        name: row.text(1)?.to_owned(),
        created: row.int(2)?,
        used: row.opt_int(3)?,
        counter: row.int(4)?,
        suspended: row.opt_int(5)?,
        ended: row.opt_int(6)?,
    })
}

/// All passkeys that a user ever had, the newest first.
pub async fn passkeys(db: &Db, user: &UserId) -> Result<Vec<KnownPasskey>, StorageError> {
    let sql =
        format!("SELECT {SHOWN} FROM identity_passkey WHERE user_id = ? ORDER BY created DESC, id");
    let rows = db.fetch(&sql, vec![user.bytes().into()]).await?;
    rows.iter().map(known).collect()
}

/// Passkeys of all users whose counter went back, for the office, the newest first.
pub async fn suspended_passkeys(db: &Db) -> Result<Vec<(UserId, KnownPasskey)>, StorageError> {
    let sql = format!(
        "SELECT {SHOWN}, user_id FROM identity_passkey \
         WHERE suspended IS NOT NULL AND ended IS NULL ORDER BY suspended DESC, id"
    );
    let rows = db.fetch(&sql, vec![]).await?;
    rows.iter()
        .map(|row| Ok((UserId::from_bytes(row.array(7)?), known(row)?)))
        .collect()
}

/// Whether a sign-in must go on to the passkey. A suspended one still asks for it: who holds a copy does not
/// come in with the password alone by showing the copy once.
pub(crate) async fn asks_for_passkey(db: &Db, user: &UserId) -> Result<bool, StorageError> {
    let sql = "SELECT 1 FROM identity_passkey WHERE user_id = ? AND ended IS NULL";
    let found = db.fetch_one(sql, vec![user.bytes().into()]).await?;
    Ok(found.is_some())
}

/// The passkeys that may prove something now; a text that this program cannot read proves nothing.
pub(crate) async fn usable(
    db: &Db,
    user: &UserId,
) -> Result<Vec<(PasskeyId, Passkey)>, StorageError> {
    let sql = "SELECT id, data FROM identity_passkey \
               WHERE user_id = ? AND ended IS NULL AND suspended IS NULL ORDER BY created, id";
    let mut out = Vec::new();
    for row in db.fetch(sql, vec![user.bytes().into()]).await? {
        if let Ok(passkey) = serde_json::from_str(row.text(1)?) {
            out.push((PasskeyId::from_bytes(row.array(0)?), passkey));
        }
    }
    Ok(out)
}

/// Whether any user registered this credential before.
pub(crate) async fn taken(db: &Db, passkey: &Passkey) -> Result<bool, StorageError> {
    let sql = "SELECT 1 FROM identity_passkey WHERE credential = ?";
    let args = vec![passkey.cred_id().to_vec().into()];
    Ok(db.fetch_one(sql, args).await?.is_some())
}

/// The passkey as text, and its counter.
fn text(passkey: &Passkey) -> Result<(String, i64), IdentityError> {
    let value = serde_json::to_value(passkey).map_err(|_| IdentityError::Passkey)?;
    let counter = value["cred"]["counter"].as_i64().unwrap_or(0);
    Ok((value.to_string(), counter))
}

/// Digest of an enrolment's code; the code itself is on the office's screen once.
fn code_digest(code: &str) -> Vec<u8> {
    use sha2::Digest as _;
    let folded: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    sha2::Sha256::digest(folded.as_bytes()).to_vec()
}

/// How the office checked who stands at the counter (本人確認).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityCheck {
    /// Which document, for example 職員証.
    pub document: String,
    /// How it was checked, for example 写真と顔を見比べた.
    pub how: String,
}

/// Opens an enrolment for a user who stands at the counter; gives the code to hand over, which works for
/// [`ENROLMENT`]. An earlier code of the same user stops working.
///
/// # Errors
/// [`IdentityError::Separation`] for citizens, and for oneself: somebody else looks at the document.
pub fn open_enrolment(
    to: &Account,
    by: &Account,
    check: &IdentityCheck,
    now: Instant,
    random: &dyn Random,
) -> Result<(String, AccountChange), IdentityError> {
    if to.id == by.id {
        return Err(IdentityError::Separation(
            "自分のパスキーの登録は、ほかの運営管理責任者が受け付けます。",
        ));
    }
    if to.org.kind == OrgKind::Citizens {
        return Err(IdentityError::Separation(
            "市民の利用者のパスキーは、この版では登録できません。",
        ));
    }
    let code = readable(random);
    let mut id = [0u8; 16];
    random.fill(&mut id);
    let writes = vec![
        Statement::new(
            "UPDATE identity_enrolment SET used = ? WHERE user_id = ? AND used IS NULL",
            vec![now.0.into(), to.id.bytes().into()],
        ),
        Statement::new(
            "INSERT INTO identity_enrolment (id, user_id, code, opened, expires, document, checked, opened_by, used) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            vec![
                id.to_vec().into(),
                to.id.bytes().into(),
                code_digest(&code).into(),
                now.0.into(),
                now.0.saturating_add(ENROLMENT).into(),
                check.document.as_str().into(),
                check.how.as_str().into(),
                by.id.bytes().into(),
            ],
        ),
    ];
    Ok((code, AccountChange::of(writes)))
}

/// Whether the code opens an enrolment of this user now.
pub(crate) async fn code_is_right(
    db: &Db,
    user: &UserId,
    code: &str,
    now: i64,
) -> Result<bool, StorageError> {
    let sql = "SELECT 1 FROM identity_enrolment WHERE user_id = ? AND code = ? AND used IS NULL AND expires > ?";
    let args = vec![user.bytes().into(), code_digest(code).into(), now.into()];
    Ok(db.fetch_one(sql, args).await?.is_some())
}

/// The writes of a new passkey; they spend the code.
pub(crate) fn enter(
    user: &UserId,
    (code, name): (&str, &str),
    passkey: &Passkey,
    now: i64,
    random: &dyn Random,
) -> Result<Vec<Statement>, IdentityError> {
    let (data, counter) = text(passkey)?;
    Ok(vec![
        Statement::expecting(
            "UPDATE identity_enrolment SET used = ? WHERE user_id = ? AND code = ? AND used IS NULL AND expires > ?",
            vec![
                now.into(),
                user.bytes().into(),
                code_digest(code).into(),
                now.into(),
            ],
            1,
            "enrolment-used",
        ),
        Statement::new(
            "INSERT INTO identity_passkey (id, user_id, name, credential, data, counter, created, used, suspended, \
             ended, ended_by) VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL, NULL)",
            vec![
                PasskeyId::random(random).bytes().into(),
                user.bytes().into(),
                name.into(),
                passkey.cred_id().to_vec().into(),
                data.into(),
                counter.into(),
                now.into(),
            ],
        ),
    ])
}

/// The write after a proof: last use and counter. Another proof with the same or a later count came first: a conflict.
pub(crate) fn proved(
    id: PasskeyId,
    passkey: &Passkey,
    counter: u32,
    now: i64,
) -> Result<Statement, IdentityError> {
    let (data, _) = text(passkey)?;
    Ok(Statement::expecting(
        "UPDATE identity_passkey SET used = ?, data = ?, counter = ? WHERE id = ? AND ended IS NULL \
         AND suspended IS NULL AND (counter < ? OR counter = 0)",
        vec![
            now.into(),
            data.into(),
            counter.into(),
            id.bytes().into(),
            counter.into(),
        ],
        1,
        "passkey-changed",
    ))
}

/// The write that suspends a passkey whose counter went back.
pub(crate) fn suspend(id: PasskeyId, now: i64) -> Statement {
    Statement::new(
        "UPDATE identity_passkey SET suspended = ? WHERE id = ? AND suspended IS NULL",
        vec![now.into(), id.bytes().into()],
    )
}

/// Revokes one passkey at once (紛失・機器の返却), by its user or the office; the user's sessions end when the
/// office does it. Without another one the user signs in by password alone, and number work stays closed.
pub fn end_passkey(to: &Account, id: PasskeyId, by: &UserId, now: Instant) -> AccountChange {
    let mut writes = vec![Statement::expecting(
        "UPDATE identity_passkey SET ended = ?, ended_by = ? WHERE id = ? AND user_id = ? AND ended IS NULL",
        vec![
            now.0.into(),
            by.bytes().into(),
            id.bytes().into(),
            to.id.bytes().into(),
        ],
        1,
        "passkey-ended",
    )];
    if to.id != *by {
        writes.push(Statement::new(
            "UPDATE identity_user SET epoch = epoch + 1 WHERE id = ?",
            vec![to.id.bytes().into()],
        ));
    }
    AccountChange::of(writes)
}
