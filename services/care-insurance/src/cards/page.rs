use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{GateError, Purpose, Reason, Statement};
use mimamori_identity::Visitor;
use mimamori_kernel::error::Coded as _;
use mimamori_kernel::id::PersonId;
use mimamori_pages::{Choice, FieldError, Frame, LimitedForm, Problem, html_with_status, png};
use mimamori_residents::answer;
use mimamori_sheets::{Sheet, SheetError};

use super::rule::{CARD, COLUMNS, Card, Insurer, Paper, REASONS, RETURNS, values};
use crate::eligibility::pages::{WAITING, ask, read, wareki_text};
use crate::room::PaperLink;
use crate::{CareInsurance, action};

/// Pixels for each point of the preview.
const SCALE: f64 = 1.6;

/// Conflict of a card for somebody who has no qualification.
const UNENTITLED: &str = "care-insurance-unentitled";

/// SQL: `person` (a table or its alias) has a qualification or reaches 65 soon, lives (fact 2), and
/// was not merged into another record. Nobody else gets a card.
pub(crate) fn entitled(person: &str) -> String {
    format!(
        "({person}.category <> 0 OR {person}.due_age <> '') AND {person}.person NOT IN (SELECT k.person FROM gate_same k) \
         AND NOT EXISTS (SELECT 1 FROM gate_subject d WHERE d.person = {person}.person AND (d.mask & 2) <> 0)"
    )
}

/// Conflict of a card without an insured-person number.
const UNNUMBERED: &str = "care-insurance-unnumbered";

/// Conflict of a card whose row is older than the register.
pub(super) const STALE: &str = "care-insurance-stale";

/// SQL: the row of `person` (a table or its alias) follows everything that was entered on the
/// register's screen for the person, and the derivation has read the import in force.
pub(super) fn as_in_register(person: &str) -> String {
    format!(
        "{person}.seen = (SELECT COUNT(*) FROM residents_change c WHERE c.person = {person}.person) AND EXISTS (SELECT 1 \
         FROM care_insurance_run u, residents_state s WHERE s.one = 1 AND u.number = (SELECT MAX(v.number) FROM \
         care_insurance_run v) AND u.mark LIKE CAST(s.generation AS TEXT) || ' %')"
    )
}

/// Stops a card that would not say what the register says.
pub(crate) fn only_fresh(person: PersonId) -> Statement {
    Statement::expecting(
        format!(
            "UPDATE care_insurance_person SET card_wait = card_wait WHERE person = ? AND {}",
            as_in_register("care_insurance_person")
        ),
        vec![person.bytes().into()],
        1,
        STALE,
    )
}

/// Stops a card without a number.
pub(crate) fn only_numbered(person: PersonId) -> Statement {
    Statement::expecting(
        "UPDATE care_insurance_person SET card_wait = card_wait WHERE person = ? AND insured_number <> ''",
        vec![person.bytes().into()],
        1,
        UNNUMBERED,
    )
}

/// Works the person out again when the register knows more than the row, so that the card is the register's.
pub(crate) async fn refresh(room: &CareInsurance, person: PersonId) {
    let done = async {
        let permit = room.gate.job(action::DERIVE, None).await?;
        let sql = format!(
            "SELECT p.person FROM care_insurance_person p WHERE p.person = ? AND {}",
            as_in_register("p")
        );
        let rows = permit.rows(&sql, vec![person.bytes().into()]).await?;
        match rows.is_empty() {
            true => room.refresh(person).await,
            false => Ok(()),
        }
    };
    if let Err(error) = done.await {
        // The print itself is refused while the row is older.
        tracing::error!(code = error.code(), error = ?error, "a card waits for the next derivation");
    }
}

/// Stops a change that gives a card to somebody who gets none.
pub(crate) fn only_entitled(person: PersonId) -> Statement {
    Statement::expecting(
        format!(
            "UPDATE care_insurance_person SET card_wait = card_wait WHERE person = ? AND {}",
            entitled("care_insurance_person")
        ),
        vec![person.bytes().into()],
        1,
        UNENTITLED,
    )
}

