use jiff::civil::date;

use super::*;

const TODAY: Date = date(2026, 11, 21);

fn qualification(from: Date, until: Option<Date>) -> Qualification {
    Qualification {
        category: Category::First,
        span: Span::new(from, until).unwrap(),
        gained: "12".into(),
        lost: until.map(|_| "31".into()),
    }
}

fn two() -> Ledger {
    let mut ledger = Ledger::default();
    let first = qualification(date(2010, 4, 1), Some(date(2015, 4, 1)));
    assert_eq!(ledger.add(first, false), Ok(1));
    assert_eq!(
        ledger.add(qualification(date(2020, 4, 1), None), false),
        Ok(2)
    );
    ledger
}

#[test]
fn the_day_of_loss_is_the_first_day_without_qualification() {
    let ledger = two();
    assert_eq!(ledger.on(date(2015, 3, 31)).map(|e| e.number), Some(1));
    assert_eq!(ledger.on(date(2015, 4, 1)), None);
    assert_eq!(ledger.on(date(2020, 4, 1)).map(|e| e.number), Some(2));
}

#[test]
fn a_cancelled_qualification_stays_in_the_ledger_and_can_come_back() {
    let mut ledger = two();
    ledger.cancel(2).unwrap();
    assert_eq!(ledger.entries().len(), 2);
    assert_eq!(ledger.on(date(2026, 1, 1)), None);
    assert_eq!(ledger.cancel(2), Err(RecordError::State));
    ledger.restore(2).unwrap();
    assert!(ledger.on(date(2026, 1, 1)).is_some());
    assert_eq!(ledger.restore(2), Err(RecordError::State));
    assert!(ledger.decided());
}

#[test]
fn a_loss_is_taken_back_only_where_nothing_follows() {
    let mut ledger = two();
    assert_eq!(ledger.reopen(1), Err(RecordError::Overlap));
    ledger.cancel(2).unwrap();
    ledger.reopen(1).unwrap();
    assert_eq!(ledger.on(date(2026, 1, 1)).map(|e| e.number), Some(1));
    assert_eq!(ledger.reopen(1), Err(RecordError::State));
    // What was cancelled does not come back over it.
    assert_eq!(ledger.restore(2), Err(RecordError::Overlap));
    assert_eq!(
        ledger.add(qualification(date(2026, 1, 1), None), true),
        Err(RecordError::Overlap)
    );
}

#[test]
fn an_end_by_hand_needs_a_reason_of_that_day_and_a_later_day() {
    let codes = Codes::built_in().unwrap();
    let mut ledger = two();
    let day = date(2026, 10, 2);
    assert_eq!(
        ledger.end(2, day, "99", &codes, TODAY),
        Err(RecordError::Reason)
    );
    assert_eq!(
        ledger.end(2, day, "12", &codes, TODAY),
        Err(RecordError::Reason)
    );
    assert_eq!(
        ledger.end(2, date(2020, 4, 1), "38", &codes, TODAY),
        Err(RecordError::Order)
    );
    assert_eq!(
        ledger.end(1, day, "38", &codes, TODAY),
        Err(RecordError::State)
    );
    assert_eq!(
        ledger.end(9, day, "38", &codes, TODAY),
        Err(RecordError::NoEntry)
    );
    ledger.end(2, day, "38", &codes, TODAY).unwrap();
    assert_eq!(ledger.on(day), None);
}

/// FACTS B.2: 33 (医療保険) is lost on the day itself, 31 and 32 on the day after at the latest.
#[test]
fn a_loss_is_not_entered_before_its_event_nor_before_the_gain() {
    let codes = Codes::built_in().unwrap();
    let tomorrow = date(2026, 11, 22);
    for (reason, until, wrong) in [
        ("31", date(2026, 11, 23), Some(RecordError::Future)),
        ("32", date(2027, 1, 1), Some(RecordError::Future)),
        ("33", tomorrow, Some(RecordError::Future)),
        ("31", date(2020, 3, 31), Some(RecordError::Order)),
        ("31", tomorrow, None),
        ("33", TODAY, None),
        ("31", date(2020, 4, 2), None),
    ] {
        let done = two().end(2, until, reason, &codes, TODAY);
        assert_eq!(done.err(), wrong, "{reason} {until}");
    }
}

#[test]
fn a_new_derivation_is_compared_with_what_counts() {
    let mut ledger = two();
    let same: Vec<_> = ledger
        .entries()
        .iter()
        .map(|e| e.qualification.clone())
        .collect();
    assert!(!ledger.differs(&same));
    assert!(ledger.differs(&same[..1]));
    ledger.cancel(2).unwrap();
    assert!(ledger.differs(&same));
    assert!(!ledger.differs(&same[..1]));
}

#[test]
fn reason_codes_are_data_with_days() {
    let codes = Codes::built_in().unwrap();
    assert_eq!(codes.on("act-began", date(2000, 4, 1)).unwrap().code, "10");
    assert!(codes.on("act-began", date(2000, 4, 2)).is_err());
    assert!(codes.usable(Side::Loss, date(1999, 1, 1)).next().is_none());
    assert!(
        codes
            .usable(Side::Gain, date(2026, 1, 1))
            .all(|r| r.code != "10")
    );
    let row = |code: &str, from: &str, until: &str| {
        format!(
            "[[reason]]\ncode = \"{code}\"\nside = \"gain\"\nname = \"n\"\nkey = \"k\"\nfrom = \"{from}\"\n{until}"
        )
    };
    let ended = "until = \"2026-04-01\"\n";
    // A code that changes on a day is two rows.
    let renewed =
        Codes::read(&(row("1", "2000-04-01", ended) + &row("2", "2026-04-01", ""))).unwrap();
    assert_eq!(renewed.on("k", date(2026, 3, 31)).unwrap().code, "1");
    assert_eq!(renewed.on("k", date(2026, 4, 1)).unwrap().code, "2");
    let clash = Codes::read(&(row("1", "2000-04-01", "") + &row("2", "2026-04-01", "")));
    assert_eq!(clash.unwrap_err().code(), "ELIGIBILITY-CODES-OVERLAP");
    let no_day = row("1", "2000-04-01", "").replace("gain", "loss");
    assert_eq!(
        Codes::read(&no_day).unwrap_err().code(),
        "ELIGIBILITY-CODES-DAY"
    );
    assert_eq!(
        Codes::read("x").unwrap_err().code(),
        "ELIGIBILITY-CODES-TEXT"
    );
}
