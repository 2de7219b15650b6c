//! What the register keeps of numbers: references, outcomes, epoch. Read and written by jobs of the system.

use std::collections::HashMap;

use mimamori_gate::{ERASED_NUMBER, Gate, JobPermit, Statement, Value, erasure};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{NumberRef, PersonId};
use mimamori_numbers::NumbersError;
use mimamori_numbers::port::{Call, Kind, Outcome, Reply};

use super::{DeskError, Numbers};
use crate::action;

/// The newest epoch that the register was told of.
pub(super) async fn known_epoch(gate: &Gate) -> Result<i64, DeskError> {
    let job = gate.job(action::NUMBER_OUTCOME, None).await?;
    let rows = job
        .rows(
            "SELECT epoch FROM care_insurance_number_state WHERE one = 1",
            vec![],
        )
        .await?;
    Ok(rows.first().map_or(Ok(0), |row| row.int(0))?)
}

impl Numbers {
    /// Writes down what the room did since the last time, with one line, and tells it so. Outcomes written before.
    ///
    /// # Errors
    /// [`DeskError`]; the room keeps what was not acknowledged.
    pub async fn sync(&self, gate: &Gate) -> Result<usize, DeskError> {
        // What the room was away for is asked for again.
        for reference in leaving(gate).await? {
            self.client
                .call(Call::Delete(reference.to_string(), 0))
                .await?;
        }
        let mut written = 0;
        loop {
            let Reply::State { epoch, .. } = self.client.call(Call::Hello).await? else {
                return Err(NumbersError::Speech.into());
            };
            let Reply::Outcomes(outcomes) = self.client.call(Call::Outcomes).await? else {
                return Err(NumbersError::Speech.into());
            };
            // A rotation raises the epoch without an outcome: the database of before must not pass either.
            if outcomes.is_empty() && known_epoch(gate).await? >= epoch {
                return Ok(written);
            }
            let job = gate.job(action::NUMBER_OUTCOME, None).await?;
            let mut steps: Vec<Statement> = outcomes.iter().map(row).collect();
            let deleted = outcomes.iter().filter(|o| o.kind == Kind::Delete.code());
            steps.extend(deleted.filter_map(|o| Some((o.reference?, o.at))).map(|(reference, at)| {
                let sql = "UPDATE care_insurance_number SET gone = 1, ended = CASE WHEN ended = 0 THEN ? ELSE ended END WHERE reference = ?";
                Statement::new(sql, vec![at.into(), reference.bytes().into()])
            }));
            steps.push(Statement::new(
                "UPDATE care_insurance_number_state SET epoch = ? WHERE one = 1 AND epoch < ?",
                vec![epoch.into(), epoch.into()],
            ));
            job.change(&summary(&outcomes), steps, false).await?;
            let tickets = outcomes.iter().map(|o| o.ticket.to_string()).collect();
            self.client.call(Call::Acknowledge(tickets)).await?;
            written += outcomes.len();
        }
    }
}

/// Counts by kind and outcome, and the lines they came of; no name, no number.
fn summary(outcomes: &[Outcome]) -> String {
    let mut all: Vec<String> = outcomes
        .iter()
        .map(|o| match o.kind.as_str() {
            "load" => format!(
                "load {} rows={} refused={} line={}",
                o.outcome, o.rows, o.refused, o.line
            ),
            kind => format!("{kind} {} line={}", o.outcome, o.line),
        })
        .collect();
    if all.len() > 20 {
        let more = all.len() - 20;
        all.truncate(20);
        all.push(format!("and {more} more"));
    }
    all.join("; ")
}

/// Written once, also when the room tells it again.
fn row(outcome: &Outcome) -> Statement {
    let reference: Vec<u8> = outcome
        .reference
        .map_or_else(Vec::new, |r| r.bytes().to_vec());
    Statement::new(
        "INSERT INTO care_insurance_number_outcome (ticket, kind, outcome, line, reference, loaded, refused, at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (ticket) DO NOTHING",
        vec![
            outcome.ticket.bytes().into(),
            outcome.kind.as_str().into(),
            outcome.outcome.as_str().into(),
            outcome.line.into(),
            reference.into(),
            outcome.rows.into(),
            outcome.refused.into(),
            outcome.at.into(),
        ],
    )
}

/// What came of a ticket, when it is written down: outcome and reference.
pub(super) async fn outcome(
    gate: &Gate,
    ticket: &[u8; 16],
) -> Result<Option<(String, Option<NumberRef>)>, DeskError> {
    let job = gate.job(action::NUMBER_OUTCOME, None).await?;
    let sql = "SELECT outcome, reference FROM care_insurance_number_outcome WHERE ticket = ?";
    let rows = job.rows(sql, vec![ticket.into()]).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let reference = row.bytes(1)?.try_into().ok().map(NumberRef::from_bytes);
    Ok(Some((row.text(0)?.to_owned(), reference)))
}

