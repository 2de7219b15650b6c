//! What the server hands in of the floors above, so that a record page leads to them: rooms below
//! know no service by name.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use mimamori_identity::Role;
use mimamori_kernel::id::PersonId;

/// A service's page of the same person.
#[derive(Debug, Clone, Copy)]
pub struct ServiceLink {
    /// Words of the link.
    pub label: &'static str,
    /// The address; `{person}` stands for the person.
    pub path: &'static str,
    /// Roles that may; the gate decides again.
    pub roles: &'static [Role],
    /// Only for designated handlers of individual numbers (特定個人情報取扱者).
    pub handlers: bool,
}

impl ServiceLink {
    pub(crate) fn to(&self, person: &PersonId) -> String {
        self.path.replace("{person}", &person.to_string())
    }
}

/// Tells whether the register changed since qualifications were last worked out.
pub type Waiting = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

/// What a record page knows of the services.
#[derive(Clone, Default)]
pub struct Services {
    /// Links, in the order of the page.
    pub links: Vec<ServiceLink>,
    /// None where nobody works out qualifications.
    pub waiting: Option<Waiting>,
}
