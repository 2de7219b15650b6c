//! Takes persons and households over from the generation in force as they are (据置き).

use std::collections::HashSet;

use mimamori_gate::{GateError, Statement, Value};

use super::store::Store;
use super::town::Kept;
use super::{ImportError, Outcome};

/// Persons or households of one step.
const CHUNK: usize = 100;
/// The columns of each table after `generation`.
const COPIED: [(&str, &str); 3] = [
    (
        "residents_person",
        "person, address_number, household_number, kanji, kana, alias, alias_kana, kanji_key, kana_key, alias_key, sex, \
         birth, foreigner, namesakes, relation, status, status_day, insured, insured_number, special_address, protected, \
         phone, postal, address, building, address_key",
    ),
    (
        "residents_history",
        "person, number, reason, event_day, notified_day, postal, address, building, moved_to",
    ),
    ("residents_fact", "person, mask"),
];
const HOUSE: &str = "household_number, person, address, founded, ended";

fn places(count: usize) -> String {
    vec!["?"; count].join(",")
}

impl Store<'_> {
    /// The numbers of the households of a generation.
    pub async fn houses(&self, generation: i64) -> Result<HashSet<String>, ImportError> {
        let sql = "SELECT household_number FROM residents_household WHERE generation = ? AND household_number > ? \
                   ORDER BY household_number LIMIT 2000";
        let (mut out, mut from) = (HashSet::new(), String::new());
        loop {
            let rows = self
                .permit
                .rows(sql, vec![generation.into(), from.clone().into()])
                .await?;
            if rows.is_empty() {
                return Ok(out);
            }
            for row in &rows {
                row.text(0).map_err(GateError::from)?.clone_into(&mut from);
                out.insert(from.clone());
            }
        }
    }

    /// Copies who stays into the new generation and adds them to the counts.
    pub async fn carry(&self, kept: &Kept, outcome: &mut Outcome) -> Result<(), ImportError> {
        let (old, new) = (self.in_force, self.next);
        for persons in kept.persons.chunks(CHUNK) {
            let mut args: Vec<Value> = vec![old.into()];
            args.extend(persons.iter().map(|p| Value::from(p.bytes())));
            let these = format!("generation = ? AND person IN ({})", places(persons.len()));
            let count = |what: &str| format!("COUNT(CASE WHEN {what} THEN 1 END)");
            let sql = format!(
                "SELECT COUNT(*), {}, {}, {}, {}, (SELECT COUNT(*) FROM residents_history WHERE {these}) \
                 FROM residents_person WHERE {these}",
                count("insured = 1"),
                count("status = 3"),
                count("status = 2"),
                count("protected = 1"),
            );
            let rows = self
                .permit
                .rows(&sql, [args.clone(), args.clone()].concat())
                .await?;
            let number = |at| {
                let found = rows.first().map_or(Ok(0), |r| r.int(at));
                found
                    .map(|n| u64::try_from(n).unwrap_or(0))
                    .map_err(GateError::from)
            };
            let (all, insured) = (number(0)?, number(1)?);
            outcome.kept += all;
            outcome.persons += all;
            outcome.insured += insured;
            outcome.members += all - insured;
            outcome.deceased += number(2)?;
            outcome.moved_out += number(3)?;
            outcome.protected += number(4)?;
            outcome.rows += number(5)?;
            let copy = |(table, columns): (&str, &str)| {
                let sql = format!(
                    "INSERT INTO {table} (generation, {columns}) SELECT {new}, {columns} FROM {table} WHERE {these}"
                );
                Statement::new(sql, args.clone())
            };
            self.permit.stage(COPIED.map(copy).into()).await?;
            tokio::task::yield_now().await;
        }
        for houses in kept.houses.chunks(CHUNK) {
            let mut args: Vec<Value> = vec![old.into()];
            args.extend(houses.iter().map(|h| Value::from(h.as_str())));
            let sql = format!(
                "INSERT INTO residents_household (generation, {HOUSE}) SELECT {new}, {HOUSE} FROM residents_household \
                 WHERE generation = ? AND household_number IN ({})",
                places(houses.len())
            );
            self.permit.stage(vec![Statement::new(sql, args)]).await?;
            outcome.households += u64::try_from(houses.len()).unwrap_or(0);
            tokio::task::yield_now().await;
        }
        // Who stays, stays in the household of before, although the file no longer has it.
        for persons in kept.persons.chunks(CHUNK) {
            let mut args: Vec<Value> = vec![old.into(), new.into()];
            args.extend(persons.iter().map(|p| Value::from(p.bytes())));
            args.push(new.into());
            let missing = format!(
                "FROM residents_household h WHERE h.generation = ? AND h.household_number IN \
                 (SELECT p.household_number FROM residents_person p WHERE p.generation = ? AND p.person IN ({})) \
                 AND NOT EXISTS (SELECT 1 FROM residents_household n WHERE n.generation = ? AND n.household_number = h.household_number)",
                places(persons.len())
            );
            let sql = format!("SELECT COUNT(*) {missing}");
            let rows = self.permit.rows(&sql, args.clone()).await?;
            let found = rows
                .first()
                .map_or(Ok(0), |r| r.int(0))
                .map_err(GateError::from)?;
            if found > 0 {
                let columns = HOUSE
                    .split(", ")
                    .map(|c| format!("h.{c}"))
                    .collect::<Vec<_>>()
                    .join(", ");
                let sql = format!(
                    "INSERT INTO residents_household (generation, {HOUSE}) SELECT {new}, {columns} {missing}"
                );
                self.permit.stage(vec![Statement::new(sql, args)]).await?;
                outcome.households += u64::try_from(found).unwrap_or(0);
            }
        }
        outcome.left_out = u64::try_from(kept.new_left_out).unwrap_or(0);
        Ok(())
    }
}
