//! Contracts with partners, as far as signing in and the gate need them (S0-64).

use jiff::civil::Date;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{ContractId, OrgId};
use mimamori_storage::{Db, Statement, StorageError};

use crate::change::AccountChange;

/// What one contract names: nothing else is open to its people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Codes of purposes.
    pub purposes: Vec<String>,
    /// Data classes, bits of the gate.
    pub classes: u32,
}

/// A contract (委託契約).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// Id.
    pub id: ContractId,
    /// Partner.
    pub org: OrgId,
    /// What it is about.
    pub subject: String,
    /// What it names.
    pub terms: Terms,
    /// First moment, microseconds.
    pub from: i64,
    /// First moment after its last day, microseconds.
    pub until: i64,
    /// When it was ended early, microseconds.
    pub ended: Option<i64>,
}

impl Contract {
    /// A contract from the first to the last day of the office's calendar, both included.
    pub fn new(
        id: ContractId,
        org: OrgId,
        subject: String,
        terms: Terms,
        days: (Date, Date),
    ) -> Self {
        Self {
            id,
            org,
            subject,
            terms,
            from: first_moment(days.0),
            until: Instant::after_office_day(days.1).0,
            ended: None,
        }
    }

    /// Whether it is in force at this moment.
    pub fn holds(&self, now: i64) -> bool {
        self.ended.is_none() && self.from <= now && now < self.until
    }
}

/// The first moment of an office day.
pub(crate) fn first_moment(day: Date) -> i64 {
    day.yesterday()
        .map_or(i64::MIN, |before| Instant::after_office_day(before).0)
}

/// The writes of a new contract.
pub fn enter_contract(contract: &Contract) -> AccountChange {
    AccountChange::of(vec![Statement::new(
        "INSERT INTO identity_contract (id, org, subject, purposes, classes, valid_from, valid_until, ended) \
         VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
        vec![
            contract.id.bytes().into(),
            contract.org.bytes().into(),
            contract.subject.as_str().into(),
            contract.terms.purposes.join(",").into(),
            contract.terms.classes.into(),
            contract.from.into(),
            contract.until.into(),
        ],
    )])
}

/// The writes that end a contract early; every session of the partner's people ends with it.
pub fn end_contract(contract: &Contract, now: Instant) -> AccountChange {
    AccountChange::of(vec![
        Statement::expecting(
            "UPDATE identity_contract SET ended = ? WHERE id = ? AND ended IS NULL",
            vec![now.0.into(), contract.id.bytes().into()],
            1,
            "contract-ended",
        ),
        Statement::new(
            "UPDATE identity_user SET epoch = epoch + 1 WHERE org = ?",
            vec![contract.org.bytes().into()],
        ),
    ])
}

/// All contracts, the latest end first.
pub async fn contracts(db: &Db) -> Result<Vec<Contract>, StorageError> {
    read(db, "", vec![]).await
}

/// Contracts by a filter over `c`.
pub(crate) async fn read(
    db: &Db,
    filter: &str,
    args: Vec<mimamori_storage::Value>,
) -> Result<Vec<Contract>, StorageError> {
    let sql = format!(
        "SELECT c.id, c.org, c.subject, c.purposes, c.classes, c.valid_from, c.valid_until, c.ended \
         FROM identity_contract c {filter} ORDER BY c.valid_until DESC, c.id"
    );
    let mut out = Vec::new();
    for row in db.fetch(&sql, args).await? {
        out.push(Contract {
            id: ContractId::from_bytes(row.array(0)?),
            org: OrgId::from_bytes(row.array(1)?),
            subject: row.text(2)?.to_owned(),
            terms: Terms {
                purposes: row.text(3)?.split(',').map(str::to_owned).collect(),
                classes: u32::try_from(row.int(4)?).unwrap_or(0),
            },
            from: row.int(5)?,
            until: row.int(6)?,
            ended: row.opt_int(7)?,
        });
    }
    Ok(out)
}
