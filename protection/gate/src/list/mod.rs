//! A permit for a search or a page of persons.

mod alike;

use std::sync::Arc;

use mimamori_identity::Visitor;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::PersonId;
use mimamori_storage::{Row, Statement, Value};
use mimamori_trace::{Act, Decision, Details, Ground, Scope, Shown};

use crate::class::{Class, Classes};
use crate::decide::{Action, Gate, Purpose};
use crate::error::{GateError, Refused};
use crate::facts::Facts;
use crate::hidden::{Field, Hidden, Record, Revealed};
use crate::out::{Stamp, on_screen, within_cap};
use crate::permit::{Reason, act, columns, record};

pub use alike::Alike;

/// One condition of a search over the table alias `p`, with the class of the field it looks at.
#[derive(Debug, Clone)]
pub struct Condition {
    /// Class of the field: persons whose class is withheld do not match.
    pub class: Class,
    /// SQL over `p.`, placeholders `?`.
    pub sql: &'static str,
    /// Its values.
    pub args: Vec<Value>,
}

/// A page of persons, before it is shown.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Persons and their records in order.
    pub rows: Vec<(PersonId, Record)>,
    /// More follow.
    pub more: bool,
    shown: Vec<Shown>,
}

/// Who matched a search, in order. Not shown to anyone before [`ListPermit::page`] looked again.
#[derive(Clone)]
pub struct Found {
    hits: Vec<PersonId>,
    capped: bool,
}

impl Found {
    /// Persons found; the cap when there are more.
    pub fn count(&self) -> u32 {
        u32::try_from(self.hits.len()).unwrap_or(u32::MAX)
    }

    /// Whether this person is among them.
    pub fn contains(&self, person: &PersonId) -> bool {
        self.hits.contains(person)
    }

    /// More matched than the cap.
    pub fn capped(&self) -> bool {
        self.capped
    }
}

/// What a role may find or see in lists: worked out once for each role, action and purpose.
#[derive(Debug)]
pub(crate) struct Plan {
    /// For each class the masks for which it may be seen.
    masks: Vec<(Class, Vec<i64>)>,
    policies: String,
    /// Set when no class of nobody could be seen.
    refused: Option<Refused>,
    /// Only a fresh verification is missing.
    late: bool,
}

/// The right to search or list once.
#[derive(Debug)]
#[must_use = "a permit that is not used leaves no line"]
pub struct ListPermit {
    gate: Gate,
    visitor: Visitor,
    action: Action,
    purpose: Purpose,
    ground: Ground,
    plan: Arc<Plan>,
}

/// A column that was asked for.
type Asked = (&'static str, Class);

/// Hits that are sorted at most; rooms refuse to list so many long before.
const MOST: u32 = 2000;

fn mask_list(masks: &[i64]) -> String {
    masks
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",")
}

impl Gate {
    fn plan(&self, visitor: &Visitor, action: Action, purpose: Purpose) -> Arc<Plan> {
        let key = self.question(visitor, action, purpose, Class::Technical, Facts::default());
        let contract = action
            .classes()
            .iter()
            .filter(|c| {
                self.question(visitor, action, purpose, **c, Facts::default())
                    .in_contract
            })
            .fold(0, |bits, c| bits | Classes::of(&[*c]).bits());
        self.known_plan((key, visitor.scope.read, contract), || {
            let (mut masks, mut policies, mut refusals) = (Vec::new(), Vec::new(), Vec::new());
            let mut late = false;
            for class in action.classes() {
                let mut open = Vec::new();
                for mask in Facts::EVERY {
                    let question = self.question(visitor, action, purpose, *class, Facts(mask));
                    let answer = self.decide(question);
                    if answer.allowed {
                        open.push(mask);
                        policies.extend(answer.policies.iter().cloned());
                    } else if mask == Facts::RESIDENT {
                        late |= self.too_late(question);
                        refusals.push(self.refusal(&answer));
                    }
                }
                masks.push((*class, open));
            }
            policies.sort();
            policies.dedup();
            let nothing = masks.iter().all(|(_, open)| open.is_empty());
            Plan {
                masks,
                policies: policies.join(","),
                refused: nothing.then(|| self.merge(&refusals)),
                late: nothing && late,
            }
        })
    }

