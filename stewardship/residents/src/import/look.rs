//! A look at the beginning of a file (下見): its encoding, its header, its first rows.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::encoding::Encoding;
use super::fault::{Fault, Finding, Findings, Sheet};
use super::lines::Lines;
use super::read::{Plan, beginning, header};
use super::rule::Builder;
use super::{ImportError, Order};

/// The encoding that the beginning of a file suggests.
pub(crate) fn guess_of(path: &Path) -> io::Result<Encoding> {
    Ok(beginning(&mut File::open(path)?, None)?.0)
}

/// The names of the header row.
pub(crate) fn header_of(path: &Path, encoding: Encoding) -> io::Result<Vec<String>> {
    let mut source = File::open(path)?;
    let (encoding, start) = beginning(&mut source, Some(encoding))?;
    header(
        &mut Lines::new(io::Cursor::new(start).chain(source)),
        encoding,
    )
}

/// The first rows of one file through the chosen columns.
pub(crate) struct Seen {
    pub sheet: Sheet,
    /// Lines of the file.
    pub numbers: Vec<u64>,
    /// Each item with its values, one for each row.
    pub items: Vec<(&'static str, Vec<String>)>,
}

/// The place of 支援措置, and of what it hides: 世帯番号, 郵便番号, 住所コード, 住所, 方書, 電話番号,
/// 転出先住所.
const PROTECTED: usize = 23;
const HIDDEN: [usize; 7] = [3, 11, 12, 13, 14, 15, 24];

/// `count` rows of each file and what is wrong with them by themselves.
pub(crate) fn first_rows(
    order: &Order,
    count: usize,
) -> Result<(Vec<Seen>, Vec<Finding>), ImportError> {
    let mut findings = Findings::default();
    let mut builder = Builder::new(order.layout.check_digit);
    let files = [
        (Sheet::Residents, Some(&order.residents)),
        (Sheet::Households, order.households.as_ref()),
    ];
    let mut out = vec![];
    for (sheet, path) in files {
        let Some(path) = path else { continue };
        let failed = |source| ImportError::File {
            file: sheet.name(),
            source,
        };
        let mut source = File::open(path).map_err(failed)?;
        let given = order.encodings.get(&sheet).copied();
        let (encoding, start) = beginning(&mut source, given).map_err(failed)?;
        let mut lines = Lines::new(io::Cursor::new(start).chain(source));
        let names = header(&mut lines, encoding).map_err(failed)?;
        let mut seen = Seen {
            sheet,
            numbers: vec![],
            items: sheet.items().iter().map(|i| (*i, vec![])).collect(),
        };
        if let Some(plan) = Plan::new(&names, &order.layout, sheet, encoding, &mut findings) {
            while seen.numbers.len() < count {
                let Some(line) = lines.next().map_err(failed)? else {
                    break;
                };
                if line.malformed || line.fields != plan.width {
                    findings.add(Finding::new(sheet, line.number, None, Fault::Columns));
                    seen.numbers.push(line.number);
                    for (_, values) in &mut seen.items {
                        values.push("（行の形が違います）".to_owned());
                    }
                    continue;
                }
                let cells = plan.cells(&lines, line, sheet, &mut findings);
                seen.numbers.push(line.number);
                let open = sheet == Sheet::Residents
                    && cells.texts[PROTECTED].as_deref().is_some_and(|t| t == "0");
                for (at, (_, values)) in seen.items.iter_mut().enumerate() {
                    let hidden = match sheet {
                        Sheet::Residents => !open && HIDDEN.contains(&at),
                        // Whether a household has a protected person is not known here.
                        Sheet::Households => at == 2,
                    };
                    values.push(match (&cells.texts[at], hidden) {
                        (_, true) => "（非表示）".to_owned(),
                        (Some(text), false) => text.to_string(),
                        (None, false) => "（読めません）".to_owned(),
                    });
                }
                match sheet {
                    Sheet::Residents => builder.resident(cells, &mut findings),
                    Sheet::Households => builder.household(cells, &mut findings),
                }
            }
        }
        out.push(seen);
    }
    Ok((out, findings.into_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{HOUSEHOLDS, RESIDENTS};

    #[test]
    fn a_preview_shows_few_rows_and_hides_where_the_protected_live() {
        let dir = tempfile::tempdir().unwrap();
        let row = |n: usize, protected: &str| {
            format!(
                "00000000000000{n},1,1,0000000001,見守　花子,ﾐﾏﾓﾘ ﾊﾅｺ,,,2,3150312,世帯主,999-0101,0000001,秘密の町１,,0999-1,1,転入,20010203,,0,,0,{protected},\r\n"
            )
        };
        let text = format!(
            "{}\r\n{}{}{}{}",
            Sheet::Residents.items().join(","),
            row(1, "0"),
            row(2, "1"),
            row(3, "有"),
            row(4, "0")
        );
        std::fs::write(dir.path().join(RESIDENTS), text).unwrap();
        std::fs::write(
            dir.path().join(HOUSEHOLDS),
            "世帯番号,住所\r\n1,秘密の町１\r\n",
        )
        .unwrap();
        let (seen, findings) = first_rows(&Order::folder(dir.path()), 3).unwrap();
        assert_eq!(seen[0].numbers, [2, 3, 4]);
        let hidden = "（非表示）";
        assert_eq!(seen[0].items[13].1, ["秘密の町１", hidden, hidden]);
        assert_eq!(seen[0].items[15].1, ["0999-1", hidden, hidden]);
        assert_eq!(seen[0].items[4].1, ["見守　花子"; 3]);
        assert!(seen[1].numbers.is_empty(), "its header lacks the head");
        let codes: Vec<_> = findings.iter().map(|f| (f.row, f.fault.code())).collect();
        assert_eq!(codes, [(4, "IMPORT-CHOICE"), (1, "IMPORT-HEADER")]);
    }
}
