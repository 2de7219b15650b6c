//! Live sessions, in memory: a restart asks everybody to sign in again (docs/decisions/0008).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mimamori_kernel::id::UserId;

use crate::model::{AuthLevel, SessionId, Visitor};

/// Limits of a session, by the steady clock.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Idle time until the screen locks; never above 15 minutes (S4-89).
    pub idle: Duration,
    /// Longest session.
    pub absolute: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(15 * 60),
            absolute: Duration::from_secs(10 * 3600),
        }
    }
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// The same user signed in elsewhere.
    OtherSignIn,
    /// The account was revoked or its rights changed.
    Revoked,
    /// The longest time is over.
    Absolute,
    /// The account's last day is over.
    Expired,
    /// The user set a new password.
    PasswordChanged,
    /// Signed out.
    SignedOut,
}

/// What a cookie stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionState {
    /// Nothing known.
    None,
    /// May work.
    Live(Visitor),
    /// ID and password were right, and the passkey is still to come; nothing opens before it.
    Waiting(Visitor),
    /// Idle too long, or locked by the user: only the password opens it.
    Locked(Visitor),
    /// Over; told once.
    Ended(EndReason),
}

struct Session {
    visitor: Visitor,
    opened: i64,
    seen: i64,
    locked: bool,
    waiting: bool,
    ended: Option<EndReason>,
}

/// All sessions.
pub(crate) struct Sessions {
    limits: Limits,
    all: Mutex<HashMap<SessionId, Session>>,
}

/// How long a session waits for its passkey, microseconds.
const WAITING: i64 = 5 * 60 * 1_000_000;

/// Ends the user's sessions but this one; whether there was one.
fn end_others(all: &mut HashMap<SessionId, Session>, visitor: &Visitor) -> bool {
    let mut other = false;
    for session in all.values_mut().filter(|s| {
        s.visitor.user == visitor.user && s.visitor.session != visitor.session && s.ended.is_none()
    }) {
        // One that still waits was never open to anybody.
        other |= !session.waiting;
        session.ended = Some(EndReason::OtherSignIn);
    }
    other
}

fn micros(d: Duration) -> i64 {
    i64::try_from(d.as_micros()).unwrap_or(i64::MAX)
}

impl Sessions {
    pub(crate) fn new(limits: Limits) -> Self {
        let idle = limits.idle.min(Duration::from_secs(15 * 60));
        Self {
            limits: Limits { idle, ..limits },
            all: Mutex::default(),
        }
    }

    fn with<T>(&self, f: impl FnOnce(&mut HashMap<SessionId, Session>) -> T) -> T {
        f(&mut self.all.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Opens a session and ends the user's others; whether there was one. One that waits for the passkey ends nobody's:
    /// a stolen password alone throws nobody out.
    pub(crate) fn open(&self, visitor: Visitor, now: i64, waiting: bool) -> bool {
        self.with(|all| {
            let keep = micros(self.limits.absolute);
            all.retain(|_, s| now - s.opened < keep + 3_600_000_000);
            let other = !waiting && end_others(all, &visitor);
            all.insert(
                visitor.session,
                Session {
                    visitor,
                    opened: now,
                    seen: now,
                    locked: false,
                    waiting,
                    ended: None,
                },
            );
            other
        })
    }

    /// The state of a session; a live one is touched.
    pub(crate) fn state(&self, id: &SessionId, now: i64) -> SessionState {
        self.with(|all| {
            let Some(session) = all.get_mut(id) else {
                return SessionState::None;
            };
            if session.ended.is_none() && now - session.opened >= micros(self.limits.absolute) {
                session.ended = Some(EndReason::Absolute);
            }
            if let Some(reason) = session.ended {
                all.remove(id);
                return SessionState::Ended(reason);
            }
            if session.waiting {
                if now - session.opened >= WAITING {
                    all.remove(id);
                    return SessionState::None;
                }
                return SessionState::Waiting(session.visitor.clone());
            }
            if now - session.seen >= micros(self.limits.idle) {
                session.locked = true;
            }
            if session.locked {
                return SessionState::Locked(session.visitor.clone());
            }
            session.seen = now;
            SessionState::Live(session.visitor.clone())
        })
    }

    pub(crate) fn lock(&self, id: &SessionId) {
        self.with(|all| {
            if let Some(session) = all.get_mut(id) {
                // Whoever locks goes away: the next verification is a new one.
                (session.locked, session.visitor.verified) = (true, None);
            }
        });
    }

    /// The user of this session was verified: it goes on if it waited, and its others end; whether there was one.
    pub(crate) fn verified(&self, id: &SessionId, now: i64) -> bool {
        self.with(|all| {
            let Some(session) = all.get_mut(id).filter(|s| s.ended.is_none()) else {
                return false;
            };
            let waited = std::mem::replace(&mut session.waiting, false);
            session.visitor.verified = Some(now);
            session.seen = now;
            if session.visitor.auth != AuthLevel::PasswordInitial {
                session.visitor.auth = AuthLevel::Verified;
            }
            let visitor = session.visitor.clone();
            waited && end_others(all, &visitor)
        })
    }

    pub(crate) fn unlock(&self, id: &SessionId, now: i64) {
        self.with(|all| {
            if let Some(session) = all.get_mut(id).filter(|s| s.ended.is_none()) {
                (session.locked, session.seen) = (false, now);
            }
        });
    }

    /// The user of a session that is not over.
    pub(crate) fn user(&self, id: &SessionId) -> Option<UserId> {
        self.with(|all| {
            all.get(id)
                .filter(|s| s.ended.is_none())
                .map(|s| s.visitor.user)
        })
    }

    pub(crate) fn end(&self, id: &SessionId, reason: EndReason) {
        self.with(|all| {
            if let Some(session) = all.get_mut(id).filter(|s| s.ended.is_none()) {
                session.ended = Some(reason);
            }
        });
    }

    pub(crate) fn remove(&self, id: &SessionId) {
        self.with(|all| all.remove(id));
    }

    pub(crate) fn end_user(&self, user: &UserId, reason: EndReason) {
        self.with(|all| {
            all.values_mut()
                .filter(|s| s.visitor.user == *user && s.ended.is_none())
                .for_each(|s| s.ended = Some(reason));
        });
    }

    pub(crate) fn live(&self) -> usize {
        self.with(|all| all.values().filter(|s| s.ended.is_none()).count())
    }

    pub(crate) fn idle(&self) -> Duration {
        self.limits.idle
    }
}
