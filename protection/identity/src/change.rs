//! Changes that the office makes to other people's accounts. Only this room can make an
//! [`AccountChange`], so a room of stewardship cannot write an account in its own words.

use jiff::civil::Date;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{OrgId, UserId};
use mimamori_kernel::random::{Random, readable};
use mimamori_storage::{Statement, Value};

use crate::accounts::{end_of, insert_user, login_is_right, separate};
use crate::contract::first_moment;
use crate::error::IdentityError;
use crate::model::{Account, Org, OrgKind, Role, Scope};
use crate::password::Kdf;

/// Writes of accounts, committed together with their line.
#[derive(Debug, Clone, Default)]
#[must_use = "nothing changes until it is committed with its line"]
pub struct AccountChange(Vec<Statement>);

impl AccountChange {
    pub(crate) fn of(statements: Vec<Statement>) -> Self {
        Self(statements)
    }

    /// The writes, for the committer.
    pub fn into_statements(self) -> Vec<Statement> {
        self.0
    }

    /// Both changes.
    pub fn and(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A password for the slip (初期パスワード); made before anything is read, because it costs time.
#[derive(Clone)]
pub struct Initial {
    words: String,
    phc: String,
}

impl std::fmt::Debug for Initial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Initial")
    }
}

impl Initial {
    /// A new one; blocks for the time of the password function.
    pub fn new(kdf: Kdf, random: &dyn Random) -> Result<Self, IdentityError> {
        let words = readable(random);
        let phc = kdf.hash(&words, random)?;
        Ok(Self { words, phc })
    }

    /// The words for the slip.
    pub fn words(&self) -> &str {
        &self.words
    }
}

/// First and last day of an appointment in the office's calendar, both included (S4-16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Period {
    /// First day; none for at once.
    pub from: Option<Date>,
    /// Last day; none for no end.
    pub until: Option<Date>,
}

/// A person whom the office registers; roles follow by appointment.
#[derive(Debug, Clone)]
pub struct Entrant {
    /// Login: 3 to 40 of a-z, 0-9 and hyphen.
    pub login: String,
    /// Name on the screen.
    pub name: String,
    /// Organisation.
    pub org: OrgId,
    /// Last day of use; none for no end.
    pub until: Option<Date>,
}

/// Registers somebody without a role: nothing can be done before a second person approves one (S4-28).
/// The initial password works for `valid` microseconds (S4-73).
pub fn register(
    entrant: &Entrant,
    initial: &Initial,
    now: Instant,
    valid: i64,
    by: UserId,
    random: &dyn Random,
) -> Result<(UserId, AccountChange), IdentityError> {
    if !login_is_right(&entrant.login) {
        return Err(IdentityError::Login);
    }
    let id = UserId::random(random);
    let write = insert_user(
        &id,
        (&entrant.login, &entrant.name, &entrant.org),
        &initial.phc,
        now.0.saturating_add(valid),
        entrant.until,
        (None, Some(by)),
    );
    Ok((id, AccountChange::of(vec![write])))
}

/// Registers somebody with a role at once: asked for by one 運営管理責任者, approved by another (S4-52).
pub fn enrol(
    (requester, approver): (&Account, &Account),
    (entrant, kind): (&Entrant, OrgKind),
    (role, period): (Role, Period),
    initial: &Initial,
    (now, valid): (Instant, i64),
    random: &dyn Random,
) -> Result<(UserId, AccountChange), IdentityError> {
    let manages = |a: &Account| a.active && a.roles.contains(&Role::OperationsManager);
    if requester.id == approver.id || !manages(requester) || !manages(approver) {
        return Err(IdentityError::Separation(
            "一括申請は、一人の運営管理責任者が入力し、ほかの運営管理責任者が承認します。",
        ));
    }
    separate(kind, &[role])?;
    let (user, change) = register(entrant, initial, now, valid, approver.id, random)?;
    let given = AccountChange::of(vec![give_role(&user, role, period)]);
    Ok((user, change.and(given)))
}

/// The write that gives a role for a period.
fn give_role(user: &UserId, role: Role, period: Period) -> Statement {
    Statement::new(
        "INSERT INTO identity_user_role (user_id, role, valid_from, valid_until) VALUES (?, ?, ?, ?) \
         ON CONFLICT (user_id, role) DO UPDATE SET valid_from = excluded.valid_from, valid_until = excluded.valid_until",
        vec![
            user.bytes().into(),
            role.code().into(),
            period.from.map(first_moment).into(),
            end_of(period.until),
        ],
    )
}

fn raise(account: &Account, set: &str, mut args: Vec<Value>) -> Statement {
    args.extend([account.id.bytes().into(), account.epoch.into()]);
    Statement::expecting(
        format!(
            "UPDATE identity_user SET {set}epoch = epoch + 1 WHERE id = ? AND epoch = ? AND active = 1"
        ),
        args,
        1,
        "account-epoch",
    )
}

/// A new initial password given out by the office (S4-74); every session of the user ends.
pub fn reset_password(
    account: &Account,
    initial: &Initial,
    now: Instant,
    valid: i64,
) -> AccountChange {
    let args = vec![
        initial.phc.as_str().into(),
        now.0.saturating_add(valid).into(),
    ];
    AccountChange::of(vec![raise(
        account,
        "password = ?, password_initial = 1, initial_expires = ?, ",
        args,
    )])
}

