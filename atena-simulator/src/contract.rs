use serde_json::Value;

/// The checked-in contract, and a judge of what is said under it. Knows the part of JSON Schema that the contract uses;
/// a word that it does not know is a fault and never a pass.
#[derive(Debug)]
pub struct Contract(Value);

impl Contract {
    /// The contract of the repository, `docs/api/atena.json`.
    ///
    /// # Errors
    /// When the text is no JSON.
    pub fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text)
            .map(Self)
            .map_err(|e| e.to_string())
    }

    fn at<'a>(&'a self, node: &'a Value) -> Result<&'a Value, String> {
        match node.get("$ref").and_then(Value::as_str) {
            None => Ok(node),
            Some(path) => {
                let pointer = path.strip_prefix('#').ok_or("a reference that leads out")?;
                self.0
                    .pointer(pointer)
                    .ok_or_else(|| format!("{path} leads nowhere"))
            }
        }
    }

    fn operation(&self, path: &str) -> Result<&Value, String> {
        let all = self
            .0
            .get("paths")
            .and_then(|p| p.get(path))
            .and_then(|p| p.get("post"));
        all.ok_or_else(|| format!("POST {path} is not in the contract"))
    }

    /// What is wrong with a request to `path` that says `body`.
    ///
    /// # Errors
    /// Place and fault, without the value.
    pub fn request(&self, path: &str, body: &Value) -> Result<(), String> {
        let node = self
            .operation(path)?
            .pointer("/requestBody/content/application~1json/schema");
        self.judge(node.ok_or("the contract has no body here")?, body, "body")
    }

    /// What is wrong with an answer from `path`.
    ///
    /// # Errors
    /// Place and fault, without the value.
    pub fn answer(&self, path: &str, status: u16, body: &Value) -> Result<(), String> {
        let answers = self.operation(path)?.get("responses").ok_or("no answers")?;
        let found = answers
            .get(status.to_string())
            .or_else(|| answers.get("default"));
        let content = found
            .and_then(|f| f.get("content"))
            .and_then(Value::as_object);
        let schema = content
            .and_then(|c| c.values().next())
            .and_then(|c| c.get("schema"));
        self.judge(
            schema.ok_or_else(|| format!("status {status} is not in the contract"))?,
            body,
            "answer",
        )
    }

    fn judge(&self, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
        let schema = self.at(schema)?;
        let rules = schema.as_object().ok_or("a schema that is no object")?;
        for (word, rule) in rules {
            match word.as_str() {
                "description" | "title" | "format" | "example" => {}
                "type" => is_type(rule, value)
                    .then_some(())
                    .ok_or(format!("{place}: type"))?,
                "enum" => {
                    let known = rule.as_array().is_some_and(|all| all.contains(value));
                    known
                        .then_some(())
                        .ok_or(format!("{place}: not one of the words"))?;
                }
                "pattern" => {
                    let pattern = rule.as_str().ok_or("a pattern that is no text")?;
                    if let Some(text) = value.as_str() {
                        matches(pattern, text)?
                            .then_some(())
                            .ok_or(format!("{place}: pattern"))?;
                    }
                }
                "minimum" | "maximum" => {
                    let limit = rule.as_i64().ok_or("a limit that is no number")?;
                    // As JSON Schema has it: what is no number has no size.
                    let fine = value.as_i64().is_none_or(|n| {
                        if word == "minimum" {
                            n >= limit
                        } else {
                            n <= limit
                        }
                    });
                    fine.then_some(()).ok_or(format!("{place}: {word}"))?;
                }
                "required" => {
                    for name in rule
                        .as_array()
                        .into_iter()
                        .flatten()
                        .filter_map(Value::as_str)
                    {
                        let there = value.get(name).is_some();
                        there
                            .then_some(())
                            .ok_or(format!("{place}: {name} is missing"))?;
                    }
                }
                "properties" => {
                    for (name, inner) in rule.as_object().into_iter().flatten() {
                        if let Some(found) = value.get(name) {
                            self.judge(inner, found, &format!("{place}.{name}"))?;
                        }
                    }
                }
                "additionalProperties" => {
                    let known = rules.get("properties").and_then(Value::as_object);
                    let more = value.as_object().into_iter().flatten();
                    let stranger = more
                        .into_iter()
                        .any(|(name, _)| known.is_none_or(|k| !k.contains_key(name)));
                    if rule == &Value::Bool(false) && stranger {
                        return Err(format!("{place}: a field too many"));
                    }
                }
                "items" => {
                    for (n, found) in value.as_array().into_iter().flatten().enumerate() {
                        self.judge(rule, found, &format!("{place}[{n}]"))?;
                    }
                }
                other => {
                    return Err(format!(
                        "the contract says {other}, which nobody here understands"
                    ));
                }
            }
        }
        Ok(())
    }
}

