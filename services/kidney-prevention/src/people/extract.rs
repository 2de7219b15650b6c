//! The table that may leave for the contractor (受渡しの抽出; S1-16 to S1-18): exactly the items of the grant, no column
//! more. Which items those are is the approved sheet's; who may take them out is the gate's.

use std::collections::{BTreeMap, BTreeSet};

use mimamori_gate::Record;
use mimamori_kernel::date::fiscal_year;

use super::record::outcome;
use crate::checkup::{Codes, Measured, Test};

/// Items of the sheet that this programme can fill, with their heading, in the order of the document.
pub const ITEMS: [(&str, &str); 19] = [
    ("name_kana", "氏名（カナ）"),
    ("name_kanji", "氏名（漢字）"),
    ("birth_date", "生年月日"),
    ("sex", "性別"),
    ("address", "住所"),
    ("phone", "電話番号"),
    ("email", "メールアドレス"),
    ("body_measurement", "身体測定結果"),
    ("blood_pressure", "血圧測定"),
    ("lipids", "脂質検査"),
    ("liver", "肝機能検査"),
    ("blood_glucose", "血糖検査"),
    ("urine", "尿検査"),
    ("anaemia", "貧血検査"),
    ("smoking", "喫煙"),
    ("kidney_function", "腎機能検査"),
    ("disease_names", "傷病名"),
    ("treatment_state", "治療状況"),
    ("guidance_instructions", "保健指導における指示事項"),
];

/// A table for a contractor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extract {
    /// Items of the grant that are in it, in the order of the document.
    pub items: Vec<&'static str>,
    /// Headings; the first is 受渡番号, which is no item of a person.
    pub head: Vec<String>,
    /// One row for each person.
    pub rows: Vec<Vec<String>>,
}

/// What one person's row is made of; fields that were withheld are none.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// 受渡番号: counted within the package.
    pub reference: String,
    /// Single values by item.
    pub values: BTreeMap<&'static str, String>,
    /// Results of the health check, and of the family doctor where it has none.
    pub results: BTreeMap<Test, Vec<Measured>>,
    /// Fiscal year of the results.
    pub year: i16,
}

/// Tests of an item, in the order of the table of codes.
fn tests(item: &str) -> Vec<Test> {
    Test::ALL
        .iter()
        .copied()
        .filter(|t| t.group().item() == Some(item))
        .collect()
}

/// The table of these items and no other.
///
/// # Errors
/// The ids that this programme cannot fill.
pub fn extract(granted: &BTreeSet<String>, sources: &[Source]) -> Result<Extract, Vec<String>> {
    let known = |id: &String| ITEMS.iter().any(|(item, _)| item == id);
    let unknown: Vec<String> = granted.iter().filter(|id| !known(id)).cloned().collect();
    if !unknown.is_empty() {
        return Err(unknown);
    }
    let items: Vec<(&'static str, &'static str)> = ITEMS
        .into_iter()
        .filter(|(id, _)| granted.contains(*id))
        .collect();
    let mut head = vec!["受渡番号".to_owned()];
    for (id, name) in &items {
        let of = tests(id);
        let own = !matches!(*id, "treatment_state" | "disease_names") && !of.is_empty();
        if !own {
            head.push((*name).to_owned());
        }
        head.extend(
            of.iter()
                .map(|t| format!("{name}　{}", Codes::standard().entry(*t).name)),
        );
    }
    let row = |source: &Source| {
        let mut row = vec![source.reference.clone()];
        for (id, _) in &items {
            let of = tests(id);
            if of.is_empty() || matches!(*id, "treatment_state" | "disease_names") {
                row.push(source.values.get(id).cloned().unwrap_or_default());
            }
            row.extend(of.iter().map(|t| {
                let first = source.results.get(t).and_then(|all| all.first());
                first.map_or_else(String::new, |m| outcome(*t, m, source.year))
            }));
        }
        row
    };
    Ok(Extract {
        items: items.iter().map(|(id, _)| *id).collect(),
        head,
        rows: sources.iter().map(row).collect(),
    })
}