/// Why a card could not be shown or printed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CardError {
    /// The gate.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// The form.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// The town has not said who the insurer is.
    #[error(
        "保険者の設定がないため、被保険者証を作れません。運用の担当者に、mimamori.toml の [care_insurance] に insurer_number（保険者番号）、insurer_name（保険者の名称）、contact（問い合わせ先）、numbering（被保険者番号の付け方）を書くよう頼んでください。"
    )]
    NoInsurer,
}

/// The page for an error.
pub(crate) fn told(error: CardError) -> Response {
    match error {
        CardError::Gate(error) if error.conflict() == Some(UNENTITLED) => {
            Problem::conflict(
                "資格のない人（死亡・転出・統合された人を含む）には、被保険者証を交付できません。資格の画面で、今の資格を確かめてください。",
            )
            .into_response()
        }
        CardError::Gate(error) if error.conflict() == Some(STALE) => {
            Problem::conflict(
                "住民の台帳が変わり、資格を計算し直しているため、被保険者証を印刷しませんでした。古い住所や氏名の証を出さないためです。",
            )
            .with_next("少し待ってから、もう一度印刷してください。")
            .into_response()
        }
        CardError::Gate(error) if error.conflict() == Some(UNNUMBERED) => {
            Problem::conflict("被保険者番号がないため、被保険者証を印刷できません。")
                .with_next("資格の画面で、被保険者番号を入力してください。")
                .into_response()
        }
        CardError::Gate(error) => answer(error),
        CardError::Sheet(error) => {
            tracing::error!(code = error.code(), error = ?error, "no form");
            Problem::bad_request(format!("{error} {}", error.advice())).into_response()
        }
        error @ CardError::NoInsurer => Problem::conflict(error.to_string()).into_response(),
    }
}

/// Sets cards off the async threads.
pub(crate) async fn set(
    room: &CareInsurance,
    cards: Vec<Card>,
    paper: Paper,
) -> Result<Sheet, CardError> {
    let insurer = insurer(room)?;
    let values = values(insurer, &cards, room.clock.now().office_day(), &paper);
    Ok(room.press.set(CARD, values).await?)
}

/// Who stands on every card.
pub(crate) fn insurer(room: &CareInsurance) -> Result<&Insurer, CardError> {
    room.insurer.as_ref().ok_or(CardError::NoInsurer)
}

/// The card of a person for the screen, with its line.
pub(crate) async fn look(
    room: &CareInsurance,
    visitor: &Visitor,
    person: PersonId,
    reason: String,
) -> Result<Sheet, CardError> {
    let why = Some(Reason(reason));
    let permit = room
        .gate
        .person(
            visitor,
            action::PREVIEW,
            Purpose::CareInsurance,
            person,
            why,
        )
        .await?
        .on_queue("care_insurance_person", WAITING)
        .await?;
    let hidden = permit
        .fetch("care_insurance_person", &COLUMNS, "1 = 1", vec![])
        .await?;
    let rows = permit.reveal(hidden).await?;
    let card = rows.first().map(Card::of).ok_or(GateError::NotFound)?;
    set(room, vec![card], Paper::Preview).await
}

/// Somebody without a person of that id, for the same answer as for anybody's.
pub(crate) fn person_of(text: &str) -> PersonId {
    text.parse().unwrap_or(PersonId::from_bytes([0; 16]))
}

/// What an officer typed into one of the page's forms, and what is wrong with it.
#[derive(Default)]
pub(crate) struct Typed {
    /// 印刷の理由.
    pub note: String,
    /// Characters that paper cannot show were accepted.
    pub accept: bool,
    /// 再交付の理由.
    pub why: String,
    /// 交付の番号 and 回収の理由.
    pub number: i64,
    pub returned: String,
    pub errors: Vec<FieldError>,
}

