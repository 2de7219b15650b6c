use mimamori_gate::Facts;

use super::*;
use crate::import::town::Town;

const ROW: [&str; 25] = [
    "000000000000001",
    "1",
    "1",
    "0000000001",
    "髙橋　花子",
    "ﾀｶﾊｼ ﾊﾅｺﾞ",
    "",
    "",
    "2",
    "3150300",
    "世帯主",
    "999-0101",
    "0000001",
    "見守市本町一丁目２番３号",
    "",
    "",
    "1",
    "転入",
    "20010203",
    "H13.02.04",
    "1",
    "0000000001",
    "0",
    "0",
    "",
];

fn cells<'a>(row: u64, fields: &[&'a str]) -> Cells<'a> {
    Cells {
        row,
        texts: fields.iter().map(|f| Some(Cow::Borrowed(*f))).collect(),
        mapped: vec![true; fields.len()],
        bad: false,
        broken: false,
    }
}

/// Rows given as changes of [`ROW`].
fn town(rows: &[&[(usize, &'static str)]]) -> (Town, Vec<(u64, &'static str, &'static str)>) {
    let (mut builder, mut findings) = (Builder::new(false), Findings::default());
    let house = ["0000000001", "000000000000001", "見守市", "20010203", ""];
    builder.household(cells(2, &house), &mut findings);
    for (row, changes) in (2..).zip(rows) {
        let mut fields = ROW;
        for (at, text) in *changes {
            fields[*at] = text;
        }
        builder.resident(cells(row, &fields), &mut findings);
    }
    let town = builder.finish(false, &mut findings);
    let errors = findings
        .into_vec()
        .iter()
        .map(|e| (e.row, e.item(), e.fault.code()))
        .collect();
    (town, errors)
}

#[test]
fn a_clean_row_becomes_a_person() {
    let (town, errors) = town(&[&[]]);
    assert_eq!(errors, []);
    let p = &town.people[0].latest;
    assert_eq!(
        (p.kana.as_str(), p.birth.as_str(), p.status_day.as_str()),
        ("タカハシ ハナゴ", "1940-03-00", "2001-02-03")
    );
    assert_eq!(
        (p.kanji_key.as_str(), p.sex, p.status, p.namesakes),
        ("高橋花子", 2, 1, 1)
    );
    assert_eq!(p.mask(), Facts::RESIDENT | Facts::INSURED);
    assert_eq!(town.people[0].events[0].notified_day, "2001-02-04");
}

#[test]
fn the_latest_row_decides_the_status_and_the_facts() {
    for (reason, special, mask) in [
        ("死亡", "0", Facts::DECEASED),
        ("転出", "0", Facts::MOVED_OUT),
        ("住所地特例", "1", 0),
        ("転居", "0", Facts::RESIDENT),
    ] {
        let (town, errors) = town(&[
            &[(2, "0"), (23, "1")],
            &[
                (1, "2"),
                (17, reason),
                (22, special),
                (23, "1"),
                (20, "0"),
                (21, ""),
            ],
        ]);
        assert_eq!(errors, []);
        assert_eq!(
            (
                town.people.len(),
                town.people[0].events.len(),
                town.outcome().rows
            ),
            (1, 2, 2)
        );
        assert_eq!(
            town.people[0].latest.mask(),
            mask | Facts::PROTECTED,
            "{reason}"
        );
    }
}

#[test]
fn namesakes_are_counted_over_variants() {
    let second = [(0, "000000000000002"), (4, "高橋 花子"), (21, "0000000002")];
    let third = [(0, "000000000000003"), (4, "別　花子"), (21, "0000000003")];
    let (town, errors) = town(&[&[], &second, &third]);
    assert_eq!(errors, []);
    assert_eq!(
        town.people
            .iter()
            .map(|p| p.latest.namesakes)
            .collect::<Vec<_>>(),
        [2, 2, 1]
    );
}

#[test]
fn every_wrong_field_is_named() {
    for (at, text, item, code) in [
        (0, "1", "宛名番号", "IMPORT-ZEROS"),
        (
            0,
            "０００００００００００００００",
            "宛名番号",
            "IMPORT-WIDTH",
        ),
        (0, "O00000000000001", "宛名番号", "IMPORT-DIGITS"),
        (1, "x", "履歴番号", "IMPORT-NUMBER"),
        (2, "2", "最新フラグ", "IMPORT-CHOICE"),
        (3, "0000000009", "世帯番号", "IMPORT-HOUSEHOLD"),
        (5, " ", "氏名カナ", "IMPORT-EMPTY"),
        (8, "3", "性別", "IMPORT-CHOICE"),
        (9, "3159912", "生年月日", "DATE-MONTH"),
        (17, "しぼう", "異動事由", "IMPORT-REASON"),
        (18, "", "異動日", "DATE-EMPTY"),
        (20, "", "資格", "IMPORT-CHOICE"),
        (21, "", "被保険者番号", "IMPORT-EMPTY"),
        (21, "17", "被保険者番号", "IMPORT-ZEROS"),
        (21, "00-0000017", "被保険者番号", "IMPORT-INSURED"),
        (4, "見守\u{e000}", "氏名漢字", "IMPORT-GAIJI"),
        (11, "999", "郵便番号", "IMPORT-POSTAL"),
        (5, "見守", "氏名カナ", "IMPORT-KANA"),
        (18, "19390101", "異動日", "IMPORT-BEFORE-BIRTH"),
        (22, "x", "住所地特例", "IMPORT-CHOICE"),
        (23, "9", "支援措置", "IMPORT-CHOICE"),
    ] {
        let (_, errors) = town(&[&[(at, text)]]);
        assert_eq!(errors.first(), Some(&(2, item, code)), "{item}");
    }
}

#[test]
fn rows_must_agree_with_each_other() {
    let codes = |rows: &[&[(usize, &'static str)]]| {
        town(rows)
            .1
            .into_iter()
            .map(|e| (e.0, e.2))
            .collect::<Vec<_>>()
    };
    assert_eq!(codes(&[&[(2, "0")]]), [(2, "IMPORT-LATEST")]);
    assert_eq!(codes(&[&[], &[(1, "2")]]), [(2, "IMPORT-LATEST")]);
    assert_eq!(codes(&[&[], &[(1, "2"), (2, "0")]]), [(2, "IMPORT-LATEST")]);
    assert_eq!(codes(&[&[(2, "0")], &[]]), [(3, "IMPORT-TWICE")]);
    assert_eq!(
        codes(&[&[], &[(0, "000000000000002")]]),
        [(2, "IMPORT-SAME-INSURED"), (3, "IMPORT-SAME-INSURED")]
    );
    assert_eq!(codes(&[&[(2, "0")], &[(1, "3")]]), [(3, "IMPORT-GAP")]);
    assert_eq!(codes(&[&[(0, "000000000000002")]]), [(2, "IMPORT-HEAD")]);
    assert_eq!(codes(&[&[(3, "0000000009")]]), [(2, "IMPORT-HOUSEHOLD")]);
}
