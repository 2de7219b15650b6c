//! The queue of persons whose row in the files differs from a change on the screen (取込みとの突合).

use std::collections::BTreeMap;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Class, Condition, Facts, GateError, PersonPermit, Reason, Record, Statement};
use mimamori_identity::Visitor;
use mimamori_kernel::id::PersonId;
use mimamori_pages::{FieldError, Frame, LimitedForm, html, html_with_status};

use super::beside::concerns;
use super::item::{ITEMS, Values, values};
use super::journal::Step;
use super::page::{COLUMNS, facing};
use super::rule::{Kind, Sent, Wish, sent};
use super::store::{Lock, Writer};
use crate::record::{keep_reason, stated};
use crate::schema::{IN_FORCE, IN_FORCE_HERE};
use crate::search::{COLUMNS as LIST_COLUMNS, Line, lines, purpose};
use crate::{Residents, action, answer};

/// Persons on the page of the queue.
const MOST: u32 = 50;
const DIFFERING: [&str; 7] = [
    "absent",
    "identity",
    "address",
    "contact",
    "household",
    "residency",
    "flag",
];

#[derive(Template)]
#[template(path = "residents/differences.html")]
struct QueuePage<'a> {
    frame: &'a Frame,
    lines: Vec<Line>,
    more: bool,
    line: u64,
}

#[derive(Template)]
#[template(path = "residents/difference.html")]
struct DifferencePage<'a> {
    frame: &'a Frame,
    person: PersonId,
    who: String,
    lock: Lock,
    /// The files do not know the person.
    absent: bool,
    /// What the screen says, and what the files say.
    steps: Vec<Step>,
    reason: String,
    errors: Vec<FieldError>,
}

/// GET /residents/differences
pub(crate) async fn differences(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
) -> Response {
    let read = async {
        let may = room
            .gate
            .list(&visitor, action::PERSON_SETTLE, purpose(&visitor))
            .await?;
        // Found by the rights of the queue, shown by those of every list.
        let list = room
            .gate
            .list(&visitor, action::PERSON_LIST, purpose(&visitor))
            .await?;
        let condition = Condition {
            class: Class::Residency,
            sql: "p.person IN (SELECT d.person FROM residents_differing d)",
            args: vec![],
        };
        let hidden = list
            .fetch(
                &may,
                "residents_person",
                &LIST_COLUMNS,
                IN_FORCE,
                &[condition],
                "p.kana_key",
                0,
                MOST,
            )
            .await?;
        list.reveal(hidden).await
    };
    let listed = match read.await {
        Ok(listed) => listed,
        Err(error) => return answer(error),
    };
    for (person, _) in &listed.rows {
        keep_reason(&room, &visitor, *person, "取込みとの突合".into());
    }
    let mut rows = lines(&listed, room.clock.now().office_day(), None);
    for row in &mut rows {
        row.href.push_str("/difference");
    }
    html(QueuePage {
        frame: &frame
            .with_title("取込みとの突合")
            .with_current("/residents/differences"),
        lines: rows,
        more: listed.more,
        line: listed.line(),
    })
}

async fn ready(
    room: &Residents,
    visitor: &Visitor,
    person: &str,
    why: &str,
) -> Result<PersonPermit, Response> {
    let person = person.parse().unwrap_or(PersonId::from_bytes([0; 16]));
    let words = stated(room, visitor, &person, None);
    let reason = words.clone().map(|w| Reason(format!("{w} {why}")));
    let permit = async {
        room.gate
            .person(
                visitor,
                action::PERSON_SETTLE,
                purpose(visitor),
                person,
                reason,
            )
            .await?
            .on_queue("residents_differing", "1 = 1")
            .await?
            .whole()
            .await
    };
    let permit = permit.await.map_err(answer)?;
    match words {
        Some(_) => Ok(permit),
        None => Err(Redirect::to(&format!("/residents/{person}")).into_response()),
    }
}

/// What the files say where they differ.
fn file(record: &Record) -> Values {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for column in &DIFFERING[1..] {
        let text = record.text(column).unwrap_or_default();
        all.extend(serde_json::from_str::<BTreeMap<String, String>>(text).unwrap_or_default());
    }
    ITEMS
        .iter()
        .filter_map(|i| Some((i.column, all.remove(i.column)?)))
        .collect()
}

async fn page(
    frame: Frame,
    permit: PersonPermit,
    given: &Sent,
    errors: Vec<FieldError>,
) -> Result<Response, GateError> {
    let person = permit.person();
    let row = permit
        .fetch("residents_person", &COLUMNS, IN_FORCE_HERE, vec![])
        .await?;
    let theirs = permit
        .fetch("residents_differing", &DIFFERING, "1 = 1", vec![])
        .await?;
    let (mut rows, theirs) = permit.reveal(row.and(theirs)).await?.into_inner();
    let row = rows.pop().ok_or(GateError::NotFound)?;
    let Some(theirs) = theirs.first() else {
        return Ok(Redirect::to(&format!("/residents/{person}")).into_response());
    };
    let (now, lock, who) = facing(&row);
    let file = file(theirs);
    let steps = ITEMS
        .iter()
        .filter_map(|item| {
            let after = file.get(item.column)?;
            Some(Step {
                label: item.label,
                before: item.words(now.get(item.column).map_or("", String::as_str)),
                after: item.words(after),
            })
        })
        .collect();
    let status = match errors.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::BAD_REQUEST,
    };
    let page = DifferencePage {
        frame: &frame
            .with_title("取込みとの突合")
            .with_current("/residents/differences"),
        person,
        who,
        lock,
        absent: theirs.int("absent") == Some(1),
        steps,
        reason: sent(given, "reason").into(),
        errors,
    };
    Ok(html_with_status(status, page))
}

