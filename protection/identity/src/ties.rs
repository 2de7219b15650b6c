//! Which resident a user of the office is (本人の宛名番号), and who lives with him, as he declared it.
//!
//! Kept as the numbers that the officer declared and two persons confirmed. Nothing here asks the
//! register whether such a person exists; only the monitoring job compares, in the dark (S0-45,
//! decision 0026).

use mimamori_kernel::id::UserId;
use mimamori_storage::{Db, Statement, StorageError};

use crate::change::AccountChange;

/// Digits of a 宛名番号 (想定: FACTS A, 15 in the standard).
pub const ADDRESS_NUMBER: usize = 15;

/// The declared numbers of one user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ties {
    /// The user himself; none when he declared none or does not live in the town.
    pub own: Option<String>,
    /// Others of his household.
    pub household: Vec<String>,
}

impl Ties {
    /// Nothing was declared.
    pub fn is_empty(&self) -> bool {
        self.own.is_none() && self.household.is_empty()
    }
}

/// The ties of one user.
pub async fn ties(db: &Db, user: &UserId) -> Result<Ties, StorageError> {
    let sql = "SELECT address_number, own FROM identity_resident WHERE user_id = ? ORDER BY address_number";
    let mut out = Ties::default();
    for row in db.fetch(sql, vec![user.bytes().into()]).await? {
        let number = row.text(0)?.to_owned();
        match row.int(1)? {
            1 => out.own = Some(number),
            _ => out.household.push(number),
        }
    }
    Ok(out)
}

/// Puts these ties in place of the ones before. No right changes by it, so sessions go on.
pub fn set_ties(user: &UserId, ties: &Ties) -> AccountChange {
    let one = |number: &String, own: bool| {
        Statement::new(
            "INSERT INTO identity_resident (user_id, address_number, own) VALUES (?, ?, ?)",
            vec![user.bytes().into(), number.as_str().into(), own.into()],
        )
    };
    let mut writes = vec![Statement::new(
        "DELETE FROM identity_resident WHERE user_id = ?",
        vec![user.bytes().into()],
    )];
    writes.extend(ties.own.iter().map(|n| one(n, true)));
    writes.extend(ties.household.iter().map(|n| one(n, false)));
    AccountChange::of(writes)
}
