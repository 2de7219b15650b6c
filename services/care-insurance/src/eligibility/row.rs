//! The room's rows as values, and back.

use jiff::civil::Date;
use mimamori_gate::{Statement, Value};
use mimamori_kernel::date::PartialDate;
use mimamori_kernel::id::PersonId;

use super::fact::{Fact, Kind};
use super::record::{Entry, State};
use super::rule::{Category, Qualification};
use super::span::Span;

/// Columns of a qualification after the person.
pub(crate) const QUALIFICATION: [&str; 8] = [
    "number",
    "category",
    "from_day",
    "until_day",
    "gained",
    "lost",
    "cancelled",
    "decided",
];

/// A day as the store keeps it.
pub(crate) fn day(text: &str) -> Option<Date> {
    text.parse::<PartialDate>().ok()?.full()
}

/// Text of a day; empty for none.
pub(crate) fn text(day: Option<Date>) -> String {
    day.map_or_else(String::new, |d| d.to_string())
}

/// Code of a category; 0 is none.
pub(crate) fn code(category: Option<Category>) -> i64 {
    match category {
        None => 0,
        Some(Category::First) => 1,
        Some(Category::Second) => 2,
    }
}

/// The entry of these stored values; none when they are not an entry.
pub(crate) fn entry(
    (number, category, cancelled, decided): (i64, i64, i64, i64),
    [from, until, gained, lost]: [&str; 4],
) -> Option<Entry> {
    Some(Entry {
        number: u32::try_from(number).ok()?,
        qualification: Qualification {
            category: match category {
                1 => Category::First,
                2 => Category::Second,
                _ => return None,
            },
            span: Span::new(day(from)?, day(until))?,
            gained: gained.to_owned(),
            lost: Some(lost.to_owned()).filter(|l| !l.is_empty()),
        },
        state: match cancelled {
            0 => State::InForce,
            _ => State::Cancelled,
        },
        decided: decided != 0,
    })
}

/// Writes an entry, new or changed.
pub(crate) fn write(person: &PersonId, entry: &Entry) -> Statement {
    let q = &entry.qualification;
    Statement::new(
        "INSERT INTO care_insurance_qualification (person, number, category, from_day, until_day, gained, lost, cancelled, decided) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (person, number) DO UPDATE SET category = excluded.category, \
         from_day = excluded.from_day, until_day = excluded.until_day, gained = excluded.gained, lost = excluded.lost, \
         cancelled = excluded.cancelled, decided = excluded.decided",
        vec![
            person.bytes().into(),
            entry.number.into(),
            code(Some(q.category)).into(),
            text(Some(q.span.from)).into(),
            text(q.span.until).into(),
            q.gained.as_str().into(),
            q.lost.as_deref().unwrap_or_default().into(),
            (entry.state == State::Cancelled).into(),
            entry.decided.into(),
        ],
    )
}

/// One row of the history of what was decided.
pub(crate) fn event(person: &PersonId, number: i64, at: &str, by: &str, words: &str) -> Statement {
    Statement::new(
        "INSERT INTO care_insurance_event (person, number, decided_at, decided_by, words) VALUES (?, ?, ?, ?, ?)",
        vec![
            person.bytes().into(),
            number.into(),
            at.into(),
            by.into(),
            words.into(),
        ],
    )
}

/// Issues a card.
pub(crate) fn card(
    person: &PersonId,
    number: i64,
    issued: &str,
    reason: &str,
    by: &str,
) -> Statement {
    let args: Vec<Value> = vec![
        person.bytes().into(),
        number.into(),
        issued.into(),
        reason.into(),
        by.into(),
    ];
    Statement::new(
        "INSERT INTO care_insurance_card (person, number, issued, reason, issued_by, returned, returned_why) \
         VALUES (?, ?, ?, ?, ?, '', '')",
        args,
    )
}

/// Columns of a fact entered by hand, for the screen.
pub(crate) const FACT: [&str; 14] = [
    "number",
    "kind",
    "from_day",
    "until_day",
    "evidence",
    "note",
    "entered_at",
    "entered_by",
    "ended_at",
    "ended_by",
    "ended_why",
    "cancelled_at",
    "cancelled_by",
    "cancelled_why",
];

/// The fact of these stored values; none when they are not one.
pub(crate) fn fact(number: i64, [kind, from, until, cancelled]: [&str; 4]) -> Option<Fact> {
    Some(Fact {
        number: u32::try_from(number).ok()?,
        kind: Kind::of(kind)?,
        from: day(from)?,
        until: day(until),
        cancelled: !cancelled.is_empty(),
    })
}
