//! The derivation over the whole register: chunk by chunk, each chunk one durable change with its line.
//!
//! Reads the register through the room's declared extract. A run that is killed leaves whole chunks
//! behind; the next run finds them unchanged and does the rest.

use std::collections::{BTreeMap, HashSet};

use mimamori_gate::{GateError, JobPermit, Statement, Value};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::date::{PartialDate, age_on};
use mimamori_kernel::error::Coded;
use mimamori_kernel::id::PersonId;

use super::derive::{Insured, Known, Outcome, merged, outcome};
use super::extract::Moved;
use super::number::{Method, Numbering};
use super::reason::{Codes, CodesError};
use super::record::Ledger;
use super::row;

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

const INSURED: &str = "person, insured_number, kanji, kana, kana_key, birth, sex, postal, address, building, \
    address_key, protected, category, since, until, due_age, due_moved, due_unknown, question, card_wait, card_reason";

const REGISTER: &str = "SELECT person, insured_number, kanji, kana, kana_key, birth, sex, postal, address, building, address_key, \
    protected, insured, (SELECT COUNT(*) FROM gate_same g WHERE g.person = residents_person.person), status FROM residents_person WHERE generation = (SELECT generation FROM residents_state WHERE one = 1) \
    AND person > ? ORDER BY person LIMIT ?";

const HISTORY: &str = "SELECT person, reason, event_day, COALESCE((SELECT e.since FROM residents_elsewhere e \
    WHERE e.person = residents_history.person AND e.event_day = residents_history.event_day), '') FROM residents_history WHERE generation = (SELECT generation FROM \
    residents_state WHERE one = 1) AND person > ? AND person <= ? ORDER BY person, number";

const MARK: &str = "SELECT s.generation, (SELECT COUNT(*) FROM residents_change) FROM residents_state s WHERE s.one = 1";

/// What the register is now: the generation in force and how many changes were entered on the
/// screen. Both only grow, and both are written in the transaction of what they stand for.
pub(crate) async fn mark(permit: &JobPermit) -> Result<String, DeriveError> {
    let rows = permit.rows(MARK, vec![]).await?;
    let row = rows.first().ok_or(GateError::NotFound)?;
    Ok(format!("{} {}", row.int(0)?, row.int(1)?))
}

/// One derivation at a time: two would give out the same numbers.
static ONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

