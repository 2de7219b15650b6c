//! The person's own page: who looked at my record (自分の記録を見た人).

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use mimamori_gate::{Action, Class, Classes, GateError, PersonPermit, Purpose};
use mimamori_identity::{Role, Visitor};
use mimamori_kernel::date::wareki_with_western;
use mimamori_kernel::error::Coded as _;
use mimamori_kernel::id::PersonId;
use mimamori_pages::{Frame, Problem, html, pdf};
use mimamori_sheets::Layout;
use mimamori_trace::Entry;
use serde_json::{Value, json};

use crate::{Residents, action, answer};

/// The printed sheet; one A4 page.
const OWN: Layout = Layout {
    name: "自分の記録を見た人",
    text: include_str!("../layouts/own.typ"),
};
/// Entries on one page.
const PAGE: u32 = 50;
/// Entries on the sheet, so that it stays one page of A4.
const SHEET: u32 = 14;

struct Look {
    sequence: u64,
    time: String,
    role: String,
    action: String,
    purpose: String,
    classes: String,
    outcome: &'static str,
}

#[derive(Template)]
#[template(path = "residents/own.html")]
struct OwnPage<'a> {
    frame: &'a Frame,
    looks: Vec<Look>,
    older: Option<u64>,
    /// The chain shown and how many there are: one for each record of the person.
    chain: usize,
    chains: usize,
    line: u64,
}

#[derive(serde::Deserialize)]
pub(crate) struct Before {
    before: Option<u64>,
    /// Which of the person's chains; 0 is the record's own.
    chain: Option<usize>,
}

/// A permit for the visitor's own trace, under the record that is kept for the person.
async fn own(
    room: &Residents,
    visitor: &Visitor,
    action: Action,
    person: PersonId,
) -> Result<PersonPermit, GateError> {
    let ask = |p| room.gate.person(visitor, action, Purpose::Own, p, None);
    let permit = ask(person).await?;
    match permit.kept() {
        Some(kept) => ask(kept).await,
        None => Ok(permit),
    }
}

fn word<T: Copy>(all: &[T], code: &str, of: fn(T) -> (&'static str, &'static str)) -> String {
    all.iter()
        .map(|x| of(*x))
        .find(|(c, _)| *c == code)
        .map_or(code, |(_, word)| word)
        .to_owned()
}

/// Entries in words.
fn looks(room: &Residents, entries: &[Entry]) -> Vec<Look> {
    let actions: Vec<Action> = room.gate.rules().actions().collect();
    entries
        .iter()
        .map(|entry| {
            let line = &entry.line;
            let day = wareki_with_western(line.time.office_day().into());
            let classes: Vec<_> = Classes::from_bits(line.classes)
                .iter()
                .map(Class::japanese)
                .collect();
            Look {
                sequence: entry.sequence,
                time: format!("{day} {}", line.time.office().strftime("%H:%M")),
                role: word(&Role::ALL, &line.role, |r: Role| (r.code(), r.japanese())),
                action: word(&actions, &line.action, |a: Action| (a.code(), a.japanese())),
                purpose: word(&Purpose::ALL, &line.purpose, |p: Purpose| {
                    (p.code(), p.japanese())
                }),
                classes: classes.join("、"),
                outcome: if line.allowed {
                    "表示"
                } else {
                    "表示しなかった"
                },
            }
        })
        .collect()
}

/// GET /me
pub(crate) async fn page(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Query(Before { before, chain }): Query<Before>,
) -> Response {
    let Some(person) = visitor.person else {
        return Problem::not_found().into_response();
    };
    let chain = chain.unwrap_or(0);
    let read = async {
        let permit = own(&room, &visitor, action::TRACE_OWN, person).await?;
        let chains = permit.merged().len() + 1;
        let entries = permit.entries(chain, before, PAGE).await?;
        Ok((chains, permit.reveal(entries).await?))
    };
    let (chains, entries) = match read.await {
        Ok(read) => read,
        Err(error) => return answer(error),
    };
    let looks = looks(&room, &entries);
    let older = looks.last().map(|l| l.sequence).filter(|s| *s > 1);
    html(OwnPage {
        frame: &frame.with_title("自分の記録を見た人").with_current("/me"),
        looks,
        older,
        chain,
        chains,
        line: entries.line(),
    })
}

struct Entered {
    look: Look,
    office: String,
}

/// What stands on the sheet.
struct Sheet {
    entered: Vec<Entered>,
    /// All entries, this look not counted.
    all: u64,
    /// Entries between the first and the last on the sheet that are not shown.
    withheld: u64,
    /// Further chains, of records that were merged into this one.
    others: usize,
    today: String,
    line: u64,
}

