//! The two shapes of this room's pages: one that shows, and one that asks.

mod form;
mod show;

pub(crate) use form::{Field, FormPage, Mark, Sent, again};
pub(crate) use show::{Cell, Marked, ShowPage, Table};

use axum::Extension;
use axum::extract::FromRequestParts;
use axum::extract::rejection::ExtensionRejection;
use axum::http::request::Parts;
use jiff::civil::Date;
use mimamori_identity::{Account, Visitor};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::date::wareki_with_western;
use mimamori_kernel::id::UserId;
use mimamori_pages::Frame;

use crate::Oversight;

/// What every page of the room begins with: the room, who asks, and the frame of the answer.
pub(crate) struct Desk(pub(crate) Oversight, pub(crate) Visitor, pub(crate) Frame);

impl FromRequestParts<Oversight> for Desk {
    type Rejection = ExtensionRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        room: &Oversight,
    ) -> Result<Self, Self::Rejection> {
        let Extension(visitor) = Extension::from_request_parts(parts, room).await?;
        let Extension(frame) = Extension::from_request_parts(parts, room).await?;
        Ok(Self(room.clone(), visitor, frame))
    }
}

/// A day as the office writes it.
pub(crate) fn day(day: Date) -> String {
    wareki_with_western(day.into())
}

/// A moment as the office writes it; nothing for 0, which stands for "not yet".
pub(crate) fn moment(at: i64) -> String {
    match at {
        0 => String::new(),
        at => {
            let at = Instant(at);
            format!("{} {}", day(at.office_day()), at.office().strftime("%H:%M"))
        }
    }
}

/// The name of a user.
pub(crate) fn name(accounts: &[Account], user: Option<UserId>) -> String {
    let found = user.and_then(|user| accounts.iter().find(|a| a.id == user));
    found.map_or("—".into(), |a| a.name.clone())
}
