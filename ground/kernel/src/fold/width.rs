//! Half-width and full-width katakana.

/// Full-width characters of U+FF61–U+FF9F in order.
const FULL: &str = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン゛゜";
const FIRST_HALF: u32 = 0xff61;

/// Half-width katakana to full width; `ｶﾞ` and `ﾊﾟ` become one character.
///
/// Everything else, ASCII as well, stays as it is.
pub fn to_full_kana(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let full = u32::from(c)
            .checked_sub(FIRST_HALF)
            .and_then(|i| FULL.chars().nth(usize::try_from(i).unwrap_or(usize::MAX)))
            .unwrap_or(c);
        let voiced = match c {
            'ﾞ' => out
                .chars()
                .next_back()
                .and_then(|base| marked(base, '\u{3099}')),
            'ﾟ' => out
                .chars()
                .next_back()
                .and_then(|base| marked(base, '\u{309a}')),
            _ => None,
        };
        if let Some(voiced) = voiced {
            out.pop();
            out.push(voiced);
        } else {
            out.push(full);
        }
    }
    out
}

/// Katakana base and mark as one character, if there is one.
fn marked(base: char, mark: char) -> Option<char> {
    if matches!(base, 'ァ'..='ヺ') {
        unicode_normalization::char::compose(base, mark)
    } else {
        None
    }
}

/// Katakana and hiragana to half width as town exports write them; 全角空白 to a space.
///
/// ヰ ヱ ヮ ヵ ヶ have no half form and become ｲ ｴ ﾜ ｶ ｹ. Everything else stays.
pub fn to_half_kana(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let c = match c {
            'ぁ'..='ゖ' => char::from_u32(u32::from(c) + 0x60).unwrap_or(c),
            '\u{3000}' => ' ',
            other => other,
        };
        unicode_normalization::char::decompose_canonical(c, |part| {
            out.push(half(part).unwrap_or(part))
        });
    }
    out
}

fn half(c: char) -> Option<char> {
    let plain = match c {
        'ヰ' => 'イ',
        'ヱ' => 'エ',
        'ヮ' => 'ワ',
        'ヵ' => 'カ',
        'ヶ' => 'ケ',
        '\u{3099}' => '゛',
        '\u{309a}' => '゜',
        other => other,
    };
    let place = FULL.chars().position(|full| full == plain)?;
    char::from_u32(FIRST_HALF + u32::try_from(place).ok()?)
}
