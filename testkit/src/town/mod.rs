//! The people of the sample town, household by household (住民).

mod marks;

use crate::areas::{self, Area, Place};
use crate::draw::{Draw, days_before, days_later};
use crate::family::{Draft, Left, family};
use crate::history::{Moves, Row, rows};
use crate::names::{Name, Names, Sex};
use jiff::ToSpan;
use jiff::civil::Date;
use marks::{Quotas, forget};
use mimamori_kernel::date::PartialDate;

/// What became of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Here,
    Dead,
    Gone,
}

/// One person with all history rows, oldest first.
#[derive(Debug)]
pub(crate) struct Resident {
    pub number: u64,
    pub name: Name,
    pub alias: Option<Name>,
    pub sex: Sex,
    pub birth: PartialDate,
    pub relation: &'static str,
    pub insured: Option<u64>,
    pub foreign: bool,
    pub protected: bool,
    pub special: bool,
    pub fate: Fate,
    pub rows: Vec<Row>,
}

/// One household; the head is the first person.
#[derive(Debug)]
pub(crate) struct House {
    pub number: u64,
    pub moves: Moves,
    pub ended: Option<Date>,
    pub phone: String,
    pub people: Vec<Resident>,
}

/// Makes households until nobody is left.
pub(crate) struct Town {
    as_of: Date,
    draw: Draw,
    names: Names,
    areas: Vec<Area>,
    left: Left,
    quotas: Quotas,
    next_person: u64,
    next_house: u64,
    next_insured: u64,
    twin: Option<(Name, Date, Sex)>,
    pairs: u32,
}

impl Town {
    pub fn new(people: u32, seed: u64, as_of: Date) -> Self {
        let draw = Draw::new(seed);
        let insured = (u64::from(people) * 75_000 + 46_500) / 93_000;
        let insured = u32::try_from(insured).unwrap_or(people);
        Self {
            as_of,
            names: Names::load(),
            areas: areas::areas(),
            left: Left {
                insured,
                members: people - insured,
            },
            quotas: Quotas::new(&draw),
            next_person: 1000,
            next_house: 500,
            next_insured: 100,
            twin: None,
            pairs: 0,
            draw,
        }
    }

    /// Whether everyone is placed.
    pub fn is_done(&self) -> bool {
        self.left.total() == 0
    }

    /// The next household; none when everyone is placed.
    pub fn next_house(&mut self) -> Option<House> {
        if self.left.total() == 0 {
            return None;
        }
        let (insured, members) = self.left.take(&self.draw);
        let mut drafts = family(&self.draw, insured, members);
        self.quotas.pass(drafts.len(), &self.draw);
        let foreign = self.quotas.foreign.take_all(drafts.len());
        let mut births: Vec<Date> = drafts.iter().map(|d| self.birth(d.age)).collect();
        let mut people = self.named(&drafts, &births, foreign);
        let twin = !foreign
            && drafts.len() == 1
            && insured == 1
            && self.pair(&mut people, &mut births, &mut drafts);
        if !twin && self.quotas.unknown.waits() {
            self.quotas.unknown.take();
            let place = self.draw.below(u32::try_from(people.len()).unwrap_or(1)) as usize;
            people[place].birth = forget(&self.draw, people[place].birth);
        }
        Some(self.settled(people, &drafts, &births, insured))
    }

    /// A birth date whose age by law on the day of the file is `age`.
    fn birth(&self, age: u32) -> Date {
        let day_after = days_later(self.as_of, 1);
        days_before(
            day_after.saturating_sub(i64::from(age).years()),
            self.draw.below(365),
        )
    }

