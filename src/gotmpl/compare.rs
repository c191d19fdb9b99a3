//! Truth and equality as Go has them.

use super::{Kind, Val};

/// Truth as `if`, `and`, `or` and `not` see it: false for nil, zero and empty; structs and pointers are true.
#[inline]
pub fn truth(value: &Val) -> bool {
    match value {
        Val::Nil => false,
        Val::Bool(value) => *value,
        Val::Int(value, _) => *value != 0,
        Val::Float(value) => *value != 0.0,
        Val::Str(text) => !text.is_empty(),
        Val::List(list) => !list.is_empty(),
        Val::Map(map) => !map.is_empty(),
        Val::Object(object) => object.truth(),
    }
}

/// Deepest nesting that [`deep_equal`] walks; deeper values count as different. Only values that hold themselves get there.
const EQUAL_DEPTH_MAX: usize = 1000;

/// `reflect.DeepEqual`: types must agree as well as values.
pub fn deep_equal(a: &Val, b: &Val) -> bool {
    equal_within(a, b, EQUAL_DEPTH_MAX)
}

fn equal_within(a: &Val, b: &Val, depth: usize) -> bool {
    if depth == 0 {
        return false;
    }
    match (a, b) {
        (Val::Nil, Val::Nil) => true,
        (Val::Bool(a), Val::Bool(b)) => a == b,
        (Val::Int(a, kind), Val::Int(b, other)) => kind == other && a == b,
        (Val::Float(a), Val::Float(b)) => a == b,
        (Val::Str(a), Val::Str(b)) => a == b,
        (Val::List(a), Val::List(b)) => {
            a.ty() == b.ty()
                && a.len() == b.len()
                && (a.same(b) || a.iter().zip(b.iter()).all(|(a, b)| equal_within(a, b, depth - 1)))
        }
        (Val::Map(a), Val::Map(b)) => {
            if a.same(b) {
                return true;
            }
            let (left, right) = (a.borrow(), b.borrow());
            a.ty() == b.ty()
                && left.len() == right.len()
                && left.iter().zip(right.iter()).all(|((key, a), (other, b))| key == other && equal_within(a, b, depth - 1))
        }
        (Val::Object(a), Val::Object(b)) => a.type_name() == b.type_name() && a.equals(&**b),
        _ => false,
    }
}

/// What the comparison functions sort values into.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Basic {
    Bool,
    Int,
    Uint,
    Float,
    Str,
}

/// The basic kind of a value; nothing for what Go calls not a basic type.
pub(super) fn basic(value: &Val) -> Option<Basic> {
    match value.kind() {
        Kind::Bool => Some(Basic::Bool),
        Kind::Int(kind) if kind.is_signed() => Some(Basic::Int),
        Kind::Int(_) => Some(Basic::Uint),
        Kind::Float64 => Some(Basic::Float),
        Kind::String => Some(Basic::Str),
        _ => None,
    }
}
