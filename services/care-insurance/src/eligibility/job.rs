//! The derivation over the whole register: chunk by chunk, each chunk one durable change with its line.
//!
//! Reads the register through the room's declared extract. A run that is killed leaves whole chunks
//! behind; the next run finds them unchanged and does the rest.

use std::collections::{BTreeMap, HashSet};

use mimamori_gate::{GateError, JobPermit, Row, Statement, Value};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::date::{PartialDate, age_on};
use mimamori_kernel::error::Coded;
use mimamori_kernel::id::PersonId;

use super::derive::{Insured, merged, outcome};
use super::number::Numbering;
use super::reason::{Codes, CodesError};
use super::store::{REGISTER, history, insured, known, register, statements};

/// Persons of one chunk.
const CHUNK: i64 = 1000;

/// What a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Derivation {
    /// Persons of this room.
    pub persons: u64,
    /// Persons whose row or qualification changed.
    pub changed: u64,
    /// Persons with an open question.
    pub questions: u64,
    /// Numbers given.
    pub numbered: u64,
    /// Persons in the register whose number already belongs to somebody else.
    pub doubled: u64,
}

/// Why a run stopped.
#[derive(Debug, thiserror::Error)]
pub enum DeriveError {
    /// The gate or the store.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// The table of reasons.
    #[error(transparent)]
    Codes(#[from] CodesError),
}

impl Coded for DeriveError {
    fn code(&self) -> &'static str {
        match self {
            Self::Gate(error) => error.code(),
            Self::Codes(error) => error.code(),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Gate(error) => error.advice(),
            Self::Codes(error) => error.advice(),
        }
    }
}

impl From<mimamori_gate::StorageError> for DeriveError {
    fn from(error: mimamori_gate::StorageError) -> Self {
        Self::Gate(error.into())
    }
}

const MARK: &str = "SELECT s.generation, (SELECT COUNT(*) FROM residents_change), \
    (SELECT COUNT(*) + COALESCE(SUM(CASE WHEN cancelled_at <> '' THEN 1 ELSE 0 END), 0) \
    + COALESCE(SUM(CASE WHEN ended_at <> '' THEN 1 ELSE 0 END), 0) FROM care_insurance_fact) \
    FROM residents_state s WHERE s.one = 1";

/// What the register is now: the generation in force, how many changes were entered on the screen, and
/// how much was entered by hand here. All only grow, and are written in the transaction of what they stand for.
pub(crate) async fn mark(permit: &JobPermit) -> Result<String, DeriveError> {
    let rows = permit.rows(MARK, vec![]).await?;
    let row = rows.first().ok_or(GateError::NotFound)?;
    Ok(format!("{} {} {}", row.int(0)?, row.int(1)?, row.int(2)?))
}

/// One derivation at a time: two would give out the same numbers.
static ONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Derives everybody on the office day of `now`; waits while another one is at work.
///
/// # Errors
/// [`DeriveError`]; chunks that were finished stay.
pub async fn run(
    permit: &JobPermit,
    codes: &Codes,
    numbering: &Numbering,
    now: Instant,
) -> Result<Derivation, DeriveError> {
    let _one = ONE.lock().await;
    // Before the first row is read: what changes meanwhile makes the next run due.
    let mark = mark(permit).await?;
    let mut numbers = Numbers::load(permit, numbering).await?;
    let mut done = Derivation::default();
    let mut from = vec![];
    loop {
        let people = permit
            .rows(REGISTER, vec![Value::Bytes(from.clone()), CHUNK.into()])
            .await?;
        let Some(last) = people.last() else {
            break;
        };
        let to = last.bytes(0)?.to_vec();
        let range = [Value::Bytes(from), Value::Bytes(to.clone())];
        chunk(
            permit,
            codes,
            Some(&mut numbers),
            (&people, range),
            now,
            &mut done,
        )
        .await?;
        from = to;
        tokio::task::yield_now().await;
    }
    let step = Statement::new(
        "INSERT INTO care_insurance_run (number, as_of, persons, changed, mark) \
         VALUES ((SELECT COALESCE(MAX(number), 0) + 1 FROM care_insurance_run), ?, ?, ?, ?)",
        vec![
            now.office_day().to_string().into(),
            i64::try_from(done.persons).unwrap_or(i64::MAX).into(),
            i64::try_from(done.changed).unwrap_or(i64::MAX).into(),
            mark.into(),
        ],
    );
    let text = format!(
        "資格の計算を終了: 対象{}人、更新{}人、確認待ち{}人、付番{}人",
        done.persons, done.changed, done.questions, done.numbered
    );
    permit.change(&text, vec![step], false).await?;
    Ok(done)
}

/// Derives one person alone, for the screen that waits for it; nothing for somebody who is not in the
/// register. Beside a run over everybody, whose versions of rows keep the two apart; numbers are given
/// by that run alone, so that nobody waits here.
///
/// # Errors
/// [`DeriveError`].
pub(crate) async fn one(
    permit: &JobPermit,
    codes: &Codes,
    person: PersonId,
    now: Instant,
) -> Result<(), DeriveError> {
    let before = Value::Bytes(before(person.bytes()));
    let people = permit
        .rows(REGISTER, vec![before.clone(), 1i64.into()])
        .await?;
    if people.first().map(|row| row.bytes(0)).transpose()? != Some(person.bytes().as_slice()) {
        return Ok(());
    }
    let range = [before, person.bytes().into()];
    let mut done = Derivation::default();
    chunk(permit, codes, None, (&people, range), now, &mut done).await
}

