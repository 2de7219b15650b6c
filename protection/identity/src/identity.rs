use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mimamori_kernel::clock::{Clock, Instant};
use mimamori_kernel::error::Coded;
use mimamori_kernel::id::UserId;
use mimamori_kernel::random::Random;
use mimamori_storage::Db;

use crate::kdf::Kdf;
use crate::limiter::Limiter;
use crate::sessions::{LiveSessions, Sessions};
use crate::{EndReason, SessionState};

/// The longest idle time before a session locks; no setting goes above (S4-89).
const IDLE_CEILING: Duration = Duration::from_secs(15 * 60);
/// The longest life of a session that a setting may ask for.
const ABSOLUTE_CEILING: Duration = Duration::from_secs(24 * 60 * 60);

/// What an office may set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Memory of one password computation, in KiB.
    pub kdf_memory_kib: u32,
    /// Passes of one password computation.
    pub kdf_time: u32,
    /// Idle time until the lock; at most 15 minutes.
    pub idle: Duration,
    /// Longest life of a session.
    pub absolute: Duration,
    /// How long an initial password works.
    pub initial_valid: Duration,
    /// Failures for one login within `window` until it has to wait; a terminal has four times as many.
    pub max_failures: u32,
    /// How long a failure counts.
    pub window: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            kdf_memory_kib: 64 * 1024,
            kdf_time: 3,
            idle: IDLE_CEILING,
            absolute: Duration::from_secs(10 * 60 * 60),
            initial_valid: Duration::from_secs(14 * 24 * 60 * 60),
            max_failures: 5,
            window: Duration::from_secs(15 * 60),
        }
    }
}

/// A setting that would weaken the protection.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SettingsError {
    /// Idle time of zero or above 15 minutes.
    #[error("自動ロックまでの時間は、1秒以上15分以内でなければなりません")]
    Idle,
    /// Session life of zero or above 24 hours.
    #[error("サインインの有効時間は、自動ロックまでの時間以上、24時間以内でなければなりません")]
    Absolute,
    /// No failure allowed, or no window.
    #[error("サインインの失敗回数と数える時間は、1以上でなければなりません")]
    Failures,
    /// Argon2 does not accept the cost.
    #[error("パスワードの計算の重さの設定が正しくありません")]
    Kdf,
}

impl Coded for SettingsError {
    fn code(&self) -> &'static str {
        match self {
            Self::Idle => "IDENTITY-SET-IDLE",
            Self::Absolute => "IDENTITY-SET-ABSOLUTE",
            Self::Failures => "IDENTITY-SET-FAILURES",
            Self::Kdf => "IDENTITY-SET-KDF",
        }
    }
    fn advice(&self) -> &'static str {
        "設定ファイルを直してから、もう一度起動してください。"
    }
}

/// Accounts in the database and sessions in memory.
pub struct Identity {
    pub(crate) db: Db,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) settings: Settings,
    pub(crate) kdf: Kdf,
    pub(crate) limiter: Mutex<Limiter>,
    sessions: Mutex<Sessions>,
    /// The latest wall time ever seen: a clock set back opens nothing again.
    latest: AtomicI64,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Identity {
    /// The room over a database that has [`crate::MIGRATIONS`].
    ///
    /// # Errors
    /// A setting that weakens the protection is refused, not corrected.
    pub fn new(db: Db, clock: Arc<dyn Clock>, random: Arc<dyn Random>, settings: Settings) -> Result<Self, SettingsError> {
        if settings.idle < Duration::from_secs(1) || settings.idle > IDLE_CEILING {
            return Err(SettingsError::Idle);
        }
        if settings.absolute < settings.idle || settings.absolute > ABSOLUTE_CEILING {
            return Err(SettingsError::Absolute);
        }
        if settings.max_failures == 0 || settings.window.is_zero() {
            return Err(SettingsError::Failures);
        }
        let kdf = Kdf::new(settings.kdf_memory_kib, settings.kdf_time, random.as_ref()).ok_or(SettingsError::Kdf)?;
        let limiter = Mutex::new(Limiter::new(settings.max_failures, settings.window));
        let sessions = Mutex::new(Sessions::new(settings.idle, settings.absolute));
        let latest = AtomicI64::new(clock.now().0);
        Ok(Self { db, clock, random, settings, kdf, limiter, sessions, latest })
    }

    /// Now, never earlier than any moment asked before.
    pub(crate) fn now(&self) -> Instant {
        let wall = self.clock.now().0;
        Instant(self.latest.fetch_max(wall, Ordering::SeqCst).max(wall))
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn limiter(&self) -> MutexGuard<'_, Limiter> {
        self.limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the cookie of a request stands for. A request that finds a live session keeps it awake.
    pub fn visitor(&self, cookie: &str) -> SessionState {
        let today = self.now().office_day();
        self.sessions().state(cookie, self.clock.steady(), today, true)
    }

    /// The same without keeping the session awake, for requests that a page makes by itself.
    pub fn peek(&self, cookie: &str) -> SessionState {
        let today = self.now().office_day();
        self.sessions().state(cookie, self.clock.steady(), today, false)
    }

    /// Locks the session at once.
    pub fn lock(&self, cookie: &str) -> SessionState {
        self.sessions().lock(cookie);
        self.peek(cookie)
    }

    /// Ends the session.
    pub fn sign_out(&self, cookie: &str) {
        self.sessions().end(cookie, EndReason::SignedOut);
    }

    /// Ends every session of a user, and any sign-in on its way; how many were ended.
    pub fn end_sessions_of(&self, user: UserId, reason: EndReason) -> usize {
        self.sessions().end_of(user, reason)
    }

    /// To be called when the statements of [`Identity::revoke`] or [`Identity::dismiss`] are committed (S4-76).
    pub fn revoked(&self, user: UserId) -> usize {
        self.end_sessions_of(user, EndReason::Revoked)
    }

    /// To be called when the statements of [`Identity::change_password`] are committed.
    pub fn password_changed(&self, user: UserId) {
        self.sessions().password_changed(user);
    }

    /// How many sessions there are.
    pub fn live_sessions(&self) -> LiveSessions {
        let today = self.now().office_day();
        self.sessions().count(self.clock.steady(), today)
    }

    /// How many password computations have run; equal for known and unknown logins.
    pub fn verifications(&self) -> u64 {
        self.kdf.verifications()
    }
}
