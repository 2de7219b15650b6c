//! Evaluation in the next year (事業の評価): before and after, in numbers and plots with a table beside each.

use std::collections::HashMap;

use axum::response::Response;
use jiff::civil::Date;
use mimamori_gate::JobPermit;
use mimamori_kernel::date::fiscal_year;

use crate::action;
use crate::checkup::{Amount, Measured, Outcome, Sex, Test, best};
use crate::egfr::judged;
use crate::error::{KidneyError, answer};
use crate::evaluation::{Followed, Measure, Plot, Point, Series, Summary, summary};
use crate::room::KidneyPrevention;
use crate::screen::{Cell, Desk, Page, Part, count, text};

type Id = [u8; 16];
/// Day, HbA1c (NGSP), eGFR of one health check.
type Check = (Date, Option<Amount>, Option<f64>);
/// Id, title, unit, and the value of a health check.
type Drawn = (
    &'static str,
    &'static str,
    &'static str,
    fn(&Check) -> Option<f64>,
);
type Results = std::collections::BTreeMap<Test, Vec<Measured>>;

/// Health checks of everybody in the programme, oldest first.
const CHECKS: &str = "SELECT c.person, c.day, c.results, p.birth, p.sex, p.stage FROM kidney_prevention_checkup c \
    JOIN kidney_prevention_person p ON p.person = c.person WHERE c.taken = 1 AND p.stage <> '' ORDER BY c.person, c.day";
const STARTS: &str = "SELECT person, MIN(from_day), SUM(CASE WHEN held_day <> '' THEN 1 ELSE 0 END) FROM \
    kidney_prevention_contact GROUP BY person";
const DOCTORS: &str = "SELECT person, MAX(day) FROM kidney_prevention_doctor GROUP BY person";
const REPLACED: &str =
    "SELECT person FROM kidney_prevention_mark WHERE exclusion = 'renal_replacement'";

struct Person {
    joined: bool,
    checks: Vec<Check>,
}

fn amount(results: &Results, test: Test) -> Option<Amount> {
    match best(results, test) {
        Some(Outcome::Amount { amount, .. }) => Some(amount),
        _ => None,
    }
}

async fn persons(permit: &JobPermit) -> Result<HashMap<Id, Person>, KidneyError> {
    let mut out: HashMap<Id, Person> = HashMap::new();
    for row in permit.rows(CHECKS, vec![]).await? {
        let day: Date = row.text(1)?.parse().map_err(|_| KidneyError::Kept)?;
        let results: Results = serde_json::from_str(row.text(2)?)?;
        let sex = if row.int(4)? == 2 {
            Sex::Woman
        } else {
            Sex::Man
        };
        let birth = row.text(3)?.parse();
        let egfr = birth.ok().and_then(|birth| {
            judged(
                amount(&results, Test::Egfr),
                amount(&results, Test::Creatinine),
                sex,
                birth,
                day,
            )
        });
        let joined = matches!(row.text(5)?, "joined" | "finished");
        let person = out.entry(row.array(0)?).or_insert(Person {
            joined,
            checks: vec![],
        });
        person
            .checks
            .push((day, amount(&results, Test::Hba1c), egfr.map(|e| e.value)));
    }
    Ok(out)
}

/// One person before and after a day; for those without guidance the day of the newest but one check stands for it.
fn followed(
    person: &Person,
    start: Date,
    contacts: u8,
    visited: Option<bool>,
    dialysis: Option<bool>,
) -> Followed {
    let before = |d: &Date| *d <= start;
    let next = fiscal_year(start) + 1;
    let last_before = person
        .checks
        .iter()
        .rev()
        .find(|c| before(&c.0) && c.1.is_some());
    let after = person
        .checks
        .iter()
        .find(|c| !before(&c.0) && fiscal_year(c.0) >= next && c.1.is_some());
    let points = |keep: &dyn Fn(&Date) -> bool| {
        let all = person.checks.iter().filter(|c| keep(&c.0));
        all.filter_map(|c| {
            Some(Point {
                day: c.0,
                value: c.2?,
            })
        })
        .collect::<Vec<_>>()
    };
    let base = last_before.map(|c| c.0);
    Followed {
        hba1c_before: last_before.and_then(|c| c.1),
        hba1c_after: after.and_then(|c| c.1),
        egfr_before: points(&|d| before(d)),
        egfr_after: points(&|d| base.is_some_and(|b| *d >= b)),
        contacts,
        visited,
        dialysis,
    }
}

