//! Compares the objects of two sets, field by field.

use super::embedded;
use super::flag;
use super::list;
use super::noise::Names;
use super::pairing::{Match, matches};
use super::path::Step;
use super::rules::Rules;
use super::scalar::{Likeness, compare, is_amount};
use super::secret;
use super::{Class, Diff, Entry, FieldPath, ObjectDiff, Side};
use crate::manifest::{Object, Set};
use crate::schema::{Place, Schema};
use crate::value::{Scalar, Tree};

/// How deep documents in texts in documents are read.
const DOCUMENTS_DEEP_MAX: usize = 3;

/// What a comparison goes by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// Where lists merge by key.
    pub(crate) schema: Schema,
    /// The user's own rules.
    pub(crate) rules: Rules,
    /// Whether values of Secrets stay as they are.
    pub(crate) show_secrets: bool,
    /// The Kubernetes version that the new objects go to, as `major.minor`; nothing where it is not known.
    pub(crate) kubernetes: Option<(u32, u32)>,
}

/// What turns `old` into `new`.
pub(crate) fn diff(old: &Set, new: &Set, facts: &Facts) -> Diff {
    let mut result = Diff::default();
    let matches = matches(old, new);
    let names = Names::of(&matches);
    let mut found = Vec::new();
    for matched in &matches {
        if let (Some(was), Some(is)) = (matched.old, matched.new)
            && was.raw().is_some()
            && was.raw() == is.raw()
        {
            result.unchanged += 1;
            continue;
        }
        let object = object(matched, facts, &names);
        if object.entries.is_empty() && matched.old.is_some() && matched.new.is_some() {
            result.unchanged += 1;
        } else {
            found.push((matched, object));
        }
    }
    flag::raise(&mut found, old, new, facts);
    result.objects = found.into_iter().map(|(_, object)| object).collect();
    result
}

fn object(matched: &Match<'_>, facts: &Facts, names: &Names) -> ObjectDiff {
    let both = matched.old.is_some() && matched.new.is_some();
    let side = |object: &Object, place: usize| Side {
        id: object.id.clone(),
        place,
        origin: object.origin.clone(),
        value: (!both).then(|| {
            let masked = secret::is_secret(&object.id) && !facts.show_secrets;
            if masked { secret::masked_object(object.tree()) } else { object.tree().clone() }
        }),
    };
    let entries = match (matched.old, matched.new) {
        (Some(old), Some(new)) => entries(old, new, facts, names),
        _ => Vec::new(),
    };
    ObjectDiff {
        old: matched.old.map(|object| side(object, matched.places.0)),
        new: matched.new.map(|object| side(object, matched.places.1)),
        renamed: matched.renamed,
        entries,
        flags: Vec::new(),
    }
}

fn entries(old: &Object, new: &Object, facts: &Facts, names: &Names) -> Vec<Entry> {
    let secret = secret::is_secret(&new.id) && !facts.show_secrets;
    let mut walk = Walk { old, new, facts, names, secret, way: Vec::new(), documents: 0, found: Vec::new() };
    walk.compare(old.tree(), new.tree(), facts.schema.place(&new.id.api_version(), &new.id.kind));
    walk.found
}

struct Walk<'a> {
    old: &'a Object,
    new: &'a Object,
    facts: &'a Facts,
    names: &'a Names,
    secret: bool,
    way: Vec<Step>,
    /// How many documents in texts are around here.
    documents: usize,
    found: Vec<Entry>,
}

