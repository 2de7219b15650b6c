//! Pages of events and corrections: form, confirmation, and what to do when somebody was faster.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{GateError, PersonPermit, Reason, Record};
use mimamori_identity::Visitor;
use mimamori_kernel::id::PersonId;
use mimamori_pages::{Choice, FieldError, Frame, LimitedForm, Problem, html_with_status};
use mimamori_trace::TraceError;

use super::item::{Item, Shape, Values, values};
use super::journal::{ALL_COLUMNS, Change, Step, before, changes};
use super::rule::{Form, Kind, Sent, Wish, check, differences, sent, warnings};
use super::store::{Lock, STALE, Writer, facts};
use crate::record::stated;
use crate::schema::IN_FORCE_HERE;
use crate::search::purpose;
use crate::{Residents, action, answer};

/// Columns of a person that a change looks at.
pub(super) const COLUMNS: [&str; 19] = [
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

/// One control of a form.
pub(super) struct Field {
    pub name: &'static str,
    pub label: &'static str,
    pub required: bool,
    pub value: String,
    pub hint: &'static str,
    pub choices: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "residents/change.html")]
pub(super) struct FormPage<'a> {
    pub frame: &'a Frame,
    pub to: String,
    pub back: String,
    pub who: String,
    pub lock: String,
    pub note: &'static str,
    pub fields: Vec<Field>,
    pub errors: Vec<FieldError>,
}

#[derive(Template)]
#[template(path = "residents/change_confirm.html")]
pub(super) struct ConfirmPage<'a> {
    pub frame: &'a Frame,
    pub to: String,
    pub kind: &'static str,
    pub who: String,
    pub days: Vec<(&'static str, String)>,
    pub reason: String,
    pub steps: Vec<Step>,
    pub warnings: Vec<String>,
    pub given: Vec<(String, String)>,
}

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

fn control(item: &'static Item, given: &Sent) -> Field {
    let value = sent(given, item.column).to_owned();
    let choices = match item.shape {
        Shape::Code(codes) => std::iter::once(("", "選んでください"))
            .chain(codes.iter().copied())
            .map(|(code, word)| Choice::new(code, word, &value))
            .collect(),
        _ => vec![],
    };
    Field {
        name: item.column,
        label: item.label,
        required: item.required,
        value,
        hint: item.hint,
        choices,
    }
}

/// The controls of a form: kind and days for events, the items, the reason.
pub(super) fn controls(form: Form, kinds: &[Kind], given: &Sent) -> Vec<Field> {
    let line = |name, label, required, hint| Field {
        name,
        label,
        required,
        value: sent(given, name).to_owned(),
        hint,
        choices: vec![],
    };
    let mut out = Vec::new();
    if !form.kinds().is_empty() {
        let chosen = sent(given, "kind");
        let choices = std::iter::once(("", "選んでください"))
            .chain(kinds.iter().map(|k| (k.word(), k.word())))
            .map(|(code, word)| Choice::new(code, word, chosen))
            .collect();
        let kind = line("kind", "異動の種類", true, "");
        out.push(Field { choices, ..kind });
        let habits = "例: R081101、令和8年11月1日、2026-11-01";
        out.push(line("event_day", "異動日", true, habits));
        out.push(line(
            "notified_day",
            "届出日",
            false,
            "職権の異動のほかは必要です。",
        ));
    }
    if form == Form::Enter {
        let hint = "宛名システムで付けた15桁の番号（想定: この画面では番号を作りません）。先頭の0は省略できます。";
        out.push(line("address_number", "宛名番号", true, hint));
    }
    out.extend(form.items().map(|item| control(item, given)));
    if form == Form::Move {
        out.push(line(
            "moved_to",
            "転出先の住所",
            false,
            "転出のときに入力します。",
        ));
    }
    let required = form != Form::Move && form != Form::Enter;
    let hint = "訂正と職権の異動には必要です。個人の名前は書かないでください。";
    out.push(line("reason", "理由", required, hint));
    out
}

/// What the form says about its assumptions (想定).
pub(super) fn note(form: Form) -> &'static str {
    match form {
        Form::Move => {
            "転出の予定は、転出した日になってから入力します（想定）。職権消除は「転出・職権消除」の状態にします（想定）。被保険者の資格は資格管理で別に扱います。"
        }
        Form::Enter => "被保険者の資格は資格管理で別に扱います。",
        Form::Basic | Form::Place => {
            "訂正は、取込みのファイルが同じ内容になるまで取込みで上書きされません。"
        }
        Form::Flag => {
            "支援措置の対象者の住所・電話番号・世帯・異動は、担当責任者だけが見られます。"
        }
    }
}

