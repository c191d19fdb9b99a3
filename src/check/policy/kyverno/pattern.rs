//! Kyverno's patterns: a value in the shape of an object, with anchors in its keys and operators in its texts.
//!
//! In: a value and a pattern without variables. Out: an [`Answer`].

use std::cmp::Ordering;

use serde_json::{Map, Value};

use crate::check::matching::glob;
use crate::check::names;

/// Whether a value fits a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It does.
    Fits,
    /// It does not, at this place.
    Fails(Vec<String>),
    /// A condition keeps the pattern from being about this value.
    Skips,
    /// A condition keeps the whole rule from being about the object.
    SkipsRule,
}

/// An anchor around a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Anchor {
    None,
    /// `(key)`: where it does not fit, the rest is not asked.
    Condition,
    /// `<(key)`: where it does not fit, the rule is not asked.
    Global,
    /// `X(key)`: must not stand.
    Negation,
    /// `^(key)`: some item fits.
    Existence,
    /// `=(key)`: fits where it stands.
    Equality,
}

fn anchor(key: &str) -> (Anchor, &str) {
    let inner = |prefix: &str| key.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(')'));
    for (prefix, anchor) in [
        ("(", Anchor::Condition),
        ("<(", Anchor::Global),
        ("X(", Anchor::Negation),
        ("^(", Anchor::Existence),
        ("=(", Anchor::Equality),
        ("+(", Anchor::None),
    ] {
        if let Some(name) = inner(prefix) {
            return (anchor, name);
        }
    }
    (Anchor::None, key)
}

/// Whether a value fits a pattern.
pub(super) fn fits(value: &Value, pattern: &Value) -> Answer {
    match (pattern, value) {
        (Value::Object(pattern), Value::Object(value)) => map(value, pattern),
        (Value::Object(_), _) => Answer::Fails(Vec::new()),
        (Value::Array(pattern), Value::Array(value)) => list(value, pattern),
        (Value::Array(_), _) => Answer::Fails(Vec::new()),
        // a scalar pattern is about every item of a list
        (scalar, Value::Array(items)) => {
            items.iter().map(|item| fits(item, scalar)).find(|answer| *answer != Answer::Fits).unwrap_or(Answer::Fits)
        }
        (scalar, value) if scalar_fits(value, scalar) => Answer::Fits,
        _ => Answer::Fails(Vec::new()),
    }
}

fn below(step: &str, answer: Answer) -> Answer {
    match answer {
        Answer::Fails(mut path) => {
            path.insert(0, step.to_owned());
            Answer::Fails(path)
        }
        other => other,
    }
}

fn map(value: &Map<String, Value>, pattern: &Map<String, Value>) -> Answer {
    let has_anchor = |key: &str| anchor(key).0 != Anchor::None;
    // anchors first: they decide whether the rest is asked
    let (anchors, rest): (Vec<_>, Vec<_>) = pattern.iter().partition(|(key, _)| has_anchor(key));
    for (key, pattern) in anchors {
        match anchored(value, key, pattern) {
            Answer::Fits => {}
            other => return other,
        }
    }
    let (nested, plain): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(_, pattern)| holds_anchor(pattern));
    for (key, pattern) in nested.into_iter().chain(plain) {
        let answer = match keyed(value, key) {
            Some((_, found)) if !found.is_null() && *pattern == Value::String("*".to_owned()) => Answer::Fits,
            None if *pattern == Value::String("*".to_owned()) => Answer::Fails(Vec::new()),
            Some((_, found)) => fits(found, pattern),
            None => fits(&Value::Null, pattern),
        };
        match answer {
            Answer::Fits => {}
            other => return below(key, other),
        }
    }
    Answer::Fits
}

/// A key of the value, which the pattern may name with a glob.
fn keyed<'v>(value: &'v Map<String, Value>, key: &str) -> Option<(&'v String, &'v Value)> {
    match value.get_key_value(key) {
        Some(found) => Some(found),
        None if key.contains(['*', '?']) => value.iter().find(|(name, _)| glob(key, name)),
        None => None,
    }
}

/// True if there is an anchor that decides somewhere in a pattern.
fn holds_anchor(pattern: &Value) -> bool {
    match pattern {
        Value::Object(map) => map.iter().any(|(key, below)| {
            matches!(anchor(key).0, Anchor::Condition | Anchor::Existence | Anchor::Negation | Anchor::Global) || holds_anchor(below)
        }),
        Value::Array(items) => items.iter().any(holds_anchor),
        _ => false,
    }
}

