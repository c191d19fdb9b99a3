//! Noise, counted: all differences of one class and sense on one line.

use std::collections::{BTreeMap, BTreeSet};

use super::noise::Noise;
use super::view::Unfold;
use super::{Class, Entry, Report};
use crate::value::Tree;
use crate::yaml;

/// From how many objects on an equal change is told once.
const SAME_OBJECTS_MIN: usize = 3;
/// How many objects of one fold are named.
const OBJECTS_SHOWN_MAX: usize = 3;
/// How many different changes of one fold are named.
const CHANGES_SHOWN_MAX: usize = 3;
/// Longest text of a change that is named, in characters.
const CHANGE_CHARACTERS_MAX: usize = 60;

/// Differences that are told on one line.
#[derive(Clone, Debug)]
pub(crate) struct Fold {
    /// The word for their class, as `--unfold` takes it.
    pub(crate) class: String,
    /// What they are, in one line.
    pub(crate) message: String,
    /// How many objects have them.
    pub(crate) objects: usize,
    /// How many differences there are.
    pub(crate) entries: usize,
}

/// A difference: the indices of root, object and entry.
pub(super) type Spot = (usize, usize, usize);

/// What belongs together.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Noise(Noise),
    Same { shape: String, class: &'static str, old: Option<String>, new: Option<String> },
}

/// The objects that have an equal change, and the change: as text, how often, and where.
type Same = BTreeMap<BTreeSet<(usize, usize)>, Vec<(String, Vec<Spot>)>>;

/// The folds of a report, the largest first, and the differences in them.
pub(super) fn folds(report: &Report, unfold: &Unfold) -> (Vec<Fold>, BTreeSet<Spot>) {
    let mut groups: BTreeMap<Group, Vec<(Spot, &Entry)>> = BTreeMap::new();
    for (spot, entry) in entries(report) {
        let group = match &entry.noise {
            Some(noise) => Group::Noise(noise.clone()),
            // a masked value is like every other
            None if entry.masked || matches!(entry.class, Class::Moved) => continue,
            None => Group::Same {
                shape: entry.path.shape(),
                class: entry.class.word(),
                old: entry.old.as_ref().map(yaml::to_json),
                new: entry.new.as_ref().map(yaml::to_json),
            },
        };
        groups.entry(group).or_default().push((spot, entry));
    }
    let (mut folds, mut folded) = (Vec::new(), BTreeSet::new());
    let mut same = Same::new();
    for (group, members) in groups {
        let having: BTreeSet<_> = members.iter().map(|((root, object, _), _)| (*root, *object)).collect();
        let objects = having.len();
        let class = match &group {
            Group::Noise(noise) => noise.word().to_owned(),
            Group::Same { .. } => "same-change".to_owned(),
        };
        if unfold.has(&class) || (matches!(group, Group::Same { .. }) && objects < SAME_OBJECTS_MIN) {
            continue;
        }
        if let (Group::Same { shape, .. }, Some((_, entry))) = (&group, members.first()) {
            let spots = members.iter().map(|(spot, _)| *spot).collect();
            same.entry(having).or_default().push((change(shape, entry), spots));
            continue;
        }
        let message = message(&group, &members, objects);
        folds.push(Fold { class, message, objects, entries: members.len() });
        folded.extend(members.into_iter().map(|(spot, _)| spot));
    }
    for (having, changes) in same {
        folds.push(same_fold(report, &having, &changes));
        folded.extend(changes.into_iter().flat_map(|(_, spots)| spots));
    }
    folds.sort_by(|a, b| b.entries.cmp(&a.entries).then_with(|| a.message.cmp(&b.message)));
    (folds, folded)
}

