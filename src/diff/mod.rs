//! Two manifest sets to a diff value, and its printers.
//!
//! In: an old and a new [`Set`](crate::manifest::Set). Out: a [`Diff`]: objects added, removed and changed, each change a list of fields. Objects match
//! by group, kind, namespace and name; list items by name where every item has one of its own, else by what they hold.
//! Order, quoting and comments are no change. What a Secret holds never enters the diff value.

mod compare;
mod list;
mod path;
mod text;

pub(crate) use compare::diff;
pub(crate) use path::FieldPath;
pub(crate) use text::to_text;

use crate::manifest::ObjectId;
use crate::value::Tree;

/// What turns the old set into the new one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Diff {
    /// Objects that differ, in the order of the new set; removed ones last, in the order of the old set.
    pub(crate) objects: Vec<ObjectDiff>,
    /// How many objects are the same on both sides.
    pub(crate) unchanged: usize,
}

impl Diff {
    /// True where nothing differs.
    pub(crate) fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }
}

/// One object that differs.
#[derive(Clone, Debug)]
pub(crate) struct ObjectDiff {
    /// Which object; the new side's identity where both have it.
    pub(crate) id: ObjectId,
    /// How it differs.
    pub(crate) kind: ObjectDiffKind,
}

/// How an object differs.
#[derive(Clone, Debug)]
pub(crate) enum ObjectDiffKind {
    /// It stands in the new set only.
    Added,
    /// It stands in the old set only.
    Removed,
    /// These fields differ; never empty.
    Changed(Vec<FieldDiff>),
}

/// One field that differs.
#[derive(Clone, Debug)]
pub(crate) struct FieldDiff {
    /// Where.
    pub(crate) path: FieldPath,
    /// The old value; nothing where the field is new.
    pub(crate) old: Option<Shown>,
    /// The new value; nothing where the field is gone.
    pub(crate) new: Option<Shown>,
}

/// A value as a diff may show it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shown {
    /// The value itself.
    Value(Tree),
    /// A value of a Secret: only its length in bytes is told.
    Masked(usize),
}
