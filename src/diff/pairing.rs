//! Which old object became which new one: by identity, and where names changed by what is known of why names change.
//!
//! What is left after identities is tried in turn: a generated hash at the end of a name, an API group that moved, another
//! namespace, another release name, and last the likeness of what objects hold.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::list::Features;
use crate::manifest::{Object, ObjectId, Set};
use crate::value::{Map, Text, Tree};

/// Two objects that are taken for one, or one without a partner.
#[derive(Clone, Copy)]
pub(super) struct Match<'a> {
    /// The old object.
    pub(super) old: Option<&'a Object>,
    /// The new object.
    pub(super) new: Option<&'a Object>,
    /// Their places in their sets.
    pub(super) places: (usize, usize),
    /// Why they match although their identities differ.
    pub(super) renamed: Option<Renamed>,
}

/// Why two objects of different identity are taken for the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Renamed {
    /// The hash that a generator puts at the end of the name differs.
    Hash,
    /// The kind moved to another API group.
    Group,
    /// The namespace differs.
    Namespace,
    /// The release has another name.
    Release,
    /// They hold nearly the same.
    Likeness,
}

impl Renamed {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Renamed::Hash => "hash",
            Renamed::Group => "group",
            Renamed::Namespace => "namespace",
            Renamed::Release => "release",
            Renamed::Likeness => "likeness",
        }
    }
}

/// How like two objects with unrelated names must be to be one: parts of a thousand.
const LIKE_MIN: u32 = 800;
/// Fewest leaves of an object that is told by its likeness: small ones are all alike.
const LEAVES_MIN: usize = 8;
/// Most pairs of objects whose likeness is tried.
const LIKENESS_COST_MAX: usize = 1 << 16;

/// API groups that kinds moved between.
const GROUPS: [(&str, &str); 4] =
    [("extensions", "apps"), ("extensions", "networking.k8s.io"), ("extensions", "policy"), ("batch", "apps")];

/// The characters of the hashes that kustomize puts behind names, and how many there are.
const HASH_CHARACTERS: &str = "2456789bcdfghkmt";
const HASH_LENGTH: usize = 10;

/// An object's new name from its old one and the release's old and new ones.
type Naming = fn(&str, &str, &str) -> Option<String>;

type Key<'a> = (&'a str, &'a str, &'a str, &'a str);

fn key(id: &ObjectId) -> Key<'_> {
    (&id.group, &id.kind, &id.namespace, &id.name)
}

/// All objects of both sets: those of the new set in its order, then those of the old set alone in its order. Of objects
/// that stand several times under one identity, the first goes with the first, and so on.
pub(super) fn matches<'a>(old: &'a Set, new: &'a Set) -> Vec<Match<'a>> {
    let mut places: FxHashMap<Key<'_>, Vec<usize>> = FxHashMap::default();
    for (at, object) in old.objects.iter().enumerate().rev() {
        places.entry(key(&object.id)).or_default().push(at);
    }
    let mut partner: Vec<Option<(usize, Option<Renamed>)>> = vec![None; new.len()];
    let mut taken = vec![false; old.len()];
    for (at, object) in new.objects.iter().enumerate() {
        if let Some(was) = places.get_mut(&key(&object.id)).and_then(Vec::pop) {
            partner[at] = Some((was, None));
            taken[was] = true;
        }
    }
    let mut search = Search { old, new, partner, taken };
    search.follow();
    let Search { partner, taken, .. } = search;
    let mut found: Vec<Match<'a>> = new
        .objects
        .iter()
        .zip(&partner)
        .enumerate()
        .map(|(at, (object, partner))| Match {
            old: partner.map(|(was, _)| &old.objects[was]),
            new: Some(object),
            places: (partner.map_or(0, |(was, _)| was), at),
            renamed: partner.and_then(|(_, renamed)| renamed),
        })
        .collect();
    let gone = old.objects.iter().enumerate().filter(|(at, _)| !taken[*at]);
    found.extend(gone.map(|(at, object)| Match { old: Some(object), new: None, places: (at, 0), renamed: None }));
    found
}

struct Search<'a> {
    old: &'a Set,
    new: &'a Set,
    partner: Vec<Option<(usize, Option<Renamed>)>>,
    taken: Vec<bool>,
}

