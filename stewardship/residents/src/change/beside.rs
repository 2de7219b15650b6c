//! Who lives with a protected person, worked out again with every change that could alter it.

use mimamori_gate::{Facts, Statement, Value};
use mimamori_kernel::fold::address_key;
use mimamori_kernel::id::PersonId;

use super::item::Values;
use super::rule::{Kind, Wish, differences};
use super::store::{STALE, Writer};
use crate::import::FACILITY;

const NOW: &str = "(SELECT generation FROM residents_state WHERE one = 1)";

/// Items that decide who lives with whom, and whether somebody is protected.
const DECIDING: [&str; 4] = ["household_number", "address", "status", "protected"];

/// Whether a wish can alter who lives with a protected person.
pub(super) fn concerns(wish: &Wish) -> bool {
    DECIDING.iter().any(|c| wish.items.contains_key(c))
}

/// The mark of the kept record of two: nobody loses the protection by a merge (S4-55).
pub(super) fn inherited(kept: &str, merged: &str) -> &'static str {
    match (kept, merged) {
        ("1", _) | (_, "1") => "1",
        ("2", _) | (_, "2") => "2",
        _ => "0",
    }
}

impl Writer<'_> {
    /// What the merge of `merged` brings to the kept record, `now`, whose mark becomes `mark`: the
    /// mark, the facts, and with measures of his own a row that outlives an import and the mark of
    /// everybody around. `was` is the mark of the merged record as it was looked at; another one by
    /// now is a conflict.
    pub fn inherit(
        &self,
        merged: &PersonId,
        now: &Values,
        (was, mark): (&str, &str),
        reason: &str,
    ) -> Vec<Statement> {
        let number = |text: &str| Value::from(text.parse::<i64>().unwrap_or(0));
        let before = now.get("protected").map_or("0", String::as_str);
        let set = format!(
            "UPDATE residents_person SET protected = ?, version = version + 1 WHERE generation = {NOW} AND person = ? \
             AND protected = ? AND EXISTS (SELECT 1 FROM residents_person m WHERE m.generation = residents_person.generation \
             AND m.person = ? AND m.protected = ?)"
        );
        let args = vec![
            number(mark),
            self.person.bytes().into(),
            number(before),
            merged.bytes().into(),
            number(was),
        ];
        let mut out = vec![Statement::expecting(set, args, 1, STALE)];
        if mark == "0" {
            return out;
        }
        let p = Facts::PROTECTED;
        for sql in [
            format!(
                "UPDATE residents_fact SET mask = mask + {p} WHERE generation = {NOW} AND (mask & {p}) = 0 AND person = ?"
            ),
            format!(
                "UPDATE gate_subject SET mask = mask + {p}, version = version + 1 WHERE (mask & {p}) = 0 AND person = ?"
            ),
        ] {
            out.push(Statement::new(sql, vec![self.person.bytes().into()]));
        }
        let wish = Wish {
            kind: Kind::Corrected,
            event_day: String::new(),
            notified_day: String::new(),
            moved_to: String::new(),
            elsewhere: String::new(),
            reason: format!("統合した記録から支援措置を引き継ぐ: {reason}"),
            items: Values::from([("protected", mark.to_owned())]),
        };
        if mark == "1" && before != "1" {
            let changes = differences(now, &wish.items);
            out.push(self.journal("支援措置", &wish, &changes, true));
        }
        out.extend(self.beside(now, &wish));
        out
    }

    /// Marks and unmarks, after the change itself, whoever shares the household or the address of
    /// before or after it: 2 beside a protected person, 0 when the last one has gone. The same rule as
    /// an import's (`Town::spread_protection`). `now` is the row before the change.
    ///
    /// The permit's own facts must be written before these statements, and the change must say that it touches facts.
    pub fn beside(&self, now: &Values, wish: &Wish) -> Vec<Statement> {
        if !concerns(wish) {
            return vec![];
        }
        // What the officer may not see he cannot change: it stands in the row as before.
        let before = |column: &str| now.get(column).map_or("", String::as_str);
        let own = || Value::from(self.person.bytes());
        let args: [Value; 4] = [
            before("household_number").into(),
            own(),
            address_key(before("address")).into(),
            own(),
        ];
        let p = Facts::PROTECTED;
        // Who is concerned: everybody of these households and addresses in force.
        let here = |column: &str| {
            format!(
                "(?, (SELECT o.{column} FROM residents_person o WHERE o.generation = {NOW} AND o.person = ?))"
            )
        };
        let around = format!(
            "SELECT a.person FROM residents_person a WHERE a.generation = {NOW} AND a.household_number <> '' \
             AND a.household_number IN {} UNION SELECT b.person FROM residents_person b WHERE b.generation = {NOW} \
             AND b.address_key <> '' AND b.address_key IN {}",
            here("household_number"),
            here("address_key")
        );
        let beside = format!(
            "(EXISTS (SELECT 1 FROM residents_person k WHERE k.generation = residents_person.generation AND k.protected = 1 \
             AND k.household_number = residents_person.household_number AND k.household_number <> '') \
             OR (EXISTS (SELECT 1 FROM residents_person k WHERE k.generation = residents_person.generation AND k.protected = 1 \
             AND k.address_key = residents_person.address_key AND k.address_key <> '') \
             AND (SELECT COUNT(*) FROM residents_person n WHERE n.generation = residents_person.generation AND n.status = 1 \
             AND n.address_key = residents_person.address_key) BETWEEN 1 AND {FACILITY}) \
             OR EXISTS (SELECT 1 FROM gate_same g JOIN residents_person m ON m.person = g.person WHERE g.kept = residents_person.person \
             AND m.generation = residents_person.generation AND m.protected <> 0))"
        );
        let marked = |mark: &str| {
            format!(
                "person IN (SELECT m.person FROM residents_person m WHERE m.generation = {NOW} AND m.protected {mark} 0 \
                 AND m.person IN ({around}))"
            )
        };
        [
            format!(
                "UPDATE residents_person SET protected = 2, version = version + 1 WHERE generation = {NOW} AND protected = 0 \
                 AND person IN ({around}) AND {beside}"
            ),
            format!(
                "UPDATE residents_person SET protected = 0, version = version + 1 WHERE generation = {NOW} AND protected = 2 \
                 AND person IN ({around}) AND NOT {beside}"
            ),
            format!(
                "UPDATE residents_fact SET mask = mask + {p} WHERE generation = {NOW} AND (mask & {p}) = 0 AND {}",
                marked("<>")
            ),
            format!(
                "UPDATE residents_fact SET mask = mask - {p} WHERE generation = {NOW} AND (mask & {p}) <> 0 AND {}",
                marked("=")
            ),
            format!(
                "UPDATE gate_subject SET mask = mask + {p}, version = version + 1 WHERE (mask & {p}) = 0 AND {}",
                marked("<>")
            ),
            format!(
                "UPDATE gate_subject SET mask = mask - {p}, version = version + 1 WHERE (mask & {p}) <> 0 AND {}",
                marked("=")
            ),
        ]
        .into_iter()
        .map(|sql| Statement::new(sql, args.to_vec()))
        .collect()
    }
}
