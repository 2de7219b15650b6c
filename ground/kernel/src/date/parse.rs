//! Reads dates the way clerks type them.

use super::{DateError, Era, PartialDate};
use jiff::civil::Date;
use unicode_normalization::UnicodeNormalization;

/// Endings that say a part is not known, longest first.
const UNKNOWN: [&str; 8] = [
    "月日不詳",
    "月日不明",
    "日不詳",
    "日不明",
    "月不詳",
    "月不明",
    "不詳",
    "不明",
];

/// Reads a date in any habit of the counter.
///
/// `S150312`, `s15.3.12`, `昭和15年3月12日`, `昭和元年12月25日`, `昭和15年3月不詳`, `昭和15年`,
/// `R7`, `1940-03-12`, `1940/3/12`, `19400312`, `1940年3月`, the interface form `3150312`
/// (1–5 = 明治–令和), `不詳`; full-width letters and digits; `00` for unknown parts; what
/// [`super::wareki_with_western`] writes.
///
/// # Errors
/// [`DateError`] with the precise reason; never the text that was typed.
pub fn parse_any(text: &str) -> Result<PartialDate, DateError> {
    let mut text: String = text.nfkc().filter(|c| !c.is_whitespace()).collect();
    text.make_ascii_uppercase();
    if text.is_empty() {
        return Err(DateError::Empty);
    }
    let western = take_western(&mut text);
    let text: String = text.chars().filter(|c| !matches!(c, '(' | ')')).collect();
    let (body, unknown) = UNKNOWN
        .iter()
        .find_map(|end| text.strip_suffix(end))
        .map_or((text.as_str(), false), |body| (body, true));
    if body.is_empty() && unknown {
        return Ok(PartialDate::UNKNOWN);
    }
    let date = parse_body(body)?;
    if unknown && date.is_full() {
        return Err(DateError::Shape);
    }
    match western {
        Some(year) if year != date.year() => Err(DateError::Contradiction),
        _ => Ok(date),
    }
}

/// Reads a day of which year, month and day are known, in any habit of the counter.
///
/// # Errors
/// As [`parse_any`], and [`DateError::NotFull`] when a part is unknown.
pub fn parse_full(text: &str) -> Result<Date, DateError> {
    parse_any(text)?.full().ok_or(DateError::NotFull)
}

/// Cuts a closing `(1940)` off and gives its year.
fn take_western(text: &mut String) -> Option<i16> {
    let cut = text.len().checked_sub(6)?;
    let tail = text.get(cut..)?.strip_prefix('(')?.strip_suffix(')')?;
    let year = digits(tail)?;
    text.truncate(cut);
    Some(year)
}

fn parse_body(body: &str) -> Result<PartialDate, DateError> {
    let (era, rest) = take_era(body);
    let rest = rest
        .strip_prefix('元')
        .map_or_else(|| rest.to_owned(), |tail| format!("1{tail}"));
    let fields = fields(&rest)?;
    match (era, fields.as_slice()) {
        (Some(era), [one]) if one.len() == 6 => in_era(era, &[&one[..2], &one[2..4], &one[4..]]),
        (Some(era), parts) => in_era(era, &parts.iter().map(String::as_str).collect::<Vec<_>>()),
        (None, [one]) => match one.len() {
            8 => western(&[&one[..4], &one[4..6], &one[6..]]),
            7 => {
                let digit = one.as_bytes()[0];
                let era = Era::ALL
                    .into_iter()
                    .find(|e| e.digit() + b'0' == digit)
                    .ok_or(DateError::Shape)?;
                in_era(era, &[&one[1..3], &one[3..5], &one[5..]])
            }
            4 if matches!(digits(one), Some(1868..=2199)) => western(&[one]),
            4 => Err(DateError::Year),
            _ => Err(DateError::Shape),
        },
        (None, parts) => western(&parts.iter().map(String::as_str).collect::<Vec<_>>()),
    }
}

/// The era at the beginning of a text, by name, first character or letter.
fn take_era(text: &str) -> (Option<Era>, &str) {
    for era in Era::ALL {
        let letter = era.letter().to_string();
        let first: String = era.name().chars().take(1).collect();
        for head in [era.name(), first.as_str(), letter.as_str()] {
            if let Some(rest) = text.strip_prefix(head) {
                return (Some(era), rest.strip_prefix('.').unwrap_or(rest));
            }
        }
    }
    (None, text)
}

/// One to three runs of digits; separators are of one family, kanji or marks.
fn fields(text: &str) -> Result<Vec<String>, DateError> {
    let kanji = text.contains(['年', '月', '日']);
    let mut out = vec![String::new()];
    let mut seen = 0;
    for c in text.chars() {
        let place = match c {
            '0'..='9' => {
                if let Some(last) = out.last_mut() {
                    last.push(c);
                }
                continue;
            }
            '年' => 1,
            '月' => 2,
            '日' => 3,
            '/' | '.' | '-' | '\u{2212}' | '\u{2010}'..='\u{2015}' | 'ー' | '・' | ','
                if !kanji =>
            {
                seen + 1
            }
            _ => return Err(DateError::Shape),
        };
        if place != seen + 1 || place > 3 {
            return Err(DateError::Shape);
        }
        seen = place;
        out.push(String::new());
    }
    if out.last().is_some_and(String::is_empty) && kanji {
        out.pop();
    }
    let sound = !out.is_empty() && out.len() <= 3 && out.iter().all(|f| !f.is_empty());
    if sound {
        Ok(out)
    } else {
        Err(DateError::Shape)
    }
}

fn in_era(era: Era, parts: &[&str]) -> Result<PartialDate, DateError> {
    if parts.first().is_none_or(|y| y.len() > 2) {
        return Err(DateError::Shape);
    }
    let (month, day) = month_and_day(parts)?;
    let year = parts
        .first()
        .and_then(|y| digits(y))
        .and_then(|y| u8::try_from(y).ok());
    era.date(year.ok_or(DateError::Shape)?, month, day)
}

fn western(parts: &[&str]) -> Result<PartialDate, DateError> {
    let year = parts
        .first()
        .filter(|y| y.len() == 4)
        .ok_or(DateError::Year)?;
    let (month, day) = month_and_day(parts)?;
    PartialDate::new(digits(year).ok_or(DateError::Shape)?, month, day)
}

fn month_and_day(parts: &[&str]) -> Result<(u8, u8), DateError> {
    let part = |i: usize, wrong: DateError| match parts.get(i) {
        None => Ok(0),
        Some(text) if text.len() <= 2 => digits(text)
            .and_then(|n| u8::try_from(n).ok())
            .ok_or(DateError::Shape),
        Some(_) => Err(wrong),
    };
    Ok((part(1, DateError::Month)?, part(2, DateError::Day)?))
}

/// One to four ASCII digits as a number.
fn digits(text: &str) -> Option<i16> {
    let sound = (1..=4).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit());
    if sound { text.parse().ok() } else { None }
}
