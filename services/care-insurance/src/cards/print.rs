use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{GateError, Purpose, Reason, Statement};
use mimamori_identity::Visitor;
use mimamori_pages::{FieldError, Frame, LimitedForm, Problem, pdf};

use super::page::{
    CardError, Typed, card_page, look, only_entitled, only_fresh, only_numbered, person_of,
    refresh, set, told,
};
use super::rule::{COLUMNS, Card, Paper};
use crate::eligibility::pages::unreasoned;
use crate::{CareInsurance, action};

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    /// `yes` after the officer saw which characters paper cannot show.
    accept: String,
    note: String,
}

/// GET /insurance/papers/{line}: the document of this output, once, for the session that made it.
/// Its line stands since it was made. The file's name holds the line and nothing personal.
pub(crate) async fn paper(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Path(line): Path<String>,
) -> Response {
    let line = line.parse().unwrap_or(0);
    match room.take_paper(&visitor.session, line) {
        Some(bytes) => pdf(&format!("cards-{line}"), bytes),
        None => Problem::conflict(
            "このPDFは、もう保存したか、作ったあとにサインアウトしています。",
        )
        .with_next(
            "ダウンロードの保存先を確かめてください。見つからないときは、再交付を指示します。",
        )
        .into_response(),
    }
}

/// POST /insurance/persons/{person}/card/print: one card on paper, counted.
pub(crate) async fn print(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
    LimitedForm(asked): LimitedForm<Asked>,
) -> Response {
    let person = person_of(&person);
    let note = asked.note.trim();
    if let Some(error) = unreasoned("印刷", note) {
        let typed = Typed {
            note: asked.note,
            accept: asked.accept == "yes",
            errors: vec![error],
            ..Typed::default()
        };
        return card_page(&room, &visitor, frame, person, typed).await;
    }
    let reason = format!("被保険者証の印刷: {note}");
    let made = async {
        refresh(&room, person).await;
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
            only_numbered(person),
            only_fresh(person),
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
                "UPDATE care_insurance_person SET card_wait = 0, card_old = '', batch = '', version = version + 1 WHERE person = ?",
                vec![person.bytes().into()],
                1,
                "care-insurance-card",
            ),
        ];
        let (rows, stamp) = permit.take_out(rows, steps, now).await?;
        let card = rows.first().map(Card::of).ok_or(GateError::NotFound)?;
        let sheet = set(&room, vec![card], Paper::Print(stamp.to_string())).await?;
        Ok::<_, CardError>(Some((sheet.pdf()?, stamp.line)))
    };
    match made.await {
        Ok(Some((bytes, line))) => {
            room.keep_paper(&visitor.session, Some(person), line, bytes);
            Redirect::to(&format!("/insurance/persons/{person}/card")).into_response()
        }
        Ok(None) => {
            let text =
                "紙に出せない文字を確かめ、そのまま印刷してよいときは確認の印を付けてください。";
            let typed = Typed {
                note: asked.note,
                errors: vec![FieldError::new("accept", text)],
                ..Typed::default()
            };
            card_page(&room, &visitor, frame, person, typed).await
        }
        Err(error) => told(error),
    }
}
