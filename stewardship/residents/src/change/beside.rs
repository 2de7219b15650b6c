//! Who lives with a protected person, worked out again with every change that could alter it.

use mimamori_gate::{Facts, Statement, Value};
use mimamori_kernel::fold::address_key;

use super::item::Values;
use super::rule::Wish;
use super::store::Writer;
use crate::import::FACILITY;

const NOW: &str = "(SELECT generation FROM residents_state WHERE one = 1)";

/// Items that decide who lives with whom, and whether somebody is protected.
const DECIDING: [&str; 4] = ["household_number", "address", "status", "protected"];

/// Whether a wish can alter who lives with a protected person.
pub(super) fn concerns(wish: &Wish) -> bool {
    DECIDING.iter().any(|c| wish.items.contains_key(c))
}

impl Writer<'_> {
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
             AND n.address_key = residents_person.address_key) BETWEEN 1 AND {FACILITY}))"
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