    /// Asks to search or list; refused when no class of nobody could be seen.
    pub async fn list(
        &self,
        visitor: &Visitor,
        action: Action,
        purpose: Purpose,
    ) -> Result<ListPermit, GateError> {
        let ground = self.trace.ground();
        let plan = self.plan(visitor, action, purpose);
        if let Some(refused) = &plan.refused {
            let line = Act {
                decision: Decision::Refused,
                classes: Classes::of(action.classes()).bits(),
                policy: refused.policy.clone(),
                ..act(visitor, action, purpose, ground)
            };
            self.trace.record(line).await?;
            return Err(match plan.late {
                true => GateError::StepUp,
                false => Self::told(visitor, refused.clone()),
            });
        }
        Ok(ListPermit {
            gate: self.clone(),
            visitor: visitor.clone(),
            action,
            purpose,
            ground,
            plan,
        })
    }
}

impl ListPermit {
    fn masks(&self, class: Class) -> &[i64] {
        self.plan
            .masks
            .iter()
            .find(|(c, _)| *c == class)
            .map_or(&[], |(_, m)| m)
    }

    /// The conditions as SQL: a person matches on a field only where that field may be seen.
    /// Whether facts (alias `s`) are asked: only where a field is withheld from somebody.
    fn matching(&self, base: &str, conditions: &[Condition]) -> (String, Vec<Value>, bool) {
        // Who was merged into another record is found under the kept one only.
        let base = format!("{base} AND p.person NOT IN (SELECT person FROM gate_same)");
        let (mut sql, mut args) = (base, Vec::new());
        let mut facts = false;
        for condition in conditions {
            let open = self.masks(condition.class);
            if open.is_empty() {
                sql.push_str(" AND 1 = 0");
            } else if open.len() == 64 {
                sql.push_str(&format!(" AND ({})", condition.sql));
                args.extend(condition.args.iter().cloned());
            } else {
                facts = true;
                sql.push_str(&format!(
                    " AND s.mask IN ({}) AND ({})",
                    mask_list(open),
                    condition.sql
                ));
                args.extend(condition.args.iter().cloned());
            }
        }
        (sql, args, facts)
    }

    /// The same as the source of a query over `table`; facts are joined only where they are asked.
    fn filter(&self, table: &str, base: &str, conditions: &[Condition]) -> (String, Vec<Value>) {
        let (matching, args, facts) = self.matching(base, conditions);
        let join = match facts {
            true => " JOIN gate_subject s ON s.person = p.person",
            false => "",
        };
        (format!("FROM {table} p{join} WHERE {matching}"), args)
    }

    /// Who matches, in the order of `order` (SQL over `p.`); `cap` persons at most. Nobody is shown.
    pub async fn find(
        &self,
        table: &'static str,
        base: &'static str,
        conditions: &[Condition],
        order: &'static str,
        cap: u32,
    ) -> Result<Found, GateError> {
        let (filter, mut args) = self.filter(table, base, conditions);
        args.push((cap + 1).into());
        // Found first, sorted afterwards: with both in one step the engine may walk the whole
        // index of the sort key. CROSS JOIN keeps the order of the two steps on SQLite.
        let sql = format!(
            "SELECT p.person FROM (SELECT p.person AS hit {filter} LIMIT ?) AS hits \
             CROSS JOIN {table} p WHERE p.person = hits.hit AND {base} ORDER BY {order}, p.person"
        );
        let rows = self.gate.db.fetch(&sql, args).await?;
        let mut hits = rows
            .iter()
            .map(|row| Ok(PersonId::from_bytes(row.array(0)?)))
            .collect::<Result<Vec<_>, GateError>>()?;
        let capped = hits.len() > cap as usize;
        hits.truncate(cap as usize);
        Ok(Found { hits, capped })
    }

