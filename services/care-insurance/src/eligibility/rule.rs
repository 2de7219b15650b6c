//! Qualification by the law from recorded facts (FACTS B.2). Pure: no clock, no store.
//!
//! 第1号 = lives in the town and is 65 or more; 第2号 = lives in the town, is 40 to 64, has a medical
//! insurance and applied. A day of loss is worked out from the event, never taken for the event.

use jiff::civil::{Date, date};
use mimamori_kernel::date::{PartialDate, day_age_is_reached};

use super::reason::{Codes, CodesError, LossDay};
use super::span::{Span, union, without};

/// The day the Long-Term Care Insurance Act came into force.
pub(super) const ACT: Date = date(2000, 4, 1);

/// Category of an insured person (被保険者の種別).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// 第1号被保険者.
    First,
    /// 第2号被保険者.
    Second,
}

/// Leaving the town.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leave {
    /// The day the person stopped living here.
    pub day: PartialDate,
    /// The day an address in another town began, when that town told.
    pub elsewhere_from: Option<Date>,
}

/// A time of living in the town.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    /// First day.
    pub from: PartialDate,
    /// Recorded by the office itself (職権), not by a notice of moving in.
    pub by_office: bool,
    /// How it ended; none while it lasts or when death ended it.
    pub left: Option<Leave>,
}

/// A fact that holds from the day of one event to the day of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// Day of the event that began it.
    pub from: PartialDate,
    /// Day of the event that ended it; none while it lasts.
    pub until: Option<PartialDate>,
}

/// What is recorded of one person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// Birth.
    pub birth: PartialDate,
    /// Death.
    pub died: Option<PartialDate>,
    /// Living in the town.
    pub stays: Vec<Stay>,
    /// 住所地特例, ours living in a facility elsewhere (自特例): stays insured here.
    pub own_special: Vec<Term>,
    /// 住所地特例, another town's insured living in a facility here (他特例): not insured here.
    pub other_special: Vec<Term>,
    /// In a facility whose residents are not insured (適用除外施設).
    pub exempt: Vec<Term>,
    /// Medical insurance of somebody who applied as second category (2号申請).
    pub second: Vec<Term>,
}

/// One qualification: days are half-open, `until` is the day of loss (資格喪失日).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qualification {
    /// Category.
    pub category: Category,
    /// Day of acquisition and day of loss.
    pub span: Span,
    /// Code of the reason of acquisition.
    pub gained: String,
    /// Code of the reason of loss; none while it lasts.
    pub lost: Option<String>,
}

/// A date of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// 生年月日.
    Birth,
    /// 死亡日.
    Death,
    /// 転入日.
    MovedIn,
    /// 転出日.
    MovedOut,
    /// Begin or end of a special address, an exemption or a medical insurance.
    Term,
}

impl Item {
    /// The word on a screen.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Birth => "生年月日",
            Self::Death => "死亡日",
            Self::MovedIn => "転入日",
            Self::MovedOut => "転出日",
            Self::Term => "住所地特例・適用除外・医療保険の期間",
        }
    }
}

/// A partly unknown date on which a qualification depends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unknown {
    /// Which date.
    pub item: Item,
    /// As far as it is known.
    pub known: PartialDate,
}

/// What follows for one person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Derived {
    /// Qualifications, oldest first. Provisional when `unknown` is not empty.
    pub qualifications: Vec<Qualification>,
    /// Dates that must be settled by an officer: with another day inside what is known, the answer differs.
    pub unknown: Vec<Unknown>,
}

/// Works out the qualifications of a person as they stand on the day `as_of`: what begins later is
/// not in the answer, and what ends later is still open.
///
/// A partly unknown date that cannot change the answer is no question; one that can is in
/// [`Derived::unknown`], and the answer is then the one with the latest possible day. What hangs
/// on a wholly unknown date is left out.
///
/// # Errors
/// [`CodesError::Missing`] when the table of reasons has no row for a day.
pub fn derive(person: &Person, as_of: Date, codes: &Codes) -> Result<Derived, CodesError> {
    let mut dates = dates(person);
    dates.sort();
    dates.dedup();
    let qualifications = with(person, as_of, codes, &|_, d| d.latest())?;
    let mut unknown = Vec::new();
    for (item, known) in dates.into_iter().filter(|(_, d)| !d.is_full()) {
        let early = |i, d: PartialDate| match (i, d) == (item, known) {
            true => d.earliest(),
            false => d.latest(),
        };
        if known.earliest().is_none() || with(person, as_of, codes, &early)? != qualifications {
            unknown.push(Unknown { item, known });
        }
    }
    Ok(Derived {
        qualifications,
        unknown,
    })
}

/// Every date of a person with what it is.
fn dates(person: &Person) -> Vec<(Item, PartialDate)> {
    let mut out = vec![(Item::Birth, person.birth)];
    out.extend(person.died.map(|d| (Item::Death, d)));
    for stay in &person.stays {
        out.push((Item::MovedIn, stay.from));
        out.extend(stay.left.map(|l| (Item::MovedOut, l.day)));
    }
    for term in [
        &person.own_special,
        &person.other_special,
        &person.exempt,
        &person.second,
    ]
    .into_iter()
    .flatten()
    {
        out.push((Item::Term, term.from));
        out.extend(term.until.map(|d| (Item::Term, d)));
    }
    out
}

type Pick<'a> = &'a dyn Fn(Item, PartialDate) -> Option<Date>;

