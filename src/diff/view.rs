//! What of a report is shown: dangers, what differs, and the noise as counted lines.

use std::collections::BTreeSet;

use super::fold::{self, Fold, Spot};
use super::noise::WORDS;
use super::{Change, Class, Entry, Flag, ObjectDiff, Report};

/// Which classes of noise are shown in full.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unfold {
    classes: BTreeSet<String>,
}

impl Unfold {
    /// From the words that the user gave; `known` are the names of the user's own rules. Fails with the word that is none.
    pub(crate) fn parse<'k>(words: &[String], known: impl Iterator<Item = &'k str>) -> Result<Unfold, String> {
        let known: BTreeSet<&str> = known.chain(WORDS).chain(["all", "respelled"]).collect();
        match words.iter().find(|word| !known.contains(word.as_str())) {
            Some(word) => Err(word.clone()),
            None => Ok(Unfold { classes: words.iter().cloned().collect() }),
        }
    }

    /// True if this class is shown in full.
    pub(super) fn has(&self, class: &str) -> bool {
        self.classes.contains("all") || self.classes.contains(class)
    }

    /// True if values are shown whole, however long.
    pub(super) fn is_all(&self) -> bool {
        self.classes.contains("all")
    }
}

/// How many objects and differences there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Counts {
    /// Objects that are new.
    pub(crate) added: usize,
    /// Objects that are gone.
    pub(crate) removed: usize,
    /// Objects that differ.
    pub(crate) changed: usize,
    /// Objects among the changed that have another identity.
    pub(crate) renamed: usize,
    /// Objects that are the same, or differ in spelling only.
    pub(crate) unchanged: usize,
    /// Differences in the changed objects.
    pub(crate) entries: usize,
    /// Differences among them that are folded.
    pub(crate) folded: usize,
    /// Values that are only spelled otherwise.
    pub(crate) respelled: usize,
}

/// A report as it is shown.
pub(crate) struct View<'r> {
    /// The whole.
    pub(crate) report: &'r Report,
    /// Which classes are shown in full.
    pub(crate) unfold: &'r Unfold,
    /// The counts.
    pub(crate) counts: Counts,
    /// Every danger with its root and object.
    pub(crate) flags: Vec<(&'r str, &'r ObjectDiff, &'r Flag)>,
    /// The noise.
    pub(crate) folds: Vec<Fold>,
    /// What is shown of each root; those without anything left out.
    pub(crate) roots: Vec<RootView<'r>>,
}

/// What is shown of a root.
pub(crate) struct RootView<'r> {
    /// Its name; empty where no roots were looked for.
    pub(crate) name: &'r str,
    /// Its objects.
    pub(crate) objects: Vec<ObjectView<'r>>,
}

/// What is shown of an object.
pub(crate) struct ObjectView<'r> {
    /// The object.
    pub(crate) object: &'r ObjectDiff,
    /// The differences that are not folded.
    pub(crate) entries: Vec<&'r Entry>,
    /// How many are.
    pub(crate) folded: usize,
}

impl<'r> View<'r> {
    /// The view of a report.
    pub(crate) fn of(report: &'r Report, unfold: &'r Unfold) -> View<'r> {
        let (folds, folded) = fold::folds(report, unfold);
        let mut view = View { report, unfold, counts: Counts::default(), flags: Vec::new(), folds, roots: Vec::new() };
        view.counts.folded = folded.len();
        for (at, root) in report.roots.iter().enumerate() {
            view.counts.unchanged += root.diff.unchanged;
            let mut objects = Vec::new();
            for (of, object) in root.diff.objects.iter().enumerate() {
                view.flags.extend(object.flags.iter().map(|flag| (root.name.as_str(), object, flag)));
                let shown = view.object((at, of), object, &folded);
                if object.change() != Change::Changed || object.renamed.is_some() || !shown.entries.is_empty() {
                    objects.push(shown);
                }
            }
            if !objects.is_empty() {
                view.roots.push(RootView { name: &root.name, objects });
            }
        }
        view.flags.sort_by_key(|(_, _, flag)| flag.kind);
        view
    }

    fn object(&mut self, (root, of): (usize, usize), object: &'r ObjectDiff, folded: &BTreeSet<Spot>) -> ObjectView<'r> {
        let counts = &mut self.counts;
        let respelled = object.entries.iter().filter(|entry| entry.class == Class::Respelled).count();
        counts.respelled += respelled;
        match object.change() {
            Change::Added => counts.added += 1,
            Change::Removed => counts.removed += 1,
            Change::Changed if object.is_respelled_only() => counts.unchanged += 1,
            Change::Changed => counts.changed += 1,
        }
        counts.renamed += usize::from(object.renamed.is_some());
        let mut entries = Vec::new();
        let mut hidden = 0;
        for (index, entry) in object.entries.iter().enumerate() {
            let class_shown = match entry.class {
                Class::Document => false,
                Class::Respelled => self.unfold.has("respelled"),
                _ => {
                    counts.entries += 1;
                    !folded.contains(&(root, of, index))
                }
            };
            if class_shown {
                entries.push(entry);
            } else if entry.class.is_change() {
                hidden += 1;
            }
        }
        ObjectView { object, entries, folded: hidden }
    }

    /// The counts as a sentence.
    pub(crate) fn summary(&self) -> String {
        let counts = &self.counts;
        let mut text = format!("{} added, {} removed, {} changed", counts.added, counts.removed, counts.changed);
        if counts.renamed > 0 {
            text.push_str(&format!(" ({} renamed)", counts.renamed));
        }
        text.push_str(&format!(", {} unchanged", counts.unchanged));
        if counts.folded > 0 {
            text.push_str(&format!("; {} of {} differences folded", counts.folded, counts.entries));
        }
        if counts.respelled > 0 {
            text.push_str(&format!("; {} respelled", counts.respelled));
        }
        let roots = self.report.roots.len() + self.report.roots_same;
        if self.report.roots_same > 0 || roots > 1 {
            let same = self.report.roots_same;
            text.push_str(&format!("; {} of {roots} roots rendered, the inputs of the others are the same", roots - same));
        }
        text
    }
}
