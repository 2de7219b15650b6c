//! Moves of a household and the history rows of its people (異動履歴).

use crate::areas::{self, Place};
use crate::draw::{Draw, days_before, days_later};
use crate::town::Fate;
use jiff::civil::Date;

/// One stay of a household.
#[derive(Debug)]
struct Stay {
    day: Date,
    reason: &'static str,
    place: Place,
}

/// The stays of a household, oldest first, one at least.
#[derive(Debug)]
pub(crate) struct Moves {
    first: Stay,
    later: Vec<Stay>,
}

impl Moves {
    /// Moved in (転入) or taken over when the register began (職権記載).
    pub fn new(day: Date, moved_in: bool, place: Place) -> Self {
        let reason = if moved_in { "転入" } else { "職権記載" };
        Self {
            first: Stay { day, reason, place },
            later: Vec::new(),
        }
    }

    /// Adds a stay; days must not go back.
    pub fn add(&mut self, day: Date, reason: &'static str, place: Place) {
        self.later.push(Stay { day, reason, place });
    }

    /// Adds a stay, in place of the last one when there are two already.
    pub fn replace_last(&mut self, day: Date, reason: &'static str, place: Place) {
        self.later.truncate(1);
        self.add(day, reason, place);
    }

    /// When the household came to be.
    pub fn formed(&self) -> Date {
        self.first.day
    }

    /// The day of the last stay.
    pub fn last_day(&self) -> Date {
        self.later.last().map_or(self.first.day, |s| s.day)
    }

    /// The present place.
    pub fn present(&self) -> &Place {
        self.at(self.later.len())
    }

    /// The place of stay `index`, the first for one that does not exist.
    pub fn at(&self, index: usize) -> &Place {
        &self.stay(index).place
    }

    fn stay(&self, index: usize) -> &Stay {
        index
            .checked_sub(1)
            .and_then(|i| self.later.get(i))
            .unwrap_or(&self.first)
    }
}

/// One history row of a person.
#[derive(Debug)]
pub(crate) struct Row {
    pub place: usize,
    pub reason: &'static str,
    pub day: Date,
    /// 届出日.
    pub notice: Date,
    /// 転出先住所, empty when there is none.
    pub to: String,
}

/// One to four rows of a person, oldest first.
pub(crate) fn rows(draw: &Draw, moves: &Moves, born: Date, fate: Fate, as_of: Date) -> Vec<Row> {
    let row = |place, reason, day: Date, to| {
        let notice = days_later(day, draw.below(14)).min(as_of);
        Row {
            place,
            reason,
            day,
            notice,
            to,
        }
    };
    let stays = 0..=moves.later.len();
    let entry = stays.clone().rev().find(|i| moves.stay(*i).day <= born);
    let mut out = match entry {
        Some(place) => vec![row(place, "出生", born, String::new())],
        None => vec![row(0, moves.first.reason, moves.first.day, String::new())],
    };
    for place in stays.skip(entry.unwrap_or(0) + 1) {
        let stay = moves.stay(place);
        let to = if stay.reason == "住所地特例" {
            stay.place.address.clone()
        } else {
            String::new()
        };
        out.push(row(place, stay.reason, stay.day, to));
    }
    let last = |rows: &[Row]| rows.last().map_or((0, as_of), |r| (r.place, r.day));
    if out.len() < 3 && draw.percent(24) {
        let (place, day) = last(&out);
        let reason = if draw.percent(50) {
            "職権修正"
        } else {
            "世帯変更"
        };
        out.push(row(
            place,
            reason,
            draw.day(day, days_before(as_of, 40).max(day)),
            String::new(),
        ));
    }
    let (place, day) = last(&out);
    let from = day.max(days_before(as_of, 730));
    match fate {
        Fate::Here => {}
        Fate::Dead => out.push(row(place, "死亡", draw.day(from, as_of), String::new())),
        Fate::Gone => out.push(row(
            place,
            "転出",
            draw.day(from, as_of),
            areas::elsewhere(draw),
        )),
    }
    out
}