/// One line for all changes that the same objects have.
fn same_fold(report: &Report, having: &BTreeSet<(usize, usize)>, changes: &[(String, Vec<Spot>)]) -> Fold {
    let names = having.iter().take(OBJECTS_SHOWN_MAX).map(|(root, object)| report.roots[*root].diff.objects[*object].id().name.to_string());
    let mut names: Vec<String> = names.collect();
    if having.len() > names.len() {
        names.push(format!("{} more", having.len() - names.len()));
    }
    let count = if changes.len() == 1 { "the same change".to_owned() } else { format!("the same {} changes", changes.len()) };
    let mut shown: Vec<&str> = changes.iter().take(CHANGES_SHOWN_MAX).map(|(text, _)| text.as_str()).collect();
    let more = format!("{} more", changes.len().saturating_sub(shown.len()));
    if changes.len() > shown.len() {
        shown.push(&more);
    }
    Fold {
        class: "same-change".to_owned(),
        message: format!("{count} in {} objects ({}): {}", having.len(), names.join(", "), shown.join("; ")),
        objects: having.len(),
        entries: changes.iter().map(|(_, spots)| spots.len()).sum(),
    }
}

/// Every difference that changes something, with its place.
pub(super) fn entries(report: &Report) -> impl Iterator<Item = (Spot, &Entry)> {
    report.roots.iter().enumerate().flat_map(|(at, root)| {
        root.diff.objects.iter().enumerate().flat_map(move |(of, object)| {
            let entries = object.entries.iter().enumerate().filter(|(_, entry)| entry.class.is_change());
            entries.map(move |(index, entry)| ((at, of, index), entry))
        })
    })
}

fn message(group: &Group, members: &[(Spot, &Entry)], objects: usize) -> String {
    let count = members.len();
    let objects = if objects == 1 { "1 object".to_owned() } else { format!("{objects} objects") };
    match group {
        Group::Noise(Noise::ChartLabel(label)) => format!("{label} bumped in {objects}: {}", changes(members, "")),
        Group::Noise(Noise::Checksum) => format!("{} in {objects}", counted(count, "checksum annotation")),
        Group::Noise(Noise::Certificate) => format!("{} made anew in {objects}", counted(count, "certificate")),
        Group::Noise(Noise::ImageTag(image)) => {
            format!("image {image} in {objects}: {}", changes(members, image))
        }
        Group::Noise(Noise::Reference) => format!("{} to what was renamed, in {objects}", counted(count, "reference")),
        Group::Noise(Noise::SchemaText) => format!("{} of CRD schemas in {objects}", counted(count, "description")),
        Group::Noise(Noise::Rule(name)) => format!("{name}: {} in {objects}", counted(count, "change")),
        // these are told by the objects that have them
        Group::Same { .. } => String::new(),
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The different changes among the members, each once.
fn changes(members: &[(Spot, &Entry)], without: &str) -> String {
    let text = |tree: &Option<Tree>| {
        let text = tree.as_ref().and_then(Tree::as_scalar).map_or("", |scalar| scalar.text.as_str());
        text.strip_prefix(without).unwrap_or(text).trim_start_matches([':', '@']).to_owned()
    };
    let mut seen: Vec<String> = Vec::new();
    for (_, entry) in members {
        let change = format!("{} -> {}", text(&entry.old), text(&entry.new));
        if !seen.contains(&change) {
            seen.push(change);
        }
    }
    let more = seen.len().saturating_sub(CHANGES_SHOWN_MAX);
    seen.truncate(CHANGES_SHOWN_MAX);
    let shown = seen.join(", ");
    if more > 0 { format!("{shown}, {more} more") } else { shown }
}

fn change(shape: &str, entry: &Entry) -> String {
    let short = |tree: &Tree| super::text::one_line(tree, CHANGE_CHARACTERS_MAX);
    match (&entry.old, &entry.new) {
        (Some(old), Some(new)) => format!("{shape}: {} -> {}", short(old), short(new)),
        (None, Some(new)) => format!("+ {shape}: {}", short(new)),
        (Some(old), None) => format!("- {shape}: {}", short(old)),
        (None, None) => shape.to_owned(),
    }
}
