//! What the derivation reads of the register and of the room, and the writes that follow for one person.

use std::collections::BTreeMap;

use mimamori_gate::{Facts, JobPermit, Row, Statement, Value};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::date::PartialDate;
use mimamori_kernel::id::PersonId;

use super::derive::{Insured, Known, Outcome};
use super::extract::Moved;
use super::job::DeriveError;
use super::record::Ledger;
use super::row;

const INSURED: &str = "person, insured_number, kanji, kana, kana_key, birth, sex, postal, address, building, \
    address_key, protected, category, since, until, due_age, due_moved, due_unknown, question, card_wait, card_reason, card_old, seen, \
    doubt, settled";

/// `seen` counts what was entered on the screen for a person, so that a row tells whether it is older.
pub(super) const REGISTER: &str = "SELECT person, insured_number, kanji, kana, kana_key, birth, sex, postal, address, building, address_key, \
    protected, insured, (SELECT COUNT(*) FROM gate_same g WHERE g.person = residents_person.person), status, \
    (SELECT COUNT(*) FROM residents_change c WHERE c.person = residents_person.person), \
    COALESCE((SELECT s.mask FROM gate_subject s WHERE s.person = residents_person.person), 0) \
    FROM residents_person WHERE generation = (SELECT generation FROM residents_state WHERE one = 1) \
    AND person > ? ORDER BY person LIMIT ?";

const HISTORY: &str = "SELECT person, reason, event_day, COALESCE((SELECT e.since FROM residents_elsewhere e \
    WHERE e.person = residents_history.person AND e.event_day = residents_history.event_day), '') FROM residents_history WHERE generation = (SELECT generation FROM \
    residents_state WHERE one = 1) AND person > ? AND person <= ? ORDER BY person, number";

pub(super) type ById<T> = BTreeMap<[u8; 16], T>;

pub(super) fn register(row: &Row) -> Result<Insured, DeriveError> {
    let text = |n| Ok::<_, DeriveError>(row.text(n)?.to_owned());
    Ok(Insured {
        insured_number: text(1)?,
        kanji: text(2)?,
        kana: text(3)?,
        kana_key: text(4)?,
        birth: text(5)?,
        sex: row.int(6)?,
        postal: text(7)?,
        address: text(8)?,
        building: text(9)?,
        address_key: text(10)?,
        protected: row.int(11)?,
        ..Insured::default()
    })
}

/// The history of a range of persons, oldest row first.
pub(super) async fn history(
    permit: &JobPermit,
    range: Vec<Value>,
) -> Result<ById<Vec<Moved>>, DeriveError> {
    let mut out: ById<Vec<Moved>> = BTreeMap::new();
    for moved in permit.rows(HISTORY, range).await? {
        out.entry(moved.array(0)?).or_default().push(Moved {
            reason: moved.text(1)?.to_owned(),
            day: moved.text(2)?.parse().unwrap_or(PartialDate::UNKNOWN),
            elsewhere: row::day(moved.text(3)?),
        });
    }
    Ok(out)
}

/// What the room knows of the persons of a chunk.
pub(super) async fn known(
    permit: &JobPermit,
    range: Vec<Value>,
) -> Result<ById<Known>, DeriveError> {
    let mut out: ById<Known> = BTreeMap::new();
    let sql = format!(
        "SELECT {INSURED}, version FROM care_insurance_person WHERE person > ? AND person <= ?"
    );
    for row in permit.rows(&sql, range.clone()).await? {
        let text = |n| Ok::<_, DeriveError>(row.text(n)?.to_owned());
        let insured = Insured {
            category: row.int(12)?,
            since: text(13)?,
            until: text(14)?,
            due_age: text(15)?,
            due_moved: text(16)?,
            due_unknown: text(17)?,
            question: text(18)?,
            card_wait: row.int(19)?,
            card_reason: text(20)?,
            card_old: text(21)?,
            seen: row.int(22)?,
            doubt: text(23)?,
            settled: text(24)?,
            ..register(&row)?
        };
        let known = Known {
            row: insured,
            version: row.int(25)?,
            ..Known::default()
        };
        out.insert(row.array(0)?, known);
    }
    let sql = "SELECT person, number, category, cancelled, decided, from_day, until_day, gained, lost FROM \
               care_insurance_qualification WHERE person > ? AND person <= ? ORDER BY person, number";
    let mut entries: ById<Vec<_>> = BTreeMap::new();
    for row in permit.rows(sql, range.clone()).await? {
        let numbers = (row.int(1)?, row.int(2)?, row.int(3)?, row.int(4)?);
        let texts = [row.text(5)?, row.text(6)?, row.text(7)?, row.text(8)?];
        entries
            .entry(row.array(0)?)
            .or_default()
            .extend(row::entry(numbers, texts));
    }
    for (id, entries) in entries {
        out.entry(id).or_default().ledger = Ledger::new(entries);
    }
    let sql = "SELECT person, number, kind, from_day, until_day, cancelled_at FROM care_insurance_fact WHERE person > ? \
               AND person <= ? ORDER BY person, number";
    for row in permit.rows(sql, range.clone()).await? {
        let texts = [row.text(2)?, row.text(3)?, row.text(4)?, row.text(5)?];
        let fact = row::fact(row.int(1)?, texts);
        out.entry(row.array(0)?).or_default().facts.extend(fact);
    }
    let sql = "SELECT person, COUNT(*), SUM(CASE WHEN returned = '' THEN 1 ELSE 0 END) FROM care_insurance_card \
               WHERE person > ? AND person <= ? GROUP BY person";
    for row in permit.rows(sql, range).await? {
        let known = out.entry(row.array(0)?).or_default();
        (known.cards, known.card_out) = (row.int(1)?, row.int(2)? > 0);
    }
    Ok(out)
}

