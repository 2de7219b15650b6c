//! Two records of one person: merge (統合) and split (分離). The lead officer alone, with a reason.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Class, Condition, GateError, PersonPermit, Reason};
use mimamori_identity::Visitor;
use mimamori_kernel::id::PersonId;
use mimamori_pages::{Choice, FieldError, Frame, LimitedForm, html_with_status};
use mimamori_trace::TraceError;

use super::beside::inherited;
use super::item::{ITEMS, Values, digits};
use super::page::{COLUMNS, facing};
use super::rule::{Kind, Sent, Wish, sent};
use super::store::{Writer, recount};
use crate::record::stated;
use crate::schema::{IN_FORCE, IN_FORCE_HERE};
use crate::search::purpose;
use crate::{Residents, action, answer};

#[derive(Template)]
#[template(path = "residents/merge.html")]
struct MergePage<'a> {
    frame: &'a Frame,
    person: PersonId,
    number: String,
    reason: String,
    errors: Vec<FieldError>,
}

#[derive(Template)]
#[template(path = "residents/pair_confirm.html")]
struct PairConfirm<'a> {
    frame: &'a Frame,
    to: String,
    /// What the two columns are.
    heads: [&'static str; 2],
    button: &'static str,
    /// What the form carries on.
    given: [(&'static str, String); 2],
    reason: String,
    notes: Vec<&'static str>,
    warnings: Vec<&'static str>,
    rows: Vec<(&'static str, String, String)>,
}

#[derive(Template)]
#[template(path = "residents/split.html")]
struct SplitPage<'a> {
    frame: &'a Frame,
    person: PersonId,
    choices: Vec<Choice>,
    reason: String,
    errors: Vec<FieldError>,
}

fn parsed(person: &str) -> PersonId {
    person.parse().unwrap_or(PersonId::from_bytes([0; 16]))
}

fn bad(errors: &[FieldError]) -> StatusCode {
    match errors.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::BAD_REQUEST,
    }
}

/// A whole permit for one of the two records; `words` is why.
async fn permit(
    room: &Residents,
    visitor: &Visitor,
    person: PersonId,
    words: &str,
) -> Result<PersonPermit, GateError> {
    let reason = Some(Reason(words.to_owned()));
    let purpose = purpose(visitor);
    room.gate
        .person(visitor, action::PERSON_MERGE, purpose, person, reason)
        .await?
        .whole()
        .await
}

/// The permit for the kept record and the reason given today, or what to answer instead.
async fn ready(
    room: &Residents,
    visitor: &Visitor,
    person: &str,
) -> Result<(PersonPermit, String), Response> {
    let person = parsed(person);
    let words = stated(room, visitor, &person, None);
    let permit = permit(room, visitor, person, words.as_deref().unwrap_or(""))
        .await
        .map_err(answer)?;
    match words {
        Some(words) if permit.kept().is_none() => Ok((permit, words)),
        _ => Err(Redirect::to(&format!("/residents/{person}")).into_response()),
    }
}

fn titled(frame: Frame, title: &str) -> Frame {
    frame.with_title(title).with_current("/residents/search")
}

fn reason(given: &Sent, errors: &mut Vec<FieldError>) -> String {
    let reason = sent(given, "reason").trim().to_owned();
    if reason.is_empty() || reason.chars().count() > 200 {
        let text = "理由を200文字までで入力してください。";
        errors.push(FieldError::new("reason", text));
    }
    reason
}

fn merge_page(frame: &Frame, person: PersonId, given: &Sent, errors: Vec<FieldError>) -> Response {
    let status = bad(&errors);
    let page = MergePage {
        frame,
        person,
        number: sent(given, "number").into(),
        reason: sent(given, "reason").into(),
        errors,
    };
    html_with_status(status, page)
}

/// GET /residents/{person}/merge
pub(crate) async fn merge_form(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
) -> Response {
    match ready(&room, &visitor, &person).await {
        Ok((permit, _)) => merge_page(
            &titled(frame, "同一人の統合"),
            permit.person(),
            &Sent::new(),
            vec![],
        ),
        Err(response) => response,
    }
}

/// The person with this 宛名番号, found as in any list.
async fn by_number(
    room: &Residents,
    visitor: &Visitor,
    number: &str,
) -> Result<Option<PersonId>, GateError> {
    let list = room
        .gate
        .list(visitor, action::PERSON_LIST, purpose(visitor))
        .await?;
    let condition = Condition {
        class: Class::Identity,
        sql: "p.address_number = ?",
        args: vec![number.into()],
    };
    let found = list
        .fetch(
            &list,
            "residents_person",
            &["kanji"],
            IN_FORCE,
            &[condition],
            "p.person",
            0,
            1,
        )
        .await?;
    let found = list.reveal(found).await?;
    Ok(found.rows.first().map(|(person, _)| *person))
}

/// POST /residents/{person}/merge: `step` is check, edit or write.
pub(crate) async fn merge(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
    LimitedForm(given): LimitedForm<Sent>,
) -> Response {
    let (kept, words) = match ready(&room, &visitor, &person).await {
        Ok(ready) => ready,
        Err(response) => return response,
    };
    let frame = titled(frame, "同一人の統合");
    let person = kept.person();
    if sent(&given, "step") == "edit" {
        return merge_page(&frame, person, &given, vec![]);
    }
    let mut errors = Vec::new();
    let number = digits(sent(&given, "number")).filter(|d| d.len() <= 15);
    let reason = reason(&given, &mut errors);
    let Some(number) = number
        .map(|d| format!("{d:0>15}"))
        .filter(|_| errors.is_empty())
    else {
        if errors.is_empty() || digits(sent(&given, "number")).is_none() {
            let text = "宛名番号を15桁までの数字で入力してください。";
            errors.insert(0, FieldError::new("number", text));
        }
        return merge_page(&frame, person, &given, errors);
    };
    let both = async {
        let other = by_number(&room, &visitor, &number).await?;
        let other = match other.filter(|o| *o != person) {
            Some(other) => permit(&room, &visitor, other, &format!("{words} {reason}")).await?,
            None => return Ok(None),
        };
        if !other.merged().is_empty() {
            return Ok(None);
        }
        if sent(&given, "step") == "write" {
            let (this, that) = (other.person(), person);
            let why = format!("{words} {reason}");
            let mut statements = together(&room, &visitor, "統合", &that, &this, &number, &reason);
            let (left, right) = tokio::try_join!(look(kept), look(other))?;
            let writer = Writer {
                person: &that,
                visitor: &visitor,
                at: room.clock.now(),
            };
            let marks = (flag(&right), inherited(flag(&left), flag(&right)));
            statements.extend(writer.inherit(&this, &left.0, marks, &reason));
            let other = permit(&room, &visitor, this, &why).await?;
            let kept = permit(&room, &visitor, that, &why).await?;
            other.merge_into(kept, statements).await?;
            return Ok(Some(None));
        }
        let (left, right) = tokio::try_join!(look(kept), look(other))?;
        Ok::<_, GateError>(Some(Some((left, right))))
    };
    match both.await {
        Err(GateError::Trace(TraceError::Conflict { what: "gate-same" })) | Ok(None) => {
            let text = "統合できる記録がありません。番号を確かめてください（すでに統合した記録や、統合先になっている記録は選べません）。";
            merge_page(
                &frame,
                person,
                &given,
                vec![FieldError::new("number", text)],
            )
        }
        Err(error) => answer(error),
        Ok(Some(None)) => Redirect::to(&format!("/residents/{person}")).into_response(),
        Ok(Some(Some((left, right)))) => html_with_status(
            StatusCode::OK,
            pair_page(
                &frame,
                format!("/residents/{person}/merge"),
                ("number", number),
                reason,
                &left,
                &right,
            ),
        ),
    }
}

/// The mark of support measures of a record (0, 1, or 2 for whoever lives with a protected person).
fn flag(record: &(Values, String)) -> &str {
    record.0.get("protected").map_or("0", String::as_str)
}

/// Item by item of both records.
fn compare(
    left: &(Values, String),
    right: &(Values, String),
) -> Vec<(&'static str, String, String)> {
    let mut rows = vec![("氏名と番号", left.1.clone(), right.1.clone())];
    for item in &ITEMS {
        if let (Some(kept), Some(merged)) = (left.0.get(item.column), right.0.get(item.column)) {
            let words = |text: &str| match (item.column, text) {
                ("protected", "2") => "対象者と同じ世帯・住所".to_owned(),
                _ => item.words(text),
            };
            rows.push((item.label, words(kept), words(merged)));
        }
    }
    rows
}

/// Both records before they become one, or two again.
fn pair_page<'a>(
    frame: &'a Frame,
    to: String,
    (field, value): (&'static str, String),
    reason: String,
    left: &(Values, String),
    right: &(Values, String),
) -> PairConfirm<'a> {
    let merging = field == "number";
    let differs = |column: &str| left.0.get(column) != right.0.get(column);
    let other_person = differs("birth") || differs("sex");
    let (mut notes, mut warnings) = (vec![], vec![]);
    match (merging, other_person) {
        (true, true) => {
            warnings.push("生年月日か性別が違います。本当に同じ人か、もう一度確かめてください。");
        }
        (false, false) => {
            warnings.push("生年月日と性別が同じです。本当に別の人か、もう一度確かめてください。");
        }
        _ => {}
    }
    if merging && inherited(flag(left), flag(right)) != flag(left) {
        warnings.push("統合する記録は支援措置の対象です。残す記録も、同じ世帯・住所の人も、統合と同時に対象になります。");
    }
    if !merging {
        notes.push("統合で引き継いだ支援措置は、左の記録に残ります。対象でない人のものであれば、分離のあとで支援措置を解除してください。");
        notes.push("分離すると、右の記録は別の人として、もう一度検索や一覧に出ます。");
        notes.push("統合していたあいだに入力した異動や受付は、左の記録に残ります。移す必要があるものは、分離のあとで入力し直してください。");
        notes.push("見た人の記録は、番号ごとにそのまま残ります。");
    }
    PairConfirm {
        frame,
        to,
        heads: match merging {
            true => ["残す記録", "統合する記録"],
            false => ["残る記録", "分離する記録"],
        },
        button: if merging {
            "統合する"
        } else {
            "分離する"
        },
        given: [(field, value), ("reason", reason.clone())],
        reason,
        notes,
        warnings,
        rows: compare(left, right),
    }
}