struct Issue {
    number: i64,
    issued: String,
    reason: String,
    by: String,
    returned: String,
}

#[derive(Template)]
#[template(path = "care-insurance/card.html")]
struct CardPage {
    frame: Frame,
    person: PersonId,
    protected: bool,
    /// Why the card is not shown.
    closed: Option<String>,
    unprintable: Vec<(String, &'static str)>,
    waits: bool,
    /// A qualification holds or begins soon: without one there is no card.
    entitled: bool,
    why_waits: String,
    /// What stands otherwise on the card that is out.
    card_old: String,
    issues: Vec<Issue>,
    /// Numbers of the cards that are not back.
    out: Vec<i64>,
    reasons: Vec<Choice>,
    returns: Vec<Choice>,
    version: i64,
    line: u64,
    typed: Typed,
    paper: Option<PaperLink>,
}

fn choices(all: &[(&str, &str)], chosen: &str) -> Vec<Choice> {
    std::iter::once(&("", "選んでください"))
        .chain(all)
        .map(|(code, name)| Choice::new(*code, *name, chosen))
        .collect()
}

/// GET /insurance/persons/{person}/card
pub(crate) async fn page(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
) -> Response {
    card_page(&room, &visitor, frame, person_of(&person), Typed::default()).await
}

/// The page with what was typed; the looks leave their lines.
pub(crate) async fn card_page(
    room: &CareInsurance,
    visitor: &Visitor,
    frame: Frame,
    person: PersonId,
    typed: Typed,
) -> Response {
    let Some(words) = room.reason(&visitor.session, &person) else {
        let asked = room
            .gate
            .person(visitor, action::OPEN, Purpose::CareInsurance, person, None)
            .await;
        return match asked {
            Ok(_) => ask(&frame, person),
            Err(error) => answer(error),
        };
    };
    refresh(room, person).await;
    let row = match read(room, visitor, person, words.clone()).await {
        Ok(row) => row,
        Err(error) => return answer(error),
    };
    let (mut closed, mut unprintable) = (None, vec![]);
    match look(room, visitor, person, words).await {
        Ok(sheet) => {
            let told = |u: &mimamori_sheets::Unprintable| (u.codes(), u.why.japanese());
            unprintable = sheet.unprintable().iter().map(told).collect();
        }
        Err(CardError::Gate(GateError::Refused(refused))) => closed = Some(refused.sentence),
        Err(CardError::Sheet(error)) => closed = Some(format!("{error} {}", error.advice())),
        Err(error @ CardError::NoInsurer) => closed = Some(error.to_string()),
        Err(error) => return told(error),
    }
    let text = |r: &mimamori_gate::Record, c: &str| r.text(c).unwrap_or("").to_owned();
    let status = match typed.errors.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::BAD_REQUEST,
    };
    let page = CardPage {
        frame: frame.with_title("被保険者証").with_current("/insurance"),
        person,
        protected: row.record.int("protected").is_some_and(|p| p != 0),
        closed,
        unprintable,
        waits: row.record.int("card_wait").unwrap_or(0) != 0,
        entitled: row.record.int("category").is_some_and(|c| c != 0)
            || row.record.text("due_age").is_some_and(|d| !d.is_empty()),
        why_waits: text(&row.record, "card_reason"),
        card_old: match row.cards.iter().any(|c| c.text("returned") == Some("")) {
            true => text(&row.record, "card_old"),
            false => String::new(),
        },
        issues: row
            .cards
            .iter()
            .map(|r| Issue {
                number: r.int("number").unwrap_or(0),
                issued: wareki_text(&text(r, "issued")),
                reason: text(r, "reason"),
                by: text(r, "issued_by"),
                returned: match text(r, "returned").as_str() {
                    "" => String::new(),
                    day => format!("{} {}", wareki_text(day), text(r, "returned_why")),
                },
            })
            .collect(),
        out: row
            .cards
            .iter()
            .filter(|r| text(r, "returned").is_empty())
            .filter_map(|r| r.int("number"))
            .collect(),
        reasons: choices(&REASONS, &typed.why),
        returns: choices(&RETURNS, &typed.returned),
        version: row.record.int("version").unwrap_or(0),
        line: row.line,
        paper: room.paper(&visitor.session, Some(person)),
        typed,
    };
    html_with_status(status, page)
}

