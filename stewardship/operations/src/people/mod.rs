//! 利用者管理: who may work with the system, from registration to the last day.

pub(crate) mod certificate;
pub(crate) mod list;
pub(crate) mod overview;
pub(crate) mod own;
pub(crate) mod password;
pub(crate) mod record;
pub(crate) mod register;
pub(crate) mod resident;
pub(crate) mod role;
pub(crate) mod rule;
pub(crate) mod scope;
pub(crate) mod stop;
pub(crate) mod store;

use mimamori_gate::{Action, GateError, Purpose};
use mimamori_identity::{Account, Initial, Visitor};
use mimamori_kernel::id::UserId;
use mimamori_pages::Term;

use crate::{Operations, OperationsError, action};

/// An id out of an address; what is none is not there.
pub(crate) fn id<T: std::str::FromStr>(text: &str) -> Result<T, OperationsError> {
    text.parse().map_err(|_| GateError::NotFound.into())
}

/// One user, shown under an action that is about him.
pub(crate) async fn one(
    room: &Operations,
    visitor: &Visitor,
    action: Action,
    user: UserId,
) -> Result<Account, OperationsError> {
    let permit = room
        .gate
        .office(visitor, action, Purpose::Operation, Some(user))
        .await?;
    let found = permit.account(&user, room.clock.now()).await?;
    let shown = permit.reveal(found).await?.into_inner();
    shown.ok_or_else(|| GateError::NotFound.into())
}

/// May the visitor do this at all? A refusal leaves its line; a form that is only opened leaves the
/// line of a look, so that in the trace an act is an act.
pub(crate) async fn may(
    room: &Operations,
    visitor: &Visitor,
    action: Action,
    about: Option<UserId>,
) -> Result<(), OperationsError> {
    let asked = room
        .gate
        .office(visitor, action, Purpose::Operation, about)
        .await?;
    drop(asked);
    Ok(())
}

/// Whether the gate permits it to the visitor: what is refused is not offered.
pub(crate) fn offers(
    room: &Operations,
    visitor: &Visitor,
    action: Action,
    about: Option<UserId>,
) -> bool {
    let own = about == Some(visitor.user);
    room.gate.offers(visitor, action, Purpose::Operation, own)
}

/// One user above the form of an action.
pub(crate) async fn before(
    room: &Operations,
    visitor: &Visitor,
    action: Action,
    user: UserId,
) -> Result<Account, OperationsError> {
    may(room, visitor, action, Some(user)).await?;
    one(room, visitor, action::OPEN, user).await
}

/// Who it is about, above a form.
pub(crate) fn about(account: &Account) -> Vec<Term> {
    vec![
        Term::new("利用者", format!("{}（{}）", account.name, account.login)),
        Term::new("所属", account.org.name.clone()),
    ]
}

/// A password for the slip, made beside the other work because it costs time.
pub(crate) async fn initial(room: &Operations) -> Result<Initial, OperationsError> {
    let (kdf, random) = (room.kdf, room.random.clone());
    let made = tokio::task::spawn_blocking(move || Initial::new(kdf, &*random)).await;
    Ok(made.map_err(|_| OperationsError::Machine)??)
}