fn mean(measure: &Measure) -> String {
    measure.mean.map_or("—".into(), |m| format!("{m:+.2}"))
}

fn measures(groups: &[(&str, Summary)]) -> Vec<Vec<Cell>> {
    let row = |(name, s): &(&str, Summary)| {
        let known = |m: &Measure| format!("{}（不明{}）", m.known, m.unknown);
        vec![
            text(*name),
            count(s.participants),
            count(s.completed),
            text(format!(
                "{}　{}人",
                mean(&s.hba1c_change),
                known(&s.hba1c_change)
            )),
            text(format!(
                "低下{}・同じ{}・上昇{}",
                s.hba1c_moves[0], s.hba1c_moves[1], s.hba1c_moves[2]
            )),
            text(format!(
                "{}　{}人",
                mean(&s.slope_before),
                known(&s.slope_before)
            )),
            text(format!(
                "{}　{}人",
                mean(&s.slope_after),
                known(&s.slope_after)
            )),
            text(format!(
                "あり{}・なし{}・不明{}",
                s.visits[0], s.visits[1], s.visits[2]
            )),
            text(format!(
                "あり{}・なし{}・不明{}",
                s.dialysis[0], s.dialysis[1], s.dialysis[2]
            )),
        ]
    };
    groups.iter().map(row).collect()
}

/// Means of a value by fiscal year, for each group; with the number of persons.
fn by_year(
    groups: &[(&str, Vec<&Person>)],
    value: impl Fn(&Check) -> Option<f64>,
) -> (Vec<i16>, Vec<Series>, Vec<Vec<Cell>>) {
    let mut years: Vec<i16> = groups
        .iter()
        .flat_map(|g| &g.1)
        .flat_map(|p| &p.checks)
        .map(|c| fiscal_year(c.0))
        .collect();
    years.sort_unstable();
    years.dedup();
    let (mut series, mut rows) = (vec![], vec![]);
    for (name, people) in groups {
        let mut values = vec![];
        let mut row = vec![text(*name)];
        for year in &years {
            let found = people
                .iter()
                .flat_map(|p| &p.checks)
                .filter(|c| fiscal_year(c.0) == *year)
                .filter_map(&value);
            let (n, sum) = found.fold((0.0, 0.0), |(n, sum), v| (n + 1.0, sum + v));
            let mean = (n > 0.0).then(|| sum / n);
            row.push(text(
                mean.map_or("—".into(), |m| format!("{m:.2}（{n}人）")),
            ));
            values.push(mean);
        }
        series.push(Series {
            name: (*name).to_owned(),
            values,
        });
        rows.push(row);
    }
    (years, series, rows)
}

