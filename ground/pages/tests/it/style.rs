//! The charter of the style sheet and of the idle lock.

use crate::scan::{samples, tags};
use std::collections::{HashMap, HashSet};

const CSS: &str = include_str!("../../assets/style.css");
const IDLE: &str = include_str!("../../assets/idle.js");

/// Rules as (selector, declarations); headers of at-rules are dropped.
fn rules() -> Vec<(String, HashMap<String, String>)> {
    let mut plain = String::new();
    for (index, piece) in CSS.split("/*").enumerate() {
        let kept = if index == 0 {
            piece
        } else {
            piece.split_once("*/").unwrap().1
        };
        plain.push_str(kept);
    }
    let mut found = Vec::new();
    for piece in plain.split('}') {
        let Some((head, body)) = piece.rsplit_once('{') else {
            continue;
        };
        let selector = head.rsplit('{').next().unwrap().trim().to_string();
        let declarations = body.split(';').filter_map(|line| line.split_once(':'));
        let declarations = declarations
            .map(|(key, value)| (key.trim().to_string(), value.trim().to_string()))
            .collect();
        found.push((selector, declarations));
    }
    found
}

fn luminance(colour: &str) -> f64 {
    let hex = colour.strip_prefix('#').expect("a hex colour");
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
}

fn contrast(one: &str, other: &str) -> f64 {
    let (a, b) = (luminance(one), luminance(other));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn root() -> HashMap<String, String> {
    rules()
        .into_iter()
        .find(|(selector, _)| selector == ":root")
        .unwrap()
        .1
}

fn value<'a>(root: &'a HashMap<String, String>, variable: &str) -> &'a str {
    let name = variable
        .strip_prefix("var(")
        .and_then(|rest| rest.strip_suffix(')'));
    &root[name.unwrap_or_else(|| panic!("{variable} is not a variable"))]
}

#[test]
fn every_text_colour_reaches_4_5_on_every_background_it_can_stand_on() {
    let root = root();
    let surfaces: Vec<_> = root
        .iter()
        .filter(|(name, _)| *name == "--paper" || *name == "--surface" || name.ends_with("-pale"))
        .map(|(_, colour)| colour.as_str())
        .collect();
    assert_eq!(surfaces.len(), 6);
    let mut pairs = 0;
    for (selector, declarations) in rules() {
        let Some(colour) = declarations.get("color") else {
            continue;
        };
        let colour = value(&root, colour);
        let grounds = match declarations.get("background-color") {
            Some(ground) => vec![value(&root, ground)],
            None => surfaces.clone(),
        };
        for ground in grounds {
            let ratio = contrast(colour, ground);
            assert!(
                ratio >= 4.5,
                "{selector}: {colour} on {ground} is {ratio:.2}"
            );
            pairs += 1;
        }
    }
    assert!(pairs >= 40, "only {pairs} pairs were looked at");
}

#[test]
fn lines_and_focus_reach_3() {
    let root = root();
    for (one, other) in [
        ("--line", "--paper"),
        ("--line", "--surface"),
        ("--focus-ring", "--paper"),
        ("--focus-ring", "--focus-glow"),
        ("--warning-line", "--warning-pale"),
        ("--primary", "--paper"),
    ] {
        assert!(
            contrast(&root[one], &root[other]) >= 3.0,
            "{one} on {other}"
        );
    }
}

#[test]
fn colours_stand_only_in_root_and_nothing_is_fetched() {
    for (selector, declarations) in rules() {
        for (key, value) in declarations {
            let literal = value.contains('#') || value.contains("rgb") || value.contains("hsl");
            assert!(
                selector == ":root" || !literal,
                "{selector}: {key}: {value}"
            );
            assert_ne!(key, "background", "{selector}: write background-color");
        }
    }
    for word in ["url(", "@import", "@font-face", "!important"] {
        assert!(!CSS.contains(word), "{word}");
    }
}

#[test]
fn text_is_never_smaller_than_16_pixels_on_screen() {
    for (selector, declarations) in rules() {
        let Some(size) = declarations.get("font-size") else {
            continue;
        };
        let big = match size.strip_suffix("rem") {
            Some(number) => number.parse::<f64>().unwrap() >= 1.0,
            None => size == "100%" || size == "10.5pt", // root, print
        };
        assert!(big, "{selector}: {size}");
    }
}

#[test]
fn the_needs_of_readers_are_covered() {
    for part in [
        "forced-colors",
        "prefers-reduced-motion",
        "@media print",
        ":focus-visible",
    ] {
        assert!(CSS.contains(part), "{part}");
    }
}

#[test]
fn every_class_on_a_page_is_in_the_style_sheet() {
    let mut used = HashSet::new();
    for (_, page) in samples() {
        for tag in tags(&page) {
            let classes = tag.get("class").unwrap_or_default();
            used.extend(classes.split_whitespace().map(String::from));
        }
    }
    for class in used {
        assert!(CSS.contains(&format!(".{class}")), "{class}");
    }
}

#[test]
fn the_idle_lock_uses_no_sink_store_or_foreign_address() {
    for word in [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "eval(",
        "Function(",
        "localStorage",
        "sessionStorage",
        "document.write",
        "http:",
        "https:",
        "import ",
        "fetch(",
    ] {
        assert!(!IDLE.contains(word), "{word}");
    }
    for word in [
        "replaceChildren",
        "\"/lock\"",
        "pageshow",
        "persisted",
        "BroadcastChannel",
    ] {
        assert!(IDLE.contains(word), "{word}");
    }
}
