use axum::Extension;
use axum::extract::FromRequestParts;
use axum::extract::rejection::ExtensionRejection;
use axum::http::request::Parts;
use mimamori_identity::Visitor;
use mimamori_pages::Frame;

use crate::Operations;

/// What every page of the room begins with: the room, who asks, and the frame of the answer.
pub(crate) struct Desk(pub(crate) Operations, pub(crate) Visitor, pub(crate) Frame);

impl FromRequestParts<Operations> for Desk {
    type Rejection = ExtensionRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        room: &Operations,
    ) -> Result<Self, Self::Rejection> {
        let Extension(visitor) = Extension::from_request_parts(parts, room).await?;
        let Extension(frame) = Extension::from_request_parts(parts, room).await?;
        Ok(Self(room.clone(), visitor, frame))
    }
}
