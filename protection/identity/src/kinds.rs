/// What an organisation is (組織の種別).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OrgKind {
    /// A department of the town (市の部署).
    Department,
    /// A company under contract (委託先).
    Contractor,
    /// A permitted institution (利用機関, S4-06).
    Institution,
    /// A university under agreement (大学).
    University,
    /// The citizens' side (市民).
    Citizens,
}

impl OrgKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Department, Self::Contractor, Self::Institution, Self::University, Self::Citizens];

    /// The word in the database, in policies and in the trace.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Department => "department",
            Self::Contractor => "contractor",
            Self::Institution => "institution",
            Self::University => "university",
            Self::Citizens => "citizens",
        }
    }

    /// The word on the screen.
    pub const fn japanese(self) -> &'static str {
        match self {
            Self::Department => "市の部署",
            Self::Contractor => "委託先",
            Self::Institution => "利用機関",
            Self::University => "大学",
            Self::Citizens => "市民",
        }
    }

    /// The kind with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Whether a member of such an organisation may hold the role at all (S4-03).
    pub const fn may_hold(self, role: Role) -> bool {
        matches!(
            (self, role),
            (
                Self::Department,
                Role::Clerk
                    | Role::CareClerk
                    | Role::LeadOfficer
                    | Role::ProgrammeDirector
                    | Role::OperationsManager
                    | Role::SystemAdministrator
                    | Role::Auditor
            ) | (Self::Contractor, Role::Contractor)
                | (Self::Institution, Role::Institution | Role::InstitutionManager)
                | (Self::University, Role::Researcher)
                | (Self::Citizens, Role::Citizen | Role::Proxy)
        )
    }
}

/// What somebody is here to do (役割). One session acts in one role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// 介護保険課 職員.
    Clerk,
    /// 地域包括ケア推進課 職員.
    CareClerk,
    /// 支援措置の担当責任者.
    LeadOfficer,
    /// 事業責任者 (S4-02).
    ProgrammeDirector,
    /// 運営管理責任者 (S4-10).
    OperationsManager,
    /// システム管理者 (S0-44, S4-10).
    SystemAdministrator,
    /// 監査責任者; never the same person as a system administrator (S4-24, S4-25).
    Auditor,
    /// 業務利用者 of an institution (S4-08).
    Institution,
    /// 利用機関管理責任者.
    InstitutionManager,
    /// 委託先 取扱者 (TK-2).
    Contractor,
    /// 大学 従業者.
    Researcher,
    /// 対象者 (S4-04).
    Citizen,
    /// 代諾者 (S4-05).
    Proxy,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 13] = [
        Self::Clerk,
        Self::CareClerk,
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

    /// The word in the database, in policies and in the trace.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Clerk => "clerk",
            Self::CareClerk => "care-clerk",
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

    /// The words on the screen.
    pub const fn japanese(self) -> &'static str {
        match self {
            Self::Clerk => "介護保険課 職員",
            Self::CareClerk => "地域包括ケア推進課 職員",
            Self::LeadOfficer => "支援措置の担当責任者",
            Self::ProgrammeDirector => "事業責任者",
            Self::OperationsManager => "運営管理責任者",
            Self::SystemAdministrator => "システム管理者",
            Self::Auditor => "監査責任者",
            Self::Institution => "業務利用者",
            Self::InstitutionManager => "利用機関管理責任者",
            Self::Contractor => "委託先 取扱者",
            Self::Researcher => "大学 従業者",
            Self::Citizen => "対象者",
            Self::Proxy => "代諾者",
        }
    }

    /// The role with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }

    /// The role that the same person may never hold beside this one (S4-25).
    pub const fn excludes(self) -> Option<Self> {
        match self {
            Self::Auditor => Some(Self::SystemAdministrator),
            Self::SystemAdministrator => Some(Self::Auditor),
            _ => None,
        }
    }
}

/// How sure we are who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AuthLevel {
    /// The password that the office handed out; good for changing it and nothing else (S4-73).
    PasswordInitial,
    /// The person's own password.
    Password,
    /// A passkey with user verification; not issued yet.
    Verified,
}