fn anchored(value: &Map<String, Value>, key: &str, pattern: &Value) -> Answer {
    let (anchor, name) = anchor(key);
    let found = keyed(value, name).map(|(_, found)| found);
    match (anchor, found) {
        (Anchor::Negation, Some(_)) => Answer::Fails(vec![name.to_owned()]),
        (Anchor::Negation | Anchor::Equality | Anchor::Existence | Anchor::Global | Anchor::None, None) => Answer::Fits,
        (Anchor::Condition, None) => Answer::Skips,
        (Anchor::Condition, Some(found)) => match fits(found, pattern) {
            Answer::Fails(_) => Answer::Skips,
            other => other,
        },
        (Anchor::Global, Some(found)) => match fits(found, pattern) {
            Answer::Fails(_) => Answer::SkipsRule,
            other => other,
        },
        (Anchor::Equality | Anchor::None, Some(found)) => below(name, fits(found, pattern)),
        (Anchor::Existence, Some(found)) => {
            let patterns = pattern.as_array().map_or(&[][..], Vec::as_slice);
            let items = found.as_array().map_or(&[][..], Vec::as_slice);
            let all = patterns.iter().all(|pattern| items.iter().any(|item| fits(item, pattern) == Answer::Fits));
            if all { Answer::Fits } else { Answer::Fails(vec![name.to_owned()]) }
        }
    }
}

fn list(value: &[Value], pattern: &[Value]) -> Answer {
    match pattern.first() {
        None => Answer::Fits,
        Some(first @ Value::Object(_)) => {
            let (mut applied, mut skipped) = (0, None);
            for (at, item) in value.iter().enumerate() {
                match fits(item, first) {
                    Answer::Fits => applied += 1,
                    Answer::Skips => skipped = Some(Answer::Skips),
                    Answer::SkipsRule => return Answer::SkipsRule,
                    fails @ Answer::Fails(_) => return below(&at.to_string(), fails),
                }
            }
            if applied == 0 { skipped.unwrap_or(Answer::Fits) } else { Answer::Fits }
        }
        Some(first) if !first.is_array() => {
            let fails = value.iter().enumerate().map(|(at, item)| below(&at.to_string(), fits(item, first)));
            fails.into_iter().find(|answer| *answer != Answer::Fits).unwrap_or(Answer::Fits)
        }
        Some(_) if value.len() < pattern.len() => Answer::Fails(Vec::new()),
        Some(_) => {
            let pairs = value.iter().zip(pattern).enumerate().map(|(at, (item, pattern))| below(&at.to_string(), fits(item, pattern)));
            pairs.into_iter().find(|answer| *answer != Answer::Fits).unwrap_or(Answer::Fits)
        }
    }
}

fn scalar_fits(value: &Value, pattern: &Value) -> bool {
    match pattern {
        Value::Bool(wanted) => value.as_bool() == Some(*wanted),
        Value::Number(wanted) => match value {
            Value::Number(number) => number.as_f64() == wanted.as_f64(),
            Value::String(text) => text.parse::<f64>().ok() == wanted.as_f64(),
            _ => false,
        },
        Value::Null => match value {
            Value::Null => true,
            Value::Bool(value) => !value,
            Value::Number(number) => number.as_f64() == Some(0.0),
            Value::String(text) => text.is_empty(),
            _ => false,
        },
        Value::String(pattern) => text_fits(value, pattern),
        _ => false,
    }
}

/// A text of alternatives (`|`) of conjunctions (`&`) of operators, ranges and globs.
pub(super) fn text_fits(value: &Value, pattern: &str) -> bool {
    pattern.split('|').any(|option| {
        let option = option.trim();
        option.split('&').all(|part| part_fits(value, part.trim()))
    })
}

/// Whether an order is the one that is asked for.
type Holds = fn(Ordering) -> bool;

