//! Pages of events and corrections: form, confirmation, and what to do when somebody was faster.

mod confirm;
mod conflict;
mod form;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{GateError, PersonPermit, Reason, Record};
use mimamori_identity::Visitor;
use mimamori_kernel::id::PersonId;
use mimamori_pages::{FieldError, Frame, LimitedForm, Problem, html_with_status};
use mimamori_trace::TraceError;

use super::beside::concerns;
use super::item::{Values, values};
use super::rule::{Form, Kind, Sent, Wish, check, differences, sent};
use super::store::{Lock, STALE, Writer, facts};
use crate::record::stated;
use crate::schema::IN_FORCE_HERE;
use crate::search::purpose;
use crate::{Residents, action, answer};

pub(in crate::change) use confirm::confirm;
use conflict::conflict;
use form::form_page;
pub(in crate::change) use form::{FormPage, controls, note, titled};

/// Columns of a person that a change looks at.
pub(in crate::change) const COLUMNS: [&str; 19] = [
    "generation",
    "version",
    "address_number",
    "kanji",
    "kana",
    "alias",
    "alias_kana",
    "sex",
    "birth",
    "foreigner",
    "postal",
    "address",
    "building",
    "phone",
    "household_number",
    "relation",
    "status",
    "status_day",
    "protected",
];

/// A permit to change this person, with the reason given today; or what to answer instead.
pub(in crate::change) async fn ready(
    room: &Residents,
    visitor: &Visitor,
    form: Form,
    person: &str,
    about: &Sent,
) -> Result<(PersonPermit, String), Response> {
    let person = person.parse().unwrap_or(PersonId::from_bytes([0; 16]));
    let words = stated(room, visitor, &person, None);
    let about: String = ["kind", "reason"]
        .map(|f| sent(about, f))
        .join(" ")
        .chars()
        .take(300)
        .collect();
    let reason = words
        .clone()
        .map(|w| Reason(format!("{w} {about}").trim_end().to_owned()));
    let permit = async {
        let permit = room
            .gate
            .person(visitor, form.action(), purpose(visitor), person, reason)
            .await?;
        permit.whole().await
    };
    let permit = permit.await.map_err(answer)?;
    // Without a reason for today, and for a merged record, the record page says what to do.
    match words {
        Some(words) if permit.kept().is_none() => Ok((permit, words)),
        _ => Err(Redirect::to(&format!("/residents/{person}")).into_response()),
    }
}

/// The row in words for the head of a page, and its lock.
pub(in crate::change) fn facing(record: &Record) -> (Values, Lock, String) {
    let lock = Lock {
        generation: record.int("generation").unwrap_or(0),
        version: record.int("version").unwrap_or(0),
    };
    let who = format!(
        "{}（{}） 宛名番号 {}",
        record.text("kanji").unwrap_or(""),
        record.text("kana").unwrap_or(""),
        record.text("address_number").unwrap_or("")
    );
    (values(record), lock, who)
}

/// What an officer saw when the form was opened. Kept in the session for the steps of that form, so
/// that one entry is one look and one change in the trace.
#[derive(Clone)]
pub(crate) struct Seen {
    person: PersonId,
    now: Values,
    lock: Lock,
    who: String,
}

/// Looks at the person under the action of a look: in the trace an act is an act.
async fn look(
    room: &Residents,
    visitor: &Visitor,
    person: PersonId,
    words: &str,
) -> Result<Seen, GateError> {
    let reason = Some(Reason(words.to_owned()));
    let permit = room
        .gate
        .person(
            visitor,
            action::PERSON_OPEN,
            purpose(visitor),
            person,
            reason,
        )
        .await?;
    let hidden = permit
        .fetch("residents_person", &COLUMNS, IN_FORCE_HERE, vec![])
        .await?;
    let mut rows = permit.reveal(hidden).await?.into_inner();
    let row = rows.pop().ok_or(GateError::NotFound)?;
    let (now, lock, who) = facing(&row);
    let seen = Seen {
        person,
        now,
        lock,
        who,
    };
    room.kept(&visitor.session, |kept| kept.seen = Some(seen.clone()));
    Ok(seen)
}

/// What was seen already under this lock, as long as the row still stands; a new look otherwise.
async fn seen(
    room: &Residents,
    visitor: &Visitor,
    permit: &PersonPermit,
    words: &str,
    lock: Option<Lock>,
) -> Result<Seen, GateError> {
    let kept = room.kept(&visitor.session, |kept| kept.seen.clone());
    let fits = |s: &Seen| s.person == permit.person() && Some(s.lock) == lock;
    if let Some(seen) = kept.filter(fits) {
        let values = [
            ("generation", seen.lock.generation),
            ("version", seen.lock.version),
        ];
        if permit
            .stands("residents_person", IN_FORCE_HERE, &values)
            .await?
        {
            return Ok(seen);
        }
    }
    look(room, visitor, permit.person(), words).await
}

fn address(person: &PersonId, form: Form) -> String {
    format!("/residents/{person}/change/{}", form.code())
}

