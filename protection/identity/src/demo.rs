use mimamori_kernel::id::UserId;
use mimamori_storage::Statement;

use crate::user::insert_role;
use crate::{Identity, NewUser, Role, UserError};

/// Leave to do what only the demo may: sign in without a password, give roles alone.
///
/// It has a private field: the one way to it is a database that says it is a demo.
#[derive(Debug)]
pub struct DemoGrant(());

impl DemoGrant {
    /// The grant, when the environment stamped into the database is `demo`.
    pub fn from_environment(environment: &str) -> Option<Self> {
        (environment == "demo").then_some(Self(()))
    }
}

impl Identity {
    /// A sample account with its roles, without the two approvers that a real one needs.
    /// Its password is a random text that nobody is told.
    pub async fn demo_user(&self, _grant: &DemoGrant, user: NewUser, roles: &[Role]) -> Result<(UserId, Vec<Statement>), UserError> {
        let (id, _, mut statements) = self.user_statements(user, false).await?;
        statements.extend(roles.iter().map(|role| insert_role(id, *role)));
        Ok((id, statements))
    }
}
