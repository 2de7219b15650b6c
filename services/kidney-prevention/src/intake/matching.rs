//! Whose health check it is (本人の突合): by number where the file has one, otherwise by name, birth date and sex.

use std::collections::HashMap;

use mimamori_gate::{JobPermit, Row, Value};
use mimamori_kernel::fold::kana_key;

use crate::checkup::{Checkup, Reason, Sex};
use crate::error::KidneyError;

/// Persons of one read.
const CHUNK: i64 = 5000;

const REGISTER: &str = "SELECT person, address_number, kana_key, birth, sex FROM residents_person \
    WHERE generation = (SELECT generation FROM residents_state WHERE one = 1) \
    AND person NOT IN (SELECT person FROM gate_same) AND person > ? ORDER BY person LIMIT ?";

/// A person's id.
pub(super) type Id = [u8; 16];
/// Folded kana, birth date, sex.
type Name = (String, String, i64);

/// The register, as far as a health check can name somebody.
#[derive(Default)]
pub(super) struct Register {
    numbers: HashMap<String, (Id, String, i64)>,
    names: HashMap<Name, Vec<Id>>,
}

fn code(sex: Sex) -> i64 {
    match sex {
        Sex::Man => 1,
        Sex::Woman => 2,
    }
}

impl Register {
    /// Reads the register in force.
    pub async fn read(permit: &JobPermit) -> Result<Self, KidneyError> {
        let (mut register, mut last) = (Self::default(), vec![]);
        loop {
            let rows = permit
                .rows(REGISTER, vec![Value::from(last), CHUNK.into()])
                .await?;
            for row in &rows {
                register.add(row)?;
            }
            match rows.last() {
                Some(row) if rows.len() as i64 == CHUNK => last = row.bytes(0)?.to_vec(),
                _ => return Ok(register),
            }
        }
    }

    fn add(&mut self, row: &Row) -> Result<(), KidneyError> {
        let id: Id = row.array(0)?;
        let (birth, sex) = (row.text(3)?.to_owned(), row.int(4)?);
        self.numbers
            .insert(row.text(1)?.to_owned(), (id, birth.clone(), sex));
        self.names
            .entry((row.text(2)?.to_owned(), birth, sex))
            .or_default()
            .push(id);
        Ok(())
    }

    /// A register of one person.
    #[cfg(test)]
    pub fn of(number: &str, id: Id, birth: &str, sex: i64) -> Self {
        Self {
            numbers: [(number.to_owned(), (id, birth.to_owned(), sex))].into(),
            names: HashMap::new(),
        }
    }

    /// Who it is, or why nobody can say.
    pub fn find(&self, checkup: &Checkup) -> Result<Id, Reason> {
        let subject = &checkup.subject;
        let (birth, sex) = (subject.birth.to_string(), code(subject.sex));
        if let Some(number) = &subject.resident {
            // The number alone is not enough: a wrong one would give the results to somebody else.
            return match self.numbers.get(number) {
                Some((id, born, of)) if *born == birth && *of == sex => Ok(*id),
                _ => Err(Reason::Nobody),
            };
        }
        match self
            .names
            .get(&(kana_key(&subject.kana), birth, sex))
            .map(Vec::as_slice)
        {
            Some([id]) => Ok(*id),
            Some([_, _, ..]) => Err(Reason::Several),
            _ => Err(Reason::Nobody),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkup::Subject;
    use jiff::civil::date;

    fn checkup(resident: Option<&str>, kana: &str, birth: jiff::civil::Date) -> Checkup {
        let subject = Subject {
            resident: resident.map(str::to_owned),
            kana: kana.into(),
            birth,
            sex: Sex::Woman,
            ticket: None,
        };
        Checkup {
            subject,
            day: date(2025, 6, 1),
            facility: None,
            results: Default::default(),
        }
    }

    fn register() -> Register {
        let mut register = Register::default();
        for (n, number, kana) in [
            (1, "000000000000001", "ミマモリ　ハナコ"),
            (2, "000000000000002", "オナジ　ナマエ"),
            (3, "000000000000003", "オナジ　ナマエ"),
        ] {
            let row = Row(vec![
                Value::Bytes(vec![n; 16]),
                number.into(),
                kana_key(kana).into(),
                "1955-01-02".into(),
                2i64.into(),
            ]);
            register.add(&row).unwrap();
        }
        register
    }

    #[test]
    fn a_number_counts_only_with_its_birth_date() {
        let born = date(1955, 1, 2);
        let find = |resident, kana, birth| register().find(&checkup(resident, kana, birth));
        assert_eq!(
            find(Some("000000000000002"), "オナジ　ナマエ", born),
            Ok([2; 16])
        );
        assert_eq!(
            find(Some("000000000000002"), "オナジ　ナマエ", date(1955, 1, 3)),
            Err(Reason::Nobody)
        );
        assert_eq!(
            find(Some("000000000000009"), "ミマモリ　ハナコ", born),
            Err(Reason::Nobody)
        );
    }

    #[test]
    fn without_a_number_the_name_must_be_one_persons_alone() {
        let born = date(1955, 1, 2);
        let find = |kana, birth| register().find(&checkup(None, kana, birth));
        assert_eq!(find("ﾐﾏﾓﾘ ﾊﾅｺ", born), Ok([1; 16]));
        assert_eq!(find("オナジ　ナマエ", born), Err(Reason::Several));
        assert_eq!(
            find("ミマモリ　ハナコ", date(1955, 2, 1)),
            Err(Reason::Nobody)
        );
    }
}
