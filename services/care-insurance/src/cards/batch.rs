//! A batch of cards in delivery order (配達順): gathered, looked at, pulled out, printed.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{
    Class, Condition, GateError, ListPermit, Purpose, Reason, Revealed, Statement,
};
use mimamori_identity::Visitor;
use mimamori_kernel::id::PersonId;
use mimamori_pages::{FieldError, Frame, LimitedForm, Problem, html_with_status};
use mimamori_residents::answer;

use super::page::{
    CardError, STALE, as_in_register, entitled, insurer, person_of, refresh, set, told,
};
use super::rule::{COLUMNS, Card, Paper};
use crate::eligibility::pages::{COLUMNS as LIST, Line, lines, unreasoned};
use crate::room::PaperLink;
use crate::{CareInsurance, action};

/// Cards of one batch; the cap of the way out is the same. A batch of 500 needs about 0.4 GB while it is set.
const MOST: u32 = 500;

const TABLE: &str = "care_insurance_person";
/// Gathered, still entitled, and not under support measures since: protected 8, deceased 2.
const OPEN: &str = "p.batch = 'open' AND (p.category <> 0 OR p.due_age <> '') AND NOT EXISTS \
    (SELECT 1 FROM gate_subject g WHERE g.person = p.person AND (g.mask & 10) <> 0)";
/// Postal code, address, name: the order in which the post walks (配達順).
const DELIVERY: &str = "p.postal, p.address_key, p.kana_key";
/// By name alone: the order of a list must not tell the address that it withholds.
const BY_NAME: &str = "p.kana_key";
/// Whoever waits outside a batch: pulled out, protected, or living with a protected person.
const ASIDE: &str = "(p.card_wait = 2 OR (p.card_wait = 1 AND (p.protected <> 0 OR EXISTS \
    (SELECT 1 FROM gate_subject g WHERE g.person = p.person AND (g.mask & 8) <> 0))))";

/// Everybody whose class may be seen by the permit.
fn all(class: Class) -> [Condition; 1] {
    [Condition {
        class,
        sql: "1 = 1",
        args: vec![],
    }]
}

#[derive(Template)]
#[template(path = "care-insurance/batch.html")]
struct BatchPage {
    frame: Frame,
    /// Fonts are there.
    ready: bool,
    /// Why no card can be made yet.
    unset: Option<String>,
    batch: Vec<Line>,
    aside: Vec<Line>,
    line: u64,
    note: String,
    errors: Vec<FieldError>,
    paper: Option<PaperLink>,
}

async fn list(
    room: &CareInsurance,
    visitor: &Visitor,
    (base, order): (&'static str, &'static str),
    names: &[&'static str],
) -> Result<Revealed<mimamori_gate::Listed>, GateError> {
    let permit = room
        .gate
        .list(visitor, action::CARD_LIST, Purpose::CareInsurance)
        .await?;
    let (search, everybody) = (&permit, all(Class::Identity));
    let rows = search
        .fetch(search, TABLE, names, base, &everybody, order, 0, MOST)
        .await?;
    permit.reveal(rows).await
}

/// GET /insurance/cards
pub(crate) async fn batch(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
) -> Response {
    batch_page(&room, &visitor, frame, String::new(), vec![]).await
}

/// The page with what was typed into its form.
async fn batch_page(
    room: &CareInsurance,
    visitor: &Visitor,
    frame: Frame,
    note: String,
    errors: Vec<FieldError>,
) -> Response {
    let status = match errors.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::BAD_REQUEST,
    };
    let read = async {
        let open = list(room, visitor, (OPEN, DELIVERY), &LIST).await?;
        let aside = list(room, visitor, (ASIDE, BY_NAME), &LIST).await?;
        Ok::<_, GateError>((open, aside))
    };
    let today = room.clock.now().office_day();
    match read.await {
        Ok((open, aside)) => html_with_status(
            status,
            BatchPage {
                frame: frame
                    .with_title("被保険者証の一括発行")
                    .with_current("/insurance"),
                ready: room.press.ready(),
                unset: insurer(room).err().map(|e| e.to_string()),
                batch: lines(&open, today),
                aside: lines(&aside, today),
                line: open.line(),
                note,
                errors,
                paper: room.paper(&visitor.session, None),
            },
        ),
        Err(error) => answer(error),
    }
}

