//! Sealed words of a line: a key for each scope, so that one shred makes them unreadable.

use std::collections::HashMap;

use mimamori_encryption::{Secret, open, seal};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::random::Random;
use mimamori_storage::{StorageError, Writer};

use crate::leaf::Token;

/// Which key seals the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Search terms of one month (office time).
    SearchMonth(Instant),
    /// A reason about one person.
    Reason(Token),
}

impl Scope {
    /// `search/2026-11` or `reason/<token>`.
    pub fn name(&self) -> String {
        match self {
            Self::SearchMonth(at) => format!("search/{}", at.office().strftime("%Y-%m")),
            Self::Reason(token) => format!("reason/{}", hex::encode(token.0)),
        }
    }
}

/// The committer's store of scope keys; keys are wrapped by the wrapping key.
#[derive(Debug)]
pub(crate) struct ScopeKeys {
    wrapping: Secret,
    known: HashMap<String, Secret>,
}

impl ScopeKeys {
    pub(crate) fn new(wrapping: Secret) -> Self {
        Self {
            wrapping,
            known: HashMap::new(),
        }
    }

    /// Forgets keys that were made in a transaction that did not last.
    pub(crate) fn forget(&mut self) {
        self.known.clear();
    }

    /// The scope's key, made inside the writer's transaction when it is new.
    async fn key(
        &mut self,
        name: &str,
        writer: &mut Writer,
        random: &dyn Random,
    ) -> Result<Secret, StorageError> {
        if let Some(key) = self.known.get(name) {
            return Ok(key.clone());
        }
        let found = writer
            .fetch(
                "SELECT wrapped FROM trace_key WHERE scope = ?",
                vec![name.into()],
            )
            .await?;
        let key = match found.first() {
            Some(row) => {
                let bytes = open(&self.wrapping, name.as_bytes(), row.bytes(0)?)
                    .map_err(|_| StorageError::Conflict { what: "trace-key" })?;
                Secret::from_bytes(
                    bytes
                        .try_into()
                        .map_err(|_| StorageError::Conflict { what: "trace-key" })?,
                )
            }
            None => {
                let key = Secret::random(random);
                let wrapped = seal(&self.wrapping, name.as_bytes(), key.bytes(), random)
                    .map_err(|_| StorageError::Conflict { what: "trace-key" })?;
                writer
                    .execute(
                        "INSERT INTO trace_key (scope, wrapped) VALUES (?, ?)",
                        vec![name.into(), wrapped.into()],
                    )
                    .await?;
                key
            }
        };
        if self.known.len() > 4096 {
            self.known.clear();
        }
        self.known.insert(name.to_owned(), key.clone());
        Ok(key)
    }

    /// Seals `text` for `line` under `name`.
    pub(crate) async fn seal(
        &mut self,
        name: &str,
        line: u64,
        text: &str,
        writer: &mut Writer,
        random: &dyn Random,
    ) -> Result<Vec<u8>, StorageError> {
        let key = self.key(name, writer, random).await?;
        seal(&key, &place(line), text.as_bytes(), random)
            .map_err(|_| StorageError::Conflict { what: "trace-seal" })
    }
}

/// The place that the words of a line are bound to.
pub(crate) fn place(line: u64) -> [u8; 18] {
    let mut out = *b"trace_line00000000";
    out[10..].copy_from_slice(&line.to_be_bytes());
    out
}
