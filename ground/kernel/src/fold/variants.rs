//! The search key of a kanji name: variants (異体字) to one representative.

use super::{fixed, is_selector};
use std::collections::HashMap;
use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;

/// Representative and its variants, as name registers hold them (own table).
const ROWS: &[(char, &str)] = &[
    ('高', "髙"),
    ('崎', "﨑嵜碕"),
    ('辺', "邊邉"),
    ('沢', "澤"),
    ('斉', "齋齊斎"),
    ('浜', "濱濵"),
    ('島', "嶋嶌"),
    ('吉', "𠮷"),
    ('桜', "櫻"),
    ('広', "廣"),
    ('国', "國圀"),
    ('恵', "惠"),
    ('真', "眞"),
    ('徳', "德"),
    ('瀬', "瀨"),
    ('頼', "賴"),
    ('桑', "桒"),
    ('曽', "曾"),
    ('関', "關"),
    ('竜', "龍"),
    ('滝', "瀧"),
    ('宝', "寶寳"),
    ('実', "實"),
    ('栄', "榮"),
    ('寿', "壽"),
    ('亀', "龜"),
    ('鉄', "鐵鐡"),
    ('塩', "鹽"),
    ('円', "圓"),
    ('万', "萬"),
    ('与', "與"),
    ('会', "會"),
    ('伝', "傳"),
    ('児', "兒"),
    ('内', "內"),
    ('剣', "劍劔劒"),
    ('勲', "勳"),
    ('医', "醫"),
    ('参', "參"),
    ('号', "號"),
    ('園', "薗"),
    ('堯', "尭"),
    ('壮', "壯"),
    ('学', "學斈"),
    ('宮', "宫"),
    ('将', "將"),
    ('岳', "嶽"),
    ('峰', "峯"),
    ('巌', "巖"),
    ('巻', "卷"),
    ('帯', "帶"),
    ('庁', "廳"),
    ('弥', "彌"),
    ('応', "應"),
    ('恒', "恆"),
    ('戸', "戶"),
    ('数', "數"),
    ('晃', "晄"),
    ('晋', "晉"),
    ('暁', "曉"),
    ('杉', "杦"),
    ('条', "條"),
    ('来', "來"),
    ('槙', "槇"),
    ('検', "檢"),
    ('権', "權"),
    ('横', "橫"),
    ('歩', "步"),
    ('歴', "歷"),
    ('毎', "每"),
    ('気', "氣"),
    ('沖', "冲"),
    ('浄', "淨"),
    ('渕', "淵渊"),
    ('温', "溫"),
    ('湾', "灣"),
    ('為', "爲"),
    ('瑶', "瑤"),
    ('畑', "畠"),
    ('畳', "疊"),
    ('県', "縣"),
    ('礼', "禮"),
    ('禄', "祿"),
    ('秋', "穐龝"),
    ('稲', "稻"),
    ('穂', "穗"),
    ('糸', "絲"),
    ('経', "經"),
    ('緑', "綠"),
    ('総', "總"),
    ('縄', "繩"),
    ('群', "羣"),
    ('聡', "聰"),
    ('声', "聲"),
    ('荘', "莊"),
    ('蔵', "藏"),
    ('薫', "薰"),
    ('蛍', "螢"),
    ('衛', "衞"),
    ('覚', "覺"),
    ('観', "觀"),
    ('読', "讀"),
    ('豊', "豐"),
    ('弁', "辨瓣辯"),
    ('遥', "遙"),
    ('野', "埜"),
    ('鋳', "鑄"),
    ('陥', "陷"),
    ('険', "險"),
    ('雑', "雜"),
    ('霊', "靈"),
    ('静', "靜"),
    ('顕', "顯"),
    ('館', "舘"),
    ('駅', "驛"),
    ('鶴', "靏靍"),
    ('鴎', "鷗"),
    ('麦', "麥"),
    ('黒', "黑"),
    ('黄', "黃"),
    ('青', "靑"),
    ('清', "淸"),
    ('郎', "郞"),
    ('柳', "栁"),
    ('梅', "楳"),
    ('松', "枩"),
    ('富', "冨"),
    ('柏', "栢"),
    ('曳', "曵"),
    ('仏', "佛"),
    ('体', "體"),
];

static TABLE: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let pairs = ROWS
        .iter()
        .flat_map(|(to, from)| from.chars().map(|c| (c, *to)));
    pairs.filter(|(from, to)| from != to).collect()
});

/// The key of a kanji name or any Japanese text.
///
/// Variants fold to one representative (髙 → 高, 﨑 → 崎, 邊 邉 → 辺), variation selectors
/// and spaces go, compatibility forms and width fold (NFKC), Latin letters are upper case.
pub fn kanji_key(text: &str) -> String {
    fixed(text, step)
}

fn step(text: &str) -> String {
    text.nfkc()
        .filter(|c| !is_selector(*c) && !c.is_whitespace())
        .map(|c| TABLE.get(&c).copied().unwrap_or(c).to_ascii_uppercase())
        .nfc()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_large_and_no_representative_is_a_variant() {
        assert!(TABLE.len() >= 100, "{}", TABLE.len());
        for to in TABLE.values() {
            assert!(!TABLE.contains_key(to), "{to}");
        }
    }

    #[test]
    fn no_variant_has_two_representatives() {
        for (to, from) in ROWS {
            for c in from.chars().filter(|c| c != to) {
                assert_eq!(TABLE.get(&c), Some(to), "{c}");
            }
        }
    }
}