/// GET /insurance/persons/{person}/card/picture
pub(crate) async fn picture(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Path(person): Path<String>,
) -> Response {
    let person = person_of(&person);
    // Without a reason given today there is nothing to see here.
    let words = room.reason(&visitor.session, &person);
    let why = words.clone().unwrap_or_else(|| "理由の入力なし".into());
    let made = look(&room, &visitor, person, why).await;
    match (made, words) {
        (Ok(sheet), Some(_)) => match sheet.picture(1, SCALE) {
            Ok(bytes) => png(bytes),
            Err(error) => told(error.into()),
        },
        (Ok(_), None) => Problem::not_found().into_response(),
        (Err(error), _) => told(error),
    }
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Sent {
    /// order or return.
    what: String,
    why: String,
    number: i64,
    version: i64,
}

/// POST /insurance/persons/{person}/card: order a card again, or take one back.
pub(crate) async fn change(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
    LimitedForm(sent): LimitedForm<Sent>,
) -> Response {
    let person = person_of(&person);
    let table: &[(&str, &str)] = match sent.what.as_str() {
        "order" => &REASONS,
        _ => &RETURNS,
    };
    let Some((_, why)) = table.iter().find(|(code, _)| *code == sent.why) else {
        let (field, words) = match sent.what.as_str() {
            "order" => ("why", "再交付の理由を選んでください。"),
            _ => ("returned-why", "回収の理由を選んでください。"),
        };
        let typed = Typed {
            number: sent.number,
            errors: vec![FieldError::new(field, words)],
            ..Typed::default()
        };
        return card_page(&room, &visitor, frame, person, typed).await;
    };
    let now = room.clock.now();
    let by = format!("{} {}", visitor.org_name, visitor.name);
    let next = "care-insurance-version";
    let person_row = |set: &str, mut args: Vec<mimamori_gate::Value>| {
        args.extend([person.bytes().into(), sent.version.into()]);
        let sql = format!(
            "UPDATE care_insurance_person SET {set}, version = version + 1 WHERE person = ? AND version = ?"
        );
        Statement::expecting(sql, args, 1, next)
    };
    let (mut steps, words) = match sent.what.as_str() {
        "order" => {
            let set = "card_wait = 1, batch = '', card_reason = ?";
            let words = format!("被保険者証の交付を指示（{why}）");
            let steps = vec![person_row(set, vec![(*why).into()]), only_entitled(person)];
            (steps, words)
        }
        _ => {
            let card = Statement::expecting(
                "UPDATE care_insurance_card SET returned = ?, returned_why = ? WHERE person = ? AND number = ? AND returned = ''",
                vec![
                    now.office_day().to_string().into(),
                    (*why).into(),
                    person.bytes().into(),
                    sent.number.into(),
                ],
                1,
                next,
            );
            let words = format!("被保険者証{}を回収（{why}）", sent.number);
            (vec![person_row("due_moved = ''", vec![]), card], words)
        }
    };
    let at = now.office_text();
    steps.push(crate::eligibility::event(
        &person,
        sent.version + 1,
        &at,
        &by,
        &words,
    ));
    let done = async {
        let reason = Some(Reason(words));
        let permit = room
            .gate
            .person(
                &visitor,
                action::CHANGE,
                Purpose::CareInsurance,
                person,
                reason,
            )
            .await?;
        permit.change(steps, None).await
    };
    match done.await {
        Ok(_) => Redirect::to(&format!("/insurance/persons/{person}/card")).into_response(),
        Err(error) => told(error.into()),
    }
}
