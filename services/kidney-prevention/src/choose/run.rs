//! A trial of a rule set over a year's health checks (選定の試行), and the list that comes of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use mimamori_gate::{GateError, JobPermit, Row, Statement, Value};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::UserId;
use serde::{Deserialize, Serialize};

use super::rule::{by, one};
use crate::checkup::{Outcome, Sex, Test, best};
use crate::egfr::Basis;
use crate::error::KidneyError;
use crate::selection::{
    Candidate, Clinic, DryRun, Exclusion, Judgement, Missing, Step, Verdict, dry_run,
};

/// Statements of one transaction.
const CHUNK: usize = 1000;
/// Persons of one read.
const READ: i64 = 5000;

/// Results of a trial, in the order of lists: code and words.
pub(crate) const VERDICTS: [(&str, &str); 10] = [
    ("selected", "対象"),
    ("undetermined-kidney", "判定不能（腎機能なし）"),
    ("undetermined-protein", "判定不能（尿蛋白なし）"),
    ("undetermined-glucose", "判定不能（血糖なし）"),
    ("undetermined-treatment", "判定不能（治療状況なし）"),
    ("excluded", "除外"),
    ("no-kidney", "対象外（腎機能）"),
    ("no-glucose", "対象外（血糖）"),
    ("no-treatment", "対象外（治療中でない）"),
    ("no-age", "対象外（年齢）"),
];

/// The words of a result.
pub(crate) fn verdict_words(code: &str) -> &'static str {
    VERDICTS.iter().find(|v| v.0 == code).map_or("—", |v| v.1)
}

fn code(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Selected => "selected",
        Verdict::Undetermined(Missing::Kidney) => "undetermined-kidney",
        Verdict::Undetermined(Missing::Protein) => "undetermined-protein",
        Verdict::Undetermined(Missing::Glucose) => "undetermined-glucose",
        Verdict::Undetermined(Missing::Treatment) => "undetermined-treatment",
        Verdict::Excluded(_) | Verdict::NotSelected(Step::Exclusion) => "excluded",
        Verdict::NotSelected(Step::Kidney) => "no-kidney",
        Verdict::NotSelected(Step::Glucose) => "no-glucose",
        Verdict::NotSelected(Step::Treatment) => "no-treatment",
        Verdict::NotSelected(Step::Age) => "no-age",
    }
}

/// Counts of a trial as they are kept.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Counts {
    pub total: u64,
    /// Step, entered, yes, no, unknown.
    pub steps: Vec<(String, [u64; 4])>,
    /// By code of the result.
    pub verdicts: BTreeMap<String, u64>,
    /// By id of the exclusion.
    pub exclusions: BTreeMap<String, u64>,
}

impl Counts {
    fn of(run: &DryRun) -> Self {
        let mut verdicts = BTreeMap::new();
        for judgement in &run.judgements {
            *verdicts
                .entry(code(&judgement.verdict).to_owned())
                .or_default() += 1;
        }
        let step = |c: &crate::selection::Count| {
            (
                c.step.japanese().to_owned(),
                [c.entered, c.yes, c.no, c.unknown],
            )
        };
        Self {
            total: run.total,
            steps: run.steps.iter().map(step).collect(),
            verdicts,
            exclusions: run
                .exclusions
                .iter()
                .map(|(e, n)| (e.id().to_owned(), *n))
                .collect(),
        }
    }
}

type Id = [u8; 16];

/// What lists show of a person, as the register has it.
struct Shown(Vec<Value>);