/// GET /residents/{person}/difference
pub(crate) async fn difference(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
) -> Response {
    match ready(&room, &visitor, &person, "").await {
        Ok(permit) => page(frame, permit, &Sent::new(), vec![])
            .await
            .unwrap_or_else(answer),
        Err(response) => response,
    }
}

/// POST /residents/{person}/difference: `wins` is file or change.
pub(crate) async fn settle(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
    LimitedForm(given): LimitedForm<Sent>,
) -> Response {
    let why = sent(&given, "reason").trim().to_owned();
    let short: String = why.chars().take(200).collect();
    let permit = match ready(&room, &visitor, &person, &short).await {
        Ok(permit) => permit,
        Err(response) => return response,
    };
    let lock = Lock::parse(sent(&given, "lock"));
    let (Some(lock), false) = (lock, why.is_empty() || short != why) else {
        let text = "理由を200文字までで入力してください。";
        let errors = vec![FieldError::new("reason", text)];
        return page(frame, permit, &given, errors)
            .await
            .unwrap_or_else(answer);
    };
    match write(
        &room,
        &visitor,
        permit,
        lock,
        sent(&given, "wins") == "file",
        why,
    )
    .await
    {
        Ok(_) => Redirect::to("/residents/differences").into_response(),
        Err(error) => answer(error),
    }
}

async fn write(
    room: &Residents,
    visitor: &Visitor,
    permit: PersonPermit,
    lock: Lock,
    file_wins: bool,
    reason: String,
) -> Result<u64, GateError> {
    let person = permit.person();
    let writer = Writer {
        person: &person,
        visitor,
        at: room.clock.now(),
    };
    let one = |sql: &str, rows| {
        let args = vec![person.bytes().into()];
        match rows {
            Some(rows) => Statement::expecting(sql, args, rows, "residents-differing"),
            None => Statement::new(sql, args),
        }
    };
    let clear = one("DELETE FROM residents_differing WHERE person = ?", Some(1));
    let wish = |items: Values| Wish {
        kind: Kind::Corrected,
        event_day: String::new(),
        notified_day: String::new(),
        moved_to: String::new(),
        elsewhere: String::new(),
        reason: reason.clone(),
        items,
    };
    if !file_wins {
        let row = writer.journal("突合（画面の変更を残す）", &wish(Values::new()), &[], false);
        return permit.change(vec![clear, row], None).await;
    }
    let row = permit
        .fetch("residents_person", &COLUMNS, IN_FORCE_HERE, vec![])
        .await?;
    let theirs = permit
        .fetch("residents_differing", &DIFFERING, "absent = 0", vec![])
        .await?;
    let (resident, rest) = (
        permit.facts_with(0, 0),
        Facts::RESIDENT | Facts::MOVED_OUT | Facts::DECEASED,
    );
    let change = row.and(theirs).map(|(rows, theirs)| {
        let now = rows.first().map(values).unwrap_or_default();
        // Without a row of the files there is nothing that could win.
        let items = theirs.first().map(file).unwrap_or_default();
        let facts = match items.get("status").map(String::as_str) {
            Some("1") => Some(resident.0 & !rest | Facts::RESIDENT),
            Some("2") => Some(resident.0 & !rest | Facts::MOVED_OUT),
            Some("3") => Some(resident.0 & !rest | Facts::DECEASED),
            _ => None,
        };
        let flag = items.get("protected").map(|p| match p.as_str() {
            "0" => facts.unwrap_or(resident.0) & !Facts::PROTECTED,
            // 1: measures hold; 2: for somebody of the same household or address.
            _ => facts.unwrap_or(resident.0) | Facts::PROTECTED,
        });
        let wish = wish(items);
        let mut out = writer.change(&now, lock, &wish);
        out.push(one(
            "UPDATE residents_change SET pending = 0 WHERE person = ? AND pending = 1",
            None,
        ));
        out.push(clear);
        let touched = flag.or(facts);
        if let Some(mask) = touched {
            out.push(Statement::new(
                "UPDATE residents_fact SET mask = ? WHERE generation = (SELECT generation FROM residents_state WHERE one = 1) \
                 AND person = ?",
                vec![(mask & 31).into(), person.bytes().into()],
            ));
        }
        out.extend(writer.beside(&now, &wish));
        let touched = touched.or(concerns(&wish).then_some(resident.0));
        (out, touched.map(Facts))
    });
    permit.change_hidden(change).await
}
