//! The proof that a diff is whole: applied to the old objects, it gives the new ones.
//!
//! Knows the JSON of a diff and nothing of the code that makes it. What an entry says of the old side is checked, too.

use serde_json::Value;

/// Reads a text as a document, as the diff does.
pub(crate) type Read<'a> = &'a dyn Fn(&str) -> Value;

/// The old objects with the objects of one root of a diff applied, in no order that means anything.
pub(crate) fn apply(old: &[Value], root: &Value, read: Read<'_>) -> Result<Vec<Value>, String> {
    let mut now: Vec<Option<Value>> = old.iter().cloned().map(Some).collect();
    let mut added = Vec::new();
    for object in list(root, "objects") {
        let place = object["old"]["place"].as_u64().map(|place| place as usize);
        match (place, object.get("new")) {
            (None, Some(new)) => added.push(new["value"].clone()),
            (Some(place), new) => {
                let was = now.get_mut(place).and_then(Option::take).ok_or_else(|| format!("no object at {place}"))?;
                if new.is_some() {
                    let entries = list(object, "entries").iter().map(|entry| (steps(entry), entry)).collect();
                    now[place] = Some(patch(was, entries, read).map_err(|why| format!("{}: {why}", object["new"]))?);
                } else if was != object["old"]["value"] {
                    return Err(format!("what is removed was otherwise: {was}"));
                }
            }
            (None, None) => return Err("an object of no side".to_owned()),
        }
    }
    Ok(now.into_iter().flatten().chain(added).collect())
}

/// Replaces the values of Secrets as the diff does, for sides that are compared with it.
pub(crate) fn mask(mut object: Value) -> Value {
    if object["kind"] == "Secret" && object["apiVersion"] == "v1" {
        for field in ["data", "stringData"] {
            if let Some(value) = object.get_mut(field) {
                mask_all(value);
            }
        }
        if let Some(value) =
            object.pointer_mut("/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration")
        {
            mask_all(value);
        }
    }
    object
}

fn mask_all(value: &mut Value) {
    match value {
        Value::Object(map) => map.values_mut().for_each(mask_all),
        Value::Array(items) => items.iter_mut().for_each(mask_all),
        _ => *value = "(masked)".into(),
    }
}

/// True if both hold the same objects, in any order.
pub(crate) fn same_objects(a: &[Value], b: &[Value]) -> bool {
    let sorted = |list: &[Value]| {
        let mut texts: Vec<String> = list.iter().map(ToString::to_string).collect();
        texts.sort();
        texts
    };
    sorted(a) == sorted(b)
}

type Entries<'e> = Vec<(&'e [Value], &'e Value)>;

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn steps(entry: &Value) -> &[Value] {
    list(entry, "path")
}

fn patch(old: Value, entries: Entries<'_>, read: Read<'_>) -> Result<Value, String> {
    let (here, below): (Entries<'_>, Entries<'_>) = entries.into_iter().partition(|(steps, _)| steps.is_empty());
    if let Some((_, entry)) = here.first() {
        return replaced(&old, entry, below, read);
    }
    match old {
        _ if below.is_empty() => Ok(old),
        Value::Object(mut map) => {
            for (key, entries) in by_first(below) {
                let key = key.as_str().ok_or("a key is no text")?.to_owned();
                if let [([], entry)] = &entries[..]
                    && entry["class"] != "document"
                {
                    let was = map.get(&key);
                    check(entry, was)?;
                    match entry.get("new") {
                        Some(new) => drop(map.insert(key, new.clone())),
                        None => drop(map.remove(&key)),
                    }
                } else {
                    let was = map.get(&key).cloned().ok_or_else(|| format!("no key {key}"))?;
                    map.insert(key, patch(was, entries, read)?);
                }
            }
            Ok(Value::Object(map))
        }
        Value::Array(items) => patch_list(&items, below, read),
        other => Err(format!("nothing leads into {other}")),
    }
}

