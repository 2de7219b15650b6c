//! The course of one package (受渡しの進み方): pure. PROTECTION section 5, S1-43, S1-47, S2-42, S2-55, TK-11, TK-12.
//!
//! Requested, approved by two, sealed, carriers named, handed over, received, slip released, opened, returned and erased,
//! certificate checked, closed. Who did what decides what may follow.

use mimamori_kernel::id::UserId;

/// How a package travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// LGWAN-ASP: an officer uploads it at the provider's page (S1-20).
    Folder,
    /// A medium that two officers carry (S1-43, S2-42).
    Medium,
}

impl Channel {
    /// All.
    pub const ALL: [Self; 2] = [Self::Folder, Self::Medium];

    /// Code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::Medium => "medium",
        }
    }

    /// Word of the office.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Folder => "LGWAN回線（職員が提供者の画面で送受信）",
            Self::Medium => "電磁的媒体（手渡し）",
        }
    }
}

/// What opens a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Opening {
    /// The partner's registered key, in an `age` file.
    Key,
    /// The slip's passphrase, in an `age` file.
    Slip,
    /// The slip's passphrase, in a ZIP archive.
    SlipZip,
}

impl Opening {
    /// All.
    pub const ALL: [Self; 3] = [Self::Key, Self::Slip, Self::SlipZip];

    /// Code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Slip => "slip",
            Self::SlipZip => "slip-zip",
        }
    }

    /// Word of the office.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Key => "相手の登録済みの鍵（age）",
            Self::Slip => "パスワード通知書（age）",
            Self::SlipZip => "パスワード通知書（AES-256のZIP、7-Zip用）",
        }
    }

    /// Whether a slip is needed.
    pub fn has_slip(self) -> bool {
        self != Self::Key
    }
}

/// An occasion of handing over (機会): the minute, counted since 1970, that stands in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Occasion(pub i64);

/// What happens to a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// An officer approves the manifest.
    Approve(UserId),
    /// It is taken back before it leaves.
    Withdraw(UserId),
    /// It is sealed.
    Seal(UserId),
    /// Two carriers are named.
    Carriers(UserId, [UserId; 2]),
    /// It is handed over, or uploaded.
    HandOver(UserId, Occasion),
    /// The partner's receipt is recorded.
    Receive(UserId, Occasion),
    /// The slip is handed over.
    ReleaseSlip(UserId, Occasion),
    /// The partner's opening receipt came.
    Open(UserId),
    /// Medium and slip came back.
    Return(UserId),
    /// The erasure certificate came.
    Certificate(UserId),
    /// An officer checked the certificate.
    Check(UserId),
    /// The end.
    Close(UserId),
}

impl Event {
    /// Code in the table of events.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Approve(_) => "approve",
            Self::Withdraw(_) => "withdraw",
            Self::Seal(_) => "seal",
            Self::Carriers(..) => "carriers",
            Self::HandOver(..) => "hand-over",
            Self::Receive(..) => "receive",
            Self::ReleaseSlip(..) => "release-slip",
            Self::Open(_) => "open",
            Self::Return(_) => "return",
            Self::Certificate(_) => "certificate",
            Self::Check(_) => "check",
            Self::Close(_) => "close",
        }
    }

    /// Word of the office.
    pub fn japanese(&self) -> &'static str {
        match self {
            Self::Approve(_) => "承認",
            Self::Withdraw(_) => "取下げ",
            Self::Seal(_) => "封入",
            Self::Carriers(..) => "運搬者の指名",
            Self::HandOver(..) => "引渡し",
            Self::Receive(..) => "受領の記録",
            Self::ReleaseSlip(..) => "パスワード通知書の引渡し",
            Self::Open(_) => "開封の記録",
            Self::Return(_) => "返却の記録",
            Self::Certificate(_) => "消去証明書の受領",
            Self::Check(_) => "消去証明書の確認",
            Self::Close(_) => "完了",
        }
    }
}

