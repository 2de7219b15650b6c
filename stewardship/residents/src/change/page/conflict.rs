//! The page for the second officer: what changed since, and the own input kept.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use mimamori_gate::{GateError, Reason};
use mimamori_identity::Visitor;
use mimamori_kernel::id::PersonId;
use mimamori_pages::{Frame, html_with_status};

use super::confirm::carried;
use super::form::controls;
use super::{COLUMNS, address, facing};
use crate::change::journal::{ALL_COLUMNS, Change, before, changes};
use crate::change::rule::{Form, Sent};
use crate::change::store::Lock;
use crate::schema::IN_FORCE_HERE;
use crate::search::purpose;
use crate::{Residents, action, answer};

#[derive(Template)]
#[template(path = "residents/change_conflict.html")]
struct ConflictPage<'a> {
    frame: &'a Frame,
    to: String,
    back: String,
    imported: bool,
    since: Vec<Change>,
    mine: Vec<(&'static str, String)>,
    given: Vec<(String, String)>,
    line: u64,
}

/// Somebody was faster: what changed since, as far as this visitor may see it, and his own input kept.
#[expect(clippy::too_many_arguments, reason = "one page, each part named")]
pub(super) async fn conflict(
    room: &Residents,
    visitor: &Visitor,
    frame: &Frame,
    form: Form,
    person: PersonId,
    old: Lock,
    words: String,
    mut given: Sent,
) -> Response {
    const SINCE: &str = "(generation > ? OR generation = ? AND version > ?) ORDER BY number";
    let read = async {
        let permit = room
            .gate
            .person(
                visitor,
                action::PERSON_OPEN,
                purpose(visitor),
                person,
                Some(Reason(words)),
            )
            .await?;
        let row = permit
            .fetch("residents_person", &COLUMNS, IN_FORCE_HERE, vec![])
            .await?;
        let args = vec![
            old.generation.into(),
            old.generation.into(),
            old.version.into(),
        ];
        let since = permit
            .fetch("residents_change", &ALL_COLUMNS, SINCE, args)
            .await?;
        permit.reveal(row.and(since)).await
    };
    let shown = match read.await {
        Ok(shown) => shown,
        Err(error) => return answer(error),
    };
    let line = shown.line();
    let (mut rows, since) = shown.into_inner();
    let Some(row) = rows.pop() else {
        return answer(GateError::NotFound);
    };
    let (now, fresh, _) = facing(&row);
    given.insert("lock".into(), fresh.to_string());
    // What he left as it stood follows the other officer's change; what he typed stays.
    for (column, was) in before(&since) {
        if let (Some(mine), Some(new)) = (given.get_mut(&column), now.get(column.as_str()))
            && *mine == was
        {
            mine.clone_from(new);
        }
    }
    let mine = controls(form, form.kinds(), &given)
        .into_iter()
        .map(|f| {
            let chosen = f.choices.iter().find(|c| c.selected);
            (f.label, chosen.map_or(f.value, |c| c.label.clone()))
        })
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let frame = frame.clone().with_title("ほかの人が先に変更しました");
    let page = ConflictPage {
        frame: &frame,
        to: address(&person, form),
        back: format!("/residents/{person}"),
        imported: fresh.generation != old.generation,
        since: changes(&since),
        mine,
        given: carried(&given),
        line,
    };
    html_with_status(StatusCode::CONFLICT, page)
}
