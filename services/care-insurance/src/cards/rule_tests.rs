use jiff::civil::date;
use mimamori_sheets::{Fonts, Layout, Printer};

use super::*;

fn insurer() -> Insurer {
    Insurer {
        number: "999995".into(),
        name: "見守市".into(),
        contact: "介護保険課".into(),
        sample: false,
    }
}

fn card() -> Card {
    Card {
        number: "0000000101".into(),
        name: "髙橋　千代".into(),
        kana: "タカハシ　チヨ".into(),
        birth: "1940-05-00".into(),
        sex: 2,
        postal: "9990001".into(),
        address: "見守市桜町1丁目2番3号".into(),
        building: "見守コーポ101号室".into(),
    }
}

/// Every label of the card stands in one piece per line in the width of its cell, whatever that is:
/// the layout's own function is set with a narrow cell and measured.
#[test]
fn no_label_of_the_card_is_broken_inside() {
    let (functions, _) = CARD.text.split_once("#let boxes").unwrap();
    let measured = "
#let height(body) = measure(body, width: 40pt).height
#context assert(height(heads((\"並びに保険者\",))) < 1.5 * height(text(size: 7.5pt)[者]))
#context assert(height(heads((\"保険者番号\", \"の名称及び印\"))) < 3.2 * height(text(size: 7.5pt)[者]))
";
    let text: &'static str = Box::leak((functions.to_owned() + measured).into_boxed_str());
    let printer = Printer::new(Fonts::system().unwrap());
    let day = date(2026, 11, 21);
    let values = values(
        &insurer(),
        &[card()],
        day,
        &Paper::Print("出力番号 7".into()),
    );
    printer.sheet(Layout { text, ..CARD }, &values).unwrap();
    // Nothing stands in a label's place but through that function.
    assert!(!CARD.text.contains("cell(["), "a label set as it comes");
}

#[test]
fn each_card_is_one_page_with_everything_on_it() {
    let printer = Printer::new(Fonts::system().unwrap());
    let long = Card {
        name: "ヴィシュワナータン・ラーマクリシュナン・スブラマニアム".into(),
        address: "見守市".to_owned() + &"大字桜町".repeat(20),
        building: "フロール見守サンフラワーレジデンス弐番館".repeat(2),
        ..card()
    };
    let cards = [card(), long, card()];
    let day = date(2026, 11, 21);
    let sheet = printer
        .sheet(
            CARD,
            &values(&insurer(), &cards, day, &Paper::Print("出力番号 7".into())),
        )
        .unwrap();
    assert_eq!(sheet.pages(), 3);
    assert_eq!(sheet.unprintable(), []);
    let text: String = sheet.text(1).unwrap().split_whitespace().collect();
    for part in [
        "介護保険被保険者証",
        "髙橋千代",
        "タカハシチヨ",
        "〒999-0001",
        "桜町1丁目2番3号",
        "見守コーポ101号室",
        "令和8年11月21日",
        "女",
        "見守市",
        "出力番号7",
        "想定",
        "1／3",
    ] {
        assert!(text.contains(part), "{text} lacks {part}");
    }
    // The number stands in ten boxes.
    assert!(text.contains("0000000101"), "{text}");
}

#[test]
fn a_card_with_a_doubtful_character_is_named() {
    let fonts = Fonts::system().unwrap();
    assert!(card().doubtful(&fonts).is_empty());
    let name = Card {
        name: "𠮷田\u{E0100}\u{202E}".into(),
        ..card()
    };
    assert_eq!(name.doubtful(&fonts), ['\u{202E}', '𠮷', '\u{E0100}']);
}

#[test]
fn a_character_without_glyph_stands_as_geta_with_a_note_and_a_demo_says_so() {
    let printer = Printer::new(Fonts::system().unwrap());
    let text = |card: Card, insurer: &Insurer| {
        let day = date(2026, 11, 21);
        let sheet = printer
            .sheet(
                CARD,
                &values(insurer, &[card], day, &Paper::Print("出力番号 7".into())),
            )
            .unwrap();
        assert_eq!(sheet.pages(), 1);
        sheet.text(1).unwrap().replace('\n', "")
    };
    let name = Card {
        name: "𠮷田　千代".into(),
        ..card()
    };
    let strange = text(name, &insurer());
    assert!(
        strange.contains("〓田") && strange.contains("外字"),
        "{strange}"
    );
    let plain = text(card(), &insurer());
    assert!(
        !plain.contains("外字") && !plain.contains("見本"),
        "{plain}"
    );
    let demo = Insurer {
        sample: true,
        ..insurer()
    };
    assert!(text(card(), &demo).contains("見本"));
}

/// A picture on the screen says 確認用 across it and is no card; paper for the hand does not.
#[test]
fn only_the_preview_carries_the_watermark_of_a_check() {
    let day = date(2026, 11, 21);
    let of = |insurer: &Insurer, paper: &Paper| {
        let values = values(insurer, &[card()], day, paper);
        values["watermark"].as_str().unwrap().to_owned()
    };
    let print = Paper::Print("出力番号 7".into());
    let demo = Insurer {
        sample: true,
        ..insurer()
    };
    assert_eq!(of(&insurer(), &Paper::Preview), "確認用");
    assert_eq!(of(&demo, &Paper::Preview), "確認用");
    assert_eq!(of(&insurer(), &print), "");
    assert_eq!(of(&demo, &print), "見本");
    // And it is drawn.
    let printer = Printer::new(Fonts::system().unwrap());
    let drawn = |paper: &Paper| {
        let mut values = values(&insurer(), &[card()], day, paper);
        values["stamp"] = "".into();
        printer
            .sheet(CARD, &values)
            .unwrap()
            .picture(1, 1.0)
            .unwrap()
    };
    assert_ne!(drawn(&Paper::Preview), drawn(&print));
}