async fn look(permit: PersonPermit) -> Result<(Values, String), GateError> {
    let hidden = permit
        .fetch("residents_person", &COLUMNS, IN_FORCE_HERE, vec![])
        .await?;
    let mut rows = permit.reveal(hidden).await?.into_inner();
    let row = rows.pop().ok_or(GateError::NotFound)?;
    let (values, _, who) = facing(&row);
    Ok((values, who))
}

/// The room's writes beside the link: a row in both journals, and namesakes counted anew.
fn together(
    room: &Residents,
    visitor: &Visitor,
    kind: &str,
    kept: &PersonId,
    merged: &PersonId,
    number: &str,
    reason: &str,
) -> Vec<mimamori_gate::Statement> {
    let at = room.clock.now();
    let wish = |reason: String| Wish {
        kind: Kind::Corrected,
        event_day: String::new(),
        notified_day: String::new(),
        moved_to: String::new(),
        elsewhere: String::new(),
        reason,
        items: Values::new(),
    };
    let row = |person, words| {
        let writer = Writer {
            person,
            visitor,
            at,
        };
        writer.journal(kind, &wish(words), &[], false)
    };
    vec![
        row(kept, format!("宛名番号 {number} を{kind}: {reason}")),
        row(merged, format!("この宛名番号を{kind}: {reason}")),
        recount(&[kept, merged]),
    ]
}

