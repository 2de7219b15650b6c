//! Who lives with a protected person, once everybody of the new generation is staged.

use mimamori_gate::{Facts, GateError, Statement, Value};

use super::ImportError;
use super::store::Store;

/// Persons of one step.
const CHUNK: usize = 100;

impl Store<'_> {
    /// Marks the household of a protected person in the new generation where the files could not
    /// tell: the measures, or the member, stand there by a change on the screen or by rows that
    /// were left as they are in force; and the kept record of a protected one that was merged into
    /// it. Number marked.
    pub async fn mark_beside_protected(&self) -> Result<u64, ImportError> {
        let find = "SELECT DISTINCT p.person FROM residents_person k CROSS JOIN residents_person p \
                    WHERE k.generation = ? AND k.protected = 1 AND p.generation = k.generation \
                    AND p.household_number = k.household_number AND p.household_number <> '' AND p.protected = 0 \
                    UNION SELECT p.person FROM gate_same g JOIN residents_person m ON m.person = g.person \
                    JOIN residents_person p ON p.person = g.kept WHERE m.generation = ? AND p.generation = m.generation \
                    AND m.protected <> 0 AND p.protected = 0";
        let args = vec![self.next.into(), self.next.into()];
        let rows = self.permit.rows(find, args).await?;
        let mut persons = Vec::with_capacity(rows.len());
        for row in &rows {
            persons.push(Value::from(row.bytes(0).map_err(GateError::from)?));
        }
        for some in persons.chunks(CHUNK) {
            let these = format!(
                "generation = ? AND person IN ({})",
                vec!["?"; some.len()].join(",")
            );
            let args = [vec![Value::from(self.next)], some.to_vec()].concat();
            let flag = format!("UPDATE residents_person SET protected = 2 WHERE {these}");
            let fact = format!(
                "UPDATE residents_fact SET mask = mask + {p} WHERE (mask & {p}) = 0 AND {these}",
                p = Facts::PROTECTED
            );
            let steps = vec![
                Statement::new(flag, args.clone()),
                Statement::new(fact, args),
            ];
            self.permit.stage(steps).await?;
        }
        Ok(u64::try_from(persons.len()).unwrap_or(u64::MAX))
    }
}
