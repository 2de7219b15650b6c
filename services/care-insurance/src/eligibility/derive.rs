//! What one person's row becomes when the register and the ledger are looked at together. Pure.

use jiff::civil::Date;
use jiff::{ToSpan as _, Unit};
use mimamori_kernel::date::PartialDate;

use super::extract::{Moved, facts};
use super::fact::{Fact, Kind, apply, fruitless};
use super::reason::{Codes, CodesError};
use super::record::{Ledger, State};
use super::rule::{Category, Qualification, derive};

/// Days for finishing what a loss leaves open, and for settling an unknown date. Assumed (想定).
const DAYS: i64 = 14;

/// What lists and cards need of the register, and what follows for the office.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Insured {
    pub insured_number: String,
    pub kanji: String,
    pub kana: String,
    pub kana_key: String,
    pub birth: String,
    pub sex: i64,
    pub postal: String,
    pub address: String,
    pub building: String,
    pub address_key: String,
    pub protected: i64,
    pub category: i64,
    pub since: String,
    pub until: String,
    pub due_age: String,
    pub due_moved: String,
    pub due_unknown: String,
    pub question: String,
    /// The question with what was worked out, where an officer can settle it; empty otherwise.
    pub doubt: String,
    /// The doubt that an officer settled: it stands on the page and no longer in the queue.
    pub settled: String,
    pub card_wait: i64,
    pub card_reason: String,
    /// What stands otherwise on the card that is out: 氏名, 住所; the card must be issued again.
    pub card_old: String,
    /// Changes of the person on the register's screen that this row follows.
    pub seen: i64,
}

/// What the room knows already.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub row: Insured,
    pub version: i64,
    pub ledger: Ledger,
    /// What was entered by hand.
    pub facts: Vec<Fact>,
    /// Cards issued so far, and whether one is out.
    pub cards: i64,
    pub card_out: bool,
}

/// What follows.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub row: Insured,
    pub ledger: Ledger,
    /// Numbers of the entries that changed.
    pub touched: Vec<u32>,
    /// A card that an earlier system issued is taken over.
    pub old_card: bool,
    /// Whether the person belongs into this room at all.
    pub ours: bool,
}

/// The last day of the month after `day`'s.
fn end_of_next_month(day: Date) -> Date {
    day.checked_add(1.month()).unwrap_or(day).last_of_month()
}

/// Works out a person's row on `today`. `second`: the register calls the person insured below 65;
/// `dead`: its state is 死亡, which the history may contradict.
pub(crate) fn outcome(
    mut row: Insured,
    history: &[Moved],
    (second, dead): (bool, bool),
    known: Option<&Known>,
    today: Date,
    codes: &Codes,
) -> Result<Outcome, CodesError> {
    let birth: PartialDate = row.birth.parse().unwrap_or(PartialDate::UNKNOWN);
    let by_hand = known.map_or(&[][..], |k| &k.facts);
    let applied = |f: &Fact| f.kind == Kind::Second && !f.cancelled;
    let mut person = facts(birth, history, second && !by_hand.iter().any(applied));
    let unfit = apply(&mut person, by_hand);
    let soon = derive(&person, end_of_next_month(today), codes)?;
    let now = derive(&person, today, codes)?;
    let fresh = known.is_none_or(|k| k.version == 0);
    let known = known.cloned().unwrap_or_default();
    let mut ledger = known.ledger;
    let mut touched = Vec::new();
    let mut questions: Vec<String> = now
        .unknown
        .iter()
        .map(|u| format!("{}が不詳です", u.item.japanese()))
        .collect();
    questions.extend(unfit);
    questions.extend(fruitless(&known.facts, &now.qualifications));
    let doubtful = dead != person.died.is_some();
    if doubtful {
        questions.push("住民の記録の状態（死亡か）と、異動の履歴が合いません".into());
    }
    if ledger.decided() {
        if ledger.differs(&now.qualifications) {
            questions.push("職権で決めた内容が、住民の記録からの計算と違います".into());
        }
    } else if now.unknown.is_empty() && !doubtful {
        touched = ledger.follow(&now.qualifications);
    }
    let holds = ledger.on(today).map(|e| e.qualification.clone());
    let last = ledger
        .entries()
        .iter()
        .filter(|e| e.state == State::InForce)
        .map(|e| &e.qualification)
        .max_by_key(|q| q.span.from)
        .cloned();
    let next = soon
        .qualifications
        .iter()
        .find(|q| q.category == Category::First && q.span.from > today && soon.unknown.is_empty());
    state(&mut row, holds.as_ref(), last.as_ref());
    row.due_age = next.map_or_else(String::new, |q| q.span.from.to_string());
    row.question = questions.join("、");
    if now.unknown.is_empty() && !row.question.is_empty() {
        row.doubt = doubt(&row.question, &now.qualifications);
    }
    if row.doubt == known.row.settled {
        row.settled.clone_from(&known.row.settled);
    }
    let quiet = row.question.is_empty() || !row.settled.is_empty();
    row.due_unknown = match (quiet, known.row.due_unknown.is_empty()) {
        (true, _) => String::new(),
        // The day stays while the question stays.
        (false, false) => known.row.due_unknown.clone(),
        (false, true) => plus(today),
    };
    if row.insured_number.is_empty() {
        row.insured_number.clone_from(&known.row.insured_number);
    }
    // Whoever holds a number when the room begins holds a card of the system before.
    let old_card = fresh && last.is_some() && !row.insured_number.is_empty();
    let card_out = known.card_out || old_card;
    row.due_moved = match (&holds, &last) {
        (None, Some(q)) if card_out => q.span.until.map_or_else(String::new, plus),
        // Never insured, as it turned out: the card is asked back from the day that this is known.
        (None, None) if card_out && next.is_none() => asked_back(&known.row, today),
        _ => String::new(),
    };
    (row.card_wait, row.card_reason) = match known.row.card_wait {
        0 if !card_out && (holds.is_some() || next.is_some()) => (1, "新規".into()),
        // What an officer ordered or pulled out stays; nothing is printed for somebody who lost it.
        n if holds.is_some() || next.is_some() => (n, known.row.card_reason.clone()),
        _ => (0, String::new()),
    };
    if card_out && !fresh && (holds.is_some() || next.is_some()) {
        row.card_old = otherwise(&known.row, &row);
    }
    let ours = last.is_some()
        || next.is_some()
        || !row.question.is_empty()
        || !known.facts.is_empty()
        || !fresh;
    Ok(Outcome {
        row,
        ledger,
        touched,
        old_card,
        ours,
    })
}

