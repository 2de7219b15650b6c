use mimamori_kernel::error::Coded;
use mimamori_kernel::id::UserId;
use mimamori_storage::{Statement, StorageError};

use crate::user::insert_role;
use crate::{Identity, NewUser, OrgKind, Role, UserError};

/// The login of the first administrator.
pub const FIRST_LOGIN: &str = "administrator";

/// How far the first two administrators are. Once done, it stays done: an administrator
/// who revokes all others does not get back the right to make one alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bootstrap {
    /// `init` has not made the first one.
    NeedsFirst,
    /// The first one can do one thing: make the second.
    NeedsSecond,
    /// Two exist and appoint the others.
    Done,
}

/// Why a first administrator cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// Not the step that is due.
    #[error("最初のシステム管理者の登録は、すでに済んでいるか、順番が異なります")]
    NotDue,
    /// Only the first administrator, with a password of his own, makes the second.
    #[error("2人目のシステム管理者を登録できるのは、自分のパスワードを設定した最初のシステム管理者だけです")]
    NotTheFirst,
    /// The account.
    #[error(transparent)]
    User(#[from] UserError),
    /// The organisation is no department of the town.
    #[error("システム管理者は市の部署の職員でなければなりません")]
    NotADepartment,
}

impl From<StorageError> for BootstrapError {
    fn from(cause: StorageError) -> Self {
        Self::User(UserError::Storage(cause))
    }
}

impl Coded for BootstrapError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotDue => "BOOTSTRAP-NOT-DUE",
            Self::NotTheFirst => "BOOTSTRAP-NOT-THE-FIRST",
            Self::User(cause) => cause.code(),
            Self::NotADepartment => "BOOTSTRAP-DEPARTMENT",
        }
    }
    fn advice(&self) -> &'static str {
        match self {
            Self::NotDue => "いまの登録の状況を確かめてください。",
            Self::NotTheFirst => "最初のシステム管理者がサインインし、初期パスワードを変更してから登録してください。",
            Self::User(cause) => cause.advice(),
            Self::NotADepartment => "市の部署を選んでください。",
        }
    }
}

fn step(number: i64, user: UserId, at: i64) -> Statement {
    let sql = "INSERT INTO identity_bootstrap (step, user_id, at) VALUES (?, ?, ?)";
    Statement::expecting(sql, vec![number.into(), user.bytes().into(), at.into()], 1, "identity-bootstrap")
}

impl Identity {
    /// How far the first two administrators are.
    pub async fn bootstrap_state(&self) -> Result<Bootstrap, StorageError> {
        let rows = self.db.fetch("SELECT step FROM identity_bootstrap", vec![]).await?;
        Ok(match rows.len() {
            0 => Bootstrap::NeedsFirst,
            1 => Bootstrap::NeedsSecond,
            _ => Bootstrap::Done,
        })
    }

    /// For `init`: the first administrator, [`FIRST_LOGIN`], and the one-time code that is its initial password.
    pub async fn bootstrap_first(&self) -> Result<(String, Vec<Statement>), BootstrapError> {
        if self.bootstrap_state().await? != Bootstrap::NeedsFirst {
            return Err(BootstrapError::NotDue);
        }
        let (org, mut statements) = self.new_org(OrgKind::Department, "運営事務局");
        let first = NewUser {
            login: FIRST_LOGIN.into(),
            name: "最初のシステム管理者".into(),
            org,
            valid_until: None,
            person: None,
            approved_by: None,
        };
        let (user, code, more) = self.user_statements(first, true).await?;
        statements.extend(more);
        statements.push(insert_role(user, Role::SystemAdministrator));
        statements.push(step(1, user, self.now().0));
        Ok((code, statements))
    }

    /// The one thing that the first administrator can do alone.
    pub async fn second_administrator(&self, first: UserId, second: NewUser) -> Result<(UserId, String, Vec<Statement>), BootstrapError> {
        if self.bootstrap_state().await? != Bootstrap::NeedsSecond {
            return Err(BootstrapError::NotDue);
        }
        let row = self.db.fetch_one("SELECT user_id FROM identity_bootstrap WHERE step = 1", vec![]).await?;
        let is_first = row.is_some_and(|row| row.array(0).is_ok_and(|bytes| UserId::from_bytes(bytes) == first));
        let today = self.now().office_day();
        let account = self.account(first).await?.filter(|a| is_first && a.usable(today) && !a.password_initial);
        let account = account.ok_or(BootstrapError::NotTheFirst)?;
        let org = self.orgs().await?.into_iter().find(|org| org.id == second.org);
        if org.is_none_or(|org| org.kind != OrgKind::Department) {
            return Err(BootstrapError::NotADepartment);
        }
        let second = NewUser { approved_by: Some(account.id), person: None, valid_until: None, ..second };
        let (user, code, mut statements) = self.user_statements(second, true).await?;
        statements.push(insert_role(user, Role::SystemAdministrator));
        statements.push(step(2, user, self.now().0));
        Ok((user, code, statements))
    }
}
