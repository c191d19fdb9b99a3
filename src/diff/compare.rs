//! Matches objects and compares their fields.

use indexmap::IndexMap;

use super::list::{self, Pair};
use super::path::Step;
use super::{Diff, FieldDiff, FieldPath, ObjectDiff, ObjectDiffKind, Shown};
use crate::manifest::{Object, ObjectId, Set};
use crate::value::{Kind, Scalar, Text, Tree};

/// What makes two objects the same object: the API version may differ between the sides.
type Key = (Text, Text, Text, Text);

fn key(id: &ObjectId) -> Key {
    (id.group.clone(), id.kind.clone(), id.namespace.clone(), id.name.clone())
}

/// What turns `old` into `new`. An identity that stands twice on a side counts by its last object, as applying does.
pub(crate) fn diff(old: &Set, new: &Set) -> Diff {
    let index = |set: &'_ Set| set.objects.iter().map(|object| (key(&object.id), object.clone())).collect::<IndexMap<_, _>>();
    let (mut before, after) = (index(old), index(new));
    let mut result = Diff::default();
    for (key, object) in after {
        let kind = match before.shift_remove_full(&key) {
            None => ObjectDiffKind::Added,
            Some((_, _, was)) => {
                let fields = fields(&was, &object);
                if fields.is_empty() {
                    result.unchanged += 1;
                    continue;
                }
                ObjectDiffKind::Changed(fields)
            }
        };
        result.objects.push(ObjectDiff { id: object.id, kind });
    }
    let removed = before.into_values().map(|object| ObjectDiff { id: object.id, kind: ObjectDiffKind::Removed });
    result.objects.extend(removed);
    result
}

fn fields(old: &Object, new: &Object) -> Vec<FieldDiff> {
    let secret = new.id.kind == "Secret" && new.id.group.is_empty();
    let mut walk = Walk { secret, found: Vec::new() };
    walk.compare(&FieldPath::default(), old.tree(), new.tree());
    walk.found
}

struct Walk {
    secret: bool,
    found: Vec<FieldDiff>,
}

impl Walk {
    fn compare(&mut self, path: &FieldPath, old: &Tree, new: &Tree) {
        match (old, new) {
            (Tree::Map(a), Tree::Map(b)) => {
                for (key, value) in b.iter() {
                    let path = path.then(Step::Key(key.clone()));
                    match a.get(key) {
                        Some(was) => self.compare(&path, was, value),
                        None => self.note(path, None, Some(value)),
                    }
                }
                for (key, was) in a.iter().filter(|(key, _)| !b.contains(key)) {
                    self.note(path.then(Step::Key(key.clone())), Some(was), None);
                }
            }
            (Tree::List(a), Tree::List(b)) => self.lists(path, a, b),
            (Tree::Scalar(a), Tree::Scalar(b)) if same_scalar(a, b) => {}
            _ => self.note(path.clone(), Some(old), Some(new)),
        }
    }

    fn lists(&mut self, path: &FieldPath, old: &[Tree], new: &[Tree]) {
        for (step, pair) in list::pairs(old, new) {
            let path = path.then(step);
            match pair {
                Pair::Both(was, is) => self.compare(&path, was, is),
                Pair::Old(was) => self.note(path, Some(was), None),
                Pair::New(is) => self.note(path, None, Some(is)),
            }
        }
    }

    fn note(&mut self, path: FieldPath, old: Option<&Tree>, new: Option<&Tree>) {
        let masked = self.secret && matches!(path.root(), Some("data" | "stringData"));
        let shown = |tree: &Tree| if masked { Shown::Masked(length(tree)) } else { Shown::Value(tree.clone()) };
        self.found.push(FieldDiff { path, old: old.map(shown), new: new.map(shown) });
    }
}

/// Bytes of text in a value, keys left out.
fn length(tree: &Tree) -> usize {
    match tree {
        Tree::Scalar(scalar) => scalar.text.len(),
        Tree::List(items) => items.iter().map(length).sum(),
        Tree::Map(map) => map.iter().map(|(_, value)| length(value)).sum(),
    }
}

/// True where two values mean the same: quoting, order of keys and spelling of numbers aside.
pub(super) fn same(a: &Tree, b: &Tree) -> bool {
    match (a, b) {
        (Tree::Scalar(a), Tree::Scalar(b)) => same_scalar(a, b),
        (Tree::List(a), Tree::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b)),
        (Tree::Map(a), Tree::Map(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => false,
    }
}

fn same_scalar(a: &Scalar, b: &Scalar) -> bool {
    let number = |scalar: &Scalar| match scalar.kind {
        Kind::Int | Kind::Float => scalar.text.parse::<f64>().ok(),
        _ => None,
    };
    match (a.kind, b.kind) {
        (Kind::Null, Kind::Null) => true,
        (Kind::Bool, Kind::Bool) => a.text.eq_ignore_ascii_case(&b.text),
        (Kind::Int | Kind::Float, Kind::Int | Kind::Float) => {
            a.text == b.text || number(a).zip(number(b)).is_some_and(|(a, b)| a == b && a.abs() < 9e15)
        }
        (a_kind, b_kind) => a_kind == b_kind && a.text == b.text,
    }
}