/// Everyone with a health check in the year, and what the register says of them.
async fn candidates(
    permit: &JobPermit,
    year: i16,
    until: Date,
) -> Result<(Vec<Candidate>, HashMap<Id, Shown>), KidneyError> {
    let mut checks: BTreeMap<Id, (Date, String)> = BTreeMap::new();
    let sql = "SELECT person, day, results FROM kidney_prevention_checkup WHERE year = ? AND taken = 1 ORDER BY person, day";
    for row in permit.rows(sql, vec![i64::from(year).into()]).await? {
        let day = row.text(1)?.parse().map_err(|_| KidneyError::Kept)?;
        // In the order of days: the newest of the year stays.
        checks.insert(row.array(0)?, (day, row.text(2)?.to_owned()));
    }
    let clinics = clinics(permit).await?;
    let marks = marks(permit).await?;
    let (mut out, mut shown) = (vec![], HashMap::new());
    let sql = "SELECT person, kanji, kana, kana_key, birth, sex, postal, address, building, address_key, phone, \
               protected, status FROM residents_person WHERE generation = (SELECT generation FROM residents_state WHERE \
               one = 1) AND person > ? ORDER BY person LIMIT ?";
    let mut last: Vec<u8> = vec![];
    loop {
        let rows = permit
            .rows(sql, vec![Value::from(last.clone()), READ.into()])
            .await?;
        for row in &rows {
            let id: Id = row.array(0)?;
            let Some((day, results)) = checks.remove(&id) else {
                continue;
            };
            if let Some(candidate) = candidate(
                row,
                (day, &results),
                clinics.get(&id),
                marks.get(&id),
                until,
            )? {
                shown.insert(id, Shown(row.0[1..12].to_vec()));
                out.push(candidate);
            }
        }
        match rows.last() {
            Some(row) if i64::try_from(rows.len()).unwrap_or(READ) == READ => {
                last = row.bytes(0)?.to_vec()
            }
            _ => return Ok((out, shown)),
        }
    }
}

fn hex_of(id: &Id) -> String {
    hex::encode(id)
}

fn candidate(
    row: &Row,
    (day, results): (Date, &str),
    clinic: Option<&Clinic>,
    marks: Option<&BTreeSet<Exclusion>>,
    until: Date,
) -> Result<Option<Candidate>, KidneyError> {
    let Ok(birth) = row.text(4)?.parse() else {
        return Ok(None);
    };
    let mut marks = marks.cloned().unwrap_or_default();
    if row.int(12)? != 1 {
        marks.insert(Exclusion::LostQualification);
    }
    if row.int(11)? != 0 {
        marks.insert(Exclusion::Protected);
    }
    Ok(Some(Candidate {
        person: hex_of(&row.array(0)?),
        sex: if row.int(5)? == 2 {
            Sex::Woman
        } else {
            Sex::Man
        },
        birth,
        day,
        results: serde_json::from_str(results)?,
        clinic: clinic.cloned(),
        marks,
        until,
    }))
}

/// The newest report of each family doctor.
async fn clinics(permit: &JobPermit) -> Result<HashMap<Id, Clinic>, KidneyError> {
    let sql = "SELECT person, day, treated, results FROM kidney_prevention_doctor ORDER BY person, day, number";
    let mut out = HashMap::new();
    for row in permit.rows(sql, vec![]).await? {
        let treated = match row.int(2)? {
            1 => Some(true),
            0 => Some(false),
            _ => None,
        };
        let day = row.text(1)?.parse().map_err(|_| KidneyError::Kept)?;
        out.insert(
            row.array(0)?,
            Clinic {
                day,
                treated,
                results: serde_json::from_str(row.text(3)?)?,
            },
        );
    }
    Ok(out)
}

async fn marks(permit: &JobPermit) -> Result<HashMap<Id, BTreeSet<Exclusion>>, KidneyError> {
    let mut out: HashMap<Id, BTreeSet<Exclusion>> = HashMap::new();
    for row in permit
        .rows(
            "SELECT person, exclusion FROM kidney_prevention_mark",
            vec![],
        )
        .await?
    {
        out.entry(row.array(0)?)
            .or_default()
            .extend(Exclusion::of(row.text(1)?));
    }
    Ok(out)
}

