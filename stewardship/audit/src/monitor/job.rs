//! The job: reads new lines, asks the rules day by day, writes alerts and one line of its own.
//!
//! It shows nobody anything. Names and addresses are compared inside it and kept nowhere: an alert
//! holds the officer's account, the day and the person's token (docs/decisions: audit room).

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::ToSpan as _;
use jiff::civil::Date;
use mimamori_gate::{Facts, GateError, JobPermit, Row, Statement};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::error::Coded;
use mimamori_kernel::fold::address_key;
use mimamori_kernel::id::PersonId;
use mimamori_kernel::random::Random;
use mimamori_trace::Trace;

use super::rule::{
    Actor, Finding, Known, Look, Officer, People, Subject, block_of, family_of, judge,
};
use super::rules::Rules;

/// Rows read at once.
const TAKE: i64 = 4_000;
/// Alerts that nobody has judged as they stand; a run only adds to them.
const TO_ANSWER: &str = "SELECT COUNT(*) FROM audit_alert WHERE state IN ('open', 'again')";

/// Why a run failed; nothing was written then.
#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    /// Refused, or below the gate.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// A row does not have the shape that was asked for.
    #[error("点検で読んだ内容の形が正しくありません")]
    Shape,
}

impl Coded for MonitorError {
    fn code(&self) -> &'static str {
        match self {
            Self::Gate(e) => e.code(),
            Self::Shape => "AUDIT-SHAPE",
        }
    }
    fn advice(&self) -> &'static str {
        match self {
            Self::Gate(e) => e.advice(),
            Self::Shape => "システム管理者に連絡してください。次の点検で同じ行からやり直します。",
        }
    }
}

/// What a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Looks judged.
    pub looks: usize,
    /// Office days judged, today included.
    pub days: usize,
    /// Findings; those of earlier runs over the same days included.
    pub findings: usize,
    /// Users who are no citizens and not stopped.
    pub officers: usize,
    /// Officers whose own 宛名番号 is entered.
    pub linked: usize,
    /// Entered numbers that nobody in the register has.
    pub unknown: usize,
    /// Alerts that are new, and answered ones that had to be opened again.
    pub new: i64,
    /// The run's own line.
    pub line: u64,
}

fn shape<T>(value: Result<T, impl std::error::Error>) -> Result<T, MonitorError> {
    value.map_err(|_| MonitorError::Shape)
}

fn int(rows: &[Row]) -> Result<i64, MonitorError> {
    shape(rows.first().ok_or(MonitorError::Shape)?.int(0))
}

/// Runs the rules over the lines since the last run; today's lines are judged again next time.
///
/// Errors: [`MonitorError`]; nothing was written then.
pub async fn run(
    permit: &JobPermit,
    trace: &Trace,
    rules: &Rules,
    random: &dyn Random,
    now: Instant,
) -> Result<Outcome, MonitorError> {
    let state = permit
        .rows("SELECT from_line FROM audit_state WHERE one = 1", vec![])
        .await?;
    let from = int(&state)?;
    let (mut looks, end) = read_looks(permit, from).await?;
    let (people, links) = read_people(permit, trace, &looks).await?;
    read_cases(permit, trace, &mut looks).await?;
    let today = now.office_day();
    let mut days: BTreeMap<Date, Vec<Look>> = BTreeMap::new();
    let count = looks.len();
    for look in looks {
        days.entry(look.time.office_day()).or_default().push(look);
    }
    let findings: Vec<Finding> = days
        .iter()
        .flat_map(|(day, looks)| judge(rules, *day, *day < today, looks, &people))
        .collect();
    // What is left for the next run: the first line of a day that is not over.
    let next = days
        .range(today..)
        .flat_map(|(_, looks)| looks.iter().map(|l| l.line))
        .min()
        .and_then(|line| i64::try_from(line).ok())
        .unwrap_or(end + 1);
    let before = int(&permit.rows(TO_ANSWER, vec![]).await?)?;
    let due = today.saturating_add(rules.answer_within_days.days());
    let mut statements: Vec<Statement> = findings
        .iter()
        .map(|f| alert(f, rules, random, now, due))
        .collect();
    statements.push(Statement::new(
        "UPDATE audit_state SET from_line = ?, run_at = ?, officers = ?, linked = ?, unknown = ? WHERE one = 1 AND from_line <= ?",
        vec![
            next.into(),
            now.0.into(),
            links.officers.into(),
            links.linked.into(),
            links.unknown.into(),
            next.into(),
        ],
    ));
    let words = format!(
        "rules={} days={} looks={count} findings={} linked={} unknown={}",
        rules.version,
        days.len(),
        findings.len(),
        links.linked,
        links.unknown,
    );
    let line = permit.change(&words, statements, false).await?;
    let after = permit.rows(TO_ANSWER, vec![]).await?;
    Ok(Outcome {
        looks: count,
        days: days.len(),
        findings: findings.len(),
        officers: count_of(links.officers),
        linked: count_of(links.linked),
        unknown: count_of(links.unknown),
        new: int(&after)? - before,
        line,
    })
}

