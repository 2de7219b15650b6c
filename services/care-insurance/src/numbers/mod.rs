//! 個人番号 (individual numbers) as the office works with them: 照会, 検索, 登録・訂正・削除 (S0-11).
//!
//! Promises: a handler's act is permitted and its line is durable before the numbers room hears of it; no number
//! passes through this process. Never: a number, or a form field that could hold one.

mod book;
mod check;
mod delete;
mod find;
mod form;
mod links;
mod load;
mod page;
mod person;
mod write;

use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use mimamori_gate::{Gate, GateError};
use mimamori_identity::{SessionId, Visitor};
use mimamori_kernel::error::Coded as _;
use mimamori_kernel::id::NumberRef;
use mimamori_numbers::port::{Call, Kind, Obtained, Order, Progress, Reply};
use mimamori_numbers::{Client, NumbersError};
use mimamori_pages::{Framing, Problem};
use mimamori_residents::answer;

use crate::CareInsurance;

pub(crate) use check::{check, run_check};
pub(crate) use delete::{ask_delete, delete};
pub(crate) use find::{ask_find, find, found};
pub(crate) use links::{again, compare, links, settle};
pub(crate) use load::{ask_load, load};
pub(crate) use page::{keys, page, rotate};
pub(crate) use person::{open, reveal};
pub(crate) use write::{ask, enter, inquire};

/// The way to the numbers room.
#[derive(Debug, Clone)]
pub struct Numbers {
    client: Client,
    /// Origin of the room as browsers name it; none: the host of the page with the room's port.
    origin: Option<String>,
}

/// Why number work stops.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The gate.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// The room.
    #[error(transparent)]
    Room(#[from] NumbersError),
    /// Too many in the hour.
    #[error("1時間に使える回数の上限です。")]
    Limited(u64),
}

impl From<mimamori_gate::StorageError> for DeskError {
    fn from(error: mimamori_gate::StorageError) -> Self {
        Self::Gate(error.into())
    }
}

/// The page for what stopped number work.
pub(crate) fn told(error: DeskError) -> Response {
    match error {
        DeskError::Gate(error) => answer(error),
        DeskError::Room(error) => {
            tracing::error!(code = error.code(), error = ?error, "no number work");
            Problem::away(error.to_string(), error.advice()).into_response()
        }
        DeskError::Limited(seconds) => {
            Problem::too_many(u32::try_from(seconds).unwrap_or(3600)).into_response()
        }
    }
}

impl Numbers {
    /// Over a client; `origin` when browsers reach the room under a name of its own.
    pub fn new(client: Client, origin: Option<String>) -> Self {
        Self { client, origin }
    }

    /// The state of the room, when its database is no older than the register knows.
    async fn ready(&self, gate: &Gate) -> Result<(Progress, u16), DeskError> {
        let Reply::State {
            epoch,
            progress,
            port,
        } = self.client.call(Call::Hello).await?
        else {
            return Err(NumbersError::Speech.into());
        };
        let known = book::known_epoch(gate).await?;
        match epoch < known {
            true => Err(NumbersError::Older {
                found: epoch,
                known,
            }
            .into()),
            false => Ok((progress, port)),
        }
    }

    /// Asks for a ticket; the line behind it is durable.
    async fn ticket(&self, order: Order) -> Result<String, DeskError> {
        match self.client.call(Call::Ticket(order)).await? {
            Reply::Ticket(ticket) => Ok(ticket),
            Reply::Limited(seconds) => Err(DeskError::Limited(seconds)),
            _ => Err(NumbersError::Speech.into()),
        }
    }

    /// Makes tickets worthless, soon.
    pub(crate) fn forget(&self, call: Call) {
        let desk = self.clone();
        tokio::spawn(async move { desk.forget_now(call).await });
    }

    /// Makes tickets worthless before it returns; a room that is away has none.
    pub(crate) async fn forget_now(&self, call: Call) {
        if let Err(error) = self.client.call(call).await {
            let code = error.code();
            tracing::warn!(code, "tickets of an ended session were not dropped");
        }
    }

    /// Origin of the room for a page that was asked under this host.
    fn origin(&self, headers: &HeaderMap, port: u16) -> String {
        if let Some(origin) = &self.origin {
            return origin.clone();
        }
        let host = headers
            .get(header::HOST)
            .and_then(|h| h.to_str().ok())
            .unwrap_or("localhost");
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        };
        format!("http://{name}:{port}")
    }
}

/// A session as the room knows it: SHA-256 of its cookie, hexadecimal.
pub(crate) fn named(session: &SessionId) -> String {
    session.iter().map(|b| format!("{b:02x}")).collect()
}

/// A ticket's order for this visitor.
fn order(
    visitor: &Visitor,
    kind: Kind,
    reference: Option<NumberRef>,
    line: u64,
    obtained: Obtained,
) -> Order {
    Order {
        kind,
        reference,
        user: visitor.user,
        session: named(&visitor.session),
        line: i64::try_from(line).unwrap_or(i64::MAX),
        obtained,
        address_number: String::new(),
    }
}

/// A page that shows the room's in a frame.
fn framing(mut page: Response, origin: String) -> Response {
    page.extensions_mut().insert(Framing(origin));
    page
}

/// The way to the room, or the page that says there is none.
#[expect(clippy::result_large_err, reason = "an answer is as large as it is")]
fn numbers(room: &CareInsurance) -> Result<&Numbers, Response> {
    room.numbers
        .as_ref()
        .ok_or_else(|| Problem::not_found().into_response())
}