async fn page(
    room: &KidneyPrevention,
    permit: &JobPermit,
    frame: &mimamori_pages::Frame,
) -> Result<Response, KidneyError> {
    let people = persons(permit).await?;
    let today = room.clock.now().office_day();
    let mut starts: HashMap<Id, (Date, u8)> = HashMap::new();
    for row in permit.rows(STARTS, vec![]).await? {
        if let Ok(day) = row.text(1)?.parse() {
            starts.insert(row.array(0)?, (day, u8::try_from(row.int(2)?).unwrap_or(6)));
        }
    }
    let mut doctors: HashMap<Id, Date> = HashMap::new();
    for row in permit.rows(DOCTORS, vec![]).await? {
        if let Ok(day) = row.text(1)?.parse() {
            doctors.insert(row.array(0)?, day);
        }
    }
    let mut replaced = std::collections::HashSet::new();
    for row in permit.rows(REPLACED, vec![]).await? {
        replaced.insert(row.array::<16>(0)?);
    }
    let (mut joined, mut others) = (vec![], vec![]);
    for (id, person) in &people {
        let newest = person
            .checks
            .iter()
            .rev()
            .nth(1)
            .or(person.checks.last())
            .map_or(today, |c| c.0);
        let (start, contacts) = starts.get(id).copied().unwrap_or((newest, 0));
        // A report of the doctor after the start is a visit; without one nobody knows.
        let visited = doctors.get(id).filter(|d| **d > start).map(|_| true);
        let dialysis = replaced.contains(id).then_some(true);
        let one = followed(person, start, contacts, visited, dialysis);
        if person.joined {
            joined.push(one)
        } else {
            others.push(one)
        }
    }
    let groups = [
        ("参加した人", summary(&joined)),
        ("名簿のほかの人", summary(&others)),
    ];
    let of = |want: bool| {
        people
            .values()
            .filter(|p| p.joined == want)
            .collect::<Vec<_>>()
    };
    let lists = [("参加した人", of(true)), ("名簿のほかの人", of(false))];
    let heads = [
        "区分",
        "人数",
        "6回終えた人",
        "HbA1cの変化（平均）",
        "HbA1cの動き",
        "eGFRの傾き 前（/年）",
        "eGFRの傾き 後（/年）",
        "受診",
        "透析開始",
    ];
    let mut out = Page::new(frame, "事業の評価")
        .banner("info", "比べ方の注意", "参加は本人とかかりつけ医が決めるため、二つの区分は同じ条件の集まりではありません。数字は経過を示すもので、効果の証明ではありません。")
        .words("翌年度の健診で、HbA1c、eGFRの傾き（最小二乗法、1年あたり）、受診、透析開始を見ます。分からない人も数えます。")
        .table("参加の前後の比較", &heads, measures(&groups), "");
    let plots: [Drawn; 2] = [
        (
            "hba1c",
            "HbA1cの平均（健診の年度別）",
            "%",
            |c| c.1.map(Amount::to_f64),
        ),
        (
            "egfr",
            "eGFRの平均（健診の年度別）",
            "mL/min/1.73m2",
            |c| c.2,
        ),
    ];
    const YEARS: [&str; 9] = [
        "区分",
        "1番目の年度",
        "2番目の年度",
        "3番目の年度",
        "4番目の年度",
        "5番目の年度",
        "6番目の年度",
        "7番目の年度",
        "8番目の年度",
    ];
    for (id, title, unit, value) in plots {
        let (mut years, mut series, mut rows) = by_year(&lists, value);
        let skip = years.len().saturating_sub(8);
        years.drain(..skip);
        series.iter_mut().for_each(|s| drop(s.values.drain(..skip)));
        rows.iter_mut().for_each(|r| drop(r.drain(1..=skip)));
        let places: Vec<String> = years.iter().map(|y| format!("{y}年度")).collect();
        let described = series.iter().map(|s| {
            let all = s.values.iter().zip(&places);
            let told: Vec<_> = all
                .map(|(v, p)| format!("{p} {}", v.map_or("値なし".into(), |v| format!("{v:.2}"))))
                .collect();
            format!("{}: {}", s.name, told.join("、"))
        });
        let plot = Plot {
            id: format!("plot-{id}"),
            title: title.into(),
            description: described.collect::<Vec<_>>().join("。"),
            unit: unit.into(),
            places: places.clone(),
            series,
        };
        out = out
            .heading(title)
            .part(Part::Picture(plot.svg()))
            .words(format!("表の年度は左から {}。", places.join("、")))
            .table(title, &YEARS[..=places.len()], rows, "");
    }
    Ok(out.links(&[("/kidney", "重症化予防に戻る")]).answer(vec![]))
}

/// GET /kidney/evaluation
pub(crate) async fn evaluation(Desk(room, visitor, frame): Desk) -> Response {
    let read = async {
        let permit = room.gate.job(action::EVALUATE, Some(&visitor)).await?;
        page(&room, &permit, &frame).await
    };
    read.await.unwrap_or_else(answer)
}