fn split_page(
    frame: &Frame,
    person: PersonId,
    others: &[(PersonId, String)],
    given: &Sent,
    errors: Vec<FieldError>,
) -> Response {
    let chosen = sent(given, "other");
    let status = bad(&errors);
    let page = SplitPage {
        frame,
        person,
        choices: others
            .iter()
            .map(|(id, who)| Choice::new(id.to_string(), who, chosen))
            .collect(),
        reason: sent(given, "reason").into(),
        errors,
    };
    html_with_status(status, page)
}

/// The records merged into `kept`, in words.
async fn others(
    room: &Residents,
    visitor: &Visitor,
    kept: &PersonPermit,
    words: &str,
) -> Result<Vec<(PersonId, String)>, GateError> {
    let mut out = Vec::new();
    for other in kept.merged() {
        let (_, who) = look(permit(room, visitor, *other, words).await?).await?;
        out.push((*other, who));
    }
    Ok(out)
}

/// GET /residents/{person}/split
pub(crate) async fn split_form(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
) -> Response {
    let (kept, words) = match ready(&room, &visitor, &person).await {
        Ok(ready) => ready,
        Err(response) => return response,
    };
    match others(&room, &visitor, &kept, &words).await {
        Ok(others) => split_page(
            &titled(frame, "同一人の分離"),
            kept.person(),
            &others,
            &Sent::new(),
            vec![],
        ),
        Err(error) => answer(error),
    }
}

/// POST /residents/{person}/split: `step` is check, edit or write.
pub(crate) async fn split(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
    LimitedForm(given): LimitedForm<Sent>,
) -> Response {
    let (kept, words) = match ready(&room, &visitor, &person).await {
        Ok(ready) => ready,
        Err(response) => return response,
    };
    let frame = titled(frame, "同一人の分離");
    let mut errors = Vec::new();
    let edits = sent(&given, "step") == "edit";
    let reason = match edits {
        true => String::new(),
        false => reason(&given, &mut errors),
    };
    let other = sent(&given, "other").parse::<PersonId>().ok();
    let other = other.filter(|o| kept.merged().contains(o));
    if other.is_none() {
        errors.insert(
            0,
            FieldError::new("other", "分離する記録を選んでください。"),
        );
    }
    let done = async {
        let Some(other) = other.filter(|_| errors.is_empty() && !edits) else {
            let person = kept.person();
            let others = others(&room, &visitor, &kept, &words).await?;
            return Ok(split_page(&frame, person, &others, &given, errors));
        };
        let person = kept.person();
        let why = format!("{words} {reason}");
        let right = look(permit(&room, &visitor, other, &why).await?).await?;
        if sent(&given, "step") != "write" {
            let left = look(kept).await?;
            let page = pair_page(
                &frame,
                format!("/residents/{person}/split"),
                ("other", other.to_string()),
                reason,
                &left,
                &right,
            );
            return Ok(html_with_status(StatusCode::OK, page));
        }
        let who = right.1;
        let number = who.rsplit(' ').next().unwrap_or("").to_owned();
        let statements = together(&room, &visitor, "分離", &person, &other, &number, &reason);
        let this = permit(&room, &visitor, other, &why).await?;
        let kept = permit(&room, &visitor, person, &why).await?;
        this.split_from(kept, statements).await?;
        Ok::<_, GateError>(Redirect::to(&format!("/residents/{person}")).into_response())
    };
    done.await.unwrap_or_else(answer)
}
