//! The connector's work with batch files.

use mimamori_kernel::clock::Instant;
use mimamori_storage::{StorageError, Writer};

use super::files::{Answered, Files, Incoming, Kind};
use super::outbox::{self, Outcome, Waiting};
use super::port::{Call, Held};
use super::sender::{Connector, last_of};
use super::{LinkError, calls};

/// Acts of one request file at most.
const ROWS: u32 = 10_000;

/// A list that was read, to be noted with what came of it.
pub(super) struct Taken {
    pub name: String,
    pub as_of: Instant,
    sequence: i64,
    digest: String,
    log: Vec<Call>,
}

impl Taken {
    /// Writes down that it was read.
    pub async fn note(&self, writer: &mut Writer) -> Result<(), LinkError> {
        calls::add(writer, self.log.clone()).await?;
        Ok(note(writer, Kind::List, self.sequence, &self.digest).await?)
    }
}

async fn note(
    writer: &mut Writer,
    kind: Kind,
    sequence: i64,
    digest: &str,
) -> Result<(), StorageError> {
    let sql = "INSERT INTO numbers_file (kind, last, digest) VALUES (?, ?, ?) ON CONFLICT (kind) DO UPDATE SET last = excluded.last, digest = excluded.digest";
    writer
        .execute(
            sql,
            vec![kind.code().into(), sequence.into(), digest.into()],
        )
        .await?;
    Ok(())
}

fn line(kind: Kind, at: Instant, incoming: &Incoming, records: usize) -> Call {
    let what = match kind {
        Kind::Answer => "file-answer",
        Kind::List => "file-list",
    };
    Call {
        at,
        what,
        code: "ok".into(),
        sent: 0,
        received: incoming.body.len(),
        records,
        micros: 0,
    }
}

impl Connector {
    async fn log_files(&self, files: &Files) -> Result<(), LinkError> {
        let lines = files.log.take();
        if lines.is_empty() {
            return Ok(());
        }
        self.write(async |writer: &mut Writer| Ok(calls::add(writer, lines).await?))
            .await
    }

    /// Reads answer files in their order, each whole or not at all, each once.
    pub(super) async fn take_answers(&self, files: &Files) -> Result<(), LinkError> {
        loop {
            let now = self.clock.now();
            let (last, digest) = last_of(&self.db, Kind::Answer.code()).await?;
            let next = files.next(Kind::Answer, last, digest.as_deref(), now);
            self.log_files(files).await?;
            let Some(incoming) = next? else { break };
            let refused = match (incoming.answers(), incoming.request) {
                (Ok(answers), Some(_)) => self.take(now, &incoming, answers).await?,
                (Ok(_), None) => Some("trailer"),
                (Err(code), _) => Some(code),
            };
            match refused {
                None => {
                    files.remove(&incoming.name)?;
                    // It holds numbers; usually the other end has taken it away.
                    incoming
                        .request
                        .iter()
                        .for_each(|request| files.clear(*request));
                }
                Some(code) => {
                    files.refuse(Kind::Answer, &incoming.name, code, incoming.body.len(), now)?
                }
            }
        }
        self.log_files(files).await?;
        Ok(())
    }

