use mimamori_kernel::id::{OrgId, PersonId, UserId};

use crate::{AuthLevel, OrgKind, Role};

/// A digest of the cookie: names the session and cannot be turned back into it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId(pub(crate) [u8; 32]);

impl SessionId {
    /// The 32 bytes, for binding form tokens to the session.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for SessionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SessionId({:02x}{:02x}..)", self.0[0], self.0[1])
    }
}

/// Who a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// The account.
    pub user: UserId,
    /// Its login, folded.
    pub login: String,
    /// The name that every page shows.
    pub name: String,
    /// The organisation.
    pub org: OrgId,
    /// Its name.
    pub org_name: String,
    /// Its kind.
    pub org_kind: OrgKind,
    /// The role of this session.
    pub role: Role,
    /// The account's epoch at sign-in; the committer compares it before it writes.
    pub epoch: i64,
    /// How sure we are.
    pub auth: AuthLevel,
    /// The person in the register, for citizens and proxies.
    pub person: Option<PersonId>,
    /// The session.
    pub session: SessionId,
    /// Locked: only the password or leaving helps.
    pub locked: bool,
}

/// Why a session is over; the next request is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The same account signed in elsewhere (S4-72).
    OtherSignIn,
    /// The account or a role was withdrawn (S4-76).
    Revoked,
    /// The longest time of a session is over.
    Absolute,
    /// The account's last day has passed (TK-2).
    ValidityEnded,
    /// Signed out.
    SignedOut,
    /// Not known here: the program restarted, or the cookie was made up.
    Unknown,
}

impl EndReason {
    /// What the sign-in page says.
    pub const fn japanese(self) -> &'static str {
        match self {
            Self::OtherSignIn => "同じIDで別の端末からサインインがあったため、この画面は終了しました。心当たりがないときは、すぐに運営管理責任者へご連絡ください。",
            Self::Revoked => "このIDの利用は停止されました。運営管理責任者へお問い合わせください。",
            Self::Absolute => "サインインから長い時間がたったため終了しました。もう一度サインインしてください。",
            Self::ValidityEnded => "このIDの利用期間が終わりました。運営管理責任者へお問い合わせください。",
            Self::SignedOut => "サインアウトしました。",
            Self::Unknown => "サインインの記録がありません。もう一度サインインしてください。",
        }
    }
}

/// What a cookie stands for right now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionState {
    /// No cookie, or one that is not of our shape.
    None,
    /// Signed in.
    Live(Visitor),
    /// Signed in and locked; show nothing of a person.
    Locked(Visitor),
    /// Was signed in.
    Ended(EndReason),
}
