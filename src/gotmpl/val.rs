//! The value that templates compute with.

use std::borrow::Cow;
use std::rc::Rc;

use super::{Kind, List, ListType, Map, Object, Str};

/// The size and sign of an integer; the value is kept as 64 bits either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(dead_code, reason = "a type that Go has; naming and converting it is complete, whoever makes one")]
pub enum IntKind {
    /// `int`.
    Int,
    /// `int8`.
    Int8,
    /// `int16`.
    Int16,
    /// `int32`, also what a rune is.
    Int32,
    /// `int64`.
    Int64,
    /// `uint`.
    Uint,
    /// `uint8`, also what a byte is.
    Uint8,
    /// `uint16`.
    Uint16,
    /// `uint32`.
    Uint32,
    /// `uint64`: the bits of the `i64` are those of the unsigned number.
    Uint64,
}

impl IntKind {
    /// The type as `%T` prints it.
    pub fn name(self) -> &'static str {
        match self {
            IntKind::Int => "int",
            IntKind::Int8 => "int8",
            IntKind::Int16 => "int16",
            IntKind::Int32 => "int32",
            IntKind::Int64 => "int64",
            IntKind::Uint => "uint",
            IntKind::Uint8 => "uint8",
            IntKind::Uint16 => "uint16",
            IntKind::Uint32 => "uint32",
            IntKind::Uint64 => "uint64",
        }
    }

    /// True for the signed ones.
    pub fn is_signed(self) -> bool {
        matches!(self, IntKind::Int | IntKind::Int8 | IntKind::Int16 | IntKind::Int32 | IntKind::Int64)
    }
}

/// A Go value as templates see it: what an `interface {}` may hold.
///
/// Cloning is cheap: long strings, lists and maps are shared.
#[derive(Clone, Debug, Default)]
pub enum Val {
    /// `nil`, and what a missing key gives.
    #[default]
    Nil,
    /// `bool`.
    Bool(bool),
    /// Any integer type.
    Int(i64, IntKind),
    /// `float64`.
    Float(f64),
    /// `string`.
    Str(Str),
    /// A slice.
    List(List),
    /// A map with string keys.
    Map(Map),
    /// Any other Go value: structs, pointers, errors, named types with methods.
    Object(Rc<dyn Object>),
}

impl Val {
    /// An `int`.
    pub fn int(value: i64) -> Val {
        Val::Int(value, IntKind::Int)
    }

    /// An `int64`.
    pub fn int64(value: i64) -> Val {
        Val::Int(value, IntKind::Int64)
    }

    /// A string.
    pub fn str(text: impl AsRef<[u8]>) -> Val {
        Val::Str(Str::new(text))
    }

    /// A `[]interface {}`.
    pub fn list(items: Vec<Val>) -> Val {
        Val::List(List::new(items))
    }

    /// A `[]string`.
    pub fn strings<S: Into<Str>>(items: impl IntoIterator<Item = S>) -> Val {
        Val::List(List::typed(ListType::Str, items.into_iter().map(|item| Val::Str(item.into())).collect()))
    }

    /// A typed Go value.
    pub fn object(object: impl Object + 'static) -> Val {
        Val::Object(Rc::new(object))
    }

    /// True for `nil`.
    pub fn is_nil(&self) -> bool {
        matches!(self, Val::Nil)
    }

    /// True for what may hold other values in turn.
    pub fn is_container(&self) -> bool {
        matches!(self, Val::List(_) | Val::Map(_))
    }

    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&Str> {
        match self {
            Val::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Val::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The list, if it is one.
    pub fn as_list(&self) -> Option<&List> {
        match self {
            Val::List(list) => Some(list),
            _ => None,
        }
    }

    /// The typed value, if it is one of type `T`.
    pub fn as_object<T: 'static>(&self) -> Option<&T> {
        match self {
            Val::Object(object) => object.as_any().downcast_ref(),
            _ => None,
        }
    }

    /// Go's `reflect` kind.
    pub fn kind(&self) -> Kind {
        match self {
            Val::Nil => Kind::Invalid,
            Val::Bool(_) => Kind::Bool,
            Val::Int(_, kind) => Kind::Int(*kind),
            Val::Float(_) => Kind::Float64,
            Val::Str(_) => Kind::String,
            Val::List(_) => Kind::Slice,
            Val::Map(_) => Kind::Map,
            Val::Object(object) => object.kind(),
        }
    }

    /// The type as `%T` prints it; `<nil>` for nil.
    pub fn type_name(&self) -> Cow<'_, str> {
        match self {
            Val::Nil => "<nil>".into(),
            Val::Bool(_) => "bool".into(),
            Val::Int(_, kind) => kind.name().into(),
            Val::Float(_) => "float64".into(),
            Val::Str(_) => "string".into(),
            Val::List(list) => list.ty().name().into(),
            Val::Map(map) => map.ty().name().into(),
            Val::Object(object) => object.type_name(),
        }
    }
}

impl From<bool> for Val {
    fn from(value: bool) -> Val {
        Val::Bool(value)
    }
}

impl From<f64> for Val {
    fn from(value: f64) -> Val {
        Val::Float(value)
    }
}

impl From<Str> for Val {
    fn from(text: Str) -> Val {
        Val::Str(text)
    }
}

impl From<&str> for Val {
    fn from(text: &str) -> Val {
        Val::str(text)
    }
}

impl From<String> for Val {
    fn from(text: String) -> Val {
        Val::str(text)
    }
}

impl From<Vec<u8>> for Val {
    fn from(text: Vec<u8>) -> Val {
        Val::str(text)
    }
}

impl From<List> for Val {
    fn from(list: List) -> Val {
        Val::List(list)
    }
}

impl From<Map> for Val {
    fn from(map: Map) -> Val {
        Val::Map(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_words() {
        assert_eq!(size_of::<Val>(), 24);
    }

    #[test]
    fn deep_nesting_drops_without_recursion() {
        let mut value = Val::Nil;
        for depth in 0..1_000_000 {
            value = if depth % 2 == 0 { Val::list(vec![value]) } else { Val::Map(Map::from_iter([(Str::new("k"), value)])) };
        }
        drop(value);
    }

    #[test]
    fn maps_are_shared() {
        let map = Map::new();
        let alias = map.clone();
        alias.set("a", 1.5);
        assert!(matches!(map.get("a"), Some(Val::Float(value)) if value == 1.5));
    }
}
