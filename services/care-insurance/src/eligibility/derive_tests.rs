use jiff::civil::date;

use super::*;
use crate::eligibility::record::RecordError;

const TODAY: Date = date(2026, 11, 21);

fn row(birth: &str, number: &str) -> Insured {
    Insured {
        birth: birth.into(),
        insured_number: number.into(),
        ..Insured::default()
    }
}

fn rows(all: &[(&str, &str)]) -> Vec<Moved> {
    all.iter()
        .map(|(reason, day)| Moved {
            reason: (*reason).into(),
            day: day.parse().unwrap(),
            elsewhere: None,
        })
        .collect()
}

fn run(row: Insured, history: &[(&str, &str)], known: Option<&Known>) -> Outcome {
    let dead = history
        .iter()
        .rfind(|(word, _)| ["死亡", "転入", "職権記載"].contains(word));
    run_as(
        row,
        history,
        known,
        dead.is_some_and(|(word, _)| *word == "死亡"),
    )
}

/// With the state that the register gives.
fn run_as(row: Insured, history: &[(&str, &str)], known: Option<&Known>, dead: bool) -> Outcome {
    let codes = Codes::built_in().unwrap();
    outcome(row, &rows(history), (false, dead), known, TODAY, &codes).unwrap()
}

#[test]
fn a_child_is_not_ours() {
    assert!(!run(row("2015-05-05", ""), &[("出生", "2015-05-05")], None).ours);
}

#[test]
fn whoever_reaches_65_by_the_end_of_next_month_is_queued_and_gets_a_card() {
    for (birth, due) in [
        ("1961-12-01", "2026-11-30"),
        ("1961-11-23", "2026-11-22"),
        ("1962-01-01", "2026-12-31"),
    ] {
        let out = run(row(birth, ""), &[("転入", "1990-01-01")], None);
        assert_eq!(out.row.due_age, due);
        assert_eq!((out.row.category, out.row.card_wait), (0, 1));
        assert!(out.ours && out.touched.is_empty());
    }
    assert!(!run(row("1962-01-02", ""), &[("転入", "1990-01-01")], None).ours);
    let reached = run(row("1961-11-22", ""), &[("転入", "1990-01-01")], None);
    assert_eq!(reached.row.due_age, "");
    assert_eq!(
        (reached.row.category, reached.row.since.as_str()),
        (1, "2026-11-21")
    );
}

#[test]
fn a_number_from_before_means_a_card_from_before() {
    let out = run(
        row("1940-05-01", "0000000101"),
        &[("転入", "2010-01-01")],
        None,
    );
    assert!(out.old_card);
    assert_eq!(out.row.card_wait, 0);
    assert_eq!(out.touched, [1]);
}

#[test]
fn a_doubt_that_was_settled_leaves_the_queue_until_the_answer_is_another_one() {
    let first = run(row("1940-05-01", ""), &[("転入", "2010-01-01")], None);
    assert_eq!(
        (first.row.doubt.as_str(), first.row.due_unknown.as_str()),
        ("", "")
    );
    let mut ledger = first.ledger.clone();
    ledger.cancel(1).unwrap();
    let known = |row: &Insured| Known {
        ledger: ledger.clone(),
        row: row.clone(),
        version: 2,
        ..Known::default()
    };
    let stays = [("転入", "2010-01-01")];
    let asked = run(row("1940-05-01", ""), &stays, Some(&known(&first.row)));
    assert_eq!(asked.row.due_unknown, "2026-12-05");
    assert!(
        asked.row.doubt.contains("2010-01-01"),
        "{}",
        asked.row.doubt
    );
    let settled = Insured {
        settled: asked.row.doubt.clone(),
        due_unknown: String::new(),
        ..asked.row.clone()
    };
    let quiet = run(row("1940-05-01", ""), &stays, Some(&known(&settled)));
    assert_eq!(quiet.row, settled, "nothing is written again");
    assert!(!quiet.row.question.is_empty());
    // The register leads to other periods: the question is another one.
    let moved = [("転入", "2010-01-01"), ("転出", "2026-11-10")];
    let again = run(row("1940-05-01", ""), &moved, Some(&known(&settled)));
    assert_eq!(
        (again.row.settled.as_str(), again.row.due_unknown.as_str()),
        ("", "2026-12-05")
    );
    // Who is not worked out at all cannot be waved through.
    let unknown = run(row("1961-00-00", ""), &stays, None);
    assert!(!unknown.row.question.is_empty() && unknown.row.doubt.is_empty());
}

