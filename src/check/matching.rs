//! Label selectors, and the globs that policies match names with.

use serde_json::Value;

/// True if a label selector selects labels; an empty or missing selector selects all.
pub(super) fn selects(selector: &Value, labels: &Value) -> bool {
    let label = |key: &str| labels.get(key).and_then(Value::as_str);
    let equal = selector["matchLabels"].as_object().is_none_or(|wanted| {
        wanted.iter().all(|(key, value)| label(key).is_some_and(|text| value.as_str() == Some(text)))
    });
    equal
        && selector["matchExpressions"].as_array().into_iter().flatten().all(|row| {
            let found = label(row["key"].as_str().unwrap_or_default());
            let among = || found.is_some_and(|text| row["values"].as_array().is_some_and(|all| all.iter().any(|one| one == text)));
            match row["operator"].as_str().unwrap_or_default() {
                "In" => among(),
                "NotIn" => !among(),
                "Exists" => found.is_some(),
                "DoesNotExist" => found.is_none(),
                _ => false,
            }
        })
}

/// True if a text fits a pattern in which `*` stands for any run of characters and `?` for one.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut place, mut star) = (0, 0, None);
    while place < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, place));
                at += 1;
            }
            Some(one) if *one == '?' || *one == text[place] => (at, place) = (at + 1, place + 1),
            _ => match star {
                // the last star takes one character more
                Some((back, taken)) => {
                    star = Some((back, taken + 1));
                    (at, place) = (back + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|one| *one == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn expressions_and_labels_must_all_hold() {
        let labels = json!({"a": "1", "b": "2"});
        assert!(selects(&json!({}), &labels));
        assert!(selects(&json!({"matchLabels": {"a": "1"}}), &labels));
        assert!(!selects(&json!({"matchLabels": {"a": "2"}}), &labels));
        let row = |operator: &str, key: &str, values: Value| {
            selects(&json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]}), &labels)
        };
        assert!(row("In", "a", json!(["1", "3"])) && !row("In", "c", json!(["1"])));
        assert!(row("NotIn", "c", json!(["1"])) && !row("NotIn", "a", json!(["1"])));
        assert!(row("Exists", "b", json!([])) && row("DoesNotExist", "c", json!([])));
    }

    #[test]
    fn globs_take_any_run() {
        assert!(glob("kube-*", "kube-system") && glob("*-system", "kube-system") && glob("*", ""));
        assert!(glob("a*b*c", "axxbyyc") && !glob("a*b", "abc") && glob("a?c", "abc") && !glob("a", "ab"));
    }
}
