use jiff::civil::Date;
use mimamori_kernel::id::{OrgId, PersonId, UserId};
use mimamori_storage::{Row, Statement, StorageError, Value};
use unicode_normalization::UnicodeNormalization as _;

use crate::{Identity, OrgKind, Role};

/// An organisation (組織).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Org {
    /// Its id.
    pub id: OrgId,
    /// Its kind.
    pub kind: OrgKind,
    /// Its name.
    pub name: String,
    /// Whether its members may sign in.
    pub active: bool,
}

/// An account (利用者). The password's hash is not part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: UserId,
    /// Login, folded.
    pub login: String,
    /// The name that pages show.
    pub name: String,
    /// The organisation.
    pub org: Org,
    /// The password was handed out and must be changed (S4-73).
    pub password_initial: bool,
    /// Microseconds in UTC when the initial password stops working.
    pub initial_expires: Option<i64>,
    /// Grows with each withdrawal.
    pub epoch: i64,
    /// Last office day of the account (TK-2).
    pub valid_until: Option<Date>,
    /// Not revoked.
    pub active: bool,
    /// The person in the register, for citizens and proxies.
    pub person: Option<PersonId>,
    /// Microseconds in UTC.
    pub created_at: i64,
    /// Who approved the account.
    pub approved_by: Option<UserId>,
    /// Roles held, in the order of [`Role::ALL`].
    pub roles: Vec<Role>,
}

impl Account {
    /// Whether the account works on this office day.
    pub fn usable(&self, today: Date) -> bool {
        self.active && self.org.active && self.valid_until.is_none_or(|last| today <= last)
    }

    /// Whether the role is held and allowed for the kind of organisation.
    pub fn holds(&self, role: Role) -> bool {
        self.org.kind.may_hold(role) && self.roles.contains(&role)
    }
}

/// An account and its password hash, inside this room.
pub(crate) struct Secret {
    pub(crate) account: Account,
    pub(crate) hash: String,
}

/// The login in the form it is stored: NFKC, lower case, 1 to 64 of `a-z 0-9 . _ @ -`.
pub fn fold_login(text: &str) -> Option<String> {
    if text.len() > 512 {
        return None;
    }
    let folded: String = text.trim().nfkc().flat_map(char::to_lowercase).collect();
    let shape = folded.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'@' | b'-'));
    ((1..=64).contains(&folded.len()) && shape).then_some(folded)
}

pub(crate) fn day_number(day: Date) -> i64 {
    i64::from(day.year()) * 10_000 + i64::from(day.month()) * 100 + i64::from(day.day())
}

fn day(number: i64) -> Option<Date> {
    let year = i16::try_from(number / 10_000).ok()?;
    let month = i8::try_from(number / 100 % 100).ok()?;
    Date::new(year, month, i8::try_from(number % 100).ok()?).ok()
}

fn optional<const N: usize>(row: &Row, column: usize) -> Result<Option<[u8; N]>, StorageError> {
    match row.0.get(column) {
        Some(Value::Bytes(_)) => row.array(column).map(Some),
        _ => Ok(None),
    }
}

fn org_of(row: &Row, at: usize) -> Result<Org, StorageError> {
    Ok(Org {
        id: OrgId::from_bytes(row.array(at)?),
        kind: OrgKind::from_code(row.text(at + 1)?).ok_or(StorageError::Shape { column: at + 1 })?,
        name: row.text(at + 2)?.to_owned(),
        active: row.int(at + 3)? == 1,
    })
}

const ACCOUNT: &str = "SELECT u.id, u.login, u.name, u.password, u.password_initial, u.initial_expires, u.epoch, \
     u.valid_until, u.active, u.person, u.created_at, u.approved_by, o.id, o.kind, o.name, o.active, r.role \
     FROM identity_user u JOIN identity_org o ON o.id = u.org LEFT JOIN identity_user_role r ON r.user_id = u.id";

