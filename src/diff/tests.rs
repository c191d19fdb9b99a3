//! Generated pairs: whatever differs, the diff tells it whole.

use serde_json::Value;

use super::patch::{apply, mask, same_objects};
use super::{Facts, Report, RootDiff, Unfold, View, diff, to_json};
use crate::diag::SourceText;
use crate::manifest::{Object, Set};
use crate::value::{Kind, Map, Tree};
use crate::yaml;

/// How many pairs are made.
const PAIRS: u64 = 10_000;

/// A small generator, the same numbers each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len() as u64) as usize]
    }
}

const KEYS: [&str; 14] = [
    "name", "spec", "containers", "env", "limits", "cpu", "ports", "containerPort", "args", "labels", "a.b/c", "data", "x.yaml", "volumes",
];
const TEXTS: [&str; 14] = [
    "", "web", "1", "1000m", "1Gi", "--v=2", "--v=4", "true", "a: 1\nb: [2, 3]\n", "a: 1\nb: [3, 2]\n", "{\"a\": [1]}", "{\"a\":[1, 2]}",
    "one\ntwo\n", "~",
];

fn scalar(dice: &mut Dice) -> Tree {
    match dice.roll(8) {
        0 => Tree::int(dice.roll(4) as i64),
        1 => Tree::bool(dice.roll(2) == 0),
        2 => Tree::null(),
        3 => Tree::plain(Kind::Float, *dice.pick(&["1.0", "0.5", "1e3"])),
        _ => Tree::str(*dice.pick(&TEXTS)),
    }
}

fn tree(dice: &mut Dice, depth: u64) -> Tree {
    match dice.roll(if depth == 0 { 3 } else { 6 }) {
        0..=2 => scalar(dice),
        3 => Tree::list((0..dice.roll(5)).map(|_| tree(dice, depth - 1)).collect()),
        4 => {
            // items with names, as most lists have them
            let item = |dice: &mut Dice, at: u64| {
                let mut map = Map::new();
                map.set("name", Tree::str(format!("item-{at}")));
                map.set("value", tree(dice, depth - 1));
                Tree::map(map)
            };
            Tree::list((0..dice.roll(5)).map(|at| item(dice, at)).collect())
        }
        _ => Tree::map((0..dice.roll(5)).map(|_| ((*dice.pick(&KEYS)).into(), tree(dice, depth - 1))).collect()),
    }
}

/// Changes a few things somewhere.
fn changed(dice: &mut Dice, old: &Tree, depth: u64) -> Tree {
    if depth == 0 || dice.roll(9) == 0 {
        return tree(dice, 2);
    }
    match old {
        Tree::Scalar(_) => scalar(dice),
        Tree::List(items) => {
            let mut items = items.to_vec();
            let at = dice.roll(items.len() as u64 + 1) as usize;
            match dice.roll(5) {
                0 => items.insert(at, tree(dice, 2)),
                1 if at < items.len() => drop(items.remove(at)),
                2 if at < items.len() => {
                    let item = items.remove(at);
                    items.insert(dice.roll(items.len() as u64 + 1) as usize, item);
                }
                3 => items.reverse(),
                _ if at < items.len() => items[at] = changed(dice, &items[at], depth - 1),
                _ => items.push(scalar(dice)),
            }
            Tree::list(items)
        }
        Tree::Map(map) => {
            let mut map = Map::clone(map);
            let key = map.iter().nth(dice.roll(map.len().max(1) as u64) as usize).map(|(key, _)| key.clone());
            match (dice.roll(4), key) {
                (0, Some(key)) => drop(map.remove(&key)),
                (1, _) => drop(map.set(*dice.pick(&KEYS), tree(dice, 2))),
                (_, Some(key)) => {
                    let now = changed(dice, map.get(&key).unwrap_or(&Tree::null()), depth - 1);
                    map.set(key, now);
                }
                _ => map.sort_keys(),
            }
            Tree::map(map)
        }
    }
}

fn object(dice: &mut Dice, name: u64) -> Tree {
    const KINDS: [(&str, &str); 5] =
        [("v1", "ConfigMap"), ("v1", "Secret"), ("apps/v1", "Deployment"), ("x.io/v1", "Thing"), ("v1", "Service")];
    let (version, kind) = *dice.pick(&KINDS);
    let mut map = Map::new();
    map.set("apiVersion", Tree::str(version));
    map.set("kind", Tree::str(kind));
    map.set("metadata", Tree::map(Map::from_iter([("name".into(), Tree::str(format!("n{name}")))])));
    map.set(if kind == "Secret" || kind == "ConfigMap" { "data" } else { "spec" }, tree(dice, 4));
    Tree::map(map)
}

/// Changes an object below its head, or its name.
fn changed_object(dice: &mut Dice, old: &Tree) -> Tree {
    let mut map = old.as_map().cloned().unwrap_or_default();
    if dice.roll(12) == 0 {
        let name = format!("m{}", dice.roll(3));
        map.set("metadata", Tree::map(Map::from_iter([("name".into(), Tree::str(name))])));
    }
    for key in ["data", "spec"] {
        if let Some(value) = map.get(key).cloned() {
            let mut now = value;
            for _ in 0..=dice.roll(3) {
                now = changed(dice, &now, 4);
            }
            map.set(key, now);
        }
    }
    Tree::map(map)
}

fn value(tree: &Tree) -> Value {
    serde_json::from_str(&yaml::to_json(tree)).expect("JSON")
}

fn read(text: &str) -> Value {
    value(&yaml::parse(&SourceText::new("", text), yaml::Dialect::V3).expect("it was read before"))
}

#[test]
fn applied_to_the_old_objects_a_diff_gives_the_new_ones() {
    for seed in 0..PAIRS {
        let mut dice = Dice(seed);
        let old: Vec<Tree> = (0..=dice.roll(3)).map(|name| object(&mut dice, name)).collect();
        let mut new: Vec<Tree> = Vec::new();
        for tree in &old {
            match dice.roll(6) {
                0 => {}
                1 => new.push(tree.clone()),
                _ => new.push(changed_object(&mut dice, tree)),
            }
        }
        if dice.roll(4) == 0 {
            new.push(object(&mut dice, 9));
        }
        let set = |trees: &[Tree]| Set { objects: trees.iter().map(|tree| Object::new(tree.clone(), std::sync::Arc::default())).collect() };
        {
            let show_secrets = seed % 2 == 0;
            let facts = Facts { show_secrets, ..Facts::default() };
            let diff = diff(&set(&old), &set(&new), &facts);
            let report = Report { roots: vec![RootDiff { name: String::new(), diff }], ..Report::default() };
            let unfold = Unfold::default();
            let view = View::of(&report, &unfold);
            let folded: usize = view.folds.iter().map(|fold| fold.entries).sum();
            let shown: usize = view.roots.iter().flat_map(|root| &root.objects).map(|object| object.entries.len()).sum();
            assert_eq!(folded + shown, view.counts.entries, "seed {seed}: the counts add up");
            let json: Value = serde_json::from_str(&to_json(&view)).expect("JSON");
            let masked = |trees: &[Tree]| -> Vec<Value> {
                trees.iter().map(value).map(|object| if show_secrets { object } else { mask(object) }).collect()
            };
            let made = apply(&masked(&old), &json["roots"][0], &read).unwrap_or_else(|why| panic!("seed {seed}: {why}\n{json:#}"));
            assert!(same_objects(&made, &masked(&new)), "seed {seed}:\n{json:#}\n{made:#?}\n{:#?}", masked(&new));
        }
    }
}