impl Search<'_> {
    fn follow(&mut self) {
        if self.taken.iter().all(|taken| *taken) || self.partner.iter().all(Option::is_some) {
            return;
        }
        self.by(Renamed::Hash, |id| Some((id.group.clone(), id.kind.clone(), id.namespace.clone(), stem(&id.name)?.into())));
        for (before, after) in GROUPS {
            let moved = |id: &ObjectId| [before, after].contains(&id.group.as_str());
            self.by(Renamed::Group, |id| {
                moved(id).then(|| (after.into(), id.kind.clone(), id.namespace.clone(), id.name.clone()))
            });
        }
        self.by(Renamed::Namespace, |id| Some((id.group.clone(), id.kind.clone(), Text::default(), id.name.clone())));
        self.by_release();
        self.by_likeness();
    }

    /// Pairs what agrees in a key that is no other's on its side.
    fn by(&mut self, why: Renamed, key: impl Fn(&ObjectId) -> Option<(Text, Text, Text, Text)>) {
        self.by_both(why, &key, &key);
    }

    fn by_both<K: Ord>(
        &mut self,
        why: Renamed,
        old_key: impl Fn(&ObjectId) -> Option<K>,
        new_key: impl Fn(&ObjectId) -> Option<K>,
    ) {
        let mut places: BTreeMap<K, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        for at in self.left_old() {
            if let Some(key) = old_key(&self.old.objects[at].id) {
                places.entry(key).or_default().0.push(at);
            }
        }
        for at in self.left_new() {
            if let Some(key) = new_key(&self.new.objects[at].id) {
                places.entry(key).or_default().1.push(at);
            }
        }
        for (was, is) in places.values() {
            if let ([was], [is]) = (&was[..], &is[..]) {
                self.pair(*was, *is, why);
            }
        }
    }

    fn pair(&mut self, was: usize, is: usize, why: Renamed) {
        self.partner[is] = Some((was, Some(why)));
        self.taken[was] = true;
    }

    fn left_old(&self) -> Vec<usize> {
        (0..self.old.len()).filter(|at| !self.taken[*at]).collect()
    }

    fn left_new(&self) -> Vec<usize> {
        (0..self.new.len()).filter(|at| self.partner[*at].is_none()).collect()
    }

    /// Follows a release's name: both sides say theirs in a label of every chart's objects.
    fn by_release(&mut self) {
        let was = release(self.left_old().into_iter().map(|at| &self.old.objects[at]));
        let is = release(self.left_new().into_iter().map(|at| &self.new.objects[at]));
        let (Some(was), Some(is)) = (was, is) else { return };
        if was == is {
            return;
        }
        let namings: [Naming; 3] = [
            |name, was, is| name.strip_prefix(was).map(|rest| format!("{is}{rest}")),
            // a chart's full name leaves the release out where it holds the chart's
            |name, _, is| Some(format!("{is}-{name}")),
            |name, was, is| name.strip_prefix(&format!("{was}-")).filter(|rest| rest.starts_with(is)).map(str::to_owned),
        ];
        for naming in namings {
            let renamed = |id: &ObjectId| {
                Some((id.group.clone(), id.kind.clone(), id.namespace.clone(), naming(&id.name, &was, &is)?))
            };
            self.by_both(Renamed::Release, renamed, |id| {
                Some((id.group.clone(), id.kind.clone(), id.namespace.clone(), id.name.to_string()))
            });
        }
    }

    fn by_likeness(&mut self) {
        let (was, is) = (self.left_old(), self.left_new());
        if was.is_empty() || is.is_empty() || was.len().saturating_mul(is.len()) > LIKENESS_COST_MAX {
            return;
        }
        let features = |object: &Object| Features::of(&nameless(object.tree()));
        let old: Vec<_> = was.iter().map(|at| (*at, features(&self.old.objects[*at]))).collect();
        let new: Vec<_> = is.iter().map(|at| (*at, features(&self.new.objects[*at]))).collect();
        let mut found = Vec::new();
        for (i, one) in old.iter().filter(|(_, one)| one.len() >= LEAVES_MIN) {
            for (j, other) in &new {
                let (a, b) = (&self.old.objects[*i].id, &self.new.objects[*j].id);
                if a.kind != b.kind || a.group != b.group || other.len() < LEAVES_MIN {
                    continue;
                }
                let like = one.likeness(other);
                if like >= LIKE_MIN {
                    found.push((std::cmp::Reverse(like), *i, *j));
                }
            }
        }
        found.sort_unstable();
        for (_, i, j) in found {
            if !self.taken[i] && self.partner[j].is_none() {
                self.pair(i, j, Renamed::Likeness);
            }
        }
    }
}

