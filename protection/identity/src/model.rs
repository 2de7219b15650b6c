use mimamori_kernel::id::{OrgId, PersonId, UserId};

use crate::contract::Terms;

/// Kind of organisation (組織の種別).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrgKind {
    /// A department of the town (課).
    Department,
    /// A contractor (委託先).
    Contractor,
    /// A care or medical institution (利用機関).
    Institution,
    /// A university (大学).
    University,
    /// The citizens' side (市民).
    Citizens,
}

impl OrgKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [
        Self::Department,
        Self::Contractor,
        Self::Institution,
        Self::University,
        Self::Citizens,
    ];

    /// Code in the database and in policies.
    pub fn code(self) -> &'static str {
        match self {
            Self::Department => "department",
            Self::Contractor => "contractor",
            Self::Institution => "institution",
            Self::University => "university",
            Self::Citizens => "citizens",
        }
    }

    /// The kind with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.code() == code)
    }

    /// Whether somebody of this kind of organisation may hold the role (S0-59, S4-08, S4-09).
    pub fn may_hold(self, role: Role) -> bool {
        match self {
            Self::Contractor => role == Role::Contractor,
            Self::Institution => matches!(role, Role::Institution | Role::InstitutionManager),
            Self::University => role == Role::Researcher,
            Self::Citizens => matches!(role, Role::Citizen | Role::Proxy),
            Self::Department => !matches!(
                role,
                Role::Contractor
                    | Role::Institution
                    | Role::InstitutionManager
                    | Role::Researcher
                    | Role::Citizen
                    | Role::Proxy
            ),
        }
    }
}

/// Role of a user (役割), MISSION A7 and S4-02 to S4-10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// 介護保険課 職員.
    Clerk,
    /// 地域包括ケア推進課 職員.
    CareClerk,
    /// 健康づくり課 職員.
    HealthClerk,
    /// 支援措置の担当責任者.
    LeadOfficer,
    /// 事業責任者.
    ProgrammeDirector,
    /// 運営管理責任者.
    OperationsManager,
    /// システム管理者.
    SystemAdministrator,
    /// 監査責任者.
    Auditor,
    /// 業務利用者 of an institution.
    Institution,
    /// 利用機関管理責任者.
    InstitutionManager,
    /// 委託先 取扱者.
    Contractor,
    /// 大学 従業者.
    Researcher,
    /// 対象者 (the citizen).
    Citizen,
    /// 代諾者.
    Proxy,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 14] = [
        Self::Clerk,
        Self::CareClerk,
        Self::HealthClerk,
        Self::LeadOfficer,
        Self::ProgrammeDirector,
        Self::OperationsManager,
        Self::SystemAdministrator,
        Self::Auditor,
        Self::Institution,
        Self::InstitutionManager,
        Self::Contractor,
        Self::Researcher,
        Self::Citizen,
        Self::Proxy,
    ];

    /// Code in the database, policies and trace.
    pub fn code(self) -> &'static str {
        match self {
            Self::Clerk => "clerk",
            Self::CareClerk => "care-clerk",
            Self::HealthClerk => "health-clerk",
            Self::LeadOfficer => "lead-officer",
            Self::ProgrammeDirector => "programme-director",
            Self::OperationsManager => "operations-manager",
            Self::SystemAdministrator => "system-administrator",
            Self::Auditor => "auditor",
            Self::Institution => "institution",
            Self::InstitutionManager => "institution-manager",
            Self::Contractor => "contractor",
            Self::Researcher => "researcher",
            Self::Citizen => "citizen",
            Self::Proxy => "proxy",
        }
    }

    /// The word on the screen.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Clerk => "介護保険課 職員",
            Self::CareClerk => "地域包括ケア推進課 職員",
            Self::HealthClerk => "健康づくり課 職員",
            Self::LeadOfficer => "支援措置の担当責任者",
            Self::ProgrammeDirector => "事業責任者",
            Self::OperationsManager => "運営管理責任者",
            Self::SystemAdministrator => "システム管理者",
            Self::Auditor => "監査責任者",
            Self::Institution => "業務利用者",
            Self::InstitutionManager => "利用機関管理責任者",
            Self::Contractor => "委託先 取扱者",
            Self::Researcher => "大学 従業者",
            Self::Citizen => "対象者（本人）",
            Self::Proxy => "代諾者",
        }
    }

    /// The role with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.code() == code)
    }
}

/// How the visitor proved who he is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthLevel {
    /// ID and the password the office gave out; only the change screen opens.
    PasswordInitial,
    /// ID and own password.
    Password,
    /// ID, own password and a passkey with user verification, or the town's face product (S0-48).
    Verified,
}

/// How long a verification (本人確認) counts as fresh, in microseconds of the steady clock.
pub const FRESH: i64 = 5 * 60 * 1_000_000;

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Org {
    /// Id.
    pub id: OrgId,
    /// Kind.
    pub kind: OrgKind,
    /// Name on the screen.
    pub name: String,
}

