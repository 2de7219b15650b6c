//! What the gate knows of a person: a bit mask without names or dates, and relations.

use mimamori_kernel::id::{OrgId, PersonId};
use mimamori_storage::{Migration, Statement};

/// Bit mask of facts; at most 64 different ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Facts(pub i64);

impl Facts {
    /// Lives in the town.
    pub const RESIDENT: i64 = 1;
    /// Has died.
    pub const DECEASED: i64 = 2;
    /// Has moved out.
    pub const MOVED_OUT: i64 = 4;
    /// Support measures (支援措置) hold.
    pub const PROTECTED: i64 = 8;
    /// Insured person (被保険者), not only a household member.
    pub const INSURED: i64 = 16;
    /// Has opted out of being provided to institutions.
    pub const OPTED_OUT: i64 = 32;
    /// Every possible mask.
    pub const EVERY: std::ops::Range<i64> = 0..64;

    /// Whether all of `bits` hold.
    pub fn has(self, bits: i64) -> bool {
        self.0 & bits == bits
    }
}

/// Every column of the gate's tables: class, legal item name, retention, way of erasure.
pub const ITEMS: &str = include_str!("../items.toml");

/// Tables of the gate; read by the gate alone.
pub const MIGRATIONS: &[Migration] = &[FACTS, CASES, crate::same::SAME, crate::out::OUT];

const FACTS: Migration = Migration {
    id: "gate-0001",
    ddl: "
CREATE TABLE gate_subject (
  person {blob} NOT NULL PRIMARY KEY,
  mask {int} NOT NULL,
  version {int} NOT NULL) {clustered};
CREATE TABLE gate_relation (
  person {blob} NOT NULL,
  kind {text} NOT NULL,
  party {blob} NOT NULL,
  valid_from {int} NOT NULL,
  valid_until {int} NOT NULL,
  PRIMARY KEY (person, kind, party)) {clustered};
",
};

const CASES: Migration = Migration {
    id: "gate-0002",
    ddl: "
CREATE TABLE gate_case (
  officer {blob} NOT NULL,
  day {int} NOT NULL,
  person {blob} NOT NULL,
  kind {text} NOT NULL,
  PRIMARY KEY (officer, day, person)) {clustered};
",
};

/// The write that states a person's facts; belongs into the transaction that changes them.
pub fn subject_statement(person: &PersonId, facts: Facts) -> Statement {
    Statement::new(
        "INSERT INTO gate_subject (person, mask, version) VALUES (?, ?, 1) \
         ON CONFLICT (person) DO UPDATE SET mask = excluded.mask, version = gate_subject.version + 1",
        vec![person.bytes().into(), facts.0.into()],
    )
}

/// The same for a person who is being entered: refused when the person is there already.
pub(crate) fn first_subject_statement(person: &PersonId, facts: Facts) -> Statement {
    Statement::expecting(
        "INSERT INTO gate_subject (person, mask, version) VALUES (?, ?, 1) ON CONFLICT (person) DO NOTHING",
        vec![person.bytes().into(), facts.0.into()],
        1,
        "gate-subject",
    )
}

/// The write that states a care relation for office days (days since 1970) `from..until`.
pub fn relation_statement(
    person: &PersonId,
    kind: &str,
    party: &OrgId,
    from: i64,
    until: i64,
) -> Statement {
    Statement::new(
        "INSERT INTO gate_relation (person, kind, party, valid_from, valid_until) VALUES (?, ?, ?, ?, ?) \
         ON CONFLICT (person, kind, party) DO UPDATE SET valid_from = excluded.valid_from, valid_until = excluded.valid_until",
        vec![
            person.bytes().into(),
            kind.into(),
            party.bytes().into(),
            from.into(),
            until.into(),
        ],
    )
}
