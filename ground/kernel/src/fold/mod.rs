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

/// True for variation selectors: standard, ideographic (IVS) and Mongolian.
fn is_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' | '\u{180b}'..='\u{180f}')
}

#[cfg(test)]
mod tests;
