use super::*;
use jiff::civil::date;

const DAY: Date = date(2026, 11, 20);
/// 2026-11-20 00:00 in Japan.
const MIDNIGHT: i64 = 1_795_100_400_000_000;

fn at(minutes: i64) -> Instant {
    Instant(MIDNIGHT + minutes * 60_000_000)
}

fn open(line: u64, minutes: i64, person: u8, linked: bool) -> Look {
    Look {
        line,
        time: at(minutes),
        actor: [1; 16],
        role: "clerk".into(),
        action: "person.open".into(),
        linked,
        subject: Some([person; 32]),
    }
}

fn page(line: u64, minutes: i64) -> Look {
    Look {
        action: "person.list".into(),
        subject: None,
        ..open(line, minutes, 0, false)
    }
}

fn known(family: &str, block: &str, protected: bool) -> Known {
    Known {
        family: family.into(),
        block: block.into(),
        household: String::new(),
        protected,
    }
}

/// The officer is person 1, 蓮見 of 本町1-2; 2 has the rare name, 3 the block, 4 is protected, 5 nobody special, 6 佐藤.
fn people(family: &str) -> People {
    let officer = Officer {
        family: family.into(),
        block: "本町1-2".into(),
        own: Some([1; 32]),
        ..Officer::default()
    };
    let subjects = [
        (1, known(family, "本町1-2", false)),
        (2, known("蓮見", "北野4-1", false)),
        (3, known("田中", "本町1-2", false)),
        (4, known("田中", "川端3-3", true)),
        (5, known("鈴木", "川端3-4", false)),
        (6, known("佐藤", "川端3-5", false)),
    ];
    People {
        officers: HashMap::from([([1; 16], officer)]),
        subjects: subjects.map(|(n, k)| ([n; 32], k)).into(),
        families: HashMap::from([("蓮見".into(), 2), ("佐藤".into(), 20)]),
        persons: 10_000,
    }
}

fn found(looks: &[Look], people: &People) -> Vec<(Kind, Option<u8>, usize)> {
    judge(&Rules::built_in().unwrap(), DAY, true, looks, people)
        .into_iter()
        .map(|f| (f.kind, f.subject.map(|s| s[0]), f.lines.len()))
        .collect()
}

#[test]
fn the_day_of_the_tests_is_an_open_friday() {
    assert_eq!(at(0).office_text(), "2026-11-20 00:00:00");
    assert!(!Rules::built_in().unwrap().closed(DAY));
}

#[test]
fn a_linked_look_at_nobody_special_in_hours_is_no_finding() {
    assert_eq!(
        found(&[open(1, 600, 5, true), page(2, 601)], &people("蓮見")),
        []
    );
}

#[test]
fn a_look_without_a_case_is_found_once_for_each_person_when_the_day_is_over() {
    let looks = [
        open(1, 600, 5, false),
        open(2, 610, 5, false),
        open(3, 620, 6, true),
    ];
    assert_eq!(found(&looks, &people("蓮見")), [(Kind::NoCase, Some(5), 2)]);
    let today = judge(
        &Rules::built_in().unwrap(),
        DAY,
        false,
        &looks,
        &people("蓮見"),
    );
    assert_eq!(today, [], "a note may still come");
}

#[test]
fn the_own_record_is_found_with_and_without_a_case() {
    assert_eq!(
        found(&[open(1, 600, 1, true)], &people("蓮見")),
        [(Kind::OwnRecord, Some(1), 1)]
    );
}

#[test]
fn kin_is_a_rare_name_the_same_block_or_a_common_name_without_a_case() {
    assert_eq!(
        found(&[open(1, 600, 2, true)], &people("蓮見")),
        [(Kind::Kin, Some(2), 1)]
    );
    assert_eq!(
        found(&[open(1, 600, 3, true)], &people("蓮見")),
        [(Kind::Kin, Some(3), 1)]
    );
    assert_eq!(found(&[open(1, 600, 6, true)], &people("佐藤")), []);
    let without = [(Kind::NoCase, Some(6), 1), (Kind::Kin, Some(6), 1)];
    assert_eq!(found(&[open(1, 600, 6, false)], &people("佐藤")), without);
}

