use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use mimamori_gate::{GateError, Purpose, Reason, Record, Revealed, Withheld};
use mimamori_identity::Visitor;
use mimamori_kernel::id::PersonId;
use mimamori_pages::{Choice, Frame, Term, html};
use mimamori_residents::answer;

use super::queue::{standing, wareki_text};
use crate::eligibility::{Entry, Ledger, QUALIFICATION, Side, State as Standing, day, entry};
use crate::{CareInsurance, action};

const COLUMNS: [&str; 19] = [
    "insured_number",
    "kanji",
    "kana",
    "birth",
    "sex",
    "postal",
    "address",
    "building",
    "protected",
    "category",
    "since",
    "until",
    "question",
    "card_wait",
    "card_reason",
    "batch",
    "version",
    "due_moved",
    "due_age",
];

const EVENTS: [&str; 3] = ["decided_at", "decided_by", "words"];
const CARDS: [&str; 6] = [
    "number",
    "issued",
    "reason",
    "issued_by",
    "returned",
    "returned_why",
];

/// Everything of one person in this room.
pub(crate) struct Row {
    pub record: Record,
    pub ledger: Ledger,
    pub events: Vec<Record>,
    pub cards: Vec<Record>,
    pub withheld: Vec<Withheld>,
    pub line: u64,
}

/// Reads a person with a reason; one line.
pub(crate) async fn read(
    room: &CareInsurance,
    visitor: &Visitor,
    person: PersonId,
    reason: String,
) -> Result<Row, GateError> {
    let why = Some(Reason(reason));
    let permit = room
        .gate
        .person(visitor, action::OPEN, Purpose::CareInsurance, person, why)
        .await?;
    let withheld = permit.withheld().to_vec();
    let (record, ledger, events, cards) = tokio::try_join!(
        permit.fetch("care_insurance_person", &COLUMNS, "1 = 1", vec![]),
        permit.fetch(
            "care_insurance_qualification",
            &QUALIFICATION,
            "1 = 1 ORDER BY number",
            vec![]
        ),
        permit.fetch(
            "care_insurance_event",
            &EVENTS,
            "1 = 1 ORDER BY number DESC",
            vec![]
        ),
        permit.fetch(
            "care_insurance_card",
            &CARDS,
            "1 = 1 ORDER BY number",
            vec![]
        ),
    )?;
    let all: Revealed<_> = permit
        .reveal(record.and(ledger).and(events).and(cards))
        .await?;
    let line = all.line();
    let (((mut records, ledger), events), cards) = all.into_inner();
    let entries = ledger.iter().filter_map(stored).collect();
    Ok(Row {
        record: records.pop().ok_or(GateError::NotFound)?,
        ledger: Ledger::new(entries),
        events,
        cards,
        withheld,
        line,
    })
}

fn stored(record: &Record) -> Option<Entry> {
    let int = |column| record.int(column);
    let text = |column| record.text(column);
    entry(
        (
            int("number")?,
            int("category")?,
            int("cancelled")?,
            int("decided")?,
        ),
        [
            text("from_day")?,
            text("until_day")?,
            text("gained")?,
            text("lost")?,
        ],
    )
}

struct Held {
    number: u32,
    category: &'static str,
    from: String,
    gained: String,
    until: String,
    lost: String,
    cancelled: bool,
    open: bool,
    decided: bool,
}

struct Event {
    at: String,
    by: String,
    words: String,
}

#[derive(Template)]
#[template(path = "care-insurance/person.html")]
struct PersonPage {
    frame: Frame,
    person: PersonId,
    protected: bool,
    question: String,
    terms: Vec<Term>,
    held: Vec<Held>,
    reasons: Vec<Choice>,
    events: Vec<Event>,
    withheld: Vec<Withheld>,
    version: i64,
    line: u64,
    words: String,
}

/// GET /insurance/persons/{person}
pub(crate) async fn open(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
) -> Response {
    let person = person.parse().unwrap_or(PersonId::from_bytes([0; 16]));
    let Some(words) = room.reason(&visitor.session, &person) else {
        // Asked before the form, so that nobody learns by the form who is in the register.
        let asked = room
            .gate
            .person(&visitor, action::OPEN, Purpose::CareInsurance, person, None)
            .await;
        return match asked {
            Ok(_) => super::ask(&frame, person),
            Err(error) => answer(error),
        };
    };
    match read(&room, &visitor, person, words.clone()).await {
        Ok(row) => html(page(&room, &frame, person, &row, words)),
        Err(error) => answer(error),
    }
}

fn page(
    room: &CareInsurance,
    frame: &Frame,
    person: PersonId,
    row: &Row,
    words: String,
) -> PersonPage {
    let record = &row.record;
    let text = |column: &str| match record.withheld(column) {
        true => "（非表示）".to_owned(),
        false => record
            .text(column)
            .filter(|t| !t.is_empty())
            .unwrap_or("—")
            .to_owned(),
    };
    let today = room.clock.now().office_day();
    let terms = vec![
        Term::new("被保険者番号", text("insured_number")),
        Term::new("氏名", text("kanji")),
        Term::new("カナ氏名", text("kana")),
        Term::new("生年月日", wareki_text(record.text("birth").unwrap_or(""))),
        Term::new("住所", format!("{} {}", text("postal"), text("address"))),
        Term::new("方書", text("building")),
        Term::new(
            "現在の資格",
            standing(
                record.int("category").unwrap_or(0),
                record.text("since").unwrap_or(""),
                record.text("until").unwrap_or(""),
            ),
        ),
    ];
    let name = |code: &str, on: &str| {
        let known = day(on).and_then(|d| room.codes.by_code(code, d));
        known.map_or_else(
            || code.to_owned(),
            |r| match r.assumed {
                true => format!("{}（日の決め方は想定）", r.name),
                false => r.name.clone(),
            },
        )
    };
    let held = row
        .ledger
        .entries()
        .iter()
        .map(|e| {
            let q = &e.qualification;
            let from = q.span.from.to_string();
            let until = q.span.until.map_or_else(String::new, |d| d.to_string());
            Held {
                number: e.number,
                category: q.category.japanese(),
                gained: name(&q.gained, &from),
                from: wareki_text(&from),
                lost: q
                    .lost
                    .as_ref()
                    .map_or_else(String::new, |l| name(l, &until)),
                until: wareki_text(&until),
                cancelled: e.state == Standing::Cancelled,
                open: q.span.until.is_none(),
                decided: e.decided,
            }
        })
        .collect();
    let event = |r: &Record| Event {
        at: r.text("decided_at").unwrap_or("").to_owned(),
        by: r.text("decided_by").unwrap_or("").to_owned(),
        words: r.text("words").unwrap_or("").to_owned(),
    };
    PersonPage {
        frame: frame
            .clone()
            .with_title("被保険者の資格")
            .with_current("/insurance"),
        person,
        protected: record.int("protected").is_some_and(|p| p != 0),
        question: record.text("question").unwrap_or("").to_owned(),
        terms,
        held,
        reasons: std::iter::once(Choice::new("", "選んでください", ""))
            .chain(
                room.codes
                    .usable(Side::Loss, today)
                    .map(|r| Choice::new(&r.code, &r.name, "-")),
            )
            .collect(),
        events: row.events.iter().map(event).collect(),
        withheld: row.withheld.clone(),
        version: record.int("version").unwrap_or(0),
        line: row.line,
        words,
    }
}
