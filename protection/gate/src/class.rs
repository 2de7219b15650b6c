/// Class of a data item; every column of every table has exactly one (DESIGN section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Class {
    /// 個人番号.
    Number = 0,
    /// Name, kana, birth date, sex, the town's own person number.
    Identity = 1,
    /// Telephone.
    Contact = 2,
    /// Address, postal code, building.
    Address = 3,
    /// Household and place in it.
    Household = 4,
    /// Insurance: insured-person number, qualification.
    Insurance = 5,
    /// Residency events: moving, death.
    Residency = 6,
    /// The flag of support measures (支援措置) and the like.
    RestrictedFlag = 7,
    /// The trace itself.
    AccessLog = 8,
    /// Counts without persons.
    Aggregate = 9,
    /// Keys, versions and states that say nothing about a person.
    Technical = 10,
    /// Officers, partners' people and their accounts: what the office knows of its own users.
    Staff = 11,
    /// 個人番号の管理情報: item ㊸ without the number itself (P-43, 想定).
    NumberRecord = 12,
    /// Health: results of checks and of family doctors, diseases, treatment, guidance (S1-17, S1-18; 要配慮個人情報).
    Health = 13,
}

impl Class {
    /// All classes.
    pub const ALL: [Self; 14] = [
        Self::Number,
        Self::Identity,
        Self::Contact,
        Self::Address,
        Self::Household,
        Self::Insurance,
        Self::Residency,
        Self::RestrictedFlag,
        Self::AccessLog,
        Self::Aggregate,
        Self::Technical,
        Self::Staff,
        Self::NumberRecord,
        Self::Health,
    ];

    /// Code in policies and `items.toml`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Identity => "identity",
            Self::Contact => "contact",
            Self::Address => "address",
            Self::Household => "household",
            Self::Insurance => "insurance",
            Self::Residency => "residency",
            Self::RestrictedFlag => "restricted-flag",
            Self::AccessLog => "access-log",
            Self::Aggregate => "aggregate",
            Self::Technical => "technical",
            Self::Staff => "staff",
            Self::NumberRecord => "number-record",
            Self::Health => "health",
        }
    }

    /// The word on the screen.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Number => "個人番号",
            Self::Identity => "基本情報",
            Self::Contact => "電話番号",
            Self::Address => "住所",
            Self::Household => "世帯",
            Self::Insurance => "被保険者資格",
            Self::Residency => "異動",
            Self::RestrictedFlag => "支援措置",
            Self::AccessLog => "閲覧記録",
            Self::Aggregate => "集計",
            Self::Technical => "管理項目",
            Self::Staff => "職員・利用者の情報",
            Self::NumberRecord => "個人番号の管理情報",
            Self::Health => "健康情報",
        }
    }

    /// Whether a user's own scope or a contract can leave this class out: what is about residents.
    /// The rest (counts, the office's own records, the trace) follows the role alone.
    pub fn about_residents(self) -> bool {
        !matches!(
            self,
            Self::Staff | Self::Aggregate | Self::Technical | Self::AccessLog
        )
    }

    /// Whether the class belongs to the individual number: open to designated handlers alone (S0-46).
    pub fn of_number(self) -> bool {
        matches!(self, Self::Number | Self::NumberRecord)
    }

    /// The class with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.code() == code)
    }
}

/// A set of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Classes(u32);

impl Classes {
    /// The set of these.
    pub fn of(classes: &[Class]) -> Self {
        Self(classes.iter().fold(0, |bits, c| bits | 1 << (*c as u8)))
    }
    /// The set with these bits, as a line of the trace keeps it.
    pub fn from_bits(bits: u32) -> Self {
        Self(bits)
    }
    /// Bits for the trace.
    pub fn bits(self) -> u32 {
        self.0
    }
    /// Adds one.
    pub fn insert(&mut self, class: Class) {
        self.0 |= 1 << (class as u8);
    }
    /// Whether it is in; technical columns always are.
    pub fn contains(self, class: Class) -> bool {
        class == Class::Technical || self.0 & 1 << (class as u8) != 0
    }
    /// Nothing in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
    /// The members in order.
    pub fn iter(self) -> impl Iterator<Item = Class> {
        Class::ALL
            .into_iter()
            .filter(move |c| self.0 & 1 << (*c as u8) != 0)
    }
}
