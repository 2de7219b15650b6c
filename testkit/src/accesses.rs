//! A year of accesses (閲覧の一年): ordinary days of officers, and misuse planted among them.
//!
//! Everything follows from the seed. The shares of slips and chance meetings are assumptions of
//! ours and stand below as constants; no town's log was looked at.

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};

use crate::draw::Draw;
use crate::town::{Fate, Town};

/// What the year is made from.
#[derive(Debug, Clone)]
pub struct YearArgs {
    /// Persons of the town.
    pub people: u32,
    /// Officers.
    pub officers: u32,
    /// Any number.
    pub seed: u64,
    /// First day; 365 follow.
    pub first: Date,
    /// Days on which the office is closed beside weekends.
    pub closed: Vec<Date>,
    /// Planted acts of each kind.
    pub planted: u32,
}

/// One person of the year.
#[derive(Debug, Clone)]
pub struct Person {
    /// Name with a full-width space, as in the town's file.
    pub name: String,
    /// Present address.
    pub address: String,
    /// Under support measures.
    pub protected: bool,
}

/// One officer of the year.
#[derive(Debug, Clone)]
pub struct Officer {
    /// Name on the account.
    pub name: String,
    /// Place in the list of persons, for those who live in the town and whose account says so.
    pub person: Option<usize>,
    /// Lead officer for support measures (担当責任者); else a clerk.
    pub lead: bool,
}

/// A kind of misuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Misuse {
    /// Somebody opened without a note.
    WithoutNote,
    /// The own record, with a note.
    OwnRecord,
    /// A neighbour, with a made-up note.
    Neighbour,
    /// A relative, found by the family name, without a note.
    Relative,
    /// Many pages of lists in a row.
    Harvest,
    /// At night, with a made-up note.
    Night,
    /// A clerk at a protected person, with a made-up note.
    Protected,
    /// An acquaintance by day, with a made-up note: no rule can know.
    Acquaintance,
}

impl Misuse {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::WithoutNote,
        Self::OwnRecord,
        Self::Neighbour,
        Self::Relative,
        Self::Harvest,
        Self::Night,
        Self::Protected,
        Self::Acquaintance,
    ];
}

/// One line that an officer leaves.
#[derive(Debug, Clone)]
pub struct Access {
    /// Place in the list of officers.
    pub officer: usize,
    /// Office day.
    pub day: Date,
    /// Second of that day.
    pub second: u32,
    /// The person opened; none for a page of a list.
    pub person: Option<usize>,
    /// A note of that officer and day stands behind it.
    pub linked: bool,
    /// An ordinary slip that a rule is written to show: no note, a clerk at a protected person, late work.
    pub slip: bool,
    /// Planted.
    pub misuse: Option<Misuse>,
}

/// The year.
#[derive(Debug, Clone)]
pub struct Year {
    /// Persons.
    pub persons: Vec<Person>,
    /// Officers.
    pub officers: Vec<Officer>,
    /// Lines, by day and officer.
    pub accesses: Vec<Access>,
}

/// Cases without a note, one in so many: an officer forgets.
const FORGOTTEN: u32 = 2_000;
/// Cases of a protected person that a clerk keeps instead of handing them to the lead officer, percent.
const KEPT: u32 = 10;
/// Days with an hour of work late at night or on a closed day, one in so many.
const LATE: u32 = 500;

fn people(args: &YearArgs) -> Vec<Person> {
    let mut town = Town::new(args.people, args.seed, args.first);
    let mut out = Vec::new();
    while let Some(house) = town.next_house() {
        let address = house.moves.present().address.clone();
        for person in &house.people {
            if person.fate == Fate::Here {
                out.push(Person {
                    name: person.name.kanji.clone(),
                    address: address.clone(),
                    protected: person.protected,
                });
            }
        }
    }
    out
}

