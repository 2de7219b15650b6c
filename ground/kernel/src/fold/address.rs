//! The search key of an address.

use super::{fixed, variants::kanji_key};

/// The key of an address: `本町一丁目２番３号` and `本町1-2-3` are the same.
///
/// On top of [`kanji_key`]: kanji numerals before 丁目, 番地, 番, 号 become digits; these
/// words, の between numbers and every kind of hyphen become `-`; ヶ ヵ が ガ are ケ; の 之 乃
/// are ノ; a closing `-` goes. Kanji numerals joined by hyphens count as numbers (`四-23-4`), 大字 with
/// the 字 after it and the prefecture in front are left out (FACTS, Normalising).
pub fn address_key(text: &str) -> String {
    fixed(text, step)
}

/// Prefectures as an address begins with them; a city such as 府中市 is none.
const PREFECTURES: [&str; 47] = [
    "北海道",
    "青森県",
    "岩手県",
    "宮城県",
    "秋田県",
    "山形県",
    "福島県",
    "茨城県",
    "栃木県",
    "群馬県",
    "埼玉県",
    "千葉県",
    "東京都",
    "神奈川県",
    "新潟県",
    "富山県",
    "石川県",
    "福井県",
    "山梨県",
    "長野県",
    "岐阜県",
    "静岡県",
    "愛知県",
    "三重県",
    "滋賀県",
    "京都府",
    "大阪府",
    "兵庫県",
    "奈良県",
    "和歌山県",
    "鳥取県",
    "島根県",
    "岡山県",
    "広島県",
    "山口県",
    "徳島県",
    "香川県",
    "愛媛県",
    "高知県",
    "福岡県",
    "佐賀県",
    "長崎県",
    "熊本県",
    "大分県",
    "宮崎県",
    "鹿児島県",
    "沖縄県",
];

/// Without the prefecture, 大字, and the 字 that follows a 大字.
fn place(text: &str) -> String {
    let text = text.trim_start();
    let rest = PREFECTURES.iter().find_map(|p| text.strip_prefix(p));
    // The name of the prefecture alone is what somebody searches for.
    let text = rest.filter(|r| !r.is_empty()).unwrap_or(text);
    match text.split_once("大字") {
        Some((before, after)) => format!("{before}{}", after.replacen('字', "", 1)),
        None => text.to_owned(),
    }
}

fn step(text: &str) -> String {
    let chars: Vec<char> = kanji_key(&place(text)).chars().map(letter).collect();
    let chars = numerals(&chars);
    let chars = marks(&chars);
    hyphens(&chars)
}

fn letter(c: char) -> char {
    match c {
        'ヶ' | 'ヵ' | 'が' | 'ガ' => 'ケ',
        'の' | '之' | '乃' => 'ノ',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' => '-',
        other => other,
    }
}

/// The length of a number word (丁目 and so on) at the beginning of `rest`, 0 if there is none.
fn marker(rest: &[char]) -> usize {
    match rest {
        ['丁', '目', ..] | ['番', '地', ..] | ['号', '室', ..] => 2,
        ['丁', '番', ..] => 1,
        ['番', '町' | '街' | '館' | '丁', ..] | ['号', '棟' | '館' | '線' | '地', ..] => {
            0
        }
        ['番' | '号', ..] => 1,
        _ => 0,
    }
}

fn value(c: char) -> Option<u32> {
    "〇一二三四五六七八九"
        .chars()
        .position(|k| k == c)
        .and_then(|n| u32::try_from(n).ok())
}

fn is_numeral(c: char) -> bool {
    value(c).is_some() || matches!(c, '十' | '百' | '千')
}

/// Whether a numeral between `before` and `rest` is part of a number with hyphens: one more number
/// follows its hyphen, or it is the last one of them.
fn joined(before: &[char], rest: &[char]) -> bool {
    let follows = matches!(rest, ['-' | 'ー', c, ..] if c.is_ascii_digit() || is_numeral(*c));
    let ends = matches!(before, [.., d, '-' | 'ー'] if d.is_ascii_digit()) && rest.is_empty();
    follows || ends
}

/// Kanji numerals directly before a number word or among hyphens as decimal digits.
fn numerals(chars: &[char]) -> Vec<char> {
    let mut out = Vec::with_capacity(chars.len());
    let mut i = 0;
    while i < chars.len() {
        let run = chars[i..].iter().take_while(|c| is_numeral(**c)).count();
        if run == 0 {
            out.push(chars[i]);
            i += 1;
        } else {
            let (numeral, rest) = chars[i..].split_at(run);
            match number(numeral) {
                Some(n) if marker(rest) > 0 || joined(&out, rest) => {
                    out.extend(n.to_string().chars())
                }
                _ => out.extend(numeral),
            }
            i += run;
        }
    }
    out
}

/// 二十三 → 23, 一〇二 → 102; none when it is no number below a million.
fn number(numeral: &[char]) -> Option<u32> {
    if numeral.len() > 7 {
        return None;
    }
    if numeral.iter().all(|c| value(*c).is_some()) {
        return numeral
            .iter()
            .try_fold(0u32, |n, c| n.checked_mul(10)?.checked_add(value(*c)?));
    }
    let (mut sum, mut last) = (0, None);
    for c in numeral {
        let unit = match c {
            '十' => 10,
            '百' => 100,
            '千' => 1000,
            _ => {
                if last.replace(value(*c)?).is_some() {
                    return None;
                }
                continue;
            }
        };
        sum += last.take().unwrap_or(1) * unit;
    }
    Some(sum + last.unwrap_or(0))
}

/// Number words and marks after a digit as hyphens.
fn marks(chars: &[char]) -> Vec<char> {
    let mut out: Vec<char> = Vec::with_capacity(chars.len());
    let mut i = 0;
    while i < chars.len() {
        let after_digit = out.last().is_some_and(char::is_ascii_digit);
        let after_number = after_digit || out.last() == Some(&'-');
        let before_digit = chars.get(i + 1).is_some_and(char::is_ascii_digit);
        let word = if after_digit { marker(&chars[i..]) } else { 0 };
        if word > 0 {
            out.push('-');
            i += word;
        } else if (chars[i] == 'ー' && after_digit)
            || (chars[i] == 'ノ' && after_number && before_digit)
        {
            out.push('-');
            i += 1;
        } else {
            out.push(chars[i]);
            i += 1;
        }
    }
    out
}

/// One hyphen for several, none at the end.
fn hyphens(chars: &[char]) -> String {
    let mut out = String::with_capacity(chars.len() * 3);
    for c in chars {
        if *c != '-' || !out.ends_with('-') {
            out.push(*c);
        }
    }
    out.trim_end_matches('-').to_owned()
}
