use super::super::{Amount, Limit, Outcome, Test};
use super::*;
use jiff::civil::date;

const LAYOUT: &str = r#"
name = "試験"
encoding = "utf8"
not_done = ["", "未実施"]
unmeasurable = ["測定不能"]
[person]
resident = "番号"
kana = "氏名"
birth = "生年月日"
sex = "性別"
day = "日"
[columns]
"A1c_HPLC" = "3D046000001920402"
"A1c_免疫" = "3D046000001906202"
"A1c_JDS" = "3D045000001906202"
"Cr" = "3C015000002327101"
"尿蛋白" = "1A010000000191111"
[ignored]
columns = ["備考"]
"#;
const HEADING: &str = "番号,氏名,生年月日,性別,日,A1c_HPLC,A1c_免疫,A1c_JDS,Cr,尿蛋白,備考";

fn layout() -> Layout {
    Layout::parse(LAYOUT, Codes::standard()).unwrap()
}

fn read_with(bytes: &[u8], layout: &Layout) -> Result<(Mapped, Vec<Read>), MappedError> {
    let mut all = vec![];
    let mapped = read_mapped(bytes, layout, Codes::standard(), date(2025, 12, 1), |r| {
        all.push(r)
    })?;
    Ok((mapped, all))
}

fn one(results: &str) -> Read {
    let row =
        format!("{HEADING}\r\n000000000000001,ミマモリ　ハナコ,S30.1.2,2,2025/6/1,{results},\r\n");
    read_with(row.as_bytes(), &layout()).unwrap().1.remove(0)
}

fn told(read: &Read) -> Vec<(&str, Reason)> {
    read.defects
        .iter()
        .map(|d| (d.item.as_str(), d.reason))
        .collect()
}

#[test]
fn a_row_is_a_health_check() {
    let read = one("未実施,7.2,,0.82,3");
    assert_eq!(told(&read), []);
    assert_eq!(read.place, "2行目");
    let checkup = read.checkup.unwrap();
    assert_eq!(
        (checkup.subject.birth, checkup.day),
        (date(1955, 1, 2), date(2025, 6, 1))
    );
    assert_eq!(checkup.subject.resident.as_deref(), Some("000000000000001"));
    let amount = |n| {
        Some(Outcome::Amount {
            amount: Amount::from_thousandths(n),
            limit: None,
        })
    };
    assert_eq!(checkup.outcome(Test::Hba1c), amount(7200));
    assert_eq!(checkup.outcome(Test::Creatinine), amount(820));
    assert_eq!(
        checkup.outcome(Test::UrineProtein),
        Some(Outcome::Choice(3))
    );
    assert_eq!(checkup.outcome(Test::Hba1cJds), None);
}

#[test]
fn a_wrong_value_keeps_the_row_and_names_its_column() {
    let read = one("2l.0,７.2,6.6,99.9,7");
    assert_eq!(
        told(&read),
        [
            ("A1c_HPLC", Reason::Number),
            ("A1c_JDS", Reason::Jds),
            ("A1c_免疫", Reason::Number),
            ("Cr", Reason::Range),
            ("尿蛋白", Reason::Choice),
        ]
    );
    assert!(read.checkup.unwrap().results.is_empty());
    let marked = one(",20.0H,,測定不能,").checkup.unwrap();
    let high = Outcome::Amount {
        amount: Amount::from_thousandths(20_000),
        limit: Some(Limit::OrMore),
    };
    assert_eq!(marked.outcome(Test::Hba1c), Some(high));
    assert_eq!(
        marked.outcome(Test::Creatinine),
        Some(Outcome::Unmeasurable)
    );
    assert_eq!(marked.outcome(Test::UrineProtein), Some(Outcome::NotDone));
}

#[test]
fn broken_rows_are_told_by_their_line_and_the_others_read() {
    let good = "1,ミホン,19550102,1,20250601,,7.0,,,1,";
    let good = good.replacen('1', "000000000000001", 1);
    let long = "x".repeat(ROW_LIMIT + 10);
    let text = format!("{HEADING}\n{good}\n\n1,2,3\n\"{good}\n{long}\n{good}");
    let (mapped, all) = read_with(text.as_bytes(), &layout()).unwrap();
    assert_eq!((mapped.rows, all.len()), (5, 5));
    let seen: Vec<_> = all
        .iter()
        .map(|r| (r.place.as_str(), r.defects.first().map(|d| d.reason)))
        .collect();
    assert_eq!(
        seen,
        [
            ("2行目", None),
            ("4行目", Some(Reason::Columns)),
            ("5行目", Some(Reason::Quote)),
            ("6行目", Some(Reason::LongRow)),
            ("7行目", None),
        ]
    );
}

#[test]
fn both_encodings_and_a_mark_are_read_and_broken_characters_told() {
    let row = "000000000000001,ﾐﾏﾓﾘ ﾊﾅｺ,19550102,1,20250601,,7.0,,,1,";
    let text = format!("{HEADING}\r\n{row}\r\n");
    let marked = [&[0xef, 0xbb, 0xbf], text.as_bytes()].concat();
    let (_, all) = read_with(&marked, &layout()).unwrap();
    assert_eq!(told(&all[0]), [("氏名カナ", Reason::HalfWidth)]);
    let cp932 = Layout::parse(&LAYOUT.replace("utf8", "cp932"), Codes::standard()).unwrap();
    let (bytes, _, lost) = SHIFT_JIS.encode(&text);
    assert!(!lost);
    let (_, all) = read_with(&bytes, &cp932).unwrap();
    assert_eq!(
        all[0].checkup.as_ref().unwrap().subject.kana,
        "ミマモリ ハナコ"
    );
    let gaiji = [
        &bytes[..],
        b"000000000000001,\xf0\x40\x83\x7e,19550102,1,20250601,,7.0,,,1,\r\n",
    ]
    .concat();
    let (_, all) = read_with(&gaiji, &cp932).unwrap();
    assert_eq!(told(&all[1]), [("氏名カナ", Reason::Gaiji)]);
    let (_, all) = read_with(
        &[text.as_bytes(), b"1,\x81\xff,3,4,5,6,7,8,9,10,11\r\n"].concat(),
        &layout(),
    )
    .unwrap();
    assert_eq!(told(&all[1]), [("行", Reason::Encoding)]);
}

#[test]
fn a_heading_that_does_not_fit_the_layout_is_refused() {
    let column = |text: &str| match read_with(text.as_bytes(), &layout()) {
        Err(MappedError::Column(column)) => column,
        other => panic!("{other:?}"),
    };
    assert_eq!(column(&HEADING.replace(",Cr", "")), "Cr");
    assert_eq!(column(&format!("{HEADING},Cr")), "Cr");
    assert!(matches!(
        read_with(b"", &layout()),
        Err(MappedError::Heading)
    ));
    let more = format!("{HEADING},電話\n");
    assert_eq!(
        read_with(more.as_bytes(), &layout()).unwrap().0.unknown,
        ["電話"]
    );
}