/// A permit to change this person, with the reason given today; or what to answer instead.
pub(super) async fn ready(
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
pub(super) fn facing(record: &Record) -> (Values, Lock, String) {
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

async fn look(permit: PersonPermit) -> Result<(Values, Lock, String), GateError> {
    let hidden = permit
        .fetch("residents_person", &COLUMNS, IN_FORCE_HERE, vec![])
        .await?;
    let mut rows = permit.reveal(hidden).await?.into_inner();
    let row = rows.pop().ok_or(GateError::NotFound)?;
    Ok(facing(&row))
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
    let (permit, _) = match ready(&room, &visitor, form, &person, &Sent::new()).await {
        Ok(ready) => ready,
        Err(response) => return response,
    };
    let person = permit.person();
    let (now, lock, who) = match look(permit).await {
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

pub(super) fn titled(frame: Frame, form: Form) -> Frame {
    frame
        .with_title(form.title())
        .with_current("/residents/search")
}

fn form_page(
    frame: &Frame,
    person: &PersonId,
    form: Form,
    who: String,
    lock: String,
    fields: Vec<Field>,
    errors: Vec<FieldError>,
) -> Response {
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    let page = FormPage {
        frame,
        to: address(person, form),
        back: format!("/residents/{person}"),
        who,
        lock,
        note: note(form),
        fields,
        errors,
    };
    html_with_status(status, page)
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
    match (sent(&given, "step"), Lock::parse(sent(&given, "lock"))) {
        ("edit", Some(lock)) => {
            let fields = controls(form, form.kinds(), &given);
            form_page(
                &frame,
                &person,
                form,
                String::new(),
                lock.to_string(),
                fields,
                vec![],
            )
        }
        ("write", Some(lock)) => match check(form, &given, None, today) {
            Err(errors) => {
                let fields = controls(form, form.kinds(), &given);
                form_page(
                    &frame,
                    &person,
                    form,
                    String::new(),
                    lock.to_string(),
                    fields,
                    errors,
                )
            }
            Ok(wish) => match write(&room, &visitor, permit, lock, &wish).await {
                Ok(_) => Redirect::to(&format!("/residents/{person}")).into_response(),
                Err(GateError::Trace(
                    TraceError::Conflict { what: STALE } | TraceError::SubjectChanged,
                )) => conflict(&room, &visitor, &frame, form, person, lock, words, given).await,
                Err(error) => answer(error),
            },
        },
        (_, lock) => {
            let (now, fresh, who) = match look(permit).await {
                Ok(found) => found,
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

/// The confirmation: before and after, warnings, and the input carried on.
pub(super) fn confirm<'a>(
    frame: &'a Frame,
    to: String,
    who: String,
    now: &Values,
    wish: &Wish,
    given: &Sent,
) -> ConfirmPage<'a> {
    let steps = differences(now, &wish.items)
        .into_iter()
        .map(|(item, before, after)| Step {
            label: item.label,
            before: item.words(&before),
            after: item.words(&after),
        })
        .collect();
    let day = super::item::of("status_day");
    let days = [("異動日", &wish.event_day), ("届出日", &wish.notified_day)]
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(label, text)| (label, day.map_or_else(String::new, |d| d.words(text))))
        .chain((!wish.moved_to.is_empty()).then(|| ("転出先の住所", wish.moved_to.clone())))
        .collect();
    ConfirmPage {
        frame,
        to,
        kind: wish.kind.word(),
        who,
        days,
        reason: wish.reason.clone(),
        steps,
        warnings: warnings(now, wish),
        given: carried(given),
    }
}

/// The input for the next page, without what each form adds itself.
fn carried(given: &Sent) -> Vec<(String, String)> {
    given
        .iter()
        .filter(|(name, _)| !["csrf", "step"].contains(&name.as_str()))
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect()
}

async fn write(
    room: &Residents,
    visitor: &Visitor,
    permit: PersonPermit,
    lock: Lock,
    wish: &Wish,
) -> Result<u64, GateError> {
    let (set, clear) = facts(wish);
    let facts = (set | clear != 0).then(|| permit.facts_with(set, clear));
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
        (writer.change(&now, lock, wish), facts)
    });
    permit.change_hidden(change).await
}

/// Somebody was faster: what changed since, as far as this visitor may see it, and his own input kept.
#[expect(clippy::too_many_arguments, reason = "one page, each part named")]
async fn conflict(
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
