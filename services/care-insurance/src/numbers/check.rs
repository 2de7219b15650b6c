//! Whether a number is held of anybody outside the scope (S0-14): a job compares both sides, without a number.

use std::collections::HashSet;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Class, Condition, Gate, JobPermit, Purpose, Statement};
use mimamori_identity::Visitor;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{NumberRef, PersonId};
use mimamori_numbers::NumbersError;
use mimamori_numbers::port::{Call, Reply};
use mimamori_pages::{Frame, LimitedForm, Term, html};

use super::{DeskError, Numbers, book, numbers, told};
use crate::{CareInsurance, action};

#[derive(Template)]
#[template(path = "care-insurance/number_check.html")]
struct CheckPage<'a> {
    frame: &'a Frame,
    terms: Vec<Term>,
    rows: Vec<(PersonId, String, String)>,
    line: u64,
}

/// What a comparison found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    /// Numbers held.
    pub held: i64,
    /// Of persons who are neither insured nor of the household of somebody insured (any more).
    pub outside: i64,
    /// Under references that the register does not know.
    pub strange: i64,
    /// Persons of the scope without a number.
    pub missing: i64,
}

impl Numbers {
    async fn held(&self) -> Result<HashSet<NumberRef>, DeskError> {
        let mut out = HashSet::new();
        let mut after = None;
        loop {
            let Reply::Held(part) = self.client.call(Call::Held(after)).await? else {
                return Err(NumbersError::Speech.into());
            };
            let Some(last) = part.last() else {
                return Ok(out);
            };
            after = Some(last.clone());
            for text in part {
                out.insert(text.parse().map_err(|_| NumbersError::Speech)?);
            }
        }
    }

    /// Compares the room's references with the persons of the scope, and keeps who is outside.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn compare(
        &self,
        gate: &Gate,
        ordered_by: &Visitor,
        now: Instant,
    ) -> Result<Found, DeskError> {
        let job = gate.job(action::NUMBER_CHECK, Some(ordered_by)).await?;
        self.ready(gate).await?;
        compared(&job, &self.held().await?, now).await
    }
}

async fn compared(
    job: &JobPermit,
    held: &HashSet<NumberRef>,
    now: Instant,
) -> Result<Found, DeskError> {
    let references = book::references(job).await?;
    let scope: HashSet<PersonId> = book::scope(job).await?.into_keys().collect();
    let with = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let persons: HashSet<PersonId> = held
        .iter()
        .filter_map(|r| references.get(r))
        .copied()
        .collect();
    let outside: Vec<&PersonId> = persons.difference(&scope).collect();
    let found = Found {
        held: with(held.len()),
        outside: with(outside.len()),
        strange: with(held.iter().filter(|r| !references.contains_key(r)).count()),
        missing: with(scope.difference(&persons).count()),
    };
    let mut steps = vec![Statement::new(
        "DELETE FROM care_insurance_number_finding",
        vec![],
    )];
    steps.extend(outside.iter().map(|person| {
        let sql = "INSERT INTO care_insurance_number_finding (person, since) VALUES (?, ?)";
        Statement::new(sql, vec![person.bytes().into(), now.0.into()])
    }));
    steps.push(Statement::new(
        "UPDATE care_insurance_number_state SET checked = ?, held = ?, outside = ?, strange = ?, missing = ? WHERE one = 1",
        vec![now.0.into(), found.held.into(), found.outside.into(), found.strange.into(), found.missing.into()],
    ));
    let text = format!(
        "held={} outside={} strange={} missing={}",
        found.held, found.outside, found.strange, found.missing
    );
    job.change(&text, steps, false).await?;
    Ok(found)
}

/// GET /insurance/numbers/check
pub(crate) async fn check(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
) -> Response {
    let done = async {
        let permit = room
            .gate
            .list(&visitor, action::NUMBER_OUTSIDE, Purpose::CareInsurance)
            .await?;
        let job = room.gate.job(action::NUMBER_CHECK, Some(&visitor)).await?;
        let sql = "SELECT checked, held, outside, strange, missing FROM care_insurance_number_state WHERE one = 1";
        let mut terms = Vec::new();
        if let Some(row) = job
            .rows(sql, vec![])
            .await?
            .first()
            .filter(|row| row.int(0).is_ok_and(|at| at > 0))
        {
            terms.push(Term::new(
                "点検した日時",
                Instant(row.int(0)?).office_text(),
            ));
            for (at, name) in [
                (1, "個人番号を保有している人"),
                (2, "そのうち、被保険者でもその世帯員でもない人（対象外）"),
                (3, "台帳に参照のない番号"),
                (4, "個人番号が登録されていない、対象の人"),
            ] {
                terms.push(Term::new(name, format!("{}人", row.int(at)?)));
            }
        }
        let among = [Condition {
            class: Class::NumberRecord,
            sql: "p.person IN (SELECT f.person FROM care_insurance_number_finding f)",
            args: vec![],
        }];
        let columns = ["kanji", "insured_number"];
        let rows = permit
            .fetch(
                &permit,
                "residents_person",
                &columns,
                book::IN_FORCE,
                &among,
                "p.kana_key",
                0,
                100,
            )
            .await?;
        let rows = permit.reveal(rows).await?;
        let line = rows.line();
        let text =
            |record: &mimamori_gate::Record, name| record.text(name).unwrap_or_default().to_owned();
        let rows = rows
            .rows
            .iter()
            .map(|(p, r)| (*p, text(r, "kanji"), text(r, "insured_number")))
            .collect();
        let frame = frame
            .clone()
            .with_title("個人番号の対象者の点検")
            .with_current("/insurance/numbers");
        Ok::<_, DeskError>(html(CheckPage {
            frame: &frame,
            terms,
            rows,
            line,
        }))
    };
    done.await.unwrap_or_else(told)
}

#[derive(serde::Deserialize)]
pub(crate) struct Nothing {}

/// POST /insurance/numbers/check
pub(crate) async fn run_check(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    LimitedForm(Nothing {}): LimitedForm<Nothing>,
) -> Response {
    let done = async {
        let desk = match numbers(&room) {
            Ok(desk) => desk,
            Err(page) => return Ok(page),
        };
        desk.compare(&room.gate, &visitor, room.clock.now()).await?;
        Ok::<_, DeskError>(Redirect::to("/insurance/numbers/check").into_response())
    };
    done.await.unwrap_or_else(told)
}
