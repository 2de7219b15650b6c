//! What the rules find in the lines of one office day; no input, no output.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use mimamori_kernel::clock::Instant;

use super::rules::{Kind, Rule, Rules};

/// An account id.
pub type Actor = [u8; 16];
/// A person's token in the trace.
pub type Subject = [u8; 32];

/// One allowed line that showed persons to an officer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Line of the trace.
    pub line: u64,
    /// When.
    pub time: Instant,
    /// Who.
    pub actor: Actor,
    /// In which role.
    pub role: String,
    /// `noun.verb`; `noun.list` is a page of a list, everything else with one person opens that person.
    pub action: String,
    /// Hangs on a note or queue item of that officer, person and day.
    pub linked: bool,
    /// The person opened; none for lists.
    pub subject: Option<Subject>,
}

impl Look {
    fn is_list(&self) -> bool {
        self.action.ends_with(".list")
    }
}

/// What is known of an officer; empty text is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Officer {
    /// Family name, folded.
    pub family: String,
    /// Address block, folded.
    pub block: String,
    /// The officer as a person of the register.
    pub own: Option<Subject>,
    /// Number of the officer's household in the register.
    pub household: String,
    /// Others whom the officer declared to be of the same household.
    pub kin: BTreeSet<Subject>,
}

/// What is known of a person who was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Family name, folded.
    pub family: String,
    /// Address block, folded.
    pub block: String,
    /// Number of the household.
    pub household: String,
    /// Under support measures.
    pub protected: bool,
}

/// Who is who, for one run; never shown and never kept.
#[derive(Debug, Default)]
pub struct People {
    /// Officers by account.
    pub officers: HashMap<Actor, Officer>,
    /// Persons by token; only those who were opened.
    pub subjects: HashMap<Subject, Known>,
    /// Bearers of each family name.
    pub families: HashMap<String, u32>,
    /// Persons in the register.
    pub persons: u32,
}

/// What a rule found: one officer, one day and, where the rule is about a person, that person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub kind: Kind,
    /// The officer.
    pub actor: Actor,
    /// The office day.
    pub day: Date,
    /// The person.
    pub subject: Option<Subject>,
    /// The lines that were counted, from old to new; at least one.
    pub lines: Vec<u64>,
}

/// The family name of a name as the register writes it: what stands before the first space.
/// A name without a space has no known family name.
pub fn family_of(name: &str) -> String {
    name.trim()
        .split_once([' ', '\u{3000}'])
        .map_or_else(String::new, |(family, _)| {
            mimamori_kernel::fold::kanji_key(family)
        })
}

/// The block of a folded address (`…町1-2-3` is `…町1-2`): without the last number of two or more.
/// An address without numbers has no block.
pub fn block_of(address_key: &str) -> String {
    let at = address_key
        .find(|c: char| c.is_ascii_digit())
        .unwrap_or(address_key.len());
    let (town, numbers) = address_key.split_at(at);
    let numbers: Vec<&str> = numbers
        .split(|c: char| !c.is_ascii_digit())
        .take_while(|n| !n.is_empty())
        .collect();
    match numbers.len() {
        0 => String::new(),
        1 => format!("{town}{}", numbers[0]),
        n => format!("{town}{}", numbers[..n.min(3) - 1].join("-")),
    }
}

/// Everything that the rules of `day` find. `over` says that the day is over: before that, a note
/// may still be written, and looks without one are not judged.
pub fn judge(
    rules: &Rules,
    day: Date,
    over: bool,
    looks: &[Look],
    people: &People,
) -> Vec<Finding> {
    let mut by_officer: BTreeMap<Actor, Vec<&Look>> = BTreeMap::new();
    for look in looks {
        by_officer.entry(look.actor).or_default().push(look);
    }
    let mut found = Vec::new();
    for rule in rules.on(day) {
        for (actor, looks) in &by_officer {
            let officer = people.officers.get(actor).cloned().unwrap_or_default();
            let hits: Vec<&Look> = match rule.kind {
                Kind::Bulk => bulk(rule, looks),
                kind => looks
                    .iter()
                    .filter(|look| match kind {
                        Kind::NoCase => over && look.subject.is_some() && !look.linked,
                        Kind::OwnRecord => look.subject.is_some() && look.subject == officer.own,
                        Kind::Kin => kin(rule, look, &officer, people),
                        Kind::OutOfHours => out_of_hours(rules, rule, look),
                        Kind::Protected => protected(rule, look, people),
                        Kind::Bulk => false,
                    })
                    .copied()
                    .collect(),
            };
            let about_person = !matches!(rule.kind, Kind::Bulk | Kind::OutOfHours);
            let mut groups: BTreeMap<Option<Subject>, Finding> = BTreeMap::new();
            for hit in hits {
                let subject = hit.subject.filter(|_| about_person);
                let finding = groups.entry(subject).or_insert(Finding {
                    kind: rule.kind,
                    actor: *actor,
                    day,
                    subject,
                    lines: vec![],
                });
                finding.lines.push(hit.line);
            }
            found.extend(groups.into_values().map(|mut finding| {
                finding.lines.sort_unstable();
                finding
            }));
        }
    }
    found
}

fn kin(rule: &Rule, look: &Look, officer: &Officer, people: &People) -> bool {
    let known = look.subject.and_then(|s| people.subjects.get(&s));
    let Some(known) = known.filter(|_| look.subject != officer.own) else {
        return false;
    };
    let same = |a: &str, b: &str| !a.is_empty() && a == b;
    let declared = look.subject.is_some_and(|s| officer.kin.contains(&s));
    if declared || same(&known.household, &officer.household) || same(&known.block, &officer.block)
    {
        return true;
    }
    let bearers = people.families.get(&known.family).copied().unwrap_or(0);
    let rare =
        u64::from(bearers) * 1000 < u64::from(rule.rare_per_mille) * u64::from(people.persons);
    same(&known.family, &officer.family) && (rare || !look.linked)
}

fn protected(rule: &Rule, look: &Look, people: &People) -> bool {
    let known = look.subject.and_then(|s| people.subjects.get(&s));
    known.is_some_and(|k| k.protected) && !(look.linked && look.role == rule.role_of_work)
}

fn out_of_hours(rules: &Rules, rule: &Rule, look: &Look) -> bool {
    let office = look.time.office();
    rules.closed(office.date()) || !rule.at_work(office.time())
}

/// Lines inside any window of the rule's minutes with too many pages or records.
fn bulk<'a>(rule: &Rule, looks: &[&'a Look]) -> Vec<&'a Look> {
    let window = i64::from(rule.minutes) * 60_000_000;
    let mut hits: BTreeMap<u64, &'a Look> = BTreeMap::new();
    for (list, most) in [(true, rule.pages), (false, rule.opens)] {
        let mut of_kind: Vec<&'a Look> = looks
            .iter()
            .copied()
            .filter(|l| l.is_list() == list)
            .collect();
        of_kind.sort_by_key(|l| (l.time, l.line));
        let mut first = 0;
        for last in 0..of_kind.len() {
            while of_kind[last].time.0 - of_kind[first].time.0 > window {
                first += 1;
            }
            if last + 1 - first >= most as usize {
                hits.extend(of_kind[first..=last].iter().map(|l| (l.line, *l)));
            }
        }
    }
    hits.into_values().collect()
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