fn is_type(rule: &Value, value: &Value) -> bool {
    let one = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => false,
    };
    match rule {
        Value::String(name) => one(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(one),
        _ => false,
    }
}

/// `^[0-9a-f]{12}$` and `^[a-z]{1,40}$`: one class, one count.
fn matches(pattern: &str, text: &str) -> Result<bool, String> {
    let inner = pattern
        .strip_prefix("^[")
        .and_then(|p| p.strip_suffix("}$"));
    let (class, count) = inner
        .and_then(|p| p.split_once("]{"))
        .ok_or("a pattern of another form")?;
    let (least, most) = count.split_once(',').unwrap_or((count, count));
    let number = |t: &str| {
        t.parse::<usize>()
            .map_err(|_| "a count that is no number".to_owned())
    };
    let length = text.chars().count();
    let mut allowed = Vec::new();
    let letters: Vec<char> = class.chars().collect();
    let mut at = 0;
    while at < letters.len() {
        if at + 2 < letters.len() && letters[at + 1] == '-' {
            allowed.push((letters[at], letters[at + 2]));
            at += 3;
        } else {
            allowed.push((letters[at], letters[at]));
            at += 1;
        }
    }
    let known = |c: char| allowed.iter().any(|(from, to)| (*from..=*to).contains(&c));
    Ok((number(least)?..=number(most)?).contains(&length) && text.chars().all(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_of_the_contract_is_understood_and_any_other_is_a_fault() {
        assert_eq!(matches("^[0-9]{12}$", "123456789018"), Ok(true));
        assert_eq!(matches("^[0-9]{12}$", "12345678901"), Ok(false));
        assert_eq!(
            matches("^[0-9]{12}$", "１２３４５６７８９０１８"),
            Ok(false)
        );
        assert_eq!(matches("^[a-z0-9-]{1,4}$", "a-9"), Ok(true));
        assert_eq!(matches("^[a-z0-9-]{1,4}$", ""), Ok(false));
        assert!(matches("^a|b$", "a").is_err());
    }

    #[test]
    fn what_a_schema_says_is_demanded_and_what_nobody_understands_is_a_fault() {
        let contract = Contract::read(
            r##"{"paths":{"/x":{"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/s"}}}}}}},
            "s":{"type":"object","required":["a"],"properties":{"a":{"type":"string","pattern":"^[0-9]{2}$"},
            "n":{"type":["integer","null"],"minimum":1}},"additionalProperties":false}}"##,
        )
        .unwrap();
        let judge = |text: &str| contract.request("/x", &serde_json::from_str(text).unwrap());
        assert_eq!(judge(r#"{"a":"12","n":1}"#), Ok(()));
        assert_eq!(judge(r#"{"a":"12","n":null}"#), Ok(()));
        for wrong in [
            r#"{"a":"1"}"#,
            r#"{}"#,
            r#"{"a":"12","b":1}"#,
            r#"{"a":12}"#,
            r#"{"a":"12","n":0}"#,
            "[]",
        ] {
            assert!(judge(wrong).is_err(), "{wrong}");
        }
        assert!(contract.request("/y", &Value::Null).is_err());
        let odd = Contract(
            serde_json::json!({"paths":{"/x":{"post":{"requestBody":{"content":{"application/json":{"schema":{"oneOf":[]}}}}}}}}),
        );
        assert!(
            odd.request("/x", &Value::Null)
                .unwrap_err()
                .contains("oneOf")
        );
    }
}