/// Data classes that a user may read and change at most; bits are the gate's classes. A scope
/// narrows what the role permits and never widens it (S4-28).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// Classes to read.
    pub read: u32,
    /// Classes to change.
    pub write: u32,
}

impl Scope {
    /// Everything that the role permits.
    pub const WHOLE: Self = Self {
        read: u32::MAX,
        write: u32::MAX,
    };
}

/// A role with its period, first and last moment in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Role.
    pub role: Role,
    /// First moment; none for always.
    pub from: Option<i64>,
    /// First moment after the last day; none for no end.
    pub until: Option<i64>,
}

impl Held {
    /// Whether the role may be used at this moment.
    pub fn holds(&self, now: i64) -> bool {
        self.from.is_none_or(|f| f <= now) && !self.over(now)
    }

    /// Whether its period has ended.
    pub fn over(&self, now: i64) -> bool {
        self.until.is_some_and(|end| end <= now)
    }
}

/// An account with its roles.
#[derive(Debug, Clone)]
pub struct Account {
    /// Id.
    pub id: UserId,
    /// Login name, folded.
    pub login: String,
    /// Name on the screen.
    pub name: String,
    /// Organisation.
    pub org: Org,
    /// The organisation has ended.
    pub org_ended: bool,
    /// Roles in force when the account was read, in the order of [`Role::ALL`].
    pub roles: Vec<Role>,
    /// All roles ever given, with their periods.
    pub held: Vec<Held>,
    /// Narrowed rights.
    pub scope: Scope,
    /// Terms of the organisation's contracts in force when the account was read.
    pub terms: Vec<Terms>,
    /// Raised by each revocation or change of rights.
    pub epoch: i64,
    /// Password hash in PHC text.
    pub(crate) password: String,
    /// The office gave it out.
    pub password_initial: bool,
    /// Until when the initial password works, microseconds.
    pub(crate) initial_expires: i64,
    /// The citizen behind the account.
    pub person: Option<PersonId>,
    /// May sign in.
    pub active: bool,
    /// First moment after the account's last day, microseconds; none for no end.
    pub(crate) valid_until: Option<i64>,
}

impl Account {
    /// Whether the account may be used at this moment (microseconds, wall clock): active, in its
    /// period, of an organisation that exists, and with a contract if that is a contractor (S0-64).
    pub fn usable(&self, now: i64) -> bool {
        self.active
            && self.valid_until.is_none_or(|end| now < end)
            && !self.org_ended
            && (self.org.kind != OrgKind::Contractor || !self.terms.is_empty())
    }

    /// Last day of the account in the office's calendar; none for no end.
    pub fn last_day(&self) -> Option<jiff::civil::Date> {
        self.valid_until.map(last_day)
    }
}

/// The last office day before the first moment after a period.
pub fn last_day(end: i64) -> jiff::civil::Date {
    mimamori_kernel::clock::Instant(end.saturating_sub(1)).office_day()
}

/// Digest of a session's secret; names the session inside the program.
pub type SessionId = [u8; 32];

/// Who asks, proved by a live session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// Account.
    pub user: UserId,
    /// Name on the screen.
    pub name: String,
    /// Organisation.
    pub org: OrgId,
    /// Its name.
    pub org_name: String,
    /// Its kind.
    pub org_kind: OrgKind,
    /// Role in use.
    pub role: Role,
    /// The account's epoch at sign-in.
    pub epoch: i64,
    /// Proof.
    pub auth: AuthLevel,
    /// The citizen behind the account.
    pub person: Option<PersonId>,
    /// Narrowed rights.
    pub scope: Scope,
    /// What the organisation's contracts name; only contractors have any.
    pub terms: Vec<Terms>,
    /// Session.
    pub session: SessionId,
    /// A designation as 特定個人情報取扱者 is in force (S0-46).
    pub handler: bool,
    /// The request comes from a registered terminal (S0-48); decided for each request.
    pub terminal: bool,
    /// When a passkey or the town's face product last verified the user, microseconds of the steady clock.
    pub verified: Option<i64>,
}

impl Visitor {
    /// Whether the user was verified at most [`FRESH`] ago, by the steady clock.
    pub fn fresh(&self, steady: i64) -> bool {
        self.verified
            .is_some_and(|at| (0..=FRESH).contains(&steady.saturating_sub(at)))
    }
}

/// The right to open sessions without a password; exists only for a data directory stamped `demo`.
#[derive(Debug, Clone, Copy)]
pub struct DemoGrant(());

impl DemoGrant {
    /// A grant when the environment is `demo`, otherwise none.
    pub fn from_environment(environment: &str) -> Option<Self> {
        (environment == "demo").then_some(Self(()))
    }
}