/// Meets its expectation only while another 運営管理責任者 could still work: without one nobody
/// could ever be registered or stopped again.
fn another_manager(account: &Account, now: Instant) -> Option<Statement> {
    let manager = |h: &&crate::model::Held| h.role == Role::OperationsManager && !h.over(now.0);
    account.held.iter().find(manager)?;
    let now = Value::from(now.0);
    Some(Statement::expecting(
        "UPDATE identity_user SET epoch = epoch WHERE id = ? AND EXISTS (SELECT 1 FROM identity_user u \
         JOIN identity_user_role r ON r.user_id = u.id JOIN identity_org o ON o.id = u.org \
         WHERE r.role = 'operations-manager' AND u.active = 1 AND o.ended IS NULL AND u.id <> ? \
         AND (u.valid_until IS NULL OR u.valid_until > ?) AND (r.valid_from IS NULL OR r.valid_from <= ?) \
         AND (r.valid_until IS NULL OR r.valid_until > ?))",
        vec![
            account.id.bytes().into(),
            account.id.bytes().into(),
            now.clone(),
            now.clone(),
            now,
        ],
        1,
        "last-manager",
    ))
}

/// Ends an account at once (S4-76). The last 運営管理責任者 stays: the conflict is `last-manager`.
pub fn stop(account: &Account, now: Instant) -> AccountChange {
    let mut writes: Vec<Statement> = another_manager(account, now).into_iter().collect();
    writes.push(raise(account, "active = 0, ", vec![]));
    AccountChange::of(writes)
}

/// Ends one role at once and keeps the account.
pub fn end_role(account: &Account, role: Role, now: Instant) -> AccountChange {
    let guard = another_manager(account, now).filter(|_| role == Role::OperationsManager);
    let mut writes: Vec<Statement> = guard.into_iter().collect();
    writes.push(Statement::expecting(
        "UPDATE identity_user_role SET valid_until = ? WHERE user_id = ? AND role = ? \
         AND (valid_until IS NULL OR valid_until > ?)",
        vec![
            now.0.into(),
            account.id.bytes().into(),
            role.code().into(),
            now.0.into(),
        ],
        1,
        "role-over",
    ));
    writes.push(raise(account, "", vec![]));
    AccountChange::of(writes)
}

/// Whether somebody may take a role beside those he holds: the kind of his organisation, and roles
/// that stand alone (S4-28).
///
/// # Errors
/// [`IdentityError::Separation`] with the reason.
pub fn may_take(to: &Account, role: Role, now: Instant) -> Result<(), IdentityError> {
    let others = to.held.iter().filter(|h| h.role != role && !h.over(now.0));
    let mut roles: Vec<Role> = others.map(|h| h.role).collect();
    roles.push(role);
    separate(to.org.kind, &roles)
}

/// An appointment; requester and approver are two others. A 運営管理責任者 requests; another one or
/// the 事業責任者 approves (S4-16, S4-24, S4-28).
pub fn appoint(
    requester: &Account,
    approver: &Account,
    to: &Account,
    role: Role,
    period: Period,
    now: Instant,
) -> Result<AccountChange, IdentityError> {
    if requester.id == approver.id || to.id == requester.id || to.id == approver.id {
        return Err(IdentityError::Separation(
            "任命には、本人でない二人（申請する人と承認する人）が必要です。",
        ));
    }
    let holds = |a: &Account, role: Role| a.active && a.roles.contains(&role);
    let approves =
        holds(approver, Role::OperationsManager) || holds(approver, Role::ProgrammeDirector);
    if !holds(requester, Role::OperationsManager) || !approves {
        return Err(IdentityError::Separation(
            "任命は、運営管理責任者が申請し、ほかの運営管理責任者か事業責任者が承認します。",
        ));
    }
    may_take(to, role, now)?;
    Ok(AccountChange::of(vec![
        give_role(&to.id, role, period),
        raise(to, "", vec![]),
    ]))
}

/// Narrows or widens the rights of one user within his roles (S4-28).
pub fn set_scope(account: &Account, scope: Scope) -> AccountChange {
    let bits = |mask: u32| match mask {
        u32::MAX => Value::NullInt,
        mask => mask.into(),
    };
    AccountChange::of(vec![raise(
        account,
        "read_scope = ?, write_scope = ?, ",
        vec![bits(scope.read), bits(scope.write)],
    )])
}

/// Enters an organisation.
pub fn enter_org(org: &Org) -> AccountChange {
    AccountChange::of(vec![crate::schema::org_statement(org)])
}

/// Ends an organisation; every session of its people ends. A department with a 運営管理責任者 in it
/// is kept: move the duty first.
pub fn end_org(
    org: &Org,
    people: &[Account],
    now: Instant,
) -> Result<AccountChange, IdentityError> {
    let manages =
        |a: &Account| a.org.id == org.id && a.active && a.roles.contains(&Role::OperationsManager);
    if org.kind == OrgKind::Citizens || people.iter().any(manages) {
        return Err(IdentityError::Separation(
            "運営管理責任者のいる所属と市民は終了できません。",
        ));
    }
    Ok(AccountChange::of(vec![
        Statement::expecting(
            "UPDATE identity_org SET ended = ? WHERE id = ? AND ended IS NULL",
            vec![now.0.into(), org.id.bytes().into()],
            1,
            "org-ended",
        ),
        Statement::new(
            "UPDATE identity_user SET epoch = epoch + 1 WHERE org = ?",
            vec![org.id.bytes().into()],
        ),
    ]))
}
