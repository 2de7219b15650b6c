//! From the bytes of a file to staged health checks, and from there to those in force.

use std::collections::HashMap;
use std::io::Cursor;

use jiff::civil::Date;
use mimamori_gate::{JobPermit, Row, Statement, Value};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::date::fiscal_year;
use sha2::{Digest as _, Sha256};

use super::matching::{Id, Register};
use crate::checkup::{
    Checkup, Codes, Defect, Layout, Limits, Read, Reason, gather, read_archive, read_document,
    read_mapped,
};
use crate::error::KidneyError;

/// Statements of one transaction.
const CHUNK: usize = 1000;

/// A file as it came in.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Its bytes: a ZIP archive, one CDA document, or CSV.
    pub bytes: Vec<u8>,
    /// When it came.
    pub at: Instant,
    /// Who sent it, as shown in lists.
    pub by: String,
}

/// What kind of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Archive,
    Document,
    Mapped,
}

impl Form {
    /// By its first bytes.
    fn of(bytes: &[u8]) -> Self {
        let text = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
        match text {
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Self::Archive,
            [b'<', ..] => Self::Document,
            _ => Self::Mapped,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Archive => "zip",
            Self::Document => "xml",
            Self::Mapped => "csv",
        }
    }
}

/// What a file gave.
struct Parsed {
    reads: Vec<Read>,
    /// What the file had beside health checks, in words.
    beside: Vec<String>,
}

fn parse(form: Form, bytes: &[u8], today: Date) -> Result<Parsed, KidneyError> {
    let codes = Codes::standard();
    let mut reads = vec![];
    let mut beside = vec![];
    match form {
        Form::Document => reads.push(read_document("文書", bytes, codes, today)),
        Form::Archive => {
            let archive = read_archive(Cursor::new(bytes), Limits::STANDARD, codes, today, |r| {
                reads.push(r)
            })?;
            if !archive.agrees() {
                beside.push(
                    "索引（ix08）か集計（su08）の件数が、健診結果の文書の数と合いません。".into(),
                );
            }
            beside.extend(
                archive
                    .others
                    .iter()
                    .map(|(what, n)| format!("{what} {n}件は読みません。")),
            );
        }
        Form::Mapped => {
            let mapped = read_mapped(bytes, &Layout::sample(codes)?, codes, today, |r| {
                reads.push(r)
            })?;
            let names: Vec<_> = mapped
                .unknown
                .iter()
                .map(|c| format!("列「{c}」は読みません。"))
                .collect();
            beside.extend(names);
        }
    }
    Ok(Parsed {
        reads: gather(reads),
        beside,
    })
}

/// One health check that can be staged.
struct Good {
    person: Id,
    checkup: Checkup,
    results: String,
    digest: String,
}

/// Reads a file, matches it to residents and stages what is good. Gives the number of the import; nothing of it counts
/// before [`accept`].
///
/// # Errors
/// [`KidneyError`]; nothing is staged when the file is not read at all.
pub async fn take_in(permit: &JobPermit, incoming: Incoming) -> Result<i64, KidneyError> {
    let Incoming { bytes, at, by } = incoming;
    let (form, today) = (Form::of(&bytes), at.office_day());
    let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let sum = hex::encode(Sha256::digest(&bytes));
    let parsed = tokio::task::spawn_blocking(move || parse(form, &bytes, today)).await;
    let Parsed { reads, beside } = parsed.map_err(|_| KidneyError::Kept)??;
    let register = Register::read(permit).await?;
    let known = known(permit).await?;
    let total = i64::try_from(reads.len()).unwrap_or(i64::MAX);
    let (good, defects) = sorted(reads, &register, &known)?;
    let number = next(
        permit,
        "SELECT COALESCE(MAX(number), 0) + 1 FROM kidney_prevention_import",
    )
    .await?;
    let count = i64::try_from(good.len()).unwrap_or(i64::MAX);
    let refused = i64::try_from(
        defects
            .iter()
            .filter(|(_, d)| d.reason.weight() == crate::checkup::Weight::Row)
            .map(|(p, _)| p)
            .collect::<std::collections::BTreeSet<_>>()
            .len(),
    )
    .unwrap_or(i64::MAX);
    let mut steps = good
        .into_iter()
        .map(|g| staged(number, g))
        .collect::<Vec<_>>();
    steps.extend((1i64..).zip(defects).map(|(n, (place, defect))| {
        Statement::new(
            "INSERT INTO kidney_prevention_defect (import, number, place, item, reason) VALUES (?, ?, ?, ?, ?)",
            vec![number.into(), n.into(), place.into(), defect.item.into(), defect.reason.code().into()],
        )
    }));
    while !steps.is_empty() {
        let rest = steps.split_off(steps.len().min(CHUNK));
        permit.stage(std::mem::replace(&mut steps, rest)).await?;
    }
    let head = Statement::new(
        "INSERT INTO kidney_prevention_import (number, made_at, made_name, form, sha256, bytes, state, read_rows, good, \
         refused, beside, decided_at, decided_name) VALUES (?, ?, ?, ?, ?, ?, 'waiting', ?, ?, ?, ?, '', '')",
        vec![
            number.into(),
            at.office_text().into(),
            by.into(),
            form.code().into(),
            sum.into(),
            size.into(),
            total.into(),
            count.into(),
            refused.into(),
            serde_json::to_string(&beside)?.into(),
        ],
    );
    let words = format!("健診結果の下見 取込{number} {total}件");
    permit.change(&words, vec![head], false).await?;
    Ok(number)
}