#[derive(Template)]
#[template(path = "residents/sheet.html")]
struct SheetPage<'a> {
    frame: &'a Frame,
    sheet: Sheet,
}

/// Reads the newest entries with the office of each, under their line.
async fn newest(
    room: &Residents,
    visitor: &Visitor,
    action: Action,
    person: PersonId,
) -> Result<Sheet, GateError> {
    let permit = own(room, visitor, action, person).await?;
    let others = permit.merged().len();
    let entries = permit.entries(0, None, SHEET).await?;
    let offices = permit.offices().await?;
    let shown = permit.reveal(entries.and(offices)).await?;
    let line = shown.line();
    let (entries, offices) = shown.into_inner();
    let office = |org: &[u8; 16]| {
        let found = offices.iter().find(|(id, _)| id.bytes() == org);
        found.map_or_else(|| "市のシステム".to_owned(), |(_, name)| name.clone())
    };
    let numbers = |e: &Entry| e.sequence;
    let (first, last) = (
        entries.first().map_or(0, numbers),
        entries.last().map_or(1, numbers),
    );
    let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
    Ok(Sheet {
        all: first,
        withheld: (first + 1).saturating_sub(last).saturating_sub(count),
        others,
        entered: looks(room, &entries)
            .into_iter()
            .zip(&entries)
            .map(|(look, entry)| Entered {
                look,
                office: office(&entry.line.org),
            })
            .collect(),
        today: wareki_with_western(room.clock.now().office_day().into()),
        line,
    })
}

/// GET /me/sheet: one sheet in large type on the screen.
pub(crate) async fn sheet(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
) -> Response {
    let Some(person) = visitor.person else {
        return Problem::not_found().into_response();
    };
    match newest(&room, &visitor, action::TRACE_OWN, person).await {
        Ok(sheet) => html(SheetPage {
            frame: &frame
                .with_title("自分の記録を見た人（1枚の証明）")
                .with_current("/me"),
            sheet,
        }),
        Err(error) => answer(error),
    }
}

/// The values of the printed sheet.
fn values(sheet: &Sheet, frame: &Frame) -> Value {
    let looks: Vec<Value> = sheet
        .entered
        .iter()
        .map(|e| {
            json!({
                "sequence": e.look.sequence,
                "time": e.look.time,
                "office": e.office,
                "role": e.look.role,
                "purpose": e.look.purpose,
                "action": e.look.action,
                "outcome": e.look.outcome,
            })
        })
        .collect();
    json!({
        "today": sheet.today,
        "all": sheet.all,
        "shown": looks.len(),
        "withheld": sheet.withheld,
        "others": sheet.others,
        "looks": looks,
        "contact": frame.contact.as_deref().unwrap_or(""),
        "form": "様式 T-01（想定）",
        "stamp": format!("証跡の行 {} の記録とともに作りました", sheet.line),
        "watermark": if frame.demo { "見本" } else { "" },
    })
}

/// GET /me/sheet.pdf: the same on paper, A4.
pub(crate) async fn paper(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
) -> Response {
    let Some(person) = visitor.person else {
        return Problem::not_found().into_response();
    };
    let sheet = match newest(&room, &visitor, action::STATEMENT_OWN, person).await {
        Ok(sheet) => sheet,
        Err(error) => return answer(error),
    };
    let made = room.press.set(OWN, values(&sheet, &frame)).await;
    match made.and_then(|made| made.pdf()) {
        Ok(bytes) => pdf("mimamori-looks", bytes),
        Err(error) => {
            tracing::error!(code = error.code(), error = ?error, "no sheet");
            Problem::conflict(error.to_string())
                .with_next("画面の「大きな文字の1枚の証明」を印刷するか、窓口で頼んでください。")
                .into_response()
        }
    }
}

/// GET /me/statement
pub(crate) async fn statement(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Query(Before { chain, .. }): Query<Before>,
) -> Response {
    let Some(person) = visitor.person else {
        return Problem::not_found().into_response();
    };
    let read = async {
        let permit = own(&room, &visitor, action::STATEMENT_OWN, person).await?;
        permit.statement(chain.unwrap_or(0)).await
    };
    match read.await {
        Ok(file) => (
            [
                (header::CONTENT_TYPE, "application/json; charset=utf-8"),
                (
                    header::CONTENT_DISPOSITION,
                    "attachment; filename=\"mimamori-statement.json\"",
                ),
            ],
            file,
        )
            .into_response(),
        Err(error) => answer(error),
    }
}
