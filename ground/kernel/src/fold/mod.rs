//! Search keys for names and addresses (あいまい検索の鍵), and kana width (FACTS B.4).
//!
//! Keys are compared with keys only and never shown. Each key function is
//! idempotent, `key(key(x)) == key(x)`, and total: no text makes it panic.

mod address;
mod kana;
mod variants;
mod width;

pub use address::address_key;
pub use kana::kana_key;
pub use variants::kanji_key;
pub use width::{to_full_kana, to_half_kana};

/// Applies `step` until nothing changes, so that the result is a fixed point.
///
/// Every step here converges in two or three rounds; the bound is a safety net.
fn fixed(text: &str, step: impl Fn(&str) -> String) -> String {
    let mut now = step(text);
    for _ in 0..16 {
        let next = step(&now);
        if next == now {
            break;
        }
        now = next;
    }
    now
}

/// Whether a character stands in a text without being seen: controls, line and paragraph separators, zero-width and
/// direction marks, tags. A name with one is a different text that looks the same. Variation selectors are none of
/// them: a name may need one.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        )
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}')
        || matches!(c, '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// True for variation selectors: standard, ideographic (IVS) and Mongolian.
fn is_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' | '\u{180b}'..='\u{180f}')
}

#[cfg(test)]
mod tests;
