//! One document of 特定健診 in HL7 CDA R2: one person, one day (特定健診情報ファイル; FACTS E, s24, s25).

use jiff::civil::Date;
use roxmltree::{Document, Node, ParsingOptions};

use super::codes::Codes;
use super::defect::{Defect, Reason, refuses};
use super::person::Head;
use super::value::{Raw, Values};
use super::{Checkup, Limit, Read};

/// Bytes of one document at most.
pub const CDA_LIMIT: usize = 2 << 20;
/// Elements, texts and comments of one document at most.
const NODES: u32 = 50_000;
/// Elements within each other at most.
const DEPTH: usize = 32;

const CDA: &str = "urn:hl7-org:v3";
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// 報告区分; 10 is a health check.
const REPORT: &str = "1.2.392.200119.6.1001";
/// 健診等機関番号.
const FACILITY: &str = "1.2.392.200119.6.102";
/// 受診券整理番号; the insurer's number follows.
const TICKET: &str = "1.2.392.200119.6.209";
/// Sections: 特定健診・問診 and 任意追加項目.
const SECTIONS: [&str; 2] = ["01010", "01990"];
/// ObservationInterpretation: L and H beside an amount.
const INTERPRETATION: &str = "2.16.840.1.113883.5.83";

/// Reads one document. `place` is its name in lists, `today` the day of the import.
pub fn read_document(place: &str, bytes: &[u8], codes: &Codes, today: Date) -> Read {
    let mut defects = vec![];
    let checkup = whole(bytes, codes, today, &mut defects);
    let checkup = checkup.filter(|_| !refuses(&defects));
    Read {
        place: place.to_owned(),
        checkup,
        defects,
    }
}

fn whole(bytes: &[u8], codes: &Codes, today: Date, defects: &mut Vec<Defect>) -> Option<Checkup> {
    let broken = |reason| Defect::new("文書", reason);
    if bytes.len() > CDA_LIMIT || is_deep(bytes) {
        defects.push(broken(Reason::Xml));
        return None;
    }
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    // The specification has UTF-8 alone; a document in another encoding says so by breaking here.
    let Ok(text) = std::str::from_utf8(bytes) else {
        defects.push(broken(Reason::Encoding));
        return None;
    };
    let options = ParsingOptions {
        nodes_limit: NODES,
        ..ParsingOptions::default()
    };
    let Ok(document) = Document::parse_with_options(text, options) else {
        defects.push(broken(Reason::Xml));
        return None;
    };
    let root = document.root_element();
    let report = root
        .children()
        .find(|n| is(*n, "code") && n.attribute("codeSystem").is_none_or(|s| s == REPORT));
    if !is(root, "ClinicalDocument") || report.and_then(|n| n.attribute("code")) != Some("10") {
        defects.push(broken(Reason::Document));
        return None;
    }
    let head = head(root).check(codes, today, defects)?;
    let mut values = Values::new(codes, head.year);
    for observation in observations(root) {
        take(observation, &mut values, defects);
    }
    Some(Checkup {
        subject: head.subject,
        day: head.day,
        facility: head.facility,
        results: values.finish(),
    })
}

/// Whether elements stand too deep within each other, by counting tags before anything is built.
fn is_deep(bytes: &[u8]) -> bool {
    let mut depth = 0usize;
    for (at, byte) in bytes.iter().enumerate() {
        match (byte, bytes.get(at + 1)) {
            (b'<', Some(b'/')) => depth = depth.saturating_sub(1),
            (b'<', Some(b'?' | b'!')) => {}
            (b'<', Some(_)) => depth += 1,
            (b'/', Some(b'>')) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH {
            return true;
        }
    }
    false
}

fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name && node.tag_name().namespace() == Some(CDA)
}

/// The first element along a path of children.
fn at<'a, 'i>(node: Node<'a, 'i>, path: &[&str]) -> Option<Node<'a, 'i>> {
    path.iter()
        .try_fold(node, |n, name| n.children().find(|c| is(*c, name)))
}

fn value(node: Option<Node<'_, '_>>, attribute: &str) -> String {
    node.and_then(|n| n.attribute(attribute))
        .unwrap_or_default()
        .to_owned()
}

