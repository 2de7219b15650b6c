//! 認証 (identity): organisations, users, roles, passwords, sessions.
//!
//! Promises: one live session for each user; idle at most 15 minutes; a revocation ends
//! sessions at once; an unknown user costs the same work as a known one.
//! Never: a write of its own (changes are statements that the trace commits with a line);
//! a judgement of what a role may see (that is the gate's).

mod accounts;
mod attempts;
mod change;
mod contract;
mod desk;
mod error;
mod model;
mod password;
mod reading;
mod schema;
mod sessions;
mod sign_in;
mod ties;

pub use accounts::{
    NewUser, bootstrap_done, login_is_right, new_user, password_statements, revoke,
};
pub use change::{
    AccountChange, Entrant, Initial, Period, appoint, end_org, end_role, enrol, enter_org,
    may_take, register, reset_password, set_scope, stop,
};
pub use contract::{Contract, Terms, contracts, end_contract, enter_contract};
pub use error::IdentityError;
pub use model::{
    Account, AuthLevel, DemoGrant, FRESH, Held, Org, OrgKind, Role, Scope, SessionId, Visitor,
    last_day,
};
pub use password::{Kdf, judge_password};
pub use reading::{Organisation, account_by_id, organisations, staff_accounts};
pub use schema::{ITEMS, MIGRATIONS, org_statement};
pub use sessions::{EndReason, Limits, SessionState};
pub use sign_in::{Identity, SignedIn};
pub use ties::{ADDRESS_NUMBER, Ties, set_ties, ties};
