use mimamori_sheets::{Layout, Place, Unprintable, Why, invisible};
use serde_json::json;

use crate::{LETTER, printer};

fn found(name: &str) -> Vec<Unprintable> {
    printer()
        .sheet(
            LETTER,
            &json!({"rows": [{"name": "見守", "note": ""}, {"name": name, "note": ""}]}),
        )
        .unwrap()
        .unprintable()
        .to_vec()
}

#[test]
fn ordinary_and_variant_characters_print() {
    for name in [
        "髙橋 﨑子",
        "渡邊 辺邉",
        "ﾊﾝｶｸ アイウ",
        "Müller O'Neil",
        "々〆ヶ",
    ] {
        assert_eq!(found(name), [], "{name}");
    }
}

#[test]
fn a_character_without_glyph_is_reported_with_its_page() {
    for c in ["𠮷", "\u{E000}", "\u{1F600}", "한", "\u{2FFFF}"] {
        let all = found(&format!("山{c}田"));
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!(all[0].place, Place::Page(2));
        assert_eq!((all[0].character.as_str(), all[0].why), (c, Why::NoGlyph));
    }
    assert_eq!(found("\u{E000}")[0].codes(), "U+E000");
}

#[test]
fn a_character_without_glyph_stands_as_geta_and_the_layout_learns_of_it() {
    let layout = Layout {
        name: "外字の様式",
        text: "#import \"base.typ\": *\n#show: plain\n#let values = json(\"values.json\")\n#values.name\n#gaiji-note(values)",
    };
    let text = |name: &str| {
        let sheet = printer().sheet(layout, &json!({"name": name})).unwrap();
        sheet.text(1).unwrap().replace('\n', "")
    };
    let shown = text("山\u{E000}田");
    assert!(
        shown.starts_with("山〓田") && shown.contains("外字"),
        "{shown}"
    );
    assert_eq!(text("山田"), "山田");
}

#[test]
fn an_ordered_variant_that_the_font_lacks_is_reported() {
    // IPAex has some variants of 辻 and 邉; nobody has the 200th of 山.
    let all = found("山\u{E01C7}田");
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0].why, Why::NoVariant);
    assert_eq!(all[0].codes(), "U+5C71 U+E01C7");
}

#[test]
fn an_invisible_character_is_reported_with_its_place_among_the_values() {
    for c in [
        '\u{202E}',
        '\u{200B}',
        '\u{FEFF}',
        '\u{AD}',
        '\u{0}',
        '\u{E0041}',
        '\u{3164}',
    ] {
        assert!(invisible(c));
        let all = found(&format!("山{c}田"));
        let hidden: Vec<_> = all.iter().filter(|u| u.why == Why::Invisible).collect();
        assert_eq!(hidden.len(), 1, "{c:?} {all:?}");
        assert_eq!(hidden[0].place, Place::Value("/rows/1/name".into()));
    }
}