fn secret(row: &Row) -> Result<Secret, StorageError> {
    let valid_until = match row.opt_int(7)? {
        Some(number) => Some(day(number).ok_or(StorageError::Shape { column: 7 })?),
        None => None,
    };
    let account = Account {
        id: UserId::from_bytes(row.array(0)?),
        login: row.text(1)?.to_owned(),
        name: row.text(2)?.to_owned(),
        org: org_of(row, 12)?,
        password_initial: row.int(4)? == 1,
        initial_expires: row.opt_int(5)?,
        epoch: row.int(6)?,
        valid_until,
        active: row.int(8)? == 1,
        person: optional(row, 9)?.map(PersonId::from_bytes),
        created_at: row.int(10)?,
        approved_by: optional(row, 11)?.map(UserId::from_bytes),
        roles: Vec::new(),
    };
    Ok(Secret { account, hash: row.text(3)?.to_owned() })
}

/// Joins the rows of one account; the rows of an account stand together.
fn gather(rows: &[Row]) -> Result<Vec<Secret>, StorageError> {
    let mut out: Vec<Secret> = Vec::new();
    for row in rows {
        let id = UserId::from_bytes(row.array(0)?);
        if out.last().is_none_or(|last| last.account.id != id) {
            out.push(secret(row)?);
        }
        if let (Some(code), Some(last)) = (row.opt_text(16)?, out.last_mut()) {
            last.account.roles.push(Role::from_code(code).ok_or(StorageError::Shape { column: 16 })?);
        }
    }
    for one in &mut out {
        one.account.roles.sort_unstable();
    }
    Ok(out)
}

impl Identity {
    pub(crate) async fn secret_by_login(&self, login: &str) -> Result<Option<Secret>, StorageError> {
        let rows = self.db.fetch(&format!("{ACCOUNT} WHERE u.login = ?"), vec![login.into()]).await?;
        Ok(gather(&rows)?.pop())
    }

    pub(crate) async fn secret_of(&self, user: UserId) -> Result<Option<Secret>, StorageError> {
        let rows = self.db.fetch(&format!("{ACCOUNT} WHERE u.id = ?"), vec![user.bytes().into()]).await?;
        Ok(gather(&rows)?.pop())
    }

    /// The account with this login, in any typing of it.
    pub async fn account_by_login(&self, login: &str) -> Result<Option<Account>, StorageError> {
        let Some(login) = fold_login(login) else { return Ok(None) };
        Ok(self.secret_by_login(&login).await?.map(|s| s.account))
    }

    /// The account with this id.
    pub async fn account(&self, user: UserId) -> Result<Option<Account>, StorageError> {
        Ok(self.secret_of(user).await?.map(|s| s.account))
    }

    /// Every account, by login.
    pub async fn accounts(&self) -> Result<Vec<Account>, StorageError> {
        let rows = self.db.fetch(&format!("{ACCOUNT} ORDER BY u.login"), vec![]).await?;
        Ok(gather(&rows)?.into_iter().map(|s| s.account).collect())
    }

    /// Every organisation, by kind and name.
    pub async fn orgs(&self) -> Result<Vec<Org>, StorageError> {
        let rows = self.db.fetch("SELECT id, kind, name, active FROM identity_org ORDER BY kind, name, id", vec![]).await?;
        rows.iter().map(|row| org_of(row, 0)).collect()
    }

    /// A new organisation.
    pub fn new_org(&self, kind: OrgKind, name: &str) -> (OrgId, Vec<Statement>) {
        let id = OrgId::random(self.random.as_ref());
        let args = vec![id.bytes().into(), kind.code().into(), name.into()];
        let sql = "INSERT INTO identity_org (id, kind, name, active) VALUES (?, ?, ?, 1)";
        (id, vec![Statement::expecting(sql, args, 1, "identity-org-new")])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_the_same_in_full_width_and_capitals_and_hostile_ones_are_none() {
        assert_eq!(fold_login(" Ｓｕｚｕｋｉ．０１ ").as_deref(), Some("suzuki.01"));
        for bad in ["", " ", "鈴木", "a b", "a'--", "a\0", &"x".repeat(65), &"x".repeat(100_000)] {
            assert_eq!(fold_login(bad), None);
        }
    }

    #[test]
    fn a_day_survives_its_number() {
        let end = Date::constant(2027, 3, 31);
        assert_eq!(day(day_number(end)), Some(end));
        assert_eq!(day(20_270_231), None);
    }
}