/// One officer's ordinary day: cases between 8:35 and 17:10, each with pages of lists and its record.
fn day(
    out: &mut Vec<Access>,
    draw: &Draw,
    year: &(Vec<Person>, Vec<Officer>),
    officer: usize,
    day: Date,
) {
    let (persons, officers) = year;
    let mut at = 8 * 3600 + 35 * 60 + draw.below(900);
    let lead = officers[officer].lead;
    let mut add = |second, person: Option<usize>, linked| {
        let kept = person.is_some_and(|p| persons[p].protected) && !lead;
        out.push(Access {
            officer,
            day,
            second,
            person,
            linked,
            slip: person.is_some() && !linked || kept || second >= 21 * 3600,
            misuse: None,
        });
    };
    while at < 17 * 3600 + 600 {
        let who = draw.below(u32::try_from(persons.len()).unwrap_or(1)) as usize;
        for _ in 0..=draw.below(3) {
            add(at, None, false);
            at += 10 + draw.below(40);
        }
        let foreign = persons[who].protected && !officers[officer].lead && !draw.percent(KEPT);
        // The list shows the mark: the case goes to the lead officer. Nobody opens the own record.
        if !foreign && officers[officer].person != Some(who) {
            let linked = draw.below(FORGOTTEN) != 0;
            for _ in 0..=draw.below(2) {
                add(at, Some(who), linked);
                at += 30 + draw.below(300);
            }
        }
        at += 300 + draw.below(1800);
    }
    if draw.below(LATE) == 0 {
        let who = draw.below(u32::try_from(persons.len()).unwrap_or(1)) as usize;
        add(21 * 3600 + 600 + draw.below(1800), Some(who), true);
    }
}

fn family(name: &str) -> &str {
    name.split(['　', ' ']).next().unwrap_or(name)
}

/// The part of an address that neighbours share.
fn block(address: &str) -> &str {
    let ends = ["番地", "番"];
    ends.iter()
        .find_map(|end| address.find(end).map(|at| &address[..at]))
        .unwrap_or(address)
}

/// One planted act; false when nobody fits.
fn plant(
    out: &mut Vec<Access>,
    draw: &Draw,
    year: &(Vec<Person>, Vec<Officer>),
    (officer, day): (usize, Date),
    misuse: Misuse,
) -> bool {
    let (persons, officers) = year;
    let me = &officers[officer];
    let home = me.person.map(|p| &persons[p].address);
    let fits = |at: usize| {
        let (p, other) = (&persons[at], me.person != Some(at));
        match misuse {
            Misuse::OwnRecord => me.person == Some(at),
            Misuse::Neighbour => other && home.is_some_and(|h| block(h) == block(&p.address)),
            Misuse::Relative => other && family(&p.name) == family(&me.name),
            Misuse::Protected => other && p.protected && !me.lead,
            _ => other && !p.protected,
        }
    };
    let start = draw.below(u32::try_from(persons.len()).unwrap_or(1)) as usize;
    let whom = (start..persons.len()).chain(0..start).find(|at| fits(*at));
    let Some(whom) = whom else {
        return false;
    };
    let hour = 9 * 3600 + draw.below(7 * 3600);
    let access = |second, person, linked| Access {
        officer,
        day,
        second,
        person,
        linked,
        slip: false,
        misuse: Some(misuse),
    };
    match misuse {
        Misuse::Harvest => {
            out.extend((0..25).map(|n| access(hour + n * 12, None, false)));
        }
        Misuse::Night => {
            let night = 21 * 3600 + 1200 + draw.below(7200);
            out.push(access(night, Some(whom), true));
        }
        Misuse::WithoutNote | Misuse::Relative => out.push(access(hour, Some(whom), false)),
        _ => out.push(access(hour, Some(whom), true)),
    }
    true
}

/// The year of these arguments.
pub fn year(args: &YearArgs) -> Year {
    let draw = Draw::new(args.seed ^ 0x7965_6172);
    let persons = people(args);
    let officers: Vec<Officer> = (0..args.officers)
        .map(|n| {
            let at = draw.below(u32::try_from(persons.len()).unwrap_or(1)) as usize;
            // Seven of ten live in the town.
            Officer {
                name: persons[at].name.clone(),
                person: (n % 10 < 7).then_some(at),
                lead: n % 10 == 3,
            }
        })
        .collect();
    let world = (persons, officers);
    let open = |day: Date| {
        !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
            && !args.closed.contains(&day)
            && !matches!((day.month(), day.day()), (12, 29..) | (1, ..=3))
    };
    let mut days: Vec<(usize, Date)> = Vec::new();
    let mut accesses = Vec::new();
    for n in 0..365 {
        let date = args.first.saturating_add(i64::from(n).days());
        for officer in (0..world.1.len()).filter(|_| open(date)) {
            // A tenth of the days is leave.
            if !draw.percent(10) {
                days.push((officer, date));
                day(&mut accesses, &draw, &world, officer, date);
            }
        }
    }
    for misuse in Misuse::ALL {
        let mut left = args.planted;
        for _ in 0..args.planted * 50 {
            if left == 0 {
                break;
            }
            let when = *draw.pick(&days);
            left -= u32::from(plant(&mut accesses, &draw, &world, when, misuse));
        }
    }
    accesses.sort_by_key(|a| (a.day, a.officer, a.second));
    Year {
        persons: world.0,
        officers: world.1,
        accesses,
    }
}
