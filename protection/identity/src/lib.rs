//! 認証 (identity): organisations, users, roles, passwords, sessions.
//!
//! Promises: one live session for each user; idle at most 15 minutes; a revocation ends
//! sessions at once; an unknown user costs the same work as a known one.
//! Never: a write of its own (changes are statements that the trace commits with a line);
//! a judgement of what a role may see (that is the gate's).

mod accounts;
mod error;
mod model;
mod password;
mod schema;
mod sessions;
mod sign_in;

pub use accounts::{NewUser, appoint, bootstrap_done, new_user, password_statements, revoke};
pub use error::IdentityError;
pub use model::{Account, AuthLevel, DemoGrant, Org, OrgKind, Role, SessionId, Visitor};
pub use password::{Kdf, judge_password};
pub use schema::{MIGRATIONS, org_statement};
pub use sessions::{EndReason, Limits, SessionState};
pub use sign_in::{Identity, SignedIn};
