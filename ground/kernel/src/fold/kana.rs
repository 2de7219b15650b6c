//! The search key of a kana name.

use super::fixed;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The key of a kana name for prefix search.
///
/// Folded: width, hiragana, small kana, 濁点 and 半濁点, ヴ (as the バ row), ヂ as ジ and
/// ヅ as ズ (before the 濁点 falls), ヲ ヰ ヱ, Latin case and accents. Removed: spaces, 長音,
/// hyphens, middle dots, full stops, commas, apostrophes.
pub fn kana_key(text: &str) -> String {
    fixed(text, step)
}

fn step(text: &str) -> String {
    let whole: String = text
        .nfkc()
        .filter(|c| !is_noise(*c))
        .map(katakana)
        .nfc()
        .collect();
    let mut out = String::with_capacity(whole.len());
    let mut chars = whole.chars().peekable();
    while let Some(c) = chars.next() {
        if c == 'ヴ' {
            let row = chars.peek().and_then(|next| v_row(*next));
            out.push(row.unwrap_or('フ'));
            if row.is_some() {
                chars.next();
            }
            continue;
        }
        let plain = match c {
            'ヂ' => 'シ',
            'ヅ' => 'ス',
            other => other,
        };
        out.extend(plain.nfd().filter(|c| !is_combining_mark(*c)).map(large));
    }
    out.nfc().collect()
}

/// ヴァ ヴィ ヴェ ヴォ belong to the バ row; a large vowel counts as well.
fn v_row(next: char) -> Option<char> {
    Some(match next {
        'ァ' => 'ハ',
        'ィ' => 'ヒ',
        'ェ' => 'ヘ',
        'ォ' => 'ホ',
        'ゥ' => 'フ',
        _ => return None,
    })
}

fn katakana(c: char) -> char {
    match c {
        'ぁ'..='ゖ' | 'ゝ' | 'ゞ' => char::from_u32(u32::from(c) + 0x60).unwrap_or(c),
        other => other,
    }
}

fn large(c: char) -> char {
    match c {
        'ァ' => 'ア',
        'ィ' | 'ヰ' => 'イ',
        'ゥ' => 'ウ',
        'ェ' | 'ヱ' => 'エ',
        'ォ' | 'ヲ' => 'オ',
        'ッ' => 'ツ',
        'ャ' => 'ヤ',
        'ュ' => 'ユ',
        'ョ' => 'ヨ',
        'ヮ' => 'ワ',
        'ヵ' => 'カ',
        'ヶ' => 'ケ',
        other => other.to_ascii_uppercase(),
    }
}

fn is_noise(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(
            c,
            'ー' | '-' | '・' | '·' | '゠' | '.' | ',' | '\'' | '’' | '~' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{200b}'..='\u{200f}' | '\u{feff}'
        )
}
