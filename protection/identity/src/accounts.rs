//! Changes of accounts, as statements that the trace commits with a line.

use jiff::civil::Date;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{OrgId, PersonId, UserId};
use mimamori_kernel::random::Random;
use mimamori_storage::{Db, Statement, Value};

use crate::error::IdentityError;
use crate::model::{Account, OrgKind, Role};
use crate::password::{Kdf, judge_password, readable};

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

fn separate(kind: OrgKind, roles: &[Role]) -> Result<(), IdentityError> {
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
fn end_of(until: Option<Date>) -> Value {
    until.map_or(Value::NullInt, |day| {
        Instant::after_office_day(day).0.into()
    })
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
    let right = (3..=40).contains(&user.login.len())
        && user
            .login
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !right {
        return Err(IdentityError::Login);
    }
    separate(user.org_kind, &user.roles)?;
    let id = UserId::random(random);
    let password = readable(random);
    let mut out = vec![Statement::new(
        "INSERT INTO identity_user (id, login, name, org, password, password_initial, initial_expires, epoch, active, \
         valid_until, person, approved_by) VALUES (?, ?, ?, ?, ?, 1, ?, 1, 1, ?, ?, ?)",
        vec![
            id.bytes().into(),
            user.login.as_str().into(),
            user.name.as_str().into(),
            user.org.bytes().into(),
            kdf.hash(&password, random)?.into(),
            now.0.saturating_add(valid).into(),
            end_of(user.until),
            user.person.map_or(Value::NullBytes, |p| p.bytes().into()),
            user.approved_by
                .map_or(Value::NullBytes, |u| u.bytes().into()),
        ],
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

/// The writes of an appointment; requester and approver are two other 運営管理責任者 (S4-16, S4-28).
/// `until` is its last day in the office's calendar and the account's too; none keeps the account's.
pub fn appoint(
    requester: &Account,
    approver: &Account,
    to: &Account,
    role: Role,
    until: Option<Date>,
) -> Result<Vec<Statement>, IdentityError> {
    if requester.id == approver.id || to.id == requester.id || to.id == approver.id {
        return Err(IdentityError::Separation(
            "任命には、本人でない二人（申請する人と承認する人）が必要です。",
        ));
    }
    let may = |a: &Account| a.active && a.roles.contains(&Role::OperationsManager);
    if !may(requester) || !may(approver) {
        return Err(IdentityError::Separation(
            "任命できるのは、二人の運営管理責任者だけです。",
        ));
    }
    let mut roles = to.roles.clone();
    roles.push(role);
    separate(to.org.kind, &roles)?;
    Ok(vec![
        Statement::new(
            "INSERT INTO identity_user_role (user_id, role) VALUES (?, ?)",
            vec![to.id.bytes().into(), role.code().into()],
        ),
        Statement::expecting(
            "UPDATE identity_user SET epoch = epoch + 1, valid_until = COALESCE(?, valid_until) WHERE id = ? AND epoch = ?",
            vec![end_of(until), to.id.bytes().into(), to.epoch.into()],
            1,
            "account-epoch",
        ),
    ])
}

/// Whether two administrators exist; until then the first can only make the second.
pub async fn bootstrap_done(db: &Db) -> Result<bool, IdentityError> {
    let row = db
        .fetch_one(
            "SELECT COUNT(*) FROM identity_user u JOIN identity_user_role r ON r.user_id = u.id \
             WHERE r.role = 'operations-manager' AND u.active = 1",
            vec![],
        )
        .await?;
    Ok(row.map(|r| r.int(0)).transpose()?.unwrap_or(0) >= 2)
}