/// Enters an alert, or brings it up to date. One that was answered is opened again (`again`, with a new day to answer
/// by) when there are more looks than those the answer was about; its answers stay in `audit_answer`.
fn alert(f: &Finding, rules: &Rules, random: &dyn Random, now: Instant, due: Date) -> Statement {
    let mut id = [0u8; 16];
    random.fill(&mut id);
    let line = |n: Option<&u64>| n.map_or(0, |n| i64::try_from(*n).unwrap_or(i64::MAX));
    let lines: Vec<String> = f.lines.iter().map(u64::to_string).collect();
    Statement::new(
        "INSERT INTO audit_alert (id, kind, actor, day, subject, looks, first_line, last_line, lines, rules, found_at, due, state) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open') ON CONFLICT (kind, actor, day, subject) DO UPDATE SET \
         looks = excluded.looks, first_line = excluded.first_line, last_line = excluded.last_line, lines = excluded.lines, \
         due = CASE WHEN audit_alert.state IN ('fine', 'incident') THEN excluded.due ELSE audit_alert.due END, \
         state = CASE WHEN audit_alert.state IN ('fine', 'incident') THEN 'again' ELSE audit_alert.state END \
         WHERE audit_alert.state IN ('open', 'again', 'inquiry') \
         OR excluded.last_line > audit_alert.last_line OR excluded.looks > audit_alert.looks",
        vec![
            (&id).into(),
            f.kind.code().into(),
            (&f.actor).into(),
            f.day.to_string().into(),
            f.subject.map_or_else(Vec::new, |s| s.to_vec()).into(),
            i64::try_from(f.lines.len()).unwrap_or(i64::MAX).into(),
            line(f.lines.first()).into(),
            line(f.lines.last()).into(),
            lines.join(" ").into(),
            rules.version.as_str().into(),
            now.0.into(),
            due.to_string().into(),
        ],
    )
}

/// Allowed lines from `from` on that showed persons to officers, and the last of them.
async fn read_looks(permit: &JobPermit, from: i64) -> Result<(Vec<Look>, i64), MonitorError> {
    let (mut out, mut at) = (Vec::new(), from - 1);
    loop {
        let rows = permit
            .rows(
                "SELECT line, time, actor, role, action, policy, tokens FROM trace_line WHERE line > ? AND decision = 1 \
                 AND purpose <> 'own' AND LENGTH(tokens) >= 32 ORDER BY line LIMIT ?",
                vec![at.into(), TAKE.into()],
            )
            .await?;
        for row in &rows {
            at = shape(row.int(0))?;
            let actor: Actor = shape(row.array(2))?;
            let action = shape(row.text(4))?;
            // The reviewers' own looks are answered for in the report, not by themselves.
            if actor == [0; 16] || action.starts_with("trace.") || action.starts_with("alert.") {
                continue;
            }
            let tokens = shape(row.bytes(6))?;
            out.push(Look {
                line: u64::try_from(at).unwrap_or(0),
                time: Instant(shape(row.int(1))?),
                actor,
                role: shape(row.text(3))?.to_owned(),
                action: action.to_owned(),
                linked: shape(row.text(5))?.contains("case:"),
                subject: (!action.ends_with(".list"))
                    .then(|| Subject::try_from(tokens).ok())
                    .flatten(),
            });
        }
        if i64::try_from(rows.len()).unwrap_or(0) < TAKE {
            break;
        }
    }
    Ok((out, at))
}

/// How far officers are known as residents.
#[derive(Debug, Clone, Copy, Default)]
struct Links {
    officers: u32,
    linked: u32,
    unknown: u32,
}

