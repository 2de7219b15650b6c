//! 認証 (identity): organisations, users, roles, passwords, sessions.
//!
//! Promises: one live session for each user; idle at most 15 minutes; a revocation ends
//! sessions at once; an unknown user costs the same work as a known one; whoever has a passkey
//! comes in by it alone after the password; only people of a department handle numbers.
//! Never: a write of its own (changes are statements that the trace commits with a line);
//! a judgement of what a role may see (that is the gate's).

mod accounts;
mod approval;
mod attempts;
mod change;
mod contract;
mod designation;
mod desk;
mod error;
mod model;
mod passkey;
mod password;
mod proof;
mod reading;
mod schema;
mod sessions;
mod sign_in;
mod ties;

pub use accounts::{
    NewUser, bootstrap_done, login_is_right, new_user, password_statements, revoke,
};
pub use approval::{ApprovalKey, approval_keys};
pub use change::{
    AccountChange, Entrant, Initial, Period, appoint, end_org, end_role, enrol, enter_org,
    may_take, register, reset_password, set_scope, stop,
};
pub use contract::{Contract, Terms, contracts, end_contract, enter_contract};
pub use designation::{
    Designation, DesignationDays, Mark, Place, Terminal, designate, designations, end_designation,
    end_terminal, enter_terminal, may_handle, terminals,
};
pub use error::IdentityError;
pub use model::{
    Account, AuthLevel, DemoGrant, FRESH, Held, Org, OrgKind, Role, Scope, SessionId, Visitor,
    last_day,
};
pub use passkey::{
    ENROLMENT, IdentityCheck, KnownPasskey, end_passkey, open_enrolment, passkeys,
    suspended_passkeys,
};
pub use password::{Kdf, judge_password};
pub use proof::{FACE_SECONDS, FaceWord, Failed, Proofs, Proved, face_message};
pub use reading::{Organisation, account_by_id, organisations, staff_accounts};
pub use schema::{ITEMS, MIGRATIONS, org_statement};
pub use sessions::{EndReason, Limits, SessionState};
pub use sign_in::{Identity, SignedIn};
pub use ties::{ADDRESS_NUMBER, Ties, set_ties, ties};
