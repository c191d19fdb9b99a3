//! `hydrant check` against a real kube-apiserver: the same objects, half of them broken by a mutator with a fixed seed, judged by
//! both. The server's verdict is that of a server-side apply in a dry run, which also refuses fields that it does not know.
//!
//! `HYDRANT_SCHEMA_COUNT` and `HYDRANT_SCHEMA_SEED` set how many objects there are and the mutator's seed.

#![cfg(feature = "cli")]
#![expect(clippy::disallowed_methods, reason = "tests make files and read their environment")]

#[path = "support/kube.rs"]
mod kube;
#[path = "support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use kube::Kube;
use serde_json::{Map, Value, json};
use support::{hydrant, run};

/// Objects that a run compares; the figures of COMPATIBILITY.md are of 2,000.
const COUNT: u64 = 400;
/// The least share of equal verdicts, in thousandths.
const SAME_MIN: usize = 990;
/// The most false alarms, in ten thousandths.
const ALARMS_MAX: usize = 10;

/// A generator of numbers that is the same everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, count: usize) -> usize {
        (self.next() % count.max(1) as u64) as usize
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Objects that a server takes, of the kinds that people write.
fn bases() -> Vec<Value> {
    serde_json::from_str(include_str!("support/objects.json")).expect("JSON")
}