    /// The persons from `skip` on, `limit` at most, of those found before. Everything is looked at
    /// again: who does not match any more, or may not be found any more, is left out.
    #[expect(clippy::too_many_arguments, reason = "one query, each part named")]
    pub async fn page(
        &self,
        search: &Self,
        found: &Found,
        table: &'static str,
        names: &[&'static str],
        base: &'static str,
        conditions: &[Condition],
        skip: u32,
        limit: u32,
    ) -> Result<Hidden<Listed>, GateError> {
        let hits = found.hits.get(skip as usize..).unwrap_or_default();
        let now = hits.get(..limit as usize).unwrap_or(hits);
        let Some(last) = now.last() else {
            return Ok(Hidden(Listed {
                rows: vec![],
                more: false,
                shown: vec![],
            }));
        };
        let (asked, head) = self.head(table, names)?;
        let (matching, mut args, _) = search.matching(base, conditions);
        // Always the same number of marks, so that one prepared statement serves every page.
        let marks = vec!["?"; limit as usize].join(",");
        let sql = format!(
            "SELECT {head} FROM {table} p JOIN gate_subject s ON s.person = p.person \
             WHERE p.person IN ({marks}) AND {matching}"
        );
        let mut all: Vec<Value> = now.iter().map(|p| p.bytes().into()).collect();
        all.resize(limit as usize, last.bytes().into());
        all.append(&mut args);
        let rows = self.gate.db.fetch(&sql, all).await?;
        let mut listed = self.listed(&asked, names, rows, hits.len() > now.len())?;
        let place = |person: &PersonId| now.iter().position(|p| p == person);
        listed.rows.sort_by_key(|(person, _)| place(person));
        listed.shown.sort_by_key(|shown| place(&shown.person));
        Ok(Hidden(listed))
    }

    /// One page: `limit` persons from `skip` on, in the order of `order` (SQL over `p.`).
    /// Persons are found with the rights of `search` and shown with the rights of this permit.
    #[expect(clippy::too_many_arguments, reason = "one query, each part named")]
    pub async fn fetch(
        &self,
        search: &Self,
        table: &'static str,
        names: &[&'static str],
        base: &'static str,
        conditions: &[Condition],
        order: &'static str,
        skip: u32,
        limit: u32,
    ) -> Result<Hidden<Listed>, GateError> {
        let (asked, head) = self.head(table, names)?;
        let (filter, mut args) = search.filter(table, base, conditions);
        args.extend([Value::from(MOST), Value::from(limit + 1), Value::from(skip)]);
        // As in `find`.
        let sql = format!(
            "SELECT {head} FROM (SELECT p.person AS hit {filter} LIMIT ?) AS hits \
             CROSS JOIN {table} p CROSS JOIN gate_subject s WHERE p.person = hits.hit AND s.person = hits.hit AND {base} \
             ORDER BY {order}, p.person LIMIT ? OFFSET ?"
        );
        let mut rows = self.gate.db.fetch(&sql, args).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        Ok(Hidden(self.listed(&asked, names, rows, more)?))
    }

    /// The columns asked with their classes, and the SQL that fetches what may be seen.
    fn head(&self, table: &str, names: &[&'static str]) -> Result<(Vec<Asked>, String), GateError> {
        let asked = columns(&self.gate, table, names)?;
        let list: Vec<String> = asked
            .iter()
            .filter_map(|(name, class)| match self.masks(*class) {
                _ if *class == Class::Technical => Some(format!("p.{name}")),
                [] => None,
                all if all.len() == 64 => Some(format!("p.{name}")),
                some => Some(format!(
                    "CASE WHEN s.mask IN ({}) THEN p.{name} END",
                    mask_list(some)
                )),
            })
            .collect();
        let head = std::iter::once("p.person, s.mask, s.version".to_owned())
            .chain(list)
            .collect::<Vec<_>>()
            .join(", ");
        Ok((asked, head))
    }

    /// Rows as records: withheld where the person's facts withhold.
    fn listed(
        &self,
        asked: &[Asked],
        names: &[&'static str],
        rows: Vec<Row>,
        more: bool,
    ) -> Result<Listed, GateError> {
        let names = Arc::new(names.to_vec());
        let (mut out, mut shown) = (
            Vec::with_capacity(rows.len()),
            Vec::with_capacity(rows.len()),
        );
        for row in rows {
            let person = PersonId::from_bytes(row.array(0)?);
            let (mask, version) = (row.int(1)?, row.int(2)?);
            let mut fetched = row.0.into_iter().skip(3);
            let fields = asked.iter().map(|(_, class)| {
                let open = self.masks(*class);
                let value = (*class == Class::Technical || !open.is_empty())
                    .then(|| fetched.next())
                    .flatten();
                match value {
                    Some(value) if *class == Class::Technical || open.contains(&mask) => {
                        Field::Shown(value)
                    }
                    _ => Field::Withheld(*class),
                }
            });
            out.push((person, record(&names, fields)));
            shown.push(Shown {
                person,
                token: self.gate.trace.token(&person),
                version,
            });
        }
        Ok(Listed {
            rows: out,
            more,
            shown,
        })
    }

    /// Opens a list for paper or a file: one line with everyone on it, the reason sealed, and the
    /// room's own record of it.
    ///
    /// Errors: [`GateError::Rules`] when the action is no way out, [`GateError::TooMany`] over its cap,
    /// [`GateError::Refused`] beyond what the visitor may take out in a day, and when the room records something that
    /// the visitor's own scope lets him only read.
    pub async fn take_out(
        self,
        page: Hidden<Listed>,
        reason: Reason,
        changes: Vec<Statement>,
        at: Instant,
    ) -> Result<(Revealed<Listed>, Stamp), GateError> {
        let persons = u32::try_from(page.0.shown.len()).unwrap_or(u32::MAX);
        within_cap(self.action, persons)?;
        let closed = match changes.is_empty() {
            true => None,
            false => self
                .gate
                .unwritable(&self.visitor, self.action, self.purpose),
        };
        if let Some(refused) = closed {
            let line = Act {
                decision: Decision::Refused,
                policy: refused.policy.clone(),
                ..self.line()
            };
            self.gate.trace.record(line).await?;
            return Err(GateError::Refused(refused));
        }
        self.gate.reach(self.action)?.check_write(&changes)?;
        let line = Act {
            shown: page.0.shown.clone(),
            details: Some(Details {
                scope: Scope::SearchMonth(at),
                text: reason.0,
            }),
            changes,
            ..self.line()
        };
        let stamp = self
            .gate
            .record_out(&self.visitor, line, persons, at)
            .await?;
        Ok((Revealed::new(page.0, stamp.line), stamp))
    }

    /// Writes one line that names everyone on the page, then opens it.
    ///
    /// Errors: [`GateError::Rules`] for a way out, which needs [`Self::take_out`].
    pub async fn reveal(self, page: Hidden<Listed>) -> Result<Revealed<Listed>, GateError> {
        on_screen(self.action)?;
        let mut line = self.line();
        line.shown.clone_from(&page.0.shown);
        let receipt = self.gate.trace.record(line).await?;
        Ok(Revealed::new(page.0, receipt.line()))
    }

    /// Writes the line of a search: who asked what, sealed under the month's key. Nothing is shown.
    pub async fn searched(self, terms: String, at: Instant) -> Result<u64, GateError> {
        let mut line = self.line();
        line.details = Some(Details {
            scope: Scope::SearchMonth(at),
            text: terms,
        });
        Ok(self.gate.trace.record(line).await?.line())
    }

    fn line(&self) -> Act {
        let open: Vec<Class> = self
            .plan
            .masks
            .iter()
            .filter(|(_, m)| !m.is_empty())
            .map(|(c, _)| *c)
            .collect();
        Act {
            classes: Classes::of(&open).bits(),
            policy: self.plan.policies.clone(),
            ..act(&self.visitor, self.action, self.purpose, self.ground)
        }
    }
}
