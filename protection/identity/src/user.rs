use jiff::civil::Date;
use mimamori_kernel::error::Coded;
use mimamori_kernel::id::{OrgId, PersonId, UserId};
use mimamori_storage::{Statement, StorageError, Value};

use crate::account::{day_number, fold_login};
use crate::kdf::KdfFailed;
use crate::password::readable;
use crate::{Bootstrap, Identity, Role};

/// What an account starts from. Roles come by appointment, never with the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// Login as typed.
    pub login: String,
    /// The name that pages show.
    pub name: String,
    /// The organisation.
    pub org: OrgId,
    /// Last office day, such as a contract's end (TK-2).
    pub valid_until: Option<Date>,
    /// The person in the register, for citizens and proxies.
    pub person: Option<PersonId>,
    /// Who approved the account (S0-44).
    pub approved_by: Option<UserId>,
}

/// Why an account cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// The login has another shape.
    #[error("IDは、半角の英小文字・数字・「. _ @ -」の64文字以内でなければなりません")]
    Login,
    /// The login is taken.
    #[error("このIDはすでに使われています")]
    Taken,
    /// The name is empty or too long.
    #[error("氏名は1文字以上100文字以内でなければなりません")]
    Name,
    /// The first two administrators do not exist yet.
    #[error("2人目のシステム管理者の登録が済んでいません")]
    BootstrapOpen,
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The password computation did not run.
    #[error("パスワードの計算ができませんでした")]
    Kdf,
}

impl From<KdfFailed> for UserError {
    fn from(_: KdfFailed) -> Self {
        Self::Kdf
    }
}

impl Coded for UserError {
    fn code(&self) -> &'static str {
        match self {
            Self::Login => "USER-LOGIN",
            Self::Taken => "USER-TAKEN",
            Self::Name => "USER-NAME",
            Self::BootstrapOpen => "USER-BOOTSTRAP",
            Self::Storage(cause) => cause.code(),
            Self::Kdf => "USER-KDF",
        }
    }
    fn advice(&self) -> &'static str {
        match self {
            Self::Login => "IDを入力し直してください。",
            Self::Taken => "別のIDを入力してください。",
            Self::Name => "氏名を入力し直してください。",
            Self::BootstrapOpen => "最初のシステム管理者が、2人目のシステム管理者を登録してください。",
            Self::Storage(cause) => cause.advice(),
            Self::Kdf => "時間をおいてもう一度お試しください。",
        }
    }
}

pub(crate) fn insert_role(user: UserId, role: Role) -> Statement {
    let sql = "INSERT INTO identity_user_role (user_id, role) VALUES (?, ?)";
    Statement::expecting(sql, vec![user.bytes().into(), role.code().into()], 1, "identity-role-new")
}

fn bytes(id: Option<&[u8; 16]>) -> Value {
    id.map_or(Value::NullBytes, Value::from)
}

impl Identity {
    /// A new account without a role, its initial password for the letter to its owner, and the statements.
    pub async fn new_user(&self, user: NewUser) -> Result<(UserId, String, Vec<Statement>), UserError> {
        if self.bootstrap_state().await? != Bootstrap::Done {
            return Err(UserError::BootstrapOpen);
        }
        self.user_statements(user, true).await
    }

    pub(crate) async fn user_statements(&self, user: NewUser, initial: bool) -> Result<(UserId, String, Vec<Statement>), UserError> {
        let login = fold_login(&user.login).ok_or(UserError::Login)?;
        let name = user.name.trim();
        if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
            return Err(UserError::Name);
        }
        if self.secret_by_login(&login).await?.is_some() {
            return Err(UserError::Taken);
        }
        let id = UserId::random(self.random.as_ref());
        let password = readable(self.random.as_ref());
        let hash = self.kdf.hash(&password, self.random.as_ref()).await?;
        let now = self.now();
        let expires = initial.then(|| now.plus(self.settings.initial_valid).0);
        let sql = "INSERT INTO identity_user (id, login, name, org, password, password_initial, initial_expires, epoch, \
                   valid_until, active, person, created_at, approved_by) VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, 1, ?, ?, ?)";
        let args = vec![
            id.bytes().into(),
            login.into(),
            name.into(),
            user.org.bytes().into(),
            hash.into(),
            initial.into(),
            expires.into(),
            user.valid_until.map(day_number).into(),
            bytes(user.person.as_ref().map(PersonId::bytes)),
            now.0.into(),
            bytes(user.approved_by.as_ref().map(UserId::bytes)),
        ];
        Ok((id, password, vec![Statement::expecting(sql, args, 1, "identity-user-new")]))
    }

    /// Withdraws an account for good (S4-76). After the commit call [`Identity::revoked`].
    ///
    /// The epoch grows, so the committer refuses every line of a request that is under way.
    pub fn revoke(&self, user: UserId) -> Vec<Statement> {
        let sql = "UPDATE identity_user SET active = 0, epoch = epoch + 1 WHERE id = ? AND active = 1";
        vec![Statement::expecting(sql, vec![user.bytes().into()], 1, "identity-revoke")]
    }

    /// Takes one role away. After the commit call [`Identity::revoked`].
    pub fn dismiss(&self, user: UserId, role: Role) -> Vec<Statement> {
        let take = "DELETE FROM identity_user_role WHERE user_id = ? AND role = ?";
        let bump = "UPDATE identity_user SET epoch = epoch + 1 WHERE id = ?";
        vec![
            Statement::expecting(take, vec![user.bytes().into(), role.code().into()], 1, "identity-dismiss"),
            Statement::expecting(bump, vec![user.bytes().into()], 1, "identity-dismiss"),
        ]
    }

    /// Sets or moves the last office day of an account (TK-2); none means no end.
    /// After the commit call [`Identity::revoked`]: sessions carry the day they started with.
    pub fn set_validity(&self, user: UserId, last: Option<Date>) -> Vec<Statement> {
        let sql = "UPDATE identity_user SET valid_until = ?, epoch = epoch + 1 WHERE id = ?";
        let args = vec![last.map(day_number).into(), user.bytes().into()];
        vec![Statement::expecting(sql, args, 1, "identity-validity")]
    }
}
