//! Another human behind a known 宛名番号 (別人の疑い): found before anything is staged.

use std::collections::HashMap;

use mimamori_gate::GateError;

use super::ImportError;
use super::fault::{Fault, Finding, Findings, Sheet};
use super::store::Store;
use super::town::Town;

/// Of a hundred persons in the files at most so many may be strangers; above it the whole file is
/// refused. An assumption (想定). A single one never refuses a small file.
const PERCENT: usize = 1;

impl Store<'_> {
    /// Marks whoever has neither the birth date nor the name (カナ) of the record in force for the
    /// same 宛名番号: the record stays as it is. Whoever has an open change on the screen stays
    /// anyway and is asked about in the officers' queue.
    ///
    /// # Errors
    /// [`ImportError::Strangers`] above [`PERCENT`]; what the database says.
    pub async fn strangers(
        &self,
        town: &mut Town,
        findings: &mut Findings,
    ) -> Result<(), ImportError> {
        let places: HashMap<String, usize> = town
            .people
            .iter()
            .enumerate()
            .map(|(at, p)| (p.address_number.clone(), at))
            .collect();
        let sql = "SELECT p.person, p.address_number, p.birth, p.kana_key FROM residents_person p WHERE p.generation = ? \
                   AND p.person > ? AND NOT EXISTS (SELECT 1 FROM residents_change c WHERE c.person = p.person AND c.pending = 1) \
                   ORDER BY p.person LIMIT 2000";
        let (mut found, mut from) = (0usize, vec![]);
        loop {
            let args = vec![self.in_force.into(), mimamori_gate::Value::Bytes(from)];
            let rows = self.permit.rows(sql, args).await?;
            let Some(last) = rows.last() else {
                break;
            };
            from = last.bytes(0).map_err(GateError::from)?.to_vec();
            for row in &rows {
                let text = |at| row.text(at).map_err(GateError::from);
                let at = places.get(text(1)?);
                let Some(person) = at.and_then(|at| town.people.get_mut(*at)) else {
                    continue;
                };
                let latest = &person.latest;
                // A row that could not be read says nothing of the person.
                if person.bad || latest.birth == text(2)? || latest.kana_key == text(3)? {
                    continue;
                }
                person.bad = true;
                found += 1;
                let row = latest.row;
                findings.add(Finding::new(
                    Sheet::Residents,
                    row,
                    None,
                    Fault::OtherPerson,
                ));
            }
        }
        let persons = town.people.len();
        if found > 1 && found * 100 > persons * PERCENT {
            let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
            return Err(ImportError::Strangers {
                found: count(found),
                persons: count(persons),
            });
        }
        Ok(())
    }
}