#[test]
fn a_card_of_a_qualification_that_never_was_is_asked_back() {
    let before = run(
        row("1940-05-01", "0000000101"),
        &[("転入", "2010-01-01")],
        None,
    );
    let known = |card_out| Known {
        ledger: before.ledger.clone(),
        row: before.row.clone(),
        cards: 1,
        card_out,
        version: 1,
        ..Known::default()
    };
    // Died before the qualification began: the derivation cancels it.
    let history = [("転入", "2004-01-01"), ("死亡", "2004-06-01")];
    let again = |known: &Known| run(row("1940-05-01", "0000000101"), &history, Some(known));
    let out = again(&known(true));
    assert_eq!((out.row.category, out.row.since.as_str()), (0, ""));
    assert_eq!(out.row.due_moved, "2026-12-05");
    assert_eq!(again(&known(false)).row.due_moved, "");
    // The day stays on the days after.
    let kept = Known {
        row: out.row,
        ..known(true)
    };
    let later = merged(row("1940-05-01", ""), &kept, TODAY.tomorrow().unwrap());
    assert_eq!(later.row.due_moved, "2026-12-05");
}

#[test]
fn a_loss_with_a_card_still_out_is_queued_for_fourteen_days() {
    let history = [("転入", "2010-01-01"), ("転出", "2026-11-10")];
    let out = run(row("1940-05-01", "0000000101"), &history, None);
    assert_eq!(out.row.until, "2026-11-11");
    assert_eq!(out.row.due_moved, "2026-11-25");
    let returned = Known {
        ledger: out.ledger.clone(),
        row: out.row.clone(),
        cards: 1,
        card_out: false,
        version: 1,
        ..Known::default()
    };
    let later = run(row("1940-05-01", "0000000101"), &history, Some(&returned));
    assert_eq!(later.row.due_moved, "");
    assert!(later.touched.is_empty() && !later.old_card);
}

#[test]
fn an_unknown_date_is_a_question_and_its_day_does_not_move() {
    let history = [("転入", "1990-01-01")];
    let out = run(row("1961-00-00", ""), &history, None);
    assert_eq!(out.row.due_unknown, "2026-12-05");
    assert!(out.row.question.contains("生年月日"));
    assert_eq!(out.ledger.entries(), []);
    let known = Known {
        row: Insured {
            due_unknown: "2026-11-30".into(),
            ..out.row
        },
        ..Known::default()
    };
    let again = run(row("1961-00-00", ""), &history, Some(&known));
    assert_eq!(again.row.due_unknown, "2026-11-30");
}

#[test]
fn a_hand_decision_is_never_overwritten_only_asked_about() {
    let history = [("転入", "2010-01-01")];
    let mut known = Known {
        version: 2,
        ..Known::default()
    };
    known.ledger = run(row("1940-05-01", "1"), &history, None).ledger;
    known.ledger.cancel(1).unwrap();
    let out = run(row("1940-05-01", "1"), &history, Some(&known));
    assert!(out.touched.is_empty());
    assert_eq!(out.row.category, 0);
    assert!(out.row.question.contains("職権"));
    assert_eq!(known.ledger.cancel(1), Err(RecordError::State));
}

#[test]
fn a_later_loss_closes_the_entry_and_a_correction_voids_it() {
    let first = run(row("1940-05-01", "1"), &[("転入", "2010-01-01")], None);
    let known = |ledger: &Ledger| Known {
        ledger: ledger.clone(),
        version: 1,
        cards: 1,
        card_out: true,
        ..Known::default()
    };
    let gone = [("転入", "2010-01-01"), ("転出", "2026-11-01")];
    let closed = run(row("1940-05-01", "1"), &gone, Some(&known(&first.ledger)));
    assert_eq!(closed.touched, [1]);
    assert_eq!(closed.ledger.entries().len(), 1);
    let corrected = [("転入", "2012-01-01")];
    let moved = run(
        row("1940-05-01", "1"),
        &corrected,
        Some(&known(&first.ledger)),
    );
    assert_eq!(moved.touched, [1, 2]);
    assert_eq!(moved.ledger.entries()[0].state, State::Cancelled);
    assert_eq!(moved.row.since, "2012-01-01");
    assert!(!moved.ledger.decided());
}

