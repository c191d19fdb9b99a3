//! Two manifest sets to a diff value, and its printers.
//!
//! In: an old and a new [`Set`](crate::manifest::Set). Out: a [`Diff`]: objects added, removed and changed, each change a list
//! of [`Entry`]s, complete and exact: applied to the old objects they give the new ones, as values (`patch` is the proof).
//! Order of keys, quoting and comments are no change; a move in a list and another spelling of the same amount are entries of
//! their own class. What a Secret holds does not enter the diff value unless it is asked for.
//!
//! A [`Report`] is the diffs of many roots; [`View`] is what of it is shown: noise folded into counted lines ([`fold::Fold`]), dangers
//! first. The printers (`text`, `markdown`, `html`) print a view, `json` the report as a whole.

mod compare;
mod embedded;
mod flag;
mod fold;
#[cfg(feature = "cli")]
mod html;
mod json;
mod list;
mod markdown;
mod noise;
mod pairing;
#[cfg(test)]
#[path = "../../tests/support/patch.rs"]
mod patch;
mod path;
mod rules;
mod scalar;
mod secret;
#[cfg(test)]
mod tests;
mod text;
mod view;

use std::sync::Arc;

pub(crate) use compare::{Facts, diff};
pub(crate) use flag::Flag;
#[cfg(feature = "cli")]
pub(crate) use html::to_html;
pub(crate) use json::to_json;
pub(crate) use markdown::{BYTES_MAX as MARKDOWN_BYTES_MAX, to_markdown};
pub(crate) use noise::Noise;
pub(crate) use pairing::Renamed;
pub(crate) use path::{FieldPath, Step};
pub(crate) use rules::Rules;
pub(crate) use text::{Look, to_text};
pub(crate) use view::{Unfold, View};

use compare::same;

use crate::manifest::{ObjectId, Origin};
use crate::value::Tree;

/// What turns the old set into the new one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Diff {
    /// Objects that differ, in the order of the new set; removed ones last, in the order of the old set.
    pub(crate) objects: Vec<ObjectDiff>,
    /// How many objects are the same on both sides.
    pub(crate) unchanged: usize,
}

/// The diffs of one or many roots.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    /// What the user called the old side.
    pub(crate) old: String,
    /// What the user called the new side.
    pub(crate) new: String,
    /// Each root that was compared, in order of its name; one without a name where no roots were looked for.
    pub(crate) roots: Vec<RootDiff>,
    /// How many roots were not rendered, since their inputs are the same on both sides.
    pub(crate) roots_same: usize,
}

/// The diff of one root.
#[derive(Clone, Debug, Default)]
pub(crate) struct RootDiff {
    /// Its path below the folder of all roots.
    pub(crate) name: String,
    /// What differs.
    pub(crate) diff: Diff,
}

impl Report {
    /// True where nothing differs but spelling.
    pub(crate) fn is_empty(&self) -> bool {
        self.roots.iter().all(|root| root.diff.objects.iter().all(ObjectDiff::is_respelled_only))
    }
}

/// One object that differs.
#[derive(Clone, Debug)]
pub(crate) struct ObjectDiff {
    /// The object on the old side; nothing where it is new.
    pub(crate) old: Option<Side>,
    /// The object on the new side; nothing where it is gone.
    pub(crate) new: Option<Side>,
    /// Why both are taken for the same object although their identities differ.
    pub(crate) renamed: Option<Renamed>,
    /// What differs in an object of both sides.
    pub(crate) entries: Vec<Entry>,
    /// What is dangerous about it.
    pub(crate) flags: Vec<Flag>,
}

/// An object on one side.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    /// Which object.
    pub(crate) id: ObjectId,
    /// Its place in its set.
    pub(crate) place: usize,
    /// Where it came from.
    pub(crate) origin: Arc<Origin>,
    /// Its value, masked, where the object is on this side only.
    pub(crate) value: Option<Tree>,
}

/// How an object differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is on the new side only.
    Added,
    /// It is on the old side only.
    Removed,
    /// It is on both, and differs.
    Changed,
}

impl ObjectDiff {
    /// How it differs.
    pub(crate) fn change(&self) -> Change {
        match (&self.old, &self.new) {
            (None, _) => Change::Added,
            (_, None) => Change::Removed,
            _ => Change::Changed,
        }
    }

    /// The identity to name it by: the new one where both sides have it.
    pub(crate) fn id(&self) -> &ObjectId {
        let side = self.new.as_ref().or(self.old.as_ref());
        &side.expect("an object is on one side at least").id
    }

    /// True if nothing differs but spelling.
    pub(crate) fn is_respelled_only(&self) -> bool {
        self.change() == Change::Changed && self.entries.iter().all(|entry| !entry.class.is_change())
    }
}

/// What kind of difference an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Another value stands there.
    Value,
    /// A field or item that was not there.
    Added,
    /// A field or item that is gone.
    Removed,
    /// A list item changed places with others.
    Moved,
    /// The same amount, or the same document in a text, written otherwise; a null that came or went.
    Respelled,
    /// A text whose document differs: the whole texts, for whoever applies the diff. The entries inside tell what differs.
    Document,
}

impl Class {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Class::Value => "value",
            Class::Added => "added",
            Class::Removed => "removed",
            Class::Moved => "moved",
            Class::Respelled => "respelled",
            Class::Document => "document",
        }
    }

    /// True for what changes anything.
    pub(crate) fn is_change(self) -> bool {
        !matches!(self, Class::Respelled | Class::Document)
    }
}

/// One difference in an object.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Where.
    pub(crate) path: FieldPath,
    /// What kind of difference.
    pub(crate) class: Class,
    /// The old value; nothing where the field is new or an item only moved.
    pub(crate) old: Option<Tree>,
    /// The new value; nothing where the field is gone or an item only moved.
    pub(crate) new: Option<Tree>,
    /// The values are a Secret's, and were replaced by a mark.
    pub(crate) masked: bool,
    /// What makes it noise.
    pub(crate) noise: Option<Noise>,
    /// Where its values come from, if that was asked for.
    pub(crate) why: Vec<Cause>,
}

/// A place that says a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    /// Of the new value rather than the old one.
    pub(crate) new: bool,
    /// What is there: values, template, patch, manifest, and so on.
    pub(crate) what: &'static str,
    /// The file and line.
    pub(crate) at: String,
}

/// The causes as people read them: what is in the same place on both sides is told once.
fn causes(why: &[Cause]) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for cause in why {
        let both = why.iter().any(|other| other.new != cause.new && other.what == cause.what && other.at == cause.at);
        let side = match (both, cause.new) {
            (true, _) => "",
            (false, true) => "new ",
            (false, false) => "old ",
        };
        let text = format!("{side}{} {}", cause.what, cause.at);
        if !told.contains(&text) {
            told.push(text);
        }
    }
    told
}
