use mimamori_kernel::error::Coded;
use mimamori_kernel::id::UserId;
use mimamori_storage::{Statement, StorageError};

use crate::{Account, Bootstrap, Identity, Role};

/// Why somebody is not appointed.
#[derive(Debug, thiserror::Error)]
pub enum AppointError {
    /// The first two administrators do not exist yet.
    #[error("2人目のシステム管理者の登録が済んでいません")]
    BootstrapOpen,
    /// One person is not two.
    #[error("申請した人と承認する人は、別の人でなければなりません")]
    SamePerson,
    /// Nobody appoints himself, as requester or as approver.
    #[error("自分に役割を割り当てることはできません")]
    Oneself,
    /// The requester is not a system administrator.
    #[error("役割を申請できるのはシステム管理者だけです")]
    Requester,
    /// The approver has no right to approve.
    #[error("役割を承認できるのは、システム管理者・運営管理責任者・事業責任者だけです")]
    Approver,
    /// The account does not exist or is not in use.
    #[error("割当て先のIDが利用できません")]
    User,
    /// The kind of organisation does not allow the role.
    #[error("この組織の利用者には、この役割を割り当てられません")]
    OrgKind,
    /// Auditor and system administrator at once (S4-25).
    #[error("監査責任者とシステム管理者を同じ人が兼ねることはできません")]
    Separation,
    /// Held already.
    #[error("この役割はすでに割り当てられています")]
    Held,
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Coded for AppointError {
    fn code(&self) -> &'static str {
        match self {
            Self::BootstrapOpen => "APPOINT-BOOTSTRAP",
            Self::SamePerson => "APPOINT-SAME-PERSON",
            Self::Oneself => "APPOINT-ONESELF",
            Self::Requester => "APPOINT-REQUESTER",
            Self::Approver => "APPOINT-APPROVER",
            Self::User => "APPOINT-USER",
            Self::OrgKind => "APPOINT-ORG-KIND",
            Self::Separation => "APPOINT-SEPARATION",
            Self::Held => "APPOINT-HELD",
            Self::Storage(cause) => cause.code(),
        }
    }
    fn advice(&self) -> &'static str {
        match self {
            Self::BootstrapOpen => "最初のシステム管理者が、2人目のシステム管理者を登録してください。",
            Self::SamePerson | Self::Approver => "承認できる別の人に承認を依頼してください。",
            Self::Oneself => "ほかの2人に申請と承認を依頼してください。",
            Self::Requester => "システム管理者に申請を依頼してください。",
            Self::User => "利用者の一覧で状態を確かめてください。",
            Self::OrgKind => "組織と役割の組合せを確かめてください。",
            Self::Separation => "別の人を任命してください。",
            Self::Held => "利用者の一覧で、いまの役割を確かめてください。",
            Self::Storage(cause) => cause.advice(),
        }
    }
}

const APPROVERS: [Role; 3] = [Role::SystemAdministrator, Role::OperationsManager, Role::ProgrammeDirector];

/// The conditions again inside the transaction: what was read may have changed since.
const INSERT: &str = "INSERT INTO identity_user_role (user_id, role) SELECT u.id, ? FROM identity_user u \
     WHERE u.id = ? AND u.active = 1 \
     AND EXISTS (SELECT 1 FROM identity_user a WHERE a.id = ? AND a.epoch = ? AND a.active = 1) \
     AND EXISTS (SELECT 1 FROM identity_user b WHERE b.id = ? AND b.epoch = ? AND b.active = 1) \
     AND NOT EXISTS (SELECT 1 FROM identity_user_role r WHERE r.user_id = u.id AND r.role IN (?, ?))";

impl Identity {
    async fn working(&self, user: UserId) -> Result<Option<Account>, StorageError> {
        let today = self.now().office_day();
        Ok(self.account(user).await?.filter(|account| account.usable(today)))
    }

    /// Gives a role: one asks, another approves, and neither is the one who gets it (S0-44).
    pub async fn appoint(&self, requester: UserId, approver: UserId, user: UserId, role: Role) -> Result<Vec<Statement>, AppointError> {
        if requester == approver {
            return Err(AppointError::SamePerson);
        }
        if user == requester || user == approver {
            return Err(AppointError::Oneself);
        }
        if self.bootstrap_state().await? != Bootstrap::Done {
            return Err(AppointError::BootstrapOpen);
        }
        let own = |account: &Account| !account.password_initial;
        let asks = self.working(requester).await?.filter(|a| own(a) && a.holds(Role::SystemAdministrator));
        let asks = asks.ok_or(AppointError::Requester)?;
        let approves = self.working(approver).await?.filter(|a| own(a) && APPROVERS.into_iter().any(|r| a.holds(r)));
        let approves = approves.ok_or(AppointError::Approver)?;
        let account = self.working(user).await?.ok_or(AppointError::User)?;
        if !account.org.kind.may_hold(role) {
            return Err(AppointError::OrgKind);
        }
        let excluded = role.excludes();
        if excluded.is_some_and(|other| account.roles.contains(&other)) {
            return Err(AppointError::Separation);
        }
        if account.roles.contains(&role) {
            return Err(AppointError::Held);
        }
        let args = vec![
            role.code().into(),
            user.bytes().into(),
            asks.id.bytes().into(),
            asks.epoch.into(),
            approves.id.bytes().into(),
            approves.epoch.into(),
            role.code().into(),
            excluded.unwrap_or(role).code().into(),
        ];
        Ok(vec![Statement::expecting(INSERT, args, 1, "identity-appoint")])
    }
}
