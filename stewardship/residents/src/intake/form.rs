//! The form that matches columns: what the browser sent, as types.

use std::collections::HashMap;

use mimamori_pages::{Choice, FieldError};

use super::store::Settings;
use crate::import::{Encoding, Layout, PRESETS, Sheet, is_required};

/// Characters of a name for a kept layout.
const NAME_LIMIT: usize = 60;
/// Further columns that one item may be joined from.
const JOINED: usize = 2;

/// Every field of the form by name.
pub(super) type Sent = HashMap<String, String>;

/// The headers of both files.
pub(super) type Headers = [Vec<String>; 2];

pub(super) const SHEETS: [Sheet; 2] = [Sheet::Residents, Sheet::Households];

/// One item with its list boxes.
pub(super) struct Row {
    pub item: &'static str,
    pub required: bool,
    /// Name of the field and its choices; more than one for an item of joined columns.
    pub boxes: Vec<(String, Vec<Choice>)>,
}

fn name(sheet: Sheet, item: usize, part: usize) -> String {
    let letter = if sheet == Sheet::Residents { 'r' } else { 'h' };
    format!("{letter}{item}-{part}")
}

/// The list boxes of one file.
pub(super) fn rows(sheet: Sheet, header: &[String], layout: &Layout) -> Vec<Row> {
    let items = sheet.items().iter().zip(layout.columns(sheet)).enumerate();
    items
        .map(|(at, (item, names))| {
            let several = *item == "住所" || names.len() > 1;
            let count = if several { 1 + JOINED } else { 1 };
            let boxes = (0..count)
                .map(|part| {
                    let current = names
                        .get(part)
                        .and_then(|n| header.iter().position(|h| h == n))
                        .map(|i| i.to_string())
                        .unwrap_or_default();
                    let none = if part == 0 {
                        "（対応する列なし）"
                    } else {
                        "（続けない）"
                    };
                    let mut choices = vec![Choice::new("", none, &current)];
                    choices.extend(header.iter().enumerate().map(|(i, h)| {
                        Choice::new(i.to_string(), format!("{}列 {h}", i + 1), &current)
                    }));
                    (name(sheet, at, part), choices)
                })
                .collect();
            Row {
                item,
                required: is_required(item),
                boxes,
            }
        })
        .collect()
}

/// List box of encodings.
pub(super) fn encodings(current: &str) -> Vec<Choice> {
    Encoding::ALL
        .map(|e| Choice::new(e.code(), e.japanese(), current))
        .into()
}

/// List box of the known forms.
pub(super) fn presets(current: &str) -> Vec<Choice> {
    PRESETS
        .iter()
        .map(|p| Choice::new(p.code.clone(), p.name.clone(), current))
        .collect()
}

fn columns(
    sent: &Sent,
    sheet: Sheet,
    header: &[String],
    before: &[Vec<String>],
) -> Vec<Vec<String>> {
    (0..sheet.items().len())
        .map(|item| {
            if !sent.contains_key(&name(sheet, item, 0)) {
                return before.get(item).cloned().unwrap_or_default();
            }
            (0..=JOINED)
                .filter_map(|part| sent.get(&name(sheet, item, part)))
                .filter_map(|at| header.get(at.parse::<usize>().ok()?).cloned())
                .collect()
        })
        .collect()
}

/// What was chosen, over what was chosen before.
pub(super) fn settings(
    sent: &Sent,
    headers: &Headers,
    before: &Settings,
) -> (Settings, Vec<FieldError>) {
    let text = |field: &str| sent.get(field).map_or("", |t| t.trim());
    let mut errors = vec![];
    let mut out = before.clone();
    for (at, field) in ["encoding-residents", "encoding-households"]
        .iter()
        .enumerate()
    {
        if let Some(encoding) = Encoding::of(text(field)) {
            encoding.code().clone_into(&mut out.encodings[at]);
        }
    }
    for (at, field) in ["rows-residents", "rows-households"].iter().enumerate() {
        out.expected[at] = match text(field) {
            "" => None,
            number => match number.parse() {
                Ok(number) => Some(number),
                Err(_) => {
                    errors.push(FieldError::new(
                        *field,
                        "件数は半角数字で入力してください。",
                    ));
                    None
                }
            },
        };
    }
    out.good_only = text("mode") == "good";
    out.layout.check_digit = text("check-digit") == "yes";
    out.layout.residents = columns(
        sent,
        Sheet::Residents,
        &headers[0],
        &before.layout.residents,
    );
    out.layout.households = columns(
        sent,
        Sheet::Households,
        &headers[1],
        &before.layout.households,
    );
    (out, errors)
}

/// The name to keep a layout under.
pub(super) fn kept_name(sent: &Sent) -> Result<String, FieldError> {
    let name = sent.get("keep-name").map_or("", |t| t.trim());
    if name.is_empty() || name.chars().count() > NAME_LIMIT {
        let message = "保存する名前を60文字以内で入力してください。";
        return Err(FieldError::new("keep-name", message));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before() -> Settings {
        Settings {
            encodings: ["cp932".into(), "cp932".into()],
            layout: Layout::of("own"),
            good_only: false,
            expected: [None, None],
        }
    }

    #[test]
    fn chosen_columns_become_header_names_and_the_rest_stays() {
        let headers: Headers = [
            ["番号", "町", "番地"].map(str::to_owned).into(),
            vec!["世帯".to_owned()],
        ];
        let sent: Sent = [
            ("r0-0", "0"),
            ("r13-0", "1"),
            ("r13-1", "2"),
            ("r13-2", ""),
            ("r6-0", ""),
            ("r7-0", "999"),
            ("h0-0", "0"),
            ("mode", "good"),
            ("encoding-residents", "utf-8"),
            ("rows-residents", "12"),
        ]
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .into();
        let (chosen, errors) = settings(&sent, &headers, &before());
        assert_eq!(errors, []);
        assert_eq!(chosen.layout.residents[0], ["番号"]);
        assert_eq!(chosen.layout.residents[13], ["町", "番地"]);
        assert!(chosen.layout.residents[6].is_empty() && chosen.layout.residents[7].is_empty());
        assert_eq!(chosen.layout.residents[1], ["履歴番号"]);
        assert_eq!(chosen.layout.households[0], ["世帯"]);
        assert_eq!(chosen.encodings, ["utf-8", "cp932"]);
        assert_eq!(
            (chosen.good_only, chosen.expected),
            (true, [Some(12), None])
        );
        let shown = rows(Sheet::Residents, &headers[0], &chosen.layout);
        assert_eq!(shown[13].boxes.len(), 3);
        assert!(
            shown[13].boxes[1]
                .1
                .iter()
                .any(|c| c.selected && c.value == "2")
        );
    }

    #[test]
    fn counts_and_names_that_are_none_are_refused_beside_their_field() {
        let sent: Sent = [("rows-households".to_owned(), "百".to_owned())].into();
        let (_, errors) = settings(&sent, &[vec![], vec![]], &before());
        assert_eq!(errors[0].field, "rows-households");
        assert!(kept_name(&Sent::new()).is_err());
    }
}
