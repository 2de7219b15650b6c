use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::civil::Date;
use mimamori_gate::{Facts, GateError, Purpose, Reason, Statement};
use mimamori_identity::Visitor;
use mimamori_kernel::date::{parse_any, wareki_with_western};
use mimamori_kernel::error::Coded as _;
use mimamori_kernel::id::PersonId;
use mimamori_pages::{FieldError, Frame, LimitedForm};
use mimamori_residents::answer;

use super::fact::typed_day;
use super::person::{Typed, person_page};
use super::{read, unreasoned};
use crate::eligibility::{Insured, Ledger, RecordError, event, write};
use crate::{CareInsurance, action};

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Sent {
    /// cancel, restore, reopen or end; settle for the question of the whole person.
    what: String,
    number: u32,
    version: i64,
    until: String,
    lost: String,
    note: String,
}

impl Sent {
    /// The same input for the form once more, with what is wrong in one of its fields.
    fn again(&self, field: &str, message: String) -> Typed {
        Typed {
            number: self.number,
            note: self.note.clone(),
            until: self.until.clone(),
            lost: self.lost.clone(),
            errors: vec![FieldError::new(format!("{field}-{}", self.number), message)],
            ..Typed::default()
        }
    }
}

/// Applies the decision to the ledger; the words for the history.
fn apply(
    room: &CareInsurance,
    ledger: &mut Ledger,
    sent: &Sent,
    today: Date,
) -> Result<String, RecordError> {
    let n = sent.number;
    match sent.what.as_str() {
        "cancel" => ledger.cancel(n).map(|()| format!("資格{n}を取消")),
        "restore" => ledger
            .restore(n)
            .map(|()| format!("資格{n}の取消を取りやめ")),
        "reopen" => ledger
            .reopen(n)
            .map(|()| format!("資格{n}の喪失を取消（資格の回復）")),
        "end" => {
            let day = parse_any(&sent.until).ok().and_then(|d| d.full());
            let day = day.ok_or(RecordError::Order)?;
            let name = room.codes.by_code(&sent.lost, day).map(|r| r.name.clone());
            ledger.end(n, day, &sent.lost, &room.codes, today)?;
            Ok(format!(
                "資格{n}を{}に喪失（{}）",
                wareki_with_western(day.into()),
                name.unwrap_or_default()
            ))
        }
        _ => Err(RecordError::NoEntry),
    }
}

/// POST /insurance/persons/{person}: cancel, restore, reopen or end a qualification, or settle what differs.
pub(crate) async fn decide(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
    LimitedForm(sent): LimitedForm<Sent>,
) -> Response {
    let person = person.parse().unwrap_or(PersonId::from_bytes([0; 16]));
    let note = sent.note.trim();
    if let Some(error) = unreasoned("決定", note) {
        let typed = sent.again("note", error.message);
        return person_page(&room, &visitor, &frame, person, typed).await;
    }
    if sent.what == "end" {
        let wrong = match typed_day(&sent.until, "until") {
            Err(wrong) => Some(wrong),
            Ok(None) => Some(FieldError::new("until", "喪失日を入力してください。")),
            Ok(Some(_)) if sent.lost.is_empty() => {
                Some(FieldError::new("lost", "喪失事由を選んでください。"))
            }
            Ok(Some(_)) => None,
        };
        if let Some(wrong) = wrong {
            let typed = sent.again(&wrong.field, wrong.message);
            return person_page(&room, &visitor, &frame, person, typed).await;
        }
    }
    let reason = format!("資格の変更: {note}");
    let done = async {
        let row = read(&room, &visitor, person, reason.clone()).await?;
        let mut ledger = row.ledger;
        let now = room.clock.now();
        let by = format!("{} {}", visitor.org_name, visitor.name);
        if sent.what == "settle" {
            let at = now.office_text();
            let words = "違いを確かめ、処理待ちから外す";
            let steps = vec![
                Statement::expecting(
                    "UPDATE care_insurance_person SET settled = doubt, due_unknown = '', version = version + 1 \
                     WHERE person = ? AND version = ? AND doubt <> ''",
                    vec![person.bytes().into(), sent.version.into()],
                    1,
                    "care-insurance-version",
                ),
                event(&person, sent.version + 1, &at, &by, words),
            ];
            let why = Some(Reason(reason));
            let decide = action::DECIDE;
            let permit = room
                .gate
                .person(&visitor, decide, Purpose::CareInsurance, person, why)
                .await?;
            permit.change(steps, None).await?;
            return Ok(None);
        }
        let words = match apply(&room, &mut ledger, &sent, now.office_day()) {
            Ok(words) => words,
            Err(error) => return Ok(Some(error)),
        };
        let (category, since, until) = Insured::standing(&ledger, now.office_day());
        let mut steps = vec![Statement::expecting(
            "UPDATE care_insurance_person SET category = ?, since = ?, until = ?, version = version + 1 \
             WHERE person = ? AND version = ?",
            vec![
                category.into(),
                since.into(),
                until.into(),
                person.bytes().into(),
                sent.version.into(),
            ],
            1,
            "care-insurance-version",
        )];
        let changed = ledger.entries().iter().find(|e| e.number == sent.number);
        steps.extend(changed.map(|e| write(&person, e)));
        steps.push(event(
            &person,
            sent.version + 1,
            &now.office_text(),
            &by,
            &words,
        ));
        let why = Some(Reason(reason));
        let permit = room
            .gate
            .person(
                &visitor,
                action::DECIDE,
                Purpose::CareInsurance,
                person,
                why,
            )
            .await?;
        // Whoever may open insured persons alone follows the decision at once.
        let facts = match category {
            0 => permit.facts_with(0, Facts::INSURED),
            _ => permit.facts_with(Facts::INSURED, 0),
        };
        permit.change(steps, Some(facts)).await?;
        Ok::<_, GateError>(None)
    };
    match done.await {
        Ok(None) => {
            // What was decided stands; where it differs from the register the page asks at once.
            if let Err(error) = room.refresh(person).await {
                tracing::error!(code = error.code(), error = ?error, "a decision waits for the next derivation");
            }
            Redirect::to(&format!("/insurance/persons/{person}")).into_response()
        }
        Ok(Some(error)) => {
            let field = match error {
                RecordError::Order | RecordError::Future if sent.what == "end" => "until",
                RecordError::Reason => "lost",
                _ => "note",
            };
            let typed = sent.again(field, format!("{error} {}", error.advice()));
            person_page(&room, &visitor, &frame, person, typed).await
        }
        Err(error) => answer(error),
    }
}