/// Tries a rule version over the health checks of a fiscal year; gives the number of the trial.
///
/// What lists show is that of the newest trial; who is already in the programme stays in it.
///
/// # Errors
/// [`KidneyError`].
pub async fn try_rule(
    permit: &JobPermit,
    rule: i64,
    year: i16,
    until: Date,
    who: (Option<UserId>, &str),
    at: Instant,
) -> Result<i64, KidneyError> {
    let version = one(permit, rule).await?;
    let (candidates, shown) = candidates(permit, year, until).await?;
    let (run, outcomes) = tokio::task::spawn_blocking(move || {
        let run = dry_run(&version.rule, &candidates);
        let a1c = candidates
            .iter()
            .map(|c| (c.person.clone(), (c.day, hba1c(c))))
            .collect::<HashMap<_, _>>();
        (run, a1c)
    })
    .await
    .map_err(|_| KidneyError::Kept)?;
    let rows = permit
        .rows(
            "SELECT COALESCE(MAX(number), 0) + 1 FROM kidney_prevention_run",
            vec![],
        )
        .await?;
    let number: i64 = rows.first().map_or(Ok(1), |r| r.int(0))?;
    let mut steps = vec![];
    for judgement in &run.judgements {
        let id: Id = hex::decode(&judgement.person)
            .ok()
            .and_then(|b| b.try_into().ok())
            .ok_or(KidneyError::Kept)?;
        if let (Some(person), Some((day, a1c))) = (shown.get(&id), outcomes.get(&judgement.person))
        {
            steps.push(judged(number, &id, person, judgement, (*day, a1c))?);
        }
    }
    while !steps.is_empty() {
        let rest = steps.split_off(steps.len().min(CHUNK));
        permit.stage(std::mem::replace(&mut steps, rest)).await?;
    }
    let head = Statement::new(
        "INSERT INTO kidney_prevention_run (number, rule, year, until_day, state, counts, made_by, made_name, made_at, \
         decided_name, decided_at) VALUES (?, ?, ?, ?, 'trial', ?, ?, ?, ?, '', '')",
        vec![
            number.into(),
            rule.into(),
            i64::from(year).into(),
            until.to_string().into(),
            serde_json::to_string(&Counts::of(&run))?.into(),
            by(who.0),
            who.1.into(),
            at.office_text().into(),
        ],
    );
    // Who was judged before and is in no programme leaves no copy here.
    let clear = Statement::new(
        "DELETE FROM kidney_prevention_person WHERE run <> ? AND stage = ''",
        vec![number.into()],
    );
    permit
        .change(
            &format!("選定の試行 {number} {}人", run.total),
            vec![head, clear],
            false,
        )
        .await?;
    Ok(number)
}

fn hba1c(candidate: &Candidate) -> String {
    match best(&candidate.results, Test::Hba1c) {
        Some(Outcome::Amount { amount, .. }) => format!("{amount:.1}"),
        _ => String::new(),
    }
}

fn judged(
    run: i64,
    id: &Id,
    person: &Shown,
    judgement: &Judgement,
    (day, a1c): (Date, &str),
) -> Result<Statement, KidneyError> {
    let reasons: Vec<_> = judgement
        .steps
        .iter()
        .map(|s| format!("{}: {}", s.step.japanese(), s.reason))
        .collect();
    let egfr = judgement.egfr.map_or_else(String::new, |e| match e.basis {
        Basis::Reported => format!("{}", e.value),
        Basis::Calculated { .. } => format!("{:.1}（計算）", (e.value * 10.0).floor() / 10.0),
    });
    let mut args: Vec<Value> = vec![id.into()];
    args.extend(person.0.iter().cloned());
    args.extend([
        run.into(),
        day.to_string().into(),
        code(&judgement.verdict).into(),
        serde_json::to_string(&reasons)?.into(),
        a1c.into(),
        egfr.into(),
    ]);
    Ok(Statement::new(
        "INSERT INTO kidney_prevention_person (person, kanji, kana, kana_key, birth, sex, postal, address, building, \
         address_key, phone, protected, run, day, verdict, reasons, hba1c, egfr, chosen, stage, version) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', 1) \
         ON CONFLICT (person) DO UPDATE SET kanji = excluded.kanji, kana = excluded.kana, kana_key = excluded.kana_key, \
         birth = excluded.birth, sex = excluded.sex, postal = excluded.postal, address = excluded.address, \
         building = excluded.building, address_key = excluded.address_key, phone = excluded.phone, \
         protected = excluded.protected, run = excluded.run, day = excluded.day, verdict = excluded.verdict, \
         reasons = excluded.reasons, hba1c = excluded.hba1c, egfr = excluded.egfr, \
         version = kidney_prevention_person.version + 1",
        args,
    ))
}

