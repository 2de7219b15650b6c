//! Writes a generation, compares it and puts it in force.

use std::collections::HashMap;

use mimamori_gate::{GateError, JobPermit, Statement, Value};
use mimamori_kernel::id::PersonId;
use mimamori_kernel::random::Random;

use super::progress::{Phase, Progress};
use super::sweep::TABLES;
use super::town::{Event, House, Latest, Person, Town};
use super::{ImportError, Outcome};

/// Persons of one chunk; its transaction stays short.
const CHUNK: usize = 250;
/// Rows of one insert; few sizes, so that prepared statements are found again.
const SIZES: [usize; 3] = [20, 4, 1];
/// The facts that an import keeps up; others (an objection to provision) stay as they are. Who is insured
/// stands in a new person's facts as the file says; from then on the derivation of the service decides it.
const KNOWN: i64 = 15;
/// RESIDENT and INSURED.
const PRESENT: i64 = 17;

const PERSON: &str = "residents_person (generation, person, address_number, household_number, kanji, kana, alias, alias_kana, \
    kanji_key, kana_key, alias_key, sex, birth, foreigner, namesakes, relation, status, status_day, insured, insured_number, \
    special_address, protected, phone, postal, address, building, address_key)";
const HISTORY: &str = "residents_history (generation, person, number, reason, event_day, notified_day, postal, address, building, moved_to)";
const HOUSEHOLD: &str =
    "residents_household (generation, household_number, person, address, founded, ended)";
const FACT: &str = "residents_fact (generation, person, mask)";
const NUMBER: &str = "residents_number (address_number, person, generation)";
const SUBJECT: &str = "gate_subject (person, mask, version)";

/// The room's tables as an import sees them.
pub(super) struct Store<'a> {
    pub(super) permit: &'a JobPermit,
    pub(super) in_force: i64,
    pub(super) next: i64,
    /// Changes on the screen when the import began.
    pub(super) changes: i64,
}

/// Multi-row inserts of a few fixed sizes.
fn insert(out: &mut Vec<Statement>, into: &str, rows: Vec<Vec<Value>>, end: &str) {
    let mut rows = rows.into_iter();
    while let Some(width) = rows.as_slice().first().map(Vec::len) {
        let size = SIZES.into_iter().find(|s| *s <= rows.len()).unwrap_or(1);
        let one = format!("({})", vec!["?"; width].join(","));
        let sql = format!(
            "INSERT INTO {into} VALUES {}{end}",
            vec![one; size].join(",")
        );
        out.push(Statement::new(
            sql,
            rows.by_ref().take(size).flatten().collect(),
        ));
    }
}

impl<'a> Store<'a> {
    /// Looks which generation is in force.
    pub async fn open(permit: &'a JobPermit) -> Result<Self, ImportError> {
        let rows = permit
            .rows(
                "SELECT generation FROM residents_state WHERE one = 1",
                vec![],
            )
            .await?;
        let in_force = rows
            .first()
            .map_or(Ok(0), |r| r.int(0))
            .map_err(GateError::from)?;
        let mut next = in_force + 1;
        for (table, _) in TABLES {
            let rows = permit
                .rows(&format!("SELECT MAX(generation) FROM {table}"), vec![])
                .await?;
            let most = rows
                .first()
                .map_or(Ok(None), |r| r.opt_int(0))
                .map_err(GateError::from)?;
            next = next.max(most.unwrap_or(0) + 1);
        }
        let rows = permit
            .rows("SELECT COUNT(*) FROM residents_change", vec![])
            .await?;
        let changes = rows
            .first()
            .map_or(Ok(0), |r| r.int(0))
            .map_err(GateError::from)?;
        Ok(Self {
            permit,
            in_force,
            next,
            changes,
        })
    }

    /// The persons in force by 宛名番号.
    pub async fn known(&self) -> Result<HashMap<String, PersonId>, ImportError> {
        let sql = "SELECT person, address_number FROM residents_person WHERE generation = ? AND person > ? ORDER BY person LIMIT 2000";
        let (mut out, mut from) = (HashMap::new(), vec![]);
        loop {
            let rows = self
                .permit
                .rows(sql, vec![self.in_force.into(), Value::Bytes(from)])
                .await?;
            let Some(last) = rows.last() else {
                return Ok(out);
            };
            from = last.bytes(0).map_err(GateError::from)?.to_vec();
            for row in &rows {
                let person = PersonId::from_bytes(row.array(0).map_err(GateError::from)?);
                out.insert(row.text(1).map_err(GateError::from)?.to_owned(), person);
            }
        }
    }

    /// Every 宛名番号 that ever came in, with its person: who comes back is the same person, and
    /// his chain of looks goes on.
    pub async fn numbers(&self) -> Result<HashMap<String, PersonId>, ImportError> {
        let sql = "SELECT person, address_number FROM residents_number WHERE address_number > ? \
                   ORDER BY address_number LIMIT 2000";
        let (mut out, mut from) = (HashMap::new(), String::new());
        loop {
            let rows = self.permit.rows(sql, vec![from.clone().into()]).await?;
            if rows.is_empty() {
                return Ok(out);
            }
            for row in &rows {
                let person = PersonId::from_bytes(row.array(0).map_err(GateError::from)?);
                row.text(1).map_err(GateError::from)?.clone_into(&mut from);
                out.insert(from.clone(), person);
            }
        }
    }

