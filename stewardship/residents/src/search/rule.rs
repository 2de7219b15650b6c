use mimamori_gate::{Class, Condition, Found, Value};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::date::PartialDate;

use super::form::Criteria;

/// A kept search of a session.
#[derive(Clone)]
pub(crate) struct Search {
    pub criteria: Criteria,
    pub reason: String,
    pub at: Instant,
    /// Who matched when the first page was asked for.
    pub found: Option<Found>,
}

/// First text after all that begin with `prefix`, in byte order.
fn after(prefix: &str) -> String {
    format!("{prefix}\u{10FFFF}")
}

fn escaped(text: &str) -> String {
    let inner: String = text
        .chars()
        .flat_map(|c| {
            if matches!(c, '%' | '_' | '\\') {
                vec!['\\', c]
            } else {
                vec![c]
            }
        })
        .collect();
    format!("%{inner}%")
}

/// Two index ranges instead of an OR, which would make the engine walk a whole index.
const BY_KANA: &str = "p.person IN (\
    SELECT k.person FROM residents_person k WHERE k.generation = (SELECT generation FROM residents_state WHERE one = 1) \
      AND k.kana_key >= ? AND k.kana_key < ? \
    UNION SELECT k.person FROM residents_person k WHERE k.generation = (SELECT generation FROM residents_state WHERE one = 1) \
      AND k.alias_key >= ? AND k.alias_key < ?)";
/// The same for the two kinds of numbers.
const BY_NUMBER: &str = "p.person IN (\
    SELECT k.person FROM residents_person k WHERE k.generation = (SELECT generation FROM residents_state WHERE one = 1) \
      AND k.insured_number = ? \
    UNION SELECT k.person FROM residents_person k WHERE k.generation = (SELECT generation FROM residents_state WHERE one = 1) \
      AND k.address_number = ?)";

/// Range of stored texts that a birth date may stand as; unknown parts match what is known.
fn births(date: PartialDate) -> (&'static str, Vec<Value>) {
    let (y, m) = (date.year(), date.month());
    if date.day() != 0 {
        return (
            "p.birth IN (?, ?, ?)",
            vec![
                date.to_iso().into(),
                format!("{y:04}-{m:02}-00").into(),
                format!("{y:04}-00-00").into(),
            ],
        );
    }
    let prefix = if m == 0 {
        format!("{y:04}-")
    } else {
        format!("{y:04}-{m:02}-")
    };
    (
        "(p.birth >= ? AND p.birth < ? OR p.birth = ?)",
        vec![
            prefix.as_str().into(),
            after(&prefix).into(),
            format!("{y:04}-00-00").into(),
        ],
    )
}

impl Search {
    /// The conditions, each with the class of its field.
    pub(crate) fn conditions(&self) -> Vec<Condition> {
        let c = &self.criteria;
        let mut out = Vec::new();
        let mut add = |class, sql, args| out.push(Condition { class, sql, args });
        if let Some(kana) = &c.kana {
            let (from, until): (Value, Value) = (kana.as_str().into(), after(kana).into());
            add(
                Class::Identity,
                BY_KANA,
                vec![from.clone(), until.clone(), from, until],
            );
        }
        if let Some(kanji) = &c.kanji {
            add(
                Class::Identity,
                "p.kanji_key >= ? AND p.kanji_key < ?",
                vec![kanji.as_str().into(), after(kanji).into()],
            );
        }
        if let Some(birth) = c.birth {
            let (sql, args) = births(birth);
            add(Class::Identity, sql, args);
        }
        if let Some(sex) = c.sex {
            add(Class::Identity, "p.sex = ?", vec![sex.into()]);
        }
        if let Some(address) = &c.address {
            add(
                Class::Address,
                "p.address_key LIKE ? ESCAPE '\\'",
                vec![escaped(address).into()],
            );
        }
        if let Some(phone) = &c.phone {
            add(
                Class::Contact,
                "REPLACE(p.phone, '-', '') LIKE ? ESCAPE '\\'",
                vec![escaped(phone).into()],
            );
        }
        if let Some(number) = &c.number {
            let (insured, person) = (format!("{number:0>10}"), format!("{number:0>15}"));
            if number.len() <= 10 {
                add(
                    Class::Insurance,
                    BY_NUMBER,
                    vec![insured.into(), person.into()],
                );
            } else {
                add(Class::Identity, "p.address_number = ?", vec![person.into()]);
            }
        }
        out
    }

    /// The terms for the sealed part of the line.
    pub(crate) fn terms(&self) -> String {
        let c = &self.criteria;
        let mut out = vec![format!("受付={}", self.reason)];
        let mut add = |name: &str, value: &Option<String>| {
            out.extend(value.iter().map(|v| format!("{name}={v}")))
        };
        add("カナ", &c.kana);
        add("漢字", &c.kanji);
        add("住所", &c.address);
        add("電話", &c.phone);
        add("番号", &c.number);
        add("生年月日", &c.birth.map(|b| b.to_iso()));
        add("性別", &c.sex.map(|s| s.to_string()));
        out.join(" ")
    }
}
