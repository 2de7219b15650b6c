//! Proving a copy: whether the numbers in a file can be read with the key, without showing one.

use std::path::Path;
use std::sync::Arc;

use mimamori_kernel::clock::Clock;
use mimamori_kernel::id::NumberRef;
use mimamori_kernel::random::Random;
use serde::{Deserialize, Serialize};

use super::Vault;
use crate::{KekSource, NumbersError};

/// Samples that are drawn at most for each one that is wanted: the same row may be drawn twice.
const DRAWS: usize = 4;

/// What a proof of a copy found; counts alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// Records, all of them in the sum over all rows.
    pub rows: i64,
    /// Records that were opened, judged by check digit and found again by their index.
    pub opened: usize,
    /// Records that were opened and were not what they should be.
    pub wrong: usize,
}

impl Vault {
    /// Opens the database in `file`, which must be a copy that nobody else uses: proves the sum over all rows, then
    /// opens `sample` records drawn at random, or all when there are no more.
    ///
    /// # Errors
    /// [`NumbersError::OtherKey`], [`NumbersError::Moved`] as [`Self::open`].
    pub async fn tried(
        file: &Path,
        kek: &KekSource,
        sample: usize,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Tried, NumbersError> {
        let vault = Self::open(file, kek, clock, random).await?;
        let tried = vault.sampled(sample).await;
        vault.close().await;
        tried
    }

    async fn sampled(&self, sample: usize) -> Result<Tried, NumbersError> {
        let rows = self.whole().await?.count;
        let mut tried = Tried {
            rows,
            ..Tried::default()
        };
        let mut drawn = std::collections::BTreeSet::new();
        if usize::try_from(rows).is_ok_and(|rows| rows <= sample) {
            let mut after = None;
            loop {
                let held = self.held(after).await?;
                after = held.last().copied();
                drawn.extend(held);
                if after.is_none() || drawn.len() >= sample {
                    break;
                }
            }
        } else {
            for _ in 0..sample * DRAWS {
                if drawn.len() >= sample {
                    break;
                }
                drawn.extend(self.drawn().await?);
            }
        }
        for reference in &drawn {
            match self.sound(reference).await? {
                true => tried.opened += 1,
                false => tried.wrong += 1,
            }
        }
        Ok(tried)
    }

    /// A record at random; references are random, so the next one after a random one is.
    async fn drawn(&self) -> Result<Option<NumberRef>, NumbersError> {
        let from = NumberRef::random(&*self.0.random);
        let sql =
            "SELECT reference FROM numbers_record WHERE reference >= ? ORDER BY reference LIMIT 1";
        for from in [from, NumberRef::from_bytes([0; 16])] {
            if let Some(row) = self.0.db.fetch_one(sql, vec![from.bytes().into()]).await? {
                return Ok(Some(NumberRef::from_bytes(row.array(0)?)));
            }
        }
        Ok(None)
    }

    /// Whether a record opens to a number with its check digit, and a search for it leads back.
    async fn sound(&self, reference: &NumberRef) -> Result<bool, NumbersError> {
        match self.reveal(reference).await {
            Ok(Some(number)) => Ok(self.find(&number).await? == Some(*reference)),
            Ok(None) | Err(NumbersError::Moved(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
