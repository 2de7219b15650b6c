use super::*;
use proptest::prelude::*;

#[test]
fn spellings_of_one_kana_name_share_a_key() {
    for group in [
        &[
            "ｻｲﾄｳ ｼｽﾞｴ",
            "サイトウ　シズエ",
            "さいとう しづえ",
            "サイトウ・シスエ",
            "サイトーシズエ".trim_end_matches('x'),
        ][..4],
        &[
            "ヴァイオレット",
            "バイオレツト",
            "ｳﾞｧｲｵﾚｯﾄ",
            "ウ゛ァイオレット",
        ],
        &["ローズ", "ロース", "ﾛｰｽﾞ", "ロズ", "ロ-ズ"],
        &["ヂンナイ", "ジンナイ", "ｼﾞﾝﾅｲ"],
        &["みを", "ミオ", "ﾐｦ"],
        &["André", "ANDRE", "ａｎｄｒｅ"],
    ] {
        for name in group {
            assert_eq!(kana_key(name), kana_key(group[0]), "{name}");
        }
    }
    assert!(kana_key("ﾜﾀﾅﾍﾞ ｲﾁﾛｳ").starts_with(&kana_key("わたなべ")));
    assert_ne!(kana_key("ツダ"), kana_key("スダ"));
}

#[test]
fn variants_of_one_kanji_name_share_a_key() {
    for (a, b) in [
        ("髙橋", "高橋"),
        ("﨑山", "崎山"),
        ("渡邉", "渡辺"),
        ("渡邊", "渡辺"),
        ("澤田", "沢田"),
        ("齋藤", "斉藤"),
        ("齊藤", "斎藤"),
        ("濵田", "浜田"),
        ("濱田", "浜田"),
        ("中嶋", "中島"),
        ("𠮷田", "吉田"),
        ("辻\u{e0101}本", "辻本"),
        ("ＡＢＣ　木", "abc木"),
        ("廣瀨", "広瀬"),
        ("德永", "徳永"),
        ("神\u{fe00}田", "神田"),
        ("冨田", "富田"),
    ] {
        assert_eq!(kanji_key(a), kanji_key(b), "{a}");
    }
    assert_ne!(kanji_key("山田"), kanji_key("川田"));
}

#[test]
fn spellings_of_one_address_share_a_key() {
    let want = "見守市希望ケ丘12-3-4";
    for text in [
        "見守市希望ヶ丘十二丁目3番4号",
        "見守市希望が丘１２丁目３番４号",
        "見守市希望ケ丘１２－３－４",
        "見守市 希望ヶ丘 12-3-4",
        "見守市希望ヶ丘12丁目3番地の4",
        "見守市希望ヶ丘12丁目3番地4",
        "見守市希望ヶ丘12‐3−4",
        "見守市希望ヶ丘12ー3ー4",
        "見守市希望ヶ丘十二丁目三番四号",
    ] {
        assert_eq!(address_key(text), want, "{text}");
    }
    assert_eq!(
        address_key("見守市井之頭1丁目"),
        address_key("見守市井の頭一丁目")
    );
    assert_eq!(address_key("見守市一番町2-3"), "見守市一番町2-3");
    assert_eq!(address_key("本町一〇二番地"), "本町102");
    assert_eq!(address_key("センター前3"), "センター前3");
}

#[test]
fn real_spellings_of_an_address_share_a_key() {
    for text in [
        "見守市若葉台4丁目23番4号",
        "見守市若葉台四-23-4",
        "見守市若葉台４－２３－４",
        "見守市若葉台四丁目２３番４号",
        "見守市若葉台四ー二三ー四",
        "見守市若葉台4丁目23-4",
        "見守市若葉台４丁目２３番地の４",
        "埼玉県見守市若葉台4−23−4",
        "見守市若葉台四丁目二十三番四号",
        " 見守市　若葉台４ｰ２３ｰ４",
    ] {
        assert_eq!(address_key(text), "見守市若葉台4-23-4", "{text}");
    }
    for text in [
        "見守市遠藤西原1234番地の5",
        "見守市大字遠藤字西原1234番地5",
        "見守市大字遠藤西原１２３４－５",
    ] {
        assert_eq!(address_key(text), "見守市遠藤西原1234-5", "{text}");
    }
    // Names keep their numerals, and a city of a prefecture's sound its name.
    assert_eq!(address_key("三ノ輪2-3"), "三ノ輪2-3");
    assert_eq!(address_key("十文字町3"), "十文字町3");
    assert_eq!(address_key("府中市一番町"), "府中市一番町");
    assert_ne!(address_key("八王子市2-3"), address_key("王子市8-2-3"));
}

#[test]
fn half_width_kana_joins_its_marks() {
    assert_eq!(to_full_kana("ﾜﾀﾅﾍﾞ ﾊﾟﾝﾀﾞ ｳﾞ ﾞ A"), "ワタナベ パンダ ヴ ゛ A");
    assert_eq!(
        to_half_kana("ワタナベ　パンダ・ヴー ゐヵ"),
        "ﾜﾀﾅﾍﾞ ﾊﾟﾝﾀﾞ･ｳﾞｰ ゐｶ".replace('ゐ', "ｲ")
    );
    assert_eq!(to_half_kana("山田 A1"), "山田 A1");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_key_of_a_key_is_the_key(text in any::<String>()) {
        for key in [kana_key, kanji_key, address_key] {
            let once = key(&text);
            prop_assert_eq!(key(&once), once);
        }
    }

    #[test]
    fn a_key_of_a_key_is_the_key_in_japanese(text in "[ぁ-ゟ゠-ヿｦ-ﾟ一二十百千丁目番地号室町の之ノケヶがー・0-9０-９Ａ-ｚ\\-‐−゛゜\u{3099}\u{309a} 　]{0,24}") {
        for key in [kana_key, kanji_key, address_key] {
            let once = key(&text);
            prop_assert_eq!(key(&once), once);
        }
    }

    #[test]
    fn kana_that_has_a_half_form_survives_both_ways(text in "[ア-ロワヲンー・]{0,20}") {
        let text: String = text.chars().filter(|c| *c != 'ヮ').collect();
        prop_assert_eq!(to_full_kana(&to_half_kana(&text)), text);
    }

    #[test]
    fn the_width_of_kana_never_changes_its_key(text in "[ぁ-んァ-ヴー]{0,20}") {
        prop_assert_eq!(kana_key(&to_half_kana(&text)), kana_key(&text));
    }

    #[test]
    fn any_text_can_change_its_width(text in any::<String>()) {
        let _ = to_half_kana(&to_full_kana(&text));
    }
}

#[test]
fn characters_that_nobody_sees_are_known_and_selectors_stay() {
    for c in [
        '\0',
        '\n',
        '\u{200b}',
        '\u{202e}',
        '\u{2066}',
        '\u{feff}',
        '\u{e0041}',
    ] {
        assert!(super::is_hidden(c), "{c:?}");
    }
    for c in "髙﨑辻\u{e0100}ヴー　 -𠮷".chars() {
        assert!(!super::is_hidden(c), "{c:?}");
    }
}