/// A value that another one stands for; a document is checked by what its inner entries say.
fn replaced(old: &Value, entry: &Value, below: Entries<'_>, read: Read<'_>) -> Result<Value, String> {
    check(entry, Some(old))?;
    let new = entry.get("new").cloned().ok_or("a value goes without its key")?;
    if entry["class"] == "document" {
        let inner = below.into_iter().map(|(steps, entry)| (&steps[1..], entry)).collect();
        let text = |value: &Value| read(value.as_str().unwrap_or_default());
        let made = patch(text(old), inner, read)?;
        if made != text(&new) {
            return Err(format!("the document at {} becomes {made}", entry["at"]));
        }
    } else if !below.is_empty() {
        return Err("a replaced value has entries below it".to_owned());
    }
    Ok(new)
}

fn check(entry: &Value, was: Option<&Value>) -> Result<(), String> {
    let as_said = entry.get("old") == was || (entry["masked"] == true && was.is_some() == entry.get("old").is_some());
    if as_said { Ok(()) } else { Err(format!("{}: the old value was {was:?}", entry["at"])) }
}

fn by_first(entries: Entries<'_>) -> Vec<(&Value, Entries<'_>)> {
    let mut groups: Vec<(&Value, Entries<'_>)> = Vec::new();
    for (steps, entry) in entries {
        match groups.iter_mut().find(|(first, _)| *first == &steps[0]) {
            Some((_, group)) => group.push((&steps[1..], entry)),
            None => groups.push((&steps[0], vec![(&steps[1..], entry)])),
        }
    }
    groups
}

fn patch_list(items: &[Value], entries: Entries<'_>, read: Read<'_>) -> Result<Value, String> {
    let mut rest: Vec<Option<Value>> = items.iter().cloned().map(Some).collect();
    let mut placed: Vec<(usize, Value)> = Vec::new();
    let mut claims = Vec::new();
    for (step, entries) in by_first(entries) {
        let place = |side: &str| step.get(side).and_then(Value::as_u64).map(|place| place as usize);
        let (moves, inner): (Entries<'_>, Entries<'_>) =
            entries.into_iter().partition(|(_, entry)| entry["class"] == "moved");
        // a move of the item itself, not of something in it
        let (moved, deeper): (Entries<'_>, Entries<'_>) = moves.into_iter().partition(|(steps, _)| steps.is_empty());
        let inner: Entries<'_> = inner.into_iter().chain(deeper).collect();
        match (place("old"), place("new")) {
            (None, Some(new)) => placed.push((new, inner[0].1["new"].clone())),
            (Some(old), None) => {
                check(inner[0].1, rest.get(old).and_then(Option::as_ref))?;
                rest[old] = None;
            }
            (Some(old), Some(new)) => {
                let was = rest.get_mut(old).and_then(Option::take).ok_or_else(|| format!("no item {old}"))?;
                let now = patch(was, inner, read)?;
                if moved.is_empty() {
                    claims.push((new, now.clone()));
                    rest[old] = Some(now);
                } else {
                    placed.push((new, now));
                }
            }
            (None, None) => return Err("an item of no side".to_owned()),
        }
    }
    placed.sort_by_key(|(at, _)| *at);
    let mut rest = rest.into_iter().flatten();
    let mut placed = placed.into_iter().peekable();
    let mut now = Vec::new();
    loop {
        if placed.peek().is_some_and(|(at, _)| *at == now.len()) {
            now.extend(placed.next().map(|(_, item)| item));
        } else if let Some(item) = rest.next() {
            now.push(item);
        } else {
            break;
        }
    }
    if placed.next().is_some() {
        return Err("an item has no place in the list".to_owned());
    }
    match claims.iter().find(|(at, item)| now.get(*at) != Some(item)) {
        Some((at, _)) => Err(format!("an item did not come to its place {at}")),
        None => Ok(Value::Array(now)),
    }
}