    /// All answers of one file and its number in one transaction; why it is refused, if it is.
    async fn take(
        &self,
        now: Instant,
        incoming: &Incoming,
        answers: Vec<Answered>,
    ) -> Result<Option<&'static str>, LinkError> {
        let random = self.random.clone();
        self.write(async |writer: &mut Writer| {
            let mut known: Vec<(Waiting, Outcome)> = Vec::new();
            let records = answers.len();
            for answered in answers {
                let Some((act, done)) = outbox::by_key(writer, &answered.key).await? else {
                    return Ok(Some("unknown-act"));
                };
                let outcome = match answered.told {
                    Ok(told) => Outcome::Told(told),
                    Err(code) => Outcome::Refused(code),
                };
                if !done {
                    known.push((act, outcome));
                }
            }
            known.sort_by_key(|(act, _)| act.act);
            for (act, outcome) in known {
                outbox::apply(writer, &*random, now, &act, outcome).await?;
            }
            calls::add(writer, vec![line(Kind::Answer, now, incoming, records)]).await?;
            note(writer, Kind::Answer, incoming.sequence, &incoming.digest).await?;
            Ok(None)
        })
        .await
    }

    /// The next list, if it came; a broken one is refused.
    pub(super) async fn next_list(
        &self,
        files: &Files,
    ) -> Result<Option<(Vec<Held>, Taken)>, LinkError> {
        let now = self.clock.now();
        let (last, digest) = last_of(&self.db, Kind::List.code()).await?;
        let next = files.next(Kind::List, last, digest.as_deref(), now);
        self.log_files(files).await?;
        let Some(incoming) = next? else {
            return Ok(None);
        };
        match (incoming.list(), incoming.as_of) {
            (Ok(list), Some(as_of)) => {
                let log = vec![line(Kind::List, now, &incoming, list.len())];
                let Incoming {
                    name,
                    sequence,
                    digest,
                    ..
                } = incoming;
                Ok(Some((
                    list,
                    Taken {
                        name,
                        as_of,
                        sequence,
                        digest,
                        log,
                    },
                )))
            }
            (told, _) => {
                let code = told.err().unwrap_or("trailer");
                files.refuse(Kind::List, &incoming.name, code, incoming.body.len(), now)?;
                self.log_files(files).await?;
                Ok(None)
            }
        }
    }

    /// Gives what waits a file number, then writes every file that has a number and is not written yet: a stop in between
    /// leaves the same file to be written again.
    pub(super) async fn tell_by_file(&self, files: &Files) -> Result<(), LinkError> {
        let now = self.clock.now();
        self.write_files(files).await?;
        let sql = "SELECT COALESCE(MAX(sequence), 0), MAX(made) FROM numbers_file_out";
        let row = self.db.fetch_one(sql, vec![]).await?;
        let (last, made) = match &row {
            Some(row) => (row.int(0)?, row.opt_int(1)?),
            None => (0, None),
        };
        let every = std::time::Duration::from_secs(files.every);
        if made.is_some_and(|made| Instant(made).plus(every) > now) {
            return Ok(());
        }
        let heads = outbox::heads(&self.db, now, ROWS).await?;
        if heads.is_empty() {
            return Ok(());
        }
        self.write(async |writer: &mut Writer| {
            for act in &heads {
                let sql = "UPDATE numbers_outbox SET sequence = ? WHERE act = ?";
                writer
                    .execute(sql, vec![(last + 1).into(), act.act.into()])
                    .await?;
            }
            let sql = "INSERT INTO numbers_file_out (sequence, made) VALUES (?, ?)";
            writer
                .execute(sql, vec![(last + 1).into(), now.0.into()])
                .await?;
            Ok(())
        })
        .await?;
        self.write_files(files).await
    }

    async fn write_files(&self, files: &Files) -> Result<(), LinkError> {
        let now = self.clock.now();
        let sql = "SELECT sequence FROM numbers_file_out WHERE written IS NULL ORDER BY sequence";
        for row in self.db.fetch(sql, vec![]).await? {
            let sequence = row.int(0)?;
            let (mut orders, mut without) = (Vec::new(), Vec::new());
            for act in outbox::in_file(&self.db, sequence).await? {
                match self.order(&act).await? {
                    Ok(order) => orders.push(order),
                    Err(outcome) => without.push((act, outcome)),
                }
            }
            // Before the file is laid down: what is left out of it may not come into it when it is written again, because
            // the other end may have read it by then.
            if !without.is_empty() {
                self.store(Vec::new(), without).await?;
            }
            files.write_request(sequence, &orders, now)?;
            let lines = files.log.take();
            self.write(async |writer: &mut Writer| {
                calls::add(writer, lines).await?;
                let sql = "UPDATE numbers_file_out SET written = ? WHERE sequence = ?";
                writer
                    .execute(sql, vec![now.0.into(), sequence.into()])
                    .await?;
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    /// A request file whose answer never came: its open acts go into a new file, under the same keys. How many.
    ///
    /// # Errors
    /// The database.
    pub async fn send_file_again(&self, sequence: i64) -> Result<u64, LinkError> {
        let _one = self.busy.lock().await;
        self.write(async |writer: &mut Writer| {
            let sql =
                "UPDATE numbers_outbox SET sequence = NULL WHERE sequence = ? AND done IS NULL";
            Ok(writer.execute(sql, vec![sequence.into()]).await?)
        })
        .await
    }
}
