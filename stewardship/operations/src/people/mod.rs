//! 利用者管理: who may work with the system, from registration to the last day.

pub(crate) mod certificate;
pub(crate) mod handler;
pub(crate) mod list;
pub(crate) mod overview;
pub(crate) mod own;
pub(crate) mod passkey;
pub(crate) mod password;
pub(crate) mod record;
pub(crate) mod register;
pub(crate) mod resident;
pub(crate) mod role;
pub(crate) mod rule;
pub(crate) mod scope;
pub(crate) mod stop;
pub(crate) mod store;

use mimamori_gate::{Action, Change, GateError, OfficePermit, Purpose};
use mimamori_identity::{Account, Initial, Role, Visitor};
use mimamori_kernel::id::{RequestId, UserId};
use mimamori_pages::Term;

use crate::request::{Asked, Request, State};
use crate::screen::{Field, Mark, Sent};
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

/// One user above the form of an act that ends his rights, or his role `ended`, and how many who can
/// approve would remain when those are too few.
pub(crate) async fn before_end(
    room: &Operations,
    visitor: &Visitor,
    action: Action,
    user: UserId,
    ended: Option<Role>,
) -> Result<(Account, Option<usize>), OperationsError> {
    may(room, visitor, action, Some(user)).await?;
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::OPEN, Purpose::Operation, Some(user))
        .await?;
    let known = permit.accounts(now).await?;
    let accounts = permit.reveal(known).await?.into_inner();
    let left = rule::few_left(&accounts, user, ended, now.0);
    let account = accounts.into_iter().find(|a| a.id == user);
    Ok((account.ok_or(GateError::NotFound)?, left))
}

/// The tick that somebody sets who leaves too few to approve; nothing when enough remain.
pub(crate) fn few(left: Option<usize>) -> Option<Field> {
    left.map(|_| Field::Marks {
        name: "few",
        legend: "承認できる人が1人だけになります",
        hint: "申請する人と承認する人は別でなければならないため、任命・再発行・契約の手続ができなくなります。先に後任を任命してください。",
        marks: vec![Mark {
            name: "few-yes".into(),
            label: "承認できる人が1人だけになることを確かめました",
            checked: false,
        }],
    })
}

/// Refuses to leave too few to approve without that tick.
pub(crate) fn told_few(
    sent: &Sent,
) -> impl FnOnce(Option<usize>) -> Result<(), OperationsError> + use<> {
    let ticked = !sent.get("few-yes").is_empty();
    move |left| match left.is_none() || ticked {
        true => Ok(()),
        false => Err(OperationsError::field(
            "few",
            "承認できる人が足りなくなります。確かめて、印を付けてください。",
        )),
    }
}

/// Enters a request about a user who may still sign in; it works once another person approved it.
///
/// Errors: [`OperationsError::Stopped`] for a user who was stopped.
async fn ask(
    room: &Operations,
    permit: OfficePermit,
    visitor: &Visitor,
    user: UserId,
    asked: Asked,
    (reason, what): (String, &'static str),
) -> Result<(), OperationsError> {
    let now = room.clock.now();
    let request = Request {
        id: RequestId::random(&*room.random),
        asked,
        reason,
        proposed_by: visitor.user,
        proposed_at: now.0,
        state: State::Waiting,
    };
    let known = permit.account(&user, now).await?;
    permit
        .change(known, now, move |account| {
            let account = account.ok_or(GateError::NotFound)?;
            if !account.active {
                return Err(OperationsError::Stopped);
            }
            let change = Change {
                statements: vec![request.write()],
                words: format!("{what} {} {}", account.login, request.reason),
                ..Change::default()
            };
            Ok((change, ()))
        })
        .await?;
    Ok(())
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