/// Looks at a person's number that were shown: when and by which line, newest first (照会記録, P-43).
pub(super) async fn looks(
    gate: &Gate,
    reference: &NumberRef,
) -> Result<Vec<(i64, i64)>, DeskError> {
    let job = gate.job(action::NUMBER_OUTCOME, None).await?;
    let sql = "SELECT at, line FROM care_insurance_number_outcome WHERE reference = ? AND kind = 'reveal' AND outcome <> 'void' ORDER BY at DESC LIMIT 100";
    let rows = job.rows(sql, vec![reference.bytes().into()]).await?;
    rows.iter()
        .map(|row| Ok((row.int(0)?, row.int(1)?)))
        .collect()
}

/// Rows of the register in force, of a list and of one person.
pub(super) const IN_FORCE: &str =
    "p.generation = (SELECT generation FROM residents_state WHERE one = 1)";
pub(super) const CURRENT: &str =
    "generation = (SELECT generation FROM residents_state WHERE one = 1)";

/// Whose numbers the town may hold (S0-14): who is insured, and who lives in a household with somebody insured. Person
/// and 宛名番号.
const SCOPE: &str = "SELECT r.person, r.address_number FROM residents_person r \
    WHERE r.generation = (SELECT generation FROM residents_state WHERE one = 1) \
    AND (r.person IN (SELECT c.person FROM care_insurance_person c WHERE c.category <> 0) \
    OR (r.status = 1 AND r.household_number IN (SELECT h.household_number FROM residents_person h \
    JOIN care_insurance_person i ON i.person = h.person AND i.category <> 0 \
    WHERE h.generation = r.generation AND h.status = 1 AND h.household_number <> '')))";

/// Everybody in the scope with the 宛名番号.
pub(super) async fn scope(job: &JobPermit) -> Result<HashMap<PersonId, String>, DeskError> {
    let rows = job.rows(SCOPE, vec![]).await?;
    let pair = |row: &mimamori_gate::Row| {
        Ok((PersonId::from_bytes(row.array(0)?), row.text(1)?.to_owned()))
    };
    rows.iter().map(pair).collect()
}

/// 宛名番号 of a person in the scope; none for others.
pub(super) async fn in_scope(gate: &Gate, person: &PersonId) -> Result<Option<String>, DeskError> {
    let job = gate.job(action::NUMBER_OUTCOME, None).await?;
    let rows = job
        .rows(
            &format!("{SCOPE} AND r.person = ?"),
            vec![person.bytes().into()],
        )
        .await?;
    Ok(rows
        .first()
        .map(|row| row.text(1).map(str::to_owned))
        .transpose()?)
}

/// References of everybody who has one.
pub(super) async fn references(job: &JobPermit) -> Result<HashMap<NumberRef, PersonId>, DeskError> {
    let sql = "SELECT reference, person FROM care_insurance_number WHERE ended = 0";
    let rows = job.rows(sql, vec![]).await?;
    let pair = |row: &mimamori_gate::Row| {
        Ok((
            NumberRef::from_bytes(row.array(0)?),
            PersonId::from_bytes(row.array(1)?),
        ))
    };
    rows.iter().map(pair).collect()
}

/// The row that gives a person a reference, unless there is one in force.
pub(super) fn new_reference(person: &PersonId, reference: &NumberRef) -> Statement {
    let own = || Value::from(person.bytes());
    Statement::new(
        "INSERT INTO care_insurance_number (reference, person, ended, gone) SELECT ?, ?, 0, 0 WHERE NOT EXISTS \
         (SELECT 1 FROM care_insurance_number n WHERE n.person = ? AND n.ended = 0)",
        vec![reference.bytes().into(), own(), own()],
    )
}

/// Ends a reference for ever: a number that is registered later gets another one, so that a restore erases this one
/// again and nothing else.
pub(super) fn ended(reference: &NumberRef, now: Instant) -> Vec<Statement> {
    let args = vec![now.0.into(), reference.bytes().into()];
    vec![
        erasure(ERASED_NUMBER, reference.bytes(), now.0),
        Statement::expecting(
            "UPDATE care_insurance_number SET ended = ? WHERE reference = ? AND ended = 0",
            args,
            1,
            "care-insurance-number-ended",
        ),
    ]
}

/// References that ended and that the room has not said to have deleted.
pub(super) async fn leaving(gate: &Gate) -> Result<Vec<NumberRef>, DeskError> {
    let job = gate.job(action::NUMBER_OUTCOME, None).await?;
    let sql = "SELECT reference FROM care_insurance_number WHERE ended > 0 AND gone = 0 LIMIT 100";
    let rows = job.rows(sql, vec![]).await?;
    rows.iter()
        .map(|row| Ok(NumberRef::from_bytes(row.array(0)?)))
        .collect()
}

/// References of a person that ended, newest first.
pub(super) async fn past(gate: &Gate, person: &PersonId) -> Result<Vec<NumberRef>, DeskError> {
    let job = gate.job(action::NUMBER_OUTCOME, None).await?;
    let sql = "SELECT reference FROM care_insurance_number WHERE person = ? AND ended > 0 ORDER BY ended DESC LIMIT 20";
    let rows = job.rows(sql, vec![person.bytes().into()]).await?;
    rows.iter()
        .map(|row| Ok(NumberRef::from_bytes(row.array(0)?)))
        .collect()
}