    /// Numbers, names and 通称.
    fn named(&mut self, drafts: &[Draft], births: &[Date], foreign: bool) -> Vec<Resident> {
        let draw = &self.draw;
        let family = if foreign {
            self.names.foreign_family(draw)
        } else {
            self.names.surname(draw)
        };
        let has_alias = foreign && draw.percent(65);
        let alias_family = if has_alias {
            Some(self.names.surname(draw))
        } else {
            None
        };
        let mut out = Vec::with_capacity(drafts.len());
        for (draft, born) in drafts.iter().zip(births) {
            self.next_person += 1 + u64::from(draw.below(7));
            let insured = draft.insured.then(|| {
                self.next_insured += 1 + u64::from(draw.below(5));
                self.next_insured
            });
            let name = if foreign {
                self.names.foreign(draw, family, draft.sex)
            } else {
                self.names.japanese(draw, family, draft.sex, born.year())
            };
            out.push(Resident {
                number: self.next_person,
                name,
                alias: alias_family.map(|f| self.names.japanese(draw, f, draft.sex, born.year())),
                sex: draft.sex,
                birth: PartialDate::from(*born),
                relation: draft.relation,
                insured,
                foreign,
                protected: false,
                special: false,
                fate: Fate::Here,
                rows: Vec::new(),
            });
        }
        out
    }

    /// Keeps a single person as a pattern, or makes this one the pattern's double:
    /// same name, same sex, same birth date. True when this person must stay as is.
    fn pair(&mut self, people: &mut [Resident], births: &mut [Date], drafts: &mut [Draft]) -> bool {
        let (Some(person), Some(birth), Some(draft)) =
            (people.first_mut(), births.first_mut(), drafts.first_mut())
        else {
            return false;
        };
        if self.twin.is_none() {
            self.twin = Some((person.name.clone(), *birth, person.sex));
            return true;
        }
        if self.pairs > 0 && !self.quotas.twin.waits() {
            return false;
        }
        let Some((name, born, sex)) = self.twin.take() else {
            return false;
        };
        self.pairs += 1;
        self.quotas.twin.take();
        (person.name, person.sex, person.birth) = (name, sex, PartialDate::from(born));
        (*birth, draft.sex) = (born, sex);
        true
    }

    /// Home, history, fate and marks.
    fn settled(
        &mut self,
        mut people: Vec<Resident>,
        drafts: &[Draft],
        births: &[Date],
        insured: u32,
    ) -> House {
        self.marked(&mut people, drafts, insured);
        let draw = &self.draw;
        let foreign = people.first().is_some_and(|p| p.foreign);
        let head_age = drafts.first().map_or(30, |d| d.age);
        let most = if foreign { 20 } else { 45 };
        let years = head_age.saturating_sub(18).clamp(1, most);
        let entry = days_before(self.as_of, 90 + draw.below(years * 365));
        let count = draw.weighted(&[50, 35, 15]);
        let mut moves = Moves::new(
            entry,
            draw.percent(75) || foreign,
            areas::home(draw, &self.areas),
        );
        let mut days: Vec<Date> = (0..count)
            .map(|_| draw.day(days_later(entry, 20), days_before(self.as_of, 60)))
            .collect();
        days.sort_unstable();
        for day in days {
            moves.add(day, "転居", areas::home(draw, &self.areas));
        }
        if people.first().is_some_and(|p| p.special) {
            let day = draw.day(moves.last_day(), days_before(self.as_of, 40));
            moves.replace_last(day, "住所地特例", areas::facility(draw));
        }
        for (person, born) in people.iter_mut().zip(births) {
            person.rows = rows(draw, &moves, *born, person.fate, self.as_of);
        }
        let over = people.iter().all(|p| p.fate != Fate::Here);
        let ended = over.then(|| {
            people
                .iter()
                .filter_map(|p| p.rows.last())
                .map(|r| r.day)
                .max()
        });
        self.next_house += 1 + u64::from(draw.below(4));
        let phone = if draw.percent(86) {
            format!("0999-{:02}-{:04}", 10 + draw.below(90), draw.below(10_000))
        } else {
            String::new()
        };
        House {
            number: self.next_house,
            moves,
            ended: ended.flatten(),
            phone,
            people,
        }
    }
}

impl Moves {
    /// The address a person of this household had at this row.
    pub fn place(&self, row: &Row) -> &Place {
        self.at(row.place)
    }
}
