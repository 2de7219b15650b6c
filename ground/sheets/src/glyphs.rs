//! Characters that paper cannot show (外字): found on the finished pages and in the values.

use serde_json::Value;
use typst::layout::{Frame, FrameItem};
use typst::text::TextItem;

/// Where an unprintable character stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// On this page, from 1.
    Page(usize),
    /// In the value at this JSON pointer, such as `/cards/3/name`.
    Value(String),
}

/// Why it cannot be printed as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// No font has a glyph.
    NoGlyph,
    /// The character is there, but not in the variant that was ordered (IVS).
    NoVariant,
    /// It has no shape and could change how others are read (control, direction, zero width).
    Invisible,
}

impl Why {
    /// The word on a screen.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::NoGlyph => "書体に字形がありません",
            Self::NoVariant => "指定された異体字が書体にありません",
            Self::Invisible => "見えない文字です",
        }
    }
}

/// A character that paper cannot show as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unprintable {
    /// Where.
    pub place: Place,
    /// The character, with its variation selector if it has one.
    pub character: String,
    /// Why.
    pub why: Why,
}

impl Unprintable {
    /// `U+9089 U+E0102`, for people who look it up.
    pub fn codes(&self) -> String {
        let codes: Vec<String> = self
            .character
            .chars()
            .map(|c| format!("U+{:04X}", u32::from(c)))
            .collect();
        codes.join(" ")
    }
}

/// Variation selectors; they belong to the character before them.
fn selector(c: char) -> bool {
    matches!(u32::from(c), 0xFE00..=0xFE0F | 0xE0100..=0xE01EF)
}

/// Characters without a shape that a form has no use for; a line break is allowed.
pub fn invisible(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(u32::from(c),
            0xAD | 0x34F | 0x61C | 0x115F | 0x1160 | 0x180B..=0x180F | 0x200B..=0x200F
            | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB
            | 0xE0000..=0xE00FF)
}

/// What stands for a character that no font has (下駄).
const GETA: &str = "〓";

/// The values with 〓 for every character that has no glyph; an object also gets `"gaiji": true`,
/// so that the layout can say what 〓 means.
pub(crate) fn replaced(values: &Value, found: &[Unprintable]) -> Value {
    let missing: Vec<&str> = found
        .iter()
        .filter(|u| u.why == Why::NoGlyph && !u.character.is_empty())
        .map(|u| u.character.as_str())
        .collect();
    let mut out = exchanged(values, &missing);
    if let Value::Object(items) = &mut out {
        items.insert("gaiji".into(), true.into());
    }
    out
}

fn exchanged(value: &Value, missing: &[&str]) -> Value {
    match value {
        Value::String(text) => {
            let mut out = text.clone();
            for one in missing {
                out = out.replace(one, GETA);
            }
            out.into()
        }
        Value::Array(items) => items.iter().map(|v| exchanged(v, missing)).collect(),
        Value::Object(items) => {
            let pair = |(k, v): (&String, &Value)| (k.clone(), exchanged(v, missing));
            Value::Object(items.iter().map(pair).collect())
        }
        other => other.clone(),
    }
}

/// Invisible characters of all strings among the values.
pub(crate) fn in_values(values: &Value) -> Vec<Unprintable> {
    let mut out = Vec::new();
    visit(values, &mut String::new(), &mut out);
    out
}

fn visit(value: &Value, pointer: &mut String, out: &mut Vec<Unprintable>) {
    let mut below = |key: &str, value: &Value| {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(key);
        visit(value, pointer, out);
        pointer.truncate(length);
    };
    match value {
        Value::String(text) => {
            out.extend(text.chars().filter(|c| invisible(*c)).map(|c| Unprintable {
                place: Place::Value(pointer.clone()),
                character: c.to_string(),
                why: Why::Invisible,
            }))
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                below(&n.to_string(), item);
            }
        }
        Value::Object(items) => {
            for (key, item) in items {
                below(key, item);
            }
        }
        _ => {}
    }
}

/// Missing glyphs and missing variants of one page.
pub(crate) fn on_page(page: usize, frame: &Frame, out: &mut Vec<Unprintable>) {
    texts(frame, &mut |item| {
        let mut add = |character: String, why| {
            let found = Unprintable {
                place: Place::Page(page),
                character,
                why,
            };
            if !out.contains(&found) {
                out.push(found);
            }
        };
        for glyph in item.glyphs.iter().filter(|g| g.id == 0) {
            let text = item.text.get(glyph.range()).unwrap_or("\u{FFFD}");
            add(text.to_owned(), Why::NoGlyph);
        }
        let mut before = None;
        for c in item.text.chars() {
            if let Some(base) = before.filter(|_| selector(c))
                && item.font.ttf().glyph_variation_index(base, c).is_none()
            {
                add(format!("{base}{c}"), Why::NoVariant);
            }
            before = Some(c);
        }
    });
}

/// The text of a page in the order of drawing, one item a line.
pub(crate) fn text(frame: &Frame) -> String {
    let mut out = String::new();
    texts(frame, &mut |item| {
        out.push_str(&item.text);
        out.push('\n');
    });
    out
}

fn texts(frame: &Frame, f: &mut impl FnMut(&TextItem)) {
    for (_, item) in frame.items() {
        match item {
            FrameItem::Group(group) => texts(&group.frame, f),
            FrameItem::Text(text) => f(text),
            _ => {}
        }
    }
}
