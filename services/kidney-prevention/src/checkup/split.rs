//! One line of a CSV file into its fields. A line break always ends a row, as in the import of residents.

/// The fields of a line without its line break; none when its quotation marks do not fit together.
///
/// Works on bytes: `"` and `,` are never a part of another character in CP932 or UTF-8.
pub(super) fn split(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut fields = vec![];
    let mut rest = line;
    loop {
        let (field, after) = match rest.strip_prefix(b"\"") {
            Some(quoted) => closed(quoted)?,
            None => {
                let end = rest.iter().position(|b| *b == b',').unwrap_or(rest.len());
                let plain = &rest[..end];
                if plain.contains(&b'"') {
                    return None;
                }
                (plain.to_vec(), &rest[end..])
            }
        };
        fields.push(field);
        match after {
            [] => return Some(fields),
            [b',', next @ ..] => rest = next,
            _ => return None,
        }
    }
}

/// A quoted field and what comes after its closing mark.
fn closed(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut field = vec![];
    loop {
        let mark = rest.iter().position(|b| *b == b'"')?;
        field.extend_from_slice(&rest[..mark]);
        rest = &rest[mark + 1..];
        match rest.strip_prefix(b"\"") {
            Some(next) => {
                field.push(b'"');
                rest = next;
            }
            None => return Some((field, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn broken_quotation_marks_are_seen() {
        for line in ["\"a", "a\"b", "\"a\"b", "\"a\" ,b", "a,\""] {
            assert_eq!(split(line.as_bytes()), None, "{line}");
        }
        assert_eq!(split(b""), Some(vec![vec![]]));
        assert_eq!(
            split(b"a,\"b,\"\"c\"\"\","),
            Some(vec![b"a".to_vec(), b"b,\"c\"".to_vec(), vec![]])
        );
    }

    proptest! {
        #[test]
        fn what_the_csv_crate_writes_is_read_back(cells in proptest::collection::vec("[ -~ぁ-ん]{0,8}", 1..6), always in any::<bool>()) {
            let style = if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
            let mut writer = csv::WriterBuilder::new().quote_style(style).from_writer(vec![]);
            writer.write_record(&cells).unwrap();
            let bytes = writer.into_inner().unwrap();
            let line = bytes.strip_suffix(b"\n").unwrap();
            let fields: Vec<String> = split(line).unwrap().into_iter().map(|f| String::from_utf8(f).unwrap()).collect();
            prop_assert_eq!(fields, cells);
        }
    }
}
