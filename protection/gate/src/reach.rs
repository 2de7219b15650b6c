//! Which tables a room's statements may name.
//!
//! A room writes its SQL itself; this keeps it inside its own tables. Statements are constants of
//! the rooms, never a visitor's words, so a reading of the words after `FROM`, `JOIN`, `INTO` and
//! `UPDATE` is enough: it guards against our own mistakes, not against an attacker.

use mimamori_storage::Statement;

use crate::decide::{Action, Gate};
use crate::error::GateError;

/// The tables of the gate that rooms keep up to date with their own changes.
const FACTS: [&str; 2] = ["gate_subject", "gate_case"];

/// Where rooms note what must stay erased after a restore ([`crate::erasure`]); they write it and never read it.
const ERASURES: &str = "backup_erasure";

/// Tables of one room.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    prefix: String,
    extracts: &'static [&'static str],
}

impl Gate {
    /// The reach of the room that declares `action`.
    pub(crate) fn reach(&self, action: Action) -> Result<Reach, GateError> {
        let room = self
            .rules()
            .room(action)
            .ok_or_else(|| GateError::Rules(format!("{} belongs to no room", action.code())))?;
        Ok(Reach {
            prefix: format!("{}_", room.name.replace('-', "_")),
            extracts: room.extracts,
        })
    }
}

/// The words after `FROM`, `JOIN`, `INTO` and `UPDATE` (not of `DO UPDATE SET`), and after a comma in a `FROM` list.
fn tables(sql: &str) -> Vec<&str> {
    let words: Vec<&str> = sql
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ','))
        .flat_map(|w| w.split_inclusive(','))
        .filter(|w| !w.is_empty())
        .collect();
    let heads = ["FROM", "JOIN", "INTO", "UPDATE"];
    words
        .windows(2)
        .filter(|pair| heads.contains(&pair[0].to_ascii_uppercase().as_str()))
        .map(|pair| pair[1].trim_end_matches(','))
        .filter(|word| !["SELECT", "SET"].contains(&word.to_ascii_uppercase().as_str()))
        .collect()
}

impl Reach {
    fn check(&self, sql: &str, more: &[&str]) -> Result<(), GateError> {
        for table in tables(sql) {
            if !(table.starts_with(&self.prefix) || more.contains(&table)) {
                return Err(GateError::Rules(format!(
                    "{table} is not a table of {}",
                    self.prefix.trim_end_matches('_')
                )));
            }
        }
        Ok(())
    }

    /// A query of the room's own tables alone.
    pub(crate) fn check_own(&self, sql: &str) -> Result<(), GateError> {
        self.check(sql, &[])?;
        self.check_read(sql)
    }

    /// A query may name the room's tables, its declared extracts and the facts.
    pub(crate) fn check_read(&self, sql: &str) -> Result<(), GateError> {
        let mut more = self.extracts.to_vec();
        more.extend(FACTS);
        self.check(sql, &more)?;
        match sql.trim_start().get(..6) {
            Some(head) if head.eq_ignore_ascii_case("SELECT") => Ok(()),
            _ => Err(GateError::Rules("only SELECT reads".into())),
        }
    }

    /// A write may change the room's tables and the facts; inside it, extracts may be read.
    pub(crate) fn check_write(&self, statements: &[Statement]) -> Result<(), GateError> {
        let mut more = self.extracts.to_vec();
        more.extend(FACTS);
        more.push(ERASURES);
        for statement in statements {
            self.check(&statement.sql, &more)?;
            let target = tables(&statement.sql).first().copied().unwrap_or_default();
            let shared = FACTS.contains(&target) || target == ERASURES;
            if !(target.starts_with(&self.prefix) || shared) {
                return Err(GateError::Rules(format!("{target} may not be written")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: fn() -> Reach = || Reach {
        prefix: "care_insurance_".into(),
        extracts: &["residents_person"],
    };

    #[test]
    fn a_room_reads_its_own_tables_and_declared_extracts_only() {
        let reach = ROOM();
        for good in [
            "SELECT a FROM care_insurance_card WHERE b = ?",
            "SELECT a FROM (SELECT b FROM care_insurance_card) c JOIN residents_person p ON p.person = c.b",
            "SELECT mask FROM gate_subject",
            "SELECT kind FROM gate_case",
        ] {
            assert!(reach.check_read(good).is_ok(), "{good}");
        }
        for bad in [
            "SELECT password FROM identity_user",
            "SELECT a FROM care_insurance_card WHERE b IN (SELECT id from identity_user)",
            "SELECT a FROM residents_history",
            "SELECT a FROM trace_line",
            "DELETE FROM care_insurance_card",
        ] {
            assert!(
                matches!(reach.check_read(bad), Err(GateError::Rules(_))),
                "{bad}"
            );
        }
    }

    #[test]
    fn what_is_shown_of_a_room_comes_from_its_own_tables() {
        let reach = ROOM();
        assert!(reach.check_own("SELECT a FROM care_insurance_card").is_ok());
        for bad in [
            "SELECT a FROM care_insurance_card c JOIN residents_person p ON p.person = c.b",
            "SELECT mask FROM gate_subject",
            "DELETE FROM care_insurance_card",
        ] {
            assert!(
                matches!(reach.check_own(bad), Err(GateError::Rules(_))),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_room_writes_its_own_tables_and_facts_only() {
        let reach = ROOM();
        let write = |sql: &str| reach.check_write(&[Statement::new(sql, vec![])]);
        for good in [
            "INSERT INTO care_insurance_card (a) VALUES (?) ON CONFLICT (a) DO UPDATE SET a = excluded.a",
            "UPDATE care_insurance_card SET a = 1 WHERE b = (SELECT MAX(person) FROM residents_person)",
            "DELETE FROM care_insurance_card WHERE a = ?",
            "UPDATE gate_subject SET mask = 1",
        ] {
            assert!(write(good).is_ok(), "{good}");
        }
        for bad in [
            "UPDATE residents_person SET kana = ''",
            "DELETE FROM identity_user",
            "INSERT INTO trace_line (line) VALUES (1)",
            "DROP TABLE care_insurance_card",
            "UPDATE care_insurance_card SET a = (SELECT password FROM identity_user)",
        ] {
            assert!(matches!(write(bad), Err(GateError::Rules(_))), "{bad}");
        }
    }
}