fn count_of(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// Who declared a 宛名番号, and whether as the own one.
type Declared = HashMap<String, Vec<(Actor, bool)>>;

/// Officers with their names, and the numbers they declared.
async fn read_officers(
    permit: &JobPermit,
    people: &mut People,
) -> Result<(Declared, Links), MonitorError> {
    let mut links = Links::default();
    let rows = permit
        .rows(
            "SELECT u.id, u.name FROM identity_user u JOIN identity_org o ON o.id = u.org \
             WHERE o.kind <> 'citizens' AND u.active = 1",
            vec![],
        )
        .await?;
    for row in &rows {
        let officer = Officer {
            family: family_of(shape(row.text(1))?),
            ..Officer::default()
        };
        people.officers.insert(shape(row.array(0))?, officer);
        links.officers += 1;
    }
    let mut declared = Declared::new();
    let sql = "SELECT user_id, address_number, own FROM identity_resident";
    for row in &permit.rows(sql, vec![]).await? {
        let (actor, own): (Actor, bool) = (shape(row.array(0))?, shape(row.int(2))? == 1);
        // Who was stopped may have looked before: he is judged by what he declared.
        links.linked += u32::from(own && people.officers.contains_key(&actor));
        let number = shape(row.text(1))?.to_owned();
        declared.entry(number).or_default().push((actor, own));
    }
    Ok((declared, links))
}

/// Officers of the looks and persons opened, by what the register says of them.
async fn read_people(
    permit: &JobPermit,
    trace: &Trace,
    looks: &[Look],
) -> Result<(People, Links), MonitorError> {
    let opened: HashSet<Subject> = looks.iter().filter_map(|l| l.subject).collect();
    let mut people = People::default();
    let (mut declared, mut links) = read_officers(permit, &mut people).await?;
    let mut kept: HashMap<PersonId, PersonId> = HashMap::new();
    for row in &permit
        .rows("SELECT person, kept FROM gate_same", vec![])
        .await?
    {
        let ids = (shape(row.array(0))?, shape(row.array(1))?);
        kept.insert(PersonId::from_bytes(ids.0), PersonId::from_bytes(ids.1));
    }
    let mut after = vec![0u8; 0];
    loop {
        let rows = permit
            .rows(
                "SELECT p.person, p.kanji, p.address, s.mask, p.household_number, p.address_number \
                 FROM residents_person p JOIN gate_subject s \
                 ON s.person = p.person WHERE p.generation = (SELECT generation FROM residents_state WHERE one = 1) \
                 AND p.person > ? ORDER BY p.person LIMIT ?",
                vec![after.clone().into(), TAKE.into()],
            )
            .await?;
        for row in &rows {
            let person = PersonId::from_bytes(shape(row.array(0))?);
            let family = family_of(shape(row.text(1))?);
            *people.families.entry(family.clone()).or_default() += 1;
            people.persons += 1;
            let token = trace.token(kept.get(&person).unwrap_or(&person)).0;
            let declarers = declared.remove(shape(row.text(5))?).unwrap_or_default();
            if declarers.is_empty() && !opened.contains(&token) {
                continue;
            }
            let block = block_of(&address_key(shape(row.text(2))?));
            let household = shape(row.text(4))?.to_owned();
            for (actor, own) in declarers {
                let officer = people.officers.entry(actor).or_default();
                if own {
                    officer.own = Some(token);
                    (officer.family, officer.block) = (family.clone(), block.clone());
                    officer.household.clone_from(&household);
                } else {
                    officer.kin.insert(token);
                }
            }
            let protected = Facts(shape(row.int(3))?).has(Facts::PROTECTED);
            let known = Known {
                family,
                block,
                household,
                protected,
            };
            // The kept record tells where somebody lives; a merged one only whose it was.
            match kept.contains_key(&person) {
                true => drop(people.subjects.entry(token).or_insert(known)),
                false => drop(people.subjects.insert(token, known)),
            }
        }
        match rows.last() {
            Some(last) if i64::try_from(rows.len()).unwrap_or(0) == TAKE => {
                after = shape(last.bytes(0))?.to_vec();
            }
            _ => break,
        }
    }
    links.unknown = u32::try_from(declared.len()).unwrap_or(u32::MAX);
    Ok((people, links))
}

/// A note written after the look, on the same office day, links it too.
async fn read_cases(
    permit: &JobPermit,
    trace: &Trace,
    looks: &mut [Look],
) -> Result<(), MonitorError> {
    let day = |look: &Look| mimamori_gate::office_day_number(look.time);
    let unlinked = || looks.iter().filter(|l| l.subject.is_some() && !l.linked);
    let (Some(first), Some(last)) = (unlinked().map(day).min(), unlinked().map(day).max()) else {
        return Ok(());
    };
    let rows = permit
        .rows(
            "SELECT officer, day, person FROM gate_case WHERE day >= ? AND day <= ?",
            vec![first.into(), last.into()],
        )
        .await?;
    let mut cases: HashSet<(Actor, i64, Subject)> = HashSet::new();
    for row in &rows {
        let person = PersonId::from_bytes(shape(row.array(2))?);
        cases.insert((
            shape(row.array(0))?,
            shape(row.int(1))?,
            trace.token(&person).0,
        ));
    }
    for look in looks.iter_mut() {
        if let Some(subject) = look.subject {
            look.linked |= cases.contains(&(look.actor, day(look), subject));
        }
    }
    Ok(())
}
