//! Counting those who agree with somebody (namesakes) among whom this visitor may find.

use std::collections::HashMap;

use mimamori_kernel::id::PersonId;
use mimamori_storage::Value;

use super::{ListPermit, Listed, mask_list};
use crate::class::Class;
use crate::error::GateError;
use crate::hidden::{Field, Hidden, Record};

/// A count that the room keeps for everybody: `column` of `table` holds how many persons agree in `agree`.
#[derive(Debug, Clone, Copy)]
pub struct Alike {
    /// The table, with a column `person`.
    pub table: &'static str,
    /// The column with the count over all persons.
    pub column: &'static str,
    /// SQL that says when `p` agrees with `q`, both rows of the table in force.
    pub agree: &'static str,
    /// SQL over `p.`: rows in force.
    pub base: &'static str,
}

impl ListPermit {
    /// Replaces the count in each record of a page: only persons whose class `identity` this visitor
    /// may see are counted, so that a count tells nothing of others (S0-05).
    ///
    /// Errors: [`GateError::Storage`].
    pub async fn recount(
        &self,
        alike: Alike,
        mut page: Hidden<Listed>,
    ) -> Result<Hidden<Listed>, GateError> {
        let rows = page.0.rows.iter_mut();
        let records = rows.map(|(person, record)| (*person, record)).collect();
        self.count_anew(alike, records).await?;
        Ok(page)
    }

    /// The same for the records of one person.
    ///
    /// Errors: [`GateError::Storage`].
    pub async fn recount_one(
        &self,
        alike: Alike,
        person: PersonId,
        mut records: Hidden<Vec<Record>>,
    ) -> Result<Hidden<Vec<Record>>, GateError> {
        let all = records.0.iter_mut().map(|r| (person, r)).collect();
        self.count_anew(alike, all).await?;
        Ok(records)
    }

    async fn count_anew(
        &self,
        alike: Alike,
        records: Vec<(PersonId, &mut Record)>,
    ) -> Result<(), GateError> {
        let open = self.masks(Class::Identity);
        if open.len() == 64 {
            return Ok(()); // everybody may be found: the kept count is this visitor's
        }
        let doubtful: Vec<_> = records
            .into_iter()
            .filter(|(_, record)| record.int(alike.column).is_some_and(|n| n > 1))
            .collect();
        let Some((last, _)) = doubtful.last() else {
            return Ok(());
        };
        // Few sizes, so that prepared statements are found again.
        let size = doubtful.len().next_power_of_two();
        let mut args: Vec<Value> = doubtful.iter().map(|(p, _)| p.bytes().into()).collect();
        args.resize(size, last.bytes().into());
        let Alike {
            table, agree, base, ..
        } = alike;
        let among = match open.is_empty() {
            true => "1 = 0".to_owned(),
            false => format!("s.mask IN ({})", mask_list(open)),
        };
        let sql = format!(
            "SELECT q.person, COUNT(*) FROM {table} q JOIN {table} p ON {agree} \
             JOIN gate_subject s ON s.person = p.person \
             WHERE q.person IN ({}) AND {base} AND {among} \
             AND p.person NOT IN (SELECT person FROM gate_same) GROUP BY q.person",
            vec!["?"; size].join(",")
        );
        let mut counts = HashMap::new();
        for row in &self.gate.db.fetch(&sql, args).await? {
            counts.insert(PersonId::from_bytes(row.array(0)?), row.int(1)?);
        }
        for (person, record) in doubtful {
            let count = counts.get(&person).copied().unwrap_or(1);
            let at = record.names.iter().position(|n| *n == alike.column);
            if let Some(field) = at.and_then(|at| record.fields.get_mut(at)) {
                *field = Field::Shown(Value::Int(count));
            }
        }
        Ok(())
    }
}
