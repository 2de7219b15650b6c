//! Sign-in, unlocking, and reading accounts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mimamori_kernel::clock::Clock;
use mimamori_kernel::id::UserId;
use mimamori_kernel::random::Random;
use mimamori_storage::{Db, Statement};
use tokio::sync::Semaphore;

use crate::attempts::{Attempts, Counted};
use crate::contract;
use crate::designation::Place;
use crate::desk::{self, Desk};
use crate::error::IdentityError;
use crate::model::{Account, AuthLevel, DemoGrant, OrgKind, Role, SessionId, Visitor};
use crate::passkey::asks_for_passkey;
use crate::password::{Kdf, verify};
use crate::proof::Proofs;
use crate::reading::{account_by_id, account_by_login, accounts};
use crate::sessions::{EndReason, Limits, SessionState, Sessions};

/// A successful sign-in.
#[derive(Debug)]
pub struct SignedIn {
    /// Secret for the cookie, 64 hexadecimal digits.
    pub cookie: String,
    /// Who.
    pub visitor: Visitor,
    /// The passkey is still to come ([`SessionState::Waiting`]).
    pub waiting: bool,
    /// Another session of this user was ended.
    pub ended_other: bool,
    /// Writes that belong into the transaction of the sign-in's line: the desk is known from now on.
    pub changes: Vec<Statement>,
}

pub(crate) struct Shared {
    pub(crate) db: Db,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    kdf: Kdf,
    pub(crate) sessions: Sessions,
    attempts: Attempts,
    kdf_room: Arc<Semaphore>,
    dummy: String,
    verified: AtomicU64,
}

/// Identity of one instance. Cheap to clone.
#[derive(Clone)]
pub struct Identity(pub(crate) Arc<Shared>, pub(crate) Arc<Proofs>);

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

/// Login names are folded: full width to half, upper to lower case.
fn fold(login: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    login.trim().nfkc().collect::<String>().to_lowercase()
}

/// Name of a session inside the program: says nothing about the cookie.
fn digest(cookie: &str) -> SessionId {
    use sha2::Digest as _;
    sha2::Sha256::digest(cookie.as_bytes()).into()
}

impl Identity {
    /// Identity over a database.
    pub fn new(
        db: Db,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        kdf: Kdf,
        limits: Limits,
    ) -> Result<Self, IdentityError> {
        let dummy = kdf.hash("nobody has this password", &*random)?;
        let shared = Shared {
            db,
            clock,
            random,
            kdf,
            sessions: Sessions::new(limits),
            attempts: Attempts::default(),
            kdf_room: Arc::new(Semaphore::new(2)),
            dummy,
            verified: AtomicU64::new(0),
        };
        Ok(Self(Arc::new(shared), Arc::default()))
    }

    /// The same with passkeys and the town's face product.
    #[must_use]
    pub fn with_proofs(self, proofs: Proofs) -> Self {
        Self(self.0, Arc::new(proofs))
    }

    /// Cost of the password function.
    pub fn kdf(&self) -> Kdf {
        self.0.kdf
    }

    /// Password verifications done so far; the test of equal work counts them.
    pub fn verifications(&self) -> u64 {
        self.0.verified.load(Ordering::Relaxed)
    }

    /// Idle limit for the screen's own lock.
    pub fn idle(&self) -> std::time::Duration {
        self.0.sessions.idle()
    }

    /// Sessions that are not over.
    pub fn live_sessions(&self) -> usize {
        self.0.sessions.live()
    }

    /// The account with this login.
    pub async fn by_login(&self, login: &str) -> Result<Option<Account>, IdentityError> {
        let now = self.0.clock.now().0;
        Ok(account_by_login(&self.0.db, fold(login), now).await?)
    }

    /// The account with this id.
    pub async fn account(&self, user: &UserId) -> Result<Option<Account>, IdentityError> {
        Ok(account_by_id(&self.0.db, user, self.0.clock.now().0).await?)
    }

    /// All accounts by login.
    pub async fn accounts(&self) -> Result<Vec<Account>, IdentityError> {
        Ok(accounts(&self.0.db, self.0.clock.now().0).await?)
    }

    async fn verify(&self, phc: String, password: &str) -> bool {
        self.0.verified.fetch_add(1, Ordering::Relaxed);
        let password = password.to_owned();
        let Ok(room) = self.0.kdf_room.clone().acquire_owned().await else {
            return false;
        };
        // The place stays taken until the work is done, also when the request was given up.
        let work = move || {
            let right = verify(&phc, &password);
            drop(room);
            right
        };
        tokio::task::spawn_blocking(work).await.unwrap_or(false)
    }

