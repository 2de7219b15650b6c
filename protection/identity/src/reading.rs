//! Reading accounts and organisations.

use mimamori_kernel::id::{OrgId, PersonId, UserId};
use mimamori_storage::{Db, Row, StorageError, Value};

use crate::contract::{self, Contract};
use crate::model::{Account, Held, Org, OrgKind, Role, Scope};

const ACCOUNT: &str = "SELECT u.id, u.login, u.name, u.org, o.kind, o.name, u.password, u.password_initial, u.initial_expires, \
     u.epoch, u.active, u.valid_until, u.person, o.ended, u.read_scope, u.write_scope \
     FROM identity_user u JOIN identity_org o ON o.id = u.org";

/// An organisation with its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// The organisation.
    pub org: Org,
    /// When it ended, microseconds.
    pub ended: Option<i64>,
}

fn shape(column: usize) -> StorageError {
    StorageError::Shape { column }
}

fn kind(row: &Row, column: usize) -> Result<OrgKind, StorageError> {
    OrgKind::from_code(row.text(column)?).ok_or(shape(column))
}

fn bits(row: &Row, column: usize) -> Result<u32, StorageError> {
    let bits = row.opt_int(column)?;
    Ok(bits.map_or(u32::MAX, |b| u32::try_from(b).unwrap_or(0)))
}

fn account(
    row: &Row,
    held: &[(UserId, Held)],
    contracts: &[Contract],
    now: i64,
) -> Result<Account, StorageError> {
    let id = UserId::from_bytes(row.array(0)?);
    let org = Org {
        id: OrgId::from_bytes(row.array(3)?),
        kind: kind(row, 4)?,
        name: row.text(5)?.to_owned(),
    };
    let held: Vec<Held> = held.iter().filter(|(u, _)| *u == id).map(|h| h.1).collect();
    let open = |role: &Role| held.iter().any(|h| h.role == *role && h.holds(now));
    let roles = Role::ALL.into_iter().filter(open).collect();
    let terms = contracts
        .iter()
        .filter(|c| c.org == org.id && c.holds(now))
        .map(|c| c.terms.clone())
        .collect();
    Ok(Account {
        id,
        login: row.text(1)?.to_owned(),
        name: row.text(2)?.to_owned(),
        org,
        org_ended: row.opt_int(13)?.is_some(),
        roles,
        held,
        scope: Scope {
            read: bits(row, 14)?,
            write: bits(row, 15)?,
        },
        terms,
        password: row.text(6)?.to_owned(),
        password_initial: row.int(7)? == 1,
        initial_expires: row.int(8)?,
        epoch: row.int(9)?,
        active: row.int(10)? == 1,
        valid_until: row.opt_int(11)?,
        person: row.array(12).ok().map(PersonId::from_bytes),
    })
}

/// Accounts by a filter over `u`, by login; roles and contracts as of `now` (microseconds).
async fn find(
    db: &Db,
    filter: &'static str,
    args: Vec<Value>,
    now: i64,
) -> Result<Vec<Account>, StorageError> {
    let sql = format!("{ACCOUNT} {filter} ORDER BY u.login");
    let rows = db.fetch(&sql, args.clone()).await?;
    if rows.is_empty() {
        return Ok(vec![]);
    }
    let sql = format!(
        "SELECT r.user_id, r.role, r.valid_from, r.valid_until \
         FROM identity_user_role r JOIN identity_user u ON u.id = r.user_id {filter}"
    );
    let mut held = Vec::new();
    for row in db.fetch(&sql, args.clone()).await? {
        // A role that this program does not know gives nothing.
        if let Some(role) = Role::from_code(row.text(1)?) {
            let one = Held {
                role,
                from: row.opt_int(2)?,
                until: row.opt_int(3)?,
            };
            held.push((UserId::from_bytes(row.array(0)?), one));
        }
    }
    let partner = |row: &Row| row.text(4).is_ok_and(|k| k == OrgKind::Contractor.code());
    let contracts = match rows.iter().any(partner) {
        true => {
            let of = format!("WHERE c.org IN (SELECT u.org FROM identity_user u {filter})");
            contract::read(db, &of, args).await?
        }
        false => vec![],
    };
    rows.iter()
        .map(|row| account(row, &held, &contracts, now))
        .collect()
}

/// The account with this id, roles and contracts as of `now` (microseconds).
pub async fn account_by_id(
    db: &Db,
    user: &UserId,
    now: i64,
) -> Result<Option<Account>, StorageError> {
    let found = find(db, "WHERE u.id = ?", vec![user.bytes().into()], now).await?;
    Ok(found.into_iter().next())
}

/// The account with this folded login.
pub(crate) async fn account_by_login(
    db: &Db,
    login: String,
    now: i64,
) -> Result<Option<Account>, StorageError> {
    let found = find(db, "WHERE u.login = ?", vec![login.into()], now).await?;
    Ok(found.into_iter().next())
}

/// All accounts by login, roles and contracts as of `now` (microseconds).
pub(crate) async fn accounts(db: &Db, now: i64) -> Result<Vec<Account>, StorageError> {
    find(db, "", vec![], now).await
}

/// Accounts of everybody but the citizens' side, by login; citizens are residents, not staff.
pub async fn staff_accounts(db: &Db, now: i64) -> Result<Vec<Account>, StorageError> {
    let filter = "WHERE u.org NOT IN (SELECT x.id FROM identity_org x WHERE x.kind = 'citizens')";
    find(db, filter, vec![], now).await
}

/// All organisations by kind and name.
pub async fn organisations(db: &Db) -> Result<Vec<Organisation>, StorageError> {
    let sql = "SELECT id, kind, name, ended FROM identity_org ORDER BY kind, name, id";
    let rows = db.fetch(sql, vec![]).await?;
    rows.iter()
        .map(|row| {
            Ok(Organisation {
                org: Org {
                    id: OrgId::from_bytes(row.array(0)?),
                    kind: kind(row, 1)?,
                    name: row.text(2)?.to_owned(),
                },
                ended: row.opt_int(3)?,
            })
        })
        .collect()
}
