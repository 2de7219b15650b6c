//! Removes generations that are not in force, in short transactions.

use mimamori_gate::{GateError, Statement, Value};

use super::ImportError;
use super::store::Store;

/// Rows that one step of cleaning removes of one table.
const SWEEP: i64 = 500;

/// The tables of a generation with the key that orders them; facts last, they lead to subjects.
pub(super) const TABLES: [(&str, &str); 4] = [
    ("residents_history", "person"),
    ("residents_household", "household_number"),
    ("residents_person", "person"),
    ("residents_fact", "person"),
];

impl Store<'_> {
    /// Removes every row that is not of the generation in force, in short transactions.
    pub async fn clean(&self) -> Result<(), ImportError> {
        self.close().await?;
        for (table, key) in TABLES {
            let find = format!("SELECT MIN(generation), MAX(generation) FROM {table}");
            loop {
                let rows = self.permit.rows(&find, vec![]).await?;
                let end = |at| {
                    rows.first()
                        .map_or(Ok(None), |r| r.opt_int(at))
                        .map_err(GateError::from)
                };
                let stale = [end(0)?, end(1)?]
                    .into_iter()
                    .flatten()
                    .find(|g| *g != self.in_force);
                let Some(generation) = stale else { break };
                self.sweep(table, key, generation).await?;
            }
        }
        Ok(())
    }

    async fn sweep(&self, table: &str, key: &str, generation: i64) -> Result<(), ImportError> {
        let find = format!(
            "SELECT {key} FROM {table} WHERE generation = ? AND {key} > ? ORDER BY {key} LIMIT 1 OFFSET {}",
            SWEEP - 1
        );
        let blob = key == "person";
        let mut from: Value = if blob {
            Value::Bytes(vec![])
        } else {
            "".into()
        };
        loop {
            let rows = self
                .permit
                .rows(&find, vec![generation.into(), from.clone()])
                .await?;
            let last = match rows.first() {
                Some(row) if blob => Some(Value::from(row.bytes(0).map_err(GateError::from)?)),
                Some(row) => Some(Value::from(row.text(0).map_err(GateError::from)?)),
                None => None,
            };
            let mut args = vec![generation.into(), from.clone()];
            let mut range = format!("generation = ? AND {key} > ?");
            if let Some(last) = &last {
                args.push(last.clone());
                range.push_str(&format!(" AND {key} <= ?"));
            }
            let mut steps = vec![];
            // Subjects that a stopped import made for persons who never came into force.
            if table == "residents_fact" && generation > self.in_force {
                let sql = format!(
                    "DELETE FROM gate_subject WHERE person IN (SELECT person FROM residents_fact WHERE {range}) AND EXISTS \
                     (SELECT 1 FROM residents_number n WHERE n.person = gate_subject.person AND n.generation = ?)"
                );
                let made = args.iter().cloned().chain([generation.into()]);
                steps.push(Statement::new(sql, made.collect()));
                let sql = format!(
                    "DELETE FROM residents_number WHERE person IN (SELECT person FROM residents_fact WHERE {range}) AND generation = ?"
                );
                let made = args.iter().cloned().chain([generation.into()]);
                steps.push(Statement::new(sql, made.collect()));
            }
            steps.push(Statement::new(
                format!("DELETE FROM {table} WHERE {range}"),
                args,
            ));
            self.permit.stage(steps).await?;
            tokio::task::yield_now().await;
            match last {
                Some(last) => from = last,
                None => return Ok(()),
            }
        }
    }
}