/// GET /residents/{person}/change/{form}
pub(crate) async fn show(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path((person, form)): Path<(String, String)>,
) -> Response {
    let Some(form) = existing(&form) else {
        return Problem::not_found().into_response();
    };
    // Asked for the change, shown as a look.
    let (permit, words) = match ready(&room, &visitor, form, &person, &Sent::new()).await {
        Ok(ready) => ready,
        Err(response) => return response,
    };
    let person = permit.person();
    let Seen { now, lock, who, .. } = match look(&room, &visitor, person, &words).await {
        Ok(found) => found,
        Err(error) => return answer(error),
    };
    let given = now
        .iter()
        .map(|(c, t)| ((*c).to_owned(), t.clone()))
        .collect();
    let status = now.get("status").map_or("", String::as_str);
    let fields = controls(form, &form.kinds_for(status), &given);
    let frame = titled(frame, form);
    form_page(&frame, &person, form, who, lock.to_string(), fields, vec![])
}

fn existing(code: &str) -> Option<Form> {
    let fits = |f: &Form| *f != Form::Enter && f.code() == code;
    Form::ALL.into_iter().find(fits)
}

/// POST /residents/{person}/change/{form}: `step` is check, edit or write.
pub(crate) async fn submit(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path((person, form)): Path<(String, String)>,
    LimitedForm(given): LimitedForm<Sent>,
) -> Response {
    let Some(form) = existing(&form) else {
        return Problem::not_found().into_response();
    };
    let (permit, words) = match ready(&room, &visitor, form, &person, &given).await {
        Ok(ready) => ready,
        Err(response) => return response,
    };
    let person = permit.person();
    let frame = titled(frame, form);
    let today = room.clock.now().office_day();
    let again = async |permit: PersonPermit, lock: Lock, errors| match seen(
        &room,
        &visitor,
        &permit,
        &words,
        Some(lock),
    )
    .await
    {
        Ok(seen) => {
            let status = seen.now.get("status").map_or("", String::as_str);
            let fields = controls(form, &form.kinds_for(status), &given);
            let lock = lock.to_string();
            form_page(&frame, &person, form, seen.who, lock, fields, errors)
        }
        Err(error) => answer(error),
    };
    match (sent(&given, "step"), Lock::parse(sent(&given, "lock"))) {
        ("edit", Some(lock)) => again(permit, lock, vec![]).await,
        ("write", Some(lock)) => match check(form, &given, None, today) {
            Err(errors) => again(permit, lock, errors).await,
            Ok(wish) => match write(&room, &visitor, permit, lock, &wish).await {
                Ok(_) => Redirect::to(&format!("/residents/{person}")).into_response(),
                Err(GateError::Trace(
                    TraceError::Conflict { what: STALE } | TraceError::SubjectChanged,
                )) => conflict(&room, &visitor, &frame, form, person, lock, words, given).await,
                Err(error) => answer(error),
            },
        },
        (_, lock) => {
            let found = seen(&room, &visitor, &permit, &words, lock).await;
            let (now, fresh, who) = match found {
                Ok(seen) => (seen.now, seen.lock, seen.who),
                Err(error) => return answer(error),
            };
            match lock {
                Some(old) if old != fresh => {
                    return conflict(&room, &visitor, &frame, form, person, old, words, given)
                        .await;
                }
                _ => {}
            }
            let status = now.get("status").map_or("", String::as_str);
            let (wish, errors) = match check(form, &given, Some(&now), today) {
                Ok(wish)
                    if wish.kind == Kind::Corrected
                        && differences(&now, &wish.items).is_empty() =>
                {
                    let first = form.items().next().map_or("reason", |i| i.column);
                    let text = "変わった項目がありません。直す項目を入力してください。";
                    (None, vec![FieldError::new(first, text)])
                }
                Ok(wish) => (Some(wish), vec![]),
                Err(errors) => (None, errors),
            };
            let Some(wish) = wish else {
                let fields = controls(form, &form.kinds_for(status), &given);
                return form_page(
                    &frame,
                    &person,
                    form,
                    who,
                    fresh.to_string(),
                    fields,
                    errors,
                );
            };
            let mut given = given;
            given.insert("lock".into(), fresh.to_string());
            html_with_status(
                StatusCode::OK,
                confirm(&frame, address(&person, form), who, &now, &wish, &given),
            )
        }
    }
}

async fn write(
    room: &Residents,
    visitor: &Visitor,
    permit: PersonPermit,
    lock: Lock,
    wish: &Wish,
) -> Result<u64, GateError> {
    let (set, clear) = facts(wish);
    let touched = set | clear != 0 || concerns(wish);
    let facts = touched.then(|| permit.facts_with(set, clear));
    let person = permit.person();
    let writer = Writer {
        person: &person,
        visitor,
        at: room.clock.now(),
    };
    let row = permit
        .fetch("residents_person", &COLUMNS, IN_FORCE_HERE, vec![])
        .await?;
    let change = row.map(|rows| {
        let now = rows.first().map(values).unwrap_or_default();
        let mut steps = writer.change(&now, lock, wish);
        steps.extend(writer.beside(&now, wish));
        (steps, facts)
    });
    permit.change_hidden(change).await
}