/// A name without the hash at its end.
fn stem(name: &str) -> Option<&str> {
    let (stem, hash) = name.rsplit_once('-')?;
    (hash.len() == HASH_LENGTH && hash.chars().all(|c| HASH_CHARACTERS.contains(c))).then_some(stem)
}

/// The release that most of the objects say they belong to.
fn release<'a>(objects: impl Iterator<Item = &'a Object>) -> Option<Text> {
    let mut counts: BTreeMap<Text, usize> = BTreeMap::new();
    for object in objects {
        let labels = object.tree().at(&["metadata", "labels"]);
        let named = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Tree::as_str);
        if let Some(name) = named("app.kubernetes.io/instance").or_else(|| named("release")) {
            *counts.entry(name.into()).or_default() += 1;
        }
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(name, _)| name)
}

/// An object without what names it.
fn nameless(tree: &Tree) -> Tree {
    let Some(map) = tree.as_map() else { return tree.clone() };
    let kept = map.iter().filter(|(key, _)| *key != "metadata" && *key != "apiVersion" && *key != "kind");
    Tree::map(kept.map(|(key, value)| (key.clone(), value.clone())).collect::<Map>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::SourceText;

    fn set(names: &[(&str, &str)]) -> Set {
        let object = |(name, more): &(&str, &str)| format!("apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\n{more}\n");
        let text: Vec<String> = names.iter().map(object).collect();
        Set::parse(&SourceText::new("a.yaml", text.join("---\n"))).expect("good objects")
    }

    fn told(old: &[(&str, &str)], new: &[(&str, &str)]) -> String {
        let (old, new) = (set(old), set(new));
        let name = |object: Option<&Object>| object.map_or("-".to_owned(), |object| object.id.name.to_string());
        let told = matches(&old, &new).into_iter().map(|found| {
            format!("{}>{} {}", name(found.old), name(found.new), found.renamed.map_or("", Renamed::word))
        });
        told.collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn hashes_behind_names_are_followed() {
        assert_eq!(told(&[("a-24567bcdfg", ""), ("b", "")], &[("b", ""), ("a-2456ttcdfg", "")]), "b>b ; a-24567bcdfg>a-2456ttcdfg hash");
        assert_eq!(told(&[("a-24567bcdfg", "")], &[("b-24567bcdfg", "")]), "->b-24567bcdfg ; a-24567bcdfg>- ");
        assert_eq!(stem("a-aaaaaaaaaa"), None);
    }

    #[test]
    fn releases_are_followed() {
        let labelled = |release: &str| format!("  labels: {{app.kubernetes.io/instance: {release}}}");
        let (one, two) = (labelled("one"), labelled("two"));
        assert_eq!(
            told(&[("one-web", &one), ("one-db", &one)], &[("two-web", &two), ("two-db", &two)]),
            "one-web>two-web release; one-db>two-db release"
        );
        let (one, two) = (labelled("web"), labelled("shop"));
        assert_eq!(told(&[("web", &one)], &[("shop-web", &two)]), "web>shop-web release");
        assert_eq!(told(&[("shop-web", &two)], &[("web", &one)]), "shop-web>web release");
    }

    #[test]
    fn namespaces_and_likeness_are_followed() {
        assert_eq!(told(&[("a", "  namespace: x")], &[("a", "  namespace: y")]), "a>a namespace");
        let spec = |extra: &str| format!("spec: {{a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8, i: {extra}}}");
        let (one, two) = (spec("9"), spec("0"));
        assert_eq!(told(&[("left", &one)], &[("right", &two)]), "left>right likeness");
        assert_eq!(told(&[("left", "spec: {a: 1}")], &[("right", "spec: {a: 1}")]), "->right ; left>- ");
    }
}
