//! The writes of a change: person, history, facts, households, namesakes and journal, all in one transaction.

use std::collections::BTreeMap;

use mimamori_gate::{Facts, Statement, Value};
use mimamori_identity::Visitor;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::fold::{address_key, kana_key, kanji_key};
use mimamori_kernel::id::PersonId;

use super::item::{Item, Part, Values, of};
use super::rule::{Kind, Wish, differences};

/// What the person's row was when the officer looked: generation and version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lock {
    pub generation: i64,
    pub version: i64,
}

impl std::fmt::Display for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.generation, self.version)
    }
}

impl Lock {
    /// The lock that a form carried.
    pub fn parse(text: &str) -> Option<Self> {
        let (generation, version) = text.split_once('.')?;
        Some(Self {
            generation: generation.parse().ok()?,
            version: version.parse().ok()?,
        })
    }
}

/// Codes of the expectations that can fail.
pub(crate) const STALE: &str = "residents-version";
pub(crate) const NUMBER_TAKEN: &str = "residents-number";

const NOW: &str = "(SELECT generation FROM residents_state WHERE one = 1)";

/// Who writes, about whom.
#[derive(Clone, Copy)]
pub(crate) struct Writer<'a> {
    pub person: &'a PersonId,
    pub visitor: &'a Visitor,
    pub at: Instant,
}

/// The search key that follows a column.
fn key(column: &str, text: &str) -> Option<(&'static str, String)> {
    match column {
        "kanji" => Some(("kanji_key", kanji_key(text))),
        "kana" => Some(("kana_key", kana_key(text))),
        "alias_kana" => Some(("alias_key", kana_key(text))),
        "address" => Some(("address_key", address_key(text))),
        _ => None,
    }
}