/// Every place of a value: the steps to it.
fn places(value: &Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(map) => {
            for (key, below) in map {
                path.push(key.clone());
                found.push(path.clone());
                places(below, path, found);
                path.pop();
            }
        }
        Value::Array(items) => {
            for (at, below) in items.iter().enumerate() {
                path.push(at.to_string());
                found.push(path.clone());
                places(below, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

fn at<'v>(value: &'v mut Value, path: &[String]) -> &'v mut Value {
    path.iter().fold(value, |value, step| match value {
        Value::Array(items) => &mut items[step.parse::<usize>().expect("an index")],
        other => &mut other[step.as_str()],
    })
}

/// Changes that leave an object as good as it was.
fn harmless(object: &mut Value, dice: &mut Dice) {
    let metadata = object["metadata"].as_object_mut().expect("metadata");
    let annotations = metadata.entry("annotations").or_insert_with(|| Value::Object(Map::new()));
    annotations[format!("example.com/note-{}", dice.below(100))] = json!(format!("value {}", dice.below(1000)));
}

/// A change that may break an object; gives its name.
fn mutate(object: &mut Value, dice: &mut Dice) -> String {
    loop {
        let mut all = Vec::new();
        places(object, &mut Vec::new(), &mut all);
        // without these there is no object to judge
        all.retain(|path| !matches!(path.join(".").as_str(), "apiVersion" | "kind" | "metadata" | "metadata.name"));
        let path = dice.pick(&all).clone();
        let (last, before) = path.split_last().expect("a step");
        let place = at(object, &path);
        let name = format!("{} ", path.join("."));
        match dice.below(12) {
            0 => {
                let holder = at(object, before);
                if let Value::Object(map) = holder {
                    map.insert(format!("{last}X"), json!("x"));
                    return name + "unknown neighbour";
                }
            }
            1 | 2 => {
                *place = match place {
                    Value::String(_) => json!(17),
                    Value::Number(_) => json!("seventeen"),
                    Value::Bool(_) => json!("true"),
                    Value::Array(_) => json!({"a": "b"}),
                    Value::Object(_) => json!(["a"]),
                    Value::Null => json!("x"),
                };
                return name + "other type";
            }
            3 | 4 => {
                match at(object, before) {
                    Value::Object(map) => drop(map.remove(last)),
                    Value::Array(items) => drop(items.remove(last.parse::<usize>().expect("an index"))),
                    _ => {}
                }
                return name + "removed";
            }
            5 => {
                if place.is_string() {
                    *place = json!(*dice.pick(&["Bogus", "UPPER_case", "-x", "a b", "", "x/y/z", "Ünicode"]));
                    return name + "odd word";
                }
            }
            6 | 7 => {
                if place.is_number() {
                    *place = json!(*dice.pick(&[-1i64, 0, 1, 70_000, 3_000_000_000]));
                    return name + "odd number";
                }
            }
            8 => {
                if let Some(first) = place.as_array().and_then(|items| items.first().cloned())
                    && let Some(items) = place.as_array_mut()
                {
                    items.push(first);
                    return name + "item twice";
                }
            }
            9 => {
                if place.is_array() || place.is_object() {
                    *place = if place.is_array() { json!([]) } else { json!({}) };
                    return name + "emptied";
                }
            }
            10 => {
                object["metadata"]["name"] =
                    json!(*dice.pick(&["UPPER", "a_b", "-a", "a..b", "a/b", "ok-name", "1name", "a.b"]));
                return "metadata.name odd".to_owned();
            }
            _ => {
                let key = *dice.pick(&["Bad Key", "example.com/ok", "a/b/c", "-x", "x"]);
                let value = *dice.pick(&["bad value", "ok", "-bad", ""]);
                let group = *dice.pick(&["labels", "annotations"]);
                if !object["metadata"][group].is_object() {
                    object["metadata"][group] = json!({});
                }
                object["metadata"][group][key] = json!(value);
                return format!("metadata.{group} odd");
            }
        }
    }
}

#[test]
fn verdicts_are_those_of_the_server() {
    let (count, mut dice) = (number("HYDRANT_SCHEMA_COUNT", COUNT), Dice(number("HYDRANT_SCHEMA_SEED", 20_261_129)));
    let bases = bases();
    let folder = tempfile::tempdir().expect("a folder");
    let mut changes = BTreeMap::new();
    for index in 0..count {
        let mut object = dice.pick(&bases).clone();
        harmless(&mut object, &mut dice);
        let change = if index % 2 == 1 { mutate(&mut object, &mut dice) } else { "unbroken".to_owned() };
        let file = format!("{index:05}.json");
        let kind = object["kind"].as_str().unwrap_or_default().to_owned();
        fs::write(folder.path().join(&file), object.to_string()).expect("written");
        changes.insert(file, (format!("{kind} {change}"), object));
    }
    let kube = Kube::start();
    let mut server = judged_by_the_server(&kube, folder.path());
    let ours = judged_by_us(folder.path());
    // where the verdicts differ, creation is asked, too: it has no quirks of that server's apply, and sees numbers that overflow
    for file in changes.keys() {
        let ask = match (server.get(file), ours.get(file)) {
            (None, Some(_)) => true,
            (Some(why), None) => QUIRKS.iter().any(|quirk| why.contains(quirk)),
            _ => false,
        };
        if ask {
            match refused_to_create(&kube, &folder.path().join(file)) {
                Some(why) => drop(server.insert(file.clone(), why)),
                None => drop(server.remove(file)),
            }
        }
    }
    let (mut alarms, mut missed) = (Vec::new(), Vec::new());
    for (file, (change, _)) in &changes {
        match (server.get(file), ours.get(file)) {
            (None, Some(why)) => alarms.push(format!("{file} {change}: we say {why}")),
            (Some(why), None) => missed.push(format!("{file} {change}: the server says {why}")),
            _ => {}
        }
    }
    println!(
        "{count} objects, {} refused by the server; {} false alarms, {} missed",
        server.len(),
        alarms.len(),
        missed.len()
    );
    for line in &alarms {
        println!("false alarm: {line}");
    }
    for line in &missed {
        println!("missed: {line}");
    }
    let total = changes.len();
    assert!(server.len() > total / 4, "too few are broken for the comparison to mean anything");
    assert!((total - alarms.len() - missed.len()) * 1000 >= total * SAME_MIN, "too few verdicts are the same");
    assert!(alarms.len() * 10_000 <= total * ALARMS_MAX, "too many false alarms");
}

/// What the server-side apply of 1.20 alone refuses: it knows no defaults of keys and no quantities that are numbers.
const QUIRKS: [&str; 2] = ["omits key field \"protocol\"", "expected string, got &value.valueUnstructured{Value:17}"];

/// The server's words about a file that it refuses to create.
fn refused_to_create(kube: &Kube, path: &std::path::Path) -> Option<String> {
    let out = run(kube.kubectl().args(["create", "--dry-run=server", "--validate=false", "-f"]).arg(path));
    (!out.status.success()).then(|| String::from_utf8_lossy(&out.stderr).lines().next().unwrap_or_default().to_owned())
}

/// The files that the server refuses, and its words.
fn judged_by_the_server(kube: &Kube, folder: &std::path::Path) -> BTreeMap<String, String> {
    let out =
        run(kube.kubectl().args(["apply", "--server-side", "--dry-run=server", "--validate=false", "-f"]).arg(folder));
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    let taken = String::from_utf8_lossy(&out.stdout).lines().count();
    let names: BTreeSet<String> = fs::read_dir(folder)
        .expect("files")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    let mut refused: BTreeMap<String, String> = BTreeMap::new();
    let mut rest = Vec::new();
    for line in text.lines() {
        match names.iter().find(|name| line.contains(name.as_str())) {
            Some(name) => drop(refused.insert(name.clone(), line.to_owned())),
            None => rest.push(line.to_owned()),
        }
    }
    // kubectl does not always name the file: those are asked for one by one
    if taken + refused.len() != names.len() {
        for name in names.iter().filter(|name| !refused.contains_key(*name)).cloned().collect::<Vec<_>>() {
            let out = run(kube
                .kubectl()
                .args(["apply", "--server-side", "--dry-run=server", "--validate=false", "-f"])
                .arg(folder.join(&name)));
            if !out.status.success() {
                refused
                    .insert(name, String::from_utf8_lossy(&out.stderr).lines().next().unwrap_or_default().to_owned());
            }
        }
    }
    refused
}

/// The files that we find errors in, and the first of each.
fn judged_by_us(folder: &std::path::Path) -> BTreeMap<String, String> {
    let out = run(hydrant()
        .args([
            "check",
            "--kube-version",
            "1.20",
            "--format",
            "json",
            "--fail-on",
            "never",
            "--skip",
            "set-duplicate,set-hash",
        ])
        .arg(folder));
    let report: Value = serde_json::from_slice(&out.stdout)
        .unwrap_or_else(|error| panic!("no report: {error}: {}", String::from_utf8_lossy(&out.stderr)));
    let mut found = BTreeMap::new();
    for finding in report["findings"].as_array().expect("findings") {
        if finding["severity"] == "error" {
            let file = finding["at"]["file"].as_str().unwrap_or_default();
            let name = file.rsplit('/').next().unwrap_or_default().to_owned();
            let text = format!("{}: {} {}", finding["code"], finding["field"], finding["message"]);
            found.entry(name).or_insert(text);
        }
    }
    found
}
