use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use mimamori_gate::{GateError, Purpose, Reason, Statement};
use mimamori_identity::Visitor;
use mimamori_pages::{LimitedForm, Problem, pdf};

use super::page::{CardError, look, only_entitled, person_of, set, told};
use super::rule::{COLUMNS, Card};
use crate::{CareInsurance, action};

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    /// `yes` after the officer saw which characters paper cannot show.
    accept: String,
    note: String,
}

/// The file's name holds the number of the output and nothing personal.
pub(crate) fn file(bytes: Vec<u8>, line: u64) -> Response {
    pdf(&format!("cards-{line}"), bytes)
}

/// POST /insurance/persons/{person}/card/print: one card on paper, counted.
pub(crate) async fn print(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Path(person): Path<String>,
    LimitedForm(asked): LimitedForm<Asked>,
) -> Response {
    let person = person_of(&person);
    let note = asked.note.trim();
    if note.is_empty() || note.chars().count() > 200 {
        return Problem::bad_request("印刷の理由を200文字までで書いてください。").into_response();
    }
    let reason = format!("被保険者証の印刷: {note}");
    let made = async {
        // Looked at before it is counted as issued: what paper cannot show stops it here.
        let seen = look(&room, &visitor, person, reason.clone()).await?;
        if !seen.unprintable().is_empty() && asked.accept != "yes" {
            return Ok(None);
        }
        let why = Some(Reason(reason));
        let permit = room
            .gate
            .person(&visitor, action::PRINT, Purpose::CareInsurance, person, why)
            .await?;
        let rows = permit
            .fetch("care_insurance_person", &COLUMNS, "1 = 1", vec![])
            .await?;
        let now = room.clock.now();
        let by = format!("{} {}", visitor.org_name, visitor.name);
        let steps = vec![
            only_entitled(person),
            Statement::expecting(
                "INSERT INTO care_insurance_card (person, number, issued, reason, issued_by, returned, returned_why) \
                 SELECT p.person, (SELECT COALESCE(MAX(c.number), 0) + 1 FROM care_insurance_card c WHERE c.person = p.person), \
                 ?, p.card_reason, ?, '', '' FROM care_insurance_person p WHERE p.person = ? AND p.card_wait <> 0",
                vec![
                    now.office_day().to_string().into(),
                    by.into(),
                    person.bytes().into(),
                ],
                1,
                "care-insurance-card",
            ),
            Statement::expecting(
                "UPDATE care_insurance_person SET card_wait = 0, batch = '', version = version + 1 WHERE person = ?",
                vec![person.bytes().into()],
                1,
                "care-insurance-card",
            ),
        ];
        let (rows, stamp) = permit.take_out(rows, steps, now).await?;
        let card = rows.first().map(Card::of).ok_or(GateError::NotFound)?;
        let sheet = set(&room, vec![card], stamp.to_string()).await?;
        Ok::<_, CardError>(Some((sheet.pdf()?, stamp.line)))
    };
    match made.await {
        Ok(Some((bytes, line))) => file(bytes, line),
        Ok(None) => Problem::bad_request(
            "紙に出せない文字があります。被保険者証の画面で確かめ、そのまま印刷してよいときは確認の印を付けてください。",
        )
        .into_response(),
        Err(error) => told(error),
    }
}