/// The writes for one person; none when nothing changed.
pub(super) fn statements(
    out: &mut Vec<Statement>,
    person: &PersonId,
    o: &Outcome,
    (before, why): (Option<&Known>, &str),
    now: Instant,
) {
    let same = before.is_some_and(|k| k.row == o.row);
    if same && o.touched.is_empty() {
        return;
    }
    let version = before.map_or(0, |k| k.version) + 1;
    let r = &o.row;
    let args: Vec<Value> = vec![
        person.bytes().into(),
        r.insured_number.as_str().into(),
        r.kanji.as_str().into(),
        r.kana.as_str().into(),
        r.kana_key.as_str().into(),
        r.birth.as_str().into(),
        r.sex.into(),
        r.postal.as_str().into(),
        r.address.as_str().into(),
        r.building.as_str().into(),
        r.address_key.as_str().into(),
        r.protected.into(),
        r.category.into(),
        r.since.as_str().into(),
        r.until.as_str().into(),
        r.due_age.as_str().into(),
        r.due_moved.as_str().into(),
        r.due_unknown.as_str().into(),
        r.question.as_str().into(),
        r.card_wait.into(),
        r.card_reason.as_str().into(),
        r.card_old.as_str().into(),
        r.seen.into(),
        r.doubt.as_str().into(),
        r.settled.as_str().into(),
        version.into(),
    ];
    // An officer who changed the person since the chunk was read wins: the statement then meets no row.
    out.push(Statement::expecting(
        format!(
            "INSERT INTO care_insurance_person ({INSURED}, version, batch) VALUES ({}'') ON CONFLICT (person) DO UPDATE SET {} \
             WHERE care_insurance_person.version = excluded.version - 1",
            "?, ".repeat(26),
            INSURED
                .split(", ")
                .skip(1)
                .chain(["version"])
                .map(|c| {
                    let c = c.trim();
                    format!("{c} = excluded.{c}")
                })
                .collect::<Vec<_>>()
                .join(", ")
        ),
        args,
        1,
        "care-insurance-version",
    ));
    for number in &o.touched {
        let entry = o.ledger.entries().iter().find(|e| e.number == *number);
        out.extend(entry.map(|e| row::write(person, e)));
    }
    if !o.touched.is_empty() {
        let at = now.office_text();
        let words = format!("{why}（資格{}件）", o.touched.len());
        out.push(row::event(
            person,
            version,
            &at,
            "資格の計算（自動）",
            &words,
        ));
    }
    if o.old_card {
        let number = before.map_or(0, |k| k.cards) + 1;
        out.push(row::card(person, number, "", "移行前の交付（想定）", ""));
    }
}

/// The write that makes the gate's fact say what holds now, so that whoever may open insured persons
/// alone finds a new one at once; none when it says so already.
pub(super) fn insured(person: &PersonId, mask: i64, holds: bool) -> Option<Statement> {
    let bit = Facts::INSURED;
    if (mask & bit != 0) == holds {
        return None;
    }
    let (set, now) = match holds {
        true => (format!("mask + {bit}"), "="),
        false => (format!("mask - {bit}"), "<>"),
    };
    Some(Statement::new(
        format!(
            "UPDATE gate_subject SET mask = {set}, version = version + 1 WHERE person = ? AND (mask & {bit}) {now} 0"
        ),
        vec![person.bytes().into()],
    ))
}
