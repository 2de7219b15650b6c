use super::*;

fn place(residents: &[u8], households: Option<&[u8]>) -> (tempfile::TempDir, Order) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(RESIDENTS), residents).unwrap();
    if let Some(bytes) = households {
        std::fs::write(dir.path().join(HOUSEHOLDS), bytes).unwrap();
    }
    let mut order = Order::folder(dir.path());
    if households.is_none() {
        order.households = None;
    }
    (dir, order)
}

fn list(findings: Findings) -> Vec<(u64, &'static str, &'static str)> {
    let one = |f: &Finding| (f.row, f.item(), f.fault.code());
    findings.into_vec().iter().map(one).collect()
}

const HEAD: &str = "世帯番号,世帯主宛名番号,住所,成立日,消除日\r\n";

fn residents(rows: &[&str]) -> String {
    let header = Sheet::Residents.items().join(",");
    let rows: String = rows.iter().map(|r| format!("{r}\r\n")).collect();
    format!("{header}\r\n{rows}")
}

const GOOD: &str = "000000000000001,1,1,0000000001,見守　花子,ﾐﾏﾓﾘ ﾊﾅｺ,,,2,3150312,世帯主,999-0101,0000001,見守市本町１,,,1,転入,20010203,,0,,0,0,";

#[test]
fn both_encodings_are_guessed_and_read_alike() {
    let text = residents(&[GOOD]);
    let house = format!("{HEAD}0000000001,000000000000001,見守市,20010203,\r\n");
    let cp932 = |t: &str| encoding_rs::SHIFT_JIS.encode(t).0.into_owned();
    let bom = [BOM, text.as_bytes()].concat();
    for bytes in [cp932(&text), text.clone().into_bytes(), bom] {
        let (_dir, order) = place(&bytes, Some(&cp932(&house)));
        let (town, findings) = read(&order, &Progress::default()).unwrap();
        assert_eq!(list(findings), []);
        assert_eq!(town.people[0].latest.kanji, "見守　花子");
        assert_eq!(town.houses.len(), 1);
    }
}

#[test]
fn columns_stand_anywhere_and_missing_or_double_ones_are_named() {
    let mut names: Vec<&str> = Sheet::Residents.items().to_vec();
    let mut cells: Vec<&str> = GOOD.split(',').collect();
    names.reverse();
    cells.reverse();
    let text = format!("余分,{}\r\nx,{}\r\n", names.join(","), cells.join(","));
    let (_dir, order) = place(text.as_bytes(), None);
    let (town, findings) = read(&order, &Progress::default()).unwrap();
    assert_eq!(
        (list(findings), town.people.len(), town.houses.len()),
        (vec![], 1, 1)
    );
    let text = residents(&[GOOD]).replace("支援措置", "性別");
    let (_dir, order) = place(text.as_bytes(), None);
    let (town, findings) = read(&order, &Progress::default()).unwrap();
    assert_eq!(
        list(findings),
        [
            (1, "性別", "IMPORT-HEADER"),
            (1, "支援措置", "IMPORT-HEADER")
        ]
    );
    assert!(town.people.is_empty());
    for empty in ["", "\r\n\r\n"] {
        let (_dir, order) = place(empty.as_bytes(), None);
        let (_, findings) = read(&order, &Progress::default()).unwrap();
        assert_eq!(findings.errors(), 13);
    }
}

#[test]
fn files_and_rows_have_limits_and_told_counts_must_agree() {
    let (_dir, mut order) = place(residents(&[GOOD, GOOD]).as_bytes(), None);
    order.expected.insert(Sheet::Residents, 2);
    assert!(read(&order, &Progress::default()).is_ok());
    order.expected.insert(Sheet::Residents, 3);
    let totals = read(&order, &Progress::default()).unwrap_err();
    assert!(matches!(
        totals,
        ImportError::Totals {
            expected: 3,
            found: 2,
            ..
        }
    ));
    order.limits.rows = 1;
    let rows = read(&order, &Progress::default()).unwrap_err();
    assert!(matches!(rows, ImportError::TooLarge { file: RESIDENTS }));
    order.limits.bytes = 10;
    let bytes = read(&order, &Progress::default()).unwrap_err();
    assert!(matches!(bytes, ImportError::TooLarge { file: RESIDENTS }));
}

#[test]
fn a_file_without_the_mark_of_the_sample_is_no_sample() {
    let marked = |mark: &str| {
        let text = residents(&[&format!("{GOOD},{mark}")]);
        text.replacen("転出先住所", "転出先住所,見本データ", 1)
    };
    for (text, sample) in [
        (marked("架空"), true),
        (marked(""), false),
        (residents(&[GOOD]), false),
    ] {
        let (_dir, mut order) = place(text.as_bytes(), None);
        assert!(read(&order, &Progress::default()).is_ok());
        order.sample_only = true;
        let seen = read(&order, &Progress::default());
        assert_eq!(seen.is_ok(), sample);
        assert!(sample || matches!(seen, Err(ImportError::NotSample)));
    }
}

#[test]
fn the_assumed_standard_form_goes_through_its_code_tables() {
    let layout = Layout::of("standard");
    let header: Vec<String> = layout.residents.iter().flatten().cloned().collect();
    let row = "000000000000001,1,1,0000000001,見守　花子,ミマモリ　ハナコ,,,2,1940-03-12,世帯主,9990101,0000001,見守市,本町,１番地,,,11,01,2001-02-03,,,0000000017,,,";
    let text = format!("{}\r\n{row}\r\n", header.join(","));
    let (_dir, mut order) = place(text.as_bytes(), None);
    order.layout = layout;
    let (town, findings) = read(&order, &Progress::default()).unwrap();
    assert_eq!(list(findings), []);
    let p = &town.people[0];
    assert_eq!(
        (p.latest.address.as_str(), p.events[0].reason.as_str()),
        ("見守市本町１番地", "転入")
    );
    assert_eq!((p.latest.foreigner, p.latest.insured), (false, false));
}