/// POST /insurance/cards: gathers who waits into the open batch, [`MOST`] with those who are in it
/// already. Protected persons, and whoever has no qualification, stay outside.
pub(crate) async fn gather(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    let done = async {
        let permit = room.gate.job(action::GATHER, Some(&visitor)).await?;
        let step = Statement::new(
            format!(
                "UPDATE care_insurance_person SET batch = 'open' WHERE person IN (SELECT p.person FROM care_insurance_person p \
                 WHERE p.card_wait = 1 AND p.batch = '' AND p.insured_number <> '' AND p.protected = 0 AND {} AND NOT EXISTS \
                 (SELECT 1 FROM gate_subject g WHERE g.person = p.person AND (g.mask & 8) <> 0) ORDER BY {DELIVERY}, p.person \
                 LIMIT (SELECT CASE WHEN COUNT(*) < {MOST} THEN {MOST} - COUNT(*) ELSE 0 END FROM care_insurance_person o \
                 WHERE o.batch = 'open'))",
                entitled("p")
            ),
            vec![],
        );
        permit
            .change("被保険者証の発行対象を集める", vec![step], false)
            .await
    };
    match done.await {
        Ok(_) => Redirect::to("/insurance/cards").into_response(),
        Err(error) => answer(error),
    }
}

/// POST /insurance/cards/pull/{person}: takes one out of the batch before printing (引抜き).
pub(crate) async fn pull(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Path(person): Path<String>,
) -> Response {
    let person = person_of(&person);
    let done = async {
        let why = Some(Reason("一括発行からの引抜き".into()));
        let permit = room
            .gate
            .person(
                &visitor,
                action::CHANGE,
                Purpose::CareInsurance,
                person,
                why,
            )
            .await?;
        let step = Statement::expecting(
            "UPDATE care_insurance_person SET batch = '', card_wait = 2, version = version + 1 WHERE person = ? AND batch = 'open'",
            vec![person.bytes().into()],
            1,
            "care-insurance-batch",
        );
        permit.change(vec![step], None).await
    };
    match done.await {
        Ok(_) => Redirect::to("/insurance/cards").into_response(),
        Err(error) => answer(error),
    }
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    note: String,
}

enum Made {
    Nobody,
    Doubtful(usize),
    Pdf(Vec<u8>, u64),
}