async fn next(permit: &JobPermit, sql: &str) -> Result<i64, KidneyError> {
    let rows = permit.rows(sql, vec![]).await?;
    Ok(rows.first().map_or(Ok(1), |r: &Row| r.int(0))?)
}

/// Digests of what is in force, by person and day.
async fn known(permit: &JobPermit) -> Result<HashMap<(Id, String), String>, KidneyError> {
    let sql = "SELECT person, day, digest FROM kidney_prevention_checkup WHERE taken = 1";
    let mut out = HashMap::new();
    for row in permit.rows(sql, vec![]).await? {
        out.insert(
            (row.array(0)?, row.text(1)?.to_owned()),
            row.text(2)?.to_owned(),
        );
    }
    Ok(out)
}

type Defects = Vec<(String, Defect)>;

/// Sorts what was read into health checks of known persons and what is wrong.
fn sorted(
    reads: Vec<Read>,
    register: &Register,
    known: &HashMap<(Id, String), String>,
) -> Result<(Vec<Good>, Defects), KidneyError> {
    let (mut good, mut defects): (Vec<Option<Good>>, Defects) = (vec![], vec![]);
    // Where the first health check of a person and day stands, in `good` and in the file.
    let mut seen: HashMap<(Id, String), (usize, String)> = HashMap::new();
    for read in reads {
        let place = read.place;
        defects.extend(read.defects.into_iter().map(|d| (place.clone(), d)));
        let Some(checkup) = read.checkup else {
            continue;
        };
        let mut refuse = |place: &str, item: &str, reason| {
            defects.push((place.into(), Defect::new(item, reason)))
        };
        let person = match register.find(&checkup) {
            Ok(person) => person,
            Err(reason) => {
                refuse(&place, "本人", reason);
                continue;
            }
        };
        let results = serde_json::to_string(&checkup.results)?;
        let digest = hex::encode(Sha256::digest(results.as_bytes()));
        let key = (person, checkup.day.to_string());
        match (known.get(&key), seen.get(&key)) {
            (Some(old), _) if *old == digest => refuse(&place, "行", Reason::Again),
            (Some(_), _) => refuse(&place, "行", Reason::Taken),
            // A row with a number and one without may be about the same person and day.
            (None, Some((at, first))) => match good.get_mut(*at).and_then(Option::take) {
                Some(same) if same.digest == digest => {
                    refuse(&place, "行", Reason::SameAgain);
                    good[*at] = Some(same);
                }
                Some(_) => {
                    refuse(first, "行", Reason::Repeated);
                    refuse(&place, "行", Reason::Repeated);
                }
                None => refuse(&place, "行", Reason::Repeated),
            },
            (None, None) => {
                seen.insert(key, (good.len(), place));
                good.push(Some(Good {
                    person,
                    checkup,
                    results,
                    digest,
                }));
            }
        }
    }
    Ok((good.into_iter().flatten().collect(), defects))
}

