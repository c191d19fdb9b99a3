//! The tree and its scalars.

use std::sync::Arc;

use super::{Map, Text};

/// What kind of thing a scalar is, once its text is resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`, `~` or nothing.
    Null,
    /// A boolean; the text may be any spelling that the reader takes (`yes`, `True`).
    Bool,
    /// An integer in any spelling that the reader takes (`0x1F`, `0755`, `1_000`).
    Int,
    /// A floating-point number, `.inf` and `.nan` included.
    Float,
    /// A string.
    Str,
    /// A date or time written plain.
    Timestamp,
    /// A scalar tagged `!!binary`; the text is its base64.
    Binary,
}

/// How a scalar stood in its source. Only what the field's tools look at is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Style {
    /// Without quotes.
    #[default]
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// As a `|` block.
    Literal,
    /// As a `>` block.
    Folded,
}

/// A step on the way to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'t> {
    /// Into a map, to this key.
    Key(&'t str),
    /// Into a list, to one of its items.
    Item,
}

/// A scalar: its kind, style and text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// What the text means.
    pub kind: Kind,
    /// How it was written.
    pub style: Style,
    /// The text, unescaped and unfolded, never normalised.
    pub text: Text,
}

/// A value: a scalar, a list, or a map with string keys in source order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// A single value.
    Scalar(Scalar),
    /// A list.
    List(Arc<Vec<Tree>>),
    /// A map.
    Map(Arc<Map>),
}

impl Tree {
    /// The null value.
    pub fn null() -> Tree {
        Tree::plain(Kind::Null, "null")
    }

    /// A string.
    pub fn str(text: impl Into<Text>) -> Tree {
        Tree::plain(Kind::Str, text)
    }

    /// A boolean.
    pub fn bool(value: bool) -> Tree {
        Tree::plain(Kind::Bool, if value { "true" } else { "false" })
    }

    /// An integer.
    pub fn int(value: i64) -> Tree {
        Tree::plain(Kind::Int, value.to_string())
    }

    /// A plain scalar of any kind; the caller answers for the text fitting the kind.
    pub fn plain(kind: Kind, text: impl Into<Text>) -> Tree {
        Tree::Scalar(Scalar { kind, style: Style::Plain, text: text.into() })
    }

    /// A list.
    pub fn list(items: Vec<Tree>) -> Tree {
        Tree::List(Arc::new(items))
    }

    /// A map.
    pub fn map(map: Map) -> Tree {
        Tree::Map(Arc::new(map))
    }

    /// An empty map.
    pub fn empty_map() -> Tree {
        Tree::map(Map::new())
    }

    /// True for a null scalar.
    pub fn is_null(&self) -> bool {
        matches!(self, Tree::Scalar(scalar) if scalar.kind == Kind::Null)
    }

    /// The scalar, if it is one.
    pub fn as_scalar(&self) -> Option<&Scalar> {
        match self {
            Tree::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The text of a string scalar; nothing for numbers, booleans and null.
    pub fn as_str(&self) -> Option<&str> {
        self.as_scalar().filter(|scalar| scalar.kind == Kind::Str).map(|scalar| scalar.text.as_str())
    }

    /// The items, if it is a list.
    pub fn as_list(&self) -> Option<&[Tree]> {
        match self {
            Tree::List(items) => Some(items),
            _ => None,
        }
    }

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Tree::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The items to change, copied first if they are shared.
    pub fn as_list_mut(&mut self) -> Option<&mut Vec<Tree>> {
        match self {
            Tree::List(items) => Some(Arc::make_mut(items)),
            _ => None,
        }
    }

    /// The map to change, copied first if it is shared.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        match self {
            Tree::Map(map) => Some(Arc::make_mut(map)),
            _ => None,
        }
    }

    /// The value under a key; nothing if this is no map.
    pub fn get(&self, key: &str) -> Option<&Tree> {
        self.as_map()?.get(key)
    }

    /// The value at a path of keys; nothing if a step is missing or no map.
    ///
    /// ```
    /// use hydrant::value::{Map, Tree};
    /// let object = Tree::map(Map::from_iter([("metadata".into(), Tree::map(Map::from_iter([("name".into(), Tree::str("web"))])))]));
    /// assert_eq!(object.at(&["metadata", "name"]).and_then(Tree::as_str), Some("web"));
    /// ```
    pub fn at(&self, path: &[&str]) -> Option<&Tree> {
        path.iter().try_fold(self, |tree, key| tree.get(key))
    }
}