impl Walk<'_> {
    fn compare(&mut self, old: &Tree, new: &Tree, place: Option<Place<'_>>) {
        match (old, new) {
            (Tree::Map(a), Tree::Map(b)) => {
                if std::sync::Arc::ptr_eq(a, b) {
                    return;
                }
                for (key, value) in b.iter() {
                    self.way.push(Step::Key(key.clone()));
                    match a.get(key) {
                        Some(was) => self.compare(was, value, place.and_then(|place| place.field(key))),
                        None => self.note(Class::Added, None, Some(value)),
                    }
                    self.way.pop();
                }
                for (key, was) in a.iter().filter(|(key, _)| !b.contains(key)) {
                    self.way.push(Step::Key(key.clone()));
                    self.note(Class::Removed, Some(was), None);
                    self.way.pop();
                }
            }
            (Tree::List(a), Tree::List(b)) => self.lists(a, b, place),
            (Tree::Scalar(a), Tree::Scalar(b)) => self.scalars(a, b, old, new),
            _ => self.note(Class::Value, Some(old), Some(new)),
        }
    }

    fn lists(&mut self, old: &[Tree], new: &[Tree], place: Option<Place<'_>>) {
        if old.len() == new.len() && old.iter().zip(new).all(|(was, is)| same(was, is)) {
            return;
        }
        let keys = place.and_then(Place::merge_keys);
        let element = place.and_then(Place::element);
        for pair in list::pairs(old, new, keys.as_deref()) {
            self.way.push(pair.step);
            match (pair.old, pair.new) {
                (Some(was), Some(is)) => {
                    if pair.moved {
                        self.note(Class::Moved, None, None);
                    }
                    self.compare(was, is, element);
                }
                (was, None) => self.note(Class::Removed, was, None),
                (None, is) => self.note(Class::Added, None, is),
            }
            self.way.pop();
        }
    }

    fn scalars(&mut self, a: &Scalar, b: &Scalar, old: &Tree, new: &Tree) {
        if a == b {
            return;
        }
        let mut keys = self.way.iter().rev().filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            _ => None,
        });
        let (last, above) = (keys.next().unwrap_or_default(), keys.next().unwrap_or_default());
        match compare(a, b, is_amount(last, above)) {
            Likeness::Same => {}
            Likeness::Respelled => self.note(Class::Respelled, Some(old), Some(new)),
            Likeness::Different => {
                let last = last.to_owned();
                if !self.texts(&last, old, new) {
                    self.note(Class::Value, Some(old), Some(new));
                }
            }
        }
    }

    /// Compares two texts as documents; false where they are none.
    fn texts(&mut self, key: &str, old: &Tree, new: &Tree) -> bool {
        let (Some(a), Some(b)) = (old.as_str(), new.as_str()) else { return false };
        if self.documents >= DOCUMENTS_DEEP_MAX || self.is_masked() {
            return false;
        }
        let Some(documents) = embedded::documents(key, a, b) else { return false };
        if same(&documents.old, &documents.new) {
            self.note(if documents.certain { Class::Respelled } else { Class::Value }, Some(old), Some(new));
            return true;
        }
        self.note(Class::Document, Some(old), Some(new));
        self.way.push(Step::Inside(documents.format));
        self.documents += 1;
        self.compare(&documents.old, &documents.new, None);
        self.documents -= 1;
        self.way.pop();
        true
    }

    fn is_masked(&self) -> bool {
        let keys = self.way.iter().filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            _ => None,
        });
        self.secret && secret::is_masked(keys)
    }

    fn note(&mut self, class: Class, old: Option<&Tree>, new: Option<&Tree>) {
        let path = self.way.iter().fold(FieldPath::default(), |path, step| path.then(step.clone()));
        let null = |tree: Option<&Tree>| tree.is_some_and(Tree::is_null);
        let class = match class {
            // a null asks for nothing
            Class::Added if null(new) && matches!(self.way.last(), Some(Step::Key(_))) => Class::Respelled,
            Class::Removed if null(old) && matches!(self.way.last(), Some(Step::Key(_))) => Class::Respelled,
            class => class,
        };
        let noise = self.facts.rules.noise(&self.new.id, &path, class).unwrap_or_else(|| {
            let built_in = self.names.classify((&self.old.id, &self.new.id), &path, class, old, new);
            built_in.filter(|_| class.is_change())
        });
        let masked = self.is_masked();
        let shown = |tree: &Tree| if masked { secret::masked(tree) } else { tree.clone() };
        self.found.push(Entry { path, class, old: old.map(shown), new: new.map(shown), masked, noise, why: Vec::new() });
    }
}

/// True where two values are the same to the letter, order of keys and quoting aside.
pub(super) fn same(a: &Tree, b: &Tree) -> bool {
    match (a, b) {
        (Tree::Scalar(a), Tree::Scalar(b)) => a == b || compare(a, b, false) == Likeness::Same,
        (Tree::List(a), Tree::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b)),
        (Tree::Map(a), Tree::Map(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => false,
    }
}
