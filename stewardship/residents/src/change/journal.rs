//! The journal of changes (異動・訂正の記録) as people read it.

use std::collections::BTreeMap;

use mimamori_gate::Record;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::date::{PartialDate, wareki_with_western};

use super::item::{ITEMS, Part};

/// Columns of `residents_change` for a page.
pub(crate) const COLUMNS: [&str; 18] = [
    "number",
    "changed_at",
    "officer",
    "kind",
    "event_day",
    "notified_day",
    "reason",
    "pending",
    "identity_before",
    "identity_after",
    "address_before",
    "address_after",
    "contact_before",
    "contact_after",
    "household_before",
    "household_after",
    "residency_before",
    "residency_after",
];
/// The same with the marks that only some may see.
pub(crate) const ALL_COLUMNS: [&str; 20] = {
    let mut out = ["flag_before"; 20];
    let mut i = 0;
    while i < COLUMNS.len() {
        out[i] = COLUMNS[i];
        i += 1;
    }
    out[19] = "flag_after";
    out
};

/// One item before and after.
pub(crate) struct Step {
    pub label: &'static str,
    pub before: String,
    pub after: String,
}

/// One change.
pub(crate) struct Change {
    pub when: String,
    pub officer: String,
    pub kind: String,
    pub days: String,
    pub reason: String,
    pub steps: Vec<Step>,
    /// Some of its items are withheld.
    pub partly: bool,
}

fn day(text: &str) -> String {
    text.parse::<PartialDate>()
        .map_or_else(|_| text.to_owned(), wareki_with_western)
}

/// Rows of the journal; what the visitor may not see is left out and said so.
pub(crate) fn changes(records: &[Record]) -> Vec<Change> {
    records.iter().map(change).collect()
}

fn side(record: &Record, column: &str) -> BTreeMap<String, String> {
    serde_json::from_str(record.text(column).unwrap_or_default()).unwrap_or_default()
}

/// What each changed item was before the first of these changes.
pub(crate) fn before(records: &[Record]) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for record in records {
        for (_, before, _) in Part::ALL {
            for (column, text) in side(record, before) {
                out.entry(column).or_insert(text);
            }
        }
    }
    out
}

fn change(record: &Record) -> Change {
    let text = |column: &str| record.text(column).unwrap_or("（非表示）").to_owned();
    let mut days = Vec::new();
    for (column, label) in [("event_day", "異動日"), ("notified_day", "届出日")] {
        if let Some(found) = record.text(column).filter(|t| !t.is_empty()) {
            days.push(format!("{label} {}", day(found)));
        }
    }
    let (mut steps, mut partly) = (Vec::new(), false);
    for (_, before, after) in Part::ALL {
        partly |= record.withheld(before);
        let (old, new) = (side(record, before), side(record, after));
        for item in ITEMS.iter().filter(|i| new.contains_key(i.column)) {
            let words = |of: &BTreeMap<String, String>| {
                item.words(of.get(item.column).map_or("", String::as_str))
            };
            steps.push(Step {
                label: item.label,
                before: words(&old),
                after: words(&new),
            });
        }
    }
    let at = Instant(record.int("changed_at").unwrap_or(0));
    Change {
        when: format!(
            "{} {}",
            wareki_with_western(at.office_day().into()),
            at.office().strftime("%H:%M")
        ),
        officer: text("officer"),
        kind: text("kind"),
        days: days.join("、"),
        reason: text("reason"),
        steps,
        partly,
    }
}