/// The extension of the first `id` below `node` whose root begins so.
fn id(node: Option<Node<'_, '_>>, root: &str) -> Option<String> {
    let fits = |n: &Node<'_, '_>| {
        let found = n.attribute("root").unwrap_or_default();
        let rest = found.strip_prefix(root);
        is(*n, "id") && rest.is_some_and(|r| r.is_empty() || r.starts_with('.'))
    };
    node?
        .descendants()
        .find(fits)
        .and_then(|n| n.attribute("extension"))
        .map(str::to_owned)
}

fn head(root: Node<'_, '_>) -> Head {
    let patient = at(root, &["recordTarget", "patientRole", "patient"]);
    let service = at(root, &["documentationOf", "serviceEvent"]);
    let name = patient.and_then(|p| at(p, &["name"]));
    let holder = root
        .children()
        .find(|n| is(*n, "participant") && n.attribute("typeCode") == Some("HLD"));
    let author = root.children().find(|n| is(*n, "author"));
    // Times carry a day, and sometimes the hour after it.
    let day = |node: Option<Node<'_, '_>>| value(node, "value").chars().take(8).collect();
    Head {
        resident: None,
        kana: name.map(text).unwrap_or_default(),
        birth: day(patient.and_then(|p| at(p, &["birthTime"]))),
        sex: value(
            patient.and_then(|p| at(p, &["administrativeGenderCode"])),
            "code",
        ),
        day: day(service.and_then(|s| at(s, &["effectiveTime"]))),
        ticket: id(holder, TICKET),
        facility: id(service, FACILITY).or_else(|| id(author, FACILITY)),
    }
}

fn text(node: Node<'_, '_>) -> String {
    node.descendants()
        .filter_map(|n| n.is_text().then(|| n.text()).flatten())
        .collect()
}

/// Observations of the sections that hold results, those within a battery too.
fn observations<'a, 'i>(root: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    let body = at(root, &["component", "structuredBody"]);
    let parts = body
        .into_iter()
        .flat_map(|b| b.children().filter(|c| is(*c, "component")));
    let sections = parts.filter_map(|c| at(c, &["section"]));
    let ours = |s: &Node<'a, 'i>| {
        let code = at(*s, &["code"]).and_then(|c| c.attribute("code"));
        code.is_some_and(|c| SECTIONS.contains(&c))
    };
    sections
        .filter(ours)
        .flat_map(|s| s.descendants().filter(|n| is(*n, "observation")))
}

fn take(observation: Node<'_, '_>, values: &mut Values<'_>, defects: &mut Vec<Defect>) {
    let code = at(observation, &["code"]);
    // A battery (一連検査グループ) has no code of its own; its parts are observations themselves.
    if code.is_some_and(|c| c.attribute("nullFlavor").is_some()) {
        return;
    }
    let code = value(code, "code");
    let told: Vec<Node<'_, '_>> = observation.children().filter(|n| is(*n, "value")).collect();
    let Some(raw) = raw(observation, &told) else {
        // Free text (for example 医師の診断) is not ours to keep; an item of ours must have a value.
        if values.knows(&code) {
            defects.push(Defect::new(code, Reason::Kind));
        }
        return;
    };
    if let Err(defect) = values.take(&code, raw) {
        defects.push(defect);
    }
}

fn raw<'a>(observation: Node<'a, '_>, told: &[Node<'a, '_>]) -> Option<Raw<'a>> {
    if observation.attribute("negationInd") == Some("true") {
        return Some(Raw::NotDone);
    }
    let first = *told.first()?;
    if first.attribute("nullFlavor").is_some() {
        return Some(Raw::Unmeasurable);
    }
    match local(first.attribute((XSI, "type"))?) {
        "PQ" => Some(Raw::Amount {
            text: first.attribute("value").unwrap_or_default(),
            unit: Some(first.attribute("unit").unwrap_or_default()),
            limit: told.iter().find_map(|v| limit(*v)),
        }),
        "CD" | "CO" | "CE" => Some(Raw::Choice(first.attribute("code").unwrap_or_default())),
        _ => None,
    }
}

/// The type name without its prefix.
fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// A second value beside an amount that says 以下 (L) or 以上 (H).
fn limit(value: Node<'_, '_>) -> Option<Limit> {
    if value.attribute("codeSystem") != Some(INTERPRETATION) {
        return None;
    }
    match value.attribute("code") {
        Some("L") => Some(Limit::OrLess),
        Some("H") => Some(Limit::OrMore),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
