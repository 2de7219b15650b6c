use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use mimamori_gate::{GateError, Purpose, Reason, Record, Revealed, Withheld};
use mimamori_identity::Visitor;
use mimamori_kernel::error::Coded as _;
use mimamori_kernel::id::PersonId;
use mimamori_pages::{Choice, FieldError, Frame, Problem, Term, html_with_status};
use mimamori_residents::answer;

use super::fact::stored as stored_fact;
use super::queue::{WAITING, standing, wareki_text};
use crate::eligibility::{
    DeriveError, Entry, FACT, Ledger, QUALIFICATION, Side, State as Standing, day, entry,
};
use crate::{CareInsurance, action};

const COLUMNS: [&str; 22] = [
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
    "doubt",
    "settled",
    "card_wait",
    "card_reason",
    "batch",
    "version",
    "due_moved",
    "due_age",
    "card_old",
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
    pub facts: Vec<Record>,
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
    let row = find(room, visitor, person, reason).await?;
    row.ok_or(GateError::NotFound)
}

/// The same; none for somebody of the register whom this room does not know (yet).
async fn find(
    room: &CareInsurance,
    visitor: &Visitor,
    person: PersonId,
    reason: String,
) -> Result<Option<Row>, GateError> {
    let why = Some(Reason(reason));
    let permit = room
        .gate
        .person(visitor, action::OPEN, Purpose::CareInsurance, person, why)
        .await?
        .on_queue("care_insurance_person", WAITING)
        .await?;
    let withheld = permit.withheld().to_vec();
    let (record, ledger, events, cards, facts) = tokio::try_join!(
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
        permit.fetch(
            "care_insurance_fact",
            &FACT,
            "1 = 1 ORDER BY number",
            vec![]
        ),
    )?;
    let all: Revealed<_> = permit
        .reveal(record.and(ledger).and(events).and(cards).and(facts))
        .await?;
    let line = all.line();
    let ((((mut records, ledger), events), cards), facts) = all.into_inner();
    let entries = ledger.iter().filter_map(stored).collect();
    Ok(records.pop().map(|record| Row {
        record,
        ledger: Ledger::new(entries),
        events,
        cards,
        facts,
        withheld,
        line,
    }))
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

/// What an officer typed into the form of one qualification, and what is wrong with it.
#[derive(Default)]
pub(super) struct Typed {
    pub number: u32,
    pub note: String,
    pub until: String,
    pub lost: String,
    /// Number, end and reason of a fact that was entered by hand.
    pub fact: (u32, String, String),
    pub insured_number: String,
    /// Its check digit does not agree.
    pub doubtful: bool,
    pub errors: Vec<FieldError>,
}

/// A fact that was entered by hand, in words.
struct Told {
    number: u32,
    kind: &'static str,
    days: String,
    evidence: String,
    entered: String,
    state: String,
    /// It counts, and may end.
    counts: bool,
    open: bool,
}

impl Typed {
    /// End and reason typed for this fact; nothing for the others.
    fn of_fact(&self, number: &u32) -> (&str, &str) {
        match self.fact.0 == *number {
            true => (&self.fact.1, &self.fact.2),
            false => ("", ""),
        }
    }

    /// What was typed for this qualification; nothing for the others.
    fn of<'a>(&self, number: &u32, typed: &'a str) -> &'a str {
        match self.number == *number {
            true => typed,
            false => "",
        }
    }
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
    /// The question can be settled by an officer, and whether it was.
    doubt: bool,
    settled: bool,
    terms: Vec<Term>,
    held: Vec<Held>,
    facts: Vec<Told>,
    /// The number is typed here, and there is none yet.
    numbers: bool,
    /// What stands otherwise on the card that is out.
    card_old: String,
    reasons: Vec<Choice>,
    events: Vec<Event>,
    withheld: Vec<Withheld>,
    version: i64,
    line: u64,
    words: String,
    typed: Typed,
}

/// GET /insurance/persons/{person}
pub(crate) async fn open(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
) -> Response {
    let person = person.parse().unwrap_or(PersonId::from_bytes([0; 16]));
    person_page(&room, &visitor, &frame, person, Typed::default()).await
}

/// The page with what was typed; its look leaves a line.
pub(super) async fn person_page(
    room: &CareInsurance,
    visitor: &Visitor,
    frame: &Frame,
    person: PersonId,
    typed: Typed,
) -> Response {
    let status = match typed.errors.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::BAD_REQUEST,
    };
    let Some(words) = room.reason(&visitor.session, &person) else {
        // Asked before the form, so that nobody learns by the form who is in the register.
        let asked = room
            .gate
            .person(visitor, action::OPEN, Purpose::CareInsurance, person, None)
            .await;
        return match asked {
            Ok(_) => super::ask(frame, person),
            Err(error) => answer(error),
        };
    };
    let found = async {
        match find(room, visitor, person, words.clone()).await? {
            Some(row) => {
                let page = page(room, frame, person, &row, words, typed);
                Ok(html_with_status(status, page))
            }
            None => Ok(nothing_yet(frame, person, room.waits().await?)),
        }
    };
    match found.await {
        Ok(page) => page,
        Err(DeriveError::Gate(error)) => answer(error),
        Err(error) => {
            tracing::error!(code = error.code(), error = ?error, "no state of the derivation");
            Problem::internal(None).into_response()
        }
    }
}