/// Why an event does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misstep {
    /// It is closed or was taken back.
    #[error("この受渡しは終わっています。")]
    Over,
    /// Who asked may not approve.
    #[error("申請した人は承認できません。ほかの職員が承認してください。")]
    Asker,
    /// One person approved before.
    #[error("同じ人は二度承認できません。もう一人の職員が承認してください。")]
    SameApprover,
    /// An earlier step is missing, or this one was done.
    #[error("いまの段階では、この手続はできません。")]
    Order,
    /// It is too late to take it back.
    #[error("引き渡したあとは取り下げられません。返却と消去の手続を進めてください。")]
    Left,
    /// One carrier alone.
    #[error("運搬は、別の2人の職員を指名してください。")]
    OneCarrier,
    /// The receipt lies before the handing over.
    #[error("受領の日時が、引渡しより前です。")]
    Before,
    /// The slip on the same occasion as the medium.
    #[error(
        "パスワード通知書は、媒体の受渡しとは別の機会に渡してください。受領より後の日時が必要です。"
    )]
    SameOccasion,
    /// A carrier of the medium hands over the slip.
    #[error("パスワード通知書は、媒体を運んだ人・送信した人とは別の職員が渡してください。")]
    Carrier,
    /// The medium or the slip did not come back.
    #[error("媒体とパスワード通知書の返却が、まだ記録されていません。")]
    NotReturned,
}

/// Where a package stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Waits for approvals.
    Requested,
    /// Two approved.
    Approved,
    /// Sealed.
    Sealed,
    /// Carriers named.
    Carried,
    /// Handed over or uploaded.
    HandedOver,
    /// Received.
    Received,
    /// Slip handed over.
    SlipReleased,
    /// Opened.
    Opened,
    /// Medium and slip returned.
    Returned,
    /// Certificate came.
    Certified,
    /// Certificate checked.
    Checked,
    /// Closed.
    Closed,
    /// Taken back.
    Withdrawn,
}

impl Stage {
    /// All.
    pub const ALL: [Self; 13] = [
        Self::Requested,
        Self::Approved,
        Self::Sealed,
        Self::Carried,
        Self::HandedOver,
        Self::Received,
        Self::SlipReleased,
        Self::Opened,
        Self::Returned,
        Self::Certified,
        Self::Checked,
        Self::Closed,
        Self::Withdrawn,
    ];

    /// Code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Approved => "approved",
            Self::Sealed => "sealed",
            Self::Carried => "carried",
            Self::HandedOver => "handed-over",
            Self::Received => "received",
            Self::SlipReleased => "slip-released",
            Self::Opened => "opened",
            Self::Returned => "returned",
            Self::Certified => "certified",
            Self::Checked => "checked",
            Self::Closed => "closed",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Word of the office.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Requested => "承認待ち",
            Self::Approved => "承認済み（二人）",
            Self::Sealed => "封入済み",
            Self::Carried => "運搬者を指名済み",
            Self::HandedOver => "引渡し済み",
            Self::Received => "受領を確認済み",
            Self::SlipReleased => "通知書を引渡し済み",
            Self::Opened => "開封を確認済み",
            Self::Returned => "返却済み",
            Self::Certified => "消去証明書を受領",
            Self::Checked => "消去証明書を確認済み",
            Self::Closed => "完了",
            Self::Withdrawn => "取下げ",
        }
    }

    /// Whether data may still be with the partner.
    pub fn is_outside(self) -> bool {
        matches!(
            self,
            Self::HandedOver
                | Self::Received
                | Self::SlipReleased
                | Self::Opened
                | Self::Returned
                | Self::Certified
                | Self::Checked
        )
    }
}

/// What was done with one package; it changes by events alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Course {
    channel: Channel,
    opening: Opening,
    asker: UserId,
    approvers: Vec<UserId>,
    stage: Stage,
    carriers: Option<[UserId; 2]>,
    sender: Option<UserId>,
    handed: Option<Occasion>,
    received: Option<Occasion>,
}

impl Course {
    /// A package that somebody asked for.
    pub fn new(channel: Channel, opening: Opening, asker: UserId) -> Self {
        Self {
            channel,
            opening,
            asker,
            approvers: vec![],
            stage: Stage::Requested,
            carriers: None,
            sender: None,
            handed: None,
            received: None,
        }
    }