/// The greatest 16 bytes below `id`; empty below the first.
fn before(id: &[u8; 16]) -> Vec<u8> {
    let below = u128::from_be_bytes(*id).checked_sub(1);
    below.map_or_else(Vec::new, |n| n.to_be_bytes().to_vec())
}

/// Derives the persons of these rows of the register, all of the range, in one durable change.
async fn chunk(
    permit: &JobPermit,
    codes: &Codes,
    mut numbers: Option<&mut Numbers>,
    (people, range): (&[Row], [Value; 2]),
    now: Instant,
    done: &mut Derivation,
) -> Result<(), DeriveError> {
    let mut moves = history(permit, range.to_vec()).await?;
    let mut known = known(permit, range.to_vec()).await?;
    let (mut steps, mut changed, mut marks) = (Vec::new(), 0, Vec::new());
    for row in people {
        let id: [u8; 16] = row.array(0)?;
        let person = PersonId::from_bytes(id);
        let fresh = Insured {
            seen: row.int(15)?,
            ..register(row)?
        };
        let birth: PartialDate = fresh.birth.parse().unwrap_or(PartialDate::UNKNOWN);
        let second = row.int(12)? == 1
            && age_on(birth, now.office_day())
                .most()
                .is_some_and(|most| most < 65);
        let before = known.remove(&id);
        if row.int(13)? > 0 {
            // Insured under the kept record alone; nobody is counted twice.
            if let Some(before) = before {
                let length = steps.len();
                let words = "ほかの宛名番号への統合により取消";
                let out = merged(fresh, &before, now.office_day());
                statements(&mut steps, &person, &out, (Some(&before), words), now);
                changed += u64::from(steps.len() > length);
            }
            continue;
        }
        let history = moves.remove(&id).unwrap_or_default();
        let mut out = outcome(
            fresh,
            &history,
            (second, row.int(14)? == 3),
            before.as_ref(),
            now.office_day(),
            codes,
        )?;
        // While the answer is open, whom the register calls insured stays so for the gate.
        let open = !out.row.question.is_empty() && !out.ledger.decided();
        let holds = out.row.category != 0 || (open && row.int(12)? == 1);
        marks.extend(insured(&person, row.int(16)?, holds));
        if !out.ours {
            continue;
        }
        done.persons += 1;
        done.questions += u64::from(!out.row.question.is_empty());
        if let Some(numbers) = numbers.as_deref_mut() {
            done.doubled += u64::from(!numbers.holds(&out.row.insured_number, id));
            if out.row.insured_number.is_empty() && out.row.card_wait == 1 {
                out.row.insured_number = numbers.next().unwrap_or_default();
                done.numbered += u64::from(!out.row.insured_number.is_empty());
            }
        }
        let length = steps.len();
        let known = (before.as_ref(), "住民の記録から計算");
        statements(&mut steps, &person, &out, known, now);
        changed += u64::from(steps.len() > length);
    }
    if !steps.is_empty() {
        let text = format!("資格の計算: {changed}人分を更新");
        permit.change(&text, steps, false).await?;
        done.changed += changed;
    }
    // Apart and short: a page on one of these persons that is asked meanwhile meets the change of the
    // fact in few cases only. What a stop leaves out, the next run finds.
    if !marks.is_empty() {
        let text = format!("資格の計算: 被保険者の印を{}人分更新", marks.len());
        permit.change(&text, marks, true).await?;
    }
    Ok(())
}

/// Insured-person numbers in use, and the next free one.
struct Numbers {
    numbering: Numbering,
    used: BTreeMap<String, [u8; 16]>,
    taken: HashSet<String>,
    given: u64,
}

impl Numbers {
    async fn load(permit: &JobPermit, numbering: &Numbering) -> Result<Self, DeriveError> {
        let mut out = Self {
            numbering: numbering.clone(),
            used: BTreeMap::new(),
            taken: HashSet::new(),
            given: 0,
        };
        for sql in [
            "SELECT person, insured_number FROM care_insurance_person WHERE insured_number <> ''",
            "SELECT person, insured_number FROM residents_person WHERE generation = (SELECT generation FROM residents_state \
             WHERE one = 1) AND insured_number <> ''",
        ] {
            for row in permit.rows(sql, vec![]).await? {
                let number = row.text(1)?.to_owned();
                out.taken.insert(number.clone());
                out.used.entry(number).or_insert(row.array(0)?);
            }
        }
        Ok(out)
    }

    /// Whether a number belongs to this person or to nobody.
    fn holds(&self, number: &str, person: [u8; 16]) -> bool {
        self.used.get(number).is_none_or(|p| *p == person)
    }

    /// The next number that nobody has; none when they are typed by hand or used up.
    fn next(&mut self) -> Option<String> {
        if self.numbering.method.by_hand() {
            return None;
        }
        loop {
            let number = self.numbering.make(self.given).ok()?;
            self.given += 1;
            if self.taken.insert(number.clone()) {
                return Some(number);
            }
        }
    }
}