fn staged(import: i64, good: Good) -> Statement {
    let checkup = good.checkup;
    Statement::new(
        "INSERT INTO kidney_prevention_checkup (person, day, import, year, taken, facility, results, digest) \
         VALUES (?, ?, ?, ?, 0, ?, ?, ?)",
        vec![
            Value::from(&good.person),
            checkup.day.to_string().into(),
            import.into(),
            i64::from(fiscal_year(checkup.day)).into(),
            checkup.facility.unwrap_or_default().into(),
            good.results.into(),
            good.digest.into(),
        ],
    )
}

/// Takes a staged import in, or drops it.
///
/// # Errors
/// [`KidneyError::Overtaken`] when it was decided before.
pub async fn accept(
    permit: &JobPermit,
    number: i64,
    taken: bool,
    at: Instant,
    by: &str,
) -> Result<(), KidneyError> {
    let sql = "SELECT state FROM kidney_prevention_import WHERE number = ?";
    let rows = permit.rows(sql, vec![number.into()]).await?;
    match rows.first().map(|r| r.text(0)).transpose()? {
        Some("waiting") => {}
        Some(_) => return Err(KidneyError::Overtaken),
        None => return Err(mimamori_gate::GateError::NotFound.into()),
    }
    let (state, word) = if taken {
        ("taken", "取り込む")
    } else {
        ("dropped", "取りやめる")
    };
    let decided = Statement::expecting(
        "UPDATE kidney_prevention_import SET state = ?, decided_at = ?, decided_name = ? WHERE number = ? AND state = 'waiting'",
        vec![
            state.into(),
            at.office_text().into(),
            by.into(),
            number.into(),
        ],
        1,
        "kidney-import",
    );
    let rows = match taken {
        // What another import took in meanwhile stays as it is.
        true => Statement::new(
            "UPDATE kidney_prevention_checkup SET taken = 1 WHERE import = ? AND NOT EXISTS (SELECT 1 FROM \
             kidney_prevention_checkup o WHERE o.person = kidney_prevention_checkup.person AND \
             o.day = kidney_prevention_checkup.day AND o.taken = 1)",
            vec![number.into()],
        ),
        false => Statement::new(
            "DELETE FROM kidney_prevention_checkup WHERE import = ? AND taken = 0",
            vec![number.into()],
        ),
    };
    permit
        .change(
            &format!("健診結果の取込み 取込{number} {word}"),
            vec![decided, rows],
            false,
        )
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkup::{Measured, Outcome, Sex, Subject, Test};
    use jiff::civil::date;

    fn read(place: &str, answer: u8) -> Read {
        let subject = Subject {
            resident: Some("000000000000001".into()),
            kana: "ミマモリ".into(),
            birth: date(1955, 1, 2),
            sex: Sex::Woman,
            ticket: None,
        };
        let measured = Measured {
            code: "9N706000000000011".into(),
            outcome: Outcome::Choice(answer),
        };
        let results = [(Test::MedicationGlucose, vec![measured])].into();
        let checkup = Checkup {
            subject,
            day: date(2025, 6, 1),
            facility: None,
            results,
        };
        Read {
            place: place.into(),
            checkup: Some(checkup),
            defects: vec![],
        }
    }

    #[test]
    fn different_results_of_one_person_and_day_are_all_refused() {
        let register = Register::of("000000000000001", [1; 16], "1955-01-02", 2);
        let sort = |reads| sorted(reads, &register, &HashMap::new()).unwrap();
        let (good, defects) = sort(vec![read("2行目", 1), read("3行目", 1)]);
        assert_eq!((good.len(), defects[0].1.reason), (1, Reason::SameAgain));
        let (good, defects) = sort(vec![read("2行目", 1), read("3行目", 2), read("4行目", 1)]);
        let places: Vec<_> = defects
            .iter()
            .map(|(p, d)| (p.as_str(), d.reason))
            .collect();
        let all = ["2行目", "3行目", "4行目"].map(|p| (p, Reason::Repeated));
        assert!(good.is_empty());
        assert_eq!(places, all);
    }

    #[test]
    fn the_first_bytes_tell_what_a_file_is() {
        assert_eq!(Form::of(b"PK\x03\x04rest"), Form::Archive);
        assert_eq!(Form::of(b"\xef\xbb\xbf<?xml"), Form::Document);
        assert_eq!(Form::of(b"\"a\",b"), Form::Mapped);
        assert_eq!(Form::of(b""), Form::Mapped);
    }
}