    /// Where it stands.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Who approved.
    pub fn approvers(&self) -> &[UserId] {
        &self.approvers
    }

    /// Who carries the medium.
    pub fn carriers(&self) -> Option<[UserId; 2]> {
        self.carriers
    }

    /// The course after an event.
    ///
    /// # Errors
    /// [`Misstep`]; the course is as it was.
    pub fn then(&self, event: Event) -> Result<Self, Misstep> {
        use Stage as S;
        let stage = self.stage;
        if matches!(stage, S::Closed | S::Withdrawn) {
            return Err(Misstep::Over);
        }
        let mut next = self.clone();
        next.stage = match event {
            Event::Approve(by) => {
                expect(stage, &[S::Requested])?;
                if by == self.asker {
                    return Err(Misstep::Asker);
                }
                if self.approvers.contains(&by) {
                    return Err(Misstep::SameApprover);
                }
                next.approvers.push(by);
                match next.approvers.len() {
                    2 => S::Approved,
                    _ => S::Requested,
                }
            }
            Event::Withdraw(_) if stage.is_outside() => return Err(Misstep::Left),
            Event::Withdraw(_) => S::Withdrawn,
            Event::Seal(_) => {
                expect(stage, &[S::Approved])?;
                S::Sealed
            }
            Event::Carriers(_, [first, second]) => {
                expect(stage, &[S::Sealed])?;
                if self.channel != Channel::Medium {
                    return Err(Misstep::Order);
                }
                if first == second {
                    return Err(Misstep::OneCarrier);
                }
                next.carriers = Some([first, second]);
                S::Carried
            }
            Event::HandOver(by, at) => {
                let before = match self.channel {
                    Channel::Medium => S::Carried,
                    Channel::Folder => S::Sealed,
                };
                expect(stage, &[before])?;
                next.sender = Some(by);
                next.handed = Some(at);
                S::HandedOver
            }
            Event::Receive(_, at) => {
                expect(stage, &[S::HandedOver])?;
                if self.handed.is_none_or(|handed| at < handed) {
                    return Err(Misstep::Before);
                }
                next.received = Some(at);
                S::Received
            }
            Event::ReleaseSlip(by, at) => {
                expect(stage, &[S::Received])?;
                if !self.opening.has_slip() {
                    return Err(Misstep::Order);
                }
                if self.sender == Some(by) || self.carriers.is_some_and(|c| c.contains(&by)) {
                    return Err(Misstep::Carrier);
                }
                if self.received.is_none_or(|received| at <= received) {
                    return Err(Misstep::SameOccasion);
                }
                S::SlipReleased
            }
            Event::Open(_) => {
                let before = match self.opening.has_slip() {
                    true => S::SlipReleased,
                    false => S::Received,
                };
                expect(stage, &[before])?;
                S::Opened
            }
            Event::Return(_) => {
                // It may come back unopened.
                expect(stage, &[S::Received, S::SlipReleased, S::Opened])?;
                S::Returned
            }
            Event::Certificate(_) => {
                if self.has_things() && stage != S::Returned {
                    expect(stage, &[S::Received, S::SlipReleased, S::Opened])?;
                    return Err(Misstep::NotReturned);
                }
                expect(stage, &[S::Received, S::Opened, S::Returned])?;
                S::Certified
            }
            Event::Check(_) => {
                expect(stage, &[S::Certified])?;
                S::Checked
            }
            Event::Close(_) => {
                expect(stage, &[S::Checked])?;
                S::Closed
            }
        };
        Ok(next)
    }

    /// Whether something can come back: a medium or a slip (S1-47).
    fn has_things(&self) -> bool {
        self.channel == Channel::Medium || self.opening.has_slip()
    }
}

fn expect(stage: Stage, any: &[Stage]) -> Result<(), Misstep> {
    match any.contains(&stage) {
        true => Ok(()),
        false => Err(Misstep::Order),
    }
}
