//! Changes made on the screen outlive an import until its files bring the same (取込みとの突合).

use std::collections::{BTreeMap, BTreeSet};

use mimamori_gate::{GateError, Statement, Value};

use mimamori_kernel::id::PersonId;

use super::ImportError;
use super::store::Store;
use crate::change::{ITEMS, Part};

/// Persons looked at in one step.
const CHUNK: i64 = 200;
/// Columns of a person that are taken over; the generation stands before them.
const PERSON: &str = "person, address_number, household_number, kanji, kana, alias, alias_kana, kanji_key, kana_key, alias_key, \
    sex, birth, foreigner, namesakes, relation, status, status_day, insured, insured_number, special_address, protected, phone, \
    postal, address, building, address_key, version";
const HISTORY: &str =
    "person, number, reason, event_day, notified_day, postal, address, building, moved_to";
const HOUSEHOLD: &str = "household_number, person, address, founded, ended";

type Values = BTreeMap<&'static str, String>;

impl Store<'_> {
    /// Persons with changes that the files do not bring yet stay as they are in force. Gives the
    /// writes that belong to the flip: what is settled, and what differs, for the officers' queue.
    /// `left` are those whose rows were wrong, in order: the files say nothing about them.
    pub async fn keep_changes(&self, left: &[PersonId]) -> Result<Vec<Statement>, ImportError> {
        let sql = format!(
            "SELECT DISTINCT person FROM residents_change WHERE pending = 1 AND person > ? ORDER BY person LIMIT {CHUNK}"
        );
        let (mut out, mut from) = (vec![], vec![]);
        loop {
            let rows = self.permit.rows(&sql, vec![Value::Bytes(from)]).await?;
            let Some(last) = rows.last() else {
                return Ok(out);
            };
            from = last.bytes(0).map_err(GateError::from)?.to_vec();
            for row in &rows {
                let person = PersonId::from_bytes(row.array(0).map_err(GateError::from)?);
                if left.binary_search(&person).is_err() {
                    out.extend(self.keep(person.bytes().into()).await?);
                }
            }
        }
    }

    async fn keep(&self, person: Value) -> Result<Vec<Statement>, ImportError> {
        let one = |sql: &str| Statement::new(sql, vec![person.clone()]);
        let (Some(mine), theirs) = (
            self.items(self.in_force, &person).await?,
            self.items(self.next, &person).await?,
        ) else {
            return Ok(vec![]);
        };
        let changed = self.changed(&person).await?;
        let settled = theirs.as_ref().is_some_and(|t| {
            changed
                .iter()
                .all(|c| t.get(c.as_str()) == mine.get(c.as_str()))
        });
        let clear = one("DELETE FROM residents_differing WHERE person = ?");
        if settled {
            let close = "UPDATE residents_change SET pending = 0 WHERE person = ? AND pending = 1";
            return Ok(vec![clear, one(close)]);
        }
        self.permit.stage(self.taken_over(&person)).await?;
        let mut args = vec![person.clone(), self.next.into(), theirs.is_none().into()];
        for (part, ..) in Part::ALL {
            let file: BTreeMap<&str, &str> = ITEMS
                .iter()
                .filter(|i| i.part == part)
                .filter_map(|i| Some((i.column, theirs.as_ref()?.get(i.column)?.as_str())))
                .filter(|(c, text)| mine.get(c).map(String::as_str) != Some(*text))
                .collect();
            args.push(match file.is_empty() {
                true => "".into(),
                false => serde_json::json!(file).to_string().into(),
            });
        }
        let keep = Statement::new(
            "INSERT INTO residents_differing (person, generation, absent, identity, address, contact, household, residency, flag) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            args,
        );
        Ok(vec![clear, keep])
    }

    /// The columns that open changes of this person touched.
    async fn changed(&self, person: &Value) -> Result<BTreeSet<String>, ImportError> {
        let columns: Vec<&str> = Part::ALL.iter().map(|(_, _, after)| *after).collect();
        let sql = format!(
            "SELECT {} FROM residents_change WHERE person = ? AND pending = 1",
            columns.join(", ")
        );
        let mut out = BTreeSet::new();
        for row in self.permit.rows(&sql, vec![person.clone()]).await? {
            for at in 0..columns.len() {
                let text = row.text(at).map_err(GateError::from)?;
                let of: BTreeMap<String, String> = serde_json::from_str(text).unwrap_or_default();
                out.extend(of.into_keys());
            }
        }
        Ok(out)
    }

    /// The items of a person in a generation.
    async fn items(&self, generation: i64, person: &Value) -> Result<Option<Values>, ImportError> {
        let columns: Vec<&str> = ITEMS.iter().map(|i| i.column).collect();
        let sql = format!(
            "SELECT {} FROM residents_person WHERE generation = ? AND person = ?",
            columns.join(", ")
        );
        let rows = self
            .permit
            .rows(&sql, vec![generation.into(), person.clone()])
            .await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let mut out = Values::new();
        for (at, item) in ITEMS.iter().enumerate() {
            let text = match item.is_int() {
                true => row.int(at).map_err(GateError::from)?.to_string(),
                false => row.text(at).map_err(GateError::from)?.to_owned(),
            };
            out.insert(item.column, text);
        }
        Ok(Some(out))
    }

    /// Replaces what the files brought of a person by what is in force.
    fn taken_over(&self, person: &Value) -> Vec<Statement> {
        let (old, new) = (Value::from(self.in_force), Value::from(self.next));
        let mut out = Vec::new();
        for (table, columns) in [
            ("residents_person", PERSON),
            ("residents_history", HISTORY),
            ("residents_fact", "person, mask"),
        ] {
            out.push(Statement::new(
                format!("DELETE FROM {table} WHERE generation = ? AND person = ?"),
                vec![new.clone(), person.clone()],
            ));
            out.push(Statement::new(
                format!(
                    "INSERT INTO {table} (generation, {columns}) SELECT ?, {columns} FROM {table} WHERE generation = ? AND person = ?"
                ),
                vec![new.clone(), old.clone(), person.clone()],
            ));
        }
        out.push(Statement::new(
            format!(
                "INSERT INTO residents_household (generation, {HOUSEHOLD}) SELECT ?, {HOUSEHOLD} FROM residents_household h \
                 WHERE h.generation = ? AND h.household_number IN (SELECT p.household_number FROM residents_person p \
                 WHERE p.generation = ? AND p.person = ?) AND NOT EXISTS (SELECT 1 FROM residents_household n \
                 WHERE n.generation = ? AND n.household_number = h.household_number)"
            ),
            vec![new.clone(), old.clone(), old.clone(), person.clone(), new.clone()],
        ));
        let name = |column: &str| {
            format!(
                "{column} IN (SELECT n.{column} FROM residents_person n WHERE n.generation IN (?, ?) AND n.person = ?)"
            )
        };
        let who = [old, new.clone(), person.clone()];
        out.push(Statement::new(
            format!(
                "UPDATE residents_person SET namesakes = (SELECT COUNT(*) FROM residents_person k \
                 WHERE k.generation = residents_person.generation AND k.kanji_key = residents_person.kanji_key \
                 AND k.kana_key = residents_person.kana_key AND k.person NOT IN (SELECT person FROM gate_same)) \
                 WHERE generation = ? AND {} AND {}",
                name("kanji_key"),
                name("kana_key")
            ),
            [vec![new], who.to_vec(), who.to_vec()].concat(),
        ));
        out
    }
}