#[derive(Template)]
#[template(path = "care-insurance/nothing.html")]
struct NothingPage {
    frame: Frame,
    person: PersonId,
    /// A derivation is due: the answer may be another one soon.
    waits: bool,
}

/// Somebody of the register without a row here: not worked out yet, or a member of a household. What
/// makes a member insured (2号) is entered from here.
fn nothing_yet(frame: &Frame, person: PersonId, waits: bool) -> Response {
    let title = "この人の資格の記録はありません";
    let frame = frame.clone().with_title(title).with_current("/insurance");
    let page = NothingPage {
        frame,
        person,
        waits,
    };
    html_with_status(StatusCode::CONFLICT, page)
}

fn page(
    room: &CareInsurance,
    frame: &Frame,
    person: PersonId,
    row: &Row,
    words: String,
    typed: Typed,
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
        at: moment(r.text("decided_at").unwrap_or("")),
        by: r.text("decided_by").unwrap_or("").to_owned(),
        words: r.text("words").unwrap_or("").to_owned(),
    };
    let open = |column: &str| record.int(column).is_some_and(|n| n != 0);
    let soon = record.text("due_age").is_some_and(|d| !d.is_empty());
    let out = row.cards.iter().any(|c| c.text("returned") == Some(""));
    PersonPage {
        frame: frame
            .clone()
            .with_title("被保険者の資格")
            .with_current("/insurance"),
        person,
        protected: record.int("protected").is_some_and(|p| p != 0),
        question: record.text("question").unwrap_or("").to_owned(),
        doubt: record.text("doubt").is_some_and(|d| !d.is_empty()),
        settled: record.text("settled").is_some_and(|d| !d.is_empty()),
        terms,
        held,
        facts: row.facts.iter().filter_map(told).collect(),
        numbers: room.numbering.method.by_hand()
            && record.text("insured_number") == Some("")
            && (open("category") || soon),
        card_old: match out {
            true => record.text("card_old").unwrap_or("").to_owned(),
            false => String::new(),
        },
        reasons: std::iter::once(Choice::new("", "選んでください", ""))
            .chain(
                room.codes
                    .usable(Side::Loss, today)
                    .map(|r| Choice::new(&r.code, &r.name, &typed.lost)),
            )
            .collect(),
        events: row.events.iter().map(event).collect(),
        withheld: row.withheld.clone(),
        version: record.int("version").unwrap_or(0),
        line: row.line,
        words,
        typed,
    }
}

fn told(record: &Record) -> Option<Told> {
    let fact = stored_fact(record)?;
    let text = |column: &str| record.text(column).unwrap_or("").to_owned();
    let day =
        |d: Option<jiff::civil::Date>| d.map_or_else(String::new, |d| wareki_text(&d.to_string()));
    let who = |at: &str, by: &str| format!("{}　{}", moment(&text(at)), text(by));
    let state = match (fact.cancelled, fact.until) {
        (true, _) => format!(
            "取消（{}　{}）",
            who("cancelled_at", "cancelled_by"),
            text("cancelled_why")
        ),
        (false, Some(_)) if !text("ended_at").is_empty() => {
            format!(
                "終了（{}　{}）",
                who("ended_at", "ended_by"),
                text("ended_why")
            )
        }
        _ => "有効".into(),
    };
    Some(Told {
        number: fact.number,
        kind: fact.kind.japanese(),
        days: match fact.kind.lasts() {
            true => format!("{}から{}", day(Some(fact.from)), day(fact.until)),
            false => day(Some(fact.from)),
        },
        evidence: format!("{}　{}", text("evidence"), text("note")),
        entered: who("entered_at", "entered_by"),
        state,
        counts: !fact.cancelled,
        open: !fact.cancelled && fact.kind.lasts() && fact.until.is_none(),
    })
}

/// A moment of the office's clock as it is kept (`2026-11-21 09:05:07`), in words with minutes.
fn moment(kept: &str) -> String {
    let (day, time) = kept.split_once(' ').unwrap_or((kept, ""));
    let minutes = time.get(..5).unwrap_or("");
    format!("{} {minutes}", wareki_text(day))
        .trim_end()
        .to_owned()
}