async fn issue(
    room: &CareInsurance,
    visitor: &Visitor,
    permit: ListPermit,
    note: &str,
) -> Result<(Vec<Card>, mimamori_gate::Stamp), GateError> {
    let everybody = all(Class::Identity);
    let found = permit.find(TABLE, OPEN, &everybody, DELIVERY, MOST).await?;
    if found.count() == 0 {
        return Err(GateError::NotFound);
    }
    let rows = permit
        .fetch(
            &permit, TABLE, &COLUMNS, OPEN, &everybody, DELIVERY, 0, MOST,
        )
        .await?;
    let now = room.clock.now();
    let by = format!("{} {}", visitor.org_name, visitor.name);
    // The same persons as in the list: a number that differs undoes everything.
    let same = format!("{OPEN} AND {}", entitled("p"));
    let these = format!(
        "(SELECT p.person FROM care_insurance_person p WHERE {same} ORDER BY {DELIVERY}, p.person LIMIT {MOST})"
    );
    let count = u64::from(found.count());
    let steps = vec![
        // None of them is older than the register.
        Statement::expecting(
            format!(
                "UPDATE care_insurance_person SET card_wait = card_wait WHERE person IN {these} AND {}",
                as_in_register("care_insurance_person")
            ),
            vec![],
            count,
            STALE,
        ),
        Statement::expecting(
            format!(
                "INSERT INTO care_insurance_card (person, number, issued, reason, issued_by, returned, returned_why) \
                 SELECT p.person, (SELECT COALESCE(MAX(c.number), 0) + 1 FROM care_insurance_card c WHERE c.person = p.person), \
                 ?, p.card_reason, ?, '', '' FROM care_insurance_person p WHERE p.person IN {these}"
            ),
            vec![now.office_day().to_string().into(), by.into()],
            count,
            "care-insurance-batch",
        ),
        Statement::expecting(
            format!(
                "UPDATE care_insurance_person SET card_wait = 0, card_old = '', batch = '', version = version + 1 WHERE person IN {these}"
            ),
            vec![],
            count,
            "care-insurance-batch",
        ),
        // Who came under support measures since the gathering waits for the lead officer; who lost
        // the qualification, died or was merged leaves the batch.
        Statement::new(
            format!(
                "UPDATE care_insurance_person SET card_wait = CASE WHEN person IN (SELECT g.person FROM gate_subject g \
                 WHERE (g.mask & 8) <> 0) THEN 2 ELSE card_wait END, batch = '', version = version + 1 WHERE batch = 'open' \
                 AND person NOT IN (SELECT p.person FROM care_insurance_person p WHERE {same})"
            ),
            vec![],
        ),
    ];
    let reason = Reason(format!("被保険者証の一括印刷: {note}"));
    let (rows, stamp) = permit.take_out(rows, reason, steps, now).await?;
    Ok((rows.rows.iter().map(|(_, r)| Card::of(r)).collect(), stamp))
}

/// Derives anew whoever stands in the batch and was changed on the register's screen since.
async fn catch_up(room: &CareInsurance) -> Result<(), GateError> {
    let permit = room.gate.job(action::DERIVE, None).await?;
    let older = "SELECT p.person FROM care_insurance_person p WHERE p.batch = 'open' AND p.seen <> (SELECT COUNT(*) \
        FROM residents_change c WHERE c.person = p.person) ORDER BY p.person";
    for row in permit.rows(older, vec![]).await? {
        refresh(room, PersonId::from_bytes(row.array(0)?)).await;
    }
    Ok(())
}

/// POST /insurance/cards/print: the batch on paper, counted.
pub(crate) async fn print_batch(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    LimitedForm(asked): LimitedForm<Asked>,
) -> Response {
    let note = asked.note.trim();
    if let Some(error) = unreasoned("印刷", note) {
        return batch_page(&room, &visitor, frame, asked.note, vec![error]).await;
    }
    let made = async {
        // Before anything is counted as issued.
        insurer(&room)?;
        let fonts = room.press.fonts()?;
        let permit = room
            .gate
            .list(&visitor, action::BATCH, Purpose::CareInsurance)
            .await?;
        catch_up(&room).await?;
        let seen = list(&room, &visitor, (OPEN, DELIVERY), &COLUMNS).await?;
        if seen.rows.is_empty() {
            return Ok(Made::Nobody);
        }
        let doubt = |r: &&(_, mimamori_gate::Record)| !Card::of(&r.1).doubtful(fonts).is_empty();
        let doubtful = seen.rows.iter().filter(doubt).count();
        if doubtful > 0 {
            return Ok(Made::Doubtful(doubtful));
        }
        let (cards, stamp) = issue(&room, &visitor, permit, note).await?;
        let sheet = set(&room, cards, Paper::Print(stamp.to_string())).await?;
        Ok::<_, CardError>(Made::Pdf(sheet.pdf()?, stamp.line))
    };
    match made.await {
        Ok(Made::Pdf(bytes, line)) => {
            room.keep_paper(&visitor.session, None, line, bytes);
            Redirect::to("/insurance/cards").into_response()
        }
        Ok(Made::Nobody) => Problem::bad_request("発行対象が集められていません。").into_response(),
        Ok(Made::Doubtful(n)) => Problem::bad_request(format!(
            "紙に出せない文字（外字）のある人が{n}人います。引き抜いて、1人ずつ確かめて印刷してください。"
        ))
        .into_response(),
        Err(error) => told(error),
    }
}