type ById<T> = BTreeMap<[u8; 16], T>;

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
        let range = || vec![Value::Bytes(from.clone()), Value::Bytes(to.clone())];
        let mut moves: ById<Vec<Moved>> = BTreeMap::new();
        for moved in permit.rows(HISTORY, range()).await? {
            moves.entry(moved.array(0)?).or_default().push(Moved {
                reason: moved.text(1)?.to_owned(),
                day: moved.text(2)?.parse().unwrap_or(PartialDate::UNKNOWN),
                elsewhere: row::day(moved.text(3)?),
            });
        }
        let mut known = known(permit, range()).await?;
        let (mut steps, mut changed) = (Vec::new(), 0);
        for row in &people {
            let id: [u8; 16] = row.array(0)?;
            let person = PersonId::from_bytes(id);
            let fresh = register(row)?;
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
                    let out = merged(fresh, &before);
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
            if !out.ours {
                continue;
            }
            done.persons += 1;
            done.questions += u64::from(!out.row.question.is_empty());
            done.doubled += u64::from(!numbers.holds(&out.row.insured_number, id));
            if out.row.insured_number.is_empty() && out.row.card_wait == 1 {
                out.row.insured_number = numbers.next().unwrap_or_default();
                done.numbered += u64::from(!out.row.insured_number.is_empty());
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

fn register(row: &mimamori_gate::Row) -> Result<Insured, DeriveError> {
    let text = |n| Ok::<_, DeriveError>(row.text(n)?.to_owned());
    Ok(Insured {
        insured_number: text(1)?,
        kanji: text(2)?,
        kana: text(3)?,
        kana_key: text(4)?,
        birth: text(5)?,
        sex: row.int(6)?,
        postal: text(7)?,
        address: text(8)?,
        building: text(9)?,
        address_key: text(10)?,
        protected: row.int(11)?,
        ..Insured::default()
    })
}

/// What the room knows of the persons of a chunk.
async fn known(permit: &JobPermit, range: Vec<Value>) -> Result<ById<Known>, DeriveError> {
    let mut out: ById<Known> = BTreeMap::new();
    let sql = format!(
        "SELECT {INSURED}, version FROM care_insurance_person WHERE person > ? AND person <= ?"
    );
    for row in permit.rows(&sql, range.clone()).await? {
        let text = |n| Ok::<_, DeriveError>(row.text(n)?.to_owned());
        let insured = Insured {
            category: row.int(12)?,
            since: text(13)?,
            until: text(14)?,
            due_age: text(15)?,
            due_moved: text(16)?,
            due_unknown: text(17)?,
            question: text(18)?,
            card_wait: row.int(19)?,
            card_reason: text(20)?,
            ..register(&row)?
        };
        let known = Known {
            row: insured,
            version: row.int(21)?,
            ..Known::default()
        };
        out.insert(row.array(0)?, known);
    }
    let sql = "SELECT person, number, category, cancelled, decided, from_day, until_day, gained, lost FROM \
               care_insurance_qualification WHERE person > ? AND person <= ? ORDER BY person, number";
    let mut entries: ById<Vec<_>> = BTreeMap::new();
    for row in permit.rows(sql, range.clone()).await? {
        let numbers = (row.int(1)?, row.int(2)?, row.int(3)?, row.int(4)?);
        let texts = [row.text(5)?, row.text(6)?, row.text(7)?, row.text(8)?];
        entries
            .entry(row.array(0)?)
            .or_default()
            .extend(row::entry(numbers, texts));
    }
    for (id, entries) in entries {
        out.entry(id).or_default().ledger = Ledger::new(entries);
    }
    let sql = "SELECT person, COUNT(*), SUM(CASE WHEN returned = '' THEN 1 ELSE 0 END) FROM care_insurance_card \
               WHERE person > ? AND person <= ? GROUP BY person";
    for row in permit.rows(sql, range).await? {
        let known = out.entry(row.array(0)?).or_default();
        (known.cards, known.card_out) = (row.int(1)?, row.int(2)? > 0);
    }
    Ok(out)
}

/// The writes for one person; none when nothing changed.
fn statements(
    out: &mut Vec<Statement>,
    person: &PersonId,
    o: &Outcome,
    (before, why): (Option<&Known>, &str),
    now: Instant,
) {
    let same = before.is_some_and(|k| k.row == o.row);
    if same && o.touched.is_empty() {
        return;
    }
    let version = before.map_or(0, |k| k.version) + 1;
    let r = &o.row;
    let args: Vec<Value> = vec![
        person.bytes().into(),
        r.insured_number.as_str().into(),
        r.kanji.as_str().into(),
        r.kana.as_str().into(),
        r.kana_key.as_str().into(),
        r.birth.as_str().into(),
        r.sex.into(),
        r.postal.as_str().into(),
        r.address.as_str().into(),
        r.building.as_str().into(),
        r.address_key.as_str().into(),
        r.protected.into(),
        r.category.into(),
        r.since.as_str().into(),
        r.until.as_str().into(),
        r.due_age.as_str().into(),
        r.due_moved.as_str().into(),
        r.due_unknown.as_str().into(),
        r.question.as_str().into(),
        r.card_wait.into(),
        r.card_reason.as_str().into(),
        version.into(),
    ];
    // An officer who changed the person since the chunk was read wins: the statement then meets no row.
    out.push(Statement::expecting(
        format!(
            "INSERT INTO care_insurance_person ({INSURED}, version, batch) VALUES ({}'') ON CONFLICT (person) DO UPDATE SET {} \
             WHERE care_insurance_person.version = excluded.version - 1",
            "?, ".repeat(22),
            INSURED
                .split(", ")
                .skip(1)
                .chain(["version"])
                .map(|c| {
                    let c = c.trim();
                    format!("{c} = excluded.{c}")
                })
                .collect::<Vec<_>>()
                .join(", ")
        ),
        args,
        1,
        "care-insurance-version",
    ));
    for number in &o.touched {
        let entry = o.ledger.entries().iter().find(|e| e.number == *number);
        out.extend(entry.map(|e| row::write(person, e)));
    }
    if !o.touched.is_empty() {
        let at = now.office_text();
        let words = format!("{why}（資格{}件）", o.touched.len());
        out.push(row::event(
            person,
            version,
            &at,
            "資格の計算（自動）",
            &words,
        ));
    }
    if o.old_card {
        let number = before.map_or(0, |k| k.cards) + 1;
        out.push(row::card(person, number, "", "移行前の交付（想定）", ""));
    }
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
        if self.numbering.method == Method::Manual {
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
