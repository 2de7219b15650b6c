//! Where an import that was killed goes on: after the last chunk that stands.
//!
//! Each chunk is one transaction, so the persons and households of a staged generation are what was
//! done. What has to be known beside them is that they came from the same files, settings and
//! register: the mark, written before the first chunk and taken away before anything but chunks is written.

use std::collections::HashSet;
use std::fs::File;
use std::io;

use mimamori_gate::{GateError, Statement, Value};
use mimamori_kernel::id::PersonId;
use sha2::{Digest as _, Sha256};

use super::store::Store;
use super::{ImportError, Order, Sheet};

/// The digest of everything that the staged rows depend on, but the register itself.
pub(super) fn mark(order: &Order) -> Result<String, ImportError> {
    let mut sum = Sha256::new();
    let files = [
        (Sheet::Residents, Some(&order.residents)),
        (Sheet::Households, order.households.as_ref()),
    ];
    for (sheet, path) in files {
        let encoding = order.encodings.get(&sheet);
        sum.update(format!(
            "{} {encoding:?} {}\n",
            sheet.name(),
            path.is_some()
        ));
        let Some(path) = path else { continue };
        let failed = |source| ImportError::File {
            file: sheet.name(),
            source,
        };
        let mut file = File::open(path).map_err(failed)?;
        let bytes = io::copy(&mut file, &mut Digested(&mut sum)).map_err(failed)?;
        sum.update(format!("\n{bytes}\n"));
    }
    let version = env!("CARGO_PKG_VERSION");
    sum.update(format!("{:?} {:?} {version}", order.layout, order.accept));
    Ok(hex::encode(sum.finalize()))
}

/// A digest that a file is copied into.
struct Digested<'a>(&'a mut Sha256);

impl io::Write for Digested<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Store<'_> {
    fn whole_mark(&self, mark: &str) -> String {
        format!("{mark} {} {}", self.in_force, self.changes)
    }

    /// Takes up the generation that an import of the same files over the same register left.
    pub async fn resume(&mut self, mark: &str) -> Result<bool, ImportError> {
        let sql = "SELECT generation FROM residents_staging WHERE one = 1 AND mark = ?";
        let rows = self
            .permit
            .rows(sql, vec![self.whole_mark(mark).into()])
            .await?;
        let Some(row) = rows.first() else {
            return Ok(false);
        };
        let left = row.int(0).map_err(GateError::from)?;
        let goes_on = left > self.in_force;
        if goes_on {
            self.next = left;
        }
        Ok(goes_on)
    }

    /// Writes the mark, before the first chunk.
    pub async fn begin(&self, mark: &str) -> Result<(), ImportError> {
        let steps = vec![
            Statement::new("DELETE FROM residents_staging", vec![]),
            Statement::new(
                "INSERT INTO residents_staging (one, generation, mark) VALUES (1, ?, ?)",
                vec![self.next.into(), self.whole_mark(mark).into()],
            ),
        ];
        Ok(self.permit.stage(steps).await?)
    }

    /// Takes the mark away: from here on the next import begins anew.
    pub async fn close(&self) -> Result<(), ImportError> {
        let step = Statement::new("DELETE FROM residents_staging", vec![]);
        Ok(self.permit.stage(vec![step]).await?)
    }

    /// Persons of the generation that is being staged.
    pub async fn staged(&self) -> Result<HashSet<PersonId>, ImportError> {
        let sql = "SELECT person FROM residents_fact WHERE generation = ? AND person > ? ORDER BY person LIMIT 2000";
        let (mut out, mut from) = (HashSet::new(), vec![]);
        loop {
            let args = vec![self.next.into(), Value::Bytes(from)];
            let rows = self.permit.rows(sql, args).await?;
            let Some(last) = rows.last() else {
                return Ok(out);
            };
            from = last.bytes(0).map_err(GateError::from)?.to_vec();
            for row in &rows {
                out.insert(PersonId::from_bytes(row.array(0).map_err(GateError::from)?));
            }
        }
    }
}