fn part_fits(value: &Value, part: &str) -> bool {
    if let Some((least, most)) = range(part) {
        return compared(value, least).is_some_and(Ordering::is_ge) && compared(value, most).is_some_and(Ordering::is_le);
    }
    if let Some((least, most)) = part.split_once("!-").filter(|(a, b)| amount(a).is_some() && amount(b).is_some()) {
        return compared(value, least).is_some_and(Ordering::is_lt) || compared(value, most).is_some_and(Ordering::is_gt);
    }
    let orders: [(&str, Holds); 4] =
        [(">=", Ordering::is_ge), ("<=", Ordering::is_le), (">", Ordering::is_gt), ("<", Ordering::is_lt)];
    for (sign, holds) in orders {
        if let Some(rest) = part.strip_prefix(sign) {
            return compared(value, rest.trim()).is_some_and(holds);
        }
    }
    match part.strip_prefix('!') {
        Some(rest) => !equal(value, rest.trim()),
        None => equal(value, part),
    }
}

fn range(part: &str) -> Option<(&str, &str)> {
    let (least, most) = part.split_once('-')?;
    (!least.is_empty() && amount(least).is_some() && amount(most).is_some()).then_some((least, most))
}

fn equal(value: &Value, pattern: &str) -> bool {
    if value.is_null() {
        // nothing fits no text, not even `*`
        return false;
    }
    if let Some(order) = compared(value, pattern).filter(|_| amount(pattern).is_some()) {
        return order == Ordering::Equal;
    }
    glob(pattern, &shown(value))
}

/// A value as the text that patterns are about; nothing is no number either.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The order of a value and a number, quantity or duration.
fn compared(value: &Value, bound: &str) -> Option<Ordering> {
    let text = shown(value);
    if let (Some(a), Some(b)) = (seconds(&text), seconds(bound)) {
        return a.partial_cmp(&b);
    }
    Some(amount(&text)?.cmp(&amount(bound)?))
}

fn amount(text: &str) -> Option<i128> {
    names::quantity(text.trim())
}

/// A duration of Go (`1h30m`), in seconds.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let (sign, mut rest) = text.strip_prefix('-').map_or((1.0, text), |rest| (-1.0, rest));
    if rest.is_empty() {
        return None;
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let units = [("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("h", 3600.0), ("m", 60.0), ("s", 1.0)];
        let (unit, scale) = units.into_iter().find(|(unit, _)| rest.starts_with(unit))?;
        total += number * scale;
        rest = &rest[unit.len()..];
    }
    Some(total * sign)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(value: Value, pattern: &str) -> bool {
        text_fits(&value, pattern)
    }

    #[test]
    fn texts_have_operators_ranges_and_globs() {
        assert!(text(json!("nginx:1"), "*:*") && !text(json!("nginx"), "*:*"));
        assert!(text(json!("nginx:1"), "!*:latest") && !text(json!("nginx:latest"), "!*:latest"));
        assert!(text(json!("x"), "?*") && !text(json!(""), "?*"));
        assert!(text(json!(5), ">=3") && !text(json!(2), ">=3") && text(json!("200Mi"), "<=1Gi"));
        assert!(text(json!(30), "1-100") && !text(json!(0), "1-100") && text(json!("a"), "b | a"));
        assert!(text(json!(1001), ">0 & <2000") && text(json!("2h"), ">30m"));
    }

    #[test]
    fn anchors_decide_what_is_asked() {
        let pod = json!({"spec": {"containers": [{"name": "a", "image": "x:latest", "imagePullPolicy": "Always"}, {"name": "b", "image": "y:1"}]}});
        let condition = json!({"spec": {"containers": [{"(image)": "*:latest", "imagePullPolicy": "Always"}]}});
        assert_eq!(fits(&pod, &condition), Answer::Fits);
        let condition = json!({"spec": {"containers": [{"(image)": "*:latest", "imagePullPolicy": "Never"}]}});
        let path = ["spec", "containers", "0", "imagePullPolicy"].map(str::to_owned).to_vec();
        assert_eq!(fits(&pod, &condition), Answer::Fails(path));
        assert_eq!(fits(&pod, &json!({"spec": {"=(hostNetwork)": false}})), Answer::Fits);
        assert!(matches!(fits(&pod, &json!({"spec": {"X(containers)": "null"}})), Answer::Fails(_)));
        assert_eq!(fits(&pod, &json!({"spec": {"^(containers)": [{"name": "b"}]}})), Answer::Fits);
        assert_eq!(fits(&pod, &json!({"<(spec)": {"hostNetwork": true}})), Answer::SkipsRule);
        assert!(matches!(fits(&pod, &json!({"metadata": {"labels": {"app": "?*"}}})), Answer::Fails(_)));
    }
}