impl Writer<'_> {
    /// Changes the row of somebody who is in the register; `now` is that row. [`Self::beside`]
    /// belongs after it.
    pub fn change(&self, now: &Values, lock: Lock, wish: &Wish) -> Vec<Statement> {
        let changes = differences(now, &wish.items);
        let (mut sets, mut args) = (vec!["version = version + 1".to_owned()], vec![]);
        for (item, _, after) in &changes {
            sets.push(format!("{} = ?", item.column));
            args.push(item.value(after));
            if let Some((column, folded)) = key(item.column, after) {
                sets.push(format!("{column} = ?"));
                args.push(folded.into());
            }
        }
        let states = wish.kind.possible().join(",");
        let sql = format!(
            "UPDATE residents_person SET {} WHERE generation = {NOW} AND person = ? AND generation = ? AND version = ? \
             AND status IN ({states})",
            sets.join(", ")
        );
        args.extend([
            self.person.bytes().into(),
            lock.generation.into(),
            lock.version.into(),
        ]);
        let mut out = vec![Statement::expecting(sql, args, 1, STALE)];
        if wish.kind != Kind::Corrected || changes.iter().any(|c| c.0.part == Part::Address) {
            out.push(self.history(wish));
        }
        if wish.kind == Kind::MoveOut {
            out.extend(self.elsewhere(wish));
        }
        out.extend(self.households(now, wish));
        if changes
            .iter()
            .any(|c| ["kanji", "kana"].contains(&c.0.column))
        {
            out.push(self.namesakes(now, &wish.items));
        }
        let (set, clear) = facts(wish);
        if set | clear != 0 {
            let sql = format!(
                "UPDATE residents_fact SET mask = mask - (mask & ?) + ? WHERE generation = {NOW} AND person = ?"
            );
            let args = vec![(set | clear).into(), set.into(), self.person.bytes().into()];
            out.push(Statement::new(sql, args));
        }
        out.push(self.journal(wish.kind.word(), wish, &changes, true));
        out
    }

    /// Enters somebody who is not in the register yet.
    pub fn enter(&self, address_number: &str, wish: &Wish) -> Vec<Statement> {
        let mut row: BTreeMap<&str, Value> = BTreeMap::new();
        for column in ["kanji_key", "kana_key", "alias_key", "address_key"] {
            row.insert(column, "".into());
        }
        for (column, text) in &wish.items {
            if let Some(item) = of(column) {
                row.insert(column, item.value(text));
            }
            if let Some((column, folded)) = key(column, text) {
                row.insert(column, folded.into());
            }
        }
        row.extend([
            ("person", self.person.bytes().into()),
            ("address_number", address_number.into()),
            ("namesakes", 1i64.into()),
            ("insured", 0i64.into()),
            ("insured_number", "".into()),
            ("special_address", 0i64.into()),
            ("protected", 0i64.into()),
        ]);
        let columns: Vec<&str> = row.keys().copied().collect();
        let marks = vec!["?"; columns.len()].join(", ");
        let sql = format!(
            "INSERT INTO residents_person (generation, {}) SELECT s.generation, {marks} FROM residents_state s WHERE s.one = 1 \
             AND NOT EXISTS (SELECT 1 FROM residents_person p WHERE p.generation = s.generation AND p.address_number = ?)",
            columns.join(", ")
        );
        let mut args: Vec<Value> = row.into_values().collect();
        args.push(address_number.into());
        let fact = Statement::new(
            "INSERT INTO residents_fact (generation, person, mask) SELECT s.generation, ?, ? FROM residents_state s WHERE s.one = 1",
            vec![self.person.bytes().into(), facts(wish).0.into()],
        );
        // For ever this person's number; one that somebody had before is taken too.
        let known = Statement::expecting(
            "INSERT INTO residents_number (address_number, person, generation) SELECT ?, ?, s.generation FROM residents_state s \
             WHERE s.one = 1 AND NOT EXISTS (SELECT 1 FROM residents_number n WHERE n.address_number = ?)",
            vec![
                address_number.into(),
                self.person.bytes().into(),
                address_number.into(),
            ],
            1,
            NUMBER_TAKEN,
        );
        let nothing = Values::new();
        let mut out = vec![
            Statement::expecting(sql, args, 1, NUMBER_TAKEN),
            known,
            fact,
            self.history(wish),
        ];
        out.extend(self.households(&nothing, wish));
        out.push(self.namesakes(&nothing, &wish.items));
        let changes = differences(&nothing, &wish.items);
        out.push(self.journal(wish.kind.word(), wish, &changes, true));
        out.extend(self.beside(&nothing, wish));
        out
    }

    /// A row of the history with the address that holds after the change.
    fn history(&self, wish: &Wish) -> Statement {
        let sql = format!(
            "INSERT INTO residents_history (generation, person, number, reason, event_day, notified_day, postal, address, building, \
             moved_to) SELECT p.generation, p.person, (SELECT COALESCE(MAX(h.number), 0) + 1 FROM residents_history h \
             WHERE h.generation = p.generation AND h.person = p.person), ?, {}, ?, p.postal, p.address, p.building, ? \
             FROM residents_person p WHERE p.generation = {NOW} AND p.person = ?",
            if wish.event_day.is_empty() {
                "p.status_day"
            } else {
                "?"
            }
        );
        let mut args: Vec<Value> = vec![wish.kind.word().into()];
        if !wish.event_day.is_empty() {
            args.push(wish.event_day.as_str().into());
        }
        args.extend([
            wish.notified_day.as_str().into(),
            wish.moved_to.as_str().into(),
            self.person.bytes().into(),
        ]);
        Statement::expecting(sql, args, 1, "residents-history")
    }

    /// Since when the other town counts who moved out; the last word on that move stands.
    fn elsewhere(&self, wish: &Wish) -> Vec<Statement> {
        let own = || vec![self.person.bytes().into(), wish.event_day.as_str().into()];
        let delete = "DELETE FROM residents_elsewhere WHERE person = ? AND event_day = ?";
        let mut out = vec![Statement::new(delete, own())];
        if !wish.elsewhere.is_empty() {
            let insert =
                "INSERT INTO residents_elsewhere (person, event_day, since) VALUES (?, ?, ?)";
            let args = [own(), vec![wish.elsewhere.as_str().into()]].concat();
            out.push(Statement::new(insert, args));
        }
        out
    }

    /// Households: a new one is founded, one that is lived in again goes on, an empty one ends,
    /// the head and the head's address follow.
    fn households(&self, now: &Values, wish: &Wish) -> Vec<Statement> {
        let before = |c: &str| now.get(c).cloned().unwrap_or_default();
        let after = |c: &str| wish.items.get(c).cloned().unwrap_or_else(|| before(c));
        let (old, new) = (before("household_number"), after("household_number"));
        let day = match wish.event_day.as_str() {
            "" => self.at.office_day().to_string(),
            day => day.to_owned(),
        };
        let person = Value::from(self.person.bytes());
        let mut out = Vec::new();
        if after("status") == "1" && !new.is_empty() {
            out.push(Statement::new(
                "INSERT INTO residents_household (generation, household_number, person, address, founded, ended) \
                 SELECT s.generation, ?, ?, ?, ?, '' FROM residents_state s WHERE s.one = 1 AND NOT EXISTS (SELECT 1 \
                 FROM residents_household h WHERE h.generation = s.generation AND h.household_number = ?)",
                vec![
                    new.as_str().into(),
                    person.clone(),
                    after("address").into(),
                    day.as_str().into(),
                    new.as_str().into(),
                ],
            ));
            out.push(Statement::new(
                format!(
                    "UPDATE residents_household SET ended = '' WHERE generation = {NOW} AND household_number = ? AND ended <> ''"
                ),
                vec![new.as_str().into()],
            ));
            if after("relation") == "世帯主" {
                out.push(Statement::new(
                    format!(
                        "UPDATE residents_household SET person = ?, address = ? WHERE generation = {NOW} AND household_number = ?"
                    ),
                    vec![person, after("address").into(), new.as_str().into()],
                ));
            }
        }
        let numbers = if old == new {
            vec![&old]
        } else {
            vec![&old, &new]
        };
        for number in numbers.into_iter().filter(|n| !n.is_empty()) {
            out.push(Statement::new(
                format!(
                    "UPDATE residents_household SET ended = ? WHERE generation = {NOW} AND household_number = ? AND ended = '' \
                     AND NOT EXISTS (SELECT 1 FROM residents_person p WHERE p.generation = {NOW} \
                     AND p.household_number = residents_household.household_number AND p.status = 1)"
                ),
                vec![day.as_str().into(), number.as_str().into()],
            ));
        }
        out
    }

    /// Counts namesakes anew for the name before and the name after.
    fn namesakes(&self, now: &Values, wish: &Values) -> Statement {
        let both = |column: &str, fold: fn(&str) -> String| {
            let old = now.get(column).or_else(|| wish.get(column));
            let new = wish.get(column).or_else(|| now.get(column));
            [old, new].map(|t| fold(t.map_or("", String::as_str)))
        };
        let [k1, k2] = both("kanji", kanji_key);
        let [r1, r2] = both("kana", kana_key);
        Statement::new(
            format!(
                "{COUNTED} WHERE generation = {NOW} AND kanji_key IN (?, ?) AND kana_key IN (?, ?)"
            ),
            vec![k1.into(), k2.into(), r1.into(), r2.into()],
        )
    }

    /// The journal's row. `open`: an import must not undo it unasked.
    pub fn journal(
        &self,
        kind: &str,
        wish: &Wish,
        changes: &[(&'static Item, String, String)],
        open: bool,
    ) -> Statement {
        let mut pairs: Vec<Value> = Vec::new();
        for (part, ..) in Part::ALL {
            let side = |after: bool| {
                let of: BTreeMap<&str, &str> = changes
                    .iter()
                    .filter(|c| c.0.part == part)
                    .map(|(i, b, a)| (i.column, if after { a.as_str() } else { b.as_str() }))
                    .collect();
                match of.is_empty() {
                    true => String::new(),
                    false => serde_json::json!(of).to_string(),
                }
            };
            pairs.extend([Value::from(side(false)), Value::from(side(true))]);
        }
        let columns: Vec<&str> = Part::ALL.iter().flat_map(|(_, b, a)| [*b, *a]).collect();
        let sql = format!(
            "INSERT INTO residents_change (person, number, generation, version, changed_at, officer, pending, kind, event_day, \
             notified_day, reason, {}) SELECT p.person, (SELECT COALESCE(MAX(c.number), 0) + 1 FROM residents_change c \
             WHERE c.person = p.person), p.generation, p.version, ?, ?, ?, ?, ?, ?, ?, {} FROM residents_person p \
             WHERE p.generation = {NOW} AND p.person = ?",
            columns.join(", "),
            vec!["?"; columns.len()].join(", "),
        );
        let mut args: Vec<Value> = vec![
            self.at.0.into(),
            format!("{} {}", self.visitor.org_name, self.visitor.name).into(),
            open.into(),
            kind.into(),
            wish.event_day.as_str().into(),
            wish.notified_day.as_str().into(),
            wish.reason.as_str().into(),
        ];
        args.extend(pairs);
        args.push(self.person.bytes().into());
        Statement::expecting(sql, args, 1, "residents-journal")
    }
}

const COUNTED: &str = "UPDATE residents_person SET namesakes = (SELECT COUNT(*) FROM residents_person k \
    WHERE k.generation = residents_person.generation AND k.kanji_key = residents_person.kanji_key \
    AND k.kana_key = residents_person.kana_key AND k.person NOT IN (SELECT person FROM gate_same))";

/// Counts namesakes anew for everybody who has a name of these two persons.
pub(crate) fn recount(persons: &[&PersonId; 2]) -> Statement {
    let names = |column: &str| {
        format!(
            "{column} IN (SELECT n.{column} FROM residents_person n WHERE n.generation = {NOW} AND n.person IN (?, ?))"
        )
    };
    let both = persons.map(|p| Value::from(p.bytes()));
    Statement::new(
        format!(
            "{COUNTED} WHERE generation = {NOW} AND {} AND {}",
            names("kanji_key"),
            names("kana_key")
        ),
        [both.clone(), both].concat(),
    )
}

/// Facts that a wish sets and clears.
pub(crate) fn facts(wish: &Wish) -> (i64, i64) {
    let (set, clear) = wish.kind.facts();
    match wish.items.get("protected").map(String::as_str) {
        Some("1" | "2") => (set | Facts::PROTECTED, clear),
        Some("0") => (set, clear | Facts::PROTECTED),
        _ => (set, clear),
    }
}
