//! Canonical JSON: sorted keys, integers and strings only, no spaces; one value has one text.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::PackageError;

/// Largest integer that every JSON reader keeps exactly (2^53 - 1).
const LARGEST: i64 = 9_007_199_254_740_991;
/// How deep objects and lists may stand in each other.
const DEEPEST: usize = 8;

/// The one text of a value, UTF-8.
///
/// # Errors
/// [`PackageError::Canonical`] for what has none: null, true and false, fractions, integers beyond 2^53 - 1, depth over 8.
pub fn to_canonical<T: Serialize>(value: &T) -> Result<Vec<u8>, PackageError> {
    let value = serde_json::to_value(value).map_err(|_| PackageError::Canonical)?;
    value_bytes(&value)
}

pub(crate) fn value_bytes(value: &Value) -> Result<Vec<u8>, PackageError> {
    let mut out = Vec::new();
    write(value, 0, &mut out)?;
    Ok(out)
}

/// Reads a value whose text is the canonical one.
///
/// # Errors
/// [`PackageError::Canonical`] for another text of the same value, for unknown or doubled keys, and for no value of `T`.
pub fn from_canonical<T: Serialize + DeserializeOwned>(text: &[u8]) -> Result<T, PackageError> {
    let value: T = serde_json::from_slice(text).map_err(|_| PackageError::Canonical)?;
    match to_canonical(&value)? == text {
        true => Ok(value),
        false => Err(PackageError::Canonical),
    }
}

fn write(value: &Value, depth: usize, out: &mut Vec<u8>) -> Result<(), PackageError> {
    if depth > DEEPEST {
        return Err(PackageError::Canonical);
    }
    match value {
        Value::String(text) => quote(text, out),
        Value::Number(number) => match number.as_i64() {
            Some(n) if n.abs() <= LARGEST => out.extend(n.to_string().bytes()),
            _ => return Err(PackageError::Canonical),
        },
        Value::Array(list) => {
            out.push(b'[');
            for (at, item) in list.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write(item, depth + 1, out)?;
            }
            out.push(b']');
        }
        Value::Object(map) => {
            // The order of the map depends on how serde_json was built, so it is not asked.
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            out.push(b'{');
            for (at, key) in keys.into_iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                quote(key, out);
                out.push(b':');
                write(&map[key], depth + 1, out)?;
            }
            out.push(b'}');
        }
        Value::Null | Value::Bool(_) => return Err(PackageError::Canonical),
    }
    Ok(())
}

fn quote(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend(b"\\\""),
            '\\' => out.extend(b"\\\\"),
            '\u{8}' => out.extend(b"\\b"),
            '\t' => out.extend(b"\\t"),
            '\n' => out.extend(b"\\n"),
            '\u{c}' => out.extend(b"\\f"),
            '\r' => out.extend(b"\\r"),
            c if c < ' ' => out.extend(format!("\\u{:04x}", u32::from(c)).bytes()),
            c => {
                let mut room = [0; 4];
                out.extend(c.encode_utf8(&mut room).bytes());
            }
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_are_sorted_and_what_has_no_text_is_refused() {
        let text = value_bytes(&json!({"b": 1, "a": ["あ\n\u{1}", -3]})).unwrap();
        assert_eq!(
            text,
            "{\"a\":[\"あ\\n\\u0001\",-3],\"b\":1}".as_bytes(),
            "sorted, no spaces"
        );
        for wrong in [json!(null), json!(true), json!(1.5), json!(LARGEST + 1)] {
            assert!(value_bytes(&json!({ "a": wrong })).is_err());
        }
    }
}