    /// Writes the new generation, but what stands of it already; whether somebody in force is not in it.
    pub async fn stage(
        &self,
        town: Town,
        known: HashMap<String, PersonId>,
        numbers: HashMap<String, PersonId>,
        random: &dyn Random,
        progress: &Progress,
    ) -> Result<bool, ImportError> {
        progress.begin(
            Phase::Staging,
            u64::try_from(town.people.len()).unwrap_or(0),
        );
        let mut ids = HashMap::with_capacity(town.people.len());
        let mut reused = 0;
        let mut people: Vec<(PersonId, bool, Person)> = Vec::with_capacity(town.people.len());
        for person in town.people {
            let old = numbers.get(&person.address_number).copied();
            reused += usize::from(known.contains_key(&person.address_number));
            let id = old.unwrap_or_else(|| PersonId::random(random));
            ids.insert(person.address_number.clone(), id);
            people.push((id, old.is_none(), person));
        }
        let staged = self.staged().await?;
        people.retain(|p| !staged.contains(&p.0));
        // In the order of the key, so that the tables grow at their end.
        people.sort_unstable_by_key(|p| p.0);
        let mut done = u64::try_from(staged.len()).unwrap_or(0);
        progress.reached(done);
        let mut people = people.into_iter();
        while people.len() > 0 {
            let mut rows = [vec![], vec![], vec![], vec![], vec![]];
            for (id, fresh, person) in people.by_ref().take(CHUNK) {
                let mask = person.latest.mask();
                rows[2].push(vec![self.next.into(), id.bytes().into(), mask.into()]);
                if fresh {
                    rows[3].push(vec![id.bytes().into(), mask.into(), 1i64.into()]);
                    let number = person.address_number.clone();
                    rows[4].push(vec![number.into(), id.bytes().into(), self.next.into()]);
                }
                let mut events = person.events;
                events.sort_unstable_by_key(|e| e.number);
                rows[1].extend(events.into_iter().map(|e| self.event(id, e)));
                rows[0].push(self.person(id, person.address_number, person.latest));
                done += 1;
            }
            let mut steps = vec![];
            for (rows, (into, end)) in rows.into_iter().zip([
                (PERSON, ""),
                (HISTORY, ""),
                (FACT, ""),
                (SUBJECT, " ON CONFLICT (person) DO NOTHING"),
                (NUMBER, ""),
            ]) {
                insert(&mut steps, into, rows, end);
            }
            self.permit.stage(steps).await?;
            progress.reached(done);
            tokio::task::yield_now().await;
        }
        let staged = self.houses(self.next).await?;
        let mut houses = town.houses;
        houses.retain(|h| !staged.contains(&h.number));
        let mut houses = houses.into_iter();
        while houses.len() > 0 {
            let rows = houses
                .by_ref()
                .take(4 * CHUNK)
                .filter_map(|h| Some(self.household(*ids.get(&h.head)?, h)))
                .collect();
            let mut steps = vec![];
            insert(&mut steps, HOUSEHOLD, rows, "");
            self.permit.stage(steps).await?;
            tokio::task::yield_now().await;
        }
        Ok(reused < known.len())
    }

    fn person(&self, id: PersonId, address_number: String, p: Latest) -> Vec<Value> {
        let protection = p.protection();
        vec![
            self.next.into(),
            id.bytes().into(),
            address_number.into(),
            p.household_number.into(),
            p.kanji.into(),
            p.kana.into(),
            p.alias.into(),
            p.alias_kana.into(),
            p.kanji_key.into(),
            p.kana_key.into(),
            p.alias_key.into(),
            p.sex.into(),
            p.birth.into(),
            p.foreigner.into(),
            p.namesakes.into(),
            p.relation.into(),
            p.status.into(),
            p.status_day.into(),
            p.insured.into(),
            p.insured_number.into(),
            p.special.into(),
            protection.into(),
            p.phone.into(),
            p.postal.into(),
            p.address.into(),
            p.building.into(),
            p.address_key.into(),
        ]
    }

    fn event(&self, id: PersonId, e: Event) -> Vec<Value> {
        vec![
            self.next.into(),
            id.bytes().into(),
            e.number.into(),
            e.reason.into(),
            e.event_day.into(),
            e.notified_day.into(),
            e.postal.into(),
            e.address.into(),
            e.building.into(),
            e.moved_to.into(),
        ]
    }

    fn household(&self, id: PersonId, h: House) -> Vec<Value> {
        vec![
            self.next.into(),
            h.number.into(),
            id.bytes().into(),
            h.address.into(),
            h.founded.into(),
            h.ended.into(),
        ]
    }