#[test]
fn a_state_and_a_history_that_disagree_about_a_death_are_a_question() {
    let history = [("転入", "2010-01-01")];
    let before = run(row("1940-05-01", "0000000101"), &history, None);
    let known = Known {
        row: before.row.clone(),
        ledger: before.ledger,
        ..Known::default()
    };
    let dead = [("転入", "2010-01-01"), ("死亡", "2026-10-01")];
    for (history, state) in [(&history[..], true), (&dead[..], false)] {
        let out = run_as(
            row("1940-05-01", "0000000101"),
            history,
            Some(&known),
            state,
        );
        assert!(
            out.row.question.contains("異動の履歴が合いません"),
            "{state}"
        );
        assert!(out.touched.is_empty(), "nothing is decided over the doubt");
        assert!(!out.row.due_unknown.is_empty());
    }
    let agreed = run_as(row("1940-05-01", "0000000101"), &dead, Some(&known), true);
    assert_eq!((agreed.row.question.as_str(), agreed.row.category), ("", 0));
}

/// A card that is out says name and address as they were; another way of writing the address is none.
#[test]
fn a_card_with_an_old_name_or_address_must_be_issued_again() {
    let history = [("転入", "2010-01-01")];
    let place = |key: &str, kanji: &str, row: Insured| Insured {
        address: format!("町{key}"),
        address_key: key.into(),
        kanji: kanji.into(),
        ..row
    };
    let start = place("sakura1", "見守花子", row("1940-05-01", "0000000101"));
    let first = run(start.clone(), &history, None);
    assert_eq!(first.row.card_old, "");
    let known = |row: Insured, card_out| Known {
        row,
        ledger: first.ledger.clone(),
        version: 1,
        cards: 1,
        card_out,
        ..Known::default()
    };
    let same = Insured {
        address: "町ｓａｋｕｒａ1".into(),
        ..start.clone()
    };
    let old = |row: Insured, before: &Insured, out| {
        run(row, &history, Some(&known(before.clone(), out))).row
    };
    assert_eq!(old(same, &first.row, true).card_old, "");
    let moved = old(
        place("sakura2", "見守花子", start.clone()),
        &first.row,
        true,
    );
    assert_eq!(moved.card_old, "住所");
    let named = old(place("sakura2", "桜花子", start.clone()), &moved, true);
    assert_eq!(named.card_old, "氏名・住所", "until a new one is issued");
    let none = old(place("sakura2", "桜花子", start), &first.row, false);
    assert_eq!(none.card_old, "", "no card is out");
}

/// FACTS B.2: what is entered by hand is worked on by the law, also through later changes of the register.
#[test]
fn an_entry_by_hand_is_derived_from_and_never_undone() {
    let applied = Fact {
        number: 1,
        kind: Kind::Second,
        from: date(2026, 5, 10),
        until: None,
        cancelled: false,
    };
    let known = Known {
        facts: vec![applied],
        ..Known::default()
    };
    let lives = [("転入", "1990-01-01")];
    let out = run(row("1970-04-01", ""), &lives, Some(&known));
    assert!(out.ours);
    assert_eq!(
        (out.row.category, out.row.since.as_str()),
        (2, "2026-05-10")
    );
    assert_eq!((out.row.question.as_str(), out.row.card_wait), ("", 1));
    assert!(!out.ledger.decided(), "the law goes on by itself");
    let after = Known {
        row: out.row,
        ledger: out.ledger,
        version: 1,
        facts: known.facts.clone(),
        ..Known::default()
    };
    assert!(
        run(row("1970-04-01", ""), &lives, Some(&after))
            .touched
            .is_empty()
    );
    let gone = [("転入", "1990-01-01"), ("転出", "2026-11-10")];
    let left = run(row("1970-04-01", ""), &gone, Some(&after));
    assert_eq!(
        (left.row.category, left.row.until.as_str()),
        (0, "2026-11-11")
    );
    // Against the register it is a question, not a silent end.
    let never = run(row("1970-04-01", ""), &[], Some(&after));
    assert!(
        never.row.question.contains("手入力1"),
        "{}",
        never.row.question
    );
}
