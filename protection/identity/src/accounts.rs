//! Changes of accounts, as statements that the trace commits with a line.

use jiff::civil::Date;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{OrgId, PersonId, UserId};
use mimamori_kernel::random::{Random, readable};
use mimamori_storage::{Db, Statement, Value};

use crate::error::IdentityError;
use crate::model::{Account, OrgKind, Role};
use crate::password::{Kdf, judge_password};

/// A user to be entered.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Login: 3 to 40 of a-z, 0-9 and hyphen.
    pub login: String,
    /// Name on the screen.
    pub name: String,
    /// Organisation.
    pub org: OrgId,
    /// Its kind.
    pub org_kind: OrgKind,
    /// Roles.
    pub roles: Vec<Role>,
    /// The citizen behind the account.
    pub person: Option<PersonId>,
    /// Who approved it.
    pub approved_by: Option<UserId>,
    /// Last day of use in the office's calendar, that day included; none for no end (S4-16).
    pub until: Option<Date>,
}

pub(crate) fn separate(kind: OrgKind, roles: &[Role]) -> Result<(), IdentityError> {
    if roles.is_empty() || !roles.iter().all(|r| kind.may_hold(*r)) {
        return Err(IdentityError::Separation(
            "この組織の人は、この役割に就けません。",
        ));
    }
    if roles.contains(&Role::Auditor) && roles.len() > 1 {
        return Err(IdentityError::Separation(
            "監査責任者は、ほかの役割を兼ねられません。",
        ));
    }
    if roles.contains(&Role::SystemAdministrator) && roles.len() > 1 {
        return Err(IdentityError::Separation(
            "システム管理者は、ほかの役割を兼ねられません。",
        ));
    }
    Ok(())
}

/// The stored end of a period: the first microsecond after its last day.
pub(crate) fn end_of(until: Option<Date>) -> Value {
    until.map_or(Value::NullInt, |day| {
        Instant::after_office_day(day).0.into()
    })
}

/// 3 to 40 of a-z, 0-9 and hyphen.
pub fn login_is_right(login: &str) -> bool {
    (3..=40).contains(&login.len())
        && login
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The write of an account with an initial password; login, name and organisation, then the
/// person behind it and who approved it.
pub(crate) fn insert_user(
    id: &UserId,
    (login, name, org): (&str, &str, &OrgId),
    phc: &str,
    initial_expires: i64,
    until: Option<Date>,
    (person, approved_by): (Option<PersonId>, Option<UserId>),
) -> Statement {
    Statement::new(
        "INSERT INTO identity_user (id, login, name, org, password, password_initial, initial_expires, epoch, active, \
         valid_until, person, approved_by) VALUES (?, ?, ?, ?, ?, 1, ?, 1, 1, ?, ?, ?)",
        vec![
            id.bytes().into(),
            login.into(),
            name.into(),
            org.bytes().into(),
            phc.into(),
            initial_expires.into(),
            end_of(until),
            person.map_or(Value::NullBytes, |p| p.bytes().into()),
            approved_by.map_or(Value::NullBytes, |u| u.bytes().into()),
        ],
    )
}

/// A new account with an initial password that must be changed within `valid` microseconds (S4-52, S4-73).
///
/// Returns the id, the password for the slip, and the writes.
pub fn new_user(
    user: &NewUser,
    kdf: Kdf,
    now: Instant,
    valid: i64,
    random: &dyn Random,
) -> Result<(UserId, String, Vec<Statement>), IdentityError> {
    if !login_is_right(&user.login) {
        return Err(IdentityError::Login);
    }
    separate(user.org_kind, &user.roles)?;
    let id = UserId::random(random);
    let password = readable(random);
    let mut out = vec![insert_user(
        &id,
        (&user.login, &user.name, &user.org),
        &kdf.hash(&password, random)?,
        now.0.saturating_add(valid),
        user.until,
        (user.person, user.approved_by),
    )];
    for role in &user.roles {
        out.push(Statement::new(
            "INSERT INTO identity_user_role (user_id, role) VALUES (?, ?)",
            vec![id.bytes().into(), role.code().into()],
        ));
    }
    Ok((id, password, out))
}

/// The writes of an own password; ends the initial one, and by the raised epoch every session
/// that began with the old one, whichever process holds it.
pub fn password_statements(
    account: &Account,
    new: &str,
    kdf: Kdf,
    random: &dyn Random,
) -> Result<Vec<Statement>, IdentityError> {
    judge_password(&account.login, new)?;
    Ok(vec![Statement::expecting(
        "UPDATE identity_user SET password = ?, password_initial = 0, epoch = epoch + 1 WHERE id = ? AND epoch = ? AND active = 1",
        vec![
            kdf.hash(new, random)?.into(),
            account.id.bytes().into(),
            account.epoch.into(),
        ],
        1,
        "account-epoch",
    )])
}

/// The writes that revoke an account: inactive at once, epoch raised so that no look comes after (S4-76).
pub fn revoke(user: &UserId) -> Vec<Statement> {
    vec![Statement::expecting(
        "UPDATE identity_user SET active = 0, epoch = epoch + 1 WHERE id = ? AND active = 1",
        vec![user.bytes().into()],
        1,
        "account-active",
    )]
}

/// Whether two administrators were ever registered; until then the first can only make the second.
/// It never becomes undone: after one of two was stopped, the other does not choose his own second.
pub async fn bootstrap_done(db: &Db) -> Result<bool, IdentityError> {
    let row = db
        .fetch_one(
            "SELECT COUNT(*) FROM identity_user u JOIN identity_user_role r ON r.user_id = u.id \
             WHERE r.role = 'operations-manager'",
            vec![],
        )
        .await?;
    Ok(row.map(|r| r.int(0)).transpose()?.unwrap_or(0) >= 2)
}