    /// What an attempt counts under: only a desk where the login was used before has a count of its own.
    async fn counted(&self, desk: &Desk) -> Result<Counted, IdentityError> {
        let since = self.0.clock.now().0.saturating_sub(desk::KEPT);
        let known = self.0.db.fetch_one(desk::KNOWN, desk.since(since)).await?;
        Ok(Counted::new(desk, known.is_some()))
    }

    /// Proves a login by its password. The same work for unknown users; failures are counted
    /// for login and address ([`Counted`]).
    async fn prove(
        &self,
        login: &str,
        password: &str,
        terminal: &str,
    ) -> Result<Account, IdentityError> {
        let counted = self.counted(&Desk::new(&fold(login), terminal)).await?;
        // Before it is judged, so that parallel guesses cannot pass the limit.
        self.0
            .attempts
            .count(&counted, self.0.clock.steady())
            .map_err(|seconds| IdentityError::TooMany { seconds })?;
        let account = self.by_login(login).await?;
        let phc = account
            .as_ref()
            .map_or_else(|| self.0.dummy.clone(), |a| a.password.clone());
        let right = self.verify(phc, password).await;
        let now = self.0.clock.now().0;
        let usable = |a: &Account| right && a.usable(now);
        let Some(known) = account.filter(usable) else {
            return Err(IdentityError::WrongPair);
        };
        // The work took time: an account revoked or changed meanwhile does not come in.
        let again = self.account(&known.id).await?;
        match again.filter(|a| a.usable(now) && a.epoch == known.epoch) {
            Some(account) => {
                self.0.attempts.succeeded(&counted);
                Ok(account)
            }
            None => Err(IdentityError::WrongPair),
        }
    }

    fn open(&self, account: &Account, role: Role, auth: AuthLevel, waiting: bool) -> SignedIn {
        let mut secret = [0u8; 32];
        self.0.random.fill(&mut secret);
        let cookie: String = secret.iter().map(|b| format!("{b:02x}")).collect();
        let visitor = Visitor {
            user: account.id,
            name: account.name.clone(),
            org: account.org.id,
            org_name: account.org.name.clone(),
            org_kind: account.org.kind,
            role,
            epoch: account.epoch,
            auth,
            person: account.person,
            scope: account.scope,
            terms: account.terms.clone(),
            session: digest(&cookie),
            handler: false,
            terminal: false,
            verified: None,
        };
        let steady = self.0.clock.steady();
        let ended_other = self.0.sessions.open(visitor.clone(), steady, waiting);
        SignedIn {
            cookie,
            visitor,
            waiting,
            ended_other,
            changes: vec![],
        }
    }

    /// Signs in with ID and password; the role is the first one held unless one is named.
    pub async fn sign_in(
        &self,
        login: &str,
        password: &str,
        role: Option<Role>,
        terminal: &str,
    ) -> Result<SignedIn, IdentityError> {
        let account = self.prove(login, password, terminal).await?;
        if account.password_initial && self.0.clock.now().0 >= account.initial_expires {
            return Err(IdentityError::InitialExpired);
        }
        let role = match role {
            Some(role) => Some(role).filter(|r| account.roles.contains(r)),
            None => account.roles.first().copied(),
        };
        let auth = if account.password_initial {
            AuthLevel::PasswordInitial
        } else {
            AuthLevel::Password
        };
        let role = role.ok_or(IdentityError::NoSuchRole)?;
        let waiting = asks_for_passkey(&self.0.db, &account.id).await?;
        let signed = self.open(&account, role, auth, waiting);
        Ok(SignedIn {
            changes: Desk::new(&account.login, terminal).seen(self.0.clock.now().0),
            ..signed
        })
    }

    /// Opens a session without a password; only with the grant of a demo.
    pub fn open_for_demo(
        &self,
        _grant: DemoGrant,
        account: &Account,
        role: Role,
    ) -> Result<SignedIn, IdentityError> {
        if !account.usable(self.0.clock.now().0) {
            return Err(IdentityError::WrongPair);
        }
        if !account.roles.contains(&role) {
            return Err(IdentityError::NoSuchRole);
        }
        Ok(self.open(account, role, AuthLevel::Password, false))
    }

    /// What the cookie stands for.
    pub fn state(&self, cookie: &str) -> SessionState {
        self.0
            .sessions
            .state(&digest(cookie), self.0.clock.steady())
    }

    /// What the cookie stands for, after a look at the account in the database: a session
    /// whose account was revoked, changed or has come to its last day is over, also when
    /// another process wrote it (S4-76).
    ///
    /// Errors: [`IdentityError::Storage`] when the account cannot be read; nobody is let in then.
    pub async fn checked(&self, cookie: &str) -> Result<SessionState, IdentityError> {
        self.checked_at(cookie, &Place::default()).await
    }