    /// Compares what was written with what was read.
    pub async fn reconcile(&self, read: &Outcome) -> Result<(), ImportError> {
        let checks = [
            ("住民", read.persons, "residents_person WHERE"),
            ("異動履歴", read.rows, "residents_history WHERE"),
            ("世帯", read.households, "residents_household WHERE"),
            ("判定用の事実", read.persons, "residents_fact WHERE"),
            (
                "被保険者",
                read.insured,
                "residents_person WHERE insured = 1 AND",
            ),
            (
                "支援措置の対象者",
                read.protected,
                "residents_person WHERE protected = 1 AND",
            ),
        ];
        for (what, expected, from) in checks {
            let rows = self
                .permit
                .rows(
                    &format!("SELECT COUNT(*) FROM {from} generation = ?"),
                    vec![self.next.into()],
                )
                .await?;
            let found = rows
                .first()
                .map_or(Ok(0), |r| r.int(0))
                .map_err(GateError::from)?;
            let found = u64::try_from(found).unwrap_or(0);
            if found != expected {
                return Err(ImportError::Totals {
                    what,
                    expected,
                    found,
                });
            }
        }
        Ok(())
    }

    /// Puts the new generation in force with one line of the trace; `kept` are the writes of
    /// changes on the screen. A change that was made since the import began stops the flip.
    pub async fn flip(
        &mut self,
        o: &Outcome,
        absent: bool,
        kept: Vec<Statement>,
    ) -> Result<u64, ImportError> {
        let (old, new) = (self.in_force, self.next);
        let text = format!(
            "住民データの取込み 第{new}世代: 住民{}人、異動履歴{}件、世帯{}件、被保険者{}人、世帯員{}人、死亡{}人、転出{}人、支援措置{}人",
            o.persons,
            o.rows,
            o.households,
            o.insured,
            o.members,
            o.deceased,
            o.moved_out,
            o.protected
        );
        let mut steps = vec![Statement::expecting(
            "UPDATE residents_state SET generation = ? WHERE one = 1 AND generation = ? \
             AND (SELECT COUNT(*) FROM residents_change) = ?",
            vec![new.into(), old.into(), self.changes.into()],
            1,
            "residents-generation",
        )];
        steps.extend(self.changed_facts().await?);
        if absent {
            steps.extend(self.absent_facts().await?);
        }
        let touches = steps.len() > 1;
        steps.extend(kept);
        let line = self.permit.change(&text, steps, touches).await?;
        self.in_force = new;
        Ok(line)
    }

    /// Updates for persons whose facts the new generation changes. They are found before the flip,
    /// so that its transaction touches few rows and page lines hardly wait.
    async fn changed_facts(&self) -> Result<Vec<Statement>, ImportError> {
        let sql = format!(
            "SELECT f.person, f.mask FROM residents_fact f JOIN gate_subject s ON s.person = f.person \
             WHERE f.generation = ? AND f.person > ? AND (f.mask & {KNOWN}) <> (s.mask & {KNOWN}) ORDER BY f.person LIMIT 2000"
        );
        let update = format!(
            "UPDATE gate_subject SET mask = mask - (mask & {KNOWN}) + ?, version = version + 1 WHERE person = ?"
        );
        let mut out = vec![];
        let mut from = vec![];
        loop {
            let rows = self
                .permit
                .rows(&sql, vec![self.next.into(), Value::Bytes(from)])
                .await?;
            let Some(last) = rows.last() else {
                return Ok(out);
            };
            from = last.bytes(0).map_err(GateError::from)?.to_vec();
            for row in &rows {
                let person = row.bytes(0).map_err(GateError::from)?;
                let mask = row.int(1).map_err(GateError::from)?;
                out.push(Statement::new(
                    update.clone(),
                    vec![(mask & KNOWN).into(), person.into()],
                ));
            }
        }
    }

    /// Updates for persons in force who are not in the new generation: neither resident nor insured.
    async fn absent_facts(&self) -> Result<Vec<Statement>, ImportError> {
        let sql = format!(
            "SELECT f.person FROM residents_fact f JOIN gate_subject s ON s.person = f.person \
             WHERE f.generation = ? AND f.person > ? AND (s.mask & {PRESENT}) <> 0 AND NOT EXISTS \
             (SELECT 1 FROM residents_fact n WHERE n.generation = ? AND n.person = f.person) ORDER BY f.person LIMIT 2000"
        );
        let update = format!(
            "UPDATE gate_subject SET mask = mask - (mask & {PRESENT}), version = version + 1 WHERE person = ?"
        );
        let mut out = vec![];
        let mut from = vec![];
        loop {
            let args = vec![self.in_force.into(), Value::Bytes(from), self.next.into()];
            let rows = self.permit.rows(&sql, args).await?;
            let Some(last) = rows.last() else {
                return Ok(out);
            };
            from = last.bytes(0).map_err(GateError::from)?.to_vec();
            for row in &rows {
                let person = row.bytes(0).map_err(GateError::from)?;
                out.push(Statement::new(update.clone(), vec![person.into()]));
            }
        }
    }
}