/// One trial as kept.
pub(super) struct Run {
    pub number: i64,
    pub rule: i64,
    pub year: i64,
    pub until: String,
    pub state: String,
    pub counts: Counts,
    pub made_by: Option<Vec<u8>>,
    pub made: String,
    pub decided: String,
}

const SQL: &str = "SELECT number, rule, year, until_day, state, counts, made_by, made_name, made_at, decided_name, \
                   decided_at FROM kidney_prevention_run";

fn kept(row: &Row) -> Result<Run, KidneyError> {
    let made_by = match row.0.get(6) {
        Some(Value::Bytes(bytes)) => Some(bytes.clone()),
        _ => None,
    };
    Ok(Run {
        number: row.int(0)?,
        rule: row.int(1)?,
        year: row.int(2)?,
        until: row.text(3)?.to_owned(),
        state: row.text(4)?.to_owned(),
        counts: serde_json::from_str(row.text(5)?)?,
        made_by,
        made: format!("{}　{}", row.text(8)?, row.text(7)?),
        decided: format!("{}　{}", row.text(10)?, row.text(9)?)
            .trim()
            .to_owned(),
    })
}

/// All trials, the newest first.
pub(super) async fn all(permit: &JobPermit) -> Result<Vec<Run>, KidneyError> {
    let rows = permit
        .rows(&format!("{SQL} ORDER BY number DESC LIMIT 200"), vec![])
        .await?;
    rows.iter().map(kept).collect()
}

/// One trial.
pub(super) async fn find(permit: &JobPermit, number: i64) -> Result<Run, KidneyError> {
    let rows = permit
        .rows(&format!("{SQL} WHERE number = ?"), vec![number.into()])
        .await?;
    kept(rows.first().ok_or(GateError::NotFound)?)
}

/// Approves the list of a trial: those who were selected enter the programme. Only the newest trial, with an approved
/// rule, by somebody who did not make it.
pub(super) async fn approve(
    permit: &JobPermit,
    number: i64,
    (user, name): (UserId, &str),
    at: Instant,
) -> Result<(), KidneyError> {
    let run = find(permit, number).await?;
    if run.made_by.as_deref() == Some(&user.bytes()[..]) {
        return Err(KidneyError::SamePerson);
    }
    if one(permit, run.rule).await?.state != "approved" {
        return Err(KidneyError::RuleOpen);
    }
    let decided = Statement::expecting(
        "UPDATE kidney_prevention_run SET state = 'approved', decided_name = ?, decided_at = ? WHERE number = ? \
         AND state = 'trial' AND number = (SELECT MAX(m.number) FROM kidney_prevention_run m)",
        vec![name.into(), at.office_text().into(), number.into()],
        1,
        "kidney-run",
    );
    if run.state != "trial"
        || all(permit)
            .await?
            .first()
            .is_none_or(|r| r.number != number)
    {
        return Err(KidneyError::Overtaken);
    }
    let enter = Statement::new(
        "UPDATE kidney_prevention_person SET chosen = ?, stage = 'listed', version = version + 1 WHERE run = ? AND verdict = 'selected' AND stage = ''",
        vec![number.into(), number.into()],
    );
    permit
        .change(
            &format!("対象者名簿の承認 選定{number}"),
            vec![decided, enter],
            false,
        )
        .await?;
    Ok(())
}
