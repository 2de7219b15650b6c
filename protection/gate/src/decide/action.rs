//! Actions, purposes and rooms: the closed lists that questions are made of.

use crate::class::Class;

/// An action that has a route or a job; each room declares its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Action {
    code: &'static str,
    japanese: &'static str,
    classes: &'static [Class],
    out: Option<u32>,
    grant: bool,
}

impl Action {
    /// `code` is `noun.verb`, the same word in route, policy, trace and manual; `classes` are all
    /// that the action can touch.
    pub const fn new(
        code: &'static str,
        japanese: &'static str,
        classes: &'static [Class],
    ) -> Self {
        Self {
            code,
            japanese,
            classes,
            out: None,
            grant: false,
        }
    }

    /// The same as a counted way out of the system on site (print, list download), for `cap`
    /// persons at most: it needs a reason and leaves a stamp ([`crate::Stamp`]).
    pub const fn way_out(self, cap: u32) -> Self {
        Self {
            out: Some(cap),
            ..self
        }
    }

    /// The same as an act that gives somebody rights: it needs a fresh verification ([`super::StepUp`]).
    pub const fn granting(self) -> Self {
        Self {
            grant: true,
            ..self
        }
    }

    /// Whether the action gives somebody rights.
    pub fn grants(self) -> bool {
        self.grant
    }

    /// Whether one of its classes belongs to the individual number.
    pub fn of_number(self) -> bool {
        self.classes.iter().any(|c| c.of_number())
    }

    /// Persons that may leave at once; `None` when the action only shows or changes.
    pub fn cap(self) -> Option<u32> {
        self.out
    }

    /// `noun.verb`.
    pub fn code(self) -> &'static str {
        self.code
    }

    /// Classes that the action can touch.
    pub fn classes(self) -> &'static [Class] {
        self.classes
    }

    /// The word on a screen.
    pub fn japanese(self) -> &'static str {
        self.japanese
    }
}

/// Closed list of purposes, bound to the route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// 介護保険に関する事務.
    CareInsurance,
    /// 地域包括ケア・ケアマネジメント.
    CareManagement,
    /// 地域支援事業に関する事務 (S0-13).
    CommunitySupport,
    /// 糖尿病性腎症等重症化予防事業 (S1-02).
    KidneyPrevention,
    /// The person looks at his own data (本人の確認).
    Own,
    /// Running the system.
    Operation,
    /// 利用状況の監査 (S4-101).
    Audit,
}

impl Purpose {
    /// All purposes.
    pub const ALL: [Self; 7] = [
        Self::CareInsurance,
        Self::CareManagement,
        Self::CommunitySupport,
        Self::KidneyPrevention,
        Self::Own,
        Self::Operation,
        Self::Audit,
    ];

    /// Code.
    pub fn code(self) -> &'static str {
        match self {
            Self::CareInsurance => "care-insurance",
            Self::CareManagement => "care-management",
            Self::CommunitySupport => "community-support",
            Self::KidneyPrevention => "kidney-prevention",
            Self::Own => "own",
            Self::Operation => "operation",
            Self::Audit => "audit",
        }
    }
    /// The word on a screen.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::CareInsurance => "介護保険に関する事務",
            Self::CareManagement => "地域包括ケアに関する事務",
            Self::CommunitySupport => "地域支援事業に関する事務",
            Self::KidneyPrevention => "糖尿病性腎症等重症化予防事業に関する事務",
            Self::Own => "本人による確認",
            Self::Operation => "システムの運用",
            Self::Audit => "利用状況の監査",
        }
    }
}

/// What a room brings to the gate.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Name of the room.
    pub name: &'static str,
    /// Cedar policies.
    pub policies: &'static str,
    /// `items.toml`; its tables are named `ROOM_...`, with `_` for `-` in the room's name.
    pub items: &'static str,
    /// Actions with a route or a job.
    pub actions: &'static [Action],
    /// Tables of other rooms that this room's jobs may read (declared extract).
    pub extracts: &'static [&'static str],
}
