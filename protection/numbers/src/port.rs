//! What goes over the socket between the web process and the room: one JSON object a line. Never a number.

use std::collections::BTreeMap;

use mimamori_kernel::id::{NumberRef, TicketId, UserId};
use serde::{Deserialize, Serialize};

use crate::vault::Known;

/// Longest line on the socket, bytes.
pub(crate) const LONGEST: usize = 8 * 1024 * 1024;

/// Ids as their 32 hexadecimal digits.
mod text {
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub fn serialize<T: std::fmt::Display, S: Serializer>(id: &T, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(id)
    }

    pub fn deserialize<'de, T: std::str::FromStr, D: Deserializer<'de>>(
        d: D,
    ) -> Result<T, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(|_| serde::de::Error::custom("no id"))
    }
}

/// The same where there may be none.
mod maybe {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub fn serialize<T: std::fmt::Display, S: Serializer>(
        id: &Option<T>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        id.as_ref().map(ToString::to_string).serialize(s)
    }

    pub fn deserialize<'de, T: std::str::FromStr, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Option<T>, D::Error> {
        let text = Option::<String>::deserialize(d)?;
        text.map(|t| t.parse().map_err(|_| serde::de::Error::custom("no id")))
            .transpose()
    }
}

/// What a ticket is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// 照会: shows the number of a person.
    Reveal,
    /// 検索: finds who has a number.
    Find,
    /// 登録: a first number.
    Register,
    /// 訂正: another number.
    Correct,
    /// 削除.
    Delete,
    /// 一括登録 from a file.
    Load,
}

impl Kind {
    /// The kind with a code.
    pub(crate) fn named(code: &str) -> Option<Self> {
        let all = [
            Self::Reveal,
            Self::Find,
            Self::Register,
            Self::Correct,
            Self::Delete,
            Self::Load,
        ];
        all.into_iter().find(|kind| kind.code() == code)
    }

    /// Code in outcomes and lines.
    pub fn code(self) -> &'static str {
        match self {
            Self::Reveal => "reveal",
            Self::Find => "find",
            Self::Register => "register",
            Self::Correct => "correct",
            Self::Delete => "delete",
            Self::Load => "load",
        }
    }
}

/// How a number was obtained (P-43, assumed).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obtained {
    /// Day, ISO.
    pub acquired: String,
    /// Code of the way.
    pub method: String,
    /// Code of how the person was identified (番号法16条).
    pub proof: String,
}

impl From<Known> for Obtained {
    fn from(known: Known) -> Self {
        Self {
            acquired: known.acquired,
            method: known.method,
            proof: known.proof,
        }
    }
}

impl From<Obtained> for Known {
    fn from(told: Obtained) -> Self {
        Self {
            acquired: told.acquired,
            method: told.method,
            proof: told.proof,
        }
    }
}

/// A ticket that the web process asks for, after the gate permitted it and its line is durable.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    /// What for.
    pub kind: Kind,
    /// Whose number; none for a search and a load.
    #[serde(with = "maybe")]
    pub reference: Option<NumberRef>,
    /// Who.
    #[serde(with = "text")]
    pub user: UserId,
    /// SHA-256 of the session's cookie, hexadecimal.
    pub session: String,
    /// The line behind the permit.
    pub line: i64,
    /// How the number was obtained, for a registration, correction or load.
    #[serde(default)]
    pub obtained: Obtained,
    /// 宛名番号 of the person; the connector to 統合宛名 names the person by it.
    #[serde(default)]
    pub address_number: String,
}

/// Ways in which a number is obtained: code and word (想定, P-43).
pub const METHODS: [(&str, &str); 4] = [
    ("application", "本人または代理人からの申請書"),
    ("register", "住民基本台帳（住基ネットを含む）の確認"),
    ("joint", "統合宛名システムの照会"),
    ("office", "他の課からの法令による提供"),
];

/// How the person was identified when the number was obtained (番号法16条; the list is assumed, P-43).
pub const PROOFS: [(&str, &str); 5] = [
    ("card", "個人番号カード"),
    ("notice", "番号の確認書類と、顔写真つきの身分証"),
    ("two", "番号の確認書類と、顔写真のない身分証2点"),
    ("proxy", "代理権の確認と、代理人の身分証"),
    ("none", "本人からの提供ではないため、なし"),
];

/// An act on a person's number in the past.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Past {
    /// register, correct, delete.
    pub act: String,
    /// When, microseconds since 1970 UTC.
    pub at: i64,
    /// Line of the trace behind it.
    pub line: i64,
    /// How the number was obtained.
    pub known: Obtained,
}

/// Item ㊸ of one person without the number.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Management {
    /// How it was obtained, first registered, last changed (microseconds); none without a number.
    pub held: Option<(Obtained, i64, i64)>,
    /// Newest first.
    pub history: Vec<Past>,
}

/// What came of a ticket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outcome {
    /// Which.
    #[serde(with = "text")]
    pub ticket: TicketId,
    /// Code of [`Kind`], or `rotate`.
    pub kind: String,
    /// done, taken, exists, missing, same, found, none; stopped: a load that did not go to its end; void: nothing came of it.
    pub outcome: String,
    /// The line of the permit.
    pub line: i64,
    /// Whose number.
    #[serde(with = "maybe")]
    pub reference: Option<NumberRef>,
    /// Rows registered by a load.
    pub rows: i64,
    /// Rows refused by a load.
    pub refused: i64,
    /// When, microseconds.
    pub at: i64,
}

/// How far a rotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Active version of the keys.
    pub version: i64,
    /// Records.
    pub count: i64,
    /// Records under an older version.
    pub old: i64,
    /// An older version is still kept.
    pub running: bool,
}

/// What the web process asks.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    /// The state of the room.
    Hello,
    /// A ticket.
    Ticket(Order),
    /// Deletes the number behind a reference, for the line; needs no screen of the room.
    Delete(String, i64),
    /// Item ㊸ without the number.
    Management(String),
    /// References with a number, after one.
    Held(Option<String>),
    /// What came of tickets and is not acknowledged.
    Outcomes,
    /// The register wrote these down.
    Acknowledge(Vec<String>),
    /// References by 宛名番号 for the load that this ticket opens.
    People {
        /// The ticket.
        ticket: String,
        /// 宛名番号 and reference.
        people: BTreeMap<String, String>,
    },
    /// Begins a rotation.
    Rotate,
    /// A session is over (SHA-256 of its cookie, hexadecimal): its tickets are worth nothing, its loads stop.
    ForgetSession(String),
    /// The same for every session of a user.
    ForgetUser(String),
    /// About the connector to 統合宛名.
    Link(crate::link::LinkAsk),
}

/// What the room answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// Done.
    Done,
    /// State: epoch of the database, and keys.
    State {
        /// Raised by each change.
        epoch: i64,
        /// Keys and records.
        progress: Progress,
        /// Port at which browsers reach the room.
        port: u16,
    },
    /// A ticket.
    Ticket(String),
    /// Too many in the hour; seconds until another try.
    Limited(u64),
    /// Item ㊸.
    Management(Management),
    /// References.
    Held(Vec<String>),
    /// Outcomes.
    Outcomes(Vec<Outcome>),
    /// About the connector to 統合宛名.
    Link(crate::link::LinkTold),
    /// Code of an error.
    Failed(String),
}

/// One line from the web process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub id: u64,
    pub call: Call,
}

/// One line from the room.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Answered {
    pub id: u64,
    pub reply: Reply,
}