    /// The same for a request from a place: the visitor knows whether a designation as 特定個人情報取扱者 is in
    /// force, and whether the place is a registered terminal (S0-46, S0-48).
    ///
    /// Errors: as [`Self::checked`].
    pub async fn checked_at(
        &self,
        cookie: &str,
        place: &Place,
    ) -> Result<SessionState, IdentityError> {
        let mut state = self.state(cookie);
        let (SessionState::Live(visitor)
        | SessionState::Waiting(visitor)
        | SessionState::Locked(visitor)) = &mut state
        else {
            return Ok(state);
        };
        let sql = "SELECT u.epoch, u.valid_until, o.ended, r.valid_until, \
            (SELECT COUNT(*) FROM identity_handler h WHERE h.user_id = u.id AND h.org = u.org AND h.ended IS NULL \
            AND h.valid_from <= ? AND h.valid_until > ? AND h.trained_until > ?), \
            (SELECT COUNT(*) FROM identity_terminal t WHERE t.ended IS NULL \
            AND ((t.kind = 'address' AND t.mark = ?) OR (t.kind = 'certificate' AND t.mark = ?))) \
            FROM identity_user u \
            JOIN identity_org o ON o.id = u.org JOIN identity_user_role r ON r.user_id = u.id AND r.role = ? \
            WHERE u.id = ? AND u.active = 1";
        let now = self.0.clock.now().0;
        let args = vec![
            now.into(),
            now.into(),
            now.into(),
            place.address.as_str().into(),
            place.certificate_text().into(),
            visitor.role.code().into(),
            visitor.user.bytes().into(),
        ];
        let reason = match self.0.db.fetch_one(sql, args).await? {
            Some(row) if row.int(0)? == visitor.epoch && row.opt_int(2)?.is_none() => {
                let department = visitor.org_kind == OrgKind::Department;
                visitor.handler = department && row.int(4)? > 0;
                visitor.terminal = row.int(5)? > 0;
                let over = |end: Option<i64>| end.is_some_and(|end| now >= end);
                match over(row.opt_int(1)?) || over(row.opt_int(3)?) {
                    true => Some(EndReason::Expired),
                    false => self.without_contract(visitor, now).await?,
                }
            }
            _ => Some(EndReason::Revoked),
        };
        let Some(reason) = reason else {
            return Ok(state);
        };
        self.0.sessions.end(&visitor.session, reason);
        Ok(self.state(cookie))
    }

    /// Contractors work only while a contract of their organisation is in force, and under the
    /// terms they signed in with: another contract is another sign-in (S0-64).
    async fn without_contract(
        &self,
        visitor: &Visitor,
        now: i64,
    ) -> Result<Option<EndReason>, IdentityError> {
        if visitor.org_kind != OrgKind::Contractor {
            return Ok(None);
        }
        let args = vec![visitor.org.bytes().into()];
        let all = contract::read(&self.0.db, "WHERE c.org = ?", args).await?;
        let open = all.into_iter().filter(|c| c.holds(now));
        let terms: Vec<_> = open.map(|c| c.terms).collect();
        Ok(match terms.is_empty() {
            true => Some(EndReason::Expired),
            false => (terms != visitor.terms).then_some(EndReason::Revoked),
        })
    }

    /// Locks the screen.
    pub fn lock(&self, cookie: &str) {
        self.0.sessions.lock(&digest(cookie));
    }

    /// Unlocks with the password of the session's own user.
    pub async fn unlock(
        &self,
        cookie: &str,
        password: &str,
        terminal: &str,
    ) -> Result<(), IdentityError> {
        let session = digest(cookie);
        let user = self
            .0
            .sessions
            .user(&session)
            .ok_or(IdentityError::WrongPair)?;
        let account = self.account(&user).await?.ok_or(IdentityError::WrongPair)?;
        self.prove(&account.login, password, terminal).await?;
        self.0.sessions.unlock(&session, self.0.clock.steady());
        Ok(())
    }

    /// Whether the password is the account's present one.
    pub async fn is_password(
        &self,
        account: &Account,
        password: &str,
        terminal: &str,
    ) -> Result<(), IdentityError> {
        self.prove(&account.login, password, terminal)
            .await
            .map(drop)
    }

    /// Ends a session.
    pub fn sign_out(&self, cookie: &str) {
        self.0.sessions.remove(&digest(cookie));
    }

    /// Ends all sessions of a user; call right after a committed revocation.
    pub fn end_sessions(&self, user: &UserId, reason: EndReason) {
        self.0.sessions.end_user(user, reason);
    }
}
