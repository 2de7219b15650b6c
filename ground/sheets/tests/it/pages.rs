use mimamori_kernel::error::Coded as _;
use mimamori_sheets::{Fonts, Layout, SheetError};
use serde_json::json;

use crate::{LETTER, printer};

#[test]
fn each_row_is_a_page_and_the_pages_hold_the_values() {
    let rows: Vec<_> = (1..=25)
        .map(|n| json!({"name": format!("見守 {n}子"), "note": "保険証をお送りします。"}))
        .collect();
    let sheet = printer().sheet(LETTER, &json!({ "rows": rows })).unwrap();
    assert_eq!(sheet.pages(), 25);
    assert_eq!(sheet.unprintable(), []);
    let seventh = sheet.text(7).unwrap();
    assert!(seventh.contains("見守 7子") && seventh.contains("保険証"));
    assert_eq!(sheet.text(0), None);
    assert_eq!(sheet.text(26), None);
    let pdf = sheet.pdf().unwrap();
    assert!(pdf.starts_with(b"%PDF-1.") && pdf.ends_with(b"%%EOF"));
}

#[test]
fn the_same_values_give_the_same_bytes_on_another_printer() {
    let values = json!({"rows": [{"name": "髙橋 一郎", "note": "令和8年11月21日"}]});
    let make = || printer().sheet(LETTER, &values).unwrap().pdf().unwrap();
    let first = make();
    assert_eq!(first, make());
    let other = json!({"rows": [{"name": "髙橋 一郎", "note": "令和8年11月22日"}]});
    assert_ne!(
        first,
        printer().sheet(LETTER, &other).unwrap().pdf().unwrap()
    );
}

#[test]
fn markup_in_a_value_is_printed_as_text_and_never_run() {
    let hostile = [
        "#read(\"/etc/passwd\") $x^2$ *太字* _斜_ `code` <label> @ref // end",
        "\"}] #let x = 1; #panic(x) \\ #include \"values.json\"",
        "#{ while true {} }",
        "</text></svg>%PDF-1.7 endobj (／JavaScript)",
    ];
    for name in hostile {
        let sheet = printer()
            .sheet(LETTER, &json!({"rows": [{"name": "見守", "note": name}]}))
            .unwrap();
        let printed: String = sheet.text(1).unwrap().split_whitespace().collect();
        let wanted: String = name.split_whitespace().collect();
        assert!(printed.contains(&wanted), "{printed} lacks {wanted}");
    }
}

#[test]
fn a_layout_can_open_no_file_and_no_package() {
    for text in [
        "#read(\"/etc/passwd\")",
        "#read(\"../../../etc/passwd\")",
        "#image(\"/usr/share/pixmaps/a.png\")",
        "#import \"@preview/example:0.1.0\": *",
        "#datetime.today()",
    ] {
        let layout = Layout {
            name: "悪い様式",
            text,
        };
        let error = printer().sheet(layout, &json!({})).err().unwrap();
        assert_eq!(error.code(), "SHEET-LAYOUT", "{text}");
    }
}

#[test]
fn an_error_never_tells_a_value() {
    let error = printer()
        .sheet(
            LETTER,
            &json!({"rows": [{"name": {"kanji": "秘密太郎"}, "note": ""}]}),
        )
        .err()
        .unwrap();
    let SheetError::Layout { causes, .. } = &error else {
        panic!("{error:?}");
    };
    assert!(!causes.is_empty());
    assert!(!format!("{error:?} {error}").contains("秘密"));
}

#[test]
fn a_long_name_becomes_smaller_and_stays_whole_on_one_page() {
    let name = "ヴィシュワナータン・ラーマクリシュナン・スブラマニアム・アイヤール三世";
    let sheet = printer()
        .sheet(LETTER, &json!({"rows": [{"name": name, "note": ""}]}))
        .unwrap();
    assert_eq!(sheet.pages(), 1);
    assert_eq!(sheet.text(1).unwrap().replace('\n', ""), name);
}

#[test]
fn a_preview_is_a_png_of_the_page_in_the_size_asked_for() {
    let sheet = printer()
        .sheet(LETTER, &json!({"rows": [{"name": "見守", "note": ""}]}))
        .unwrap();
    let png = sheet.picture(1, 2.0).unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
    let width = u32::from_be_bytes(png[16..20].try_into().unwrap());
    let height = u32::from_be_bytes(png[20..24].try_into().unwrap());
    // 100 mm x 148 mm are 283.5 pt x 419.5 pt.
    assert_eq!((width, height), (567, 839));
    for page in [0, 2] {
        assert_eq!(
            sheet.picture(page, 2.0).err().unwrap().code(),
            "SHEET-NO-PAGE"
        );
    }
}

#[test]
fn without_the_fonts_the_error_says_which_package_to_install() {
    let empty = tempfile::tempdir().unwrap();
    let error = Fonts::under(&[empty.path()]).err().unwrap();
    assert_eq!(error.code(), "SHEET-FONT");
    assert!(error.to_string().contains("IPAexMincho"));
    assert!(error.advice().contains("fonts-ipaexfont"));
}

#[test]
fn a_document_that_is_too_long_is_refused() {
    let layout = Layout {
        name: "長い様式",
        text: "#for n in range(2001) { pagebreak(weak: false) }",
    };
    let error = printer().sheet(layout, &json!({})).err().unwrap();
    assert_eq!(error.code(), "SHEET-TOO-LONG");
}
