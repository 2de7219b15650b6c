//! A fact that was entered by hand ends, or is taken back.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use mimamori_gate::Statement;
use mimamori_identity::Visitor;
use mimamori_kernel::id::PersonId;
use mimamori_pages::{FieldError, Frame, LimitedForm, Problem};
use mimamori_residents::answer;

use super::fact::{reason, see, typed_day, words, write};
use super::person::{Typed, person_page};
use super::unreasoned;
use crate::CareInsurance;
use crate::eligibility::{Fact, event};

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Settled {
    /// end or cancel.
    what: String,
    until: String,
    note: String,
    version: i64,
}

/// POST /insurance/persons/{person}/facts/{number}: a fact ends, or never was.
pub(crate) async fn settle(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path((person, number)): Path<(String, u32)>,
    LimitedForm(sent): LimitedForm<Settled>,
) -> Response {
    let person = person.parse().unwrap_or(PersonId::from_bytes([0; 16]));
    let given = match reason(&room, &visitor, &frame, person).await {
        Ok(words) => words,
        Err(asked) => return asked,
    };
    let seen = match see(&room, &visitor, person, given).await {
        Ok(seen) => seen,
        Err(error) => return answer(error),
    };
    let open = |f: &&Fact| f.number == number && !f.cancelled;
    let Some(entered) = seen.facts.iter().find(open) else {
        return Problem::not_found().into_response();
    };
    let now = room.clock.now();
    let mut errors = Vec::new();
    if unreasoned("決定", sent.note.trim()).is_some() {
        let text = "決定の理由を200文字までで書いてください。";
        errors.push(FieldError::new(format!("fact-note-{number}"), text));
    }
    let field = format!("fact-until-{number}");
    let mut until = None;
    if sent.what == "end" {
        match typed_day(&sent.until, &field) {
            Err(error) => errors.push(error),
            Ok(None) => errors.push(FieldError::new(&field, "終わりの日を入力してください。")),
            Ok(day) => {
                until = day;
                let ended = Fact {
                    until,
                    ..entered.clone()
                };
                let checked = ended.check(&seen.facts, seen.birth, now.office_day(), &room.codes);
                let wrong = checked.err().unwrap_or_default().into_iter();
                errors.extend(wrong.map(|(_, text)| FieldError::new(&field, text)));
            }
        }
    }
    if !errors.is_empty() {
        let typed = Typed {
            fact: (number, sent.until, sent.note),
            errors,
            ..Typed::default()
        };
        return person_page(&room, &visitor, &frame, person, typed).await;
    }
    let by = format!("{} {}", visitor.org_name, visitor.name);
    let (at, note) = (now.office_text(), sent.note.trim());
    let (set, first, told) = match until {
        Some(day) => (
            "until_day = ?, ended_at = ?, ended_by = ?, ended_why = ?",
            Some(day.to_string()),
            format!("手入力{number}を{}に終了", words(day)),
        ),
        None => (
            "cancelled_at = ?, cancelled_by = ?, cancelled_why = ?",
            None,
            format!("手入力{number}を取消"),
        ),
    };
    let open = match until {
        Some(_) => "cancelled_at = '' AND until_day = ''",
        None => "cancelled_at = ''",
    };
    let mut args: Vec<mimamori_gate::Value> = first.into_iter().map(Into::into).collect();
    args.extend([at.as_str().into(), by.as_str().into(), note.into()]);
    args.extend([person.bytes().into(), number.into()]);
    let version = "care-insurance-version";
    let steps = vec![
        Statement::expecting(
            "UPDATE care_insurance_person SET version = version + 1 WHERE person = ? AND version = ?",
            vec![person.bytes().into(), sent.version.into()],
            1,
            version,
        ),
        Statement::expecting(
            format!(
                "UPDATE care_insurance_fact SET {set} WHERE person = ? AND number = ? AND {open}"
            ),
            args,
            1,
            version,
        ),
        event(&person, sent.version + 1, &at, &by, &told),
    ];
    write(&room, &visitor, person, format!("{told} {note}"), steps).await
}