/// Events by the day they begin or end a qualification, the more telling reason first.
#[derive(Default)]
struct Edges {
    gains: Vec<(Date, &'static str)>,
    losses: Vec<(Date, &'static str)>,
}

fn key_at(edges: &[(Date, &'static str)], day: Date) -> Option<&'static str> {
    edges.iter().find(|(d, _)| *d == day).map(|(_, key)| *key)
}

/// Spans of terms; `loss` says how the end follows from its event. Wholly unknown ones are left out.
fn spans(terms: &[Term], begin: LossDay, end: LossDay, pick: Pick<'_>) -> Vec<Span> {
    terms
        .iter()
        .filter_map(|term| {
            let from = begin.of(pick(Item::Term, term.from)?, None);
            let until = match term.until {
                None => None,
                Some(d) => Some(end.of(pick(Item::Term, d)?, None)),
            };
            Span::new(from, until)
        })
        .collect()
}

/// The answer with one choice for every partly unknown date.
fn with(
    person: &Person,
    as_of: Date,
    codes: &Codes,
    pick: Pick<'_>,
) -> Result<Vec<Qualification>, CodesError> {
    let Some(born) = pick(Item::Birth, person.birth) else {
        return Ok(vec![]);
    };
    let reached = |years| day_age_is_reached(PartialDate::from(born), years);
    let (Some(forty), Some(sixty_five)) = (reached(40), reached(65)) else {
        return Ok(vec![]);
    };
    let rule = |key, event| -> Result<LossDay, CodesError> {
        Ok(codes.on(key, ACT.max(event))?.day.unwrap_or(LossDay::After))
    };
    let mut edges = Edges::default();
    let mut end = None;
    if let Some(died) = person.died {
        let Some(died) = pick(Item::Death, died) else {
            return Ok(vec![]);
        };
        let lost = rule("died", died)?.of(died, None);
        edges.losses.push((lost, "died"));
        end = Some(lost);
    }
    let mut lives = Vec::new();
    for stay in &person.stays {
        let Some(from) = pick(Item::MovedIn, stay.from) else {
            continue;
        };
        let mut until = None;
        if let Some(left) = stay.left {
            let Some(day) = pick(Item::MovedOut, left.day) else {
                continue;
            };
            let lost = rule("moved-out", day)?.of(day, left.elsewhere_from);
            edges.losses.push((lost, "moved-out"));
            until = Some(lost);
        }
        let key = if stay.by_office {
            "by-office"
        } else {
            "moved-in"
        };
        edges.gains.push((from, key));
        lives.extend(Span::new(from, until));
    }
    let begin = |key| rule(key, ACT);
    let own = spans(
        &person.own_special,
        LossDay::Same,
        begin("own-special-ended")?,
        pick,
    );
    edges.losses.extend(
        own.iter()
            .filter_map(|s| Some((s.until?, "own-special-ended"))),
    );
    let other = spans(
        &person.other_special,
        begin("other-special-began")?,
        LossDay::Same,
        pick,
    );
    let exempt = spans(&person.exempt, begin("exempt-began")?, LossDay::Same, pick);
    for (holes, began, ended) in [
        (&other, "other-special-began", "other-special-ended"),
        (&exempt, "exempt-began", "exempt-ended"),
    ] {
        edges.losses.extend(holes.iter().map(|h| (h.from, began)));
        edges
            .gains
            .extend(holes.iter().filter_map(|h| Some((h.until?, ended))));
    }
    lives.extend(own);
    let whole = Span::new(ACT, end);
    let basis: Vec<Span> = without(without(union(lives), &other), &exempt)
        .iter()
        .filter_map(|s| s.intersect(&whole?))
        .collect();
    let second = spans(&person.second, LossDay::Same, begin("medical-ended")?, pick);
    let mut out = Vec::new();
    for span in &basis {
        for medical in &second {
            let days = Span::new(forty, Some(sixty_five)).and_then(|age| age.intersect(medical));
            let Some(span) = days.and_then(|d| d.intersect(span)) else {
                continue;
            };
            let lost = span.until.map(|u| match () {
                () if u == sixty_five && basis.iter().any(|b| b.contains(u)) => "became-first",
                () if medical.until == Some(u) => "medical-ended",
                () => key_at(&edges.losses, u).unwrap_or("removed-by-office"),
            });
            out.push((Category::Second, span, "second-applied", lost));
        }
        if let Some(first) = Span::new(sixty_five, None).and_then(|age| age.intersect(span)) {
            let gained = match () {
                () if first.from == sixty_five && span.from < sixty_five => "age-reached",
                () if first.from == ACT && span.from == ACT => "act-began",
                // A special address without a stay before it: nobody moved in, an officer must look.
                () => key_at(&edges.gains, first.from).unwrap_or("by-office"),
            };
            let lost = first
                .until
                .map(|u| key_at(&edges.losses, u).unwrap_or("removed-by-office"));
            out.push((Category::First, first, gained, lost));
        }
    }
    out.sort_by_key(|(category, span, ..)| (span.from, *category));
    out.into_iter()
        .filter(|(_, span, ..)| span.from <= as_of)
        .map(|(category, mut span, gained, lost)| {
            span.until = span.until.filter(|u| *u <= as_of);
            let code = |key, day| codes.on(key, day).map(|r| r.code.clone());
            Ok(Qualification {
                category,
                span,
                gained: code(gained, span.from)?,
                lost: match (lost, span.until) {
                    (Some(key), Some(day)) => Some(code(key, day)?),
                    _ => None,
                },
            })
        })
        .collect()
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