/// What on a card made from `before` is not so any more, with what was otherwise already. An address
/// counts in its folded form: another way of writing it needs no new card.
fn otherwise(before: &Insured, now: &Insured) -> String {
    let name = (&before.kanji, &before.kana) != (&now.kanji, &now.kana);
    let place = (&before.address_key, &before.building) != (&now.address_key, &now.building);
    let words = [("氏名", name), ("住所", place)];
    let told = words
        .into_iter()
        .filter(|(word, differs)| *differs || before.card_old.contains(word));
    told.map(|(word, _)| word).collect::<Vec<_>>().join("・")
}

/// What stays of a record that was merged into another one (統合): one human is insured once. Its
/// qualifications never were (取消), nothing is due and no card waits; a split (分離) derives it anew.
pub(crate) fn merged(mut row: Insured, known: &Known, today: Date) -> Outcome {
    if known.card_out {
        row.due_moved = asked_back(&known.row, today);
    }
    let mut ledger = known.ledger.clone();
    let touched = ledger.close();
    if row.insured_number.is_empty() {
        row.insured_number.clone_from(&known.row.insured_number);
    }
    Outcome {
        row,
        ledger,
        touched,
        old_card: false,
        ours: true,
    }
}

/// The day until which a card without a qualification is to be back; it stays while the card is out.
fn asked_back(before: &Insured, today: Date) -> String {
    match before.due_moved.is_empty() {
        true => plus(today),
        false => before.due_moved.clone(),
    }
}

/// Category and days of the qualification that holds, or of the last one.
fn state(row: &mut Insured, holds: Option<&Qualification>, last: Option<&Qualification>) {
    row.category = super::row::code(holds.map(|q| q.category));
    let shown = holds.or(last);
    row.since = shown.map_or_else(String::new, |q| q.span.from.to_string());
    row.until = super::row::text(shown.and_then(|q| q.span.until));
}

/// A question with the periods that the register leads to: another answer is another doubt.
fn doubt(question: &str, derived: &[Qualification]) -> String {
    let spans = derived.iter().map(|q| {
        let until = q.span.until.map_or_else(String::new, |d| d.to_string());
        format!("／{} {}〜{until}", q.category.japanese(), q.span.from)
    });
    std::iter::once(question.to_owned()).chain(spans).collect()
}

fn plus(day: Date) -> String {
    day.checked_add(DAYS.days()).unwrap_or(day).to_string()
}

impl Insured {
    /// Category and days after an officer's change of the ledger.
    pub(crate) fn standing(ledger: &Ledger, today: Date) -> (i64, String, String) {
        let mut row = Self::default();
        let holds = ledger.on(today).map(|e| &e.qualification);
        let last = ledger
            .entries()
            .iter()
            .filter(|e| e.state == State::InForce)
            .map(|e| &e.qualification)
            .max_by_key(|q| q.span.from);
        state(&mut row, holds, last);
        (row.category, row.since, row.until)
    }
}

/// Whole days from one day to another; negative when it has passed.
pub(crate) fn days_left(today: Date, due: Date) -> i32 {
    today.until((Unit::Day, due)).map_or(0, |s| s.get_days())
}

#[cfg(test)]
#[path = "derive_tests.rs"]
mod tests;