#[test]
fn bulk_counts_pages_and_records_in_a_sliding_window() {
    let slow: Vec<Look> = (0..60)
        .map(|n| page(n + 1, 600 + i64::try_from(n).unwrap()))
        .collect();
    assert_eq!(
        found(&slow, &people("蓮見")),
        [],
        "one page a minute is work"
    );
    let fast: Vec<Look> = (0..15)
        .map(|n| page(n + 1, 600 + i64::try_from(n).unwrap() / 2))
        .collect();
    assert_eq!(found(&fast, &people("蓮見")), [(Kind::Bulk, None, 15)]);
    assert_eq!(found(&fast[..14], &people("蓮見")), []);
    let records: Vec<Look> = (0..40).map(|n| open(n + 1, 600, 5, true)).collect();
    assert_eq!(found(&records, &people("蓮見")), [(Kind::Bulk, None, 40)]);
}

#[test]
fn nights_are_out_of_hours_and_the_edges_are_not() {
    for (minute, out) in [(449, true), (450, false), (1259, false), (1260, true)] {
        let found = found(&[open(1, minute, 5, true)], &people("蓮見"));
        assert_eq!(!found.is_empty(), out, "{minute}");
    }
    let sunday = Look {
        time: at(2 * 1440 + 600),
        ..open(1, 0, 5, true)
    };
    let kinds: Vec<Kind> = judge(
        &Rules::built_in().unwrap(),
        date(2026, 11, 22),
        true,
        &[sunday],
        &people("蓮見"),
    )
    .iter()
    .map(|f| f.kind)
    .collect();
    assert_eq!(kinds, [Kind::OutOfHours]);
}

#[test]
fn a_protected_person_is_found_unless_the_lead_officer_has_a_case() {
    assert_eq!(
        found(&[open(1, 600, 4, true)], &people("蓮見")),
        [(Kind::Protected, Some(4), 1)]
    );
    let lead = |linked| Look {
        role: "lead-officer".into(),
        ..open(1, 600, 4, linked)
    };
    assert_eq!(found(&[lead(true)], &people("蓮見")), []);
    assert_eq!(found(&[lead(false)], &people("蓮見")).len(), 2);
}

#[test]
fn an_unknown_officer_and_an_unknown_person_make_no_false_kin() {
    let nobody = People::default();
    assert_eq!(found(&[open(1, 600, 9, true)], &nobody), []);
    let mut blank = people("");
    blank.subjects.insert([7; 32], Known::default());
    assert_eq!(
        found(&[open(1, 600, 7, false)], &blank),
        [(Kind::NoCase, Some(7), 1)]
    );
}

#[test]
fn family_and_block_come_out_of_name_and_address() {
    for (name, family) in [
        ("渡邉　花子", "渡辺"),
        ("介護 はな", "介護"),
        ("運営管理責任者（一人目）", ""),
        ("", ""),
    ] {
        assert_eq!(
            family_of(name),
            mimamori_kernel::fold::kanji_key(family),
            "{name}"
        );
    }
    let key = mimamori_kernel::fold::address_key;
    for (address, block) in [
        ("見守市本町三丁目2番15号", "見守市本町3-2"),
        ("見守市本町三丁目2番", "見守市本町3"),
        ("見守市土手下15番地", "見守市土手下15"),
        ("見守市土手下", ""),
        ("", ""),
    ] {
        assert_eq!(block_of(&key(address)), block, "{address}");
    }
    assert_eq!(
        block_of(&key("見守市本町三丁目2番15号")),
        block_of(&key("見守市本町3-2-16"))
    );
}

#[test]
fn the_own_household_and_whoever_the_officer_declared_are_kin_also_with_a_case() {
    let rules = Rules::built_in().unwrap();
    let mut people = people("蓮見");
    let found = |people: &People, person| {
        let looks = [open(1, 600, person, true)];
        let findings = judge(&rules, DAY, true, &looks, people);
        findings.iter().map(|f| f.kind).collect::<Vec<_>>()
    };
    assert_eq!(found(&people, 5), [], "nobody special");
    people
        .officers
        .get_mut(&[1; 16])
        .unwrap()
        .kin
        .insert([5; 32]);
    assert_eq!(found(&people, 5), [Kind::Kin]);
    for n in [1, 6] {
        people.subjects.get_mut(&[n; 32]).unwrap().household = "0000000007".into();
    }
    assert_eq!(
        found(&people, 6),
        [],
        "the officer's own household is not known"
    );
    people.officers.get_mut(&[1; 16]).unwrap().household = "0000000007".into();
    assert_eq!(found(&people, 6), [Kind::Kin]);
    assert_eq!(found(&people, 1), [Kind::OwnRecord]);
}