impl Source {
    /// From revealed rows: the person, the newest health check, the newest report of the doctor. What was withheld
    /// stays empty.
    pub fn of(
        reference: String,
        person: &Record,
        check: Option<&Record>,
        doctor: Option<&Record>,
    ) -> Self {
        let word = |record: Option<&Record>, column: &str| {
            record.and_then(|r| r.text(column)).unwrap_or("").to_owned()
        };
        let own = |column| word(Some(person), column);
        let sex = match person.int("sex") {
            Some(1) => "男",
            Some(2) => "女",
            _ => "",
        };
        let treated = match doctor.and_then(|d| d.int("treated")) {
            Some(1) => "治療中",
            Some(0) => "治療していない",
            _ => "",
        };
        let address = format!("{} {}", own("address"), own("building"));
        let values = [
            ("name_kana", own("kana")),
            ("name_kanji", own("kanji")),
            ("birth_date", own("birth")),
            ("sex", sex.to_owned()),
            ("address", address.trim().to_owned()),
            ("phone", own("phone")),
            ("disease_names", word(doctor, "diseases")),
            ("treatment_state", treated.to_owned()),
            ("guidance_instructions", word(doctor, "instructions")),
        ];
        let read = |record| serde_json::from_str(&word(record, "results")).unwrap_or_default();
        let mut results: BTreeMap<Test, Vec<Measured>> = read(check);
        let theirs: BTreeMap<Test, Vec<Measured>> = read(doctor);
        for (test, measured) in theirs {
            results.entry(test).or_insert(measured);
        }
        let year = word(check, "day").parse().map_or(0, fiscal_year);
        Self {
            reference,
            values: values.into(),
            results,
            year,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkup::{Amount, Outcome};

    fn source() -> Source {
        let amount = |n| Outcome::Amount {
            amount: Amount::from_thousandths(n),
            limit: None,
        };
        let measured = |outcome| {
            vec![Measured {
                code: String::new(),
                outcome,
            }]
        };
        Source {
            reference: "000001".into(),
            values: [
                ("name_kana", "ミマモリ　ハナコ".to_owned()),
                ("phone", "0999-10-0001".to_owned()),
            ]
            .into(),
            results: [
                (Test::Hba1c, measured(amount(7400))),
                (Test::Metabolic, measured(Outcome::Choice(1))),
            ]
            .into(),
            year: 2025,
        }
    }

    fn granted(items: &[&str]) -> BTreeSet<String> {
        items.iter().map(|i| (*i).to_owned()).collect()
    }

    #[test]
    fn the_table_holds_the_granted_items_and_nothing_else() {
        let made = extract(&granted(&["blood_glucose", "name_kana"]), &[source()]).unwrap();
        assert_eq!(made.items, ["name_kana", "blood_glucose"]);
        assert_eq!(made.head[..2], ["受渡番号", "氏名（カナ）"]);
        assert!(made.rows[0].contains(&"7.4%".to_owned()) && made.rows[0].len() == made.head.len());
        let all = made.rows.concat().join("|");
        assert!(!all.contains("0999"), "a telephone number without its item");
    }

    #[test]
    fn an_item_that_is_taken_away_takes_its_columns_with_it() {
        let every = granted(&ITEMS.map(|(id, _)| id));
        let whole = extract(&every, &[source()]).unwrap();
        let mut less = every.clone();
        less.remove("email");
        let rest = extract(&less, &[source()]).unwrap();
        assert_eq!(whole.head.len(), rest.head.len() + 1);
        assert!(!rest.head.iter().any(|h| h.contains("メールアドレス")));
    }

    #[test]
    fn judgements_that_no_sheet_names_never_leave() {
        let every = granted(&ITEMS.map(|(id, _)| id));
        let whole = extract(&every, &[source()]).unwrap();
        assert!(
            !whole
                .head
                .iter()
                .any(|h| h.contains("メタボ") || h.contains("保健指導レベル"))
        );
        assert_eq!(
            extract(&granted(&["income"]), &[]),
            Err(vec!["income".to_owned()])
        );
    }
}
