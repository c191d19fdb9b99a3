//! Kyverno's conditions: a key, an operator and a value.

use std::cmp::Ordering;

use serde_json::Value;

use super::pattern::seconds;
use super::variables::Context;
use crate::check::matching::glob;
use crate::check::names;

/// True if conditions hold: `any` and `all`, a list of both, or a plain list, all of which must hold.
pub(super) fn hold(conditions: &Value, context: &Context) -> Result<bool, String> {
    match conditions {
        Value::Array(rows) => {
            for row in rows {
                let grouped = !row["any"].is_null() || !row["all"].is_null();
                if !(if grouped { hold(row, context)? } else { one(row, context)? }) {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Value::Object(_) => {
            for row in conditions["all"].as_array().into_iter().flatten() {
                if !one(row, context)? {
                    return Ok(false);
                }
            }
            let Some(any) = conditions["any"].as_array() else { return Ok(true) };
            for row in any {
                if one(row, context)? {
                    return Ok(true);
                }
            }
            Ok(any.is_empty())
        }
        _ => Ok(true),
    }
}

fn one(row: &Value, context: &Context) -> Result<bool, String> {
    let key = context.substitute(&row["key"])?;
    let value = context.substitute(&row["value"])?;
    let operator = row["operator"].as_str().unwrap_or_default();
    Ok(match operator.to_ascii_lowercase().as_str() {
        "equal" | "equals" => equal(&key, &value),
        "notequal" | "notequals" => !equal(&key, &value),
        "in" | "allin" => many(&key).iter().all(|one| within(one, &value)),
        "anyin" => many(&key).iter().any(|one| within(one, &value)),
        "notin" | "allnotin" => !many(&key).iter().any(|one| within(one, &value)),
        "anynotin" => many(&key).iter().any(|one| !within(one, &value)),
        "greaterthan" | "durationgreaterthan" => order(&key, &value) == Some(Ordering::Greater),
        "greaterthanorequals" | "durationgreaterthanorequals" => order(&key, &value).is_some_and(Ordering::is_ge),
        "lessthan" | "durationlessthan" => order(&key, &value) == Some(Ordering::Less),
        "lessthanorequals" | "durationlessthanorequals" => order(&key, &value).is_some_and(Ordering::is_le),
        other => return Err(format!("the operator `{other}` is not known")),
    })
}

/// A key as a list: a text may be one of many.
fn many(key: &Value) -> Vec<Value> {
    match key {
        Value::Array(items) => items.clone(),
        Value::Null => Vec::new(),
        other => vec![other.clone()],
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn within(one: &Value, value: &Value) -> bool {
    let one = shown(one);
    let fits = |text: &str| glob(text, &one) || glob(&one, text) || ranged(&one, text);
    match value {
        Value::Array(items) => items.iter().any(|item| fits(&shown(item))),
        Value::String(text) => match serde_json::from_str::<Vec<Value>>(text) {
            Ok(items) => items.iter().any(|item| fits(&shown(item))),
            Err(_) => fits(text),
        },
        Value::Null => false,
        other => fits(&shown(other)),
    }
}

/// `1-10`: a range of quantities.
fn ranged(one: &str, text: &str) -> bool {
    let Some((least, most)) = text.split_once('-').filter(|(least, _)| !least.is_empty()) else { return false };
    let amounts = (names::quantity(one), names::quantity(least), names::quantity(most));
    matches!(amounts, (Some(one), Some(least), Some(most)) if least <= one && one <= most)
}

fn equal(key: &Value, value: &Value) -> bool {
    match (key, value) {
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Bool(a), Value::String(text)) | (Value::String(text), Value::Bool(a)) => text.parse() == Ok(*a),
        (Value::Number(_) | Value::String(_), Value::Number(_) | Value::String(_)) => {
            order(key, value) == Some(Ordering::Equal) || glob(&shown(value), &shown(key))
        }
        (a, b) => a == b,
    }
}

/// The order of numbers, quantities, durations or versions.
fn order(key: &Value, value: &Value) -> Option<Ordering> {
    let (a, b) = (shown(key), shown(value));
    if let (Some(a), Some(b)) = (names::quantity(&a), names::quantity(&b)) {
        return Some(a.cmp(&b));
    }
    let time = |text: &str| seconds(text).or_else(|| text.parse().ok());
    if let (Some(a), Some(b)) = (time(&a), time(&b)) {
        return a.partial_cmp(&b);
    }
    let version = |text: &str| -> Option<Vec<u64>> {
        let parts: Option<Vec<u64>> = text.trim_start_matches('v').split('.').map(|part| part.parse().ok()).collect();
        parts.filter(|parts| parts.len() == 3)
    };
    Some(version(&a)?.cmp(&version(&b)?))
}
